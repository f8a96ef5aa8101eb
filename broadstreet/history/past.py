"""The long past: files of Parquet that hold what is older, beside the table that holds what is new or came late.

A file holds whatever the past knows of a stretch of time and a range of series (a cell), sorted by series, time and n.
The cells of a stretch cover all series, so that each moment of each series has one place. Which files there are stands
in the database alone, in `past_file`, changed in the same transaction as the table: a reader that sees one moment of
the database sees each observation once. What came late for a time that has moved lies in the table until it is merged,
and counts before what the file says of the same (series, time, n).

A file never changes. One that was replaced is gone soon after, and a reader that met it reads again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import polars as pl

from broadstreet.history.columns import COLUMNS, KEY, TIME, read_columns
from broadstreet.model.errors import EngineFailed
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

MAX_SERIES: Final = 2**31 - 1
TIMES: Final = 5
"""How often a read begins again where a file it was to read has been replaced."""
READING: Final = 1
"""The lock that keeps replaced files where they are, shared by long readers."""

_SQL = load_queries("past")
T = TypeVar("T")


class PastFile(msgspec.Struct, frozen=True):
    """A file: what it holds of [from_us, to_us), of the series first_series to last_series."""

    name: str
    from_us: int
    to_us: int
    first_series: int
    last_series: int
    rows: int
    bytes: int

    def holds_any(self, series_keys: Sequence[int]) -> bool:
        """Whether any of these series is in its range."""
        return any(self.first_series <= key <= self.last_series for key in series_keys)


class Sight:
    """What one moment of the database shows of a stretch of time: the table, and the files beside it."""

    def __init__(self, connection: Connection, folder: Path | None, files: Sequence[PastFile]) -> None:
        self.connection = connection
        self.files = files
        self._folder = folder

    def edge(self, from_us: int, to_us: int) -> int:
        """From when on, within [from_us, to_us], the table alone knows what was."""
        return min(max([from_us, *(file.to_us for file in self.files)]), to_us)

    def scan(self, series_keys: Sequence[int] | None, from_us: int, to_us: int) -> pl.LazyFrame:
        """What the files say of series (None: all) in [from_us, to_us), whatever the table says. In no order."""
        files = [
            self._path(file)
            for file in self.files
            if file.from_us < to_us and file.to_us > from_us and (series_keys is None or file.holds_any(series_keys))
        ]
        if not files:
            return pl.LazyFrame(schema=COLUMNS)
        found = pl.scan_parquet(files, glob=False).filter(
            pl.col("observed_at").is_between(moment(from_us), moment(to_us), closed="left")
        )
        return found if series_keys is None else found.filter(_is_one_of(series_keys))

    async def read(self, series_keys: Sequence[int], from_us: int, to_us: int) -> pl.DataFrame:
        """Observations of series in [from_us, to_us), whole, by key: those of the files under those of the table."""
        return await self._merged(
            await read_columns(self.connection, series_keys, from_us, to_us), series_keys, from_us, to_us
        )

    async def read_at_most(
        self, series_keys: Sequence[int], from_us: int, to_us: int, most: int
    ) -> pl.DataFrame | None:
        """As `read`; None where table or files hold more rows than `most`, before they are in memory."""
        told = await read_columns(self.connection, series_keys, from_us, to_us, most + 1)
        if told.height > most:
            return None
        filed = self.scan(series_keys, from_us, to_us).select(pl.len())
        if self.files and (await asyncio.to_thread(collect, filed)).item() > most:
            return None
        return await self._merged(told, series_keys, from_us, to_us)

    async def _merged(self, told: pl.DataFrame, series_keys: Sequence[int], from_us: int, to_us: int) -> pl.DataFrame:
        """What the table told, and what the files hold beside it, by key."""
        filed = await asyncio.to_thread(collect, self.scan(series_keys, from_us, to_us))
        if told.height and filed.height:
            told = await self._against(told, filed)
            filed = filed.join(told, on=KEY, how="anti")
        return await asyncio.to_thread(pl.concat([told, filed.select(told.columns)]).sort, KEY)

    async def _against(self, told: pl.DataFrame, filed: pl.DataFrame) -> pl.DataFrame:
        """What of the table counts before the files: not what says the same again; what says another thing corrects."""
        stood = filed.select(*KEY, pl.struct("number", "value").alias("stood"))
        both = told.join(stood, on=KEY, how="left", maintain_order="left")
        is_same = pl.struct("number", "value") == pl.col("stood")
        both = both.filter(pl.col("stood").is_null() | ~is_same)
        is_silent = pl.col("stood").is_not_null() & pl.col("modified_at").is_null()
        origins = both.filter(is_silent)["origin_key"].unique().to_list()
        written = await self.connection.fetch(_SQL["written_at"], origins) if origins else []
        at_us = {row["key"]: row["at"] for row in written}
        when = pl.col("origin_key").replace_strict(at_us, default=None, return_dtype=pl.Int64).cast(TIME)
        return both.with_columns(pl.when(is_silent).then(when).otherwise("modified_at").alias("modified_at")).drop(
            "stood"
        )

    def _path(self, file: PastFile) -> Path:
        if self._folder is None:
            raise EngineFailed(
                "observations have moved to files, and this process was not told where they are",
                remedy="Start it with the house's data folder.",
            )
        return self._folder / file.name


def collect(rows: pl.LazyFrame) -> pl.DataFrame:
    """Read what was asked of files. Raises FileNotFoundError where one was replaced, EngineFailed for a damaged one."""
    try:
        return rows.collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise EngineFailed(
            f"a file of the long past cannot be read: {error}", remedy="Restore the data folder from a backup."
        ) from error


def moment(at_us: int) -> pl.Expr:
    """A moment as the files have it."""
    return pl.lit(at_us, pl.Int64).cast(TIME)


def _is_one_of(series_keys: Sequence[int]) -> pl.Expr:
    """The bounds let whole row groups be passed over."""
    key = pl.col("series_key")
    least, greatest = min(series_keys), max(series_keys)
    within = key.is_between(pl.lit(least, pl.Int32), pl.lit(greatest, pl.Int32))
    return within if least == greatest else within & key.is_in(pl.Series(sorted(series_keys), dtype=pl.Int32).implode())


async def files_of(connection: Connection, from_us: int, to_us: int) -> list[PastFile]:
    """The files that may hold something of [from_us, to_us), oldest first."""
    return [PastFile(*row) for row in await connection.fetch(_SQL["files"], from_us, to_us)]


@asynccontextmanager
async def _one_moment(database: Database) -> AsyncIterator[Connection]:
    async with database.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield connection


async def seen(
    database: Database,
    from_us: int,
    to_us: int,
    read: Callable[[Sight], Awaitable[T]],
    connection: Connection | None = None,
) -> T:
    """What a reader makes of one moment; it begins again where a file was replaced meanwhile.

    connection: one whose own transaction is to be gone by, each of whose statements sees its own moment.
    """
    for _ in range(TIMES):
        async with _one_moment(database) if connection is None else nullcontext(connection) as own:
            sight = Sight(own, database.files, await files_of(own, from_us, to_us))
            try:
                return await read(sight)
            except FileNotFoundError as error:
                missing = error
    raise EngineFailed(
        f"a file of the long past is not there: {missing}",
        where=str(database.files),
        remedy="Restore it from a backup; every other stretch of the past can be read.",
    )


@asynccontextmanager
async def held(database: Database, from_us: int, to_us: int) -> AsyncIterator[Sight]:
    """As `one_moment`, for as long as it takes: no file that it needs goes away."""
    async with database.acquire() as connection:
        try:
            await connection.execute(_SQL["lock_shared"], READING)
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                yield Sight(connection, database.files, await files_of(connection, from_us, to_us))
        finally:
            await connection.execute(_SQL["unlock_shared"], READING)


async def is_filed(database: Database, from_us: int, to_us: int) -> bool:
    """Whether files hold anything of [from_us, to_us)."""
    return await database.fetchval(_SQL["is_filed"], from_us, to_us) is True
