"""What a gateway sees of devices' connections, written down once a second: why a sensor is silent, in words.

One row a device in its tenant's table `connection`: when it connected, when and why it went or was refused.
Only the newest fact of each device waits; if the store is away they wait on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import asyncpg

from broadstreet.gateway.bounds import SIGHTINGS_EVERY_S
from broadstreet.gateway.peer import Peer
from broadstreet.model.errors import BroadstreetError
from broadstreet.store import Store, load_queries

RESTARTED = "the gateway was started again"
MAX_REASON_LENGTH = 300
STORE_ERRORS = (BroadstreetError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What the store raises when it is away or refuses."""
_SQL = load_queries("connection")
logger = logging.getLogger(__name__)

Place = tuple[str, int]
"""A device: its tenant and its key there."""


class Sightings:
    """
    gateway: this process's name; it answers for the rows that carry it.
    clock:   now, in microseconds since 1970.
    """

    def __init__(self, store: Store, gateway: str, clock: Callable[[], int]) -> None:
        self._store = store
        self._gateway = gateway
        self._clock = clock
        self._open: dict[Place, tuple[int, int]] = {}
        self._seen: dict[Place, tuple[int, int | None, str | None]] = {}
        self._refused: dict[Place, tuple[int, str]] = {}

    def connected(self, peer: Peer) -> None:
        """A device has signed in."""
        if peer.kind != "device":
            return
        place = peer.tenant, peer.key
        count, _ = self._open.get(place, (0, 0))
        at_us = self._clock()
        self._open[place] = count + 1, at_us
        self._seen[place] = at_us, None, None

    def disconnected(self, peer: Peer, reason: str) -> None:
        """A device's connection has ended; it is gone if it was the last."""
        if peer.kind != "device":
            return
        place = peer.tenant, peer.key
        count, since_us = self._open.pop(place)
        if count > 1:
            self._open[place] = count - 1, since_us
        else:
            self._seen[place] = since_us, self._clock(), reason[:MAX_REASON_LENGTH]

    def refused(self, peer: Peer, reason: str) -> None:
        """Someone was refused under a device's id."""
        self._refused[peer.tenant, peer.key] = self._clock(), reason[:MAX_REASON_LENGTH]

    async def begin(self) -> None:
        """Close what an earlier process of this name left open. Raises what the store raises."""
        for tenant in await self._store.tenants():
            database = await self._store.tenant(tenant)
            await database.execute(_SQL["lost"], self._gateway, self._clock(), RESTARTED)

    async def run(self) -> None:
        """Write once a second until cancelled."""
        while True:
            await asyncio.sleep(SIGHTINGS_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """Write what waits, tenant by tenant; what the store does not take waits on."""
        for tenant in {place[0] for place in (*self._seen, *self._refused)}:
            seen = {place: self._seen.pop(place) for place in list(self._seen) if place[0] == tenant}
            refused = {place: self._refused.pop(place) for place in list(self._refused) if place[0] == tenant}
            try:
                await self._write(tenant, seen, refused)
            except STORE_ERRORS as error:
                logger.warning("connections of %s wait to be written: %s", tenant, error)
                self._seen = seen | self._seen
                self._refused = refused | self._refused

    async def _write(
        self,
        tenant: str,
        seen: dict[Place, tuple[int, int | None, str | None]],
        refused: dict[Place, tuple[int, str]],
    ) -> None:
        database = await self._store.tenant(tenant)
        if seen:
            connected, disconnected, reasons = zip(*seen.values(), strict=True)
            await database.execute(
                _SQL["saw"], self._gateway, [key for _, key in seen], list(connected), list(disconnected), list(reasons)
            )
        if refused:
            at, reasons = zip(*refused.values(), strict=True)
            await database.execute(
                _SQL["saw_refused"], self._gateway, [key for _, key in refused], list(at), list(reasons)
            )
