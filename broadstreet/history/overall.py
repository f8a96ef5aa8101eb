"""What one attribute amounts to over a whole city, period by period: millions of observations, a few numbers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec
import numpy as np
import polars as pl

from broadstreet.history.arrays import numbers_of, times_of, whole_of
from broadstreet.history.columns import COLUMNS, KEY, TIME
from broadstreet.history.observations import Floats, Int64s
from broadstreet.history.past import Sight, collect, seen
from broadstreet.history.periods import Period
from broadstreet.history.reading import check_range
from broadstreet.model.errors import InvalidQuery
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Database

SIDE_BY_SIDE: Final = 2
"""How many connections share the periods: one query of PostgreSQL keeps one processor busy."""

_SQL = load_queries("aggregate")
_PAST_SQL = load_queries("past")


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
    filed = await seen(database, from_us, to_us, partial(_filed, term_key, edges))
    first = int(np.searchsorted(edges, filed.edge_us, side="right")) - 1
    # The table is asked for what begins where the files end; in the midst of a period, both have a part of it.
    rest = edges[first:].clip(min=filed.edge_us)
    middle = len(rest) // SIDE_BY_SIDE
    parts = [(start, part) for start, part in ((0, rest[: middle + 1]), (middle, rest[middle:])) if len(part) > 1]
    try:
        answers = await asyncio.gather(*(_told(database, term_key, part, first + start) for start, part in parts))
    except asyncpg.NumericValueOutOfRangeError as error:
        raise InvalidQuery(f"numbers in the range are too large to be summed: {error}") from error
    counts, totals = filed.counts, filed.sums
    for place, count, total in (row for answer in answers for row in answer):
        counts[place] += count
        totals[place] += total
    if not np.isfinite(totals).all():
        raise InvalidQuery("numbers in the range are too large to be summed")
    bounds = edges.tolist()
    return [
        Overall(bounds[place], bounds[place + 1], int(counts[place]), float(totals[place] / counts[place]))
        for place in np.flatnonzero(counts).tolist()
    ]


async def _told(database: Database, term_key: int, edges: Int64s, first: int) -> list[tuple[int, int, float]]:
    """What the table holds: the place of each period that has numbers, how many, their sum."""
    bounds = edges.tolist()
    rows = await database.fetch(_SQL["sums_by_period"], term_key, bounds[:-1], bounds[1:])
    return [(first + row["place"] - 1, row["count"], row["sum"]) for row in rows]


@dataclass(frozen=True, slots=True, eq=False)
class _Filed:
    """Counts and sums by period, up to the moment from which on the table alone knows what was."""

    counts: Int64s
    sums: Floats
    edge_us: int


async def _filed(term_key: int, edges: Int64s, sight: Sight) -> _Filed:
    """What the files hold, and what lies over them in the table."""
    from_us, to_us = int(edges[0]), int(edges[-1])
    edge_us = sight.edge(from_us, to_us)
    counts, sums = np.zeros(len(edges) - 1, np.int64), np.zeros(len(edges) - 1)
    if edge_us > from_us:
        over = await _overlay(sight, term_key, from_us, edge_us)
        keys = [row["key"] for row in await sight.connection.fetch(_PAST_SQL["series_of_term"], term_key)]
        for part in await asyncio.to_thread(_sums, sight, keys, over, edges, edge_us):
            counts[part["place"]] += part["count"].to_numpy()
            sums[part["place"]] += part["sum"].to_numpy()
    return _Filed(counts, sums, edge_us)


async def _overlay(sight: Sight, term_key: int, from_us: int, to_us: int) -> pl.DataFrame:
    """Numbers in the table of a time that has moved: late ones, and corrections."""
    row = await sight.connection.fetchrow(_PAST_SQL["overlay"], term_key, from_us, to_us)
    if row is None or row["times"] is None:
        return pl.DataFrame(schema={name: COLUMNS[name] for name in (*KEY, "number")})
    return pl.DataFrame(
        {
            "series_key": whole_of(row["keys"], np.int32),
            "observed_at": pl.Series(times_of(row["times"])).cast(TIME),
            "n": whole_of(row["n"], np.int16),
            "number": pl.Series(numbers_of(row["numbers"])).fill_nan(None),
        }
    )


def _sums(sight: Sight, keys: Sequence[int], over: pl.DataFrame, edges: Int64s, edge_us: int) -> list[pl.DataFrame]:
    """`place`, `count` and `sum` by period: of the files, without what lies over them, and of that."""
    filed = sight.scan(keys, int(edges[0]), edge_us) if keys else pl.LazyFrame(schema=COLUMNS)
    if over.height:
        filed = filed.join(over.lazy(), on=KEY, how="anti")
    return [collect(_by_period(filed, edges)), collect(_by_period(over.lazy(), edges))]


def _by_period(rows: pl.LazyFrame, edges: Int64s) -> pl.LazyFrame:
    at_us, number = pl.col("observed_at").cast(pl.Int64), pl.col("number")
    width = int(edges[1] - edges[0])
    is_even = len(edges) < 3 or bool((np.diff(edges)[:-1] == width).all())
    # Periods of one length are a division, which is several times as fast as a search.
    place = (at_us - int(edges[0])) // width if is_even else pl.Series(edges).search_sorted(at_us, side="right") - 1
    grouped = rows.filter(number.is_not_null()).group_by(place.alias("place"))
    return grouped.agg(pl.len().cast(pl.Int64).alias("count"), number.sum().alias("sum"))
