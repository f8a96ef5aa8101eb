"""Taking out of the past what somebody asks to be gone: a series' past, or one observation.

The table's part goes in the caller's transaction. What lies in files goes by a `Mover` (`erase_filed`), which has
transactions of its own: whoever finds by `filed_of`, after the table's part, that files hold some, gives its
transaction up, has the files changed, and begins again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import polars as pl

from broadstreet.history.mover import STATEMENT_S, moving
from broadstreet.history.past import Sight, collect, seen
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.errors import Unavailable
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

_SQL = load_queries("past")


class Span(msgspec.Struct, frozen=True):
    """Observations of series in [from_us, to_us); n: which of those of a moment, None for all."""

    series_keys: Sequence[int]
    from_us: int = MIN_US
    to_us: int = MAX_US
    n: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is all that the series ever were."""
        return (self.from_us, self.to_us, self.n) == (MIN_US, MAX_US, None)

    @property
    def bounds(self) -> tuple[list[int], int, int, int | None]:
        """What a statement takes."""
        return list(self.series_keys), self.from_us, self.to_us, self.n


async def erase_told(connection: Connection, span: Span) -> set[int]:
    """Take a span out of the table; answers of which series there was something."""
    rows = await connection.fetch(_SQL["erase"], *span.bounds, timeout=STATEMENT_S)
    return {row["series_key"] for row in rows}


async def filed_of(database: Database, connection: Connection, span: Span) -> set[int]:
    """Of which series files hold something of a span, as the transaction of `connection` sees them.

    What a transaction has taken out of the table comes into no file any more.
    """

    async def filed(sight: Sight) -> set[int]:
        if not sight.files:
            return set()
        rows = sight.scan(span.series_keys, span.from_us, span.to_us)
        chosen = rows if span.n is None else rows.filter(pl.col("n") == span.n)
        found = await asyncio.to_thread(collect, chosen.select(pl.col("series_key").unique()))
        return set(found["series_key"].to_list())

    return await seen(database, span.from_us, span.to_us, filed, connection)


async def erase_filed(database: Database, span: Span, at_us: int) -> None:
    """Take a span out of the table and the files, in transactions of its own.

    Raises Unavailable where others keep the files too long.
    """
    try:
        async with moving(database, lambda: uuid4().hex, lambda: at_us) as mover:
            await mover.erase(*span.bounds)
    except TimeoutError as error:
        raise Unavailable("files of the past are being changed", remedy="Try again in some minutes.") from error
