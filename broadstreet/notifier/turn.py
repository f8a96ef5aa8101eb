"""One notifier at work at a time: others stand by, and go on where it ended.

Who works holds a lock of PostgreSQL's, which its session loses with its connection. Where that breaks, the notifier
asks for the lock again, and works on meanwhile: nothing of what it does can be written down without PostgreSQL. Only
where another has the lock by then does it end. What it had delivered and not yet written down is then told twice, as
after a kill.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from broadstreet.engines.again import EXPECTED, again
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

LOOK_EVERY_S: Final = 1.0
_SQL = load_queries("notifier")
_logger = logging.getLogger(__name__)


class TurnLost(Exception):
    """Another notifier is at work."""


class Turn:
    """A notifier's right to work. control: the schema that all processes of a house share."""

    def __init__(self, control: Database) -> None:
        self._control = control
        self.is_mine = asyncio.Event()
        """Whether it has been this one's turn; from then on, until TurnLost."""

    async def hold(self) -> None:
        """Wait for the turn, and keep it until cancelled. Raises TurnLost where another has taken it meanwhile."""
        await again("the notifiers' turn", self._hold, _logger)

    async def _hold(self) -> None:
        async with self._control.acquire() as connection, self._locked(connection):
            self.is_mine.set()
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                await connection.fetchval(_SQL["has_turn"])

    @asynccontextmanager
    async def _locked(self, connection: Connection) -> AsyncIterator[None]:
        while not await connection.fetchval(_SQL["take_turn"]):
            if self.is_mine.is_set():
                raise TurnLost
            await asyncio.sleep(LOOK_EVERY_S)
        try:
            yield
        finally:
            with suppress(*EXPECTED):
                await connection.fetchval(_SQL["leave_turn"])
