/** What serving is worth, as a sheet: a household is 1, and the fields say what everything else is beside it. */

/** Worth of the public groups, and for each fibre that is needed. */
export interface Weights {
  schools: number;
  clinics: number;
  sensors: number;
  by_fibre: number;
}

export const USUAL_WEIGHTS: Weights = { schools: 40, clinics: 40, sensors: 3, by_fibre: 0 };
export const WEIGHTS = ['schools', 'clinics', 'sensors', 'by_fibre'] as const;
/** Points of one household. */
export const POINTS = 100;

const GROUPS = {
  schools: 'words = ["school", "university", "college", "kindergarten", "library"]',
  clinics: 'words = ["hospital", "clinic", "health centre", "doctors", "pharmacy", "fire station"]',
  sensors: 'kinds = ["site"]',
} as const;

function sheet(weights: Weights): string {
  const groups = (['schools', 'clinics', 'sensors'] as const).map((name) => `[public.${name}]\nworth = ${weights[name]}\n${GROUPS[name]}`);
  return [`title = "Households, jobs, and what is everybody's"\nby_weight = 1.0\nby_fibre = ${weights.by_fibre}`, ...groups].join('\n\n');
}

/** The text of a sheet; none where nothing differs from the one that comes with the house. */
export function worthOf(weights: Weights, own: string): string | null {
  if (own.trim()) return own.trim();
  return WEIGHTS.every((name) => weights[name] === USUAL_WEIGHTS[name]) ? null : sheet(weights);
}

/** What a text has in our fields; what we could not have written is somebody's own. */
export function readWorth(text: string | null | undefined): { weights: Weights; own: string } {
  if (!text) return { weights: USUAL_WEIGHTS, own: '' };
  const number = (found: RegExpExecArray | null): number => Number(found?.[1] ?? Number.NaN);
  const of = (group: string): number => number(new RegExp(`^\\[public\\.${group}\\]\\nworth = ([\\d.]+)$`, 'm').exec(text));
  const weights = { schools: of('schools'), clinics: of('clinics'), sensors: of('sensors'), by_fibre: number(/^by_fibre = ([\d.]+)$/m.exec(text)) };
  return sheet(weights) === text ? { weights, own: '' } : { weights: USUAL_WEIGHTS, own: text };
}
