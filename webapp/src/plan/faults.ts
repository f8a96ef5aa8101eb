/** Faults of a ground: of some, premises are left out of every plan. */
import type { FaultFacts } from '../server/answers.plan.ts';

const LONE: ReadonlySet<string> = new Set(['unreached', 'outside']);

/** Whether it is premises to which no street leads. */
export function isLone({ kind }: Pick<FaultFacts, 'kind'>): boolean {
  return LONE.has(kind);
}
