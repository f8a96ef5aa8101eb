/** A period of time: one of the usual ones that end now, or two moments. It lives in the URL. */
export interface Range {
  preset: PresetName | null;
  from_ms: number;
  to_ms: number;
}

export type PresetName = 'day' | 'week' | 'month';

const DAY_MS = 86_400_000;

export const PRESETS: { name: PresetName; span_ms: number }[] = [
  { name: 'day', span_ms: DAY_MS },
  { name: 'week', span_ms: 7 * DAY_MS },
  { name: 'month', span_ms: 30 * DAY_MS },
];

/** Read from `from` and `to` (RFC 3339) or `range`; else `otherwise`, or the last day. */
export function rangeOf(query: URLSearchParams, now_ms: number, otherwise: { from_ms: number; to_ms: number } | null = null): Range {
  const from_ms = Date.parse(query.get('from') ?? '');
  const to_ms = Date.parse(query.get('to') ?? '');
  if (!Number.isNaN(from_ms) && !Number.isNaN(to_ms) && to_ms > from_ms) return { preset: null, from_ms, to_ms };
  const named = PRESETS.find(({ name }) => name === query.get('range'));
  if (!named && otherwise) return { preset: null, ...otherwise };
  const preset = named ?? { name: 'day' as const, span_ms: DAY_MS };
  return { preset: preset.name, from_ms: now_ms - preset.span_ms, to_ms: now_ms };
}

export function rangeQuery(range: Range): { range: string | null; from: string | null; to: string | null } {
  if (range.preset !== null) return { range: range.preset === 'day' ? null : range.preset, from: null, to: null };
  return { range: null, from: instant(range.from_ms), to: instant(range.to_ms) };
}

/** RFC 3339 in UTC, to the second where it is whole. */
export function instant(at_ms: number): string {
  return new Date(at_ms).toISOString().replace('.000Z', 'Z');
}
