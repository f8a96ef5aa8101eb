/** Two of several plans beside each other: what the one opens and the other does not, on the map and by street. */
import type { Feature, LineString } from 'geojson';
import type { ComparisonAnswer, DifferentWays } from '../server/answers.plan.ts';
import { rowKeyOf } from './streets.ts';

export type DifferentWay = Feature<LineString, DifferentWays['features'][number]['properties']>;

export interface Difference {
  first: DifferentWay[];
  second: DifferentWay[];
}

/** What only one of two plans opens; first, second: their ids. */
export function differenceOf(ways: DifferentWays, first: string, second: string): Difference {
  const only = (one: string, other: string): DifferentWay[] => ways.features.filter(({ properties }) => properties.in.includes(one) && !properties.in.includes(other));
  return { first: only(first, second), second: only(second, first) };
}

/** A street with what only one of two plans opens of it. */
export interface OnlyIn {
  key: string;
  name: string | null;
  kind: string;
  first_m: number;
  second_m: number;
  first_cents: number;
  second_cents: number;
}

/** By street, the largest difference first. */
export function onlyIn({ first, second }: Difference): OnlyIn[] {
  const found = new Map<string, OnlyIn>();
  for (const [side, ways] of [['first', first], ['second', second]] as const) {
    for (const { properties } of ways) {
      const key = rowKeyOf(properties);
      const row = found.get(key) ?? { key, name: properties.street, kind: properties.kind, first_m: 0, second_m: 0, first_cents: 0, second_cents: 0 };
      row[`${side}_m`] += properties.length_m;
      row[`${side}_cents`] += properties.open_cents;
      found.set(key, row);
    }
  }
  return [...found.values()].sort((a, b) => b.first_cents + b.second_cents - a.first_cents - a.second_cents);
}

/** Cents by what is paid for, for each plan; the dearest first. */
export function byWhat(items: ComparisonAnswer['items']): { what: string; cents: number[] }[] {
  const sums = new Map<string, number[]>();
  for (const { what, cents } of items) sums.set(what, cents.map((value, at) => value + (sums.get(what)?.[at] ?? 0)));
  return [...sums].map(([what, cents]) => ({ what, cents })).sort((a, b) => Math.max(...b.cents) - Math.max(...a.cents));
}
