import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastWindow } from '../src/entity/span.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const now_ms = Date.UTC(2026, 2, 1);
const at = (ms: number): string => new Date(ms).toISOString();

test('what was heard within a day is shown up to now', () => {
  assert.equal(lastWindow({ first_at: at(0), observed_at: at(now_ms - HOUR_MS), step_s: 60 }, now_ms), null);
  assert.equal(lastWindow({ first_at: null, observed_at: null, step_s: null }, now_ms), null);
});

test('an old past opens on its last day, or on as many as its line needs', () => {
  const last_ms = Date.UTC(2015, 11, 31);
  const first_ms = Date.UTC(2012, 0, 1);
  const hourly = lastWindow({ first_at: at(first_ms), observed_at: at(last_ms), step_s: 3600 }, now_ms);
  assert.ok(hourly && hourly.from_ms < last_ms - 47 * HOUR_MS && hourly.from_ms > last_ms - 3 * DAY_MS && hourly.to_ms > last_ms);
  const daily = lastWindow({ first_at: at(first_ms), observed_at: at(last_ms), step_s: 86_400 }, now_ms);
  assert.ok(daily && Math.round((last_ms - daily.from_ms) / DAY_MS) === 49);
  const short = lastWindow({ first_at: at(last_ms - 3 * DAY_MS), observed_at: at(last_ms), step_s: 86_400 }, now_ms);
  assert.ok(short && short.from_ms < last_ms - 3 * DAY_MS && short.from_ms > last_ms - 4 * DAY_MS);
});
