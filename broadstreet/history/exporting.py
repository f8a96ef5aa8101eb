"""The past on its way out: all that was observed, or what it amounts to, piece by piece and of one moment.

`held` gives the sight of one moment and keeps its files where they are; `pieces` reads whole observations through it,
`summed` what they amount to by period. A piece has many short series or a stretch of a long one, so that memory is
bounded whatever is asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final

import polars as pl

from broadstreet.history.aggregates import Method, summed_up
from broadstreet.history.frames import frames_of
from broadstreet.history.past import held
from broadstreet.history.reading import check_range
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.history.observations import Int64s
    from broadstreet.history.past import Sight
    from broadstreet.store.database import Connection

PIECE_ROWS: Final = 200_000
"""The most rows of a piece: some 20 MB."""
SERIES_FIRST: Final = 16
SERIES_MOST: Final = 4_096
"""How many series the first piece has, and how many any has at most."""

_SQL = load_queries("past")

__all__ = ["held", "origins_of", "pieces", "summed"]


async def pieces(sight: Sight, series_keys: Sequence[int], from_us: int, to_us: int) -> AsyncIterator[pl.DataFrame]:
    """Observations of series in [from_us, to_us), whole, by series and time: columns as in `columns.COLUMNS`."""
    check_range(from_us, to_us)
    keys, start, at_once = sorted(set(series_keys)), 0, SERIES_FIRST
    while start < len(keys):
        part = keys[start : start + at_once]
        frame = await sight.read_at_most(part, from_us, to_us, PIECE_ROWS)
        if frame is None and len(part) > 1:
            at_once = len(part) // 2
            continue
        start += len(part)
        if frame is None:
            async for stretch in _stretches(sight, part[0], from_us, to_us):
                yield stretch
            continue
        if frame.height:
            yield frame
        if frame.height < PIECE_ROWS // 4:
            at_once = min(at_once * 2, SERIES_MOST)


async def _stretches(sight: Sight, key: int, from_us: int, to_us: int) -> AsyncIterator[pl.DataFrame]:
    """One long series, oldest first: a stretch with too much in it is halved."""
    left = [(from_us, to_us)]
    while left:
        begin_us, end_us = left.pop()
        frame = await sight.read_at_most([key], begin_us, end_us, PIECE_ROWS)
        if frame is None:
            middle_us = (begin_us + end_us) // 2
            left += [(middle_us, end_us), (begin_us, middle_us)]
        elif frame.height:
            yield frame


async def summed(
    sight: Sight, series_keys: Sequence[int], edges: Int64s, methods: Sequence[Method]
) -> AsyncIterator[pl.DataFrame]:
    """What series amount to by period, by series and time: `series_key`, `from_us`, `to_us`, and a column a method.

    Texts have no least and no greatest here. Raises TooLarge for a series too long, InvalidQuery for sums too large.
    """
    async for frame in frames_of(sight, series_keys, int(edges[0]), int(edges[-1])):
        found = await asyncio.to_thread(summed_up, frame, edges, methods)
        yield found.with_columns(
            pl.col(method).struct.field("x").alias(method) for method in (Method.MIN, Method.MAX) if method in methods
        )


async def origins_of(connection: Connection, keys: Sequence[int]) -> pl.DataFrame:
    """What wrote, and when: `origin_key`, `origin`, `recorded_at` in microseconds; those that are still known."""
    rows = await connection.fetch(_SQL["origins"], list(keys))
    columns = {name: [row[name] for row in rows] for name in ("key", "kind", "at")}
    schema = {"origin_key": pl.Int64, "origin": pl.String, "recorded_at": pl.Int64}
    return pl.DataFrame(dict(zip(schema, columns.values(), strict=True)), schema)
