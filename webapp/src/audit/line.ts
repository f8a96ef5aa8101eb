/** A line of the audit in words: who did what, why, what stood before and after, and where to see the thing. */
import type { AuditLine } from '../server/answers.audit.ts';
import { actions, auditWords } from '../words/en.audit.ts';

export interface Change {
  name: string;
  before: string;
  after: string;
}

export function done({ action, subject, detail }: AuditLine): string {
  return actions[action]?.(subject, detail) ?? auditWords.unknown(action, subject);
}

export function why({ detail }: AuditLine): string {
  return typeof detail.why === 'string' ? detail.why : '';
}

export function isRefused({ action }: AuditLine): boolean {
  return action.endsWith('.refused');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Names are kept as IRIs; those of the standard are read by their last word. */
const VOCABULARY = /https:\/\/uri\.etsi\.org\/ngsi-ld\/(default-context\/)?/g;

function told(value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (typeof value === 'string') return value.replaceAll(VOCABULARY, '');
  if (Array.isArray(value)) return value.map(told).filter(Boolean).join(', ');
  return isObject(value) ? JSON.stringify(value) : String(value);
}

/** The facts of a list's items, each under the name of its item. */
function flat(value: unknown): Record<string, unknown> {
  if (!Array.isArray(value)) return isObject(value) ? value : {};
  const items = value.filter(isObject);
  return Object.fromEntries(items.flatMap((item, at) => Object.entries(item).map(([name, fact]) => [`${at + 1}. ${name}`, fact])));
}

/** What is another than it was, fact by fact; none where it was not written down. */
export function changes({ detail }: AuditLine): Change[] {
  if (!('after' in detail)) return [];
  const [before, after] = [flat(detail.before), flat(detail.after)];
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names.map((name) => ({ name, before: told(before[name]), after: told(after[name]) })).filter((one) => one.before !== one.after);
}

/** Where the thing is seen; null where no page shows it. */
export function place({ action, subject, entity }: AuditLine, may: (permission: string) => boolean): string | null {
  const [noun] = action.split('.');
  if (noun === 'public-view') return may('steward:write') ? '/publish' : '/public';
  if (noun === 'dead') return may('system:read') ? '/system' : null;
  if (noun === 'account' || noun === 'second-factor') return may('account:read') ? `/system?person=${encodeURIComponent(subject)}` : null;
  return entity === null ? null : `/entity?id=${encodeURIComponent(entity)}`;
}
