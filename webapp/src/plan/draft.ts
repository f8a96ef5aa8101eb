/** A project as its form holds it, and the inputs that come of it. */
import type { FeatureCollection, Point, Polygon } from 'geojson';
import type { Inputs } from '../server/answers.plan.ts';

/** The extract that comes with the house. */
export const BASE_EXTRACT = 'central-helsinki.osm.pbf';
const DIGITS = 6;
const LEAST_CORNERS = 3;
/** How many places are weighed where no office is given. */
const CANDIDATES = 12;
/** A query that whatever stands somewhere fits. */
const PLACED = 'location';

export type Corner = readonly [lon: number, lat: number];

export interface Draft {
  name: string;
  /** Where streets are from: the house's extract, or a file. */
  extract: File | null;
  corners: readonly Corner[];
  office: Corner | null;
  officeLabel: string;
  addresses: boolean;
  houses: boolean;
  demand: File | null;
  /** A layer of sites that must not fail. */
  critical: File | null;
  /** Types of the city's entities that are sites to reach, and which of them must not fail. */
  entities: string;
  entitiesAreCritical: boolean;
  catalogue: File | null;
}

export function emptyDraft(): Draft {
  return { name: '', extract: null, corners: [], office: null, officeLabel: '', addresses: true, houses: true, demand: null, critical: null, entities: '', entitiesAreCritical: false, catalogue: null };
}

const rounded = ([lon, lat]: Corner): [number, number] => [Number(lon.toFixed(DIGITS)), Number(lat.toFixed(DIGITS))];

/** The area that is drawn; null while it has too few corners. */
export function areaOf(corners: readonly Corner[]): Polygon | null {
  const [first] = corners;
  return first && corners.length >= LEAST_CORNERS ? { type: 'Polygon', coordinates: [[...corners, first].map(rounded)] } : null;
}

export function cornersOf([west, south, east, north]: readonly [number, number, number, number]): Corner[] {
  return [[west, south], [east, south], [east, north], [west, north]];
}

/** A file's name as a source may be called: letters, digits, dots, hyphens. */
export function sourceName(file: { name: string }): string {
  return file.name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replace(/^[.-]+/, '') || 'file';
}

export function inputsOf(draft: Draft): Inputs {
  const area = areaOf(draft.corners);
  const { office } = draft;
  return {
    extract: draft.extract ? sourceName(draft.extract) : BASE_EXTRACT,
    addresses: draft.addresses,
    houses: draft.houses,
    ...(area ? { area } : {}),
    ...(office ? { offices: [{ id: 'office', label: draft.officeLabel.trim() || 'Central office', lon: rounded(office)[0], lat: rounded(office)[1] }] } : { office_candidates: CANDIDATES }),
    ...(draft.demand ? { demand: [{ file: sourceName(draft.demand) }] } : {}),
    ...(draft.critical ? { site_layers: [{ file: sourceName(draft.critical), columns: { all_critical: true } }] } : {}),
    ...(draft.catalogue ? { catalogue: sourceName(draft.catalogue) } : {}),
  };
}

/** The files that go with it. */
export function filesOf({ extract, demand, critical, catalogue }: Draft): File[] {
  return [extract, demand, critical, catalogue].filter((file) => file !== null);
}

/** The city's entities that are sites to reach; none where no type is named. */
export function registryOf({ entities, entitiesAreCritical }: Draft): { type: string; critical?: string } | null {
  const type = entities
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .join(',');
  return type ? { type, ...(entitiesAreCritical ? { critical: PLACED } : {}) } : null;
}

type Points = FeatureCollection<Point, { kind?: string }>;

export function pointsOf(corners: readonly Corner[], kind?: string): Points {
  return { type: 'FeatureCollection', features: corners.map(([lon, lat]) => ({ type: 'Feature', geometry: { type: 'Point', coordinates: [lon, lat] }, properties: kind ? { kind } : {} })) };
}
