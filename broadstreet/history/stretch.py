"""What files hold of a stretch of time that queries over it must know: of which series anything, and the rows of some.

A stretch is one of when things were observed, or of when they came or were changed last. Files are ordered by the first
alone: for the others all of them are looked through.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec
import polars as pl

from broadstreet.history.columns import COLUMNS, TIME
from broadstreet.history.past import Sight, collect, files_of, moment, seen
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import TooMany
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

MAX_ROWS: Final = 200_000
"""The most rows of files that one query looks at, value by value."""
MAX_WRITINGS: Final = 1_000_000
"""The most pairs of series and origin that are looked through for when they were written."""

_SQL = load_queries("past")


class By(StrEnum):
    """Which time of an observation counts."""

    OBSERVED = "observed"
    CREATED = "created"
    MODIFIED = "modified"


class Stretch(msgspec.Struct, frozen=True):
    """[from_us, to_us) by one of the times of observations."""

    from_us: int = MIN_US
    to_us: int = MAX_US
    by: By = By.OBSERVED

    @property
    def observed(self) -> tuple[int, int]:
        """Between which times anything in it was observed."""
        return (self.from_us, self.to_us) if self.by is By.OBSERVED else (MIN_US, MAX_US)


class FiledRows(msgspec.Struct, frozen=True):
    """Rows as columns for a query. edge_us: from when on, by observation, the table alone knows what was."""

    edge_us: int
    columns: tuple[list[Any], ...]


async def is_in_files(connection: Connection, stretch: Stretch) -> bool:
    """Whether files may hold anything of a stretch."""
    return bool(await files_of(connection, *stretch.observed))


async def filed_series(
    database: Database, connection: Connection, stretch: Stretch, series_keys: Sequence[int] | None = None
) -> list[int]:
    """Series of which files hold something of a stretch. series_keys: the only ones that count. Raises TooMany."""
    if series_keys is not None and not series_keys:
        return []

    async def filed(sight: Sight) -> list[int]:
        if not sight.files:
            return []
        rows = sight.scan(series_keys, *stretch.observed)
        if stretch.by is By.OBSERVED:
            found = await asyncio.to_thread(collect, rows.select(pl.col("series_key").unique()))
        else:
            pairs = rows.select("series_key", "origin_key", "modified_at").unique()
            counted = await asyncio.to_thread(collect, pairs.select(pl.len()))
            if counted.item() > MAX_WRITINGS:
                raise _too_much("timeproperty")
            found = await _within(sight, await asyncio.to_thread(collect, pairs), stretch)
        return found["series_key"].unique().to_list()

    return await seen(database, *stretch.observed, filed, connection)


async def filed_rows(
    database: Database, connection: Connection, stretch: Stretch, series_keys: Sequence[int]
) -> FiledRows | None:
    """What is known of series within the part of a stretch that files hold; None where they hold none of it.

    Columns: series, times, numbers, values, meta keys, origin keys, when each was corrected. Raises TooMany.
    """

    async def filed(sight: Sight) -> FiledRows | None:
        from_us, to_us = stretch.observed
        edge_us = sight.edge(from_us, to_us)
        if edge_us == from_us:
            return None
        frame = await sight.read_at_most(series_keys, from_us, edge_us, MAX_ROWS) if series_keys else _NOTHING
        if frame is None:
            raise _too_much("timerel")
        if stretch.by is not By.OBSERVED:
            frame = await _within(sight, frame, stretch)
        return FiledRows(edge_us, _columns(frame))

    return await seen(database, *stretch.observed, filed, connection)


_NOTHING: Final = pl.DataFrame(schema=COLUMNS)


async def _within(sight: Sight, frame: pl.DataFrame, stretch: Stretch) -> pl.DataFrame:
    """Rows that were written within a stretch."""
    origins = frame["origin_key"].unique().to_list()
    rows = await sight.connection.fetch(_SQL["written_at"], origins)
    at_us = {row["key"]: row["at"] for row in rows}
    at = pl.col("origin_key").replace_strict(at_us, default=None, return_dtype=pl.Int64).cast(TIME)
    if stretch.by is By.MODIFIED:
        at = pl.coalesce("modified_at", at)
    return frame.filter(at.is_between(moment(stretch.from_us), moment(stretch.to_us), closed="left"))


def _columns(frame: pl.DataFrame) -> tuple[list[Any], ...]:
    """A frame's columns as the parameters of a query."""
    times = [frame[name].cast(pl.Int64).to_list() for name in ("observed_at", "modified_at")]
    values = [None if value is None else msgspec.Raw(value.encode()) for value in frame["value"].to_list()]
    plain = [frame[name].to_list() for name in ("series_key", "number", "meta_key", "origin_key")]
    return plain[0], times[0], plain[1], values, plain[2], plain[3], times[1]


def _too_much(where: str) -> TooMany:
    return TooMany(
        "too much of the long past would have to be looked through",
        where=where,
        remedy="Ask of a shorter time, or of fewer entities.",
    )
