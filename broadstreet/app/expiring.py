"""What has an end is deleted when it comes: a look at each tenant once a second, in every recorder.

Reads leave out what has ended from its end on (context/transience.py), so that nobody waits for this.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import asyncpg

from broadstreet.context import Reaper
from broadstreet.model.errors import BroadstreetError
from broadstreet.store import Store

EVERY_S: Final = 1.0

logger = logging.getLogger(__name__)


class Expiring:
    """Deletes what has ended in every tenant."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._reaper = Reaper(store)

    async def run(self) -> None:
        """Look at every tenant, again and again, until cancelled. What fails is logged, and tried again."""
        while True:
            try:
                for name in await self._store.tenants():
                    await self._reaper.reap(name, self._clock())
            except (BroadstreetError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("what has ended could not be deleted, and will be tried again: %s", error)
            await asyncio.sleep(EVERY_S)
