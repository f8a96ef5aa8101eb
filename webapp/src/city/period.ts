/** The periods a ranking is asked for, as moments, in the city's own days. */
import type { Format } from '../words/format.ts';

export type Period = 'today' | 'yesterday' | 'week' | 'month';

export const PERIODS: readonly Period[] = ['today', 'yesterday', 'week', 'month'];

export function momentsOf(period: Period, now_ms: number, format: Format): { from_ms: number; to_ms: number } {
  const today_ms = format.dayStart(now_ms);
  if (period === 'today') return { from_ms: today_ms, to_ms: now_ms };
  if (period === 'yesterday') return { from_ms: format.dayStart(now_ms, -1), to_ms: today_ms };
  return { from_ms: format.dayStart(now_ms, period === 'week' ? -7 : -30), to_ms: now_ms };
}
