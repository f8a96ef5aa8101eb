/** Cost and bound closing in: the steps they take over the seconds, as a chart draws them. With a budget, worth and its bound. */
import type { Better, Choice } from '../server/answers.plan.ts';

/** A bound and what it bounds with this much of the whole between them are drawn in the middle of the plate. */
const AIR = 0.35;
const LEAST_S = 10;

/** Seconds, what the best plan has, and its bound; each holds until the next one comes, and the last until now. */
export type Steps = [seconds: number[], best: number[], bound: number[]];

type Chosen<T extends Choice> = T & { points: number; bound_points: number };

/** Whether a budget decided whom to serve: what is sought then is worth, not cost. */
export function isChosen<T extends Choice>(found: T | undefined | null): found is Chosen<T> {
  return found?.points != null && found.bound_points != null;
}

/** Money in the currency's own unit, or points. */
export function stepsOf(progress: readonly Better[], now_s: number): Steps {
  const last = progress.at(-1);
  const all = last && now_s > last.seconds ? [...progress, { ...last, seconds: now_s }] : progress;
  const isWorth = isChosen(last);
  return [
    all.map(({ seconds }) => seconds),
    all.map(({ cost_cents, points }) => (isWorth ? (points ?? 0) : cost_cents / 100)),
    all.map(({ bound_cents, bound_points }) => (isWorth ? (bound_points ?? 0) : bound_cents / 100)),
  ];
}

/** What of the cost could be saved at most, or with a budget what of all worth is missed at most; null while there is no plan. */
export function gapOf(found: ({ cost_cents: number; bound_cents: number } & Choice) | undefined): number | null {
  if (!found) return null;
  if (isChosen(found)) return found.bound_points === 0 ? 0 : (found.bound_points - found.points) / found.bound_points;
  return found.cost_cents === 0 ? 0 : (found.cost_cents - found.bound_cents) / found.cost_cents;
}

/** Seconds that are shown: of a long search no more than what has passed, and half as much again. */
export function timeRange([seconds]: Steps, most_s: number): number {
  const last_s = seconds.at(-1) ?? 0;
  return Math.max(last_s, Math.min(most_s, Math.max(LEAST_S, last_s * 1.5)));
}

/** From where to where the axis of at least one step goes: both lines with air around them, and not from nought, or they would lie on each other. */
export function valueRange([, best, bound]: Steps): [number, number] {
  const [low, high] = [Math.min(...best, ...bound), Math.max(...best, ...bound)];
  const air = (high - low || high || 1) * AIR;
  return [Math.max(0, low - air), high + air];
}
