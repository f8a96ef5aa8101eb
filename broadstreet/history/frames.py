"""Reading many series as columns: what aggregates are made of.

A frame has whole series, by series and time: `series_key` (int32), `at_us` (int64), `number` (float64 or null), `value`
(any other JSON value as text, or null; the JSON null is where both are null). As many series at a time are read as make
a frame of some hundred thousand rows: memory is bounded by the longest series and not by how many are asked for.

Numbers come from the index (series, time) alone, which holds them beside its keys. Other values are rare, and fetched
only where a frame has a row without a number.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np
import polars as pl

from broadstreet.history.arrays import numbers_of, times_of
from broadstreet.history.observations import Floats, Int32s, Int64s
from broadstreet.history.past import Sight, seen
from broadstreet.model.errors import TooLarge
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    import asyncpg

    from broadstreet.store.database import Connection, Database

SERIES_FIRST: Final = 16
"""How many series the first frame has."""
FRAME_ROWS: Final = 500_000
"""A frame with fewer rows than half of this is followed by one of twice as many series; with more, of half as many."""
MAX_ROWS: Final = 10_000_000
"""The most rows of a frame, and so the most of one series that are added up: four months of one a second."""

_SQL = load_queries("observation")
_NO_VALUE: Final = pl.lit(None, pl.String).alias("value")
_json = msgspec.json.Encoder(order="deterministic").encode


class Numbers(NamedTuple):
    """A frame's columns, of numbers alone."""

    series_key: Int32s
    at_us: Int64s
    number: Floats


async def frames(
    database: Database, series_keys: Sequence[int], from_us: int, to_us: int
) -> AsyncIterator[pl.DataFrame]:
    """Observations of series in [from_us, to_us), each frame of its own moment. Raises TooLarge for a series of more
    than MAX_ROWS."""

    async def read(part: Sequence[int]) -> pl.DataFrame:
        return await seen(database, from_us, to_us, partial(read_frame, part, from_us, to_us))

    async for frame in _paced(read, series_keys):
        yield frame


async def frames_of(sight: Sight, series_keys: Sequence[int], from_us: int, to_us: int) -> AsyncIterator[pl.DataFrame]:
    """As `frames`, all of one moment."""
    async for frame in _paced(lambda part: read_frame(part, from_us, to_us, sight), series_keys):
        yield frame


async def _paced(
    read: Callable[[Sequence[int]], Awaitable[pl.DataFrame]], series_keys: Sequence[int]
) -> AsyncIterator[pl.DataFrame]:
    """What is read of as many series at a time as make a frame of the right size."""
    wanted, at_once, start = sorted(set(series_keys)), SERIES_FIRST, 0
    while start < len(wanted):
        part = wanted[start : start + at_once]
        frame = await read(part)
        if frame.height > MAX_ROWS:
            if len(part) == 1:
                raise TooLarge(
                    f"a series has more than {MAX_ROWS} observations in the range", remedy="Ask for a shorter range."
                )
            at_once = len(part) // 2
            continue
        if frame.height:
            yield frame
        start += len(part)
        if frame.height < FRAME_ROWS // 2:
            at_once *= 2
        elif frame.height > FRAME_ROWS:
            at_once = max(at_once // 2, 1)


async def read_frame(series_keys: Sequence[int], from_us: int, to_us: int, sight: Sight) -> pl.DataFrame:
    """One frame, of what table and files hold."""
    edge_us = sight.edge(from_us, to_us)
    told = await _of_table(sight.connection, series_keys, edge_us, to_us)
    if edge_us == from_us:
        return told
    both = await sight.read(series_keys, from_us, edge_us)
    filed = both.select("series_key", pl.col("observed_at").cast(pl.Int64).alias("at_us"), "number", "value")
    return pl.concat([filed, told]).sort("series_key", maintain_order=True)


async def numbers_told(database: Database, series_keys: Sequence[int], from_us: int, to_us: int) -> Numbers | None:
    """What the table holds of a few series, by one statement, which sees one moment by itself; None where files hold
    some of it, or where it is more than numbers, or too much."""
    keys = sorted(set(series_keys))
    rows = await database.fetch(_SQL["numbers_if_told"], keys, from_us, to_us, MAX_ROWS + 1)
    if rows[0]["is_filed"]:
        return None
    numbers = _numbers_of([row for row in rows if row["series_key"] is not None])
    return None if len(numbers.number) > MAX_ROWS or np.isnan(numbers.number).any() else numbers


async def _of_table(connection: Connection, series_keys: Sequence[int], from_us: int, to_us: int) -> pl.DataFrame:
    """What the table alone holds: MAX_ROWS + 1 rows at most."""
    keys = list(series_keys)
    rows = await connection.fetch(_SQL["numbers"], keys, from_us, to_us, MAX_ROWS + 1)
    frame = _frame_of(rows)
    if frame["number"].null_count() and frame.height <= MAX_ROWS:
        values: list[str | None] = [None] * frame.height
        places = np.flatnonzero(frame["number"].is_null().to_numpy()).tolist()
        others = await connection.fetch(_SQL["others"], keys, from_us, to_us)
        for place, row in zip(places, others, strict=True):
            values[place] = None if row["value"] is None else _json(row["value"]).decode()
        return frame.with_columns(pl.Series("value", values, pl.String))
    return frame.with_columns(_NO_VALUE)


def _frame_of(rows: Sequence[asyncpg.Record]) -> pl.DataFrame:
    """A frame without its values."""
    keys, at_us, number = _numbers_of(rows)
    return pl.DataFrame({"series_key": keys, "at_us": at_us, "number": pl.Series(number).fill_nan(None)})


def _numbers_of(rows: Sequence[asyncpg.Record]) -> Numbers:
    times, numbers = [times_of(row["times"]) for row in rows], [numbers_of(row["numbers"]) for row in rows]
    return Numbers(
        np.repeat(np.array([row["series_key"] for row in rows], np.int32), [len(at) for at in times]),
        np.concatenate([np.empty(0, np.int64), *times]),
        np.concatenate([np.empty(0), *numbers]),
    )
