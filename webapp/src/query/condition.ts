/**
 * Conditions of a q, one a row of the form: all must hold. What a row cannot say (alternatives, parentheses, paths into
 * values) stays a text, and is asked as it stands.
 */

/** What sort of value an attribute has, as far as that is known; it decides which operators fit. */
export type Sort = 'number' | 'text' | 'flag' | 'time' | 'link' | 'texts' | 'place' | 'other' | 'unknown';

export const OPERATORS = ['==', '!=', '>', '>=', '<', '<=', 'within', '~=', 'there'] as const;
export type Operator = (typeof OPERATORS)[number];

export interface Condition {
  key: number;
  attribute: string;
  operator: Operator;
  value: string;
  /** The other end of `within`. */
  to: string;
  /** Whether it was written in quotes, which holds where nothing else says what sort of value it is. */
  isText: boolean;
}

const COMPARED: readonly Operator[] = ['>', '>=', '<', '<=', '==', '!=', 'within', 'there'];
const FITTING: Record<Sort, readonly Operator[]> = {
  number: COMPARED,
  time: ['>', '<', 'within', '==', 'there'],
  text: ['==', '!=', '~=', 'there'],
  texts: ['==', '!=', '~=', 'there'],
  flag: ['==', 'there'],
  link: ['==', '!=', 'there'],
  place: ['there'],
  other: ['there'],
  unknown: OPERATORS,
};

export function operatorsFor(sort: Sort): readonly Operator[] {
  return FITTING[sort];
}

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const MOMENT = /^(?:\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)?|\d{2}:\d{2}:\d{2}Z?)$/;
const NAME = /^\p{L}[\p{L}\p{N}_-]*(?::\p{L}[\p{L}\p{N}_-]*)?/u;
const OPERATOR = /^(~=|==|!=|<=|>=|<|>)/;

let keys = 0;

export function condition(attribute = '', operator: Operator = 'there', value = '', to = '', isText = false): Condition {
  return { key: ++keys, attribute, operator, value, to, isText };
}

/** A value as q writes it. Of a sort that is not known, it is what it looks like. */
function literal(text: string, sort: Sort): string {
  const bare = text.trim();
  if (sort === 'number' || sort === 'time' || sort === 'flag') return bare;
  const isPlain = sort === 'unknown' && (NUMBER.test(bare) || MOMENT.test(bare) || bare === 'true' || bare === 'false');
  return isPlain ? bare : JSON.stringify(text);
}

/** Whether a row says enough to be asked. */
export function isWhole({ attribute, operator, value, to }: Condition): boolean {
  if (attribute.trim() === '') return false;
  return operator === 'there' || (value.trim() !== '' && (operator !== 'within' || to.trim() !== ''));
}

function termOf({ attribute, operator, value, to, isText }: Condition, known: Sort): string {
  const sort = known === 'unknown' && isText ? 'text' : known;
  const path = sort === 'texts' && operator !== 'there' ? `${attribute}[*]` : attribute;
  if (operator === 'there') return path;
  if (operator === 'within') return `${path}==${literal(value, sort)}..${literal(to, sort)}`;
  return path + operator + (operator === '~=' ? JSON.stringify(value) : literal(value, sort));
}

/** Rows as a q; those that are not filled in are left out. */
export function queryOf(rows: readonly Condition[], sortOf: (attribute: string) => Sort): string {
  return rows.filter(isWhole).map((row) => termOf(row, sortOf(row.attribute))).join(';');
}

/** The parts of a q between its semicolons; null where it has alternatives or parentheses. */
function parts(q: string): string[] | null {
  const found: string[] = [];
  let part = '';
  let isQuoted = false;
  for (let at = 0; at < q.length; at += 1) {
    const letter = q[at] ?? '';
    if (isQuoted && letter === '\\') {
      part += letter + (q[at + 1] ?? '');
      at += 1;
      continue;
    }
    if (letter === '"') isQuoted = !isQuoted;
    else if (!isQuoted && '|(){}'.includes(letter)) return null;
    else if (!isQuoted && letter === ';') {
      found.push(part);
      part = '';
      continue;
    }
    part += letter;
  }
  return isQuoted ? null : [...found, part];
}

/** A value out of its quotes; null where it is a list. */
function bareOf(text: string): string | null {
  if (text.startsWith('"')) {
    try {
      const said: unknown = JSON.parse(text);
      return typeof said === 'string' ? said : null;
    } catch {
      return null;
    }
  }
  return text === '' || /["\s,]/.test(text) ? null : text;
}

function rowOf(term: string): Condition | null {
  const name = NAME.exec(term)?.[0];
  if (name === undefined) return null;
  const rest = term.slice(name.length).replace(/^\[\*\]/, '');
  if (rest === '') return condition(name);
  const operator = OPERATOR.exec(rest)?.[0] as Operator | undefined;
  if (operator === undefined) return null;
  const said = rest.slice(operator.length);
  const range = operator === '==' && !said.startsWith('"') ? /^([^".,]+(?:\.\d+[^".]*)?)\.\.([^",]+)$/.exec(said) : null;
  if (range) return condition(name, 'within', range[1], range[2]);
  const value = bareOf(said);
  return value === null ? null : condition(name, operator, value, '', said.startsWith('"'));
}

/** A q as rows; null where rows cannot say it. */
export function rowsOf(q: string): Condition[] | null {
  if (q === '') return [];
  const rows = parts(q)?.map(rowOf) ?? [null];
  return rows.every((row) => row !== null) ? rows : null;
}
