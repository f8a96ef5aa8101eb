/** Which part of a past to show first, where nobody has chosen one. */
import type { Window } from '../chart/series.ts';
import type { AttributeAnswer } from '../server/answers.ts';

const DAY_MS = 86_400_000;
/** A line of fewer points says little. */
const LEAST_POINTS = 48;
/** Beside the last point, a share of the window, so that it does not stand on the edge. */
const AIR = 0.02;

/**
 * The window that holds an attribute's last readings, where the last 24 hours hold none: a day of them, or as many days
 * as a sparser series needs for its line. Null where the last 24 hours do.
 */
export function lastWindow({ first_at, observed_at, step_s }: Pick<AttributeAnswer, 'first_at' | 'observed_at' | 'step_s'>, now_ms: number): Window | null {
  const last_ms = Date.parse(observed_at ?? '');
  if (Number.isNaN(last_ms) || now_ms - last_ms < DAY_MS) return null;
  const wanted_ms = Math.max(DAY_MS, LEAST_POINTS * (step_s ?? 0) * 1000);
  const first_ms = Date.parse(first_at ?? '');
  const span_ms = Number.isNaN(first_ms) ? wanted_ms : Math.max(DAY_MS, Math.min(wanted_ms, last_ms - first_ms));
  const air_ms = Math.round(span_ms * AIR);
  return { from_ms: last_ms - span_ms - air_ms, to_ms: last_ms + air_ms };
}
