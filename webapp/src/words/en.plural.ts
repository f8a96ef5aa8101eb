/** English numbers in words: how a plural is made. */
import type { Counted } from './format.ts';

/** Whose numbers and dates go with these words, and with the server's sentences. */
export const LOCALE = 'en-GB';
const rules = new Intl.PluralRules(LOCALE);

export function plural({ n, text }: Counted, one: string, many: string): string {
  return `${text} ${rules.select(n) === 'one' ? one : many}`;
}
