"""Reading the past: numbers fast, as columns; or observations whole, with all that is known of each.

Ranges are half-open, [from, to), so that neighbouring ranges neither share nor miss an observation.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl

from broadstreet.history.arrays import numbers_of, times_of
from broadstreet.history.columns import TIME, value_of
from broadstreet.history.observations import Floats, Int32s, Int64s
from broadstreet.history.past import Sight, collect, seen
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import InvalidQuery
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store.database import Connection, Database

MAX_POINTS: Final = 3_000_000
"""The most points one read holds: a month of one a second, or five years of one a minute."""
MAX_ROWS: Final = 1_000_000
"""The most observations `read` gives of one series."""
SERIES_AT_ONCE: Final = 64
"""How many series' past is in memory at once, where only counts are wanted."""

_SQL = load_queries("observation")


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """A series' numbers, oldest first: microseconds since 1970 (int64), values (float64)."""

    at_us: Int64s
    values: Floats

    def __len__(self) -> int:
        return len(self.at_us)


class Observation(msgspec.Struct, frozen=True):
    """One observation, whole. value: a float, or a JSON value; n tells instances of one moment apart."""

    series_key: int
    observed_at_us: int
    value: Any
    meta_key: int | None
    origin_key: int
    modified_at_us: int | None
    n: int


class Extent(msgspec.Struct, frozen=True):
    """How many observations a series has in a range, and the times of the first and the last."""

    count: int
    first_us: int
    last_us: int


class Existing(msgspec.Struct, frozen=True):
    """What stands at a moment of a series, and who wrote it last. value: a float, or a JSON value."""

    value: Any
    origin_key: int


def check_range(from_us: int, to_us: int) -> None:
    """InvalidQuery for a range that ends before it begins; an empty one is a range."""
    if from_us > to_us:
        raise InvalidQuery("the range ends before it begins", where="from, to", remedy="Swap them.")


async def read_range(database: Database, series_key: int, from_us: int, to_us: int, limit: int = MAX_POINTS) -> Points:
    """A series' numbers in [from_us, to_us), oldest first, at most `limit`; other values are passed over."""
    check_range(from_us, to_us)

    async def points(sight: Sight) -> Points:
        edge_us, at_us, values = sight.edge(from_us, to_us), np.empty(0, np.int64), np.empty(0, np.float64)
        if edge_us > from_us:
            filed = (await sight.read([series_key], from_us, edge_us)).filter(pl.col("number").is_not_null())
            at_us, values = filed["observed_at"].cast(pl.Int64).to_numpy(), filed["number"].to_numpy()
        left = max(limit - len(at_us), 0)
        row = await sight.connection.fetchrow(_SQL["points"], series_key, edge_us, to_us, left)
        if row is not None and row["times"] is not None:
            at_us = np.concatenate([at_us, times_of(row["times"])])
            values = np.concatenate([values, numbers_of(row["numbers"])])
        return Points(at_us[:limit], values[:limit])

    return await seen(database, from_us, to_us, points)


async def read(
    database: Database,
    series_keys: Sequence[int],
    from_us: int,
    to_us: int,
    *,
    limit: int = MAX_ROWS,
    newest_first: bool = False,
) -> list[Observation]:
    """Observations of several series in [from_us, to_us), in the order of the keys; at most `limit` of each."""
    check_range(from_us, to_us)
    most = min(limit, MAX_ROWS)

    async def whole(sight: Sight) -> list[Observation]:
        found: dict[int, list[Observation]] = {key: [] for key in series_keys}
        for part_from_us, part_to_us in _parts(sight, from_us, to_us, newest_first):
            wanted = [key for key, rows in found.items() if len(rows) < most]
            if not wanted:
                break
            if part_to_us <= sight.edge(from_us, to_us):
                rows = observations_of(await sight.read(wanted, part_from_us, part_to_us))
                rows = rows[::-1] if newest_first else rows
            else:
                query = _SQL["newest_first" if newest_first else "oldest_first"]
                told = await sight.connection.fetch(query, wanted, part_from_us, part_to_us, most)
                rows = [_observation(row) for row in told]
            for row in rows:
                if len(found[row.series_key]) < most:
                    found[row.series_key].append(row)
        return [row for rows in found.values() for row in rows]

    return await seen(database, from_us, to_us, whole)


def _parts(sight: Sight, from_us: int, to_us: int, newest_first: bool) -> list[tuple[int, int]]:
    """[from_us, to_us) in parts of one file's stretch and what is between, and the part that the table alone knows."""
    inner = {at_us for file in sight.files for at_us in (file.from_us, file.to_us) if from_us < at_us < to_us}
    cuts = [from_us, *sorted(inner), to_us]
    parts = [part for part in itertools.pairwise(cuts) if part[0] < part[1]]
    return parts[::-1] if newest_first else parts


def observations_of(frame: pl.DataFrame) -> list[Observation]:
    """A frame of whole observations as such, in its order."""
    at_us, modified_us = (frame[name].cast(pl.Int64).to_list() for name in ("observed_at", "modified_at"))
    values = map(value_of, frame["number"].to_list(), frame["value"].to_list())
    columns = (frame[name].to_list() for name in ("meta_key", "origin_key"))
    rows = zip(frame["series_key"].to_list(), at_us, values, *columns, modified_us, frame["n"].to_list(), strict=True)
    return [Observation(*row) for row in rows]


def _observation(row: asyncpg.Record) -> Observation:
    return Observation(
        series_key=row["series_key"],
        observed_at_us=row["observed_at"],
        value=row["value"] if row["number"] is None else row["number"],
        meta_key=row["meta_key"],
        origin_key=row["origin_key"],
        modified_at_us=row["modified_at"],
        n=row["n"],
    )


async def nearest_before(database: Database, series_key: int, at_us: int) -> Observation | None:
    """The newest observation at or before a moment, or None."""
    found = await read(database, [series_key], MIN_US, at_us + 1, limit=1, newest_first=True)
    return found[0] if found else None


async def existing(
    database: Database, connection: Connection, series_keys: Int32s, observed_at_us: Int64s
) -> dict[int, Existing]:
    """What stands at these moments, by position in the arguments; free moments are left out.

    Inside a transaction of `connection` that has locked the series' current values, it stays so until the end.
    """
    if len(series_keys) == 0:
        return {}
    rows = await connection.fetch(_SQL["existing"], series_keys.tolist(), observed_at_us.tolist())
    found = {
        row["position"] - 1: Existing(row["value"] if row["number"] is None else row["number"], row["origin_key"])
        for row in rows
    }
    # What moves between the two looks is met in the table by the first, or in the files by the second.
    for row in await _filed_at(database, connection, series_keys, observed_at_us):
        found.setdefault(row["position"], Existing(value_of(row["number"], row["value"]), row["origin_key"]))
    return dict(sorted(found.items()))


async def _filed_at(
    database: Database, connection: Connection, series_keys: Int32s, observed_at_us: Int64s
) -> list[dict[str, Any]]:
    """What the files hold of these moments, with their `position`."""
    from_us, to_us = int(observed_at_us.min()), int(observed_at_us.max()) + 1
    moments = {"series_key": series_keys, "observed_at": pl.Series(observed_at_us).cast(TIME)}
    asked = pl.DataFrame(moments).with_row_index("position")

    async def filed(sight: Sight) -> list[dict[str, Any]]:
        if not sight.files:
            return []
        there = sight.scan(asked["series_key"].unique().to_list(), from_us, to_us).filter(pl.col("n") == 0)
        return (await asyncio.to_thread(collect, there.join(asked.lazy(), on=["series_key", "observed_at"]))).to_dicts()

    return await seen(database, from_us, to_us, filed, connection)


async def extents(
    database: Database, series_keys: Sequence[int], from_us: int, to_us: int = MAX_US
) -> dict[int, Extent]:
    """Count, first and last time of each series in [from_us, to_us); series with nothing there are left out."""
    check_range(from_us, to_us)
    keys = sorted(set(series_keys))

    async def read_extents(sight: Sight) -> dict[int, Extent]:
        edge_us, found = sight.edge(from_us, to_us), dict[int, Extent]()
        for start in range(0, len(keys) if edge_us > from_us else 0, SERIES_AT_ONCE):
            at_us = pl.col("observed_at").cast(pl.Int64)
            counted = (await sight.read(keys[start : start + SERIES_AT_ONCE], from_us, edge_us)).group_by("series_key")
            sums = counted.agg(pl.len(), at_us.min().alias("first"), at_us.max().alias("last"))
            found |= {key: Extent(*rest) for key, *rest in sums.iter_rows()}
        for row in await sight.connection.fetch(_SQL["count"], keys, edge_us, to_us):
            told = Extent(row["count"], row["first_at"], row["last_at"])
            filed = found.get(row["series_key"], Extent(0, told.first_us, told.last_us))
            found[row["series_key"]] = Extent(filed.count + told.count, filed.first_us, told.last_us)
        return found

    return await seen(database, from_us, to_us, read_extents)


async def firsts(database: Database, series_keys: Sequence[int]) -> dict[int, int]:
    """When the first observation of each series was made; series without any are left out."""

    async def read_firsts(sight: Sight) -> dict[int, int]:
        rows = await sight.connection.fetch(_SQL["firsts"], list(series_keys))
        found: dict[int, int] = {row["key"]: row["first_at"] for row in rows if row["first_at"] is not None}
        stretches = sorted({(file.from_us, file.to_us) for file in sight.files})
        for start_us, end_us in stretches:
            wanted = [key for key in series_keys if found.get(key, MAX_US) > start_us]
            if not wanted:
                break
            at_us = pl.col("observed_at").cast(pl.Int64).min()
            least = sight.scan(wanted, start_us, end_us).group_by("series_key").agg(at_us)
            for key, first_us in (await asyncio.to_thread(collect, least)).iter_rows():
                found[key] = min(first_us, found.get(key, first_us))
        return found

    return await seen(database, MIN_US, MAX_US, read_firsts)


async def written_by(database: Database, series_keys: Sequence[int], kinds: Sequence[str]) -> list[Observation]:
    """Observations of a few series whose newest writing had an origin of these kinds, by series and time."""

    async def read_written(sight: Sight) -> list[Observation]:
        edge_us = sight.edge(MIN_US, MAX_US)
        rows = await sight.connection.fetch(_SQL["written_by"], list(series_keys), list(kinds), edge_us)
        found = [_observation(row) for row in rows]
        if edge_us > MIN_US:
            frame = await sight.read(series_keys, MIN_US, edge_us)
            origins = frame["origin_key"].unique().to_list()
            ours = await sight.connection.fetch(_SQL["origins_of_kind"], origins, list(kinds))
            found += observations_of(frame.filter(pl.col("origin_key").is_in([row["key"] for row in ours])))
        return sorted(found, key=lambda one: (one.series_key, one.observed_at_us, one.n))

    return await seen(database, MIN_US, MAX_US, read_written)
