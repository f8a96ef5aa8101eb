/** A case's money by years, as it is drawn and told: what comes, what goes, what is left. */
import type { Case, Group } from '../server/answers.worth.ts';

export interface Year {
  /** From 1 on. */
  number: number;
  /** What it is called: 2027, or 1. */
  name: string;
  comes: number;
  running: number;
  building: number;
  renewing: number;
  tax: number;
  net: number;
  cumulative: number;
}

export function yearsOf({ business, lines, net_cents, cumulative_cents }: Case): Year[] {
  const of = (year: number, ...groups: Group[]): number => lines.reduce((sum, { group, cents }) => sum + (groups.includes(group) ? (cents[year] ?? 0) : 0), 0);
  const { first_year } = business.time;
  return net_cents.map((net, at) => ({
    number: at + 1,
    name: String(first_year > 0 ? first_year + at : at + 1),
    comes: of(at, 'revenue', 'fees', 'grants'),
    running: of(at, 'operating'),
    building: of(at, 'building', 'connecting'),
    renewing: of(at, 'renewing'),
    tax: of(at, 'tax'),
    net,
    cumulative: cumulative_cents[at] ?? 0,
  }));
}

/** What of a year goes out. */
export function goes({ running, building, renewing, tax }: Year): number {
  return running + building + renewing + tax;
}

const STEPS = [1, 2, 2.5, 5, 10];

/** Round values of an axis that holds both ends, nought among them, some `most` of them at most. */
export function ticks(low: number, high: number, most: number): number[] {
  const span = Math.max(high, 0) - Math.min(low, 0) || 1;
  const rough = span / Math.max(1, most - 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((one) => one * power >= rough) ?? 10) * power;
  const first = Math.floor(Math.min(low, 0) / step);
  const last = Math.ceil(Math.max(high, 0) / step);
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

/** The range of all years, bars and line alike. */
export function rangeOf(years: readonly Year[]): [low: number, high: number] {
  return [Math.min(0, ...years.flatMap((year) => [-goes(year), year.cumulative])), Math.max(0, ...years.flatMap((year) => [year.comes, year.cumulative]))];
}
