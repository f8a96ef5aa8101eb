/** Light, dark, or as the system wishes; and the inks as numbers, for what is drawn on a canvas. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'broadstreet.theme';
const ORDER: Theme[] = ['system', 'light', 'dark'];

export type Ink = 'paper' | 'panel' | 'ink' | 'muted' | 'line' | 'edge' | 'vermilion' | 'fibre' | 'amber' | 'moss' | `series-${number}`;

class ThemeStore {
  chosen = $state<Theme>(readChosen());
  /** Counts repaints of the palette: whoever draws on a canvas depends on it. */
  turn = $state(0);

  constructor() {
    for (const query of ['(prefers-color-scheme: dark)', '(prefers-contrast: more)']) {
      matchMedia(query).addEventListener('change', () => (this.turn += 1));
    }
  }

  next(): void {
    this.choose(ORDER[(ORDER.indexOf(this.chosen) + 1) % ORDER.length] ?? 'system');
  }

  choose(theme: Theme): void {
    this.chosen = theme;
    if (theme === 'system') {
      localStorage.removeItem(KEY);
      delete document.documentElement.dataset['theme'];
    } else {
      localStorage.setItem(KEY, theme);
      document.documentElement.dataset['theme'] = theme;
    }
    this.turn += 1;
  }
}

function readChosen(): Theme {
  const stored = localStorage.getItem(KEY);
  return stored === 'light' || stored === 'dark' ? stored : 'system';
}

export const theme = new ThemeStore();

/** A token's colour as `rgb(…)`, resolved in the theme that holds now. */
export function inkOf(token: Ink): string {
  const probe = document.createElement('span');
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** Red, green and blue of a CSS `rgb(…)` colour, 0 to 1. */
export function channels(colour: string): [number, number, number] {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  return [red / 255, green / 255, blue / 255];
}

const stillness = matchMedia('(prefers-reduced-motion: reduce)');

export function reducedMotion(): boolean {
  return stillness.matches;
}
