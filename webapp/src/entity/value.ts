/** Any value as text, and which of an entity's attributes are measured. */
import type { AttributeAnswer, Value } from '../server/answers.ts';

const PLACES = 5;

interface Point {
  type: 'Point';
  coordinates: [number, number];
}

function isPoint(value: object): value is Point {
  return 'type' in value && value.type === 'Point' && 'coordinates' in value && Array.isArray(value.coordinates);
}

/** A point as latitude and longitude; another object as its members' values where they are plain, else as JSON. */
export function shown(value: Value): string {
  if (value === null) return '–';
  if (typeof value !== 'object') return String(value);
  if (isPoint(value)) return `${value.coordinates[1].toFixed(PLACES)}, ${value.coordinates[0].toFixed(PLACES)}`;
  const members = Object.values(value);
  return members.every((member) => typeof member === 'string' || typeof member === 'number') ? members.join(', ') : JSON.stringify(value);
}

/** What is measured, apart from what describes the thing itself. Where nothing is measured, everything counts. */
export function partedAttributes(all: AttributeAnswer[]): { measured: AttributeAnswer[]; describing: AttributeAnswer[] } {
  const measured = all.filter(({ observed_at, limit, belief }) => observed_at !== null || limit !== null || belief.verdict === 'never');
  if (measured.length === 0) return { measured: all, describing: [] };
  return { measured, describing: all.filter((attribute) => !measured.includes(attribute)) };
}
