"""Which entities a query is about, with everything read and checked, and in which order and portion they come."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from broadstreet.context.bounds import DEFAULT_LIMIT
from broadstreet.context.expression import AllOf, Expression, One, Scanner, leaves, parse_expression
from broadstreet.context.georel import GeoQuery
from broadstreet.context.ordering import Criterion
from broadstreet.context.predicate import asks_only_of_times, names_of
from broadstreet.context.query_language import Pattern, Query, terms_of
from broadstreet.context.vocabulary import CORE, Vocabulary, check_name
from broadstreet.model.errors import InvalidInput

_TYPE: Final = re.compile(r"[^;|,()\s]+")
_SYSTEM: Final = frozenset({"createdAt", "modifiedAt", "deletedAt", "expiresAt"})


@dataclass(frozen=True)
class Selector:
    """Entities by id and type; all that is given must hold. `types` is an expression of IRIs."""

    ids: tuple[str, ...] = ()
    id_pattern: str | None = None
    types: Expression[str] | None = None


@dataclass(frozen=True)
class Selection:
    """A query for entities: any of the selectors, and everything else that is given."""

    selectors: tuple[Selector, ...] = ()
    attributes: tuple[str, ...] = ()
    """IRIs, of which an entity has one at least."""
    query: Query | None = None
    geo: GeoQuery | None = None
    scopes: Expression[str] | None = None
    is_local: bool = False
    vocabulary: Vocabulary = CORE
    expanded: frozenset[str] = field(default_factory=frozenset)
    """Names of attributes whose values in q are terms to be expanded."""
    order: tuple[Criterion, ...] = ()
    """None: the order they came in."""
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    counts: bool = False
    """Whether the number of all matching entities is wanted."""

    @property
    def iris(self) -> list[str]:
        """Every IRI that must be known for an entity to match."""
        found = [iri for selector in self.selectors if selector.types for iri in leaves(selector.types)]
        found += self.attributes
        if self.query is not None:
            found += names_of(self.query, self.vocabulary)
        if self.geo is not None:
            found.append(self.geo.geo_property)
        return found + [iri for criterion in self.order for iri in criterion.iris(self.vocabulary)]

    @property
    def is_measured(self) -> bool:
        """Whether places have to be measured to answer it: where entities stand, or how far."""
        return self.geo is not None or bool(self.order and self.order[0].place is not None)

    @property
    def patterns(self) -> list[str]:
        """Every regular expression in the query."""
        terms = terms_of(self.query) if self.query is not None else ()
        found = [term.operand.regex for term in terms if isinstance(term.operand, Pattern)]
        return found + [one.id_pattern for one in self.selectors if one.id_pattern is not None]

    def check_narrow(self) -> None:
        """InvalidInput for a query that would fetch everything (5.7.2.4)."""
        narrows = (
            any(selector.types for selector in self.selectors)
            or any(iri.rsplit("/", 1)[-1] not in _SYSTEM for iri in self.attributes)
            or (self.query is not None and not asks_only_of_times(self.query))
            or self.geo is not None
            or self.scopes is not None
            or self.is_local
        )
        if not narrows:
            raise InvalidInput("the query would fetch everything", remedy="Give a type, attrs, q, georel or scopeQ.")


def parse_types(text: str, vocabulary: Vocabulary) -> Expression[str] | None:
    """A type selection (4.17): names joined by `,` or `|` (any) and `;` (all). `*` is no restriction: None."""
    if text == "*":
        return None

    def leaf(scanner: Scanner) -> str:
        found = scanner.match(_TYPE)
        return vocabulary.expand(check_name(found[0], "type")) if found else scanner.fail("an entity type")

    return parse_expression(Scanner(text, "type", InvalidInput), leaf, ("|", ","))


def types_hold(expression: Expression[str] | None, types: Sequence[str]) -> bool:
    """Whether an entity of these types (IRIs) satisfies a type selection."""
    if expression is None:
        return True
    if isinstance(expression, One):
        return expression.leaf in types
    holds = (types_hold(part, types) for part in expression.parts)
    return all(holds) if isinstance(expression, AllOf) else any(holds)
