/**
 * Asking the server. A question ends in an answer, or in a `Problem` that says what, where and what to do: the
 * server's own words where it gave any, ours where it could not be reached.
 */
import { words } from '../words/index.ts';
import type { Faults } from './answers.plan.ts';

export class Problem extends Error {
  readonly status: number;
  readonly where: string | null;
  readonly remedy: string | null;
  /** The places that are spoken of. */
  readonly faults: Faults | null;

  constructor(status: number, message: string, where: string | null = null, remedy: string | null = null, faults: Faults | null = null) {
    super(message);
    this.name = 'Problem';
    this.status = status;
    this.where = where;
    this.remedy = remedy;
    this.faults = faults;
  }

  get detail(): string {
    return this.message;
  }
}

interface ProblemBody {
  title?: string;
  detail?: string;
  where?: string;
  remedy?: string;
  faults?: Faults;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

/** A path with its query; what is null, undefined or empty is left out. */
export function withQuery(path: string, query: Query): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parts.set(name, String(value));
  }
  const text = parts.toString();
  return text ? `${path}?${text}` : path;
}

/** Who is told when the server no longer knows who asks: the session has ended. */
let signedOut: () => void = () => undefined;

export function onSignedOut(hearer: () => void): void {
  signedOut = hearer;
}

async function problemOf(response: Response): Promise<Problem> {
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const message = body.detail ?? body.title ?? words.problem.status(response.status);
  return new Problem(response.status, message, body.where ?? null, body.remedy ?? null, body.faults ?? null);
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', headers: { accept: 'application/json', ...init.headers } });
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, words.problem.unreachable, null, words.problem.unreachableRemedy);
  }
  if (response.status === 401) signedOut();
  if (!response.ok) throw await problemOf(response);
  return response;
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  const text = await (await reach(path, init)).text();
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

/** accept: the media type that is asked for, where it is not plain JSON. */
export function ask<T>(path: string, signal?: AbortSignal, accept = 'application/json'): Promise<T> {
  return send<T>(path, { ...(signal ? { signal } : {}), headers: { accept } });
}

/** A text as it is, such as a sheet. */
export async function askText(path: string): Promise<string> {
  return (await reach(path, { headers: { accept: 'text/plain, */*' } })).text();
}

export interface FileAnswer {
  name: string;
  content: Blob;
}

/** A file, and what the server calls it. */
export async function askFile(path: string): Promise<FileAnswer> {
  const response = await reach(path, { headers: { accept: '*/*' } });
  const [, name = 'file'] = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '') ?? [];
  return { name, content: await response.blob() };
}

/** One page of many: how many there are, where that was asked for, and whether more follow. */
export interface Paged<T> {
  items: T[];
  count: number | null;
  more: boolean;
}

/** A page of NGSI-LD's, which says in its headers what is beside it. */
export async function askPage<T>(path: string, signal?: AbortSignal): Promise<Paged<T>> {
  const response = await reach(path, signal ? { signal } : {});
  const count = response.headers.get('ngsild-results-count');
  const more = /rel="?next"?/.test(response.headers.get('link') ?? '');
  return { items: (await response.json()) as T[], count: count === null ? null : Number(count), more };
}

/** Sends a text as it is, such as a table. */
export function hand<T>(path: string, text: string, type: string): Promise<T> {
  return send<T>(path, { method: 'POST', headers: { 'content-type': type }, body: text });
}

/** Puts a file where it belongs, as it is. */
export function give<T>(path: string, file: Blob): Promise<T> {
  return send<T>(path, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: file });
}

export function tell<T>(path: string, body: unknown, method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' = 'POST'): Promise<T> {
  return send<T>(path, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}
