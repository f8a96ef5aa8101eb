import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exportQuery, MAX_NAMED } from '../src/export/export.ts';
import { nearest, neighbour } from '../src/city/direction.ts';
import { filterKey, filterOf, filterPath, matches, orderOf, orderText, sorted } from '../src/city/filter.ts';
import { meanBars, merge } from '../src/city/merge.ts';
import { BARS, hear, levelOf, NEWEST, readingsByType, sensorOf, setState, valueAtHour, yearsOf } from '../src/city/sensor.ts';
import { standingOf } from '../src/map/blocks.ts';
import { Format } from '../src/words/format.ts';
import type { SensorAnswer } from '../src/server/answers.ts';

const readings = readingsByType(
  [{ name: 'Air', label: 'Air quality', main: 'NO2', attributes: [{ name: 'NO2', label: 'NO₂', unit_label: 'µg/m³' }] }],
  { NO2: [0, 50] },
);

function answer(id: string, change: Partial<SensorAnswer> = {}): SensorAnswer {
  return {
    id,
    device: id,
    title: id,
    type: 'Air',
    street: 'Bulevardi',
    lon: 24.94,
    lat: 60.17,
    bearing_deg: null,
    state: 'live',
    heard_at: '2026-03-01T12:00:00Z',
    imported: null,
    why: null,
    disabled_at: null,
    simulated: true,
    beyond: false,
    values: { NO2: { value: 25, observed_at: '2026-03-01T12:00:00Z', limit: 40, beyond: false } },
    bars: Array.from({ length: BARS }, () => 0.2),
    ...change,
  };
}

const sensor = (id: string, change: Partial<SensorAnswer> = {}) => sensorOf(answer(id, change), readings);

test('the newest bar is the newest value; a silent sensor’s is what the server says', () => {
  assert.equal(sensor('a').bars[NEWEST], 0.5);
  assert.ok(Number.isNaN(sensor('b', { state: 'silent', bars: Array.from({ length: BARS }, () => null) }).bars[NEWEST]));
});

test('a reading changes value, bar and age; an older one changes nothing', () => {
  const heard = sensor('a', { state: 'silent' });
  const reading = readings.get('Air');
  const at = Date.parse('2026-03-01T12:05:00Z');
  assert.equal(hear(heard, reading, { attribute: 'NO2', value: 45, observed_ms: at, beyond: true }), true);
  assert.deepEqual([heard.state, heard.beyond, heard.heard_ms, heard.bars[NEWEST]], ['live', true, at, Math.fround(0.9)]);
  assert.equal(hear(heard, reading, { attribute: 'NO2', value: 1, observed_ms: at - 1, beyond: false }), false);
  assert.equal(heard.values['NO2']?.value, 45);
  assert.equal(heard.values['NO2']?.limit, 40);
});

test('a level stays within its scale, and a bar tells its value again', () => {
  const reading = readings.get('Air');
  assert.ok(reading);
  assert.deepEqual([levelOf(-5, reading), levelOf(10, reading), levelOf(99, reading), levelOf(true, reading)], [0, 0.2, 1, 0.02]);
  assert.ok(Number.isNaN(levelOf('on', reading)));
  assert.equal(valueAtHour(sensor('a', { bars: [0.5] }), reading, 0), 25);
  assert.equal(valueAtHour(sensor('a', { bars: [null] }), reading, 0), null);
});

test('what a disabled device still had on its way does not let it in again; the server does', () => {
  const one = sensor('a', { state: 'silent', why: 'Disabled', disabled_at: '2026-03-01T12:00:00Z' });
  const heard_ms = Date.parse('2026-03-01T12:00:01Z');
  assert.ok(!hear(one, readings.get(one.type), { attribute: 'NO2', value: 31, observed_ms: heard_ms, beyond: false }));
  assert.deepEqual([one.state, one.disabled_at === null], ['silent', false]);
  assert.ok(setState(one, 'live', heard_ms));
  assert.deepEqual([one.state, one.why, one.disabled_at], ['live', null, null]);
});

test('a filter and an order come back from the URL', () => {
  const query = new URLSearchParams('type=Air,Light&state=silent&street=Bulevardi&sort=-heard');
  const filter = filterOf(query);
  assert.deepEqual([...filter.types], ['Air', 'Light']);
  assert.equal(orderText(orderOf(query)), '-heard');
  assert.ok(matches(sensor('a', { state: 'silent' }), filter));
  assert.ok(!matches(sensor('a'), filter));
  assert.ok(!matches(sensor('a', { state: 'silent', street: null }), filter));
  const missing = filterOf(new URLSearchParams({ state: 'missing' }));
  const disabled_at = '2026-03-01T12:00:00Z';
  assert.ok(matches(sensor('a', { state: 'never' }), missing));
  assert.ok(!matches(sensor('a', { state: 'silent', disabled_at }), missing), 'nobody waits for what is disabled');
  assert.deepEqual(orderOf(new URLSearchParams('sort=nonsense')), { key: 'title', down: false });
  assert.equal(filterOf(new URLSearchParams('state=nonsense')).standing, null);
});

test('what has no value stands last whichever way it is sorted', () => {
  const all = [sensor('never', { heard_at: null }), sensor('b10'), sensor('b9', { heard_at: '2026-03-01T11:00:00Z' })];
  const collator = new Intl.Collator('en', { numeric: true });
  const ids = (sort: string): string[] => sorted(all, orderOf(new URLSearchParams({ sort })), readings, collator).map(({ id }) => id);
  assert.deepEqual(ids('heard'), ['b9', 'b10', 'never']);
  assert.deepEqual(ids('-heard'), ['b10', 'b9', 'never']);
  assert.deepEqual(ids('title'), ['b9', 'b10', 'never']);
});

test('merging accounts for every point once, and keeps apart what is apart', () => {
  const points = Array.from({ length: 500 }, (_, i) => ({ x: (i * 37) % 400, y: (i * 61) % 300 }));
  const groups = merge(points, 40);
  assert.deepEqual(groups.flatMap(({ members }) => members).sort((a, b) => a - b), points.map((_, i) => i));
  const seeds = groups.map(({ members }) => points[members[0] ?? 0] ?? { x: 0, y: 0 });
  for (const [i, one] of seeds.entries()) for (const other of seeds.slice(i + 1)) assert.ok(Math.hypot(one.x - other.x, one.y - other.y) >= 40);
  assert.equal(merge(points, 0).length, points.length);
});

test('a mean of bars leaves out who was not heard', () => {
  const into = new Float32Array(3);
  meanBars([Float32Array.of(0.2, Number.NaN, Number.NaN), Float32Array.of(0.4, 0.5, Number.NaN)], into);
  assert.ok(Math.abs((into[0] ?? 0) - 0.3) < 1e-6);
  assert.equal(into[1], 0.5);
  assert.ok(Number.isNaN(into[2]));
});

test('an arrow key goes to the nearest sensor on that side', () => {
  const here = { id: 'here', lon: 24.94, lat: 60.17 };
  const all = [here, { id: 'near', lon: 24.941, lat: 60.1701 }, { id: 'far', lon: 24.95, lat: 60.17 }, { id: 'north', lon: 24.9401, lat: 60.171 }];
  assert.equal(neighbour(here, all, 'east')?.id, 'near');
  assert.equal(neighbour(here, all, 'north')?.id, 'north');
  assert.equal(neighbour(here, all, 'west'), null);
  assert.equal(nearest(24.9499, 60.17, all)?.id, 'far');
});

test('an export names a street, or single sensors up to a bound', () => {
  const range = { preset: null, from_ms: Date.parse('2026-03-01T00:00:00Z'), to_ms: Date.parse('2026-03-08T00:00:00Z') };
  const span = { attribute: null, format: 'csv', period: 'raw', zone: 'UTC', range } as const;
  assert.equal(exportQuery({ street: 'Pohjoinen Rautatiekatu', ids: [], ...span }), 'format=csv&street=Pohjoinen+Rautatiekatu&from=2026-03-01T00%3A00%3A00Z&to=2026-03-08T00%3A00%3A00Z');
  assert.equal(exportQuery({ street: 'X', ids: [], ...span, format: 'geojson' }), 'what=entities&format=geojson&street=X');
  const week = { ...range, preset: 'week' } as const;
  assert.equal(exportQuery({ street: 'X', ids: [], ...span, range: week, period: 'P1D', zone: 'Europe/Helsinki' }), 'format=csv&street=X&last=P7D&every=P1D&methods=avg%2Cmin%2Cmax%2CtotalCount&zone=Europe%2FHelsinki');
  const many = Array.from({ length: MAX_NAMED + 5 }, (_, i) => `urn:x:${i}`);
  assert.equal(new URLSearchParams(exportQuery({ street: null, ids: many, ...span })).getAll('id').length, MAX_NAMED);
});

test('what was imported is a state of its own: neither missing nor heard, and it tells its years', () => {
  const old = (id: string, from: string, to: string) => sensor(id, { state: 'imported', heard_at: null, imported: { from, to } });
  const [early, late] = [old('a', '2012-03-01T00:00:00Z', '2012-06-30T23:55:00Z'), old('b', '2013-01-01T12:00:00Z', '2015-05-01T00:00:00Z')];
  const format = new Format('en-GB', 'UTC');
  assert.deepEqual([yearsOf([early], format), yearsOf([early, late], format)], ['2012', '2012–2015']);
  const chosen = (state: string) => [early, sensor('s', { state: 'silent' }), sensor('n', { state: 'never' }), sensor('l')].filter((one) => matches(one, filterOf(new URLSearchParams({ state })))).map(({ id }) => id);
  assert.deepEqual([chosen('imported'), chosen('missing'), chosen('live')], [['a'], ['s', 'n'], ['l']]);
  const reading = readings.get('Air');
  hear(early, reading, { attribute: 'NO2', value: 45, observed_ms: Date.now(), beyond: false });
  assert.deepEqual([early.state, early.imported], ['live', null]);
});

test('a block stands as the best of those that are meant to report', () => {
  const block = (...states: SensorAnswer['state'][]) => ({ x: 0, y: 0, angle: 0, members: states.map((state, i) => sensor(`${i}`, { state })) });
  assert.deepEqual(
    [block('silent', 'live'), block('never', 'silent', 'imported'), block('never', 'imported'), block('imported', 'imported')].map(standingOf),
    ['live', 'silent', 'never', 'imported'],
  );
});

test('the call that is shown asks for what the filter shows', () => {
  const filter = filterOf(new URLSearchParams({ type: 'Air,Light', state: 'missing', street: 'Bulevardi', sort: 'heard' }));
  assert.equal(filterPath(filter), '/portal/api/city?type=Air%2CLight&state=missing&street=Bulevardi');
  assert.equal(filterPath(filterOf(new URLSearchParams())), '/portal/api/city');
  assert.equal(filterKey(filter), filterKey(filterOf(new URLSearchParams({ street: 'Bulevardi', state: 'missing', type: 'Light,Air' }))));
});
