/** Where sensors go, as docs/reference/planning.md writes it. Money is whole cents; variances are in readings' units, squared. */
import type { FeatureCollection, Point } from 'geojson';
import type { Trouble } from './answers.plan.ts';

export type Aim = 'people' | 'customers' | 'streets' | 'map';
export type Means = 'fibre' | 'lorawan' | 'mobile';
export type SitingState = 'waiting' | 'running' | 'chosen' | 'failed' | 'cancelled';

export interface SitingWish {
  aim?: Aim;
  count?: number | null;
  budget_cents?: number | null;
  radius_m?: number;
  is_on_foot?: boolean;
  candidates?: { file: string } | null;
  spread?: number;
  kind?: string;
  today?: { file: string } | null;
  registry?: { type: string; q?: string | null } | null;
  gateways?: { id: string; lon: number; lat: number; height_m?: number }[];
  has_mobile?: boolean;
  map_step_m?: number;
  covariance?: { range_m: number; sill?: number; nugget?: number };
  scenario?: string | null;
  seconds?: number;
}

export interface SitingFigures {
  objective: 'coverage' | 'variance';
  audience: Exclude<Aim, 'map'>;
  currency: string;
  sites: number;
  cost_cents: number;
  value: number;
  bound: number;
  gap: number;
  is_optimal: boolean;
  today: number;
  standing: number;
  greedy: number;
  chance: number;
  elsewhere: number | null;
  audience_total: number;
  candidates: number;
  reachable: number;
  seconds: number;
  was_stopped: boolean;
}

export interface SitingAnswer {
  id: string;
  project: string;
  name: string;
  wish: SitingWish;
  state: SitingState;
  stage: '' | 'reading' | 'preparing' | 'planning' | 'checking';
  is_stopping: boolean;
  figures: SitingFigures | null;
  trouble: Trouble | null;
  created_by: string;
  created_at: string;
  ended_at: string | null;
}

export interface Offer {
  means: Means;
  cents: number | null;
  why: string;
  spreading_factor: number | null;
  spare_db: number | null;
}

export interface SitedSensor {
  place: string;
  lon: number;
  lat: number;
  label: string;
  kind: string;
  cents: number;
  connection: Offer;
  others: Offer[];
  gain: number;
  after: { covered: number; mean_variance: number | null };
}

export interface SitingStatement {
  sites: SitedSensor[];
  nothing: { covered: number; mean_variance: number | null };
}

/** A site has `order`, a sensor that stands `today`, a gateway `gateway`. */
export type SitingPoints = FeatureCollection<Point, { order?: number; place?: string; today?: string; gateway?: string; label?: string }>;
