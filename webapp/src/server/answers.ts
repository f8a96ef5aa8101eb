/** What the server answers, as docs/reference/portal-api.md writes it. Times are RFC 3339 unless a name ends in `_ms`. */

export type Tone = 'fine' | 'degraded' | 'wrong';
export type SensorState = 'live' | 'silent' | 'never' | 'imported';
export type Value = number | string | boolean | null | Record<string, unknown> | unknown[];

export interface Answer {
  sentence: string;
  tone: Tone;
}

export interface Session {
  principal: { name: string; title: string; roles: string[]; permissions: string[] };
  tenant: string;
  city: CityFacts;
  /** Whether a second factor must be added before anything else. */
  needs_factor: boolean;
  /** Whether somebody came in by the city’s own sign-in, and is to leave by it too. */
  is_from_provider: boolean;
}

/** What a sign-in waits for. */
export type Step = 'code' | 'passkey' | 'either';

/** A sign-in that waits for a second factor. */
export interface Pending {
  pending: Step;
}

export interface CityFacts {
  title: string;
  center: [number, number];
  bounds: [number, number, number, number];
  time_zone: string;
  basemap: string | null;
  attribution: string | null;
}

export interface AttributeFacts {
  name: string;
  label: string;
  unit_label: string;
}

export interface TypeFacts {
  name: string;
  label: string;
  main: string;
  attributes: AttributeFacts[];
}

export interface CurrentValue {
  value: Value;
  observed_at: string | null;
  limit: number | null;
  beyond: boolean;
}

export interface SensorAnswer {
  id: string;
  device: string;
  title: string;
  type: string;
  street: string | null;
  lon: number;
  lat: number;
  bearing_deg: number | null;
  state: SensorState;
  heard_at: string | null;
  /** The span of its readings, where all of them were imported. */
  imported: { from: string; to: string } | null;
  why: string | null;
  disabled_at: string | null;
  simulated: boolean;
  beyond: boolean;
  values: Record<string, CurrentValue>;
  bars: (number | null)[];
}

export interface CityAnswer {
  at: string;
  answer: Answer;
  types: TypeFacts[];
  sensors: SensorAnswer[];
  scales: Record<string, [number, number]>;
  bars_from_ms: number;
}

export interface ReadingsEvent {
  at_ms: number;
  items: [id: string, attribute: string, value: Value, observed_at_ms: number, beyond: boolean][];
}

export interface StatesEvent {
  items: [id: string, state: SensorState, heard_at: string | null][];
}

export interface RenamedEvent {
  items: [id: string, title: string][];
}

export interface GoneEvent {
  items: string[];
}

export interface SystemEvent {
  readings_per_s: number;
  lag_s: number;
  connections: number;
  dead: number;
}

export interface Steward {
  dataset: string | null;
  owner: string | null;
  purpose: string | null;
  licence: string | null;
  personal_data: string | null;
  retention: string | null;
  simulated: boolean;
}

export interface AttributeAnswer {
  name: string;
  iri: string;
  label: string;
  kind: string;
  unit: string | null;
  unit_label: string;
  value: Value;
  /** The value in words, without its unit. */
  text: string;
  observed_at: string | null;
  modified_at: string | null;
  /** When its past begins, and how far its newest readings lie apart. */
  first_at: string | null;
  step_s: number | null;
  version: number;
  limit: number | null;
  beyond: boolean;
  belief: { verdict: 'good' | 'stale' | 'simulated' | 'never'; words: string };
  steward: Steward;
}

export interface DeviceAnswer {
  id: string;
  title: string;
  profile: { name: string; version: number };
  registered_at: string;
  disabled_at: string | null;
  first_heard_at: string | null;
  last_heard_at: string | null;
  messages: number;
  /** How often it is expected, and how often it is heard. */
  interval_s: number;
  step_s: number | null;
  connection: {
    connected_at: string | null;
    disconnected_at: string | null;
    reason: string | null;
    refused_at: string | null;
    refused_reason: string | null;
  } | null;
  rejected: { count: number; is_least: boolean; newest: DeadAnswer } | null;
}

export interface EntityAnswer {
  /** All of it is as of this one moment. */
  at: string;
  id: string;
  type: string;
  type_label: string;
  title: string;
  street: string | null;
  lon: number | null;
  lat: number | null;
  state: SensorState;
  heard_at: string | null;
  imported: { from: string; to: string } | null;
  why: string | null;
  simulated: boolean;
  answer: Answer;
  device: DeviceAnswer | null;
  attributes: AttributeAnswer[];
  relationships: { name: string; target: string; target_title: string | null }[];
}

export interface SeriesAnswer {
  id: string;
  attribute: string;
  unit: string | null;
  unit_label: string;
  from: string;
  to: string;
  count: number;
  mode: 'raw' | 'downsampled';
  t_ms: number[];
  v: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  gaps_ms: [number, number][];
  limit: number | null;
}

export interface ProvenanceAnswer {
  observed_at: string;
  value: Value;
  text: string;
  origin: {
    kind: string;
    at: string;
    who: string;
    principal: string;
    pack_id: string | null;
    stream: string | null;
    partition: number | null;
    sequence: number | null;
    note: string | null;
  };
  device: { id: string; title: string } | null;
  profile: { name: string; version: number; body: string } | null;
  steps: { title: string; text: string }[];
}

export interface ChangeAnswer {
  at: string;
  kind: string;
  who: string;
  token: string | null;
  principal: string;
  attribute: string;
  value: Value;
  /** The value in words, and the one that stood there before. */
  text: string | null;
  old: string | null;
  observed_at: string | null;
  note: string | null;
}

export type Stat = 'max' | 'min' | 'mean' | 'last';

export interface RankingAnswer {
  attribute: string;
  unit_label: string;
  stat: Stat;
  from: string;
  to: string;
  sentence: string;
  rows: { id: string; title: string; street: string | null; value: number; at: string | null }[];
}

export interface SearchHit {
  kind: 'sensor' | 'street' | 'person';
  id: string;
  title: string;
  subtitle: string;
  /** Where it stands; people stand nowhere. */
  lon: number | null;
  lat: number | null;
}

/** One of `GET /v1/accounts`. */
export interface AccountAnswer {
  name: string;
  title: string;
  roles: string[];
  has_password: boolean;
  created_at: string;
  disabled_at: string | null;
}

export interface ProfileAnswer {
  name: string;
  version: number;
  type: string;
  type_label: string;
  attributes: { name: string; field: string; unit_label: string; type: string }[];
}

export interface NewDeviceAnswer {
  device: string;
  entity: string;
  secret: string;
  mqtt: { host: string; port: number };
  command: string;
  payload: string;
  qr_svg: string;
}

export interface DeadAnswer {
  at: string;
  device: string | null;
  reason: string;
  detail: string | null;
  payload: string;
  /** Name and version of the profile that failed; and what to do. */
  profile: string | null;
  remedy: string | null;
}

/** A dead letter as `/v1/dead` lists it. */
export interface LetterAnswer {
  id: string;
  at: string;
  received_at: string;
  device: string | null;
  reason: string;
  detail: string;
  profile: string | null;
  payload: string;
}

export interface LettersAnswer {
  letters: LetterAnswer[];
  before: number | null;
}

export interface SettledAnswer {
  settled: number;
  left: { id: string; why: string }[];
  after: number | null;
  until: number;
}

export interface SystemAnswer {
  at: string;
  answer: Answer;
  readings_per_s: number;
  messages_per_s: number;
  lag_s: number;
  pending_packs: number;
  dead: number;
  connections: number;
  devices: { total: number; live: number; silent: number; never: number; imported: number };
  series: number;
  observations: number;
  observations_bytes: number;
  disk: { used_bytes: number; free_bytes: number; watermark_bytes: number };
  engines: { name: string; version: string; state: string; detail: string | null }[];
  roles: { name: string; pid: number | null; uptime_s: number; restarts: number; rss_bytes: number }[];
  log: { stream: string; messages: number; bytes: number }[];
  imports: { file_name: string; started_at: string; finished_at: string | null; accepted: number; rejected: number }[];
  rate_history: { t_ms: number[]; v: (number | null)[] };
}
