"""Subscriptions that are told from time to time of all they are about, whatever changed (timeInterval)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from broadstreet.context.meta import Metas
from broadstreet.context.reading import Reader
from broadstreet.context.search import Search
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError
from broadstreet.notifier.delivering import Deliveries
from broadstreet.notifier.matching import Told
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, Terms

LOOK_S: Final = 0.5
"""How often it is looked whose time has come."""
MAX_PAGES: Final = 100
"""Notifications that one turn may take."""
Wait = Callable[[Sequence[Told]], Awaitable[None]]
"""Lets entities wait to be delivered."""
_logger = logging.getLogger(__name__)


class Intervals:
    """Those of one tenant."""

    def __init__(
        self, database: Database, terms: Terms, deliveries: Deliveries, wait: Wait, clock: Callable[[], int]
    ) -> None:
        self._search = Search(database, terms)
        self._reader = Reader(database, terms, Metas())
        self._deliveries = deliveries
        self._wait = wait
        self._clock = clock
        self._subscriptions: tuple[Subscribed, ...] = ()
        self._due_us: dict[int, int] = {}
        self._intervals_us: dict[int, int | None] = {}

    def serve(self, subscriptions: Iterable[Subscribed]) -> None:
        """From now on it is these."""
        self._subscriptions = tuple(one for one in subscriptions if one.interval_us is not None)
        known, self._due_us = self._due_us, {}
        before, self._intervals_us = self._intervals_us, {one.key: one.interval_us for one in self._subscriptions}
        for one in self._subscriptions:
            began_us = max(one.since_us, one.last_told_us or 0)
            is_known = one.key in known and before[one.key] == one.interval_us
            self._due_us[one.key] = known[one.key] if is_known else began_us + (one.interval_us or 0)

    async def run(self) -> None:
        """Tell whose time has come, until cancelled or something fails: then run again."""
        while True:
            for one in self._subscriptions:
                if self._clock() >= self._due_us.get(one.key, 0):
                    await self._turn(one)
            await asyncio.sleep(LOOK_S)

    async def _turn(self, subscription: Subscribed) -> None:
        now_us, interval_us = self._clock(), subscription.interval_us or US_PER_S
        due_us = self._due_us.get(subscription.key, now_us)
        # Turns keep their beat; those that were missed are not made up for.
        self._due_us[subscription.key] = due_us + interval_us * max(1, -(-(now_us - due_us + 1) // interval_us))
        if self._deliveries.is_waiting(subscription):
            return  # it has not taken the last one yet
        try:
            for page in range(MAX_PAGES):
                if not await self._page(subscription, page):
                    return
        except BroadstreetError as error:
            _logger.warning("%s is not told this time: %s", subscription.id, error)

    async def _page(self, subscription: Subscribed, page: int) -> bool:
        """Tell of a page of entities; whether more follow."""
        assert subscription.everything is not None
        look = subscription.look
        wanted = replace(subscription.everything, offset=page * subscription.everything.limit)
        found = await self._search.page(wanted)
        rows = await self._reader.entities(found.keys, with_times=look.presentation.with_times)
        if rows:
            await self._wait([Told(subscription, row.id, look.standing(row)) for row in rows])
        return found.more
