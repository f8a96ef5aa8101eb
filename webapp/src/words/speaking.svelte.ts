/** The format that holds now: the reader's locale, the city's time zone. */
import { session } from '../server/session.svelte.ts';
import { Format } from './format.ts';

class Speaking {
  readonly format: Format = $derived(new Format(navigator.language, session.timeZone));
}

const speaking = new Speaking();

export function format(): Format {
  return speaking.format;
}
