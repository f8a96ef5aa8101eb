/** A query as others ask it: an address, a line of curl, a few of Python; and as the export of all that it means. */
import type { Form, Parameters } from './draft.ts';
import { GEO_JSON, PATH } from './draft.ts';

/** Characters that stand in a query as they are: an address is to be read. */
const READABLE: Record<string, string> = { '%3A': ':', '%2C': ',', '%2F': '/', '%5B': '[', '%5D': ']', '%3B': ';', '%21': '!', '%40': '@' };

export function pathOf(parameters: Parameters): string {
  const parts = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll(/%(?:3A|2C|2F|5B|5D|3B|21|40)/g, (code) => READABLE[code] ?? code)}`);
  return parts.length > 0 ? `${PATH}?${parts.join('&')}` : PATH;
}

/** A text as a shell takes it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export function curlOf(origin: string, parameters: Parameters, form: Form, tenant: string | null): string {
  const headers = ['-H "Authorization: Bearer $TOKEN"'];
  if (tenant !== null) headers.push(`-H ${quoted(`NGSILD-Tenant: ${tenant}`)}`);
  if (form === 'geojson') headers.push(`-H ${quoted(`Accept: ${GEO_JSON}`)}`);
  const asked = Object.entries(parameters).map(([name, value]) => `--data-urlencode ${quoted(`${name}=${value}`)}`);
  return [`curl -G ${headers.join(' ')}`, ...asked, quoted(origin + PATH)].join(' \\\n  ');
}

const PYTHON: Record<string, string> = { type: 'type', id: 'id', idPattern: 'id_pattern', q: 'q', scopeQ: 'scope', attrs: 'attrs', pick: 'pick', omit: 'omit', orderBy: 'order_by', lang: 'lang', datasetId: 'dataset_id', join: 'join' };

/** The same by `broadstreet.client`. */
export function pythonOf(origin: string, parameters: Parameters, tenant: string | null): string {
  const given = Object.entries(parameters).flatMap(([name, value]) => (name in PYTHON ? [`${PYTHON[name]}=${JSON.stringify(value)}`] : []));
  const metres = /^near;maxDistance==(.+)$/.exec(parameters.georel ?? '')?.[1];
  const { geometry, coordinates = '' } = parameters;
  if (metres !== undefined && geometry === 'Point') given.push(`near=(${coordinates.slice(1, -1).replace(',', ', ')}, ${metres})`);
  if (parameters.georel === 'within') given.push(`within={"type": ${JSON.stringify(geometry)}, "coordinates": ${coordinates}}`);
  if ('joinLevel' in parameters) given.push(`join_level=${parameters.joinLevel}`);
  const asked = given.length > 1 ? `\n${given.map((one) => `    ${one},\n`).join('')}` : given.join('');
  const city = [JSON.stringify(origin), 'token=os.environ["TOKEN"]', ...(tenant === null ? [] : [`tenant=${JSON.stringify(tenant)}`])];
  return `import os\n\nfrom broadstreet.client import City\n\ncity = City(${city.join(', ')})\ncity.entities(${asked}).to_frame()`;
}

/** What the export can be asked in place of the whole query; null where it knows no such condition. */
export function exportOf(parameters: Parameters, format: string): string | null {
  const { type, id, q, georel, geometry, coordinates = '', pick, ...rest } = parameters;
  if (Object.keys(rest).some((name) => !['orderBy', 'format', 'limit', 'offset', 'count', 'local'].includes(name))) return null;
  const query = new URLSearchParams({ what: 'entities', format });
  for (const [name, value] of Object.entries({ type, q })) if (value !== undefined) query.set(name, value);
  for (const one of id?.split(',') ?? []) query.append('id', one);
  const shown = pick?.split(',').filter((name) => name !== 'id' && name !== 'type') ?? [];
  if (shown.length > 0) query.set('attrs', shown.join(','));
  if (georel === undefined) return `/v1/export?${query}`;
  const metres = /^near;maxDistance==(.+)$/.exec(georel)?.[1];
  if (metres !== undefined && geometry === 'Point') query.set('near', `${coordinates.slice(1, -1)},${metres}`);
  else return null;
  return `/v1/export?${query}`;
}

/** Whom a subscription tells, of whose change, and what it is called. */
export interface Watching {
  address: string;
  /** The attributes whose change is told of; none: any. */
  watched: readonly string[];
  name: string;
}

/** A query as a subscription: what it chooses is watched, and what it shows is told. Order, number and form are of an answer. */
export function subscriptionOf(parameters: Parameters, { address, watched, name }: Watching): Record<string, unknown> {
  const { type = '*', id, idPattern, q, scopeQ, georel, geometry, coordinates = 'null', geoproperty, pick, attrs, lang } = parameters;
  const chosen = { type, ...(idPattern === undefined ? {} : { idPattern }) };
  const shown = (pick ?? attrs ?? '').split(',').filter((one) => one !== '' && one !== 'id' && one !== 'type');
  return {
    type: 'Subscription',
    ...(name === '' ? {} : { subscriptionName: name }),
    entities: id === undefined ? [chosen] : id.split(',').map((one) => ({ ...chosen, id: one })),
    ...(q === undefined ? {} : { q }),
    ...(scopeQ === undefined ? {} : { scopeQ }),
    ...(georel === undefined ? {} : { geoQ: { georel, geometry, coordinates: JSON.parse(coordinates) as unknown, ...(geoproperty === undefined ? {} : { geoproperty }) } }),
    ...(lang === undefined ? {} : { lang }),
    ...(watched.length === 0 ? {} : { watchedAttributes: watched }),
    notification: { endpoint: { uri: address, accept: 'application/json' }, ...(shown.length === 0 ? {} : { attributes: shown }) },
  };
}
