import assert from 'node:assert/strict';
import { test } from 'node:test';
import { columnsOf, nearestPoint, nextPoint, panned, tickStyle, valueRange, zoomed } from '../src/chart/series.ts';

const line = { label: 'NO2', unit: 'µg/m³', t_ms: [0, 1_000, 5_000, 6_000], v: [1, 2, 3, 4] };

test('a line breaks within a gap and nowhere else', () => {
  const [times, values] = columnsOf(line, [[1_000, 5_000]]);
  assert.deepEqual(times, [0, 1, 3, 5, 6]);
  assert.deepEqual(values, [1, 2, null, 3, 4]);
});

test('every column is as long as the times', () => {
  const columns = columnsOf({ ...line, low: [0, 1, 2, 3], high: [2, 3, 4, 5] }, [[1_000, 5_000]], { low: [0, 0, 0, 0], high: [9, 9, 9, 9] });
  assert.deepEqual(columns.map(({ length }) => length), [5, 5, 5, 5, 5, 5]);
});

test('the axis holds all that is drawn, and the limit where it is near', () => {
  const columns = columnsOf(line, []);
  const [low, high] = valueRange(columns, null);
  assert.ok(low <= 1 && low >= 0 && high >= 4);
  assert.ok(valueRange(columns, 5)[1] >= 5);
  assert.ok(valueRange(columns, 500)[1] < 10);
  assert.equal(valueRange(columns, null, true)[0], 0);
  assert.deepEqual(valueRange(columnsOf({ ...line, t_ms: [], v: [] }, []), null), [0, 1]);
});

test('zooming keeps the middle, panning the length', () => {
  const window = { from_ms: 0, to_ms: 3_600_000 };
  assert.deepEqual(zoomed(window, 0.5), { from_ms: 900_000, to_ms: 2_700_000 });
  assert.deepEqual(panned(window, 0.25), { from_ms: 900_000, to_ms: 4_500_000 });
  assert.equal(zoomed({ from_ms: 0, to_ms: 60_000 }, 0.1).to_ms - zoomed({ from_ms: 0, to_ms: 60_000 }, 0.1).from_ms, 60_000);
});

test('the cursor steps over gaps and stops at the ends', () => {
  const columns = columnsOf(line, [[1_000, 5_000]]);
  assert.equal(nextPoint(columns, 1, 1), 3);
  assert.equal(nextPoint(columns, 3, -1), 1);
  assert.equal(nextPoint(columns, 4, 1), 4);
  assert.equal(nearestPoint(columns, 3.1), 3);
  assert.equal(nearestPoint(columnsOf({ ...line, t_ms: [], v: [] }, []), 3), -1);
});

test('the axis tells as much of a time as its step needs', () => {
  const hour_s = 3_600;
  assert.equal(tickStyle(30, 600, false), 'second');
  assert.equal(tickStyle(4 * hour_s, 24 * hour_s, false), 'minute');
  assert.equal(tickStyle(4 * hour_s, 24 * hour_s, true), 'day');
  assert.equal(tickStyle(24 * hour_s, 168 * hour_s, true), 'day');
  assert.equal(tickStyle(30 * 24 * hour_s, 400 * 24 * hour_s, true), 'month');
  assert.equal(tickStyle(366 * 24 * hour_s, 4_000 * 24 * hour_s, true), 'year');
});
