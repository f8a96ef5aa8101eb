/**
 * Where the reader is. The address bar is the state: a page reads its filter, selection and range from the query and
 * writes them back, so that every view has a URL that brings it back. A step the reader would want to undo is pushed;
 * a mere adjustment replaces.
 */

/** What the server itself answers: no pages of ours. */
const SERVED = ['/portal/', '/ngsi-ld/', '/v1/', '/docs', '/openapi.json'];

export type Change = Record<string, string | number | null | undefined>;

class Route {
  path = $state(location.pathname);
  query = $state.raw(new URLSearchParams(location.search));

  constructor() {
    addEventListener('popstate', () => this.#read());
    addEventListener('click', (event) => this.#click(event));
  }

  get(name: string): string | null {
    return this.query.get(name);
  }

  go(href: string, how: 'push' | 'replace' = 'push'): void {
    if (how === 'push') history.pushState(null, '', href);
    else history.replaceState(null, '', href);
    const before = this.path;
    this.#read();
    if (this.path !== before) scrollTo(0, 0);
  }

  /** Sets parameters of this page; null or '' removes one. */
  set(change: Change, how: 'push' | 'replace' = 'replace'): void {
    const query = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries(change)) {
      if (value === null || value === undefined || value === '') query.delete(name);
      else query.set(name, String(value));
    }
    const text = query.toString();
    this.go(location.pathname + (text ? `?${text}` : ''), how);
  }

  #read(): void {
    this.path = location.pathname;
    this.query = new URLSearchParams(location.search);
  }

  /** A plain click on a link into the portal turns the page without asking the server for it. */
  #click(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (SERVED.some((path) => link.pathname.startsWith(path)) || link.hash) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const route = new Route();

export function entityHref(id: string): string {
  return `/entity?id=${encodeURIComponent(id)}`;
}
