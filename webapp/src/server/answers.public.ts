/** What everyone may see, and the policy that says so, as docs/reference/portal-api.md and http-api.md write them. */
import type { CityFacts } from './answers.ts';

export type Means = 'hour' | 'day' | null;

export interface PublicItem {
  item: number;
  title: string;
  description: string;
  licence: string;
  attributes: string[];
  means: Means;
  position_m: number | null;
  days: number | null;
  /** Who measured it: datasets, with who answers for them. */
  sources: string[];
  places: number;
}

export interface PublicValue {
  item: number;
  attribute: string;
  label: string;
  unit: string;
  /** Null where `told` says it in words. */
  value: number | null;
  told: string;
  observed_at: string | null;
}

export interface PublicPlace {
  id: string;
  title: string;
  type: string;
  items: number[];
  lon: number | null;
  lat: number | null;
  values: PublicValue[];
}

export interface PublicPageAnswer {
  city: CityFacts;
  items: PublicItem[];
  places: PublicPlace[];
  is_cut: boolean;
  at: string;
}

export interface PublicSeriesAnswer {
  id: string;
  attribute: string;
  label: string;
  unit: string;
  item: number;
  t_ms: number[];
  v: number[];
  low: number[];
  high: number[];
  gaps_ms: [number, number][];
}

/** One item of the policy, as it is written. */
export interface Publication {
  title: string;
  licence: string;
  description: string;
  types: string[] | null;
  datasets: string[] | null;
  attributes: string[];
  means: Means;
  position_m: number | null;
  days: number | null;
}

export interface PublicPolicy {
  version: number;
  items: Publication[];
  changed_at: string | null;
  changed_by: string | null;
}
