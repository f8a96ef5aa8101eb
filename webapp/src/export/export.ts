/** The address of an export, as `/v1/export` takes it: it can be handed on, and runs with its opener's rights. */
import { instant, type Range } from '../parts/range.ts';

/** A street names all its sensors; single ones are named one by one, up to a bound. */
export const MAX_NAMED = 60;
export const FORMATS = ['csv', 'ndjson', 'parquet', 'arrow', 'geojson'] as const;
export const PERIODS = ['raw', 'PT1H', 'P1D'] as const;
export type Format = (typeof FORMATS)[number];
export type Period = (typeof PERIODS)[number];

export interface Export {
  street: string | null;
  ids: readonly string[];
  attribute: string | null;
  format: Format;
  period: Period;
  zone: string;
  range: Range;
}

/** An export that is made as a job, as the server tells of it. */
export interface ExportAnswer {
  id: string;
  state: 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';
  title: string;
  url: string;
  file: string | null;
  share: number;
  rows: number;
  bytes: number;
  error: string | null;
}

const LAST = { day: 'P1D', week: 'P7D', month: 'P30D' } as const;

/** GeoJSON tells of things as they are now, and so of no period. */
export function exportQuery({ street, ids, attribute, format, period, zone, range }: Export): string {
  const query = new URLSearchParams();
  if (format === 'geojson') query.set('what', 'entities');
  query.set('format', format);
  if (street !== null) query.set('street', street);
  for (const id of ids.slice(0, MAX_NAMED)) query.append('id', id);
  if (attribute !== null) query.set('attrs', attribute);
  if (format === 'geojson') return query.toString();
  if (range.preset !== null) query.set('last', LAST[range.preset]);
  else {
    query.set('from', instant(range.from_ms));
    query.set('to', instant(range.to_ms));
  }
  if (period !== 'raw') {
    query.set('every', period);
    query.set('methods', 'avg,min,max,totalCount');
    query.set('zone', zone);
  }
  return query.toString();
}
