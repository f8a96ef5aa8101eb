/** Architectures to begin from, as sheets: what a reader chooses from a list stands as text in the wish. */
const COMMON = { optical_class: '"B+"', fibres_per_premises: 1, spare_feeder: 0.25, spare_distribution: 0.2, spare_cabinet: 0.1, longest_way_m: 20000, longest_distribution_m: 1500, longest_drop_m: 100 };

function sheet(own: Record<string, string | number>): string {
  return Object.entries({ ...own, ...COMMON })
    .map(([name, value]) => `${name} = ${value}`)
    .join('\n');
}

export const ARCHITECTURES = {
  two: sheet({ title: '"PON, two stages, 1:4 and 1:8"', kind: '"pon"', splitters: '[4, 8]', connectors: 4 }),
  point: sheet({ title: '"Point to point"', kind: '"point_to_point"', splitters: '[]', connectors: 4 }),
} as const;

export type ArchitectureName = 'one' | keyof typeof ARCHITECTURES | 'own';

/** The text of a sheet; none for what comes with the house. */
export function architectureOf(name: ArchitectureName, own: string): string | null {
  return name === 'one' ? null : name === 'own' ? own.trim() || null : ARCHITECTURES[name];
}

/** Which of them a text is. */
export function nameOf(text: string | null | undefined): ArchitectureName {
  if (!text) return 'one';
  return text === ARCHITECTURES.two ? 'two' : text === ARCHITECTURES.point ? 'point' : 'own';
}
