"""q, the query language of NGSI-LD (4.9 of the standard): read into a tree, and written back.

    q          = term *((";" / "|") term), with parentheses
    term       = path                                   the attribute exists
               / "!" path                               it does not, which is beyond the standard
               / path operator value                    operator: == != < <= > >=
               / path ("==" / "!=") (value ".." value)  within the range, or not
               / path ("==" / "!=") value *("," value)  one of them, or none
               / path ("~=" / "!~=") pattern            a POSIX regular expression
               / name "{" [types ":"] q "}"             holds for an entity that the relationship leads to
    path       = name *("." name) ["[" key *("." key) "]"]
               / name "{" [types ":"] path "}"          the same: a{b}==1 is a{b==1}
    types      = name *("," name)                        one of which the linked entity has

`name.name` leads to sub-attributes, `[key.key]` into a JSON value or a languageMap (`[*]`: any language). Names are
kept as they were written: what they mean is up to the request's @context. The first name before a colon in braces is a
type's, so that a name with a prefix stands there behind one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Final, TypeAlias

import msgspec

from broadstreet.context.bounds import MAX_PATTERN_LENGTH, MAX_QUERY_TERMS, MAX_QUERY_VALUES
from broadstreet.context.expression import Expression, One, Scanner, leaves, parse_expression, parse_part, render
from broadstreet.model.clock import parse_rfc3339
from broadstreet.model.errors import InvalidInput, TooLarge, TooMany


class Operator(StrEnum):
    """How a target and a value are compared."""

    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    LIKE = "~="
    UNLIKE = "!~="
    ABSENT = "!"
    """The target is not there; there is no operand."""


class TimeForm(StrEnum):
    """How a time was written."""

    DATE_TIME = "date-time"
    DATE = "date"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Moment:
    """A date-time, a date or a time of day, as it was written."""

    text: str
    form: TimeForm


Value = float | bool | str | Moment
"""An integer is a float that happens to be whole."""


@dataclass(frozen=True, slots=True)
class Range:
    """From one value to another of the same sort, both included."""

    low: float | str | Moment
    high: float | str | Moment


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression."""

    regex: str


@dataclass(frozen=True, slots=True)
class Path:
    """Where to look: an attribute, its sub-attributes, and keys within the value."""

    names: tuple[str, ...]
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison; without an operator the question is whether the target exists."""

    path: Path
    operator: Operator | None = None
    operand: tuple[Value, ...] | Range | Pattern | None = None
    subquery: Subquery | None = None
    """What is asked of the entities that the path, a relationship, leads to; then there is no operator."""


Query: TypeAlias = Expression[Term]


@dataclass(frozen=True, slots=True)
class Subquery:
    """A query over linked entities. types: one of which they have; none: any."""

    types: tuple[str, ...]
    query: Query


_NAME: Final = re.compile(r"[^\W\d_][\w-]*(?::[^\W\d_][\w-]*)?")
_HINTS: Final = re.compile(r"([^\W\d_][\w-]*(?:,[^\W\d_][\w-]*)*):")
_KEY: Final = re.compile(r"[^\[\].\s]+")
_OPERATOR: Final = re.compile(r"!~=|~=|==|!=|<=|>=|<|>")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_WORD: Final = re.compile(r"(?![<>=!~])[^;|(){},\"\s]+")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_DATE: Final = r"\d{4}-\d{2}-\d{2}"
_CLOCK: Final = r"\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?"
_MOMENTS: Final = {
    TimeForm.DATE_TIME: re.compile(f"{_DATE}T{_CLOCK}"),
    TimeForm.DATE: re.compile(_DATE),
    TimeForm.TIME: re.compile(_CLOCK),
}
ZONED: Final = re.compile(r"(?:Z|[+-]\d{2}:?\d{2})$")
"""A time that says its zone."""
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_QUOTE: Final = re.compile(r'\\.|"', re.DOTALL)


def parse_query(text: str, links: int = 0) -> Query:
    """Read a q. links: how many links one behind the other it may follow. Raises InvalidQuery, TooLarge, TooMany."""
    query = parse_expression(Scanner(text, "q"), partial(_term, links=links))
    if sum(1 for _ in terms_of(query)) > MAX_QUERY_TERMS:
        raise TooMany(f"a q has at most {MAX_QUERY_TERMS} terms", where="q")
    return query


def terms_of(query: Query) -> Iterator[Term]:
    """All terms from left to right, those about linked entities behind the one that leads to them."""
    for term in leaves(query):
        yield term
        if term.subquery is not None:
            yield from terms_of(term.subquery.query)


def render_query(query: Query) -> str:
    """Write a q. `parse_query(render_query(query)) == query`."""
    return render(query, _render_term)


def parse_path(text: str, where: str) -> Path:
    """A path alone, as an order or a projection names it."""
    scanner = Scanner(text, where)
    path = _path(scanner)
    return path if scanner.is_done else scanner.fail("the end")


def is_query_name(name: str) -> bool:
    """Whether an attribute can be named so in a q."""
    return _NAME.fullmatch(name) is not None


def _term(scanner: Scanner, links: int) -> Term:
    if scanner.take("!"):
        return Term(_path(scanner), Operator.ABSENT)
    path = _path(scanner)
    subquery = _subquery(scanner, path, links)
    found = scanner.match(_OPERATOR)
    if found is None:
        return Term(path, subquery=subquery)
    if subquery is None:
        return _comparison(scanner, path, Operator(found[0]))
    target = _target(subquery)
    if target is None:
        scanner.fail("; or | or the end")
    comparison = _comparison(scanner, target.path, Operator(found[0]))
    return Term(path, subquery=_compared(subquery, comparison))


def _subquery(scanner: Scanner, path: Path, links: int) -> Subquery | None:
    """What stands in braces behind the name of a relationship."""
    if scanner.peek() != "{":
        return None
    if len(path.names) > 1 or path.keys:
        scanner.fail("a comparison (linked entities are asked about behind a relationship of the entity's own)")
    if not links:
        scanner.fail("a comparison (linked entities are asked about as far as they are joined: join, joinLevel)")
    scanner.take("{")
    hints = scanner.match(_HINTS)
    query = parse_part(scanner, partial(_term, links=links - 1))
    if not scanner.take("}"):
        scanner.fail("}")
    return Subquery(() if hints is None else tuple(hints[1].split(",")), query)


def _target(subquery: Subquery) -> Term | None:
    """The one target that a subquery names, if it does nothing else."""
    if not isinstance(subquery.query, One) or subquery.query.leaf.operator is not None:
        return None
    term = subquery.query.leaf
    return term if term.subquery is None else _target(term.subquery)


def _compared(subquery: Subquery, comparison: Term) -> Subquery:
    """The subquery with this comparison in place of its target."""
    assert isinstance(subquery.query, One)
    term = subquery.query.leaf
    inner = comparison if term.subquery is None else Term(term.path, subquery=_compared(term.subquery, comparison))
    return replace(subquery, query=One(inner))


def _comparison(scanner: Scanner, path: Path, operator: Operator) -> Term:
    if operator in (Operator.LIKE, Operator.UNLIKE):
        return Term(path, operator, _pattern(scanner))
    first = _value(scanner)
    if operator not in (Operator.EQUAL, Operator.UNEQUAL):
        if isinstance(first, bool):
            scanner.fail("a number, a text or a time")
        return Term(path, operator, (first,))
    if scanner.take(".."):
        return Term(path, operator, _range(scanner, first))
    values = [first]
    while scanner.take(","):
        values.append(_value(scanner))
        if len(values) > MAX_QUERY_VALUES:
            raise TooMany(f"a list in q has at most {MAX_QUERY_VALUES} values", where="q")
    return Term(path, operator, tuple(values))


def _path(scanner: Scanner) -> Path:
    names = [_name(scanner)]
    while scanner.take("."):
        names.append(_name(scanner))
    keys: list[str] = []
    if scanner.take("["):
        keys.append(_key(scanner))
        while scanner.take("."):
            keys.append(_key(scanner))
        if not scanner.take("]"):
            scanner.fail("]")
    return Path(tuple(names), tuple(keys))


def _name(scanner: Scanner) -> str:
    found = scanner.match(_NAME)
    return found[0] if found is not None else scanner.fail("an attribute's name")


def _key(scanner: Scanner) -> str:
    found = scanner.match(_KEY)
    return found[0] if found is not None else scanner.fail("a key")


def _range(scanner: Scanner, low: Value) -> Range:
    high = _value(scanner)
    same = type(low) is type(high) and not isinstance(low, bool)
    if isinstance(low, Moment) and isinstance(high, Moment):
        same = low.form is high.form
    if not same:
        scanner.fail("a range between two values of one sort")
    assert not isinstance(low, bool)
    assert not isinstance(high, bool)
    return Range(low, high)


def _value(scanner: Scanner) -> Value:
    quoted = scanner.match(_QUOTED)
    if quoted is not None:
        try:
            text: str = msgspec.json.decode(quoted[0], type=str)
        except (msgspec.DecodeError, UnicodeError):
            scanner.fail("a text in quotes with JSON's escapes")
        return text if "\x00" not in text else scanner.fail("a text without the character U+0000")
    for form, pattern in _MOMENTS.items():
        found = pattern.match(scanner.text, scanner.at)
        if found is not None and _ends(scanner, found.end()):
            scanner.at = found.end()
            return _moment(scanner, found[0], form)
    number = _NUMBER.match(scanner.text, scanner.at)
    if number is not None and _ends(scanner, number.end()):
        scanner.at = number.end()
        value = float(number[0])
        return value if abs(value) != float("inf") else scanner.fail("a number that is not too large")
    word = scanner.match(_WORD)
    if word is None:
        scanner.fail("a value")
    return {"true": True, "false": False}.get(word[0], word[0])


def _ends(scanner: Scanner, at: int) -> bool:
    """Whether a value may end here: before a range's dots, a list's comma, or whatever ends a term."""
    return at >= len(scanner.text) or scanner.text[at] in ";|)}," or scanner.text.startswith("..", at)


def _moment(scanner: Scanner, text: str, form: TimeForm) -> Moment:
    stand_in = {TimeForm.DATE_TIME: text, TimeForm.DATE: text + "T00:00:00Z", TimeForm.TIME: "2000-01-01T" + text}[form]
    try:
        parse_rfc3339(stand_in if ZONED.search(stand_in) else stand_in + "Z")
    except InvalidInput:
        scanner.at -= len(text)
        scanner.fail("a real date or time")
    return Moment(text, form)


def _pattern(scanner: Scanner) -> Pattern:
    quoted = scanner.match(_QUOTED)
    regex = _ESCAPED.sub(lambda m: '"' if m[1] == '"' else m[0], quoted[1]) if quoted else _bare_pattern(scanner)
    if len(regex) > MAX_PATTERN_LENGTH:
        raise TooLarge(f"a pattern has at most {MAX_PATTERN_LENGTH} characters", where="q")
    return Pattern(regex)


def _bare_pattern(scanner: Scanner) -> str:
    """A pattern without quotes: up to ; or | or a parenthesis or brace that was not opened in it."""
    begin, depth = scanner.at, 0
    while not scanner.is_done and not (depth == 0 and scanner.peek() in ";|)}"):
        depth += {"(": 1, ")": -1, "{": 1, "}": -1}.get(scanner.peek(), 0)
        scanner.at += 1
    return scanner.text[begin : scanner.at] or scanner.fail("a pattern")


def _render_term(term: Term) -> str:
    path = ".".join(term.path.names) + (f"[{'.'.join(term.path.keys)}]" if term.path.keys else "")
    if term.subquery is not None:
        hints = ",".join(term.subquery.types) + ":" if term.subquery.types else ""
        return f"{path}{{{hints}{render(term.subquery.query, _render_term)}}}"
    if term.operator in (None, Operator.ABSENT):
        return f"{term.operator or ''}{path}"
    if isinstance(term.operand, Pattern):
        return f'{path}{term.operator}"{_QUOTE.sub(_quoted, term.operand.regex)}"'
    if isinstance(term.operand, Range):
        return f"{path}{term.operator}{_render_value(term.operand.low)}..{_render_value(term.operand.high)}"
    return path + term.operator + ",".join(map(_render_value, term.operand or ()))


def _quoted(found: re.Match[str]) -> str:
    return '\\"' if found[0] == '"' else found[0]


def _render_value(value: Value) -> str:
    if isinstance(value, Moment):
        return value.text
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return msgspec.json.encode(value).decode()
