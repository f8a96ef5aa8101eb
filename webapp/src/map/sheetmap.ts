/**
 * The plan with sheets of lines and signs on it: the same paper as the city's own map, and on it what a sheet describes,
 * drawn by MapLibre from GeoJSON, never by a node each. Fetched only when it is shown.
 */
import type { FeatureCollection } from 'geojson';
import type { GeoJSONSource, LayerSpecification, MapGeoJSONFeature, Map as MapLibreMap } from 'maplibre-gl';
import type { CityFacts } from '../server/answers.ts';
import { inkOf } from '../theme.svelte.ts';
import type { Bounds, Shapes } from './bounds.ts';
import { textures } from './engraving.ts';
import { flatMap } from './flat.ts';
import { planStyle, type Inks } from './plan.ts';
import { signs, type SignInks } from './signs.ts';

const MIN_ZOOM = 8;
const MAX_ZOOM = 20;
const CLOSE_ZOOM = 16.5;
const PAN_PX = 120;
const HIT_PX = 7;
const PADDING_PX = 40;
const MOVE_MS = 300;
/** How far the base map steps back behind what is drawn on it. */
const QUIET = 0.45;

const SERIES = ['series-1', 'series-2', 'series-3', 'series-4', 'series-5', 'series-6'] as const;

export type SheetInks = Inks & SignInks;

/**
 * What lies on the plan. Layers are of a group, which is shown or not; hits: what can be picked, the first before others,
 * and from how far; isAlone: whether so little lies there that the base map need not step back.
 */
export interface Sheet {
  sources: readonly string[];
  layers: (inks: SheetInks) => (LayerSpecification & { metadata?: { group: string } })[];
  hits: readonly string[];
  hit_px?: number;
  isAlone?: boolean;
}

export interface SheetEvents {
  /** What lies there, or nothing. */
  picked(found: { source: string; properties: Record<string, unknown> } | null, at: { lon: number; lat: number }): void;
  moved(view: { zoom: number; lat: number }): void;
  /** All that there is to draw is drawn, for the first time. */
  drawn(): void;
  failed(): void;
}

const NOTHING: Shapes = { type: 'FeatureCollection', features: [] };

/** MapLibre's type of a feature's properties is wider than any interface. */
function geojson(shapes: Shapes | null | undefined): FeatureCollection {
  return (shapes ?? NOTHING) as FeatureCollection;
}

function inks(): SheetInks {
  const tokens = ['paper', 'ink', 'muted', 'line', 'edge', 'fibre', 'vermilion', ...SERIES] as const;
  return Object.fromEntries(tokens.map((token) => [token, inkOf(token)])) as unknown as SheetInks;
}

export class SheetMap {
  readonly #map: MapLibreMap;
  readonly #facts: CityFacts;
  readonly #sheet: Sheet;
  readonly #shapes = new Map<string, Shapes>();
  #hidden: ReadonlySet<string> = new Set();
  #styled = false;

  /** Throws where the browser has no WebGL 2. */
  constructor(container: HTMLElement, facts: CityFacts, sheet: Sheet, events: SheetEvents) {
    this.#facts = facts;
    this.#sheet = sheet;
    this.#map = flatMap({ container, bounds: facts.bounds, style: this.#style(), minZoom: MIN_ZOOM, maxZoom: MAX_ZOOM });
    this.#map.on('style.load', () => this.#dress());
    this.#map.on('click', ({ point: { x, y }, lngLat: { lng, lat } }) => {
      const hit = this.#hit(x, y);
      events.picked(hit ? { source: hit.source, properties: hit.properties } : null, { lon: lng, lat });
    });
    this.#map.on('mousemove', ({ point: { x, y } }) => {
      this.#map.getCanvas().style.cursor = this.#hit(x, y) ? 'pointer' : '';
    });
    this.#map.on('move', () => events.moved({ zoom: this.#map.getZoom(), lat: this.#map.getCenter().lat }));
    this.#map.once('idle', () => {
      events.moved({ zoom: this.#map.getZoom(), lat: this.#map.getCenter().lat });
      events.drawn();
    });
    this.#map.on('error', () => events.failed());
  }

  /** The base map, its houses and walls a little paler than where nothing lies on it. */
  #style(): ReturnType<typeof planStyle> {
    const style = planStyle(this.#facts.basemap, this.#facts.center[1], inks());
    for (const layer of this.#sheet.isAlone ? [] : style.layers) {
      if (layer.type === 'fill' && (layer.id === 'houses' || layer.id === 'green')) layer.paint = { ...layer.paint, 'fill-opacity': QUIET };
      if (layer.type === 'line' && (layer.id === 'walls' || layer.id === 'kerbs')) layer.paint = { ...layer.paint, 'line-opacity': QUIET };
    }
    return style;
  }

  #hit(x: number, y: number): MapGeoJSONFeature | null {
    if (!this.#styled) return null;
    const layers = this.#sheet.hits.filter((id) => this.#map.getLayer(id));
    const { hit_px = HIT_PX } = this.#sheet;
    const found = this.#map.queryRenderedFeatures([[x - hit_px, y - hit_px], [x + hit_px, y + hit_px]], { layers });
    return layers.map((id) => found.find(({ layer }) => layer.id === id)).find((hit) => hit !== undefined) ?? null;
  }

  #dress(): void {
    const drawn = inks();
    for (const { name, image, pixelRatio } of [...textures(drawn), ...signs(drawn)]) this.#map.addImage(name, image, { pixelRatio });
    for (const source of this.#sheet.sources) this.#map.addSource(source, { type: 'geojson', data: geojson(this.#shapes.get(source)) });
    for (const layer of this.#sheet.layers(drawn)) this.#map.addLayer(layer);
    this.#styled = true;
    this.hide(this.#hidden);
  }

  show(source: string, shapes: Shapes | null): void {
    if (this.#shapes.get(source) === (shapes ?? NOTHING)) return;
    this.#shapes.set(source, shapes ?? NOTHING);
    if (this.#styled) this.#map.getSource<GeoJSONSource>(source)?.setData(geojson(shapes));
  }

  /** Hides these groups, and shows all others. */
  hide(groups: ReadonlySet<string>): void {
    this.#hidden = groups;
    if (!this.#styled) return;
    for (const { id, metadata } of this.#sheet.layers(inks())) {
      if (metadata) this.#map.setLayoutProperty(id, 'visibility', groups.has(metadata.group) ? 'none' : 'visible');
    }
  }

  /** Fills the plate. */
  fit(bounds: Bounds | null, maxZoom = MAX_ZOOM): void {
    this.#map.fitBounds(bounds ?? this.#facts.bounds, { padding: PADDING_PX, maxZoom, animate: false });
  }

  /** Brings what was picked into sight, if it is not. */
  reveal(bounds: Bounds): void {
    const seen = this.#map.getBounds();
    if (seen.contains([bounds[0], bounds[1]]) && seen.contains([bounds[2], bounds[3]])) return;
    this.#map.fitBounds(bounds, { padding: PADDING_PX, maxZoom: Math.max(CLOSE_ZOOM, this.#map.getZoom()), duration: MOVE_MS });
  }

  /** What is in sight. */
  box(): Bounds {
    const seen = this.#map.getBounds();
    return [seen.getWest(), seen.getSouth(), seen.getEast(), seen.getNorth()];
  }

  /** Where a place is on the plate, in pixels. */
  at(lon: number, lat: number): { x: number; y: number } {
    return this.#map.project([lon, lat]);
  }

  repaint(): void {
    this.#styled = false;
    this.#map.setStyle(this.#style(), { diff: false });
  }

  zoom(by: number): void {
    this.#map.zoomTo(this.#map.getZoom() + by, { duration: MOVE_MS });
  }

  pan(east: number, south: number): void {
    this.#map.panBy([east * PAN_PX, south * PAN_PX], { duration: MOVE_MS });
  }

  remove(): void {
    this.#map.remove();
  }
}
