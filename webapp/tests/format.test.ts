import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Format } from '../src/words/format.ts';

const helsinki = new Format('en', 'Europe/Helsinki');
const HOUR_MS = 3_600_000;

test('a day is as long as the city’s clocks make it', () => {
  const ordinary = Date.parse('2026-03-10T12:00:00Z');
  const spring = Date.parse('2026-03-29T12:00:00Z');
  const autumn = Date.parse('2026-10-25T12:00:00Z');
  for (const [at, hours] of [
    [ordinary, 24],
    [spring, 23],
    [autumn, 25],
  ] as const) {
    assert.equal((helsinki.dayStart(at, 1) - helsinki.dayStart(at)) / HOUR_MS, hours);
  }
});

test('yesterday begins at the city’s midnight, not the reader’s', () => {
  const at = Date.parse('2026-03-01T22:30:00Z'); // already 2 March in Helsinki
  assert.equal(new Date(helsinki.dayStart(at, -1)).toISOString(), '2026-02-28T22:00:00.000Z');
});

test('a wall clock reads back as it was written', () => {
  for (const text of ['2026-01-15T00:00', '2026-07-15T23:59', '2026-03-29T04:00', '2026-10-25T05:00']) {
    const at = helsinki.parseWallInput(text);
    assert.ok(at !== null);
    assert.equal(helsinki.wallInput(at), text);
  }
  assert.equal(helsinki.parseWallInput('soon'), null);
});

test('a value keeps the digits that mean something', () => {
  const told = [0.123, -0.5, 9.44, 23, 23.75, 118.6, -4.25].map((value) => helsinki.value(value));
  assert.deepEqual(told, ['0.12', '−0.50', '9.4', '23', '23.8', '119', '−4.3']);
});

test('a duration is told in its largest fitting unit', () => {
  assert.deepEqual(
    [0, 59.9, 60, 3_599, 7_200, 172_800].map((seconds) => helsinki.duration(seconds)),
    ['0 sec', '59 sec', '1 min', '59 min', '2 hr', '2 days'],
  );
});

test('numbers follow the reader’s locale, times the city’s zone', () => {
  const german = new Format('de', 'America/Los_Angeles');
  assert.equal(german.count(4_300_000), '4.300.000');
  assert.equal(german.clock(Date.parse('2012-03-01T08:05:00Z')), '00:05');
});

test('bytes are whole, and named in full', () => {
  assert.deepEqual([0, 912, 81_000_000, 4_200_000_000].map((size) => helsinki.bytes(size)), ['0 bytes', '912 bytes', '81 MB', '4.2 GB']);
});
