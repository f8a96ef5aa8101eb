/** Copying, with a word about how it went. Browsers allow it only where the page is served safely or from this machine. */
import { toasts } from './toasts.svelte.ts';
import { words } from './words/index.ts';

export async function copy(text: string, said: string = words.code.copied): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    toasts.say(said);
    return true;
  } catch (error) {
    if (!(error instanceof DOMException || error instanceof TypeError)) throw error;
    toasts.fail(words.code.failed);
    return false;
  }
}
