/** A planned scenario's layers, asked for once; and what is told of its things in tables and beside them. */
import type { Feature, FeatureCollection, LineString, Point } from 'geojson';
import { boundsOf, type Bounds } from '../map/bounds.ts';
import type { CableFacts, Cables, Faults, GroundWays, OpenedWay, PremisesFacts, PremisesLayer, SiteFacts, Sites, Ways } from '../server/answers.plan.ts';
import { Asked } from '../server/asked.svelte.ts';
import { isSeen } from './look.ts';
import { projectPath, scenarioPath } from './paths.ts';
import type { Picked } from './picked.ts';
import { plainSite } from './site.ts';
import { carriedBy, isNameless, keyOf, rowKeyOf, streetsOf, summed, type Street } from './streets.ts';

type Drawn = Feature<LineString | Point>;

export class Layers {
  readonly ways = new Asked<Ways>();
  readonly cables = new Asked<Cables>();
  readonly sites = new Asked<Sites>();
  readonly premises = new Asked<PremisesLayer>();
  readonly faults = new Asked<Faults>();
  readonly ground = new Asked<GroundWays>();

  /** Ways as they are drawn, by the first of their roles. */
  readonly opened = $derived.by(() => {
    const { value } = this.ways;
    if (!value) return null;
    const features = value.features.map((way) => ({ ...way, properties: { ...way.properties, carries: carriedBy(way.properties.roles) } }));
    return { ...value, features } as FeatureCollection<LineString, OpenedWay>;
  });
  /** Ways of the ground as they are drawn: whether each may be dug, which all may of whom nothing is said. */
  readonly under = $derived.by(() => {
    const { value } = this.ground;
    return value && { ...value, features: value.features.map((way) => ({ ...way, properties: { usable: true, ...way.properties } })) };
  });
  /** A point for each premises: where its drop begins. */
  readonly places = $derived.by((): FeatureCollection<Point, PremisesFacts> | null => {
    const { value } = this.premises;
    const features = value?.features.map(({ geometry, properties }): Feature<Point, PremisesFacts> => ({ type: 'Feature', geometry: { type: 'Point', coordinates: geometry.coordinates[0] ?? [0, 0] }, properties }));
    return features ? { type: 'FeatureCollection', features } : null;
  });
  readonly streets = $derived(this.ways.value ? streetsOf(this.ways.value) : []);
  readonly cableRows = $derived(this.cables.value?.features.map(({ properties }) => properties) ?? ([] as CableFacts[]));
  readonly siteRows = $derived(this.sites.value?.features.map(({ properties }) => properties) ?? ([] as SiteFacts[]));
  readonly premisesRows = $derived(this.premises.value?.features.map(({ properties }) => properties) ?? ([] as PremisesFacts[]));
  readonly #labels = $derived(new Map(this.premisesRows.map(({ id, label }) => [id, label])));
  /** All that is opened and all who are to be reached; a small plan of a large city still shows whom it leaves out. */
  readonly whole = $derived<Bounds | null>(
    boundsOf(this.ways.value && { type: 'FeatureCollection', features: [...this.ways.value.features, ...(this.places?.features ?? [])] }) ?? boundsOf(this.ground.value),
  );

  async load(scenario: string, project: string): Promise<void> {
    const layer = (name: string): string => scenarioPath(scenario, `/layers/${name}`);
    await Promise.all([
      this.ways.ask(layer('ways')),
      this.cables.ask(layer('cables')),
      this.sites.ask(layer('sites')),
      this.premises.ask(layer('premises')),
      this.faults.ask(layer('faults')),
      this.#look(project),
    ]);
  }

  /** The streets on which nothing is opened: of the project's ground, which somebody must have looked at. */
  async #look(project: string): Promise<void> {
    if (await isSeen(project)) await this.ground.ask(projectPath(project, '/ground/ways'));
  }

  /** What premises are called; a house without an address by its id, too. */
  labelOf(id: string): string {
    const label = this.#labels.get(id) ?? '';
    return label === '' || label === 'house' ? [label, id].filter(Boolean).join(' ') : label;
  }

  /** What a site is called; one that is not of the plan by its id. */
  siteOf(id: string): string {
    return plainSite(this.siteRows.find((site) => site.id === id)?.label ?? '') || id;
  }

  /** A street by what it is picked by: a row of the table, or one way that has no name; null where nothing of it is opened. */
  streetOf(key: string): Street | null {
    const row = this.streets.find((street) => street.key === key);
    const ways = row ? [] : (this.ways.value?.features.map(({ properties }) => properties).filter((way) => keyOf(way) === key) ?? []);
    return row ?? (ways.length > 0 ? summed(key, ways) : null);
  }

  /** The row of the table of streets in which something that is picked is told. */
  streetRowOf(key: string): string {
    const way = this.ways.value?.features.find(({ properties }) => keyOf(properties) === key)?.properties;
    return way ? rowKeyOf(way) : key;
  }

  /** What is drawn of something that is picked. */
  featuresOf(picked: Picked | null): FeatureCollection<LineString | Point> | null {
    if (picked === null) return null;
    const found = this.#found(picked);
    return found.length > 0 ? { type: 'FeatureCollection', features: found } : null;
  }

  #found({ kind, id }: Picked): Drawn[] {
    const of = (asked: Asked<FeatureCollection<LineString | Point, { id: string }>>): Drawn[] => asked.value?.features.filter(({ properties }) => properties.id === id) ?? [];
    if (kind === 'cable') return of(this.cables);
    if (kind === 'site') return of(this.sites);
    if (kind === 'premises') return this.places?.features.filter(({ properties }) => properties.id === id) ?? [];
    if (kind === 'fault') return this.faults.value?.features.filter((_, at) => String(at) === id) ?? [];
    if (isNameless(id)) return this.ways.value?.features.filter(({ properties }) => rowKeyOf(properties) === id) ?? [];
    const opened = this.ways.value?.features.filter(({ properties }) => keyOf(properties) === id) ?? [];
    return opened.length > 0 ? opened : (this.ground.value?.features.filter(({ properties }) => keyOf(properties) === id) ?? []);
  }
}
