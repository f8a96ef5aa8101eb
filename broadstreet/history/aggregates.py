"""What a stretch of the past amounts to: per period, per hour, per entity. All by index.

What few series amount to is added up from their columns (`frames`), what many do in the database: `hourly_bars`,
`ranking`, and `overall`, a whole city's means.

The methods and their names are those of clause 4.5.19 of ETSI GS CIM 009 (NGSI-LD). A period with nothing in it is left
out, not filled. `stddev` is that of a sample (n - 1), so that a single value has none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from broadstreet.history.frames import SERIES_FIRST, Numbers, frames, numbers_told
from broadstreet.history.observations import Bools, Floats, Int32s, Int64s
from broadstreet.history.past import is_filed
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
INLINE_ROWS: Final = 20_000
"""What is added up faster than a thread is asked to."""

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


class Aggregate(msgspec.Struct, frozen=True, gc=False):
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
        known = (await extents(database, series_keys, from_us or MIN_US, to_us or MAX_US)).values()
        if not known:
            return []
        from_us = min(extent.first_us for extent in known) if from_us is None else from_us
        to_us = max(extent.last_us for extent in known) + 1 if to_us is None else to_us
    check_range(from_us, to_us)
    edges = period.edges(from_us, to_us, zone)
    if len(edges) < 2:
        return []
    if len(series_keys) <= SERIES_FIRST and _REDUCED.keys() >= set(methods):
        numbers = await numbers_told(database, series_keys, from_us, to_us)
        if numbers is not None:
            is_quick = len(numbers.number) <= INLINE_ROWS
            asked = numbers, edges, methods
            return _of_numbers(*asked) if is_quick else await asyncio.to_thread(_of_numbers, *asked)
    found: list[Aggregate] = []
    async for frame in frames(database, series_keys, from_us, to_us):
        found += await asyncio.to_thread(sums, frame, edges, methods)
    return found


def sums(frame: pl.DataFrame, edges: Int64s, methods: Sequence[Method]) -> list[Aggregate]:
    """Aggregates of a frame's series by period; every row lies within the edges.

    A boolean counts as 1 or 0, an array as its length; texts have a least and a greatest only. Raises InvalidQuery.
    """
    if _REDUCED.keys() >= set(methods) and not frame["number"].null_count():
        numbers = Numbers(*(frame[name].to_numpy() for name in ("series_key", "at_us", "number")))
        return _of_numbers(numbers, edges, methods)
    found = summed_up(frame, edges, methods)
    columns = (_column(found, method) for method in methods)
    values = zip(*columns, strict=True) if methods else ((),) * found.height
    bounds = (found[name].to_list() for name in ("series_key", "from_us", "to_us"))
    return [
        Aggregate(key, start, end, dict(zip(methods, row, strict=True)))
        for key, start, end, row in zip(*bounds, values, strict=True)
    ]


def _of_numbers(numbers: Numbers, edges: Int64s, methods: Sequence[Method]) -> list[Aggregate]:
    """`sums` of nothing but numbers, by methods that a pass over them answers."""
    if not len(numbers.number):
        return []
    keys = numbers.series_key
    period, begins = _groups(keys, numbers.at_us, edges)
    groups = Groups(numbers.number, np.flatnonzero(begins))
    columns = []
    for method in methods:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            column = _REDUCED[method](groups)
        if column.dtype == np.float64 and np.isinf(column).any():
            raise _too_large(method)
        columns.append([None if value != value else value for value in column.tolist()])
    periods = period[begins]
    bounds = keys[begins].tolist(), edges[periods].tolist(), edges[periods + 1].tolist()
    return [
        Aggregate(key, start, end, dict(zip(methods, row, strict=True)))
        for key, start, end, row in zip(*bounds, zip(*columns, strict=True), strict=True)
    ]


class Groups(NamedTuple):
    """Numbers one after the other, and where each group of them begins."""

    numbers: Floats
    starts: npt.NDArray[np.intp]

    @property
    def counts(self) -> Int64s:
        """How many each has."""
        return np.diff(self.starts, append=len(self.numbers))

    def sums(self, numbers: Floats) -> Floats:
        """Sums of as many numbers."""
        return np.add.reduceat(numbers, self.starts)

    def deviations(self) -> Floats:
        """Each group's standard deviation: NaN for one number, infinite where it cannot be told."""
        counts = self.counts
        from_mean = self.numbers - np.repeat(self.sums(self.numbers) / counts, counts)
        found = np.sqrt(self.sums(from_mean * from_mean) / (counts - 1))
        return np.where(counts > 1, np.nan_to_num(found, nan=np.inf, posinf=np.inf), np.nan)


_REDUCED: Final[dict[Method, Callable[[Groups], npt.NDArray[Any]]]] = {
    Method.TOTAL_COUNT: lambda groups: groups.counts,
    Method.SUM: lambda groups: groups.sums(groups.numbers),
    Method.AVG: lambda groups: groups.sums(groups.numbers) / groups.counts,
    Method.MIN: lambda groups: np.minimum.reduceat(groups.numbers, groups.starts),
    Method.MAX: lambda groups: np.maximum.reduceat(groups.numbers, groups.starts),
    Method.STDDEV: Groups.deviations,
    Method.SUMSQ: lambda groups: groups.sums(groups.numbers * groups.numbers),
}


def _groups(keys: Int32s, at_us: Int64s, edges: Int64s) -> tuple[Int64s, Bools]:
    """Of each row which period it is in, and whether it begins a group: rows come by series and time."""
    period = np.searchsorted(edges, at_us, side="right") - 1
    return period, np.append(True, (period[1:] != period[:-1]) | (keys[1:] != keys[:-1]))


def _too_large(method: Method) -> InvalidQuery:
    return InvalidQuery("numbers in the range are too large to be summed or squared", where=method)


def summed_up(frame: pl.DataFrame, edges: Int64s, methods: Sequence[Method]) -> pl.DataFrame:
    """As `sums`, as columns: `series_key`, `from_us`, `to_us`, and one a method; least and greatest are pairs of a
    number, `x`, and a `text`."""
    keys = frame["series_key"].to_numpy()
    period, begins = _groups(keys, frame["at_us"].to_numpy(), edges)
    grouped = (
        _countable(frame)
        .with_columns(pl.Series("group", np.cumsum(begins)).set_sorted())
        .group_by("group", maintain_order=True)
        .agg(_EXPRESSIONS[method].alias(method) for method in dict.fromkeys(methods))
    )
    for method in methods:
        if grouped.schema[method] == pl.Float64 and grouped[method].is_infinite().any():
            raise _too_large(method)
    keys, period = keys[begins], period[begins]
    bounds = pl.DataFrame({"series_key": keys, "from_us": edges[period], "to_us": edges[period + 1]})
    return bounds.hstack(grouped.drop("group"))


def _column(grouped: pl.DataFrame, method: Method) -> list[Any]:
    """A method's answers; a pair's is its number, or its text where it has none."""
    if method in (Method.MIN, Method.MAX):
        pairs = grouped[method].struct.unnest()
        return [text if x is None else x for x, text in zip(pairs["x"].to_list(), pairs["text"].to_list(), strict=True)]
    return grouped[method].to_list()


def _countable(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with `x`, what of each row can be added up, and `text`, what is a text."""
    if frame["value"].null_count() == frame.height:
        return frame.with_columns(pl.col("number").alias("x"), pl.lit(None, pl.String).alias("text"))
    values = [None if value is None else msgspec.json.decode(value) for value in frame["value"].to_list()]
    told = pl.Series("x", [_worth(value) for value in values], pl.Float64)
    texts = pl.Series("text", [value if isinstance(value, str) else None for value in values], pl.String)
    return frame.with_columns(pl.coalesce("number", told).alias("x"), texts)


def _worth(value: Any) -> float | None:
    if isinstance(value, bool):
        return float(value)
    return float(len(value)) if isinstance(value, list) else None


_X: Final = pl.col("x")
_EXPRESSIONS: Final = {
    Method.TOTAL_COUNT: pl.len(),
    Method.DISTINCT_COUNT: pl.struct("number", "value").n_unique(),
    Method.SUM: pl.when(_X.count() > 0).then(_X.sum()),
    Method.AVG: _X.mean(),
    Method.MIN: pl.struct(_X.min(), pl.col("text").min()),
    Method.MAX: pl.struct(_X.max(), pl.col("text").max()),
    Method.STDDEV: _X.std(),
    Method.SUMSQ: pl.when(_X.count() > 0).then((_X * _X).sum()),
}


async def hourly_bars(database: Database, series_keys: Sequence[int], now_us: int) -> Floats:
    """Hourly means of many series: one row a series in the order given, 24 columns, oldest hour first, NaN for none.

    The hours are whole ones of UTC, the last of them the hour that `now_us` is in.
    """
    end_us = (now_us // HOUR_US + 1) * HOUR_US
    start_us = end_us - BARS * HOUR_US
    bars = np.full((len(series_keys), BARS), np.nan)
    place = {key: row for row, key in enumerate(series_keys)}
    if await is_filed(database, start_us, end_us):
        edges = np.arange(start_us, end_us + 1, HOUR_US)
        async for frame in frames(database, series_keys, start_us, end_us):
            for hour in sums(frame.with_columns(pl.lit(None, pl.String).alias("value")), edges, [Method.AVG]):
                if (mean := hour.values[Method.AVG]) is not None:
                    bars[place[hour.series_key], (hour.from_us - start_us) // HOUR_US] = mean
        return bars
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
    most = min(limit, MAX_RANKS)
    if await is_filed(database, from_us, to_us):
        return await _ranked(database, term_key, stat, from_us, to_us, most)
    rows = await database.fetch(_SQL[_RANKINGS[stat]], term_key, from_us, to_us, most)
    return [Rank(row["entity_key"], row["id"], row["series_key"], row["value"], row["at"]) for row in rows]


_NUMBER, _AT_US = pl.col("number"), pl.col("at_us")
_STATS: Final = {
    Stat.MAX: (_NUMBER.max(), _AT_US.filter(_NUMBER.max() == _NUMBER).first()),
    Stat.MIN: (_NUMBER.min(), _AT_US.filter(_NUMBER.min() == _NUMBER).first()),
    Stat.MEAN: (_NUMBER.mean(), _AT_US.last()),
    Stat.LAST: (_NUMBER.last(), _AT_US.last()),
}


async def _ranked(database: Database, term_key: int, stat: Stat, from_us: int, to_us: int, most: int) -> list[Rank]:
    """The ranking of a range that files hold a part of."""
    rows = await database.fetch(_SQL["series_to_rank"], term_key)
    entities = {row["series_key"]: (row["entity_key"], row["id"]) for row in rows}
    ranks: list[Rank] = []
    value, at_us = _STATS[stat]
    async for frame in frames(database, list(entities), from_us, to_us):
        numbers = frame.filter(_NUMBER.is_not_null()).group_by("series_key", maintain_order=True)
        for key, number, at in numbers.agg(value.alias("value"), at_us.alias("at")).iter_rows():
            ranks.append(Rank(*entities[key], key, number, at))
    ranks.sort(key=lambda rank: (rank.value if stat is Stat.MIN else -rank.value, rank.entity_id))
    return ranks[:most]
