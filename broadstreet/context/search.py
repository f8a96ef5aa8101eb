"""Finding entities: a selection becomes one query, its values parameters; what boxes find is then measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from broadstreet.context.bounds import MAX_CANDIDATES, QUERY_TIMEOUT_S
from broadstreet.context.georel import GeoQuery, distances_m
from broadstreet.context.ordering import Criterion
from broadstreet.context.predicate import Predicate
from broadstreet.context.selection import Selection, Selector
from broadstreet.model.errors import InvalidQuery, TooMany
from broadstreet.store import Database, Terms, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

_SQL = load_queries("entity")


@dataclass(frozen=True)
class Page:
    """A portion of what matches. count: of all that match, where it was asked for. more: whether some follow."""

    keys: list[int]
    count: int | None
    more: bool


class Search:
    """Finds entities of one tenant."""

    def __init__(self, database: Database, terms: Terms, overdue_us: int | None = None) -> None:
        """overdue_us: now, where something may have ended that is to be left out."""
        self._database = database
        self._terms = terms
        self._overdue_us = overdue_us

    async def page(self, selection: Selection, connection: Connection | None = None) -> Page:
        """Keys of the entities that match, a page of them. Raises InvalidQuery, TooMany.

        connection: one whose transaction is of the moment to be looked at; otherwise the pool is asked.
        """
        terms = await self._terms.find(selection.iris)
        try:
            async with self._database.acquire() if connection is None else nullcontext(connection) as own:
                await try_patterns(own, selection)
                first = selection.order[0] if selection.order and selection.order[0].place is not None else None
                if first is None and selection.geo is None:
                    return await self._page(own, selection, terms)
                keys = await self._all(own, selection, terms)
                if first is not None:
                    keys = await self._by_distance(own, keys, first, selection, terms)
                end = selection.offset + selection.limit
                return Page(keys[selection.offset : end], len(keys), len(keys) > end)
        except asyncpg.InvalidRegularExpressionError as error:
            raise InvalidQuery(f"the pattern is no regular expression: {error}") from None
        except TimeoutError:
            raise TooMany(
                f"the query takes longer than {QUERY_TIMEOUT_S:.0f} s", remedy="Narrow it by type or by id."
            ) from None

    async def _page(self, connection: Connection, selection: Selection, terms: dict[str, int]) -> Page:
        # One more than asked for tells whether more follow.
        predicate = self._ordered(selection, terms, [selection.limit + 1, selection.offset])
        keys = [row["key"] for row in await self._fetch(connection, predicate, "page")]
        count = None
        if selection.counts:
            predicate = _predicate(selection, terms, [], self._overdue_us)
            (row,) = await self._fetch(connection, predicate, "count")
            count = int(row["count"])
        return Page(keys[: selection.limit], count, len(keys) > selection.limit)

    async def _all(self, connection: Connection, selection: Selection, terms: dict[str, int]) -> list[int]:
        """Keys of everything that matches, where something of it has to be measured. Raises TooMany."""
        if selection.geo is not None:
            return await self._measured(connection, selection, selection.geo, terms)
        predicate = self._ordered(selection, terms, [MAX_CANDIDATES + 1, 0])
        rows = await self._fetch(connection, predicate, "page")
        _check_candidates(rows)
        return [row["key"] for row in rows]

    async def _by_distance(
        self, connection: Connection, keys: list[int], by: Criterion, selection: Selection, terms: dict[str, int]
    ) -> list[int]:
        """Keys by how far their entities stand from a place; those that stand nowhere come last."""
        assert by.place is not None
        (iri,) = by.iris(selection.vocabulary)
        rows = await connection.fetch(_SQL["places"], terms.get(iri), keys, timeout=QUERY_TIMEOUT_S)
        far = distances_m(by.place, [row["geojson"] for row in rows])
        places: dict[int, float] = {}
        for row, distance_m in zip(rows, far, strict=True):
            places[row["entity_key"]] = min(distance_m, places.get(row["entity_key"], math.inf))
        sign = -1.0 if by.is_descending else 1.0
        return sorted(keys, key=lambda key: sign * places[key] if key in places else math.inf)

    async def _measured(
        self, connection: Connection, selection: Selection, geo: GeoQuery, terms: dict[str, int]
    ) -> list[int]:
        term_key = terms.get(geo.geo_property)
        if term_key is None:
            return []
        predicate = self._ordered(selection, terms, [term_key, MAX_CANDIDATES + 1])
        predicate.require_lasting("p")
        boxes = geo.boxes
        if boxes is not None:
            parts = [predicate.leaf("near_box", term_key, box.west, box.south, box.east, box.north) for box in boxes]
            predicate.require("(" + " OR ".join(parts) + ")")
        rows = await self._fetch(connection, predicate, "candidates")
        _check_candidates(rows)
        matches = geo.matches([row["geojson"] for row in rows])
        return list(dict.fromkeys(row["key"] for row, holds in zip(rows, matches, strict=True) if holds))

    def _ordered(self, selection: Selection, terms: dict[str, int], arguments: list[Any]) -> Predicate:
        """The predicate with the order that is asked for, but for distances."""
        predicate = _predicate(selection, terms, arguments, self._overdue_us)
        for criterion in selection.order:
            if criterion.place is None:
                expression = criterion.expression(predicate.scalar, terms, selection.vocabulary)
                if expression is not None:
                    predicate.order(expression)
        return predicate

    async def _fetch(self, connection: Connection, predicate: Predicate, query: str) -> Sequence[Any]:
        return await connection.fetch(predicate.within(_SQL[query]), *predicate.arguments, timeout=QUERY_TIMEOUT_S)


async def try_patterns(connection: Connection, selection: Selection) -> None:
    """Whether they are regular expressions must not hang on whether there is anything to match."""
    if selection.patterns:
        await connection.fetchval(_SQL["try_patterns"], selection.patterns)


def _check_candidates(rows: Sequence[Any]) -> None:
    if len(rows) > MAX_CANDIDATES:
        raise TooMany(
            f"more than {MAX_CANDIDATES} entities would have to be measured", remedy="Narrow the query by type."
        )


def _predicate(selection: Selection, terms: dict[str, int], arguments: list[Any], overdue_us: int | None) -> Predicate:
    predicate = Predicate(terms, selection.vocabulary, arguments, selection.expanded, overdue_us)
    if selection.selectors:
        parts = [selector_part(predicate, selector) for selector in selection.selectors]
        predicate.require("(" + " OR ".join(parts) + ")")
    if selection.attributes:
        predicate.require(predicate.attributes(selection.attributes))
    if selection.query is not None:
        predicate.require(predicate.query(selection.query))
    if selection.scopes is not None:
        predicate.require(predicate.join(selection.scopes, lambda regex: predicate.leaf("scope", regex)))
    return predicate


def selector_part(predicate: Predicate, selector: Selector) -> str:
    """Entities by id and type."""
    parts = ["true"]
    if selector.ids:
        parts.append(predicate.leaf("ids", list(selector.ids)))
    elif selector.id_pattern is not None:
        parts.append(predicate.leaf("id_pattern", selector.id_pattern))
    if selector.types is not None:
        parts.append(predicate.types(selector.types))
    return "(" + " AND ".join(parts) + ")"
