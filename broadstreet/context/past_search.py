"""Finding entities by what was told of them within a stretch of time (5.7.4 of the standard).

An entity of which nothing was told within it, of the attributes that are asked for, is not found; `q` and a geometry
ask what was told within it, not what is now. So pages and counts are of what is answered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import asyncpg

from broadstreet.context.bounds import MAX_CANDIDATES, QUERY_TIMEOUT_S
from broadstreet.context.instances import TemporalQuery, TimeProperty
from broadstreet.context.past_predicate import PastPredicate, ScopePredicate
from broadstreet.context.predicate import Predicate, names_of
from broadstreet.context.search import Page, selector_part, try_patterns
from broadstreet.context.selection import Selection
from broadstreet.context.traces import MAX_SCOPES_TOLD, Validity, scoped_of
from broadstreet.history import FiledRows, filed_rows, filed_series, is_in_files
from broadstreet.model.errors import InvalidQuery, TooMany
from broadstreet.store import Database, Terms, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

_SQL = load_queries("entity")
_PAST_SQL = load_queries("filter_past")
_TRACES_SQL = load_queries("traces")


class PastSearch:
    """Finds entities of one tenant."""

    def __init__(self, database: Database, terms: Terms, overdue_us: int | None = None) -> None:
        """overdue_us: now, where something may have ended that is to be left out."""
        self._database = database
        self._terms = terms
        self._overdue_us = overdue_us

    async def page(
        self, selection: Selection, query: TemporalQuery, dataset_ids: frozenset[str] | None = None
    ) -> tuple[Page, Validity | None]:
        """Keys of the entities that match, a page of them, and when what was told of each counts (None: always).

        dataset_ids: the only ones that count; None: all.

        Raises InvalidQuery, TooMany.
        """
        terms = await self._terms.find(selection.iris)
        try:
            async with self._database.acquire() as connection:
                await try_patterns(connection, selection)
                asking = _Asking(self._database, connection, selection, query, terms, dataset_ids, self._overdue_us)
                await asking.look_into_files()
                page = await asking.measured() if selection.geo is not None else await asking.page()
                return page, await asking.validity(page.keys)
        except asyncpg.InvalidRegularExpressionError as error:
            raise InvalidQuery(f"the pattern is no regular expression: {error}") from None
        except TimeoutError:
            raise TooMany(
                f"the query takes longer than {QUERY_TIMEOUT_S:.0f} s", remedy="Narrow it by type, id or time."
            ) from None


class _Asking:
    """One query being asked."""

    def __init__(
        self,
        database: Database,
        connection: Connection,
        selection: Selection,
        query: TemporalQuery,
        terms: dict[str, int],
        dataset_ids: frozenset[str] | None,
        overdue_us: int | None,
    ) -> None:
        self._overdue_us = overdue_us
        self._database = database
        self._connection = connection
        self._selection = selection
        self._stretch = query.stretch
        self._of_deletions = query.time is TimeProperty.DELETED
        self._was_scoped = selection.scopes is not None and query.time is TimeProperty.OBSERVED
        self._terms = terms
        self._dataset_ids = None if dataset_ids is None else sorted(dataset_ids)
        self._filed_series: list[int] = []
        self._filed: FiledRows | None = None

    async def look_into_files(self) -> None:
        """What must be known of the long past before the database is asked."""
        if self._of_deletions or not await is_in_files(self._connection, self._stretch):
            return
        # Some entities by their ids are few: files are ordered by series, and need not be read whole.
        few = all(selector.ids for selector in self._selection.selectors) and bool(self._selection.selectors)
        among = await self._series_of(None) if few else None
        self._filed_series = await filed_series(self._database, self._connection, self._stretch, among)
        names = self._asked_about()
        if self._filed_series and names:
            series = await self._series_of([self._terms[name] for name in names if name in self._terms])
            self._filed = await filed_rows(self._database, self._connection, self._stretch, series)

    async def _series_of(self, keys: list[int] | None) -> list[int]:
        """The series of some attributes (None: of all) of the entities that are selected by id and type."""
        predicate = Predicate(self._terms, self._selection.vocabulary, [keys, MAX_CANDIDATES + 1])
        self._require_selectors(predicate)
        rows = await self._fetch(predicate, _PAST_SQL["series"])
        _check(rows)
        return [row["key"] for row in rows]

    async def page(self) -> Page:
        """A page, and the count where it is wanted."""
        selection = self._selection
        # One more than asked for tells whether more follow.
        rows = await self._fetch(
            self._predicate([selection.limit + 1, selection.offset], is_ordered=True), _SQL["page"]
        )
        count = None
        if selection.counts:
            (row,) = await self._fetch(self._predicate([]), _SQL["count"])
            count = int(row["count"])
        keys = [row["key"] for row in rows]
        return Page(keys[: selection.limit], count, len(keys) > selection.limit)

    async def measured(self) -> Page:
        """A page of those whose geometries hold."""
        selection, geo = self._selection, self._selection.geo
        assert geo is not None
        key = self._terms.get(geo.geo_property)
        rows: Sequence[Any] = ()
        if key is not None:
            predicate = self._predicate([key, MAX_CANDIDATES + 1], is_ordered=True)
            rows = await self._fetch(predicate, predicate.of_past(_PAST_SQL["geometries"]))
            _check(rows)
        holds = geo.matches([row["geojson"] for row in rows])
        keys = list(dict.fromkeys(row["key"] for row, one in zip(rows, holds, strict=True) if one))
        end = selection.offset + selection.limit
        return Page(keys[selection.offset : end], len(keys), len(keys) > end)

    async def validity(self, keys: Sequence[int]) -> Validity | None:
        """When the scopes that are asked for were valid, where scopes are."""
        scopes = self._selection.scopes
        if scopes is None or not self._was_scoped:
            return None
        predicate = ScopePredicate({}, self._selection.vocabulary, [list(keys), MAX_SCOPES_TOLD])
        query = _TRACES_SQL["scopes"].replace("true /* scopes */", predicate.holding(scopes))
        found: dict[int, list[tuple[int, int]]] = {}
        for row in await self._connection.fetch(query, *predicate.arguments):
            one = scoped_of(row)
            if one.holds:
                found.setdefault(row["entity_key"], []).append((one.observed_at_us, one.until_us))
        return found

    def _asked_about(self) -> list[str]:
        """Attributes whose values are asked about."""
        selection = self._selection
        names = [] if selection.query is None else names_of(selection.query, selection.vocabulary)
        return names if selection.geo is None else [*names, selection.geo.geo_property]

    def _predicate(self, arguments: list[Any], *, is_ordered: bool = False) -> PastPredicate:
        selection, terms = self._selection, self._terms
        predicate = PastPredicate(
            self._stretch,
            self._filed,
            terms,
            selection.vocabulary,
            arguments,
            selection.expanded,
            of_deletions=self._of_deletions,
            overdue_us=self._overdue_us,
        )
        self._require_selectors(predicate)
        keys = [terms[name] for name in selection.attributes if name in terms] if selection.attributes else None
        if self._filed_series:
            predicate.require(predicate.leaf("told_or_filed", keys, self._dataset_ids, self._filed_series))
        else:
            predicate.require(predicate.leaf("told", keys, self._dataset_ids))
        if selection.query is not None:
            predicate.require(predicate.query(selection.query))
        if selection.scopes is not None and self._was_scoped:
            predicate.require(predicate.scoped(selection.scopes))
        elif selection.scopes is not None:
            predicate.require(predicate.join(selection.scopes, lambda regex: predicate.leaf("scope", regex)))
        for criterion in selection.order if is_ordered else ():
            expression = criterion.expression(predicate.scalar, terms, selection.vocabulary)
            if expression is not None:
                predicate.order(expression)
        return predicate

    def _require_selectors(self, predicate: Predicate) -> None:
        if self._selection.selectors:
            parts = [selector_part(predicate, selector) for selector in self._selection.selectors]
            predicate.require("(" + " OR ".join(parts) + ")")

    async def _fetch(self, predicate: Predicate, query: str) -> Sequence[Any]:
        return await self._connection.fetch(predicate.within(query), *predicate.arguments, timeout=QUERY_TIMEOUT_S)


def _check(rows: Sequence[Any]) -> None:
    if len(rows) > MAX_CANDIDATES:
        raise TooMany(
            f"more than {MAX_CANDIDATES:,} would have to be looked at", remedy="Narrow the query by type, id or time."
        )
