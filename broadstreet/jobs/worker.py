"""Who does the jobs: a loop that takes one at a time of any tenant, and says every second how far it is.

Killed midway, it leaves a job without a beat, which the next worker takes and begins anew. Where the job was cancelled,
or taken by another worker since this one was too slow, the work is ended and its file thrown away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Final

import asyncpg

from broadstreet.jobs.job import MAX_ATTEMPTS, Job, Jobs
from broadstreet.jobs.product import Product
from broadstreet.log.ending import end
from broadstreet.model.errors import BroadstreetError, EngineFailed
from broadstreet.store import Database

if TYPE_CHECKING:
    from broadstreet.jobs.job import JobState

LOOK_EVERY_S: Final = 5.0
"""How often a worker looks for jobs that came to another process, and for what is over its time."""
BEAT_S: Final = 1.0
_ENGINE: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, EngineFailed, ConnectionError, TimeoutError)
_log = logging.getLogger(__name__)

Work = Callable[[Database, Job, Product], Awaitable[None]]
"""What does jobs of a kind: it writes the file, and says in the product how far it is. What it raises of the house's
errors is told to whoever asked."""


class Worker:
    """Works for one process. name: another in each."""

    def __init__(
        self,
        jobs: Jobs,
        kinds: Mapping[str, Work],
        name: str,
        product: Callable[[Jobs, Job], Product] = Product,
    ) -> None:
        self._jobs = jobs
        self._kinds = kinds
        self._name = name
        self._product = product

    async def run(self) -> None:
        """Do whatever comes, until cancelled."""
        while True:
            self._jobs.begun.clear()
            try:
                for tenant in await self._jobs.store.tenants():
                    database = await self._jobs.store.tenant(tenant)
                    await self._jobs.sweep(database)
                    while await self.do_next(database):
                        pass
            except (*_ENGINE, OSError) as error:
                _log.warning("jobs cannot be done now: %s", error)
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._jobs.begun.wait()
            except TimeoutError:
                continue

    async def do_next(self, database: Database) -> bool:
        """Do the next job of a tenant; answers whether there was one."""
        job = await self._jobs.take(database, self._name, self._kinds)
        if job is None:
            return False
        if job.attempts > MAX_ATTEMPTS:
            told = f"it was begun {MAX_ATTEMPTS} times, and its worker ended each time before it"
            await self._jobs.finish(database, job, self._name, "failed", 0, 0, told)
            return True
        with self._product(self._jobs, job) as product:
            doing = asyncio.create_task(self._do(database, job, product))
            try:
                while not doing.done():
                    await asyncio.wait({doing}, timeout=BEAT_S)
                    if not doing.done() and not await self._beat(database, job, product):
                        await end([doing])
            finally:
                await end([doing])
            if not doing.cancelled():
                doing.result()
        return True

    async def _beat(self, database: Database, job: Job, product: Product) -> bool:
        return await self._jobs.beat(database, job, self._name, product.share, product.rows, product.bytes)

    async def _do(self, database: Database, job: Job, product: Product) -> None:
        error: str | None = None
        try:
            await self._kinds[job.kind](database, job, product)
            await asyncio.to_thread(product.settle)
        except _ENGINE:
            # Nobody's fault but the house's: left without a beat, it is begun again.
            raise
        except (BroadstreetError, OSError) as refusal:
            error = str(refusal)
            _log.info("job %s of %s failed: %s", job.id, job.tenant, error)
        state: JobState = "done" if error is None else "failed"
        ended = await self._jobs.finish(database, job, self._name, state, product.rows, product.bytes, error)
        if not ended and error is None:
            await asyncio.to_thread(product.discard)
