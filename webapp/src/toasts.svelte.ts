/** Short notes that come and go: what was copied, what failed. Errors stay until they are dismissed. */
export interface Toast {
  key: number;
  text: string;
  wrong: boolean;
}

const SHOWN_MS = 4_000;
const MAX_SHOWN = 3;

class Toasts {
  shown = $state<Toast[]>([]);
  #next = 1;

  say(text: string): void {
    const key = this.#push(text, false);
    window.setTimeout(() => this.dismiss(key), SHOWN_MS);
  }

  fail(text: string): void {
    this.#push(text, true);
  }

  dismiss(key: number): void {
    this.shown = this.shown.filter((toast) => toast.key !== key);
  }

  #push(text: string, wrong: boolean): number {
    const key = this.#next;
    this.#next += 1;
    this.shown = [...this.shown, { key, text, wrong }].slice(-MAX_SHOWN);
    return key;
  }
}

export const toasts = new Toasts();
