import assert from 'node:assert/strict';
import { test } from 'node:test';
import { condition, isWhole, operatorsFor, queryOf, rowsOf, type Sort } from '../src/query/condition.ts';
import { addressOf, askedOf, draftOf, parametersOf, partOf } from '../src/query/draft.ts';
import { curlOf, exportOf, pathOf, pythonOf, subscriptionOf } from '../src/query/request.ts';
import { columnsOf, rowOf, sortOf } from '../src/query/row.ts';
import { Format } from '../src/words/format.ts';

const sorts: Record<string, Sort> = { NO2: 'number', name: 'text', lit: 'flag', at: 'time', isIn: 'link', street: 'texts' };
const known = (name: string): Sort => sorts[name] ?? 'unknown';
const unknown = (): Sort => 'unknown';
const query = (text: string): URLSearchParams => new URLSearchParams(text);

test('rows become a q by the sort of their values', () => {
  const rows = [
    condition('NO2', '>', '40'),
    condition('NO2', 'within', '4.5', '5'),
    condition('name', '==', '7 "Up"'),
    condition('lit', '==', 'true'),
    condition('at', '>', '2026-03-01T00:00:00Z'),
    condition('isIn', '==', 'urn:a:1'),
    condition('street', '~=', '^Kirj'),
    condition('bearing'),
    condition('NO2', '<', ' '),
    condition('', '==', '1'),
  ];
  assert.equal(queryOf(rows, known), 'NO2>40;NO2==4.5..5;name=="7 \\"Up\\"";lit==true;at>2026-03-01T00:00:00Z;isIn=="urn:a:1";street[*]~="^Kirj";bearing');
  assert.deepEqual(rows.map(isWhole).slice(-3), [true, false, false]);
  assert.ok(!operatorsFor('place').includes('=='));
});

test('a q becomes rows where rows can say it, and means the same again', () => {
  for (const q of ['NO2>40', 'name=="7"', 'name=="a;b|c"', 'NO2==4.5..5.5;lit==true;bearing', 'at==2026-03-01T00:00:00Z..2026-03-02T00:00:00Z', 'street~="^K"', '']) {
    const rows = rowsOf(q);
    assert.ok(rows, q);
    assert.equal(queryOf(rows, unknown), q);
  }
  for (const q of ['a|b', '(a;b)', 'a.b==1', 'address[city]=="x"', 'name=="a","b"', 'a!~="x"', 'isIn{name}', 'name=="open', ';', 'a==']) assert.equal(rowsOf(q), null, q);
});

test('an address is read into the form, and the form says the same', () => {
  const near = 'type=A&q=NO2%3E40&scopeQ=%2FHelsinki%2F%23&georel=near%3BmaxDistance%3D%3D500&geometry=Point&coordinates=%5B24.9%2C60.1%5D&pick=id%2Ctype%2CNO2&orderBy=NO2%3Bdesc&limit=5&lang=fi';
  const draft = draftOf(query(near));
  assert.deepEqual([draft.where, draft.lon, draft.lat, draft.metres, draft.pick, draft.order, draft.falls], ['near', '24.9', '60.1', '500', ['NO2'], 'NO2', true]);
  assert.deepEqual(parametersOf(draft, known), { ...Object.fromEntries(query(near)), count: 'true' });
  assert.deepEqual(addressOf(draft, known), Object.fromEntries(query(near)));
  const box = parametersOf({ ...draft, where: 'box', box: ['24', '60', '25', '61'] }, known);
  assert.deepEqual(draftOf(query(new URLSearchParams(box).toString())).box, ['24', '60', '25', '61']);
  const other = draftOf(query('georel=intersects&geometry=Point&coordinates=[1,2]&q=a|b'));
  assert.equal(other.where, 'any');
  assert.equal(other.text, 'a|b');
  assert.deepEqual(parametersOf(other, known), { q: 'a|b', limit: '20', count: 'true', georel: 'intersects', geometry: 'Point', coordinates: '[1,2]' });
});

test('what is asked is what the address says, word for word', () => {
  assert.equal(askedOf(query('sel=urn:a&view=json')), null);
  assert.deepEqual(askedOf(query('q=name%3D%3D%227%22&format=geojson&count=false&offset=20&sel=x')), {
    parameters: { limit: '20', q: 'name=="7"', offset: '20' },
    form: 'geojson',
  });
  assert.deepEqual(askedOf(query('limit=5')), { parameters: { limit: '5', count: 'true', local: 'true' }, form: 'normalized' });
});

test('a fault is told at its part of the form', () => {
  assert.deepEqual(['q, character 4', 'georel', 'coordinates', 'scope', 'limit', 'orderBy', 'id', 'body', null].map(partOf), ['q', 'place', 'place', 'scope', 'limit', 'order', 'ids', null, null]);
});

test('the same question for a shell, a notebook and the export', () => {
  const asked = { type: 'A', q: `name=="it's"`, georel: 'near;maxDistance==500', geometry: 'Point', coordinates: '[24.9,60.1]', limit: '20' };
  assert.equal(pathOf({ type: 'A,B', q: 'a>1;b' }), '/ngsi-ld/v1/entities?type=A,B&q=a%3E1;b');
  const curl = curlOf('http://h', asked, 'geojson', 'harbour');
  assert.ok(curl.includes(`--data-urlencode 'q=name=="it'\\''s"'`), curl);
  assert.ok(curl.includes("-H 'NGSILD-Tenant: harbour'") && curl.includes("-H 'Accept: application/geo+json'"));
  assert.ok(pythonOf('http://h', asked, null).endsWith(`city.entities(\n    type="A",\n    q="name==\\"it's\\"",\n    near=(24.9, 60.1, 500),\n).to_frame()`));
  assert.equal(exportOf(asked, 'csv'), '/v1/export?what=entities&format=csv&type=A&q=name%3D%3D%22it%27s%22&near=24.9%2C60.1%2C500');
  assert.equal(exportOf({ ...asked, scopeQ: '/a' }, 'csv'), null);
  assert.equal(exportOf({ ...asked, georel: 'within' }, 'csv'), null);
});

test('an entity is a row with its values told', () => {
  const entity = {
    id: 'urn:x:1',
    type: 'A',
    name: { type: 'LanguageProperty', languageMap: { fi: 'Katu', en: 'Street' } },
    NO2: [{ type: 'Property', value: 1, datasetId: 'urn:d' }, { type: 'Property', value: 31.24, unitCode: 'GQ', observedAt: '2026-03-01T12:00:00Z' }],
    address: { type: 'Property', value: { streetAddress: 'Kirjatie 1', city: 'Helsinki' } },
    deep: { type: 'JsonProperty', json: { a: [1] } },
    area: { type: 'GeoProperty', value: { type: 'Polygon', coordinates: [[[24, 60], [26, 60], [26, 62], [24, 60]]] } },
    isIn: { type: 'Relationship', object: 'urn:s:1' },
  };
  const row = rowOf(entity, { GQ: 'µg/m³' }, new Format('en-GB', 'UTC'));
  assert.deepEqual([row.title, row.lon, row.lat], ['Street', 25, 61]);
  assert.deepEqual(['NO2', 'address', 'deep', 'isIn'].map((name) => row.values.get(name)?.text), ['31.2\u00a0µg/m³', 'Kirjatie 1, Helsinki', '{"a":[1]}', 'urn:s:1']);
  assert.equal(row.values.get('isIn')?.link, 'urn:s:1');
  assert.deepEqual(columnsOf([row]), ['NO2', 'address', 'deep', 'area', 'isIn']);
  assert.deepEqual([{ type: 'Property', value: true }, { type: 'Property', value: '2026-03-01T12:00:00Z' }, { type: 'GeoProperty' }].map(sortOf), ['flag', 'time', 'place']);
});

test('a question becomes a subscription to what it chooses', () => {
  const asked = { type: 'A', id: 'urn:a:1,urn:a:2', q: 'x>1', georel: 'near;maxDistance==500', geometry: 'Point', coordinates: '[24.9,60.1]', pick: 'id,type,x', limit: '20', orderBy: 'x' };
  assert.deepEqual(subscriptionOf(asked, { address: 'https://h/told', watched: ['x'], name: 'X' }), {
    type: 'Subscription',
    subscriptionName: 'X',
    entities: [{ type: 'A', id: 'urn:a:1' }, { type: 'A', id: 'urn:a:2' }],
    q: 'x>1',
    geoQ: { georel: 'near;maxDistance==500', geometry: 'Point', coordinates: [24.9, 60.1] },
    watchedAttributes: ['x'],
    notification: { endpoint: { uri: 'https://h/told', accept: 'application/json' }, attributes: ['x'] },
  });
  assert.deepEqual(subscriptionOf({ local: 'true' }, { address: 'mqtt://h/t', watched: [], name: '' }).entities, [{ type: '*' }]);
});
