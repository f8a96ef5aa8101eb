"""Reading many series as columns: what aggregates are made of.

A frame has whole series, by series and time: `series_key` (int32), `at_us` (int64), `number` (float64 or null), `value`
(any other JSON value as text, or null; the JSON null is where both are null). As many series at a time are read as make
a frame of some hundred thousand rows: memory is bounded by the longest series and not by how many are asked for.

Numbers come from the index (series, time) alone, which holds them beside its keys, by COPY: a year of one series,
105,120 rows, took 20 ms here, and 105 ms as records. Other values are rare, and fetched only where a frame has a row
without a number.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import polars as pl

from broadstreet.history.copy import SERIES_POINT, RowDecoder
from broadstreet.model.errors import TooLarge
from broadstreet.store.database import POSTGRES_EPOCH_US
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

SERIES_FIRST: Final = 16
"""How many series the first frame has."""
FRAME_ROWS: Final = 500_000
"""A frame with fewer rows than half of this is followed by one of twice as many series; with more, of half as many."""
MAX_SERIES_ROWS: Final = 10_000_000
"""The most observations of one series that are added up: four months of one a second."""

_SQL = load_queries("observation")
_json = msgspec.json.Encoder(order="deterministic").encode


async def frames(
    database: Database, series_keys: Sequence[int], from_us: int, to_us: int
) -> AsyncIterator[pl.DataFrame]:
    """Observations of series in [from_us, to_us). Raises TooLarge for a series of more than MAX_SERIES_ROWS."""
    wanted, at_once, start = sorted(set(series_keys)), SERIES_FIRST, 0
    while start < len(wanted):
        part = wanted[start : start + at_once]
        async with database.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            frame = await read_frame(connection, part, from_us, to_us)
        if frame.height:
            yield frame
        start += len(part)
        if frame.height < FRAME_ROWS // 2:
            at_once *= 2
        elif frame.height > FRAME_ROWS:
            at_once = max(at_once // 2, 1)


async def read_frame(connection: Connection, series_keys: Sequence[int], from_us: int, to_us: int) -> pl.DataFrame:
    """One frame, inside a transaction that sees one moment."""
    decoder, pieces = RowDecoder(SERIES_POINT), [np.empty(0, SERIES_POINT)]
    most, rows = MAX_SERIES_ROWS * len(series_keys), 0

    async def receive(piece: bytes) -> None:
        nonlocal rows
        pieces.append(decoder.feed(piece))
        rows += len(pieces[-1])
        if rows > most:
            raise TooLarge(
                f"a series has more than {MAX_SERIES_ROWS} observations in the range", remedy="Ask for a shorter range."
            )

    keys = list(series_keys)
    await connection.copy_from_query(_SQL["numbers"], keys, from_us, to_us, output=receive, format="binary")
    frame = await asyncio.to_thread(_frame, pieces)
    if frame["number"].null_count() == 0:
        return frame
    others = await connection.fetch(_SQL["others"], keys, from_us, to_us)
    values = np.full(frame.height, None, object)
    values[frame["number"].is_null().to_numpy()] = [
        None if row["value"] is None else _json(row["value"]).decode() for row in others
    ]
    return frame.with_columns(pl.Series("value", values.tolist(), pl.String))


def _frame(pieces: Sequence[np.ndarray[tuple[int], np.dtype[np.void]]]) -> pl.DataFrame:
    rows = np.concatenate(pieces)
    return pl.DataFrame(
        {
            "series_key": rows["field0"].astype(np.int32),
            "at_us": rows["field1"].astype(np.int64) + POSTGRES_EPOCH_US,
            "number": pl.Series(rows["field2"].astype(np.float64)).fill_nan(None),
        }
    ).with_columns(pl.lit(None, pl.String).alias("value"))
