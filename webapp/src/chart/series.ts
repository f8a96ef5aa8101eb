/** What a chart draws, and the plain arithmetic of its window. */
import type { TickStyle } from '../words/format.ts';

export interface Line {
  label: string;
  unit: string;
  t_ms: readonly number[];
  v: readonly (number | null)[];
  /** Extremes of each point's bucket; empty where every reading is drawn. */
  low?: readonly (number | null)[];
  high?: readonly (number | null)[];
}

/** What was to be expected: a band, at the line's own times. */
export interface Expected {
  low: readonly (number | null)[];
  high: readonly (number | null)[];
}

export interface Window {
  from_ms: number;
  to_ms: number;
}

/** Okabe and Ito tell six apart; beyond that a chart is drawn more than once. */
export const MAX_LINES = 6;

const LEAST_SPAN_MS = 60_000;

export function zoomed(window: Window, factor: number, about_ms = (window.from_ms + window.to_ms) / 2): Window {
  const span_ms = Math.max(LEAST_SPAN_MS, (window.to_ms - window.from_ms) * factor);
  const share = (about_ms - window.from_ms) / (window.to_ms - window.from_ms);
  const from_ms = about_ms - span_ms * share;
  return { from_ms, to_ms: from_ms + span_ms };
}

export function panned(window: Window, share: number): Window {
  const by_ms = (window.to_ms - window.from_ms) * share;
  return { from_ms: window.from_ms + by_ms, to_ms: window.to_ms + by_ms };
}

export type Columns = [t_s: number[], ...values: (number | null)[][]];

/**
 * The columns a chart is drawn from, in seconds: time, value, and the two bands' edges. Within each gap a point without
 * a value is set, so that the line breaks there.
 */
export function columnsOf(line: Line, gaps_ms: readonly [number, number][], expected?: Expected): Columns {
  const rows = line.t_ms.map((t, i) => ({
    t,
    values: [line.v[i] ?? null, line.low?.[i] ?? null, line.high?.[i] ?? null, expected?.low[i] ?? null, expected?.high[i] ?? null],
  }));
  const nothing = [null, null, null, null, null];
  const all = [...rows, ...gaps_ms.map(([from, to]) => ({ t: (from + to) / 2, values: nothing }))].sort((a, b) => a.t - b.t);
  return [all.map(({ t }) => t / 1000), ...nothing.map((_, column) => all.map(({ values }) => values[column] ?? null))];
}

/** The range of values to show: all that is drawn, the limit too where it is near, with a little air. */
export function valueRange(columns: Columns, limit: number | null, fromZero = false): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const values of columns.slice(1)) {
    for (const value of values) {
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [0, 1];
  if (fromZero) [low, high] = [Math.min(0, low), Math.max(0, high)];
  const span = high - low || Math.abs(high) || 1;
  if (limit !== null && limit > high && limit - high < span) high = limit;
  if (limit !== null && limit < low && low - limit < span) low = limit;
  const air = (high - low || span) * 0.06;
  return [low >= 0 && low - air < 0 ? 0 : low - air, high + air];
}

const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;

/** The style of a tick. step_s: how far it is to the next one; isMidnight: whether it stands there. */
export function tickStyle(step_s: number, span_s: number, isMidnight: boolean): TickStyle {
  if (step_s >= 365 * DAY_S) return 'year';
  if (step_s >= 28 * DAY_S) return 'month';
  if (step_s >= DAY_S || (isMidnight && span_s > DAY_S / 2)) return 'day';
  return step_s < 60 ? 'second' : 'minute';
}

/** The index of the point nearest to a time among those that have a value; -1 where none has. */
export function nearestPoint(columns: Columns, t_s: number): number {
  const [times, values] = columns;
  let best = -1;
  times.forEach((t, i) => {
    if (values?.[i] === null || values?.[i] === undefined) return;
    if (best < 0 || Math.abs(t - t_s) < Math.abs((times[best] ?? 0) - t_s)) best = i;
  });
  return best;
}

/** The next point with a value, one way or the other. */
export function nextPoint(columns: Columns, from: number, step: 1 | -1): number {
  const values = columns[1] ?? [];
  for (let i = from + step; i >= 0 && i < values.length; i += step) if (values[i] !== null && values[i] !== undefined) return i;
  return from;
}
