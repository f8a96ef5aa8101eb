/** The format that holds now: the locale of the words, the city's time zone. */
import { session } from '../server/session.svelte.ts';
import { Format } from './format.ts';
import { words } from './index.ts';

class Speaking {
  readonly format: Format = $derived(new Format(words.locale, session.timeZone));
}

const speaking = new Speaking();

export function format(): Format {
  return speaking.format;
}
