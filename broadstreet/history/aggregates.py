"""What a stretch of the past amounts to: per period, per hour, per entity. All by index, in the database.

The methods and their names are those of clause 4.5.19 of ETSI GS CIM 009 (NGSI-LD). A period with nothing in it is left
out, not filled. `stddev` is that of a sample (n - 1), so that a single value has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import msgspec
import numpy as np

from broadstreet.history.observations import Floats
from broadstreet.history.periods import Period
from broadstreet.history.reading import check_range, extents
from broadstreet.model.clock import MAX_US, MIN_US, US_PER_S
from broadstreet.model.errors import InvalidQuery
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Database

HOUR_US: Final = 3600 * US_PER_S
BARS: Final = 24
MAX_RANKS: Final = 10_000

_SQL = load_queries("aggregate")


class Method(StrEnum):
    """How values become one."""

    TOTAL_COUNT = "totalCount"
    DISTINCT_COUNT = "distinctCount"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    STDDEV = "stddev"
    SUMSQ = "sumsq"


class Aggregate(msgspec.Struct, frozen=True):
    """One series in one period, [from_us, to_us). values: by the methods asked for; None where one has no answer."""

    series_key: int
    from_us: int
    to_us: int
    values: dict[Method, Any]


class Stat(StrEnum):
    """What entities are ranked by."""

    MAX = "max"
    MIN = "min"
    MEAN = "mean"
    LAST = "last"


_RANKINGS: Final = {
    Stat.MAX: "rank_max",
    Stat.MIN: "rank_min",
    Stat.MEAN: "rank_mean",
    Stat.LAST: "rank_last",
}


class Rank(msgspec.Struct, frozen=True):
    """One entity's place. at_us: when the value was observed; for the mean, the newest observation in the range."""

    entity_key: int
    entity_id: str
    series_key: int
    value: float
    at_us: int


async def aggregate(
    database: Database,
    series_keys: Sequence[int],
    from_us: int | None,
    to_us: int | None,
    period: Period,
    methods: Sequence[Method],
    zone: tzinfo = UTC,
) -> list[Aggregate]:
    """Aggregates by series and period over [from_us, to_us), the periods laid from from_us on.

    None as an end stands for the first observation of all, or just after the last. zone: whose calendar periods of days
    and months follow. Raises TooMany for too many periods, InvalidQuery where numbers are too large to be summed.
    """
    if from_us is None or to_us is None:
        found = (await extents(database, series_keys, from_us or MIN_US, to_us or MAX_US)).values()
        if not found:
            return []
        from_us = min(extent.first_us for extent in found) if from_us is None else from_us
        to_us = max(extent.last_us for extent in found) + 1 if to_us is None else to_us
    check_range(from_us, to_us)
    edges = period.edges(from_us, to_us, zone).tolist()
    if len(edges) < 2:
        return []
    arguments = list(series_keys), edges, from_us, to_us
    distinct: dict[tuple[int, int], int] = {}
    try:
        rows = await database.fetch(_SQL["by_period"], *arguments)
        if Method.DISTINCT_COUNT in methods:
            counts = await database.fetch(_SQL["distinct_by_period"], *arguments)
            distinct = {(row["series_key"], row["period"]): row["distinctCount"] for row in counts}
    except asyncpg.NumericValueOutOfRangeError as error:
        raise InvalidQuery(
            f"numbers in the range are too large or too small to be squared and summed: {error}"
        ) from error
    return [
        Aggregate(
            series_key=row["series_key"],
            from_us=edges[row["period"] - 1],
            to_us=edges[row["period"]],
            values={method: _value(method, row, distinct) for method in methods},
        )
        for row in rows
    ]


def _value(method: Method, row: asyncpg.Record, distinct: dict[tuple[int, int], int]) -> Any:
    if method is Method.DISTINCT_COUNT:
        return distinct.get((row["series_key"], row["period"]))
    if row[method] is None and method in (Method.MIN, Method.MAX):
        return row[f"{method}_text"]
    return row[method]


async def hourly_bars(database: Database, series_keys: Sequence[int], now_us: int) -> Floats:
    """Hourly means of many series: one row a series in the order given, 24 columns, oldest hour first, NaN for none.

    The hours are whole ones of UTC, the last of them the hour that `now_us` is in.
    """
    end_us = (now_us // HOUR_US + 1) * HOUR_US
    start_us = end_us - BARS * HOUR_US
    bars = np.full((len(series_keys), BARS), np.nan)
    place = {key: row for row, key in enumerate(series_keys)}
    for row in await database.fetch(_SQL["hourly_means"], list(place), start_us, end_us):
        bars[place[row["series_key"]], (row["hour"] - start_us) // HOUR_US] = row["mean"]
    return bars


async def ranking(
    database: Database, term_key: int, stat: Stat, from_us: int, to_us: int, limit: int = MAX_RANKS
) -> list[Rank]:
    """Entities by one attribute's statistic in [from_us, to_us), greatest first, for `min` least first.

    term_key: the attribute's interned name. Deleted entities, and those without a number in the range, have no rank.
    """
    check_range(from_us, to_us)
    rows = await database.fetch(_SQL[_RANKINGS[stat]], term_key, from_us, to_us, min(limit, MAX_RANKS))
    return [Rank(row["entity_key"], row["id"], row["series_key"], row["value"], row["at"]) for row in rows]
