"""What one attribute amounts to over a whole city, period by period: millions of observations, a few numbers."""

from __future__ import annotations

import asyncio
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec

from broadstreet.history.periods import Period
from broadstreet.history.reading import check_range
from broadstreet.model.errors import InvalidQuery
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.history.observations import Int64s
    from broadstreet.store.database import Database

SIDE_BY_SIDE: Final = 2
"""How many connections share the periods: one query of PostgreSQL keeps one processor busy."""

_SQL = load_queries("aggregate")


class Overall(msgspec.Struct, frozen=True):
    """All entities in one period, [from_us, to_us): how many numbers were observed, and their mean."""

    from_us: int
    to_us: int
    count: int
    mean: float


async def overall(
    database: Database, term_key: int, from_us: int, to_us: int, period: Period, zone: tzinfo = UTC
) -> list[Overall]:
    """An attribute's mean over all entities in [from_us, to_us), by periods laid from from_us on.

    term_key: the attribute's interned name. Every observation counts alike; periods without a number are left out; what
    is deleted now counts in its past. Raises TooMany for too many periods, InvalidQuery where a sum is too large.
    """
    check_range(from_us, to_us)
    edges = period.edges(from_us, to_us, zone).clip(max=to_us)
    middle = len(edges) // SIDE_BY_SIDE
    parts = [part for part in (edges[: middle + 1], edges[middle:]) if len(part) > 1]
    try:
        answers = await asyncio.gather(*(_part(database, term_key, part) for part in parts))
    except asyncpg.NumericValueOutOfRangeError as error:
        raise InvalidQuery(f"numbers in the range are too large to be summed: {error}") from error
    return [one for answer in answers for one in answer]


async def _part(database: Database, term_key: int, edges: Int64s) -> list[Overall]:
    bounds = edges.tolist()
    rows = await database.fetch(_SQL["sums_by_period"], term_key, bounds[:-1], bounds[1:])
    return [
        Overall(bounds[row["place"] - 1], bounds[row["place"]], row["count"], row["sum"] / row["count"]) for row in rows
    ]
