/**
 * A question whose answer a page shows. It keeps the last good answer while a newer one is fetched or has failed, so
 * that the frame stands still, and tells which of the drawn states holds. A newer question cancels an older one.
 */
import { ask, Problem } from './ask.ts';

export type AskedState = 'loading' | 'live' | 'stale' | 'error' | 'no-right';

export class Asked<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  pending = $state(false);
  answeredAt = $state<number | null>(null);
  readonly state: AskedState = $derived.by(() => {
    if (this.problem) return this.problem.status === 403 ? 'no-right' : this.value === null ? 'error' : 'stale';
    return this.value === null ? 'loading' : 'live';
  });

  #path: string | null = null;
  #abort: AbortController | null = null;
  readonly #how: (path: string, signal: AbortSignal) => Promise<T>;

  /** how: what asks, where the answer is more than its body. */
  constructor(how: (path: string, signal: AbortSignal) => Promise<T> = ask) {
    this.#how = how;
  }

  /** How a frame stands that shows the answer only where it is about what is asked for now; shown: that, or null. */
  stateOf(shown: T | null): AskedState {
    if (shown !== null) return this.problem ? 'stale' : 'live';
    return this.state === 'live' ? 'loading' : this.state;
  }

  /** Asks; resolves to the answer, or null where it failed or was overtaken. */
  async ask(path: string): Promise<T | null> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#path = path;
    this.pending = true;
    try {
      const value = await this.#how(path, abort.signal);
      if (this.#abort !== abort) return null;
      this.value = value;
      this.problem = null;
      this.answeredAt = Date.now();
      return value;
    } catch (error) {
      if (this.#abort !== abort) return null;
      if (!(error instanceof Problem)) throw error;
      this.problem = error;
      return null;
    } finally {
      if (this.#abort === abort) this.pending = false;
    }
  }

  again = (): void => {
    if (this.#path !== null) void this.ask(this.#path);
  };

  /** Forgets the answer: the next one is about something else. */
  forget(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#path = null;
    this.value = null;
    this.problem = null;
    this.pending = false;
  }
}
