/** A plan's opened ways as streets: what each is opened for, what lies in it, what that costs. */
import type { OpenedWay, Role, Ways } from '../server/answers.plan.ts';

export interface Street {
  /** What it is picked by: its name; of ways without one the way's id, or what their row in a table has. */
  key: string;
  name: string | null;
  /** Of which kind its first way is, and so all of them where they are told together for want of a name. */
  kind: string;
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

/** Begins the key of a row that stands for all ways of a kind that have no name: no street is called so. */
const NAMELESS = '~';

/** The row in which a way is told: its street's; hundreds of ways without a name are told by their kind. */
export function rowKeyOf(way: { street: string | null; kind: string }): string {
  return way.street ?? NAMELESS + way.kind;
}

export function isNameless(key: string): boolean {
  return key.startsWith(NAMELESS);
}

/** Ways that are told as one. */
export function summed(key: string, ways: OpenedWay[]): Street {
  const sum = (of: (way: OpenedWay) => number): number => ways.reduce((all, way) => all + of(way), 0);
  return {
    key,
    name: ways[0]?.street ?? null,
    kind: ways[0]?.kind ?? '',
    ways,
    length_m: sum(({ length_m }) => length_m),
    open_cents: sum(({ open_cents }) => open_cents),
    cables: new Set(ways.flatMap(({ cables }) => cables)).size,
    fibres: Math.max(0, ...ways.map(({ fibres }) => fibres)),
    carries: carriedBy(ways.flatMap(({ roles }) => roles)),
    surfaces: [...new Set(ways.map(({ surface }) => surface))],
    locked: ways.some(({ locked }) => locked),
    phase: Math.min(...ways.map(({ phase }) => phase)),
  };
}

/** Ways by a key, each row summed; the dearest first. */
function rowsBy(ways: readonly OpenedWay[], keyed: (way: OpenedWay) => string): Street[] {
  const groups = new Map<string, OpenedWay[]>();
  for (const way of ways) {
    const group = groups.get(keyed(way));
    if (group) group.push(way);
    else groups.set(keyed(way), [way]);
  }
  return [...groups].map(([key, group]) => summed(key, group)).sort((a, b) => b.open_cents - a.open_cents);
}

/** The streets of opened ways, and what has no name by its kind. */
export function streetsOf(ways: Ways): Street[] {
  return rowsBy(
    ways.features.map(({ properties }) => properties),
    rowKeyOf,
  );
}

/** The ways of a row one by one, each with all its pieces. */
export function piecesOf(street: Street): Street[] {
  return rowsBy(street.ways, ({ way }) => way);
}
