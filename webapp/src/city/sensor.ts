/** A sensor as the client keeps it: the server's answer, changed in place by what is heard, and its bars as numbers. */
import type { Format } from '../words/format.ts';
import type { AttributeFacts, SensorAnswer, SensorState, TypeFacts, Value } from '../server/answers.ts';

export const BARS = 24;
export const NEWEST = BARS - 1;
export const HOUR_MS = 3_600_000;

/** A value as it is now. Times are numbers: thousands a second are compared. */
export interface LiveValue {
  value: Value;
  observed_ms: number | null;
  limit: number | null;
  beyond: boolean;
}

export interface Sensor extends Omit<SensorAnswer, 'bars' | 'heard_at' | 'values'> {
  heard_ms: number | null;
  values: Record<string, LiveValue>;
  /** 24 hourly levels, oldest first, 0 to 1; NaN where nothing was heard. The last is the newest value itself. */
  bars: Float32Array;
}

/** How a type is read: its main attribute, and the range its bars span. */
export interface Reading {
  type: TypeFacts;
  main: string;
  label: string;
  unit: string;
  low: number;
  high: number;
}

export function readingsByType(types: TypeFacts[], scales: Record<string, [number, number]>): Map<string, Reading> {
  return new Map(
    types.map((type) => {
      const facts = type.attributes.find(({ name }) => name === type.main);
      const [low, high] = scales[type.main] ?? [0, 1];
      return [type.name, { type, main: type.main, label: facts?.label ?? type.main, unit: facts?.unit_label ?? '', low, high }];
    }),
  );
}

function momentOf(at: string | null): number | null {
  return at === null ? null : Date.parse(at);
}

export function sensorOf(answer: SensorAnswer, readings: Map<string, Reading>): Sensor {
  const { bars, heard_at, values, ...rest } = answer;
  const levels = new Float32Array(BARS).fill(Number.NaN);
  for (let i = 0; i < BARS; i += 1) levels[i] = bars[i] ?? Number.NaN;
  const sensor: Sensor = { ...rest, heard_ms: momentOf(heard_at), bars: levels, values: {} };
  for (const [name, { observed_at, ...current }] of Object.entries(values)) sensor.values[name] = { ...current, observed_ms: momentOf(observed_at) };
  setNewestBar(sensor, readings.get(sensor.type));
  return sensor;
}

/** The measure that stands for a sensor: its type's main one, or where it has none of that, the first it has. */
export function measureOf(sensor: Sensor, { type, main }: Reading): AttributeFacts | undefined {
  const has = type.attributes.filter(({ name }) => sensor.values[name] !== undefined);
  return has.find(({ name }) => name === main) ?? has[0];
}

export function mainValue(sensor: Sensor, reading: Reading | undefined): LiveValue | undefined {
  const name = reading && measureOf(sensor, reading)?.name;
  return name === undefined ? undefined : sensor.values[name];
}

/** A number of the main attribute as a level, 0 to 1 of its scale. */
export function levelOf(value: unknown, reading: Reading): number {
  const number = typeof value === 'boolean' ? Number(value) : value;
  if (typeof number !== 'number') return Number.NaN;
  const span = reading.high - reading.low || 1;
  return Math.min(1, Math.max(0, (number - reading.low) / span));
}

export function setNewestBar(sensor: Sensor, reading: Reading | undefined): void {
  const current = reading && sensor.values[reading.main];
  if (!reading || !current || sensor.state !== 'live') return;
  const level = levelOf(current.value, reading);
  if (!Number.isNaN(level)) sensor.bars[NEWEST] = level;
}

/** What the main attribute was in an hour of the replay: the bar, back in the attribute's own unit. */
export function valueAtHour(sensor: Sensor, reading: Reading | undefined, hour: number): number | null {
  const level = sensor.bars[hour];
  if (!reading || level === undefined || Number.isNaN(level)) return null;
  return reading.low + level * (reading.high - reading.low);
}

/** The years that imported sensors tell of: 2012, or 2012–2015. */
export function yearsOf(sensors: readonly Sensor[], format: Format): string {
  const spans = sensors.flatMap(({ imported }) => imported ?? []);
  const from = format.tick(Math.min(...spans.map((span) => Date.parse(span.from))), 'year');
  const to = format.tick(Math.max(...spans.map((span) => Date.parse(span.to))), 'year');
  return from === to ? from : `${from}–${to}`;
}

/** One reading heard. Returns whether the sensor's state changed. */
export function hear(
  sensor: Sensor,
  reading: Reading | undefined,
  item: { attribute: string; value: Value; observed_ms: number; beyond: boolean },
): boolean {
  const known = sensor.values[item.attribute];
  if (known && known.observed_ms !== null && item.observed_ms < known.observed_ms) return false;
  sensor.values[item.attribute] = {
    value: item.value,
    observed_ms: item.observed_ms,
    limit: known?.limit ?? null,
    beyond: item.beyond,
  };
  sensor.beyond = Object.values(sensor.values).some(({ beyond }) => beyond);
  sensor.imported = null;
  // What was on its way when its device was disabled does not let that in again; the server says when it is.
  const stateChanged = sensor.disabled_at === null && setState(sensor, 'live', Math.max(sensor.heard_ms ?? 0, item.observed_ms));
  setNewestBar(sensor, reading);
  return stateChanged;
}

export function setState(sensor: Sensor, state: SensorState, heard_ms: number | null): boolean {
  const changed = sensor.state !== state;
  sensor.state = state;
  if (state === 'live') sensor.why = sensor.disabled_at = null;
  sensor.heard_ms = heard_ms ?? sensor.heard_ms;
  return changed;
}
