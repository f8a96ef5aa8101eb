/** Entities as rows, and what is known of attributes from what they say. */
import type { Format } from '../words/format.ts';
import type { Sort } from './condition.ts';
import type { AttributeAnswer, EntityAnswer } from '../server/answers.ngsild.ts';

/** One attribute's value as it is told. */
export interface Told {
  name: string;
  text: string;
  number: number | null;
  unit: string;
  observed_ms: number | null;
  /** What a relationship leads to. */
  link: string | null;
}

export interface Row {
  id: string;
  type: string;
  title: string;
  values: Map<string, Told>;
  lon: number | null;
  lat: number | null;
}

const HEAD = new Set(['id', 'type', 'scope', 'createdAt', 'modifiedAt', '@context']);
const MOMENT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/;
const MAX_TEXT = 200;

/** The default instance of an attribute, else its first. */
export function instanceOf(value: unknown): AttributeAnswer | null {
  const all = (Array.isArray(value) ? value : [value]) as AttributeAnswer[];
  return all.find((one) => one?.datasetId === undefined) ?? all[0] ?? null;
}

export function attributesOf(entity: EntityAnswer): [string, AttributeAnswer][] {
  return Object.entries(entity).flatMap(([name, value]): [string, AttributeAnswer][] => {
    const instance = HEAD.has(name) ? null : instanceOf(value);
    return instance !== null && typeof instance === 'object' ? [[name, instance]] : [];
  });
}

function saidOf(attribute: AttributeAnswer): unknown {
  return attribute.value ?? attribute.object ?? attribute.languageMap ?? attribute.vocab ?? attribute.json ?? attribute.valueList ?? attribute.objectList;
}

export function sortOf(attribute: AttributeAnswer): Sort {
  const kinds: Record<string, Sort> = { GeoProperty: 'place', Relationship: 'link', ListRelationship: 'link', LanguageProperty: 'texts', VocabProperty: 'text', JsonProperty: 'other' };
  const known = kinds[attribute.type];
  if (known !== undefined) return known;
  const said = saidOf(attribute);
  if (typeof said === 'number') return 'number';
  if (typeof said === 'boolean') return 'flag';
  if (typeof said === 'string') return MOMENT.test(said) ? 'time' : 'text';
  return 'other';
}

/** A point as its degrees, and an object of plain values, such as an address, as those; null for what is deeper. */
function flatOf(said: unknown): string | null {
  if (said === null || typeof said !== 'object') return null;
  const { type, coordinates } = said as { type?: unknown; coordinates?: unknown };
  if (type === 'Point' && Array.isArray(coordinates)) return coordinates.join(', ');
  const values = Object.values(said);
  return values.length > 0 && values.every((value) => typeof value === 'string' || typeof value === 'number') ? values.join(', ') : null;
}

function textOf(said: unknown, attribute: AttributeAnswer, units: Units, format: Format): string {
  if (typeof said === 'number') return format.quantity(said, unitOf(attribute, units));
  if (typeof said === 'string') return MOMENT.test(said) && !Number.isNaN(Date.parse(said)) ? format.moment(Date.parse(said), false) : said;
  const texts = attribute.languageMap as Record<string, unknown> | undefined;
  const chosen = texts ? (texts['@none'] ?? texts.en ?? Object.values(texts)[0]) : undefined;
  if (typeof chosen === 'string') return chosen;
  const flat = flatOf(said);
  if (flat !== null) return flat;
  const json = JSON.stringify(said) ?? '';
  return json.length > MAX_TEXT ? `${json.slice(0, MAX_TEXT)}…` : json;
}

/** Symbols by the code of a unit. */
export type Units = Record<string, string>;

function unitOf({ unitCode }: AttributeAnswer, units: Units): string {
  return unitCode === undefined ? '' : (units[unitCode] ?? unitCode);
}

export function toldOf(name: string, attribute: AttributeAnswer, units: Units, format: Format): Told {
  const said = saidOf(attribute);
  return {
    name,
    text: textOf(said, attribute, units, format),
    number: typeof said === 'number' ? said : null,
    unit: unitOf(attribute, units),
    observed_ms: attribute.observedAt === undefined ? null : Date.parse(attribute.observedAt),
    link: attribute.type === 'Relationship' && typeof said === 'string' ? said : null,
  };
}

/** Every position of a geometry. */
function positions(coordinates: unknown): [number, number][] {
  if (!Array.isArray(coordinates)) return [];
  if (typeof coordinates[0] === 'number') return [[coordinates[0], coordinates[1] as number]];
  return coordinates.flatMap(positions);
}

/** The middle of a geometry's bounds. */
function middle(value: unknown): [number, number] | null {
  const all = positions((value as { coordinates?: unknown } | null)?.coordinates);
  if (all.length === 0) return null;
  const [lons, lats] = [all.map(([lon]) => lon), all.map(([, lat]) => lat)];
  return [(Math.min(...lons) + Math.max(...lons)) / 2, (Math.min(...lats) + Math.max(...lats)) / 2];
}

export function rowOf(entity: EntityAnswer, units: Units, format: Format): Row {
  const attributes = attributesOf(entity);
  const places = attributes.filter(([, { type }]) => type === 'GeoProperty');
  const place = places.find(([name]) => name === 'location') ?? places[0];
  const point = middle(place?.[1].value);
  const values = new Map(attributes.map(([name, attribute]) => [name, toldOf(name, attribute, units, format)]));
  return {
    id: entity.id ?? '',
    type: Array.isArray(entity.type) ? entity.type.join(', ') : (entity.type ?? ''),
    title: values.get('name')?.text || (entity.id ?? '').split(':').at(-1) || '',
    values,
    lon: point?.[0] ?? null,
    lat: point?.[1] ?? null,
  };
}

/** Names of attributes in the order in which a table shows them: those that most of the rows have come first. */
export function columnsOf(rows: readonly Row[]): string[] {
  const counts = new Map<string, number>();
  for (const { values } of rows) for (const name of values.keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  counts.delete('name');
  counts.delete('location');
  return [...counts].sort(([, a], [, b]) => b - a).map(([name]) => name);
}
