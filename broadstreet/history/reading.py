"""Reading the past: numbers fast, as columns; or observations whole, with all that is known of each.

Ranges are half-open, [from, to), so that neighbouring ranges neither share nor miss an observation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from broadstreet.history.arrays import numbers_of, times_of
from broadstreet.history.observations import Floats, Int32s, Int64s
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import InvalidQuery
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

MAX_POINTS: Final = 3_000_000
"""The most points one read holds: a month of one a second, or five years of one a minute."""
MAX_ROWS: Final = 1_000_000
"""The most observations `read` gives of one series."""
EXPORT_ROWS: Final = 5_000
"""Rows a piece of an export."""

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


class ExportRow(msgspec.Struct, frozen=True):
    """One observation on its way out. simulated: its origin made it up."""

    series_key: int
    observed_at_us: int
    value: Any
    meta_key: int | None
    simulated: bool


def check_range(from_us: int, to_us: int) -> None:
    """InvalidQuery for a range that ends before it begins; an empty one is a range."""
    if from_us > to_us:
        raise InvalidQuery("the range ends before it begins", where="from, to", remedy="Swap them.")


async def read_range(database: Database, series_key: int, from_us: int, to_us: int, limit: int = MAX_POINTS) -> Points:
    """A series' numbers in [from_us, to_us), oldest first, at most `limit`; other values are passed over."""
    check_range(from_us, to_us)
    row = await database.fetchrow(_SQL["points"], series_key, from_us, to_us, limit)
    if row is None or row["times"] is None:
        return Points(np.empty(0, np.int64), np.empty(0, np.float64))
    return Points(times_of(row["times"]), numbers_of(row["numbers"]))


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
    query = _SQL["newest_first" if newest_first else "oldest_first"]
    rows = await database.fetch(query, list(series_keys), from_us, to_us, min(limit, MAX_ROWS))
    return [
        Observation(
            series_key=row["series_key"],
            observed_at_us=row["observed_at"],
            value=row["value"] if row["number"] is None else row["number"],
            meta_key=row["meta_key"],
            origin_key=row["origin_key"],
            modified_at_us=row["modified_at"],
            n=row["n"],
        )
        for row in rows
    ]


async def nearest_before(database: Database, series_key: int, at_us: int) -> Observation | None:
    """The newest observation at or before a moment, or None."""
    found = await read(database, [series_key], MIN_US, at_us + 1, limit=1, newest_first=True)
    return found[0] if found else None


async def existing(connection: Connection, series_keys: Int32s, observed_at_us: Int64s) -> dict[int, Existing]:
    """What stands at these moments, by position in the arguments; free moments are left out.

    Inside a transaction that has locked the series' current values, it stays so until the end.
    """
    rows = await connection.fetch(_SQL["existing"], series_keys.tolist(), observed_at_us.tolist())
    return {
        row["position"] - 1: Existing(row["value"] if row["number"] is None else row["number"], row["origin_key"])
        for row in rows
    }


async def extents(
    database: Database, series_keys: Sequence[int], from_us: int, to_us: int = MAX_US
) -> dict[int, Extent]:
    """Count, first and last time of each series in [from_us, to_us); series with nothing there are left out."""
    check_range(from_us, to_us)
    rows = await database.fetch(_SQL["count"], list(series_keys), from_us, to_us)
    return {row["series_key"]: Extent(row["count"], row["first_at"], row["last_at"]) for row in rows}


async def export(
    database: Database, series_keys: Sequence[int], from_us: int, to_us: int
) -> AsyncIterator[list[ExportRow]]:
    """All observations of several series in [from_us, to_us), by series and time, a few thousand at a time.

    One snapshot: what is written meanwhile does not show. The connection is held until the iterator ends or is closed.
    """
    check_range(from_us, to_us)
    async with database.transaction() as connection:
        cursor = await connection.cursor(_SQL["export"], list(series_keys), from_us, to_us)
        while rows := await cursor.fetch(EXPORT_ROWS):
            yield [
                ExportRow(
                    series_key=row["series_key"],
                    observed_at_us=row["observed_at"],
                    value=row["value"] if row["number"] is None else row["number"],
                    meta_key=row["meta_key"],
                    simulated=row["simulated"],
                )
                for row in rows
            ]
