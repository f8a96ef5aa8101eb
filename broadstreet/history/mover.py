"""Moving what is old from the table into files, a portion at a time; and taking out of both what may not stay.

A portion is some whole days of all series, or a cell that something came late for. It is read as of one moment, written
as new files, and then, in the transaction that read it, taken from the table while the files change places in the list:

    killed before the commit   the table and the old files hold everything; the new files are swept away
    killed after it            the new files hold everything; the old ones are swept away

An observation that is written while its portion moves either stays in the table, and is merged another time, or ends
the move, which begins again. One process moves at a time; memory is bounded by one file's rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg
import msgspec
import polars as pl

from broadstreet.history.delta import publish
from broadstreet.history.parquet import HALF_WRITTEN, write_file
from broadstreet.history.past import MAX_SERIES, READING, PastFile, Sight, collect, files_of
from broadstreet.model.clock import MAX_US, MIN_US, US_PER_S
from broadstreet.model.errors import EngineFailed
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

DAY_US: Final = 86_400 * US_PER_S
MAX_DAYS: Final = 31
"""The longest stretch of one file."""
FILE_ROWS: Final = 1_000_000
"""A file has no more rows, but where one day of one series has: some 200 MB of memory while it is made."""
MOVING: Final = 2
"""The lock of who changes the files."""
ATTEMPTS: Final = 5
STATEMENT_S: Final = 600.0
"""How long one statement of a move may take: a million rows are deleted."""
SUFFIX: Final = ".parquet"

_SQL = load_queries("past")


class Moved(msgspec.Struct, frozen=True):
    """What one portion did: rows of the table that were taken, files that were written, their rows and bytes."""

    taken: int
    files: int
    rows: int
    bytes: int


class Cell(msgspec.Struct, frozen=True):
    """A stretch of time and a range of series, both ends of which are in it."""

    from_us: int
    to_us: int
    first_series: int = 0
    last_series: int = MAX_SERIES


class Mover:
    """Changes one tenant's files. Made for as long as `moving` holds the lock."""

    def __init__(self, connection: Connection, folder: Path, name: Callable[[], str], clock: Callable[[], int]) -> None:
        self._connection = connection
        self._folder = folder
        self._name = name
        self._clock = clock

    async def move_some(self, before_us: int) -> Moved | None:
        """Move a portion of what was observed before a moment; None where nothing of it is left in the table."""
        oldest_us = await self._connection.fetchval(_SQL["oldest_before"], before_us, timeout=STATEMENT_S)
        if oldest_us is None:
            return None
        files = await files_of(self._connection, MIN_US, MAX_US)
        around = [file for file in files if file.from_us <= oldest_us < file.to_us]
        if around:
            return await self._rewrite(await self._cell_of_late(around))
        return await self._rewrite(await self._next_stretch(files, oldest_us, before_us))

    async def erase(self, series_keys: Sequence[int], from_us: int, to_us: int, n: int | None = None) -> int:
        """Take observations of series in [from_us, to_us) out of table and files for ever; answers how many there were.

        n: which of those of one moment; None: all.
        Killed midway it may have done a part, and doing it again does the rest.
        """
        rows = await self._connection.fetch(_SQL["erase"], list(series_keys), from_us, to_us, n)
        gone = sum(int(row["count"]) for row in rows)
        for file in await files_of(self._connection, from_us, to_us):
            sight = Sight(self._connection, self._folder, [file])
            doomed = sight.scan(series_keys, from_us, to_us).filter(_is_nth(n)).select(pl.len())
            if count := (await asyncio.to_thread(collect, doomed)).item():
                cell = Cell(file.from_us, file.to_us, file.first_series, file.last_series)
                await self._rewrite(cell, lambda frame: _without(frame, series_keys, from_us, to_us, n))
                gone += count
        return gone

    async def sweep(self) -> None:
        """Make the folder what the list says: files that are no part of the past go, if no long reader holds them."""
        files = await files_of(self._connection, MIN_US, MAX_US)
        await asyncio.to_thread(publish, self._folder, files, self._clock())
        if await self._connection.fetchval(_SQL["try_lock"], READING):
            try:
                await asyncio.to_thread(self._remove_but, {file.name for file in files})
            finally:
                await self._connection.execute(_SQL["unlock"], READING)

    def _remove_but(self, names: set[str]) -> None:
        for path in self._folder.iterdir():
            if path.suffix in (SUFFIX, HALF_WRITTEN) and path.name not in names:
                path.unlink()

    async def _cell_of_late(self, around: Sequence[PastFile]) -> Cell:
        """The cell of the first series that something came late for."""
        stretch = around[0]
        late = await self._connection.fetch(_SQL["rows_by_series"], stretch.from_us, stretch.to_us, 0, MAX_SERIES)
        key = late[0]["series_key"]
        file = next(file for file in around if file.first_series <= key <= file.last_series)
        return Cell(file.from_us, file.to_us, file.first_series, file.last_series)

    async def _next_stretch(self, files: Sequence[PastFile], oldest_us: int, before_us: int) -> Cell:
        """Whole days from the oldest observation on, as many as a file holds; with the file before, while both fit."""
        ends = [file.to_us for file in files if file.to_us <= oldest_us]
        from_us = max([oldest_us // DAY_US * DAY_US, *ends])
        limits = [before_us, from_us + MAX_DAYS * DAY_US]
        limits += [file.from_us for file in files if file.from_us > oldest_us]
        rows, to_us = 0, from_us
        while to_us < min(limits):
            end_us = min(to_us + DAY_US, *limits)
            day: int = await self._connection.fetchval(_SQL["rows"], to_us, end_us, timeout=STATEMENT_S)
            if rows and rows + day > FILE_ROWS:
                break
            rows, to_us = rows + day, end_us
        before = [file for file in files if file.to_us == from_us]
        if len(before) == 1 and before[0].rows + rows <= FILE_ROWS and to_us - before[0].from_us <= MAX_DAYS * DAY_US:
            from_us = before[0].from_us
        return Cell(from_us, to_us)

    async def _rewrite(self, cell: Cell, keep: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame) -> Moved:
        """Make new files of what table and files hold of a cell, and put them in their place."""
        for attempt in range(ATTEMPTS):
            try:
                async with self._connection.transaction(isolation="repeatable_read"):
                    moved = await self._replace(cell, keep)
            except asyncpg.SerializationError:
                # Somebody corrected an observation of the cell while it was written.
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                await self.sweep()
                return moved
        raise AssertionError("the last attempt answers or raises")

    async def _replace(self, cell: Cell, keep: Callable[[pl.DataFrame], pl.DataFrame]) -> Moved:
        bounds = cell.from_us, cell.to_us, cell.first_series, cell.last_series
        old = [
            file
            for file in await files_of(self._connection, cell.from_us, cell.to_us)
            if file.first_series <= cell.last_series and file.last_series >= cell.first_series
        ]
        sight = Sight(self._connection, self._folder, old)
        counts = await self._connection.fetch(_SQL["rows_by_series"], *bounds, timeout=STATEMENT_S)
        told = pl.DataFrame(
            {"series_key": [row[0] for row in counts], "rows": [row[1] for row in counts]},
            {"series_key": pl.Int32, "rows": pl.Int64},
        )
        filed = (
            sight.scan(None, cell.from_us, cell.to_us).group_by("series_key").agg(pl.len().cast(pl.Int64).alias("rows"))
        )
        both = (
            pl.concat([told, await asyncio.to_thread(collect, filed)]).group_by("series_key").sum().sort("series_key")
        )
        first, new = cell.first_series, list[PastFile]()
        portions = _portions(both["series_key"].to_list(), both["rows"].to_list()) or [[]]
        for number, keys in enumerate(portions):
            last = cell.last_series if number == len(portions) - 1 else keys[-1]
            frame = keep(await sight.read(keys, cell.from_us, cell.to_us))
            name = self._name() + SUFFIX
            size = await asyncio.to_thread(write_file, frame, self._folder / name)
            new.append(PastFile(name, cell.from_us, cell.to_us, first, last, frame.height, size))
            first = last + 1
        taken = _count(await self._connection.execute(_SQL["take"], *bounds, timeout=STATEMENT_S))
        await self._connection.execute(_SQL["remove_files"], [file.name for file in old])
        await self._connection.executemany(_SQL["add_file"], [msgspec.structs.astuple(file) for file in new])
        return Moved(taken, len(new), sum(file.rows for file in new), sum(file.bytes for file in new))


@asynccontextmanager
async def moving(database: Database, name: Callable[[], str], clock: Callable[[], int]) -> AsyncIterator[Mover]:
    """Change a tenant's files: nobody else does meanwhile. name: what a new file is called, another each time."""
    if database.files is None:
        raise EngineFailed("this process was not told where the files of the past are")
    await asyncio.to_thread(database.files.mkdir, mode=0o700, parents=True, exist_ok=True)
    async with still(database) as connection:
        mover = Mover(connection, database.files, name, clock)
        await mover.sweep()
        yield mover


@asynccontextmanager
async def still(database: Database) -> AsyncIterator[Connection]:
    """No file changes meanwhile: for a copy of database and files that belong together."""
    async with database.acquire() as connection:
        try:
            # Within: who is called off while waiting may hold the lock by then, on a connection that others take next.
            await connection.execute(_SQL["lock"], MOVING, timeout=STATEMENT_S)
            yield connection
        finally:
            await connection.execute(_SQL["unlock"], MOVING)


def _portions(keys: Sequence[int], rows: Sequence[int]) -> list[list[int]]:
    """Series in order, in portions of at most FILE_ROWS rows or of one series."""
    portions: list[list[int]] = []
    room = 0
    for key, count in zip(keys, rows, strict=True):
        if count > room or not portions:
            portions.append([])
            room = FILE_ROWS
        portions[-1].append(key)
        room -= count
    return portions


def _without(frame: pl.DataFrame, series_keys: Sequence[int], from_us: int, to_us: int, n: int | None) -> pl.DataFrame:
    at_us = pl.col("observed_at").cast(pl.Int64)
    doomed = pl.col("series_key").is_in(list(series_keys)) & at_us.is_between(from_us, to_us, closed="left")
    return frame.filter(~(doomed & _is_nth(n)))


def _is_nth(n: int | None) -> pl.Expr:
    return pl.lit(True) if n is None else pl.col("n") == n


def _count(tag: str) -> int:
    """How many rows a statement's tag says it touched."""
    return int(tag.rpartition(" ")[2])
