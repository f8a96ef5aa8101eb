/** A project's ground as layers: streets, who is to be reached, offices, faults; asked for once it was looked at. */
import type { Feature, FeatureCollection, LineString, Point } from 'geojson';
import type { Shapes } from '../map/bounds.ts';
import type { Faults, GroundWays, PremisesFacts, StandingFacts } from '../server/answers.plan.ts';
import { Asked } from '../server/asked.svelte.ts';
import { projectPath } from './paths.ts';

export class GroundLayers {
  readonly ways = new Asked<GroundWays>();
  readonly premises = new Asked<FeatureCollection<LineString, PremisesFacts>>();
  readonly offices = new Asked<FeatureCollection<Point, { id: string; label: string }>>();
  readonly faults = new Asked<Faults>();
  readonly nodes = new Asked<FeatureCollection<Point, StandingFacts>>();
  readonly spans = new Asked<FeatureCollection<LineString, StandingFacts>>();

  readonly shapes = $derived.by((): Record<string, Shapes | null> => {
    const offices = this.offices.value;
    const places = this.premises.value?.features.map(
      ({ geometry, properties }): Feature => ({ type: 'Feature', geometry: { type: 'Point', coordinates: geometry.coordinates[0] ?? [0, 0] }, properties: { ...properties, served: true } }),
    );
    return {
      ground: this.ways.value,
      premises: null,
      places: places ? { type: 'FeatureCollection', features: places } : null,
      sites: offices && { ...offices, features: offices.features.map((office) => ({ ...office, properties: { ...office.properties, kind: 'office' } })) },
      faults: this.faults.value,
      spans: this.spans.value && { ...this.spans.value, features: this.spans.value.features.map((span, at) => ({ ...span, properties: { ...span.properties, key: `span-${at}` } })) },
      nodes: this.nodes.value && { ...this.nodes.value, features: this.nodes.value.features.map((node, at) => ({ ...node, properties: { ...node.properties, key: `node-${at}` } })) },
    };
  });

  async load(project: string): Promise<void> {
    const layer = (name: string): string => projectPath(project, `/ground/${name}`);
    await Promise.all([this.ways.ask(layer('ways')), this.premises.ask(layer('premises')), this.offices.ask(layer('offices')), this.faults.ask(layer('faults')), this.nodes.ask(layer('nodes')), this.spans.ask(layer('spans'))]);
  }
}
