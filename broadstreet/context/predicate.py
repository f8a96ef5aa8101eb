"""Queries as SQL: the leaves stand in store/sql/filter.sql, and are joined here, every value a parameter.

A comparison with a value becomes a jsonpath predicate over the attribute's value or its sub-attributes, in lax mode,
where a list counts by its items, as 4.9 of the standard wants it. `!=` and `!~=` ask that the target is there and that
none of its items compares; of what is no text, `!~=` holds no more than `~=`. A name that no entity has ever had makes
a leaf that holds for none.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from broadstreet.context.expression import AllOf, Expression, Leaf, One, leaves
from broadstreet.context.query_language import (
    Moment,
    Operator,
    Pattern,
    Query,
    Range,
    Subquery,
    Term,
    TimeForm,
    Value,
    terms_of,
)
from broadstreet.context.transience import END, attribute_lasts, there
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.model.clock import MAX_US, MIN_US, parse_rfc3339
from broadstreet.model.errors import InvalidInput, InvalidQuery
from broadstreet.store.queries import load_queries

_SQL = load_queries("filter")
_ORDER_SQL = load_queries("ordering")
_PARAMETER: Final = re.compile(r"\$(\d+)")
_NEVER: Final = "false"
# What asks nothing but the entity itself needs no look for it.
_OF_ENTITY: Final = frozenset({"ids", "id_pattern", "types", "scope", "scope_below"})
_ROOM: Final = "true /* filter */"
_ORDER_ROOM: Final = "/* order */"

ATTRIBUTE_TIMES: Final = {"observedAt": "observed", "createdAt": "created", "modifiedAt": "modified"}
# Members of a sub-attribute that are no sub-attributes themselves.
PLAIN_MEMBERS: Final = frozenset({"unitCode", "observedAt", "datasetId", "objectType", END})
VALUE_MEMBERS: Final = ("value", "object", "languageMap", "vocab", "json", "valueList", "objectList")
ANY_OF: Final[Mapping[str, tuple[str, ...]]] = {"languageMap": ("*",)}
"""What is meant of a value where nothing within it is named: a text in any language."""
_MIRRORED: Final = {Operator.EQUAL: "==", Operator.UNEQUAL: "=="}
_METHODS: Final = {
    TimeForm.DATE_TIME: ".timestamp_tz()",
    TimeForm.DATE: ".date()",
    TimeForm.TIME: ".time_tz()",
}


class Predicate:
    """A WHERE clause over `entity e` being put together, with its arguments."""

    def __init__(
        self,
        terms: Mapping[str, int],
        vocabulary: Vocabulary,
        arguments: Sequence[Any] = (),
        expanded: frozenset[str] = frozenset(),
        overdue_us: int | None = None,
    ) -> None:
        """
        terms:     keys of those IRIs the query names that are known.
        arguments: those of the query the clause will stand in.
        expanded:  names of attributes whose query values are terms to be expanded (expandValues).
        overdue_us: now, where something may have ended that is to be left out.
        """
        self._terms = terms
        self._vocabulary = vocabulary
        self._expanded = expanded
        self.arguments: list[Any] = list(arguments)
        self._now = 0
        if overdue_us is not None:
            self.arguments.append(overdue_us)
            self._now = len(self.arguments)
        self._parts = [self._there("e.deleted_at IS NULL")]
        self._orders: list[str] = []

    def within(self, query: str) -> str:
        """A query with this clause where it leaves room for one."""
        ordered = "".join(f"{expression}, " for expression in self._orders)
        return query.replace(_ROOM, " AND ".join(self._parts)).replace(_ORDER_ROOM, ordered or _ORDER_ROOM)

    def require(self, part: str) -> None:
        """Everything found must satisfy this part, too."""
        self._parts.append(part)

    def order(self, expression: str) -> None:
        """What is found comes in this order, after those before."""
        self._orders.append(expression)

    def leaf(self, name: str, *arguments: Any) -> str:
        """A named query of filter.sql with its arguments, as a part."""
        if name in _OF_ENTITY:
            return self.condition(name, *arguments)
        return f"e.key IN ({self._numbered(_SQL[name], arguments)})"

    def condition(self, name: str, *arguments: Any) -> str:
        """What a named query of filter.sql asks of a table that stands beside the entity already, as a part."""
        return "(" + self._numbered(_SQL[name].partition("\nWHERE ")[2], arguments) + ")"

    def scalar(self, name: str, *arguments: Any) -> str:
        """A named query of ordering.sql with its arguments, as an expression."""
        return f"({self._numbered(_ORDER_SQL[name], arguments)})"

    def _numbered(self, query: str, arguments: Sequence[Any]) -> str:
        shift = len(self.arguments)
        self.arguments.extend(arguments)
        return self._there(_PARAMETER.sub(lambda m: f"${int(m[1]) + shift}", query))

    def _there(self, part: str) -> str:
        return there(part, self._now) if self._now else part

    def require_lasting(self, alias: str) -> None:
        """What a table of series names must not have ended."""
        if self._now:
            self.require(attribute_lasts(alias, self._now))

    def join(self, expression: Expression[Leaf], leaf: Callable[[Leaf], str]) -> str:
        """An expression as a part, its leaves made by `leaf`."""
        if isinstance(expression, One):
            return leaf(expression.leaf)
        word = " AND " if isinstance(expression, AllOf) else " OR "
        return "(" + word.join(self.join(part, leaf) for part in expression.parts) + ")"

    def types(self, expression: Expression[str]) -> str:
        """A type selection; its leaves are IRIs."""
        return self.join(expression, lambda iri: self._with_terms([iri], lambda keys: self.leaf("types", keys)))

    def attributes(self, iris: Sequence[str]) -> str:
        """Any of these attributes is there."""
        keys = [self._terms[iri] for iri in iris if iri in self._terms]
        return self.leaf("attributes", keys) if keys else _NEVER

    def query(self, query: Query) -> str:
        """A q."""
        return self.join(query, self._term)

    def scope(self, regex: str) -> str:
        """One of its scopes matches."""
        return self.leaf("scope", regex)

    def _with_terms(self, iris: Sequence[str], make: Callable[[list[int]], str]) -> str:
        keys = [self._terms.get(iri) for iri in iris]
        return _NEVER if None in keys else make([key for key in keys if key is not None])

    def _term(self, term: Term) -> str:
        if term.operator is Operator.ABSENT:
            return f"NOT {self._term(Term(term.path))}"
        names = term.path.names
        if len(names) == 1 and names[0] in ("createdAt", "modifiedAt") and not term.path.keys:
            return self._entity_moment(term, ATTRIBUTE_TIMES[names[0]])
        return self._with_terms([self._vocabulary.expand(names[0])], lambda keys: self._attribute_term(term, keys[0]))

    def _linked(self, subquery: Subquery, key: int) -> str:
        """An entity that a relationship leads to satisfies a query."""
        parts = [self._there("e.deleted_at IS NULL"), self.query(subquery.query)]
        if subquery.types:
            iris = [self._vocabulary.expand(name) for name in subquery.types]
            typed = [self._with_terms([iri], lambda keys: self.leaf("types", keys)) for iri in iris]
            parts.append("(" + " OR ".join(typed) + ")")
        return self.leaf("linked", key).replace(_ROOM, " AND ".join(parts))

    def _attribute_term(self, term: Term, key: int) -> str:
        if term.subquery is not None:
            return self._linked(term.subquery, key)
        names, keys = term.path.names[1:], term.path.keys
        if len(names) == 1 and names[0] in ATTRIBUTE_TIMES and not keys and term.operator is not None:
            lows, highs, within = moments_of(term)
            return self.leaf("moment", key, lows, highs, ATTRIBUTE_TIMES[names[0]], within)
        if names:
            predicate, variables = _compare(term, self._sub_targets(names, keys), self._literal(term))
            return self.leaf("sub_attribute", key, predicate, variables)
        if term.operator is None and not keys:
            return self.leaf("attributes", [key])
        return self._valued(term, key, *_compare(term, ["$" + _steps(keys)], self._literal(term)))

    def _valued(self, term: Term, key: int, predicate: str, variables: dict[str, Any]) -> str:
        """The attribute's value, or what stands within it, satisfies a jsonpath predicate."""
        ranges = number_ranges(term)
        if ranges is not None and not term.path.keys:
            return self.leaf("number", key, *ranges, predicate, variables)
        return self.leaf("value", key, predicate, variables, relationships_count(term), not term.path.keys)

    def _entity_moment(self, term: Term, which: str) -> str:
        if term.operator is None:
            return "true"
        lows, highs, within = moments_of(term)
        return self.leaf("entity_moment", lows, highs, which, within)

    def _literal(self, term: Term) -> Callable[[Value], Value]:
        """How a value of this term is read: as it stands, or expanded."""
        if term.path.names[0] not in self._expanded:
            return lambda value: value
        return lambda value: self._vocabulary.expand(value) if isinstance(value, str) else value

    def _sub_targets(self, names: Sequence[str], keys: Sequence[str]) -> list[str]:
        """Where a sub-attribute's value may stand within the sub-attributes that are kept."""
        *parents, last = names
        base = "$" + _steps(self._vocabulary.expand(name) for name in parents)
        if last in PLAIN_MEMBERS:
            return [base + _steps([last])]
        base += _steps([self._vocabulary.expand(last)])
        return [base + _steps([member, *(keys or ANY_OF.get(member, ()))]) for member in VALUE_MEMBERS]


def names_of(query: Query, vocabulary: Vocabulary) -> list[str]:
    """IRIs of the attributes and types a q asks about, of linked entities as well."""
    found = []
    for term in terms_of(query):
        found += [term.path.names[0], *(term.subquery.types if term.subquery is not None else ())]
    return [vocabulary.expand(name) for name in found]


def asks_only_of_times(query: Query) -> bool:
    """Whether a q asks of nothing but when entities were created and modified, which narrows nothing."""
    return all(term.path.names[0] in ("createdAt", "modifiedAt", "deletedAt") for term in leaves(query))


def _steps(keys: Iterable[str]) -> str:
    return "".join(".*" if key == "*" else "." + msgspec.json.encode(key).decode() for key in keys)


def _compare(term: Term, targets: Sequence[str], literal: Callable[[Value], Value]) -> tuple[str, dict[str, Any]]:
    """A jsonpath predicate, and its variables."""
    there = " || ".join(f"exists({target})" for target in targets)
    if term.operator is None:
        return there, {}
    variables: dict[str, Any] = {}
    tests = [test for target in targets for test in _tests(term, target, literal, variables)]
    matches = " || ".join(f"({test})" for test in tests)
    if term.operator is Operator.UNLIKE:
        return f"({there}) && !({matches})", variables
    if term.operator is Operator.UNEQUAL:
        # Values of different sorts do not compare, which is neither true nor false: they are unequal.
        return f"({there}) && (({matches}) is unknown || !({matches}))", variables
    return matches, variables


def _tests(term: Term, target: str, literal: Callable[[Value], Value], variables: dict[str, Any]) -> list[str]:
    """Tests of one target, any of which is a match."""
    operand = term.operand
    if isinstance(operand, Pattern):
        return [f"{target} like_regex {msgspec.json.encode(operand.regex).decode()}"]
    if isinstance(operand, Range):
        tests = []
        for subject, convert in _subjects(target, operand.low):
            low, high = _variable(operand.low, variables), _variable(operand.high, variables)
            # Item by item, or a list could satisfy the two ends with two items.
            tests.append(f"exists({subject} ? (@{convert} >= {low}{convert} && @{convert} <= {high}{convert}))")
        return tests
    assert operand is not None
    assert term.operator is not None
    sign = _MIRRORED.get(term.operator, str(term.operator))
    return [
        f"{subject}{convert} {sign} {_variable(literal(value), variables)}{convert}"
        for value in operand
        for subject, convert in _subjects(target, value)
    ]


def _subjects(target: str, value: Value) -> list[tuple[str, str]]:
    """What of a target is compared, and how: a time may stand bare or as a typed JSON-LD value."""
    if not isinstance(value, Moment):
        return [(target, "")]
    return [(target, _METHODS[value.form]), (f'{target}."@value"', _METHODS[value.form])]


def _variable(value: Value, variables: dict[str, Any]) -> str:
    name = f"v{len(variables)}"
    variables[name] = value.text if isinstance(value, Moment) else value
    return "$" + name


def relationships_count(term: Term) -> bool:
    """Whether a term holds for relationships, too: they are equal to a URI or not, and neither greater nor less."""
    return term.operator in (None, Operator.EQUAL, Operator.UNEQUAL)


def number_ranges(term: Term) -> tuple[list[float], list[float]] | None:
    """The term as ranges of numbers, both ends included; None where it is about something else."""
    operand, operator = term.operand, term.operator
    if operator is Operator.UNEQUAL or operator is None:
        return None
    if isinstance(operand, Range):
        if isinstance(operand.low, float) and isinstance(operand.high, float):
            return [operand.low], [operand.high]
        return None
    if not isinstance(operand, tuple) or not all(isinstance(value, float) for value in operand):
        return None
    numbers = [value for value in operand if isinstance(value, float)]
    if operator is Operator.EQUAL:
        return numbers, numbers
    (number,) = numbers
    low = {Operator.GREATER: math.nextafter(number, math.inf), Operator.GREATER_EQUAL: number}.get(operator, -math.inf)
    high = {Operator.LESS: math.nextafter(number, -math.inf), Operator.LESS_EQUAL: number}.get(operator, math.inf)
    return [low], [high]


def moments_of(term: Term) -> tuple[list[int], list[int], bool]:
    """A term about a time of the system's own as ranges of microseconds, and whether to be within one."""
    operand = term.operand
    name = term.path.names[-1]
    if isinstance(operand, Range):
        return [_at_us(operand.low, name)], [_at_us(operand.high, name)], term.operator is Operator.EQUAL
    if not isinstance(operand, tuple):
        raise InvalidQuery(f"{name} is a time and has no pattern", where="q")
    times = [_at_us(value, name) for value in operand]
    if term.operator in (Operator.EQUAL, Operator.UNEQUAL):
        return times, times, term.operator is Operator.EQUAL
    (at_us,) = times
    low = {Operator.GREATER: at_us + 1, Operator.GREATER_EQUAL: at_us}.get(term.operator or Operator.LESS, MIN_US)
    high = {Operator.LESS: at_us - 1, Operator.LESS_EQUAL: at_us}.get(term.operator or Operator.GREATER, MAX_US)
    return [max(low, MIN_US)], [min(high, MAX_US)], True


def _at_us(value: Value, name: str) -> int:
    text = value.text if isinstance(value, Moment) else value
    if not isinstance(text, str):
        raise InvalidQuery(f"{name} is compared with a time", where="q", remedy="Write it as 2026-03-01T12:00:00Z.")
    try:
        return parse_rfc3339(text, "q")
    except InvalidInput as error:
        raise InvalidQuery(error.message, where="q", remedy=error.remedy) from None
