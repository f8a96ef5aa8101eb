/** Where the server answers for plans, as docs/reference/planning.md says it; and where their pages are. */
import { withQuery } from '../server/ask.ts';

const ROOT = '/v1/network';

export const PROJECTS = `${ROOT}/projects`;

export function projectPath(id: string, part = ''): string {
  return `${PROJECTS}/${encodeURIComponent(id)}${part}`;
}

export function scenarioPath(id: string, part = ''): string {
  return `${ROOT}/scenarios/${encodeURIComponent(id)}${part}`;
}

export function sitingPath(id: string, part = ''): string {
  return `${ROOT}/sitings/${encodeURIComponent(id)}${part}`;
}

export function casePath(scenario: string, name: string): string {
  return scenarioPath(scenario, `/investment/${encodeURIComponent(name)}`);
}

export function compareCasesPath(scenario: string, names: readonly string[]): string {
  const query = new URLSearchParams(names.map((name) => ['case', `${scenario}:${name}`]));
  return `${ROOT}/investment/compare?${query.toString()}`;
}

export function sheetPath(name: string): string {
  return `${ROOT}/sheets/${name}`;
}

export const PAGE = '/plan';

export function projectHref(id: string): string {
  return withQuery(PAGE, { project: id });
}

export function scenarioHref(id: string): string {
  return withQuery(PAGE, { scenario: id });
}

export function sitingHref(id: string): string {
  return withQuery(PAGE, { siting: id });
}

export function compareHref(ids: readonly string[]): string {
  return withQuery(PAGE, { compare: ids.join(',') });
}

function compared(path: string, ids: readonly string[]): string {
  const query = new URLSearchParams(ids.map((id) => ['scenario', id]));
  return `${ROOT}/${path}?${query.toString()}`;
}

export function comparePath(ids: readonly string[]): string {
  return compared('compare', ids);
}

export function compareWaysPath(ids: readonly string[]): string {
  return compared('compare/ways', ids);
}
