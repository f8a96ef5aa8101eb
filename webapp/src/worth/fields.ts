/** What of a sheet the form shows, and how a value of the sheet is told in a field: shares in per cent, money in its unit. */
import { numberOf, rawOf, tablesBelow, withoutTable, withRaw } from './sheet.ts';

export type FieldKind = 'share' | 'money' | 'years' | 'whole';

export interface Assumed {
  place: string;
  kind: FieldKind;
}

export const TIME: readonly Assumed[] = [
  { place: 'time.years', kind: 'whole' },
  { place: 'time.ready_after_years', kind: 'years' },
  { place: 'money.discount_rate', kind: 'share' },
  { place: 'money.inflation', kind: 'share' },
  { place: 'money.price_growth', kind: 'share' },
  { place: 'money.building_growth', kind: 'share' },
  { place: 'money.residual_share', kind: 'share' },
];
export const RUNNING: readonly Assumed[] = [
  { place: 'operating.fixed', kind: 'money' },
  { place: 'operating.premises_each', kind: 'money' },
  { place: 'operating.km_each', kind: 'money' },
  { place: 'operating.port_each', kind: 'money' },
];
export const SPREADS = ['cost', 'take_up', 'interest', 'price', 'operating', 'delay_years'] as const;

const CENTS = 2;
const DIGITS = 8;
const YEARLY = 'phases.budget.1';

/** As many digits as are right: 0.07 in per cent is 7, and not 7.000000000000001. */
const plain = (value: number): string => String(Number(value.toFixed(DIGITS)));

export function kindOfSpread(lever: (typeof SPREADS)[number]): FieldKind {
  return lever === 'delay_years' ? 'years' : 'share';
}

/** What a field shows; empty where the sheet says nothing that is understood. */
export function shownOf(text: string, { place, kind }: Assumed): string {
  const value = numberOf(text, place);
  return value === null ? '' : plain(kind === 'share' ? value * 100 : value);
}

/** The sheet with what a field says; what is no number changes nothing. */
export function withShown(text: string, { place, kind }: Assumed, shown: string): string {
  const value = shown.trim() === '' ? Number.NaN : Number(shown);
  if (!Number.isFinite(value)) return text;
  return withRaw(text, place, kind === 'share' ? plain(value / 100) : kind === 'money' ? value.toFixed(CENTS) : plain(value));
}

export function kindsOf(text: string): string[] {
  return tablesBelow(text, 'customer');
}

export type Order = 'as_planned' | 'by_worth' | 'only_worth' | 'by_public_value';

/** Which areas are built, and in which turn; `only_worth` is the order by worth without those that do not pay. */
export function orderOf(text: string): Order {
  const order = rawOf(text, 'phases.order')?.replaceAll(/["']/g, '') ?? 'as_planned';
  if (order !== 'as_planned' && rawOf(text, 'phases.only_worth') === 'true') return 'only_worth';
  return order === 'by_worth' || order === 'by_public_value' ? order : 'as_planned';
}

/** The sheet with another order; as planned it has no budget, since the plan's phases are what they are. */
export function withOrder(text: string, order: Order): string {
  const ordered = withRaw(text, 'phases.order', `"${order === 'only_worth' ? 'by_worth' : order}"`);
  const only = withRaw(ordered, 'phases.only_worth', String(order === 'only_worth'));
  return order === 'as_planned' ? withoutTable(only, YEARLY) : only;
}

export const BUDGET: Assumed = { place: `${YEARLY}.amount`, kind: 'money' };

/** The sheet with a budget for each year from the first on, or without one. */
export function withBudget(text: string, shown: string): string {
  return shown.trim() === '' ? withoutTable(text, YEARLY) : withShown(text, BUDGET, shown);
}
