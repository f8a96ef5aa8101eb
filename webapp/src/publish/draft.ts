/** The policy as a form holds it: every field as text, with what it means read back. */
import type { Means, Publication } from '../server/answers.public.ts';

export interface Draft {
  /** What the form knows it by; it has no other name. */
  key: number;
  title: string;
  description: string;
  licence: string;
  types: string;
  datasets: string;
  attributes: string;
  means: string;
  position: string;
  days: string;
}

let keys = 0;

const listed = (names: string[] | null): string => (names ?? []).join(', ');
const named = (text: string): string[] => [...new Set(text.split(/[\s,]+/).filter(Boolean))];
const some = (text: string): string[] | null => (named(text).length > 0 ? named(text) : null);
const number = (text: string): number | null => (text === '' ? null : Number(text));

export function draftOf(item: Publication | null): Draft {
  keys += 1;
  return {
    key: keys,
    title: item?.title ?? '',
    description: item?.description ?? '',
    licence: item?.licence ?? 'CC-BY-4.0',
    types: listed(item?.types ?? null),
    datasets: listed(item?.datasets ?? null),
    attributes: listed(item?.attributes ?? ['name', 'location']),
    means: item ? (item.means ?? '') : 'hour',
    position: item ? String(item.position_m ?? '') : '100',
    days: item ? String(item.days ?? '') : '30',
  };
}

export function publicationOf(draft: Draft): Publication {
  return {
    title: draft.title.trim(),
    description: draft.description.trim(),
    licence: draft.licence.trim(),
    types: some(draft.types),
    datasets: some(draft.datasets),
    attributes: named(draft.attributes),
    means: (draft.means || null) as Means,
    position_m: number(draft.position),
    days: number(draft.days),
  };
}
