/** Moving between sensors with the arrow keys: the nearest one that lies in that direction, as the eye would choose. */
export type Direction = 'north' | 'east' | 'south' | 'west';

export interface Standpoint {
  id: string;
  lon: number;
  lat: number;
}

export const ARROWS: Readonly<Record<string, Direction>> = {
  ArrowUp: 'north',
  ArrowRight: 'east',
  ArrowDown: 'south',
  ArrowLeft: 'west',
};

/** How much a metre aside weighs against a metre ahead. */
const ASIDE_WEIGHT = 2;

/** The nearest neighbour within 45 degrees of the direction, or null where none lies there. */
export function neighbour<T extends Standpoint>(from: Standpoint, all: readonly T[], direction: Direction): T | null {
  const shrink = Math.cos((from.lat * Math.PI) / 180);
  let best: T | null = null;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const other of all) {
    if (other.id === from.id) continue;
    const east = (other.lon - from.lon) * shrink;
    const north = other.lat - from.lat;
    const ahead = direction === 'north' ? north : direction === 'south' ? -north : direction === 'east' ? east : -east;
    const aside = Math.abs(direction === 'north' || direction === 'south' ? east : north);
    if (ahead <= 0 || aside > ahead) continue;
    const cost = ahead + ASIDE_WEIGHT * aside;
    if (cost < bestCost) {
      best = other;
      bestCost = cost;
    }
  }
  return best;
}

/** The sensor nearest to a place: where the arrows begin. */
export function nearest<T extends Standpoint>(lon: number, lat: number, all: readonly T[]): T | null {
  const shrink = Math.cos((lat * Math.PI) / 180);
  let best: T | null = null;
  let bestSquare = Number.POSITIVE_INFINITY;
  for (const other of all) {
    const square = ((other.lon - lon) * shrink) ** 2 + (other.lat - lat) ** 2;
    if (square < bestSquare) {
      best = other;
      bestSquare = square;
    }
  }
  return best;
}
