import assert from 'node:assert/strict';
import { test } from 'node:test';
import { viewOf, viewText } from '../src/city/view.ts';
import { angleOf } from '../src/map/blocks.ts';
import { metresPerPixel, scaleLength } from '../src/map/mercator.ts';
import { csvOf } from '../src/parts/csv.ts';
import { rangeOf, rangeQuery } from '../src/parts/range.ts';
import { fitting, least_px, slice } from '../src/parts/table.ts';

test('CSV quotes what must be quoted, and lets no spreadsheet run a name', () => {
  const text = csvOf(['a', 'b'], [['x,"y"', -1.5], ['=1+1', null], ['line\nbreak', true]]);
  assert.equal(text, 'a,b\r\n"x,""y""",-1.5\r\n\'=1+1,\r\n"line\nbreak",true\r\n');
});

test('a table draws its window and a little more, never beyond its rows', () => {
  assert.deepEqual(slice(10_000, 44, 44_000, 440), { first: 992, last: 1_018 });
  assert.deepEqual(slice(5, 44, 0, 440), { first: 0, last: 5 });
  assert.deepEqual(slice(5, 44, 44_000, 440), { first: 5, last: 5 });
  assert.deepEqual(slice(0, 44, 0, 440), { first: 0, last: 0 });
});

test('a table gives up its last columns until the others fit', () => {
  assert.deepEqual(['80px', 'minmax(96px, 1.5fr)', '1fr'].map(least_px), [80, 96, 72]);
  const columns = [
    { key: 'at', title: 'When', width: '150px' },
    { key: 'device', title: 'Device', width: 'minmax(90px, 1fr)' },
    { key: 'pid', title: 'Process', width: '80px', from_px: 500 },
    { key: 'reason', title: 'Reason', width: 'minmax(120px, 1fr)' },
  ];
  const keys = (width_px: number): string[] => fitting(columns, width_px).map(({ key }) => key);
  assert.deepEqual(keys(1_000), ['at', 'device', 'pid', 'reason']);
  assert.deepEqual(keys(450), ['at', 'device', 'reason']);
  assert.deepEqual(keys(358), ['at', 'device']);
  assert.deepEqual(keys(0), ['at'], 'the first always stays');
});

test('a period comes back from the URL it made', () => {
  const now_ms = Date.parse('2026-03-01T12:00:00Z');
  const custom = { preset: null, from_ms: now_ms - 7_200_000, to_ms: now_ms };
  const query = new URLSearchParams(Object.entries(rangeQuery(custom)).flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
  assert.deepEqual(rangeOf(query, 0), custom);
  assert.equal(rangeOf(new URLSearchParams('range=week'), now_ms).from_ms, now_ms - 7 * 86_400_000);
  assert.equal(rangeOf(new URLSearchParams('from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z'), now_ms).preset, 'day');
});

test('a view of the map comes back from the URL it made', () => {
  const view = { lon: 24.94431, lat: 60.17163, zoom: 15.25 };
  assert.deepEqual(viewOf(new URLSearchParams({ at: viewText(view) })), view);
  for (const text of ['', '1,2', 'a,b,c', '1,2,3,4']) assert.equal(viewOf(new URLSearchParams({ at: text })), null);
});

test('a stack’s ground line lies along its street and never stands on its head', () => {
  for (let bearing = 0; bearing < 360; bearing += 1) {
    const angle = angleOf(bearing);
    assert.ok(Math.cos(angle) >= -1e-9, `bearing ${bearing} reads from right to left`);
    // Along the street or against it: sine and cosine of a bearing are east and north, and north is up the screen.
    const cross = Math.cos(angle) * -Math.cos((bearing * Math.PI) / 180) - Math.sin(angle) * Math.sin((bearing * Math.PI) / 180);
    assert.ok(Math.abs(cross) < 1e-9, `bearing ${bearing} stands askew`);
  }
  assert.equal(angleOf(null), 0);
});

test('the scale bar is as long as it says', () => {
  for (const zoom of [10, 12.3, 15, 17.7, 20]) {
    const { length_m, width_px } = scaleLength(60.17, zoom, 120);
    assert.ok(width_px <= 120);
    assert.ok(Math.abs(width_px * metresPerPixel(60.17, zoom) - length_m) < 1e-6);
  }
});
