"""Delivering what waits: a worker for each queue that holds something, so that no receiver waits for another.

A queue sends one notification at a time: the order is kept, and while one is on its way what comes meanwhile gathers
into the next. A receiver that fails is tried again, later each time, with the same notification.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from broadstreet.delivery import DeliveryFailed
from broadstreet.engines.again import EXPECTED
from broadstreet.log.ending import end
from broadstreet.model.clock import US_PER_S
from broadstreet.notifier.carrying import Carriers, Route
from broadstreet.notifier.meter import Meter
from broadstreet.notifier.queue import Queue, Waiting
from broadstreet.notifier.settling import Settler
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, load_queries

RETRY_S: Final = 1.0
LOOK_S: Final = 60.0
"""How long a worker sleeps at most before it looks at the clock again."""
SETTLE_S: Final = 5.0
"""How long the last outcomes may take to be written down at the end."""
_SQL = load_queries("notifier")
_logger = logging.getLogger(__name__)


class Deliveries:
    """What waits in one tenant. tenant: its name; named_as: what receivers are told of it, None for nothing."""

    def __init__(
        self,
        database: Database,
        settler: Settler,
        carriers: Carriers,
        meter: Meter,
        *,
        named_as: str | None,
        clock: Callable[[], int],
        chance: Callable[[], float],
    ) -> None:
        self._database = database
        self._settler = settler
        self._carriers = carriers
        self._meter = meter
        self._named_as = named_as
        self._clock = clock
        self._chance = chance
        self._queues: dict[int, Queue] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._routes: dict[int, tuple[Subscribed, Route]] = {}
        self._is_in_step = False

    @property
    def is_in_step(self) -> bool:
        """Whether what is here is what the database says waits. A database that went away may have forgotten what was
        written last, such as what need not wait any more: then `begin`."""
        return self._is_in_step and not self._settler.has_failed

    def lose_step(self) -> None:
        """The database went away."""
        self._is_in_step = False

    @property
    def waiting(self) -> int:
        """How many entities wait."""
        return sum(map(len, self._queues.values()))

    def is_waiting(self, subscription: Subscribed) -> bool:
        """Whether anything waits for a subscription."""
        queue = self._queues.get(subscription.key)
        return queue is not None and len(queue) > 0

    async def serve(self, subscriptions: Iterable[Subscribed]) -> None:
        """From now on it is these: what waits for others goes."""
        served = {one.key: one for one in subscriptions}
        waiting = {row["subscription_key"]: row for row in await self._database.fetch(_SQL["waiting"])}
        others = [key for key in self._queues.keys() | waiting.keys() if key not in served]
        await end([worker for key in others if (worker := self._workers.pop(key, None)) is not None])
        for key in others:
            self._queues.pop(key, None)
            self._routes.pop(key, None)
        if others:
            await self._settler.forget(others)
        for key, one in served.items():
            queue = self._queues.get(key)
            row = waiting.get(key)
            if queue is not None:
                queue.follow(one)
            elif row is None:
                self._queues[key] = Queue(one)
            else:
                self._queues[key] = Queue(one, row["entities"], row["newest"])
            self._wake(key)

    async def put(self, told: Sequence[tuple[Subscribed, Waiting]]) -> None:
        """These wait now, and stand in the database."""
        full = []
        for subscription, one in told:
            queue = self._queues.get(subscription.key)
            if queue is None:
                continue  # it is no more
            queue.put(one)
            self._wake(subscription.key)
            full.append(queue)
        for queue in {id(queue): queue for queue in full}.values():
            dropped = await queue.make_room(self._database)
            if dropped:
                self._meter.dropped += dropped
                self._settler.dropped(queue.subscription.key, dropped)

    async def begin(self) -> None:
        """Begin anew with what the database says waits: what was on its way may be delivered twice."""
        await self._stop()
        await self._settler.settle()
        self._queues.clear()
        self._is_in_step, self._settler.has_failed = True, False

    async def close(self) -> None:
        """Deliver no more, and write down how the last deliveries went."""
        await self._stop()
        try:
            async with asyncio.timeout(SETTLE_S):
                await self._settler.settle()
        except EXPECTED as error:
            _logger.warning("what was delivered last in %s may come again: %s", self._database.name, error)

    async def _stop(self) -> None:
        workers, self._workers = list(self._workers.values()), {}
        await end(workers)

    def _wake(self, key: int) -> None:
        queue = self._queues[key]
        worker = self._workers.get(key)
        if len(queue) and (worker is None or worker.done()):
            self._workers[key] = asyncio.create_task(self._work(queue))

    async def _work(self, queue: Queue) -> None:
        """Deliver until nothing waits."""
        while len(queue):
            try:
                await self._step(queue)
            except EXPECTED as error:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError from error
                self.lose_step()
                _logger.warning("what waits for %s: %s", queue.subscription.id, error)
                await asyncio.sleep(RETRY_S)

    async def _step(self, queue: Queue) -> None:
        """Wait until something may be sent, or send one notification."""
        now_us = self._clock()
        if now_us < queue.due_us:
            await _changed(queue, min((queue.due_us - now_us) / US_PER_S, LOOK_S))
            return
        subscription = queue.subscription
        if subscription.throttling_us:
            self._settler.superseded(await queue.supersede(self._database))
        await queue.refill(self._database)
        portion = queue.portion()
        if not portion:
            return
        notification_id = f"urn:ngsi-ld:Notification:{self._database.name}:{portion[0].key}-{portion[-1].key}"
        body = subscription.frame.message(notification_id, now_us, [one.body for one in portion])
        try:
            await self._route(subscription)(body)
        except DeliveryFailed as error:
            self._failed(queue, self._clock(), error)
            return
        self._meter.sent += len(portion)
        self._meter.notifications += 1
        queue.delivered(now_us)
        self._settler.succeeded(subscription.key, [one.key for one in portion], now_us)

    def _route(self, subscription: Subscribed) -> Route:
        """The way to its receiver."""
        known = self._routes.get(subscription.key)
        if known is None or known[0] is not subscription:
            route = self._carriers.route(subscription.receiver, subscription.frame.all_headers(self._named_as))
            known = self._routes[subscription.key] = (subscription, route)
        return known[1]

    def _failed(self, queue: Queue, now_us: int, error: DeliveryFailed) -> None:
        key = queue.subscription.key
        self._meter.failed += 1
        self._settler.failed(key, now_us, error.message)
        queue.failed(now_us, self._chance)
        if error.is_final or queue.gives_up(now_us):
            gone = queue.give_up()
            self._meter.dropped += len(gone)
            self._settler.dropped(key, len(gone), gone)


async def _changed(queue: Queue, within_s: float) -> None:
    """Wait for a while, or until the subscription is another."""
    queue.changed.clear()
    try:
        async with asyncio.timeout(within_s):
            await queue.changed.wait()
    except TimeoutError:
        pass
