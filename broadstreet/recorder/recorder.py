"""The recorder: for each tenant a loop for each partition, two relays and a dispatcher of commands; and a word each
second on how it goes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable

import msgspec

from broadstreet.devices import Dispatcher
from broadstreet.engines.again import again
from broadstreet.log import Log
from broadstreet.recorder.meter import Meter, MeterReport
from broadstreet.recorder.partition import Partition
from broadstreet.recorder.plan import Plans
from broadstreet.recorder.relay import DeadRelay, Relay
from broadstreet.store import Store, load_queries

ANNOUNCE_EVERY_S = 1.0
LOOK_FOR_TENANTS_EVERY_S = 2.0
DEFAULT_FUTURE_LIMIT_S = 300.0
DEFAULT_KEEP_BYTES = 1024**3
_SQL = load_queries("recorder")
_logger = logging.getLogger(__name__)


def now_us() -> int:
    """The clock of this machine, in microseconds since 1970."""
    return time.time_ns() // 1000


class Recorder:
    """Applies what the log holds, for all tenants.

    partitions: which partitions of each tenant are this recorder's. keep_bytes: how much of RAW stays after it is
    applied, so that a value's message can still be looked at.
    """

    def __init__(
        self,
        log: Log,
        store: Store,
        partitions: range,
        *,
        name: str = "recorder",
        future_limit_s: float = DEFAULT_FUTURE_LIMIT_S,
        keep_bytes: int = DEFAULT_KEEP_BYTES,
        clock: Callable[[], int] = now_us,
    ) -> None:
        self.meter = Meter()
        self._log = log
        self._store = store
        self._partitions = partitions
        self._name = name
        self._future_limit_s = future_limit_s
        self._keep_bytes = keep_bytes
        self._clock = clock

    async def run(self) -> None:
        """Record until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._announce())
            group.create_task(self._again("tenants", lambda: self._find_tenants(group, set())))

    async def _find_tenants(self, group: asyncio.TaskGroup, known: set[str]) -> None:
        while True:
            for tenant in await self._store.tenants():
                if tenant not in known:
                    for name, run in await self._loops(tenant):
                        group.create_task(self._again(f"{tenant}, {name}", run))
                    known.add(tenant)
            await asyncio.sleep(LOOK_FOR_TENANTS_EVERY_S)

    async def _loops(self, tenant: str) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """What runs for a tenant, each with its name."""
        database = await self._store.tenant(tenant)
        scope = str(await database.fetchval(_SQL["database_id"]))
        partitions = [
            Partition(
                self._log,
                database,
                self._store.control,
                Plans(self._store, database),
                number,
                meter=self.meter,
                clock=self._clock,
                future_limit_s=self._future_limit_s,
                keep_bytes=self._keep_bytes,
            )
            for number in self._partitions
        ]
        relay = Relay(self._log, database, meter=self.meter, scope=scope)
        dead_relay = DeadRelay(self._log, database, meter=self.meter)
        dispatcher = Dispatcher(self._log, database, self._clock)
        return [
            *(("a partition", partition.run) for partition in partitions),
            ("the relay", relay.run),
            ("the relay of dead letters", dead_relay.run),
            ("the dispatcher", dispatcher.run),
        ]

    async def _again(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        await again(what, work, _logger, self._failed)

    def _failed(self) -> None:
        self.meter.failures += 1

    async def _announce(self) -> None:
        while True:
            await asyncio.sleep(ANNOUNCE_EVERY_S)
            at_us = self._clock()
            self.meter.at_us = at_us
            report = MeterReport(self._name, os.getpid(), self.meter.lag_s(at_us), self.meter)
            self.meter.worst_lag_us = 0
            await self._log.announce(f"metrics.recorder.{self._name}", msgspec.json.encode(report))
