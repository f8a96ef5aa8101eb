"""The notifier: for each tenant a reader of changes, what delivers, what settles; and a word each second of it all."""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from broadstreet.context import Contexts
from broadstreet.engines.again import again
from broadstreet.log import Log
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.notifier.carrying import Carriers
from broadstreet.notifier.delivering import Deliveries
from broadstreet.notifier.meter import Meter, MeterReport
from broadstreet.notifier.settling import Settler
from broadstreet.notifier.tenant import TenantNotifier
from broadstreet.notifier.turn import Turn, TurnLost
from broadstreet.store import Store

ANNOUNCE_EVERY_S: Final = 1.0
LOOK_FOR_TENANTS_EVERY_S: Final = 2.0
_logger = logging.getLogger(__name__)


class Notifier:
    """Tells who subscribed, in all tenants. base: the address of this house, before paths."""

    def __init__(
        self,
        log: Log,
        store: Store,
        contexts: Contexts,
        carriers: Carriers,
        *,
        base: str,
        clock: Callable[[], int],
        chance: Callable[[], float] = random.random,
        name: str = "notifier",
    ) -> None:
        self.meter = Meter()
        self._log = log
        self._store = store
        self._contexts = contexts
        self._carriers = carriers
        self._base = base
        self._clock = clock
        self._chance = chance
        self._name = name
        self._tenants: dict[str, TenantNotifier] = {}

    async def run(self) -> None:
        """Notify until cancelled, whenever no other notifier of the house does."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._announce())
            group.create_task(self._take_turns())

    async def _take_turns(self) -> None:
        while True:
            turn = Turn(self._store.control)
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(turn.hold())
                    await turn.is_mine.wait()
                    group.create_task(self._again("tenants", lambda: self._find_tenants(group)))
            except* TurnLost:
                _logger.warning("another notifier has taken over; this one stands by")
            finally:
                for one in self._tenants.values():
                    await one.deliveries.close()
                self._tenants.clear()

    async def _find_tenants(self, group: asyncio.TaskGroup) -> None:
        while True:
            for tenant in await self._store.tenants():
                if tenant not in self._tenants:
                    made = self._tenants[tenant] = await self._made(tenant)
                    group.create_task(self._again(f"{tenant}, the reader", made.run))
                    group.create_task(self._again(f"{tenant}, the intervals", made.intervals.run))
                    group.create_task(self._again(f"{tenant}, the settler", made.settler.run))
            await asyncio.sleep(LOOK_FOR_TENANTS_EVERY_S)

    async def _made(self, tenant: str) -> TenantNotifier:
        database = await self._store.tenant(tenant)
        settler = Settler(database)
        deliveries = Deliveries(
            database,
            settler,
            self._carriers,
            self.meter,
            named_as=None if tenant == DEFAULT_TENANT else tenant,
            clock=self._clock,
            chance=self._chance,
        )
        return TenantNotifier(
            self._log,
            database,
            self._store.terms(database),
            self._contexts,
            deliveries,
            settler,
            self.meter,
            base=self._base,
            clock=self._clock,
        )

    async def _again(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        await again(what, work, _logger)

    async def _announce(self) -> None:
        while True:
            await asyncio.sleep(ANNOUNCE_EVERY_S)
            self.meter.at_us = self._clock()
            self.meter.waiting = sum(one.deliveries.waiting for one in self._tenants.values())
            report = MeterReport(self._name, os.getpid(), self.meter)
            await self._log.announce(f"metrics.notifier.{self._name}", msgspec.json.encode(report))
