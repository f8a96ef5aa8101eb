/** Architectures as sheets: what a reader chooses from lists and fields stands as text in the wish. */

/** How a premises gets its light; `own`: by a sheet that somebody wrote. */
export type ArchitectureName = 'one' | 'two' | 'point' | 'own';

/** Each class of the optics that come with the house: between which losses light must lie, and how long a fibre may be. */
export const CLASSES = {
  'B+': { least_db: 13, most_db: 28, longest_m: 20_000 },
  'C+': { least_db: 17, most_db: 32, longest_m: 60_000 },
  N1: { least_db: 14, most_db: 29, longest_m: 20_000 },
  N2: { least_db: 16, most_db: 31, longest_m: 20_000 },
  E1: { least_db: 18, most_db: 33, longest_m: 20_000 },
  E2: { least_db: 20, most_db: 35, longest_m: 20_000 },
  '10GBASE-LR': { least_db: 0, most_db: 6.2, longest_m: 10_000 },
} as const;

export type ClassName = keyof typeof CLASSES;
export const CLASS_NAMES = Object.keys(CLASSES) as ClassName[];

/** What of an architecture has a field. Shares are of what is needed. */
export interface Design {
  optical_class: ClassName;
  fibres_per_premises: number;
  spare_feeder: number;
  spare_distribution: number;
  longest_way_m: number;
  longest_drop_m: number;
}

export const USUAL: Design = { optical_class: 'B+', fibres_per_premises: 1, spare_feeder: 0.25, spare_distribution: 0.2, longest_way_m: 20_000, longest_drop_m: 100 };

const HEADS = {
  one: { title: 'PON, one stage, 1:32', kind: 'pon', splitters: '[32]' },
  two: { title: 'PON, two stages, 1:4 and 1:8', kind: 'pon', splitters: '[4, 8]' },
  point: { title: 'Point to point', kind: 'point_to_point', splitters: '[]' },
} as const;
const NAMED = ['one', 'two', 'point'] as const;
/** What has no field is as in the sheet that comes with the house. */
const REST = { connectors: 4, spare_cabinet: 0.1, longest_distribution_m: 1500 };

function sheet(name: keyof typeof HEADS, design: Design): string {
  const { title, kind, splitters } = HEADS[name];
  const told = { title: `"${title}"`, kind: `"${kind}"`, splitters, ...design, ...REST, optical_class: `"${design.optical_class}"` };
  return Object.entries(told)
    .map(([key, value]) => `${key} = ${value}`)
    .join('\n');
}

/** The text of a sheet; none where nothing differs from the one that comes with the house. */
export function architectureOf(name: ArchitectureName, own: string, design: Design = USUAL): string | null {
  if (name === 'own') return own.trim() || null;
  const isUsual = (Object.keys(USUAL) as (keyof Design)[]).every((key) => design[key] === USUAL[key]);
  return name === 'one' && isUsual ? null : sheet(name, design);
}

function number(text: string, key: string): number | null {
  const found = new RegExp(`^${key} = ([\\d.]+)$`, 'm').exec(text)?.[1];
  return found === undefined ? null : Number(found);
}

/** What a sheet has in our fields, if it is one of ours. */
function designIn(text: string): Design | null {
  const optical_class = CLASS_NAMES.find((known) => text.includes(`optical_class = "${known}"`));
  const found = { ...USUAL };
  for (const key of ['fibres_per_premises', 'spare_feeder', 'spare_distribution', 'longest_way_m', 'longest_drop_m'] as const) {
    const value = number(text, key);
    if (value === null) return null;
    found[key] = value;
  }
  return optical_class ? { ...found, optical_class } : null;
}

/** Which of them a text is, and what it has in each field; what we could not have written is somebody's own. */
export function readArchitecture(text: string | null | undefined): { name: ArchitectureName; design: Design } {
  if (!text) return { name: 'one', design: USUAL };
  const design = designIn(text);
  const name = design && NAMED.find((known) => sheet(known, design) === text);
  return design && name ? { name, design } : { name: 'own', design: USUAL };
}

/** Which of them a text is. */
export function nameOf(text: string | null | undefined): ArchitectureName {
  return readArchitecture(text).name;
}

/** How long a fibre may be: by the class, and by the architecture, whichever is less. */
export function longestOf({ optical_class, longest_way_m }: Design): number {
  return Math.min(CLASSES[optical_class].longest_m, longest_way_m);
}
