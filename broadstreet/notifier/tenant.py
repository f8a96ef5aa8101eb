"""The notifier of one tenant: reads its changes in order, and lets what they mean to somebody wait for delivery.

What is to be delivered is written down in the transaction that moves the place up to which changes are read: after any
kill nothing is missing, and nothing is found twice. Before each batch the epoch of the subscriptions is asked for,
after the batch was read: whatever was subscribed before a change was made is known by then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate
from typing import Final

from broadstreet.context import Contexts
from broadstreet.log import Log, Position
from broadstreet.model.change import ChangeBatch, decode_changes
from broadstreet.model.errors import Conflict
from broadstreet.notifier.delivering import Deliveries
from broadstreet.notifier.directory import Directory
from broadstreet.notifier.intervals import Intervals
from broadstreet.notifier.matching import Matcher, Told
from broadstreet.notifier.meter import Meter
from broadstreet.notifier.queue import Waiting
from broadstreet.notifier.register import Register
from broadstreet.notifier.settling import Settler
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, Terms, load_queries

MAX_RECORDS: Final = 64
"""Records of changes that are taken together."""
MAX_CHANGES: Final = 10_000
"""Changes of them, where it is more than one: what they mean to everybody is in memory at once."""
WAIT_S: Final = 0.25
"""How long a read waits for changes before the subscriptions are looked at again: what goes on after a deletion."""
IDLE_S: Final = 1.0
"""How often it is looked whether anybody has subscribed, where nobody had."""
_SQL = load_queries("notifier")
_logger = logging.getLogger(__name__)


class TenantNotifier:
    """One tenant's. base: the address of this house, before paths."""

    def __init__(
        self,
        log: Log,
        database: Database,
        terms: Terms,
        contexts: Contexts,
        deliveries: Deliveries,
        settler: Settler,
        meter: Meter,
        *,
        base: str,
        clock: Callable[[], int],
    ) -> None:
        self.deliveries = deliveries
        self.settler = settler
        self.intervals = Intervals(database, terms, deliveries, self._wait, clock)
        self._log = log
        self._database = database
        self._register = Register(database, contexts, base, clock)
        self._directory = Directory(database, terms)
        self._matcher = Matcher(database, terms, self._directory)
        self._meter = meter
        self._clock = clock
        self._last_key = 0
        self._place = Position("", 0)
        self._kept: tuple[str | None, int] = (None, 0)
        self._turn = asyncio.Lock()
        """Held while what waits is written down and put into queues, or those are made anew."""

    async def run(self) -> None:
        """Read until cancelled, or until something fails: then run again.

        While the log is away, what waits is delivered: nothing but the database makes what is in memory doubtful.
        """
        await self._look()
        while True:
            end = await self._log.changes_end()
            await self._look()
            if self._hears:
                await self._read()
            else:
                # Nobody is interested in what stands there by now, and whoever comes later is told of what comes later.
                self._place = end
                await asyncio.sleep(IDLE_S)

    async def _begin(self) -> None:
        """Begin where the database says."""
        async with self._step():
            await self.deliveries.begin()
            self._register.forget()
            row = await self._database.fetchrow(_SQL["standing"])
            assert row is not None
            self._kept = (row["stream"], row["sequence"])
            self._place = Position(row["stream"] or "", row["sequence"])
            self._last_key = max(self._last_key, await self._database.fetchval(_SQL["last_key"]))

    @asynccontextmanager
    async def _step(self) -> AsyncIterator[None]:
        """Nobody else changes what waits meanwhile. Where this fails, it is not known what of it the database has."""
        async with self._turn:
            is_done = False
            try:
                yield
                is_done = True
            finally:
                if not is_done:
                    self.deliveries.lose_step()

    @property
    def _hears(self) -> bool:
        """Whether anybody is to be told of changes."""
        return any(one.interval_us is None for one in self._register.subscriptions)

    async def _read(self) -> None:
        """Read changes for as long as somebody is to be told of them."""
        end = await self._log.changes_end()
        after = self._place.sequence
        if self._place.stream != end.stream:
            if self._place.stream:
                _logger.warning("the log's changes of %s begin anew", self._database.name)
            after = 0
        self._place = Position(end.stream, after)
        async with self._log.changes(self._database.name, after) as reader:
            while self._hears and self.deliveries.is_in_step:
                messages = await reader.fetch(MAX_RECORDS, WAIT_S)
                await self._look()
                batches = [(message.sequence, decode_changes(message.data)) for message in messages]
                while batches and self.deliveries.is_in_step:
                    together = _together(batch for _, batch in batches)
                    await self._take(batches[:together])
                    del batches[:together]

    async def _take(self, batches: Sequence[tuple[int, ChangeBatch]]) -> None:
        """Records of changes by their sequence: find out what they mean to whom, and write that down."""
        place = Position(self._place.stream, batches[-1][0])
        async with self._step():
            told = await self._matcher.match([batch for _, batch in batches], self._clock())
            waiting = self._numbered(told)
            async with self._database.transaction() as connection:
                moved = await connection.fetchval(_SQL["move"], *place, *self._kept)
                if moved is None:
                    raise Conflict("another notifier reads the changes of the same tenant")
                if waiting:
                    await connection.execute(_SQL["enqueue"], *_columns(waiting))
            self._place, self._kept = place, (place.stream, place.sequence)
            self._meter.changes += sum(len(batch.series) for _, batch in batches)
            await self._put(waiting)

    async def _wait(self, told: Sequence[Told]) -> None:
        """Let entities wait that no change made."""
        async with self._step():
            waiting = self._numbered(told)
            await self._database.execute(_SQL["enqueue"], *_columns(waiting))
            await self._put(waiting)

    def _numbered(self, told: Sequence[Told]) -> list[tuple[Subscribed, Waiting]]:
        """Each with its place among all that ever waited here."""
        first = self._last_key + 1
        self._last_key += len(told)
        return [(one.subscription, Waiting(at, one.entity_id, one.body)) for at, one in enumerate(told, first)]

    async def _put(self, waiting: Sequence[tuple[Subscribed, Waiting]]) -> None:
        self._meter.told += len(waiting)
        await self.deliveries.put(waiting)

    async def _look(self) -> None:
        """See whether subscriptions were made, changed or removed, or have ended."""
        if not self.deliveries.is_in_step:
            await self._begin()
        async with self._step():
            if not await self._register.refresh():
                return
            found = self._register.subscriptions
            self._directory.file(one for one in found if one.interval_us is None)
            await self.deliveries.serve(found)
            self.intervals.serve(found)


def _together(batches: Iterable[ChangeBatch]) -> int:
    """How many of these records are taken together, one at least."""
    sizes = accumulate(len(batch.series) for batch in batches)
    return max(1, sum(size <= MAX_CHANGES for size in sizes))


def _columns(waiting: Sequence[tuple[Subscribed, Waiting]]) -> tuple[list[int], list[int], list[str], list[str]]:
    return (
        [one.key for _, one in waiting],
        [subscription.key for subscription, _ in waiting],
        [one.entity_id for _, one in waiting],
        [one.body for _, one in waiting],
    )
