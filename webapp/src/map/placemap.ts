/**
 * The plan with a mark for each place: the same paper as the city's own map, and nothing on it that lives. Fetched only when it is shown.
 */
import type { Feature, FeatureCollection, Point } from 'geojson';
import type { GeoJSONSource, Map as MapLibreMap } from 'maplibre-gl';
import type { CityFacts } from '../server/answers.ts';
import { inkOf } from '../theme.svelte.ts';
import { textures } from './engraving.ts';
import { flatMap } from './flat.ts';
import { planStyle, type Inks } from './plan.ts';

const SOURCE = 'places';
const MIN_ZOOM = 8;
const MAX_ZOOM = 19;
const CLOSE_ZOOM = 15;
const PAN_PX = 120;
const HIT_PX = 12;
const PADDING_PX = 48;
const MOVE_MS = 300;

/** What has a mark: its place, where it is known. */
export interface Marked {
  id: string;
  lon: number | null;
  lat: number | null;
}

export interface PlaceMapEvents {
  picked(id: string | null): void;
  /** All that there is to draw is drawn, for the first time. */
  drawn(): void;
  failed(): void;
}

function inks(): Inks {
  return { paper: inkOf('paper'), ink: inkOf('ink'), muted: inkOf('muted'), line: inkOf('line'), edge: inkOf('edge') };
}

function collection(places: readonly Marked[], chosen: string | null): FeatureCollection<Point> {
  const features = places.flatMap(({ id, lon, lat }): Feature<Point>[] =>
    lon === null || lat === null ? [] : [{ type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: { id, chosen: id === chosen } }],
  );
  return { type: 'FeatureCollection', features };
}

export class PlaceMap {
  readonly #map: MapLibreMap;
  readonly #facts: CityFacts;
  #places: readonly Marked[] = [];
  #chosen: string | null = null;

  /** Throws where the browser has no WebGL 2. */
  constructor(container: HTMLElement, facts: CityFacts, events: PlaceMapEvents) {
    this.#facts = facts;
    this.#map = flatMap({
      container,
      bounds: facts.bounds,
      style: planStyle(facts.basemap, facts.center[1], inks()),
      minZoom: MIN_ZOOM,
      maxZoom: MAX_ZOOM,
    });
    this.#map.on('style.load', () => this.#dress());
    this.#map.on('click', ({ point: { x, y } }) => {
      const [hit] = this.#map.queryRenderedFeatures([[x - HIT_PX, y - HIT_PX], [x + HIT_PX, y + HIT_PX]], { layers: [SOURCE] });
      events.picked(hit ? String(hit.properties.id) : null);
    });
    this.#map.once('idle', () => events.drawn());
    this.#map.on('error', () => events.failed());
  }

  #dress(): void {
    const drawn = inks();
    for (const { name, image, pixelRatio } of textures(drawn)) this.#map.addImage(name, image, { pixelRatio });
    this.#map.addSource(SOURCE, { type: 'geojson', data: collection(this.#places, this.#chosen) });
    this.#map.addLayer({
      id: SOURCE,
      type: 'circle',
      source: SOURCE,
      paint: {
        'circle-radius': ['case', ['get', 'chosen'], 9, 6],
        'circle-color': ['case', ['get', 'chosen'], inkOf('fibre'), drawn.ink],
        'circle-stroke-color': drawn.paper,
        'circle-stroke-width': 2,
      },
    });
  }

  show(places: readonly Marked[], chosen: string | null): void {
    this.#places = places;
    this.#chosen = chosen;
    this.#map.getSource<GeoJSONSource>(SOURCE)?.setData(collection(places, chosen));
  }

  /** Brings a place into sight, if it is not. */
  reveal({ lon, lat }: Marked): void {
    if (lon === null || lat === null || this.#map.getBounds().contains([lon, lat])) return;
    this.#map.easeTo({ center: [lon, lat], zoom: Math.max(this.#map.getZoom(), CLOSE_ZOOM), duration: MOVE_MS });
  }

  /** Fills the plate with places. */
  fit(places: readonly Marked[]): void {
    const points = collection(places, null).features.map(({ geometry }) => geometry.coordinates);
    const [lons, lats] = [points.map(([lon = 0]) => lon), points.map(([, lat = 0]) => lat)];
    if (points.length === 0) return;
    const corners: [[number, number], [number, number]] = [[Math.min(...lons), Math.min(...lats)], [Math.max(...lons), Math.max(...lats)]];
    this.#map.fitBounds(corners, { padding: PADDING_PX, maxZoom: CLOSE_ZOOM, animate: false });
  }

  /** What is in sight: west, south, east, north. */
  box(): [number, number, number, number] {
    const bounds = this.#map.getBounds();
    return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
  }

  repaint(): void {
    this.#map.setStyle(planStyle(this.#facts.basemap, this.#facts.center[1], inks()), { diff: false });
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
