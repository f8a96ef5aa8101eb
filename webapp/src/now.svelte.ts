/** The present, once a second for whoever shows an age; it rests while the page is hidden. */
const TICK_MS = 1_000;

class Now {
  at_ms = $state(Date.now());

  constructor() {
    setInterval(() => {
      if (!document.hidden) this.at_ms = Date.now();
    }, TICK_MS);
    document.addEventListener('visibilitychange', () => (this.at_ms = Date.now()));
  }
}

export const now = new Now();
