"""Where a partition goes on: behind its cursor, if log and database still belong together.

Either may have been put back from a backup without the other. Then the cursor counts in a log that is not there:

    the log is another one     it was made anew: it is read from its beginning
    the log is an older one    it ends before the cursor, or holds another pack where one was applied: likewise
    the database is an older   the log was trimmed further than it has applied: what stood between is missing in it,
    one                        and reading goes on with what there is

Reading again doubles nothing, since each pack's id is applied once. Nothing of this goes by in silence: what was found,
where, and what to do stands in the log of the process and in the audit, once.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

from broadstreet.access.audit import record
from broadstreet.log import decode_pack
from broadstreet.log.raw import RawState, RawStream
from broadstreet.model.errors import CorruptData, EngineFailed
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.log import Log
    from broadstreet.store import Database

BY: Final = "recorder"
"""As whom it says in the audit what it found."""
TOGETHER: Final = "Database and log belong together: restore both from one backup, as broadstreet restore does."
_SQL = load_queries("recorder")
_logger = logging.getLogger(__name__)


class Cursor(NamedTuple):
    """How far a partition is applied: the log's incarnation, and a sequence in it."""

    stream: str
    sequence: int


class Breach(NamedTuple):
    """What is wrong between log and database. action: what the audit calls it; cursor: where to go on."""

    action: str
    words: str
    cursor: Cursor


class Beginning:
    """Finds where one partition goes on. control: where the audit stands."""

    def __init__(self, log: Log, database: Database, control: Database, partition: int) -> None:
        self._raw = RawStream(log)
        self._database = database
        self._control = control
        self._partition = partition

    async def find(self, now_us: int) -> Cursor:
        """The cursor as it stands in the database, now of the log that is there."""
        state = await self._raw.state(self._database.name, self._partition)
        await self._database.execute(_SQL["create_cursor"], self._partition, state.stream)
        row = await self._database.fetchrow(_SQL["read_cursor"], self._partition)
        if row is None:
            raise EngineFailed(f"the cursor of partition {self._partition} is gone")
        cursor = Cursor(row["stream"], row["sequence"])
        while (breach := await self._breach(cursor, state)) is not None:
            await self._say(cursor, breach, now_us)
            moved = await self._database.execute(_SQL["move_cursor"], self._partition, *cursor, *breach.cursor)
            if not moved.endswith(" 1"):
                raise EngineFailed("another recorder applies this partition", where=self._where)
            cursor = breach.cursor
        return cursor

    @property
    def _where(self) -> str:
        return f"{self._database.name}, partition {self._partition}"

    async def _breach(self, cursor: Cursor, state: RawState) -> Breach | None:
        """What is wrong, if something is."""
        again = Cursor(state.stream, max(0, state.trimmed - 1))
        if cursor.stream != state.stream:
            return Breach(
                "log.replaced",
                f"the log was made anew: it is {state.stream}, and {cursor.stream} was applied up to "
                f"{cursor.sequence}. It is read whole; what that log held beyond is not in this one",
                Cursor(state.stream, 0),
            )
        if cursor.sequence > state.last:
            return Breach(
                "log.older",
                f"the log is older than the database: it ends at {state.last}, and {cursor.sequence} was applied. It "
                "is read again from its beginning, each pack once; what it had taken in since its backup, and was not "
                "applied, is lost",
                again,
            )
        if await self._holds_another(cursor):
            return Breach(
                "log.older",
                f"the log is not the one that was applied up to {cursor.sequence}: it holds another pack there. It is "
                "read again from its beginning, each pack once; what the former one held, and was not applied, is lost",
                again,
            )
        if cursor.sequence + 1 < state.trimmed:
            return Breach(
                "log.gap",
                f"the database is older than the log: it has applied up to {cursor.sequence}, and what follows was "
                f"dropped from the log below {state.trimmed}, having been applied to a newer one. Those readings are "
                "missing from it; a newer backup of the database has them",
                Cursor(state.stream, state.trimmed - 1),
            )
        return None

    async def _holds_another(self, cursor: Cursor) -> bool:
        """Whether another pack than the newest that was applied stands in its place."""
        row = await self._database.fetchrow(_SQL["newest_pack"], self._partition, *cursor)
        if row is None:
            return False
        data = await self._raw.pack_at(self._database.name, self._partition, row["sequence"])
        if data is None:
            return False
        try:
            return bool(UUID(bytes=decode_pack(data).id) != row["pack_id"])
        except CorruptData:
            return True

    async def _say(self, cursor: Cursor, breach: Breach, now_us: int) -> None:
        _logger.error("%s: %s. %s", self._where, breach.words, TOGETHER)
        detail = {"what": breach.words, "applied": cursor.sequence, "goes_on_behind": breach.cursor.sequence}
        async with self._control.transaction() as connection:
            await record(connection, now_us, BY, breach.action, self._where, tenant=self._database.name, detail=detail)
