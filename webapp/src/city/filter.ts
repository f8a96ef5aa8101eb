/** Which sensors are shown, and in which order. The same filter holds for the map, the table and what is exported. */
import type { SensorState } from '../server/answers.ts';
import { withQuery } from '../server/ask.ts';
import type { Reading, Sensor } from './sensor.ts';
import { mainValue } from './sensor.ts';

/** A state; or what should be heard and is not; or what is over a limit. The server knows the same names. */
export type Standing = SensorState | 'missing' | 'beyond';

export interface CityFilter {
  /** Names of types; none means all. */
  types: ReadonlySet<string>;
  standing: Standing | null;
  street: string | null;
}

/** A new question, as a change of the URL: nothing of an earlier one holds on. */
export const AFRESH = { sel: null, type: null, state: null, street: null, hour: null, sort: null, view: null } as const;

export type SortKey = 'title' | 'type' | 'value' | 'heard';

export interface Order {
  key: SortKey;
  down: boolean;
}

const STANDINGS: ReadonlySet<string> = new Set(['live', 'silent', 'never', 'missing', 'imported', 'beyond']);
const SORT_KEYS: ReadonlySet<string> = new Set(['title', 'type', 'value', 'heard']);

export function filterOf(query: URLSearchParams): CityFilter {
  const standing = query.get('state') ?? '';
  return {
    types: new Set((query.get('type') ?? '').split(',').filter(Boolean)),
    standing: STANDINGS.has(standing) ? (standing as Standing) : null,
    street: query.get('street') || null,
  };
}

/** `heard` sorts upwards, `-heard` downwards. */
export function orderOf(query: URLSearchParams): Order {
  const text = query.get('sort') ?? '';
  const key = text.replace(/^-/, '');
  return SORT_KEYS.has(key) ? { key: key as SortKey, down: text.startsWith('-') } : { key: 'title', down: false };
}

export function orderText(order: Order): string {
  return (order.down ? '-' : '') + order.key;
}

export function isFiltered(filter: CityFilter): boolean {
  return filter.types.size > 0 || filter.standing !== null || filter.street !== null;
}

/** Whether it should be heard and is not. */
export function isMissing({ state, disabled_at }: Sensor): boolean {
  return disabled_at === null && (state === 'silent' || state === 'never');
}

/** Two filters with one key show the same. */
export function filterKey({ types, standing, street }: CityFilter): string {
  return JSON.stringify([[...types].sort(), standing, street]);
}

/** The question to the server that is answered with the same sensors. */
export function filterPath({ types, standing, street }: CityFilter): string {
  return withQuery('/portal/api/city', { type: [...types].join(',') || null, state: standing, street });
}

export function matches(sensor: Sensor, filter: CityFilter): boolean {
  if (filter.types.size > 0 && !filter.types.has(sensor.type)) return false;
  if (filter.street !== null && sensor.street !== filter.street) return false;
  if (filter.standing === 'beyond') return sensor.beyond && sensor.state === 'live';
  if (filter.standing === 'missing') return isMissing(sensor);
  return filter.standing === null || sensor.state === filter.standing;
}

type Comparable = number | string | null;

function comparable(sensor: Sensor, key: SortKey, readings: Map<string, Reading>): Comparable {
  if (key === 'heard') return sensor.heard_ms;
  if (key === 'type') return readings.get(sensor.type)?.type.label ?? sensor.type;
  if (key === 'title') return sensor.title;
  const value = mainValue(sensor, readings.get(sensor.type))?.value;
  return typeof value === 'number' ? value : typeof value === 'boolean' ? Number(value) : null;
}

/** Sorted afresh; what has no value stands last either way, titles break ties. */
export function sorted(sensors: Sensor[], order: Order, readings: Map<string, Reading>, collator: Intl.Collator): Sensor[] {
  const keyed = sensors.map((sensor) => ({ sensor, by: comparable(sensor, order.key, readings) }));
  const sign = order.down ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.by === null || b.by === null) {
      if (a.by !== b.by) return a.by === null ? 1 : -1;
    } else {
      const by = typeof a.by === 'string' ? collator.compare(a.by, String(b.by)) : a.by - Number(b.by);
      if (by !== 0) return sign * by;
    }
    return collator.compare(a.sensor.title, b.sensor.title);
  });
  return keyed.map(({ sensor }) => sensor);
}
