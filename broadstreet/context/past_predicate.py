"""Queries for entities over time as SQL: those of predicate.py, asked of what was told within a stretch of time.

Attributes hold by any of their instances within it (5.7.4 of the standard). The leaves stand in filter_past.sql; what
files hold comes in as parameters, so that both are asked the same by the same expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from broadstreet.context.expression import Expression
from broadstreet.context.predicate import Predicate
from broadstreet.context.vocabulary import Vocabulary
from broadstreet.history import FiledRows, Stretch
from broadstreet.model.clock import MIN_US
from broadstreet.store.queries import load_queries

_SQL = load_queries("filter_past")
_TOLD: Final = "told /* past */"
_TABLED: Final = "tabled /* past */"
_SCOPES: Final = "true /* scopes */"


class ScopePredicate(Predicate):
    """A predicate that can ask of scopes over time."""

    def holding(self, scopes: Expression[str]) -> str:
        """Whether an expression holds of the scopes of a row `c`."""
        return self.join(scopes, lambda regex: f"({self._numbered(_SQL['scope_leaf'], [regex])})")


class PastPredicate(ScopePredicate):
    """A WHERE clause over `entity e`, of those that are there."""

    def __init__(
        self,
        stretch: Stretch,
        filed: FiledRows | None,
        terms: Mapping[str, int],
        vocabulary: Vocabulary,
        arguments: Sequence[Any] = (),
        expanded: frozenset[str] = frozenset(),
        *,
        of_deletions: bool = False,
        overdue_us: int | None = None,
    ) -> None:
        """filed: what files hold of the attributes asked about; None: nothing. of_deletions: whether deletions are
        asked for, of what is there no longer as well. For the rest see Predicate."""
        super().__init__(terms, vocabulary, arguments, expanded, None if of_deletions else overdue_us)
        if of_deletions:
            self._parts.clear()
        source = _SQL["deleted" if of_deletions else stretch.by]
        self._stretch = stretch
        self._tabled = self._numbered(source, (stretch.from_us, stretch.to_us, MIN_US))
        self._told = self._tabled
        if filed is not None:
            told = self._numbered(source, (stretch.from_us, stretch.to_us, filed.edge_us))
            self._told = f"{told} UNION ALL {self._numbered(_SQL['filed'], filed.columns)}"

    def leaf(self, name: str, *arguments: Any) -> str:
        """A leaf as the past has it, if it has one of its own."""
        if name not in _SQL:
            return super().leaf(name, *arguments)
        return f"e.key IN ({self.of_past(self._numbered(_SQL[name], arguments))})"

    def scoped(self, scopes: Expression[str]) -> str:
        """Entities that had scopes within the stretch of which an expression holds, all of it at one time."""
        query = self._numbered(_SQL["scoped"], (self._stretch.from_us, self._stretch.to_us))
        return f"e.key IN ({query.replace(_SCOPES, self.holding(scopes))})"

    def of_past(self, query: str) -> str:
        """A query with what was told where it leaves room for it."""
        return query.replace(_TOLD, f"({self._told})").replace(_TABLED, f"({self._tabled})")
