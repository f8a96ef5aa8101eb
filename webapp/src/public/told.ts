/** What everyone may see, in words: how coarse it is, and when it was measured. */
import type { Means, PublicItem, PublicPlace, PublicValue } from '../server/answers.public.ts';
import type { Format } from '../words/format.ts';
import { words } from '../words/index.ts';

export function precision(item: Pick<PublicItem, 'means' | 'position_m'>, format: Format): string {
  const { means, rounded, exact } = words.public;
  return `${means[item.means ?? 'readings']}; ${item.position_m === null ? exact : rounded(format.metres(item.position_m))}`;
}

export function measured(value: PublicValue, means: Means, format: Format): string {
  if (value.observed_at === null) return '';
  const at_ms = Date.parse(value.observed_at);
  if (means === 'hour') return words.public.meanOf.hour(format.moment(at_ms, false));
  return means === 'day' ? words.public.meanOf.day(format.date(at_ms)) : words.public.measuredAt(format.moment(at_ms, false));
}

/** The same where there is little room: the moment, or where the mean begins. */
export function moment(value: PublicValue, means: Means, format: Format): string {
  if (value.observed_at === null) return '';
  const at_ms = Date.parse(value.observed_at);
  return means === 'day' ? format.date(at_ms) : format.moment(at_ms, false);
}

export function said(value: PublicValue, format: Format): string {
  return value.value === null ? value.told : format.quantity(value.value, value.unit);
}

/** The value that stands for a place: its first number, or whatever it has. */
export function mainOf(place: PublicPlace): PublicValue | null {
  return place.values.find(({ value }) => value !== null) ?? place.values[0] ?? null;
}
