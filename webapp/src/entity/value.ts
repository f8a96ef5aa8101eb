/** Which of an entity's attributes are measured, and which describe the thing itself. */
import type { AttributeAnswer } from '../server/answers.ts';
import type { Format } from '../words/format.ts';

/** A value without its unit, as people read it. */
export function shown({ value, text, unit_label }: AttributeAnswer, format: Format): string {
  return typeof value === 'number' ? format.reading(value, unit_label) : text || '–';
}

/** What is measured, apart from what describes the thing itself. Where nothing is measured, everything counts. */
export function partedAttributes(all: AttributeAnswer[]): { measured: AttributeAnswer[]; describing: AttributeAnswer[] } {
  const measured = all.filter(({ observed_at, limit, belief }) => observed_at !== null || limit !== null || belief.verdict === 'never');
  if (measured.length === 0) return { measured: all, describing: [] };
  return { measured, describing: all.filter((attribute) => !measured.includes(attribute)) };
}
