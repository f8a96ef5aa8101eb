/** What the page of the design shows its components with: a day of one street, worked out, not measured. */
import type { Expected, Line, Window } from '../chart/series.ts';
import { BARS } from '../city/sensor.ts';
import type { SensorState } from '../server/answers.ts';

const STEP_MS = 300_000;
const STEPS = 288;

interface Example {
  bars: Float32Array;
  gaps: Float32Array;
  /** As `bars`, the newest far up. */
  high: Float32Array;
  rows: { name: string; value: number; bars: Float32Array; state: SensorState; beyond: boolean }[];
  line: Line;
  expected: Expected;
  gaps_ms: [number, number][];
  window: Window;
  command: string;
  qr: string;
}

/** A street's level over a day: a rush in the morning, a broader one in the evening. */
function level(hour: number): number {
  return 0.16 + 0.62 * Math.exp(-((hour - 8) ** 2) / 5) + 0.52 * Math.exp(-((hour - 17) ** 2) / 9) + 0.04 * Math.sin(hour * 7);
}

function barsFrom(shift: number, scale: number): Float32Array {
  return Float32Array.from({ length: BARS }, (_, i) => Math.min(1, scale * level((i + shift) % 24)));
}

export function example(now_ms: number): Example {
  const first_ms = now_ms - STEPS * STEP_MS;
  const gap: [number, number] = [first_ms + 130 * STEP_MS, first_ms + 150 * STEP_MS];
  const times = Array.from({ length: STEPS }, (_, i) => first_ms + i * STEP_MS).filter((at) => at < gap[0] || at > gap[1]);
  const hours = times.map((at) => ((at - first_ms) / 3_600_000) % 24);
  const v = hours.map((hour, i) => 90 * level(hour) + 4 * Math.sin(i * 1.7) + 3 * Math.sin(i * 0.61));
  const gaps = barsFrom(3, 0.9);
  gaps.fill(Number.NaN, 9, 14);
  const high = barsFrom(0, 1);
  high[BARS - 1] = 0.96;
  return {
    bars: barsFrom(0, 1),
    gaps,
    high,
    rows: [
      { name: 'Aleksanterinkatu 7', value: 31.2, bars: barsFrom(0, 1), state: 'live', beyond: false },
      { name: 'Kaisaniemenkatu 3', value: 64.8, bars: high, state: 'live', beyond: true },
      { name: 'Mannerheimintie 12', value: 22.5, bars: barsFrom(9, 0.7), state: 'live', beyond: false },
      { name: 'Unioninkatu 30', value: 18, bars: barsFrom(0, 0.4), state: 'silent', beyond: false },
    ],
    line: { label: 'NO2', unit: 'µg/m³', t_ms: times, v },
    expected: { low: hours.map((hour) => 80 * level(hour) - 10), high: hours.map((hour) => 80 * level(hour) + 16) },
    gaps_ms: [gap],
    window: { from_ms: first_ms, to_ms: now_ms },
    command: `mosquitto_pub -h localhost -p 1883 -u aq-017 -P '…' -t readings -q 1 -m '{"no2": 31.2}'`,
    qr: chequer(),
  };
}

/** A pattern that fills a QR code's place; the real ones are drawn by the server. */
function chequer(): string {
  const size = 25;
  let path = '';
  for (let y = 0; y < size; y += 1) for (let x = 0; x < size; x += 1) if ((x * 7 + y * 13 + x * y) % 5 < 2) path += `M${x} ${y}h1v1h-1z`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}"><path d="${path}"/></svg>`;
}
