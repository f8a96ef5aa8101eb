/**
 * What screen readers hear. Changes by themselves are told politely and at most once in ten seconds, the newest only;
 * the answer to a key the reader pressed is told at once.
 */
const LEAST_APART_MS = 10_000;

class Announcer {
  change = $state('');
  reply = $state('');
  #last_ms = Number.NEGATIVE_INFINITY;
  #timer = 0;

  told(text: string): void {
    window.clearTimeout(this.#timer);
    const wait_ms = Math.max(0, this.#last_ms + LEAST_APART_MS - performance.now());
    this.#timer = window.setTimeout(() => {
      this.#last_ms = performance.now();
      this.change = text;
    }, wait_ms);
  }

  answered(text: string): void {
    this.reply = text;
  }
}

export const announcer = new Announcer();
