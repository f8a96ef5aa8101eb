/**
 * The map itself: MapLibre with our plan below and our stacks above, always north up, as a plan on a table lies. This
 * module, and MapLibre with it, is fetched only when a map is first shown.
 */
import type { Map as MapLibreMap, MapMouseEvent } from 'maplibre-gl';
import { NEWEST, type Sensor } from '../city/sensor.ts';
import type { CityFacts } from '../server/answers.ts';
import { channels, inkOf, reducedMotion } from '../theme.svelte.ts';
import { covers, levelOfZoom, stackScale, type Block } from './blocks.ts';
import { textures } from './engraving.ts';
import { flatMap } from './flat.ts';
import { drawLabels, type LabelInks, type LabelWords } from './labels.ts';
import { mercatorX, mercatorY, worldSize } from './mercator.ts';
import { planStyle, type Inks } from './plan.ts';
import { StacksLayer, type StackInks } from './stacks.ts';

const MIN_ZOOM = 10;
const MAX_ZOOM = 20;
const MOVE_MS = 300;
const PAN_PX = 120;
/** Zooming on a block goes on until it parts, but not beyond. */
const PART_ZOOM = 19;
/** A sensor nearer than this to the window's edge is brought to its middle. */
const EDGE_PX = 48;
/** What is fitted into the plate keeps room for its stacks, and for the tools beside them. */
const STACK_PADDING = { top: 64, right: 72, bottom: 32, left: 48 };
/** Few sensors are not come nearer to than this. */
const FIT_ZOOM = 16.5;

export interface View {
  lon: number;
  lat: number;
  zoom: number;
}

export interface MapEvents {
  moved(view: View): void;
  /** The place of the marked sensor, or of its block, may have changed. */
  drawn(): void;
  hovered(block: Block | null): void;
  picked(block: Block | null, at: { lon: number; lat: number }): void;
  failed(message: string): void;
}

/** The first view: the city fills the plate, so that its streets can be read; what is cut off is a pan away. */
function filling({ bounds: [west, south, east, north], center: [lon, lat] }: CityFacts, { clientWidth, clientHeight }: HTMLElement): View {
  const across = mercatorX(east) - mercatorX(west);
  const down = mercatorY(south) - mercatorY(north);
  const world = Math.max(clientWidth / across, clientHeight / down);
  return { lon, lat, zoom: Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, Math.log2(world / worldSize(0)))) };
}

/** The south-western and the north-eastern corner around sensors. */
function boundsOf(sensors: readonly Sensor[]): [[number, number], [number, number]] | null {
  if (sensors.length === 0) return null;
  const low: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const high: [number, number] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { lon, lat } of sensors) {
    low[0] = Math.min(low[0], lon);
    low[1] = Math.min(low[1], lat);
    high[0] = Math.max(high[0], lon);
    high[1] = Math.max(high[1], lat);
  }
  return [low, high];
}

function inks(): Inks & LabelInks {
  return { paper: inkOf('paper'), ink: inkOf('ink'), muted: inkOf('muted'), line: inkOf('line'), edge: inkOf('edge'), own: inkOf('fibre') };
}

function stackInks(): StackInks {
  return {
    ink: channels(inkOf('ink')),
    paper: channels(inkOf('paper')),
    edge: channels(inkOf('edge')),
    vermilion: channels(inkOf('vermilion')),
  };
}

export class CityMap {
  readonly #map: MapLibreMap;
  readonly #layer: StacksLayer;
  readonly #labels: HTMLCanvasElement;
  readonly #facts: CityFacts;
  readonly #words: LabelWords;
  #inks = inks();
  #hour = NEWEST;
  #styled = false;
  /** The theme turned before the style was there. */
  #turned = false;

  /** Throws where the browser has no WebGL 2. */
  constructor(container: HTMLElement, labels: HTMLCanvasElement, facts: CityFacts, view: View | null, words: LabelWords, events: MapEvents) {
    this.#labels = labels;
    this.#facts = facts;
    this.#words = words;
    const { lon, lat, zoom } = view ?? filling(facts, container);
    this.#map = flatMap({
      container,
      center: [lon, lat],
      zoom,
      style: planStyle(facts.basemap, facts.center[1], this.#inks),
      minZoom: MIN_ZOOM,
      maxZoom: MAX_ZOOM,
    });
    this.#layer = new StacksLayer(facts.center, stackInks(), reducedMotion);
    this.#listen(events);
  }

  #listen(events: MapEvents): void {
    const map = this.#map;
    map.on('style.load', () => {
      for (const { name, image, pixelRatio } of textures(this.#inks)) map.addImage(name, image, { pixelRatio });
      map.addLayer(this.#layer);
      this.#styled = true;
      if (this.#turned) this.repaint();
    });
    map.on('render', () => {
      drawLabels(this.#labels, map, this.#layer.standing, this.#inks, this.#hour, this.#words);
      events.drawn();
    });
    map.on('moveend', () => events.moved(this.view));
    map.on('mousemove', (event) => {
      const block = this.#hit(event);
      map.getCanvas().style.cursor = block ? 'pointer' : '';
      events.hovered(block);
    });
    map.on('mouseout', () => events.hovered(null));
    map.on('click', (event) => events.picked(this.#hit(event), { lon: event.lngLat.lng, lat: event.lngLat.lat }));
    map.on('error', ({ error }) => events.failed(error.message));
  }

  get view(): View {
    const { lng, lat } = this.#map.getCenter();
    return { lon: lng, lat, zoom: this.#map.getZoom() };
  }

  /** Whether the plan, as far as it is in sight, has been drawn. */
  get isDrawn(): boolean {
    return this.#styled && this.#map.loaded();
  }

  setSensors(sensors: readonly Sensor[]): void {
    this.#layer.blocks.set(sensors);
    this.#layer.rebuild();
    this.#map.triggerRepaint();
  }

  refresh(changed: ReadonlySet<string>): void {
    this.#layer.refresh(changed);
  }

  setHour(hour: number): void {
    this.#hour = hour;
    this.#layer.setHour(hour);
    this.#map.triggerRepaint();
  }

  /** The theme turned: the same plan in other inks. */
  repaint(): void {
    this.#inks = inks();
    this.#layer.setInks(stackInks());
    this.#turned = !this.#styled;
    if (this.#turned) return;
    for (const layer of planStyle(this.#facts.basemap, this.#facts.center[1], this.#inks).layers) {
      for (const [name, value] of Object.entries(layer.paint ?? {})) {
        this.#map.setPaintProperty(layer.id, name as Parameters<MapLibreMap['setPaintProperty']>[1], value);
      }
    }
    for (const { name, image } of textures(this.#inks)) if (this.#map.hasImage(name)) this.#map.updateImage(name, image);
    this.#map.triggerRepaint();
  }

  /** Where a sensor is drawn, in pixels of the map: with its block, where it has been merged. */
  place(sensor: Sensor): { x: number; y: number; members: readonly Sensor[] } {
    const block = this.#layer.standing.find(({ members }) => members.includes(sensor));
    const { x, y } = this.#pixels(block?.x ?? mercatorX(sensor.lon), block?.y ?? mercatorY(sensor.lat));
    return { x, y, members: block?.members ?? [sensor] };
  }

  /** What the words over the map say has changed. */
  redraw(): void {
    this.#map.triggerRepaint();
  }

  zoom(by: number): void {
    this.#map.zoomTo(this.#map.getZoom() + by, { duration: this.#duration() });
  }

  pan(east: number, south: number): void {
    this.#map.panBy([east * PAN_PX, south * PAN_PX], { duration: this.#duration() });
  }

  whole(): void {
    this.#map.fitBounds(this.#facts.bounds, { padding: STACK_PADDING, duration: this.#duration() });
  }

  /** Brings a sensor into sight, moving only where it is out of it. */
  reveal(sensor: Sensor): void {
    const { x, y } = this.#pixels(mercatorX(sensor.lon), mercatorY(sensor.lat));
    const { clientWidth, clientHeight } = this.#map.getContainer();
    if (x > EDGE_PX && y > EDGE_PX && x < clientWidth - EDGE_PX && y < clientHeight - EDGE_PX) return;
    this.#map.easeTo({ center: [sensor.lon, sensor.lat], duration: this.#duration() });
  }

  fly(lon: number, lat: number, zoom: number): void {
    const to = { center: [lon, lat] as [number, number], zoom: Math.max(zoom, this.#map.getZoom()) };
    if (reducedMotion()) this.#map.jumpTo(to);
    else this.#map.flyTo({ ...to, duration: 4 * MOVE_MS });
  }

  /** Fills the plate with some sensors: with those of this city, where some are, else with all. */
  fit(sensors: readonly Sensor[]): void {
    const [west, south, east, north] = this.#facts.bounds;
    const here = sensors.filter(({ lon, lat }) => lon >= west && lon <= east && lat >= south && lat <= north);
    const bounds = boundsOf(here.length > 0 ? here : sensors);
    if (bounds) this.#map.fitBounds(bounds, { padding: STACK_PADDING, maxZoom: FIT_ZOOM, duration: this.#duration() });
  }

  /** Moves so close to a block that its members part and fill the plate. Returns false where they stand at one place and never will. */
  part(block: Block): boolean {
    const level = levelOfZoom(this.#map.getZoom());
    const [first] = block.members;
    const bounds = boundsOf(block.members);
    if (!first || !bounds || level >= PART_ZOOM) return false;
    const isWhole = (at: number): boolean => this.#layer.blocks.at(at).some(({ members }) => members.length === block.members.length && members.includes(first));
    if (isWhole(PART_ZOOM)) return false;
    let wanted = level + 0.5;
    while (wanted < PART_ZOOM && isWhole(wanted)) wanted += 0.5;
    const fitted = this.#map.cameraForBounds(bounds, { padding: STACK_PADDING, maxZoom: PART_ZOOM });
    this.#map.easeTo({ center: fitted?.center ?? bounds[0], zoom: Math.max(wanted, fitted?.zoom ?? 0), duration: this.#duration() });
    return true;
  }

  /** Where a place lies, in pixels of the map. */
  locate(lon: number, lat: number): { x: number; y: number } {
    return this.#pixels(mercatorX(lon), mercatorY(lat));
  }

  resize(): void {
    this.#map.resize();
  }

  remove(): void {
    this.#map.remove();
  }

  #duration(): number {
    return reducedMotion() ? 0 : MOVE_MS;
  }

  #pixels(x: number, y: number): { x: number; y: number } {
    const world = worldSize(this.#map.getZoom());
    const { lng, lat } = this.#map.getCenter();
    const { clientWidth, clientHeight } = this.#map.getContainer();
    return { x: (x - mercatorX(lng)) * world + clientWidth / 2, y: (y - mercatorY(lat)) * world + clientHeight / 2 };
  }

  /** The topmost block under the pointer: what stands further south is drawn above. */
  #hit({ point }: MapMouseEvent): Block | null {
    const scale = stackScale(this.#map.getZoom());
    return (
      this.#layer.standing.findLast((block) => {
        const at = this.#pixels(block.x, block.y);
        return covers(block, point.x - at.x, point.y - at.y, scale);
      }) ?? null
    );
  }
}
