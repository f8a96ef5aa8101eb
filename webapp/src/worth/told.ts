/** What a case comes to, in words: the sentence it begins with, and numbers as they are told. */
import type { Bar, Case, Lever } from '../server/answers.worth.ts';
import type { Format } from '../words/format.ts';
import type { PlanWords } from '../words/plan.ts';

const POINTS = new Set<Lever>(['interest']);
const YEARS = new Set<Lever>(['delay_years']);

export function yearsTold(years: number, format: Format, said: PlanWords): string {
  return said.worth.years(years, format.decimal(years, Number.isInteger(years) ? 0 : 1));
}

export function paybackTold(years: number | null, format: Format, said: PlanWords): string {
  return years === null ? said.worth.never : yearsTold(years, format, said);
}

export function rateTold(rate: number | null, format: Format, said: PlanWords): string {
  return rate === null ? said.worth.noRate : format.share1(rate);
}

/** The one rate of return; none where there are several, or none. */
export function rateOf({ rates }: Case): number | null {
  return rates.found.length === 1 ? (rates.found[0] ?? null) : null;
}

export function sentenceOf(of: Case, format: Format, said: PlanWords): string {
  const { told } = said.worth;
  const [years, npv, must] = [yearsTold(of.business.time.years, format, said), format.money(Math.abs(of.npv_cents), of.business.currency), format.share1(of.nominal_rate)];
  const rate = rateOf(of);
  return told.whole(
    of.npv_cents >= 0 ? told.worth(years, npv, must) : told.short(years, npv, must),
    of.payback_years === null ? told.paysBackNever : told.paysBack(yearsTold(of.payback_years, format, said)),
    rate === null ? told.noRate : told.rate(format.share1(rate)),
  );
}

/** By how much a lever lies beside what is assumed: +30%, −1 points, +1 year. */
export function amountTold(lever: Lever, amount: number, format: Format, said: PlanWords): string {
  const sign = amount > 0 ? '+' : amount < 0 ? '\u2212' : '±';
  const size = Math.abs(amount);
  if (POINTS.has(lever)) {
    const points = Number((size * 100).toFixed(6));
    return sign + said.worth.moves.points(points, format.value(points));
  }
  if (YEARS.has(lever)) return sign + said.worth.years(size, format.value(size));
  return sign + format.share1(size);
}

/** Both ends of the axis that all bars have in common. */
export function spanOf(bars: readonly Bar[], base: number): [low: number, high: number] {
  const all = bars.flatMap(({ low_npv_cents, high_npv_cents }) => [low_npv_cents, high_npv_cents]);
  return [Math.min(base, ...all), Math.max(base, ...all)];
}
