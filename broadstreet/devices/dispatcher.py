"""The dispatcher: offers open commands to their devices until they answer, and lets those expire whose time is over.

A command is offered when it is ordered, when its device connects, and after pauses that grow. What it offers it marks
in the same transaction, after publishing: killed between, it offers once more, under the same id.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import msgspec

from broadstreet.devices.command import offer_of, pause_s, topic_of
from broadstreet.log import Log
from broadstreet.model.clock import US_PER_S
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

LOOK_EVERY_S: Final = 0.5
AT_ONCE: Final = 200
"""Commands offered in one transaction."""
_SQL = load_queries("command")


class Dispatcher:
    """One tenant's. Several may run: each command is offered by one of them. clock: in microseconds since 1970."""

    def __init__(self, log: Log, database: Database, clock: Callable[[], int]) -> None:
        self._log = log
        self._database = database
        self._clock = clock

    async def run(self) -> None:
        """Dispatch until cancelled, or until something fails: then run again."""
        while True:
            if await self.dispatch() < AT_ONCE:
                await asyncio.sleep(LOOK_EVERY_S)

    async def dispatch(self) -> int:
        """Expire and offer what is due, up to AT_ONCE; answers how many were offered."""
        now_us = self._clock()
        await self._database.execute(_SQL["expire"], now_us, AT_ONCE)
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_SQL["due"], now_us, AT_ONCE)
            for row in rows:
                topic = topic_of(row["device"], row["id"])
                payload = msgspec.json.encode(offer_of(row))
                await self._log.publish_out(self._database.name, row["device"], topic, payload)
            if rows:
                following = [now_us + pause_s(row["offers"] + 1) * US_PER_S for row in rows]
                await connection.execute(_SQL["offered"], [row["key"] for row in rows], now_us, following)
        return len(rows)
