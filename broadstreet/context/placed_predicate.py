"""Queries for entities as they are now, by the index of values: a comparison looks where its values can stand.

What is found there is looked at as ever, so that the answer is the one that predicate.py describes. Who sees but a part
of a tenant has no such index (what is shown may be another value than what is kept), and asks as predicate.py does.
"""

from __future__ import annotations

from typing import Any

from broadstreet.context.predicate import Predicate, number_ranges, relationships_count
from broadstreet.context.query_language import Term
from broadstreet.context.scope import whole_levels
from broadstreet.context.value_place import is_decided, places_of, whole


class PlacedPredicate(Predicate):
    """A WHERE clause over `entity e`, asked of the tenant's own tables."""

    def scope(self, regex: str) -> str:
        """One of its scopes matches."""
        levels = whole_levels(regex)
        return self.leaf("scope_below", regex, levels) if levels else super().scope(regex)

    def _valued(self, term: Term, key: int, predicate: str, variables: dict[str, Any]) -> str:
        literal, operand = self._literal(term), term.operand
        values = tuple(map(literal, operand)) if isinstance(operand, tuple) else ()
        places = places_of(term, key, values)
        counts = relationships_count(term)
        any_language = not term.path.keys
        if places is None:
            return self.leaf("placed_at", [], [], *whole(key), predicate, variables, counts, False, any_language)
        rest = list(places.rest)
        if places.within is None:
            decides, exact = all(map(is_decided, values)), list(places.exact)
            return self.leaf("placed_at", exact, rest, *places.besides, predicate, variables, counts, decides, True)
        ranges = number_ranges(term)
        if ranges is None:
            stretches = *places.within, *places.besides
            return self.leaf("placed_within", *stretches, rest, predicate, variables, counts, places.decides)
        (low,), (high,) = ranges
        return self.leaf("placed_number", *places.within, rest, low, high, predicate, variables)
