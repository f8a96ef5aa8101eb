/**
 * A query as the form has it, and as the address has it: the address of the page holds the same parameters as that of
 * NGSI-LD which it asks, so that either can be handed on.
 */
import { queryOf, rowsOf, type Condition, type Sort } from './condition.ts';

export const PATH = '/ngsi-ld/v1/entities';
export const FORMS = ['normalized', 'concise', 'simplified', 'geojson'] as const;
export type Form = (typeof FORMS)[number];
export const GEO_JSON = 'application/geo+json';
export const DEFAULT_LIMIT = 20;
export type Where = 'any' | 'near' | 'box';
export type Parameters = Record<string, string>;

export interface Draft {
  type: string;
  ids: string;
  rows: Condition[];
  /** The conditions as a text, where they are written as one. */
  text: string | null;
  where: Where;
  lon: string;
  lat: string;
  metres: string;
  /** west, south, east, north */
  box: [string, string, string, string];
  scope: string;
  pick: string[];
  order: string;
  falls: boolean;
  form: Form;
  limit: string;
  counts: boolean;
  /** What the address says beside, such as another georel: asked as it stands. */
  more: Parameters;
}

/** Parameters that the form has a place for. */
const OWN = new Set(['type', 'id', 'q', 'scopeQ', 'pick', 'orderBy', 'format', 'limit', 'offset', 'count']);
const PLACE = ['georel', 'geometry', 'coordinates'];
/** Parameters of NGSI-LD that an address may bring, and the form has no place for. */
const PASSED = new Set(['idPattern', 'attrs', 'omit', 'geoproperty', 'lang', 'datasetId', 'join', 'joinLevel', 'orderFrom', 'local', ...PLACE]);
/** Parameters that choose entities. */
const SELECTING = ['type', 'id', 'idPattern', 'q', 'scopeQ', 'georel', 'attrs'];
export type Part = 'type' | 'ids' | 'q' | 'place' | 'scope' | 'pick' | 'order' | 'limit';
const PARTS: [Part, string[]][] = [
  ['type', ['type']],
  ['ids', ['id', 'idPattern']],
  ['q', ['q']],
  ['place', [...PLACE, 'geoQ', 'geoproperty']],
  ['scope', ['scopeQ', 'scope']],
  ['pick', ['pick', 'attrs', 'omit']],
  ['order', ['orderBy', 'orderFrom']],
  ['limit', ['limit', 'offset']],
];
const NEAR = /^near;maxDistance==(\d+(?:\.\d+)?)$/;

function numbersOf(text: string): number[] | null {
  try {
    const said: unknown = JSON.parse(text);
    const flat = Array.isArray(said) ? (said.flat(3) as unknown[]) : [];
    return flat.length > 0 && flat.every((one) => typeof one === 'number') ? flat : null;
  } catch {
    return null;
  }
}

/** A polygon of four corners, as the form makes one: west, south, east, north. */
function boxOf(numbers: number[]): [string, string, string, string] | null {
  const [w, s, e, s2, e2, n, w2, n2, w3, s3] = numbers;
  const isBox = numbers.length === 10 && w === w2 && w === w3 && s === s2 && s === s3 && e === e2 && n === n2;
  return isBox ? [String(w), String(s), String(e), String(n)] : null;
}

function placeOf(query: URLSearchParams): Pick<Draft, 'where' | 'lon' | 'lat' | 'metres' | 'box'> | null {
  const [georel = '', geometry, coordinates = ''] = PLACE.map((name) => query.get(name) ?? undefined);
  const numbers = numbersOf(coordinates) ?? [];
  const blank = { lon: '', lat: '', metres: '', box: ['', '', '', ''] as Draft['box'] };
  const metres = NEAR.exec(georel)?.[1];
  if (metres !== undefined && geometry === 'Point' && numbers.length === 2) {
    return { ...blank, where: 'near', lon: String(numbers[0]), lat: String(numbers[1]), metres };
  }
  const box = georel === 'within' && geometry === 'Polygon' ? boxOf(numbers) : null;
  if (box) return { ...blank, where: 'box', box };
  return georel === '' ? { ...blank, where: 'any' } : null;
}

/** The query of an address. */
export function draftOf(query: URLSearchParams): Draft {
  const q = query.get('q') ?? '';
  const rows = rowsOf(q);
  const place = placeOf(query);
  const order = /^([^,;]+)(;desc)?$/.exec(query.get('orderBy') ?? '');
  const form = FORMS.find((one) => one === query.get('format')) ?? 'normalized';
  const more = [...query].filter(([name]) => PASSED.has(name) && !(place && PLACE.includes(name)));
  if (query.has('orderBy') && !order) more.push(['orderBy', query.get('orderBy') ?? '']);
  return {
    type: query.get('type') ?? '',
    ids: query.get('id') ?? '',
    rows: rows ?? [],
    text: rows ? null : q,
    ...(place ?? { where: 'any' as const, lon: '', lat: '', metres: '', box: ['', '', '', ''] as Draft['box'] }),
    scope: query.get('scopeQ') ?? '',
    pick: (query.get('pick') ?? '').split(',').filter((name) => name !== '' && name !== 'id' && name !== 'type'),
    order: order?.[1] ?? '',
    falls: order?.[2] !== undefined,
    form,
    limit: query.get('limit') ?? String(DEFAULT_LIMIT),
    counts: query.get('count') !== 'false',
    more: Object.fromEntries(more),
  };
}

function placeParameters({ where, lon, lat, metres, box }: Draft): Parameters {
  if (where === 'near') return { georel: `near;maxDistance==${metres.trim()}`, geometry: 'Point', coordinates: `[${lon.trim()},${lat.trim()}]` };
  if (where === 'any') return {};
  const [w, s, e, n] = box.map((side) => side.trim());
  return { georel: 'within', geometry: 'Polygon', coordinates: `[[[${w},${s}],[${e},${s}],[${e},${n}],[${w},${n}],[${w},${s}]]]` };
}

/** What NGSI-LD is asked by a draft. */
export function parametersOf(draft: Draft, sortOf: (attribute: string) => Sort): Parameters {
  const given: Parameters = {
    type: draft.type,
    id: draft.ids.split(/[\s,]+/).filter(Boolean).join(','),
    q: draft.text === null ? queryOf(draft.rows, sortOf) : draft.text.trim(),
    scopeQ: draft.scope.trim(),
    ...placeParameters(draft),
    pick: draft.pick.length > 0 ? ['id', 'type', ...draft.pick].join(',') : '',
    orderBy: draft.order === '' ? '' : draft.order + (draft.falls ? ';desc' : ''),
    format: draft.form === 'normalized' || draft.form === 'geojson' ? '' : draft.form,
    limit: draft.limit.trim(),
    count: draft.counts ? 'true' : '',
    ...draft.more,
  };
  return whole(given);
}

/** Parameters that say something; where none of them chooses, that everything is meant, which NGSI-LD wants said. */
function whole(given: Parameters): Parameters {
  const said = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ''));
  return SELECTING.some((name) => name in said) ? said : { ...said, local: 'true' };
}

/** What the page's own address holds of a draft: the same, and what there is said otherwise. */
export function addressOf(draft: Draft, sortOf: (attribute: string) => Sort): Parameters {
  const { local: _, count: __, ...parameters } = parametersOf(draft, sortOf);
  return { ...parameters, ...(draft.form === 'geojson' ? { format: 'geojson' } : {}), ...(draft.counts ? {} : { count: 'false' }) };
}

/** What an address asks, word for word, and in which form; null where it brings no query. */
export function askedOf(query: URLSearchParams): { parameters: Parameters; form: Form } | null {
  const own = [...query].filter(([name]) => OWN.has(name) || PASSED.has(name));
  if (own.length === 0) return null;
  const { format, count, ...said } = Object.fromEntries(own);
  const form = FORMS.find((one) => one === format) ?? 'normalized';
  return { parameters: whole({ limit: String(DEFAULT_LIMIT), ...said, count: count === 'false' ? '' : 'true' }), form };
}

/** Which part of the form a fault is about, by the place that NGSI-LD names. */
export function partOf(where: string | null): Part | null {
  const name = /^\w+/.exec(where ?? '')?.[0] ?? '';
  return PARTS.find(([, names]) => names.includes(name))?.[0] ?? null;
}
