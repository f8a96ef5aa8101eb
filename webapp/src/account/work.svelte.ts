/** Something that is being done: whether it still is, and what went wrong with it. */
import { Problem } from '../server/ask.ts';

export class Work {
  working = $state(false);
  error = $state('');
  /** Which field the error is about, where it is about one. */
  where = $state<string | null>(null);
  /** All that was said of it, with the places that were spoken of. */
  problem = $state.raw<Problem | null>(null);

  async do(work: () => Promise<void>): Promise<void> {
    this.working = true;
    this.clear();
    try {
      await work();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      this.error = [problem.message, problem.remedy].filter(Boolean).join('. ');
      this.where = problem.where;
      this.problem = problem;
    } finally {
      this.working = false;
    }
  }

  clear(): void {
    this.error = '';
    this.where = null;
    this.problem = null;
  }
}
