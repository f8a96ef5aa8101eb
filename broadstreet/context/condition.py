"""A q as a question about one entity in hand, for whoever has read it already: it answers as predicate.py's SQL does.

The database compares by jsonpath in its lax mode; what of that a q can reach is written here in Python, and the two are
held against each other by a test. Regular expressions, times within values, absence and questions about linked
entities stay the database's: for a q with one of those there is no condition.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from broadstreet.context.expression import AllOf, One
from broadstreet.context.predicate import (
    ANY_OF,
    ATTRIBUTE_TIMES,
    PLAIN_MEMBERS,
    VALUE_MEMBERS,
    moments_of,
    number_ranges,
)
from broadstreet.context.query_language import Moment, Operator, Pattern, Query, Range, Term, Value
from broadstreet.context.representation import AttributeRow, EntityRow
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.model.entity import Kind
from broadstreet.model.numbers import nearest_double

EXACT: Final = 2**53
"""Up to here a whole number is a double."""
Condition = Callable[[EntityRow], bool]
Test = Callable[[AttributeRow], bool]

_decode: Final = msgspec.json.Decoder().decode
_LINKS: Final = frozenset({Kind.RELATIONSHIP, Kind.LIST_RELATIONSHIP})
_COMPARES_LINKS: Final = frozenset({None, Operator.EQUAL, Operator.UNEQUAL})
_NEGATIONS: Final = frozenset({Operator.UNEQUAL, Operator.UNLIKE})
_SIGNS: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQUAL: lambda one, other: bool(one == other),
    Operator.UNEQUAL: lambda one, other: bool(one == other),  # asked of all items, and then turned round
    Operator.LESS: lambda one, other: bool(one < other),
    Operator.LESS_EQUAL: lambda one, other: bool(one <= other),
    Operator.GREATER: lambda one, other: bool(one > other),
    Operator.GREATER_EQUAL: lambda one, other: bool(one >= other),
}


class Needs(NamedTuple):
    """An attribute's IRI, with values of which it has one, or else with numbers between which it has one."""

    name: str
    values: tuple[float | str | bool, ...]
    low: float = -math.inf
    high: float = math.inf


def condition_of(query: Query, vocabulary: Vocabulary) -> Condition | None:
    """The condition that a q states; None where only the database can tell. Raises InvalidQuery."""
    if isinstance(query, One):
        return _leaf(query.leaf, vocabulary)
    parts: list[Condition] = []
    for part in query.parts:
        condition = condition_of(part, vocabulary)
        if condition is None:
            return None
        parts.append(condition)
    if isinstance(query, AllOf):
        return lambda entity: all(part(entity) for part in parts)
    return lambda entity: any(part(entity) for part in parts)


def needs_of(query: Query, vocabulary: Vocabulary) -> Needs | None:
    """What must hold of one attribute wherever the q holds; None: nothing is known."""
    if not isinstance(query, One):
        found = [needs_of(part, vocabulary) for part in query.parts] if isinstance(query, AllOf) else []
        known = [one for one in found if one is not None]
        return next((one for one in known if one.values), known[0] if known else None)
    term = query.leaf
    is_plain = len(term.path.names) == 1 and not term.path.keys and term.subquery is None
    if not is_plain or term.operator in (None, *_NEGATIONS) or term.path.names[0] in ("createdAt", "modifiedAt"):
        return None
    name = vocabulary.expand(term.path.names[0])
    if term.operator is Operator.EQUAL and isinstance(term.operand, tuple):
        values = tuple(value for value in term.operand if not isinstance(value, Moment))
        return Needs(name, values) if len(values) == len(term.operand) else None
    ranges = number_ranges(term)
    if ranges is None:
        return None
    # Whole numbers are compared exactly, and looked up as doubles, which may be a step away.
    return Needs(name, (), math.nextafter(min(ranges[0]), -math.inf), math.nextafter(max(ranges[1]), math.inf))


def compared_values(row: AttributeRow) -> Iterator[Any]:
    """What of an attribute instance a plain comparison may look at; whole numbers as doubles."""
    for item in _items(_items(_values(row, ()))):
        yield nearest_double(item) if isinstance(item, int) and not isinstance(item, bool) else item


def _leaf(term: Term, vocabulary: Vocabulary) -> Condition | None:
    if term.subquery is not None or term.operator is Operator.ABSENT:
        return None
    names = term.path.names
    if len(names) == 1 and names[0] in ("createdAt", "modifiedAt") and not term.path.keys:
        return _entity_moment(term)
    test = _attribute_test(term, vocabulary)
    if test is None:
        return None
    iri = vocabulary.expand(names[0])
    return lambda entity: any(test(one) for one in entity.attributes if one.name == iri)


def _entity_moment(term: Term) -> Condition:
    if term.operator is None:
        return lambda entity: True
    lows, highs, within = moments_of(term)
    is_created = term.path.names[0] == "createdAt"

    def holds(entity: EntityRow) -> bool:
        at_us = entity.created_at_us if is_created else entity.modified_at_us
        return _lies_within(at_us, lows, highs) is within

    return holds


def _attribute_test(term: Term, vocabulary: Vocabulary) -> Test | None:
    """What one instance of the attribute must satisfy."""
    names, keys = term.path.names[1:], term.path.keys
    if len(names) == 1 and names[0] in ATTRIBUTE_TIMES and not keys and term.operator is not None:
        return _attribute_moment(term)
    if not names and not keys and term.operator is None:
        return lambda row: True
    matches = _matcher(term)
    if matches is None:
        return None
    if names:
        paths = _sub_paths(names, keys, vocabulary)
        return lambda row: bool(row.meta) and matches([value for path in paths for value in _walk(row.meta, path)])
    if term.operator in _COMPARES_LINKS:
        return lambda row: matches(_values(row, keys))
    return lambda row: row.kind not in _LINKS and matches(_values(row, keys))


def _attribute_moment(term: Term) -> Test:
    lows, highs, within = moments_of(term)
    which = ATTRIBUTE_TIMES[term.path.names[1]]

    def holds(row: AttributeRow) -> bool:
        if which == "observed":
            at_us = row.observed_at_us
            return at_us is not None and _lies_within(at_us, lows, highs) is within
        return _lies_within(row.created_at_us if which == "created" else row.modified_at_us, lows, highs) is within

    return holds


def _lies_within(at_us: int, lows: Sequence[int], highs: Sequence[int]) -> bool:
    return any(low <= at_us <= high for low, high in zip(lows, highs, strict=True))


def _sub_paths(names: Sequence[str], keys: Sequence[str], vocabulary: Vocabulary) -> list[tuple[str, ...]]:
    """Where a sub-attribute's value may stand within the sub-attributes that are kept."""
    *parents, last = names
    base = tuple(vocabulary.expand(name) for name in parents)
    if last in PLAIN_MEMBERS:
        return [(*base, last)]
    return [(*base, vocabulary.expand(last), member, *(keys or ANY_OF.get(member, ()))) for member in VALUE_MEMBERS]


def _values(row: AttributeRow, keys: Sequence[str]) -> list[Any]:
    """What stands in an attribute's value at some keys; of JSON's null alone, nothing."""
    if row.number is not None:
        return [] if keys else [row.number]
    if row.value is None:
        return []
    value = _decode(row.value)
    if not keys and row.kind is Kind.LANGUAGE_PROPERTY:
        return list(value.values())
    return list(_walk(value, keys)) if keys else [value]


def _walk(value: Any, keys: Sequence[str]) -> Iterator[Any]:
    """What jsonpath's lax mode finds: a list is looked into item by item, and what has no such key is passed over."""
    found: Iterable[Any] = [value]
    for key in keys:
        items = [item for one in found for item in (one if isinstance(one, list) else (one,))]
        objects = [one for one in items if isinstance(one, dict)]
        if key == "*":
            found = [inner for one in objects for inner in one.values()]
        else:
            found = [one[key] for one in objects if key in one]
    yield from found


def _matcher(term: Term) -> Callable[[list[Any]], bool] | None:
    """Whether some values satisfy a comparison; None where only the database can tell."""
    operand, operator = term.operand, term.operator
    if operator is None:
        return bool
    if operand is None or isinstance(operand, Pattern):
        return None
    if isinstance(operand, Range):
        low, high = operand.low, operand.high
        if isinstance(low, Moment) or isinstance(high, Moment):
            return None
        compared = _between(low, high)
    else:
        if any(isinstance(value, Moment) for value in operand):
            return None
        compared = _with_any(operand, _SIGNS[operator])
    if operator in _NEGATIONS:
        return lambda values: bool(values) and not any(map(compared, _items(values)))
    return lambda values: any(map(compared, _items(values)))


def _items(values: Iterable[Any]) -> Iterator[Any]:
    """Lists count by their items."""
    for value in values:
        if isinstance(value, list):
            yield from value
        else:
            yield value


def _with_any(operand: Sequence[Value], sign: Callable[[Any, Any], bool]) -> Callable[[Any], bool]:
    exact = [_exact(value) for value in operand]
    return lambda item: any(_of_one_sort(item, value) and sign(_exact(item), value) for value in exact)


def _between(low: Any, high: Any) -> Callable[[Any], bool]:
    low, high = _exact(low), _exact(high)

    def holds(item: Any) -> bool:
        # An item that is a list itself is looked into by each of the two comparisons.
        items = [_exact(one) for one in (item if isinstance(item, list) else (item,)) if _of_one_sort(one, low)]
        return any(low <= one for one in items) and any(one <= high for one in items)

    return holds


def _exact(value: Any) -> Any:
    """A number as the database compares it: by the decimal that it is written as."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) > EXACT:
        return Decimal(repr(value))
    return value


def _of_one_sort(item: Any, value: Any) -> bool:
    """Whether JSON values of these sorts compare: numbers with numbers, texts with texts, truth values likewise."""
    if isinstance(value, bool) or isinstance(item, bool):
        return isinstance(value, bool) and isinstance(item, bool)
    if isinstance(value, (int, float, Decimal)):
        return isinstance(item, (int, float))
    return isinstance(value, str) and isinstance(item, str)
