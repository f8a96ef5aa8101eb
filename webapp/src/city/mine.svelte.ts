/** The devices that were added in this browser: marked as one's own among hundreds, here and nowhere else. */
const KEY = 'broadstreet.mine';
/** The oldest are forgotten beyond so many. */
const MAX_KEPT = 50;

function kept(): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found.filter((id) => typeof id === 'string') : [];
  } catch (error) {
    if (error instanceof SyntaxError) return []; // written by another hand
    throw error;
  }
}

class Mine {
  ids = $state.raw<ReadonlySet<string>>(new Set(kept()));

  add(id: string): void {
    const ids = [...this.ids, id].slice(-MAX_KEPT);
    this.ids = new Set(ids);
    localStorage.setItem(KEY, JSON.stringify(ids));
  }
}

export const mine = new Mine();
