"""The relays: what transactions left in the outbox goes to CHANGES and to DEAD, and is deleted once the log has it.

They take what is there rather than walking by key, and neither waits for the other: while DEAD is full, dead letters
stay in the outbox, and changes go on. A crash between publishing and deleting changes publishes them again, under the
same message id, which JetStream drops; beyond its window consumers drop them by (series, version). Letters have no
version, so a relay looks first which of them a life before it has published.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from broadstreet.log import DeadLetter, DeadStream, Log, decode_dead_list
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError, LogFull
from broadstreet.recorder.meter import Meter
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

MAX_ROWS: Final = 64
IDLE_S: Final = 0.05
"""How long the relay rests when it found nothing: what a change waits at most before it is published."""
DEAD_IDLE_S: Final = 0.2
FULL_S: Final = 2.0
"""How long dead letters wait before it is tried again whether DEAD has room."""
CLOCKS_APART_US: Final = 60 * US_PER_S
"""How far PostgreSQL's clock may be ahead of the log's."""
_SQL = load_queries("outbox")
_logger = logging.getLogger(__name__)


class Relay:
    """Empties one tenant's outbox of changes."""

    def __init__(self, log: Log, database: Database, *, meter: Meter, scope: str) -> None:
        """scope: what tells this database from another one that used the same log, for the message ids."""
        self._log = log
        self._database = database
        self._meter = meter
        self._scope = scope

    async def run(self) -> None:
        """Relay until cancelled, or until something fails: then run again."""
        while True:
            if not await self.relay_once():
                await asyncio.sleep(IDLE_S)

    async def relay_once(self) -> int:
        """Publish what is there, up to MAX_ROWS, and delete it; answers how many rows that were."""
        rows = await self._database.fetch(_SQL["take_changes"], MAX_ROWS)
        if rows:
            # In order, one after the other: a consumer is to see a series' versions as they came.
            for row in rows:
                message_id = f"{self._scope}:{self._database.name}:{row['key']}"
                await self._log.publish_changes(self._database.name, row["body"], message_id)
            await self._database.execute(_SQL["delete"], [row["key"] for row in rows])
            self._meter.published += len(rows)
        return len(rows)


class DeadRelay:
    """Empties one tenant's outbox of dead letters, row by row."""

    def __init__(self, log: Log, database: Database, *, meter: Meter) -> None:
        self._log = log
        self._stream = DeadStream(log)
        self._database = database
        self._meter = meter
        self._published: set[tuple[bytes, int]] | None = None
        """Of the oldest row the letters that DEAD has; None where that is not known."""
        self._is_full = False

    async def run(self) -> None:
        """Relay until cancelled, or until something fails: then run again. While DEAD is full, letters wait."""
        while True:
            try:
                relayed = await self.relay_once()
            except LogFull as error:
                if not self._is_full:
                    _logger.error("dead letters of %s wait for room: %s", self._database.name, error)
                self._is_full = True
                await asyncio.sleep(FULL_S)
                continue
            except BroadstreetError:
                self._published = None  # the last one may have been published
                raise
            self._is_full = False
            if not relayed:
                await asyncio.sleep(DEAD_IDLE_S)

    async def relay_once(self) -> int:
        """Publish what is there, up to MAX_ROWS, and delete it; answers how many rows that were. Raises LogFull."""
        rows = await self._database.fetch(_SQL["take_dead"], MAX_ROWS)
        for row in rows:
            letters = decode_dead_list(row["body"])
            if self._published is None:
                self._published = await self._already(letters, row["left_at"])
            for letter in letters:
                if _identity(letter) not in self._published:
                    await self._log.publish_dead(letter)
                    self._published.add(_identity(letter))
            await self._database.execute(_SQL["delete"], [row["key"]])
            self._published = set()
            self._meter.published += 1
        return len(rows)

    async def _already(self, letters: list[DeadLetter], left_us: int) -> set[tuple[bytes, int]]:
        """Which of a row's letters DEAD has. left_us: when the row was left in the outbox."""
        wanted = {_identity(letter) for letter in letters}
        since = self._stream.since(self._database.name, left_us - CLOCKS_APART_US)
        return {_identity(stored.letter) async for stored in since if _identity(stored.letter) in wanted}


def _identity(letter: DeadLetter) -> tuple[bytes, int]:
    return letter.pack, letter.entry
