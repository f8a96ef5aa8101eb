/** Any value as text. */
import type { Value } from '../server/answers.ts';

export function shown(value: Value): string {
  if (value === null) return '–';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
