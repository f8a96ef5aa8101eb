/** A wish as its form holds it: texts of fields, and the wish that comes of them. */
import type { Wish } from '../server/answers.plan.ts';
import { architectureOf, readArchitecture, type ArchitectureName, type Design } from './architecture.ts';
import { readWorth, worthOf, type Weights } from './worth.ts';

export const USUAL_SECONDS = 30;
const CENTS = 100;

/** Whom to reach: everyone, whom a budget reaches for, or as many as can be paid for year by year. */
export interface WishDraft {
  seconds: string;
  seed: string;
  architecture: ArchitectureName;
  ownArchitecture: string;
  design: Design;
  catalogue: string;
  budget: string;
  weights: Weights;
  ownWorth: string;
  /** What may be spent in each year, the first first; none: all is built at once. */
  years: string[];
  /** Ids of premises that two ways must lead to; null: as the project says. */
  critical: string[] | null;
  closed: string;
  locked: string;
}

const listed = (text: string): string[] => text.split(',').map((part) => part.trim()).filter(Boolean);
const inCents = (text: string): number => Math.round(Number(text) * CENTS);
const inMoney = (cents: number): string => String(cents / CENTS);

export function draftOf(wish: Wish): WishDraft {
  const { name, design } = readArchitecture(wish.architecture);
  const { weights, own } = readWorth(wish.worth);
  return {
    seconds: String(wish.seconds ?? USUAL_SECONDS),
    seed: String(wish.seed ?? 0),
    architecture: name,
    ownArchitecture: name === 'own' ? (wish.architecture ?? '') : '',
    design: { ...design },
    catalogue: wish.catalogue ?? '',
    budget: typeof wish.budget_cents === 'number' ? inMoney(wish.budget_cents) : '',
    weights: { ...weights },
    ownWorth: own,
    years: (wish.phase_budgets_cents ?? []).map(inMoney),
    critical: wish.critical ?? null,
    closed: (wish.closed ?? []).join(', '),
    locked: (wish.locked ?? []).join(', '),
  };
}

/** The wish that a draft makes of another; years without an amount end the list. */
export function wishOf(draft: WishDraft, from: Wish): Wish {
  const years = draft.years.map((year) => year.trim());
  const last = years.findLastIndex((year) => year !== '');
  return {
    ...from,
    seconds: Number(draft.seconds),
    seed: Number(draft.seed) || 0,
    architecture: architectureOf(draft.architecture, draft.ownArchitecture, draft.design),
    catalogue: draft.catalogue.trim() || null,
    worth: worthOf(draft.weights, draft.ownWorth),
    budget_cents: draft.budget.trim() ? inCents(draft.budget) : null,
    phase_budgets_cents: last < 0 ? null : years.slice(0, last + 1).map(inCents),
    critical: draft.critical,
    closed: listed(draft.closed),
    locked: listed(draft.locked),
  };
}
