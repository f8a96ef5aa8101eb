/** What a plan is worth, as docs/reference/investment.md says it. Money is whole cents, rates and shares are decimals. */

export type Group = 'revenue' | 'fees' | 'grants' | 'operating' | 'building' | 'connecting' | 'renewing' | 'tax';
export type Lever = 'cost' | 'take_up' | 'price' | 'operating' | 'interest' | 'delay_years';

/** A case in a list. `is_current`: whether the plan that it is of still stands. */
export interface CaseLine {
  name: string;
  figures: { title: string; currency: string; invested_cents: number; npv_cents: number; rate: number | null; payback_years: number | null };
  is_current: boolean;
  made_by: string;
  made_at: string;
}

export interface AreaCase {
  site: string;
  label: string;
  turn: number;
  year: number;
  premises: number;
  customers: number;
  building_cents: number;
  npv_cents: number;
  points: number;
}

export interface Case {
  name: string;
  business: { title: string; currency: string; time: { years: number; first_year: number } };
  nominal_rate: number;
  lines: { group: Group; name: string; cents: number[] }[];
  net_cents: number[];
  cumulative_cents: number[];
  residual_cents: number;
  areas: AreaCase[];
  bill_cents: number;
  invested_cents: number;
  npv_cents: number;
  rates: { found: number[]; sign_changes: number; said: string };
  modified_rate: number | null;
  payback_years: number | null;
  discounted_payback_years: number | null;
  peak_funding_cents: number;
  peak_year: number;
  cents_by_premises_passed: number | null;
  cents_by_connected: number | null;
  break_even: { take_up: number | null; price: number | null; said: string };
  public_value: { points: number; npv_cents: number | null };
  notes: string[];
}

/** One thing alone, from low to high: shares more or less, points of interest, years. */
export interface Bar {
  lever: Lever;
  low: number;
  high: number;
  low_npv_cents: number;
  high_npv_cents: number;
  low_payback_years: number | null;
  high_payback_years: number | null;
  low_rate: number | null;
  high_rate: number | null;
}

export interface Tornado {
  npv_cents: number;
  bars: Bar[];
}

export interface Grid {
  row_values: number[];
  column_values: number[];
  npv_cents: number[][];
}

export interface Chance {
  draws: number;
  percentiles: Record<string, number>;
  probability_worth: number;
  probability_paid_back: number;
}

export interface CaseAnswer extends CaseLine {
  sheet: string;
  case: Case;
  tornado: Tornado;
  chance: Chance | null;
  grid: Grid | null;
}

/** Cases side by side, held against the first. */
export interface CasesCompared {
  names: string[];
  inputs: { place: string; unit: string; values: (number | string | boolean | null)[] }[];
  outcomes: { name: string; unit: string; values: (number | null)[] }[];
  said: string[];
}
