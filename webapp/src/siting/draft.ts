/** A question as its form holds it, and the wish that comes of it. */
import type { Aim, SitingWish } from '../server/answers.siting.ts';

export interface Draft {
  name: string;
  aim: Aim;
  count: string;
  budget: string;
  radius: string;
  onFoot: boolean;
  range: string;
  /** A source of the project; empty: lamp posts are spread. */
  candidates: string;
  spread: string;
  kind: string;
  registry: string;
  q: string;
  today: string;
  scenario: string;
  mobile: boolean;
  gateways: string;
  seconds: string;
}

export function emptyDraft(): Draft {
  return { name: '', aim: 'people', count: '10', budget: '', radius: '150', onFoot: true, range: '300', candidates: '', spread: '500', kind: 'lamp_post', registry: '', q: '', today: '', scenario: '', mobile: true, gateways: '', seconds: '30' };
}

type Gateway = NonNullable<SitingWish['gateways']>[number];

const PLACE = /^(-?\d+(?:\.\d+)?)[\s,;]+(-?\d+(?:\.\d+)?)(?:[\s,;]+(\d+(?:\.\d+)?))?$/;

/** Gateways, one a line; or the first line that is none. */
export function gatewaysOf(text: string): Gateway[] | string {
  const found: Gateway[] = [];
  for (const line of text.split('\n').map((one) => one.trim()).filter(Boolean)) {
    const match = PLACE.exec(line);
    if (!match) return line;
    found.push({ id: `gateway-${found.length + 1}`, lat: Number(match[1]), lon: Number(match[2]), ...(match[3] ? { height_m: Number(match[3]) } : {}) });
  }
  return found;
}

export function wishOf(draft: Draft, gateways: Gateway[]): SitingWish {
  return {
    aim: draft.aim,
    ...(draft.count.trim() ? { count: Number(draft.count) } : {}),
    ...(draft.budget.trim() ? { budget_cents: Math.round(Number(draft.budget) * 100) } : {}),
    radius_m: Number(draft.radius),
    is_on_foot: draft.onFoot,
    ...(draft.aim === 'map' ? { covariance: { range_m: Number(draft.range) } } : {}),
    ...(draft.candidates ? { candidates: { file: draft.candidates } } : { spread: Number(draft.spread) }),
    kind: draft.kind,
    ...(draft.registry.trim() ? { registry: { type: draft.registry.trim(), ...(draft.q.trim() ? { q: draft.q.trim() } : {}) } } : {}),
    ...(draft.today ? { today: { file: draft.today } } : {}),
    ...(draft.scenario ? { scenario: draft.scenario } : {}),
    has_mobile: draft.mobile,
    gateways,
    seconds: Number(draft.seconds),
  };
}
