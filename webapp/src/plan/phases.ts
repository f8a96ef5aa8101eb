/** A plan built in phases: what each costs, whom it reaches, what that is worth, and where it is dug. */
import type { Outcome, PremisesFacts, Wish } from '../server/answers.plan.ts';
import type { Street } from './streets.ts';

/** So many colours can be told apart: of more phases several have one. */
export const PHASE_COLOURS = 6;
const NAMED = 3;

export interface Phase {
  phase: number;
  budget_cents: number | null;
  cost_cents: number;
  dug_m: number;
  /** Reached in it, and by its end. */
  premises: number;
  premises_until: number;
  points: number;
  points_until: number;
  /** The streets on which most is spent in it. */
  streets: string[];
}

export function isPhased(outcome: Outcome): boolean {
  return (outcome.phase_cents?.length ?? 0) > 1;
}

/** Which of the colours a phase has, from 1; the earliest have the first. */
export function colourOfPhase(phase: number, last: number): number {
  return last <= PHASE_COLOURS ? phase : Math.ceil((phase * PHASE_COLOURS) / last);
}

/** The phases that have a colour: the first and the last of them. */
export function phasesOfColour(colour: number, last: number): [number, number] {
  if (last <= PHASE_COLOURS) return [colour, colour];
  return [Math.floor(((colour - 1) * last) / PHASE_COLOURS) + 1, Math.floor((colour * last) / PHASE_COLOURS)];
}

/** Every phase with what it comes to. streets: of opened ways. */
export function phasesOf(outcome: Outcome, wish: Wish, premises: readonly PremisesFacts[], streets: readonly Street[]): Phase[] {
  let [premises_until, points_until] = [0, 0];
  return (outcome.phase_cents ?? []).map((cost_cents, at) => {
    const phase = at + 1;
    const lit = premises.filter((one) => one.served && (one.phase ?? 1) === phase);
    const points = lit.reduce((all, one) => all + (one.points ?? 0), 0);
    premises_until += lit.length;
    points_until += points;
    const dug = streets.map(({ name, ways }) => {
      const mine = ways.filter((way) => way.phase === phase);
      return { name, length_m: mine.reduce((all, way) => all + way.length_m, 0), cents: mine.reduce((all, way) => all + way.open_cents, 0) };
    });
    return {
      phase,
      budget_cents: wish.phase_budgets_cents?.[at] ?? null,
      cost_cents,
      dug_m: dug.reduce((all, { length_m }) => all + length_m, 0),
      premises: lit.length,
      premises_until,
      points,
      points_until,
      streets: dug.filter(({ name, cents }) => name !== null && cents > 0).sort((a, b) => b.cents - a.cents).slice(0, NAMED).map(({ name }) => name ?? ''),
    };
  });
}
