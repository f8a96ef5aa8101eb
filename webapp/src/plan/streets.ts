/** A plan's opened ways as streets: what each is opened for, what lies in it, what that costs. */
import type { OpenedWay, Role, Ways } from '../server/answers.plan.ts';

export interface Street {
  /** What it is picked and ruled by: its name, or the way's id where it has none. */
  key: string;
  name: string | null;
  ways: OpenedWay[];
  length_m: number;
  open_cents: number;
  cables: number;
  fibres: number;
  carries: Role;
  surfaces: string[];
  locked: boolean;
  phase: number;
}

const ROLES: readonly Role[] = ['feeder', 'distribution', 'drop'];

/** The first of a way's roles from the office outwards: by that it is drawn. */
export function carriedBy(roles: readonly Role[]): Role {
  return ROLES.find((role) => roles.includes(role)) ?? 'drop';
}

export function keyOf(way: { street: string | null; way: string }): string {
  return way.street ?? way.way;
}

/** The streets of opened ways, the dearest first. */
export function streetsOf(ways: Ways): Street[] {
  const groups = new Map<string, OpenedWay[]>();
  for (const { properties } of ways.features) {
    const key = keyOf(properties);
    const group = groups.get(key);
    if (group) group.push(properties);
    else groups.set(key, [properties]);
  }
  const sum = (group: readonly OpenedWay[], of: (way: OpenedWay) => number): number => group.reduce((all, way) => all + of(way), 0);
  return [...groups]
    .map(([key, group]) => ({
      key,
      name: group[0]?.street ?? null,
      ways: group,
      length_m: sum(group, ({ length_m }) => length_m),
      open_cents: sum(group, ({ open_cents }) => open_cents),
      cables: new Set(group.flatMap(({ cables }) => cables)).size,
      fibres: Math.max(...group.map(({ fibres }) => fibres)),
      carries: carriedBy(group.flatMap(({ roles }) => roles)),
      surfaces: [...new Set(group.map(({ surface }) => surface))],
      locked: group.some(({ locked }) => locked),
      phase: Math.min(...group.map(({ phase }) => phase)),
    }))
    .sort((a, b) => b.open_cents - a.open_cents);
}
