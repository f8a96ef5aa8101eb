/** What if a street were forbidden, or kept: the rules of a wish, and what is changed of them before it is planned again. */
import type { Wish } from '../server/answers.plan.ts';

export type Rule = 'closed' | 'locked';

/** Names of streets, or ids of ways, each with the rule that is to hold; null: none. */
export type Changes = ReadonlyMap<string, Rule | null>;

export function ruleOf(name: string, wish: Wish, changes: Changes): Rule | null {
  const changed = changes.get(name);
  if (changed !== undefined) return changed;
  if (wish.closed?.includes(name)) return 'closed';
  return wish.locked?.includes(name) ? 'locked' : null;
}

/** The changes with one more; what is as the wish has it is no change. */
export function changed(changes: Changes, wish: Wish, name: string, rule: Rule | null): Changes {
  const next = new Map(changes);
  next.delete(name);
  if (ruleOf(name, wish, next) !== rule) next.set(name, rule);
  return next;
}

/** The wish that the changes make. */
export function ruled(wish: Wish, changes: Changes): Wish {
  const under = (rule: Rule): string[] => {
    const kept = (wish[rule] ?? []).filter((name) => !changes.has(name));
    return [...kept, ...[...changes].filter(([, wanted]) => wanted === rule).map(([name]) => name)];
  };
  return { ...wish, closed: under('closed'), locked: under('locked') };
}

/** All that are under a rule, by name. */
export function allUnder(rule: Rule, wish: Wish, changes: Changes): string[] {
  return ruled(wish, changes)[rule] ?? [];
}
