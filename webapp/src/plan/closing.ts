/** Cost and bound closing in: the steps they take over the seconds, as a chart draws them. */
import type { Better } from '../server/answers.plan.ts';

/** A bound and a cost with this much of the whole between them are drawn in the middle of the plate. */
const AIR = 0.35;
const LEAST_S = 10;

/** Seconds, costs and bounds; each holds until the next one comes, and the last until now. Money in the currency's own unit. */
export type Steps = [seconds: number[], cost: number[], bound: number[]];

export function stepsOf(progress: readonly Better[], now_s: number): Steps {
  const last = progress.at(-1);
  const all = last && now_s > last.seconds ? [...progress, { ...last, seconds: now_s }] : progress;
  return [all.map(({ seconds }) => seconds), all.map(({ cost_cents }) => cost_cents / 100), all.map(({ bound_cents }) => bound_cents / 100)];
}

/** What of the cost could be saved at most; null while there is no plan. */
export function gapOf(better: { cost_cents: number; bound_cents: number } | undefined): number | null {
  if (!better) return null;
  return better.cost_cents === 0 ? 0 : (better.cost_cents - better.bound_cents) / better.cost_cents;
}

/** Seconds that are shown: of a long search no more than what has passed, and half as much again. */
export function timeRange([seconds]: Steps, most_s: number): number {
  const last_s = seconds.at(-1) ?? 0;
  return Math.max(last_s, Math.min(most_s, Math.max(LEAST_S, last_s * 1.5)));
}

/** From where to where the axis of money goes: both lines with air around them, and not from nought, or they would lie on each other. */
export function moneyRange([, cost, bound]: Steps): [number, number] {
  if (cost.length === 0) return [0, 1];
  const [low, high] = [Math.min(...bound), Math.max(...cost)];
  const air = (high - low || high || 1) * AIR;
  return [Math.max(0, low - air), high + air];
}
