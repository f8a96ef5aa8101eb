"""The relay: what transactions left in the outbox goes to CHANGES and DEAD, and is deleted once the log has it.

It takes what is there rather than walking by key. A crash between publishing and deleting publishes again, under the
same message id, which JetStream drops; beyond its window consumers drop it by (series, version).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from broadstreet.log import Log, decode_dead_list
from broadstreet.recorder.meter import Meter
from broadstreet.store import OutboxKind, load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

MAX_ROWS = 64
IDLE_S = 0.05
"""How long the relay rests when it found nothing: what a change waits at most before it is published."""
_SQL = load_queries("outbox")


class Relay:
    """Empties one tenant's outbox."""

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
        rows = await self._database.fetch(_SQL["take"], MAX_ROWS)
        if rows:
            # In order, one after the other: a consumer is to see a series' versions as they came.
            for row in rows:
                await self._publish(row["key"], OutboxKind(row["kind"]), row["body"])
            await self._database.execute(_SQL["delete"], [row["key"] for row in rows])
            self._meter.published += len(rows)
        return len(rows)

    async def _publish(self, key: int, kind: OutboxKind, body: bytes) -> None:
        if kind is OutboxKind.CHANGES:
            await self._log.publish_changes(self._database.name, body, f"{self._scope}:{self._database.name}:{key}")
        else:
            for letter in decode_dead_list(body):
                await self._log.publish_dead(letter)
