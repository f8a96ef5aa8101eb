/**
 * A sheet in TOML as a form edits it: one value is read or replaced where it stands, and all else, the comments that
 * explain it among it, stays as it was written. The server reads the sheet; here only plain lines are understood, and
 * what stands in another form is left to whoever edits the text.
 */
const HEADER = /^\s*\[([^[\]]+)\]\s*(?:#.*)?$/;
const ENTRY = /^(\s*([A-Za-z0-9_-]+)\s*=\s*)(\{[^}]*\}|\[[^\]]*\]|"(?:[^"\\]|\\.)*"|'[^']*'|[^#\s]+)/;

interface Found {
  line: number;
  from: number;
  raw: string;
}

const tableOf = (header: string): string =>
  header
    .split('.')
    .map((part) => part.trim().replaceAll('"', ''))
    .join('.');

function lines(text: string): string[] {
  return text.split('\n');
}

function entry(text: string, table: string, key: string): Found | null {
  let now = '';
  for (const [line, content] of lines(text).entries()) {
    const header = HEADER.exec(content)?.[1];
    if (header !== undefined) now = tableOf(header);
    else if (now === table) {
      const match = ENTRY.exec(content);
      if (match?.[2] === key) return { line, from: match[1]?.length ?? 0, raw: match[3] ?? '' };
    }
  }
  return null;
}

/** A value of a table written in one line: { ceiling = 0.5 }. */
function within(found: Found, key: string): Found | null {
  if (!found.raw.startsWith('{')) return null;
  const match = new RegExp(`([{,]\\s*${key}\\s*=\\s*)([^,}\\s]+)`).exec(found.raw);
  return match ? { line: found.line, from: found.from + match.index + (match[1]?.length ?? 0), raw: match[2] ?? '' } : null;
}

function find(text: string, place: string): Found | null {
  const parts = place.split('.');
  const key = parts.at(-1) ?? '';
  const plain = entry(text, parts.slice(0, -1).join('.'), key);
  if (plain || parts.length < 2) return plain;
  const above = entry(text, parts.slice(0, -2).join('.'), parts.at(-2) ?? '');
  return above && within(above, key);
}

/** The value at a place such as `money.discount_rate`, as it is written; null where there is none that is understood. */
export function rawOf(text: string, place: string): string | null {
  return find(text, place)?.raw ?? null;
}

/** The sheet with another value at a place; a place that is not there yet gets a line of its own. */
export function withRaw(text: string, place: string, raw: string): string {
  const all = lines(text);
  const found = find(text, place);
  if (found) {
    const was = all[found.line] ?? '';
    all[found.line] = was.slice(0, found.from) + raw + was.slice(found.from + found.raw.length);
    return all.join('\n');
  }
  const parts = place.split('.');
  const [table, key] = [parts.slice(0, -1).join('.'), parts.at(-1) ?? ''];
  const header = all.findIndex((line) => tableOf(HEADER.exec(line)?.[1] ?? '') === table);
  if (header >= 0) return [...all.slice(0, header + 1), `${key} = ${raw}`, ...all.slice(header + 1)].join('\n');
  return `${text.trimEnd()}\n\n[${table}]\n${key} = ${raw}\n`;
}

/** The sheet without a table, its own lines and all. */
export function withoutTable(text: string, table: string): string {
  let inside = false;
  return lines(text)
    .filter((line) => {
      const header = HEADER.exec(line)?.[1];
      if (header !== undefined) inside = tableOf(header) === table;
      return !inside;
    })
    .join('\n');
}

export function numberOf(text: string, place: string): number | null {
  const raw = rawOf(text, place)?.replaceAll('_', '');
  const value = raw ? Number(raw) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

/** Names of the tables right below one, in the order in which they stand: the kinds of customers. */
export function tablesBelow(text: string, above: string): string[] {
  const found = lines(text).flatMap((line) => {
    const table = tableOf(HEADER.exec(line)?.[1] ?? '');
    const name = table.startsWith(`${above}.`) ? table.slice(above.length + 1) : '';
    return name && !name.includes('.') ? [name] : [];
  });
  return [...new Set(found)];
}
