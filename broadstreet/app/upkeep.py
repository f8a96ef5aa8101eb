"""What the past needs from time to time: what is old moves to files, what may not stay any longer goes.

One loop in each recorder; a lock in the database lets one at a time change a tenant's files. It rests after each
portion for as long as that took, so that it never keeps a processor busy.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

import asyncpg

from broadstreet.access.audit import record
from broadstreet.history import Mover, forget_origins, moving
from broadstreet.model.clock import MIN_US, US_PER_S
from broadstreet.model.errors import BroadstreetError
from broadstreet.store import Database, Store, load_queries

EVERY_S: Final = 3_600.0
DAY_US: Final = 86_400 * US_PER_S
SERIES_AT_ONCE: Final = 500
"""How many series are expired in one statement, which bounds its transaction."""
BY: Final = "retention"
"""As whom the house expires observations, in the audit."""

_SQL = load_queries("retention")
logger = logging.getLogger(__name__)


class Upkeep:
    """Looks after the past of every tenant."""

    def __init__(
        self, store: Store, table_days: int, clock: Callable[[], int], *, pack_days: int = 0, ahead_us: int = 0
    ) -> None:
        """table_days: how long an observation stays in the table; 0: for ever.

        pack_days: how long it is known from which pack a reading came; 0: for ever. No shorter than it is in the table.
        ahead_us:  how far ahead of its pack a reading may be.
        """
        self._store = store
        self._table_us = table_days * DAY_US
        self._pack_us = max(pack_days, table_days + 1) * DAY_US if pack_days and table_days else 0
        self._ahead_us = ahead_us
        self._clock = clock

    async def run(self) -> None:
        """Look after every tenant, again and again, until cancelled. What fails is logged, and tried an hour later."""
        while True:
            try:
                for name in await self._store.tenants():
                    await self.look_after(await self._store.tenant(name))
            except (BroadstreetError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                logger.warning("the past could not be looked after, and will be in an hour: %s", error)
            await asyncio.sleep(EVERY_S)

    async def look_after(self, database: Database) -> None:
        """Expire what is over its retention, then move what is old, of one tenant."""
        expiring = await database.fetch(_SQL["expiring"], self._clock())
        if not expiring and not self._table_us:
            return
        async with moving(database, lambda: uuid4().hex, self._clock) as mover:
            for row in expiring:
                await self._expire(database, mover, row)
            # Whole days: so the files of a stretch end where the next begin.
            before_us = (self._clock() - self._table_us) // DAY_US * DAY_US
            while self._table_us:
                began_s = time.monotonic()
                moved = await mover.move_some(before_us)
                if moved is None:
                    break
                logger.info(
                    "%s: %d observations have moved from the table; %d files of %d bytes hold them with what was there",
                    *(database.name, moved.taken, moved.files, moved.bytes),
                )
                await asyncio.sleep(time.monotonic() - began_s)
        if self._pack_us:
            before_us = self._clock() - self._pack_us - self._ahead_us
            if gone := await forget_origins(database, before_us, self._ahead_us):
                logger.info("%s: of %d packs it is known no longer what came with them", database.name, gone)

    async def _expire(self, database: Database, mover: Mover, row: asyncpg.Record) -> None:
        gone, keys, before_us = 0, row["series_keys"], row["before_at"]
        for start in range(0, len(keys), SERIES_AT_ONCE):
            gone += await mover.erase(keys[start : start + SERIES_AT_ONCE], MIN_US, before_us)
        if gone:
            async with self._store.control.transaction() as connection:
                detail = {"observations": gone, "before_us": before_us}
                await record(
                    connection, self._clock(), BY, "observations.expire", row["id"], tenant=database.name, detail=detail
                )
