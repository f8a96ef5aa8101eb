/** Plans of the network, as docs/reference/planning.md writes them. Money is whole cents, lengths are metres. */
import type { Feature, FeatureCollection, LineString, Point } from 'geojson';

export type ScenarioState = 'draft' | 'waiting' | 'running' | 'planned' | 'failed' | 'cancelled';
export type Role = 'feeder' | 'distribution' | 'drop';
export type SiteKind = 'office' | 'cabinet' | 'closure';

export interface Inputs {
  extract?: string | null;
  area?: { type: 'Polygon'; coordinates: number[][][] } | null;
  offices?: { id: string; label: string; lon: number; lat: number }[];
  office_candidates?: number;
  addresses?: boolean;
  houses?: boolean;
  merged_addresses?: boolean;
  demand?: { file: string }[];
  site_layers?: { file: string; columns?: { all_critical?: boolean; id?: string; label?: string } }[];
  critical?: string[];
  catalogue?: string | null;
}

/** A network by the Open Fibre Data Standard that stands already. built: statuses that count as built all the same. */
export interface StandingNetwork {
  file: string;
  built?: string[];
  carrier?: 'duct' | 'pole_line';
  room?: boolean;
}

/** What is told of a node or span of such a network. */
export interface StandingFacts {
  file: string;
  id?: string;
  name?: string;
  status?: string;
  owner?: string;
  providers?: string;
  carrier?: string;
  type?: string;
  lengthM?: number;
  straight?: boolean;
}

export interface ProjectAnswer {
  id: string;
  name: string;
  inputs: Inputs;
  /** Networks that stand: by their file alone, or with what is known beside. */
  networks: (string | StandingNetwork)[];
  owner: string;
  created_at: string;
  changed_at: string;
  scenarios: number;
  sources: number;
}

/** What is wished of a scenario; what is left out is as the project says. */
export interface Wish {
  catalogue?: string | null;
  architecture?: string | null;
  optics?: string | null;
  worth?: string | null;
  offices?: string[];
  critical?: string[] | null;
  served?: string[] | null;
  closed?: string[];
  opened?: string[];
  locked?: string[];
  budget_cents?: number | null;
  phase_budgets_cents?: number[] | null;
  seconds?: number;
  seed?: number;
}

/** What a budget's choice is worth, and what no choice is worth more than; without a budget neither is there. */
export interface Choice {
  points?: number | null;
  bound_points?: number | null;
}

/** A better plan was found, after so many seconds. */
export interface Better extends Choice {
  seconds: number;
  cost_cents: number;
  bound_cents: number;
}

export interface Outcome extends Choice {
  currency: string;
  cost_cents: number;
  bound_cents: number;
  /** How far the cost may be from the least there is, as a share of the cost. */
  gap: number;
  /** To whom a street leads; `lone` counts those to whom none does. */
  premises: number;
  lone?: number;
  served: number;
  critical: number;
  second: number;
  fibres: number;
  offices: number;
  cabinets: number;
  closures: number;
  splitters: number;
  cables: number;
  opened_m: number;
  trench_m: number;
  worst_loss_db: number;
  most_loss_db: number;
  longest_m: number;
  /** How long a fibre may be; not of plans that were made before it was kept. */
  most_m?: number | null;
  seconds: number;
  faults: number;
  was_stopped: boolean;
  budget_cents?: number | null;
  phase_cents?: number[] | null;
  point_years?: number | null;
  bound_point_years?: number | null;
}

/** What the checker found wrong. */
export interface Finding {
  kind: string;
  where: string;
  claimed: string;
  true: string;
  lon: number | null;
  lat: number | null;
}

export interface Trouble {
  detail: string;
  where: string | null;
  remedy: string | null;
  faults: Faults | null;
}

export interface ScenarioAnswer {
  id: string;
  project: string;
  name: string;
  wish: Wish;
  derived_from: string | null;
  state: ScenarioState;
  stage: '' | 'reading' | 'preparing' | 'planning' | 'checking';
  is_stopping: boolean;
  progress: Better[];
  outcome: Outcome | null;
  findings: Finding[];
  trouble: Trouble | null;
  created_by: string;
  created_at: string;
  changed_at: string;
  begun_at: string | null;
  ended_at: string | null;
}

/** A way of the ground, whatever lies in it. `way` is the same for all its pieces from one junction to the next. */
export interface GroundWay {
  way: string;
  street: string | null;
  kind: string;
  surface: string;
  length_m: number;
  open_cents: number;
  locked: boolean;
  usable?: boolean;
}

/** A way that is opened, with what lies in it. */
export interface OpenedWay extends GroundWay {
  phase: number;
  cables: string[];
  roles: Role[];
  fibres: number;
  ducts: string[];
}

export interface CableFacts {
  id: string;
  role: Role;
  fibres: number;
  lit: number;
  length_m: number;
  begins: string;
  ends: string;
}

export interface SiteFacts {
  id: string;
  kind: SiteKind;
  label: string;
  size: number | null;
  joints: number;
  splitters: string[];
}

export interface PremisesFacts {
  id: string;
  label: string;
  fibres: number;
  weight: number;
  critical: boolean;
  served: boolean;
  second: boolean;
  drop_m: number;
  loss_db: number | null;
  /** By the end of which phase it is reached. */
  phase?: number | null;
  /** What it is worth, where that decided whom to serve, or when. */
  points?: number | null;
}

export interface FaultFacts {
  kind: string;
  what: string;
  remedy: string;
}

export type Ways = FeatureCollection<LineString, OpenedWay>;
export type GroundWays = FeatureCollection<LineString, GroundWay>;
export type Cables = FeatureCollection<LineString, CableFacts>;
export type Sites = FeatureCollection<Point, SiteFacts>;
export type PremisesLayer = FeatureCollection<LineString, PremisesFacts>;
export type Faults = FeatureCollection<Point, FaultFacts>;
export type AnyFeature = Feature<LineString | Point, Record<string, unknown>>;

/** Where a fibre is cut, and what its two ends there are joined to. */
export interface Cut {
  site: string;
  up: string | null;
  down: string | null;
}

export interface Strand {
  fibre: number;
  cuts: Cut[];
  premises: string[];
}

export interface Stretch {
  begins: string;
  ends: string;
  length_m: number;
  streets: string[];
  ducts: string[];
}

export interface CableAnswer {
  id: string;
  role: Role;
  fibres: number;
  lit: number;
  length_m: number;
  stretches: Stretch[];
  strands: Strand[];
}

/** One thing that light passes, and what it loses there. */
export interface Step {
  kind: 'port' | 'splice' | 'connector' | 'splitter' | 'fibre' | 'socket';
  what: string;
  site: string;
  until: string | null;
  cable: string | null;
  fibre: number | null;
  streets: string[];
  length_m: number;
  loss_db: number;
}

export interface PathAnswer {
  socket: number;
  is_second: boolean;
  office: string;
  length_m: number;
  loss_db: number;
  most_loss_db: number;
  steps: Step[];
}

export interface PremisesAnswer {
  id: string;
  label: string;
  lon: number;
  lat: number;
  fibres: number;
  is_critical: boolean;
  served: boolean;
  drop_m: number;
  paths: PathAnswer[];
}

export interface BillItem {
  what: string;
  key: string;
  quantity: number;
  unit: string;
  labour_cents: number;
  material_cents: number;
  phase: number;
}

export interface Term {
  name: string;
  bound_cents: number;
  spent_cents: number;
  method: string;
  relaxed: string;
}

export interface BillAnswer {
  currency: string;
  cost_cents: number;
  bound_cents: number;
  gap: number;
  items: BillItem[];
  terms: Term[];
}

/** Plans side by side: each item and term has a value for each scenario, in their order. */
export interface ComparisonAnswer {
  scenarios: { id: string; name: string; project: string; outcome: Outcome }[];
  items: { what: string; key: string; unit: string; quantity: number[]; cents: number[] }[];
  terms: { name: string; bound_cents: (number | null)[]; spent_cents: (number | null)[] }[];
}

/** A way that some of the plans open and others do not; `in`: the ids of those that do. */
export type DifferentWays = FeatureCollection<LineString, GroundWay & { in: string[] }>;

/** A look at a project's ground. */
export interface GroundAnswer {
  state: 'none' | 'waiting' | 'reading' | 'ready' | 'failed';
  look: {
    bounds: [number, number, number, number];
    ways: number;
    usable_m: number;
    parts: number;
    premises: number;
    premises_by_kind: Record<string, number>;
    fibres: number;
    critical: number;
    offices: { id: string; label: string; lon: number; lat: number; given: boolean }[];
    faults: Record<string, number>;
    currency: string;
  } | null;
  trouble: Trouble | null;
  looked_at: string | null;
  layers: string[];
}

export interface SourceAnswer {
  name: string;
  form: string;
  bytes: number;
  /** False: it comes with the house. */
  is_own: boolean;
}

/** What can be had at a place. */
export interface Offer {
  product: 'shared' | 'own';
  how: 'planned' | 'spare' | 'drop' | 'extension';
  phase: number;
  is_today: boolean;
  cents: number;
  hops: { cable: string; first: string; last: string; length_m: number }[];
  length_m: number;
  dug_m: number;
  loss_db: number;
  margin_db: number;
  shared_by: number;
  /** How fast the line is by its class's standard; null: the plan's optics do not say. */
  line: { optical_class: string; down_mbit_per_s: number | null; up_mbit_per_s: number | null };
  spare: number;
  why: string;
}

export interface ServiceAnswer {
  lon: number;
  lat: number;
  premises: string;
  label: string;
  street: string;
  away_m: number;
  currency: string;
  offers: Offer[];
  refusal: string;
}
