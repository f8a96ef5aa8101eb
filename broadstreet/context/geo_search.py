"""Entities by where they stand: boxes find candidates, and those are measured until the page is full.

How many a box holds is found out by taking a few: are there no more, the rest is sorting. Where there are more, the
first entities of all are looked at in the order they came; for half of a city a page is full after a few dozen. Where
it is not, as many are taken as one answer may need; and where there are more still, all are looked at one after the
other, portion by portion, until the page is full.

PostgreSQL knows nothing of how much a box holds (it takes every box for one in two hundred), and plans by the limit:
for a few it walks the index, for many it writes down all the box holds before it takes the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from broadstreet.context.bounds import MAX_CANDIDATES, QUERY_TIMEOUT_S
from broadstreet.context.georel import GeoQuery
from broadstreet.context.predicate import Predicate
from broadstreet.model.errors import TooMany
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

_SQL = load_queries("entity")
MAX_KEY: Final = 2**31 - 1
FEW: Final = 256
"""Candidates that are taken first."""
EARLY: Final = 4_096
"""Of how many keys entities are looked at where a box holds more than a few."""
SOME: Final = 1_000
"""Candidates that are simply taken, where there are no more."""
PORTION: Final = 256
"""Candidates of the first portion; each is four times the one before."""
GROWTH: Final = 4


class Predicates(Protocol):
    """Makes the predicate of everything else that a query asks, for a query that has these arguments."""

    def __call__(self, arguments: list[Any], *, is_ordered: bool = False) -> Predicate: ...


class GeoSearch:
    """One geographic query. predicates: what else is asked; term_key: of the GeoProperty."""

    def __init__(self, connection: Connection, geo: GeoQuery, term_key: int, predicates: Predicates) -> None:
        self._connection = connection
        self._geo = geo
        self._term_key = term_key
        self._predicates = predicates

    async def all(self) -> list[int]:
        """Keys of all entities that match, in the order that is asked for. Raises TooMany."""
        predicate = self._predicates([self._term_key, MAX_CANDIDATES + 1, self._geo.is_near], is_ordered=True)
        self._require_box(predicate, "box_meets")
        rows = await self._fetch(predicate, "candidates")
        check_candidates(len(rows))
        return self._matching(rows)

    async def first(self, count: int) -> list[int]:
        """Keys of the first entities that match, in the order they came; all there are, if they are fewer.

        Raises TooMany.
        """
        if self._geo.boxes is not None:
            few = await self._taken(FEW)
            if few is not None:
                return few
            early = await self._walk(count, EARLY)
            if len(early) >= count:
                return early
            some = await self._taken(SOME)
            if some is not None:
                return some
        return await self._walk(count, MAX_KEY)

    async def _taken(self, most: int) -> list[int] | None:
        """Keys of what matches, where there are no more candidates than that; None where there are."""
        predicate = self._predicates([self._term_key, most + 1, self._geo.is_near])
        self._require_box(predicate, "box_meets")
        rows = await self._fetch(predicate, "some_candidates")
        return None if len(rows) > most else sorted(self._matching(rows))

    async def _walk(self, count: int, last: int) -> list[int]:
        """Keys of the first that match, none behind the last."""
        found: list[int] = []
        portion, behind, seen = PORTION, -1, 0
        while len(found) < count:
            predicate = self._predicates([self._term_key, portion, self._geo.is_near, behind, last])
            self._require_box(predicate, "box_not_apart")
            rows = await self._fetch(predicate, "next_candidates")
            found += self._matching(rows)
            seen += len(rows)
            check_candidates(seen)
            if len(rows) < portion:
                break
            # One entity may have several places; all of the last one's are looked at again.
            behind = rows[-1]["key"] - 1
            portion = min(portion * GROWTH, MAX_CANDIDATES + 1)
        return list(dict.fromkeys(found))

    def _require_box(self, predicate: Predicate, how: str) -> None:
        predicate.require_lasting("p")
        boxes = self._geo.boxes
        if boxes is not None:
            parts = [predicate.condition(how, box.west, box.south, box.east, box.north) for box in boxes]
            predicate.require("(" + " OR ".join(parts) + ")")

    def _matching(self, rows: Sequence[Any]) -> list[int]:
        matches = self._geo.matching(rows).tolist()
        return list(dict.fromkeys(row["key"] for row, holds in zip(rows, matches, strict=True) if holds))

    async def _fetch(self, predicate: Predicate, query: str) -> Sequence[Any]:
        return await self._connection.fetch(
            predicate.within(_SQL[query]), *predicate.arguments, timeout=QUERY_TIMEOUT_S
        )


def check_candidates(count: int) -> None:
    """TooMany where more would have to be measured than are for one query."""
    if count > MAX_CANDIDATES:
        raise TooMany(
            f"more than {MAX_CANDIDATES} entities would have to be measured", remedy="Narrow the query by type."
        )
