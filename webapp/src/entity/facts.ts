/** What stands beside an entity's values: when it was heard, where it is, which device feeds it and how it is connected. */
import type { AttributeAnswer, DeviceAnswer, EntityAnswer } from '../server/answers.ts';
import type { Format } from '../words/format.ts';
import { words } from '../words/index.ts';
import { shown } from './value.ts';

export interface Fact {
  name: string;
  text: string;
  mono?: boolean;
  title?: string;
}

/** Told in the heading and in `Where` already. */
const TOLD = new Set(['name', 'location', 'address']);
/** An interval this much off the expected one is another. */
const ALIKE = 0.25;
const PLACES = 5;

export function factsOf(entity: EntityAnswer, describing: AttributeAnswer[], format: Format, now_ms: number): Fact[] {
  const { device } = entity;
  const address = entity.attributes.find(({ name }) => name === 'address')?.text ?? entity.street;
  const place = entity.lon === null || entity.lat === null ? null : `${entity.lat.toFixed(PLACES)}, ${entity.lon.toFixed(PLACES)}`;
  return [
    heard(entity, format, now_ms),
    ...(address || place ? [{ name: words.entity.where, text: [address, place].filter(Boolean).join(' · ') }] : []),
    ...(device ? deviceFacts(entity, device, format) : []),
    ...describing.filter(({ name }) => !TOLD.has(name)).map((one) => ({ name: one.label, text: shown(one, format) + format.gap(one.unit_label) + one.unit_label, title: one.belief.words })),
    { name: words.entity.identifier, text: entity.id, mono: true },
  ];
}

function heard({ heard_at, imported, state }: EntityAnswer, format: Format, now_ms: number): Fact {
  const moment = (at: string): string => format.moment(Date.parse(at), false);
  if (imported) return { name: words.entity.imported, text: words.entity.span(moment(imported.from), moment(imported.to)) };
  if (heard_at === null) return { name: words.entity.heard, text: state === 'never' ? words.state.never : words.age.never };
  const at_ms = Date.parse(heard_at);
  return { name: words.entity.heard, text: words.age.ago(format.duration((now_ms - at_ms) / 1000)), title: format.full(at_ms) };
}

function deviceFacts(entity: EntityAnswer, device: DeviceAnswer, format: Format): Fact[] {
  return [
    { name: words.entity.device, text: device.id, mono: true },
    { name: words.entity.profile, text: `${device.profile.name}, v${device.profile.version}` },
    { name: words.entity.pace, text: pace(device, format) },
    { name: words.entity.messages, text: format.count(device.messages) },
    { name: words.entity.registered, text: format.moment(Date.parse(device.registered_at), false) },
    ...(entity.imported ? [] : [{ name: words.entity.connection, text: connection(device, format) }]),
  ];
}

/** How often it is heard, and how often it should be where that differs. */
export function pace({ step_s, interval_s }: DeviceAnswer, format: Format): string {
  if (step_s === null) return words.entity.expected(format.duration(interval_s));
  const every = words.entity.every(step_s < 1 ? words.entity.second : format.duration(step_s));
  return Math.abs(step_s - interval_s) <= ALIKE * interval_s ? every : `${every}; ${words.entity.expected(format.duration(interval_s))}`;
}

function connection({ connection: link, messages }: DeviceAnswer, format: Format): string {
  const moment = (at: string): string => format.moment(Date.parse(at), false);
  const none = messages > 0 ? words.entity.notOverMqtt : words.entity.neverConnected;
  if (!link) return none;
  const told = [];
  if (link.disconnected_at) told.push(words.entity.disconnected(moment(link.disconnected_at), link.reason ?? ''));
  else if (link.connected_at) told.push(words.entity.connected(moment(link.connected_at)));
  if (link.refused_at) told.push(words.entity.refused(moment(link.refused_at), link.refused_reason ?? ''));
  return told.join('; ') || none;
}
