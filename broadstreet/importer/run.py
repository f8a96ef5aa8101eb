"""One run of a file by a mapping: how far it is, what it counted, and that nobody else runs it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.importer.source import Source
from broadstreet.model.errors import Conflict
from broadstreet.store import load_queries, write_origin

if TYPE_CHECKING:
    from broadstreet.store import Database
    from broadstreet.store.database import Connection

LOCK_TRIES: Final = 50
LOCK_WAIT_S: Final = 0.1
"""A run that was killed holds its lock until the database has noticed."""

_SQL = load_queries("import_run")


class Totals(msgspec.Struct):
    """
    What an import has done, from its first line on. accepted + rejected are the readings in the lines done.

    skipped:   empty cells, which are no readings.
    repeated:  of the accepted, those that were there already with the same value.
    corrected: of the accepted, those that were there already with another value.
    ambiguous: of the accepted, those at a local time the mapping's policy had to choose.
    shifted:   of the accepted, those at a local time the mapping's policy had to move.
    """

    rows_done: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    repeated: int = 0
    corrected: int = 0
    ambiguous: int = 0
    shifted: int = 0
    rejects_bytes: int = 0


class Run(msgspec.Struct):
    """A row of import_run."""

    key: int
    file_name: str
    origin_key: int
    finished_at_us: int | None
    totals: Totals

    @classmethod
    async def open(cls, database: Database, source: Source, mapping_hash: bytes, *, principal: str, at_us: int) -> Run:
        """The run of this file by this mapping, a new one where there is none."""
        hashes = source.sha256, mapping_hash
        async with database.transaction() as connection:
            row = await connection.fetchrow(_SQL["find"], *hashes)
            if row is None:
                name = source.path.name
                origin_key = await write_origin(connection, "import", principal, at_us, f"import of {name}")
                await connection.execute(_SQL["insert"], *hashes, name, origin_key, at_us)
                row = await connection.fetchrow(_SQL["find"], *hashes)
            return cls._of(row)

    @classmethod
    def _of(cls, row: Any) -> Run:
        totals = Totals(**{name: row[name] for name in Totals.__struct_fields__})
        return cls(row["key"], row["file_name"], row["origin_key"], row["finished_at"], totals)

    async def lock(self, connection: Connection) -> None:
        """Keep others from this run while the connection lives. Raises Conflict where somebody has it."""
        for _ in range(LOCK_TRIES):
            if await connection.fetchval(_SQL["try_lock"], self.key):
                return
            await asyncio.sleep(LOCK_WAIT_S)
        raise Conflict(
            "this file is being imported by this mapping at this moment",
            where=self.file_name,
            remedy="Wait until that has ended.",
        )

    async def unlock(self, connection: Connection) -> None:
        """Let others have it."""
        await connection.execute(_SQL["unlock"], self.key)

    async def advance(self, connection: Connection, totals: Totals) -> None:
        """Write down how far the run is, inside the transaction that wrote its readings."""
        counts = [getattr(totals, name) for name in Totals.__struct_fields__]
        done = await connection.execute(_SQL["advance"], self.key, self.totals.rows_done, *counts)
        if done != "UPDATE 1":
            raise Conflict("another import has moved this run on", where=self.file_name, remedy="Start it again.")

    async def finish(self, connection: Connection, at_us: int) -> None:
        """The run is through."""
        await connection.execute(_SQL["finish"], self.key, at_us)
        self.finished_at_us = at_us
