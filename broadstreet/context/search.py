"""Finding entities: a selection becomes one query, its values parameters; what boxes find is then measured."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from broadstreet.context.bounds import MAX_CANDIDATES, QUERY_TIMEOUT_S
from broadstreet.context.geo_search import GeoSearch, check_candidates
from broadstreet.context.georel import GeoQuery, distances_m
from broadstreet.context.ordering import Criterion
from broadstreet.context.placed_predicate import PlacedPredicate
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


@dataclass(frozen=True)
class RowPage:
    """As `Page`, the entities as rows of the query `found` or `stamped`."""

    rows: Sequence[asyncpg.Record]
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
        async with self._asking(selection, connection) as own:
            asked = _Asked(own, selection, terms, self._database.is_whole, self._overdue_us)
            if not selection.is_measured:
                rows, count, more = await asked.page("page", [])
                return Page([row["key"] for row in rows], count, more)
            end = selection.offset + selection.limit
            keys = await asked.measured(end + 1)
            return Page(keys[selection.offset : end], len(keys), len(keys) > end)

    async def stamped(self, selection: Selection) -> RowPage:
        """Keys and stamps of the entities that match, where none has to be measured. Raises InvalidQuery, TooMany."""
        return await self._rows(selection, "stamped", [])

    async def rows(self, selection: Selection, *, with_times: bool) -> RowPage:
        """The entities themselves, in one query, where none has to be measured. Raises InvalidQuery, TooMany."""
        return await self._rows(selection, "found", [with_times])

    async def _rows(self, selection: Selection, query: str, more: list[Any]) -> RowPage:
        terms = await self._terms.find(selection.iris)
        async with self._asking(selection, None) as own:
            asked = _Asked(own, selection, terms, self._database.is_whole, self._overdue_us)
            return RowPage(*await asked.page(query, more))

    @asynccontextmanager
    async def _asking(self, selection: Selection, connection: Connection | None) -> AsyncIterator[Connection]:
        try:
            async with self._database.acquire(plans=True) if connection is None else nullcontext(connection) as own:
                await try_patterns(own, selection)
                yield own
        except asyncpg.InvalidRegularExpressionError as error:
            raise InvalidQuery(f"the pattern is no regular expression: {error}") from None
        except TimeoutError:
            raise TooMany(
                f"the query takes longer than {QUERY_TIMEOUT_S:.0f} s", remedy="Narrow it by type or by id."
            ) from None


class _Asked:
    """One selection, as it is asked on one connection."""

    def __init__(
        self,
        connection: Connection,
        selection: Selection,
        terms: dict[str, int],
        is_whole: bool,
        overdue_us: int | None,
    ) -> None:
        self._connection = connection
        self._selection = selection
        self._terms = terms
        self._sort = PlacedPredicate if is_whole else Predicate
        self._overdue_us = overdue_us

    async def page(self, query: str, more: list[Any]) -> tuple[Sequence[asyncpg.Record], int | None, bool]:
        """Rows of a query with a limit, an offset and other arguments; how many there are, if asked; whether some
        follow."""
        selection = self._selection
        # One more than asked for tells whether more follow.
        predicate = self._predicate([selection.limit + 1, selection.offset, *more], is_ordered=True)
        rows = await self._fetch(predicate, query)
        count = None
        if selection.counts:
            (row,) = await self._fetch(self._predicate([]), "count")
            count = int(row["count"])
        return rows[: selection.limit], count, len(rows) > selection.limit

    async def measured(self, count: int) -> list[int]:
        """Keys of what matches where something of it has to be measured: as many as are asked for, or more."""
        selection = self._selection
        first = selection.order[0] if selection.order and selection.order[0].place is not None else None
        keys = await self._all() if selection.geo is None else await self._near(selection.geo, count)
        return keys if first is None else await self._by_distance(keys, first)

    async def _near(self, geo: GeoQuery, count: int) -> list[int]:
        term_key = self._terms.get(geo.geo_property)
        if term_key is None:
            return []
        search = GeoSearch(self._connection, geo, term_key, self._predicate)
        return await (search.all() if self._selection.order or self._selection.counts else search.first(count))

    async def _all(self) -> list[int]:
        """Keys of everything that matches. Raises TooMany."""
        rows = await self._fetch(self._predicate([MAX_CANDIDATES + 1, 0], is_ordered=True), "page")
        check_candidates(len(rows))
        return [row["key"] for row in rows]

    async def _by_distance(self, keys: list[int], by: Criterion) -> list[int]:
        """Keys by how far their entities stand from a place; those that stand nowhere come last."""
        assert by.place is not None
        (iri,) = by.iris(self._selection.vocabulary)
        rows = await self._connection.fetch(_SQL["places"], self._terms.get(iri), keys, timeout=QUERY_TIMEOUT_S)
        far = distances_m(by.place, [row["geojson"] for row in rows])
        places: dict[int, float] = {}
        for row, distance_m in zip(rows, far, strict=True):
            places[row["entity_key"]] = min(distance_m, places.get(row["entity_key"], math.inf))
        sign = -1.0 if by.is_descending else 1.0
        return sorted(keys, key=lambda key: sign * places[key] if key in places else math.inf)

    def _predicate(self, arguments: list[Any], *, is_ordered: bool = False) -> Predicate:
        """What is asked but for the geometry; with the order that is asked for, but for distances."""
        selection = self._selection
        predicate = self._sort(self._terms, selection.vocabulary, arguments, selection.expanded, self._overdue_us)
        if selection.selectors:
            parts = [selector_part(predicate, selector) for selector in selection.selectors]
            predicate.require("(" + " OR ".join(parts) + ")")
        if selection.attributes:
            predicate.require(predicate.attributes(selection.attributes))
        if selection.query is not None:
            predicate.require(predicate.query(selection.query))
        if selection.scopes is not None:
            predicate.require(predicate.join(selection.scopes, predicate.scope))
        for criterion in selection.order if is_ordered else ():
            if criterion.place is None:
                expression = criterion.expression(predicate.scalar, self._terms, selection.vocabulary)
                if expression is not None:
                    predicate.order(expression)
        return predicate

    async def _fetch(self, predicate: Predicate, query: str) -> Sequence[asyncpg.Record]:
        return await self._connection.fetch(
            predicate.within(_SQL[query]), *predicate.arguments, timeout=QUERY_TIMEOUT_S
        )


async def try_patterns(connection: Connection, selection: Selection) -> None:
    """Whether they are regular expressions must not hang on whether there is anything to match."""
    if selection.patterns:
        await connection.fetchval(_SQL["try_patterns"], selection.patterns)


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
