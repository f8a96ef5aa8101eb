import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { en } from '../src/words/en.ts';
import { Format } from '../src/words/format.ts';

const at_2026 = (): number => Date.parse('2026-07-01T12:00:00Z');
const helsinki = new Format(en.locale, 'Europe/Helsinki', at_2026);

interface Told {
  quantities: [number, string, string][];
  limits: [number, string, string][];
  rates: [number, string][];
  durations_s: [number, string][];
}
const told = JSON.parse(readFileSync(new URL('told.json', import.meta.url), 'utf8')) as Told;
const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
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

test('the client writes as the server does', () => {
  for (const [value, unit, text] of told.quantities) assert.equal(plain(helsinki.quantity(value, unit)), text);
  for (const [value, unit, text] of told.limits) assert.equal(plain(helsinki.limit(value, unit)), text);
  for (const [value, text] of told.rates) assert.equal(helsinki.rate(value), text);
  for (const [length_s, text] of told.durations_s) assert.equal(helsinki.duration(length_s), text);
});

test('a value keeps the digits that mean something', () => {
  const values = [0.123, -0.5, 9.44, 23, 23.75, 118.6, -4.25].map((value) => helsinki.value(value));
  assert.deepEqual(values, ['0.12', '−0.50', '9.4', '23', '23.8', '119', '−4.3']);
});

test('an age is told in words, and in a drawing by a mark', () => {
  const ages = [0, 1, 59.9, 60, 5_400, 7_200, 172_800];
  assert.deepEqual(
    ages.map((seconds) => helsinki.duration(seconds)),
    ['0 seconds', '1 second', '59 seconds', '1 minute', '90 minutes', '2 hours', '2 days'],
  );
  assert.deepEqual(
    ages.map((seconds) => helsinki.mark(seconds)),
    ['0s', '1s', '59s', '1m', '90m', '2h', '2d'],
  );
});

test('a date has its year where that is not this one', () => {
  assert.equal(helsinki.moment(Date.parse('2026-03-03T12:02:07Z')), '3 Mar, 14:02:07');
  assert.equal(helsinki.moment(Date.parse('2012-03-03T12:02:07Z'), false), '3 Mar 2012, 14:02');
  assert.equal(helsinki.date(Date.parse('2025-12-31T22:30:00Z')), '1 Jan', 'by the city’s calendar, not by UTC');
});

test('one is not told as many', () => {
  assert.equal(en.chart.raw(helsinki.counted(1)), '1 reading, each drawn');
  assert.equal(en.table.rows(helsinki.counted(1)), '1 row');
  assert.equal(en.city.counted(helsinki.counted(1), helsinki.counted(1)), '1 sensor');
  assert.equal(en.city.counted(helsinki.counted(1), helsinki.counted(1_200)), '1 of 1,200 sensors');
  assert.equal(en.search.hits(helsinki.counted(0)), '0 results');
});

test('numbers and units follow the locale of the words, times the city’s zone', () => {
  const german = new Format('de', 'America/Los_Angeles');
  assert.equal(german.count(4_300_000), '4.300.000');
  assert.equal(plain(german.quantity(61.4, '%')), '61 %');
  assert.equal(helsinki.about(4_312_345), '4,310,000');
  assert.equal(german.clock(Date.parse('2012-03-01T08:05:00Z')), '00:05');
});

test('bytes are whole, and named in full', () => {
  assert.deepEqual([0, 912, 81_000_000, 4_200_000_000].map((size) => helsinki.bytes(size)), ['0 bytes', '912 bytes', '81 MB', '4.2 GB']);
});
