/**
 * Merging stacks that would overlap. At a zoom level, sensors closer than a stack's reach become one group: a block.
 * The result depends on the places and the level alone, so it holds still while the map is moved and while values change.
 */
export interface Point {
  /** Position in pixels of the level, from any origin. */
  x: number;
  y: number;
}

export interface Group {
  x: number;
  y: number;
  /** Indices into the points, in their order. */
  members: number[];
}

/** Groups of points within `reach_px` of the first point of each; a group stands at its members' mean. */
export function merge(points: readonly Point[], reach_px: number): Group[] {
  if (reach_px <= 0) return points.map(({ x, y }, index) => ({ x, y, members: [index] }));
  const seeds = new Map<string, number[]>();
  const groups: { seed: Point; sum: Point; members: number[] }[] = [];
  points.forEach((point, index) => {
    const column = Math.floor(point.x / reach_px);
    const row = Math.floor(point.y / reach_px);
    let home = -1;
    let homeSquare = reach_px * reach_px;
    for (let c = column - 1; c <= column + 1; c += 1) {
      for (let r = row - 1; r <= row + 1; r += 1) {
        for (const candidate of seeds.get(`${c}/${r}`) ?? []) {
          const group = groups[candidate];
          if (!group) continue;
          const square = (group.seed.x - point.x) ** 2 + (group.seed.y - point.y) ** 2;
          if (square < homeSquare) {
            home = candidate;
            homeSquare = square;
          }
        }
      }
    }
    const group = groups[home];
    if (group) {
      group.members.push(index);
      group.sum.x += point.x;
      group.sum.y += point.y;
      return;
    }
    const cell = `${column}/${row}`;
    seeds.set(cell, [...(seeds.get(cell) ?? []), groups.length]);
    groups.push({ seed: point, sum: { ...point }, members: [index] });
  });
  return groups.map(({ sum, members }) => ({ x: sum.x / members.length, y: sum.y / members.length, members }));
}

/** The mean of the members' bars into `into`; an hour in which none was heard stays NaN. */
export function meanBars(members: readonly Float32Array[], into: Float32Array): void {
  for (let bar = 0; bar < into.length; bar += 1) {
    let sum = 0;
    let count = 0;
    for (const bars of members) {
      const level = bars[bar];
      if (level !== undefined && !Number.isNaN(level)) {
        sum += level;
        count += 1;
      }
    }
    into[bar] = count > 0 ? sum / count : Number.NaN;
  }
}
