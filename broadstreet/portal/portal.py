"""The portal of a house: one town a tenant, the city's description, and what it needs of the other rooms.

Enter it (`async with`) to have the live streams served and the reports of gateways and recorders heard.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from broadstreet.access import Access
from broadstreet.city import City, load_city
from broadstreet.devices import Registry
from broadstreet.history import time_zone
from broadstreet.log import Log
from broadstreet.log.ending import end
from broadstreet.model.clock import US_PER_S
from broadstreet.portal.town import EXPECTED, Town
from broadstreet.portal.vitals import Vitals
from broadstreet.store import Store

CITY_KEPT_US: Final = 5 * US_PER_S
MAX_WARM: Final = 8
"""Tenants whose city is read ahead."""
BUILT_CLIENT: Final = Path(__file__).parent / "static"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PortalSettings:
    """
    What the portal must know of the house.

    title, zone: the city's, over what its description says; '' leaves it.
    origin:      the portal's address as browsers see it. It says whether cookies travel over TLS alone.
    is_behind_proxy: whether a proxy stands before the house; then it is believed about where callers are.
    troubles:    what else is wrong with the house, each as part of a sentence; asked when somebody looks.
    """

    data_dir: Path
    mqtt_host: str
    mqtt_port: int
    watermark_bytes: int
    title: str = ""
    zone: str = ""
    origin: str = ""
    is_behind_proxy: bool = False
    client: Path = BUILT_CLIENT
    troubles: Callable[[], list[str]] = list

    @property
    def maps(self) -> Path:
        """Where the cities' maps and descriptions are."""
        return self.data_dir / "maps"


class Portal:
    """Make one a process."""

    def __init__(
        self,
        store: Store,
        log: Log,
        access: Access,
        registry: Registry,
        settings: PortalSettings,
        *,
        random_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.store = store
        self.log = log
        self.access = access
        self.registry = registry
        self.settings = settings
        self.clock = access.clock
        self.random_bytes = random_bytes
        self.vitals = Vitals(log, self.clock)
        self._towns: dict[str, Town] = {}
        self._cities: dict[str, tuple[int, City | None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._running: list[asyncio.Task[None]] = []

    async def town(self, tenant: str) -> Town:
        """The town of a tenant. Raises UnknownTenant."""
        if (town := self._towns.get(tenant)) is None:
            database = await self.store.tenant(tenant)
            town = Town(self.store, self.log, database, self.vitals, self.clock, lambda: self.zone(tenant))
            town = self._towns.setdefault(tenant, town)
            self._serve(town)
        return town

    async def warm(self) -> None:
        """Read each tenant's city once, before anybody asks: the first reading after a start fills every cache.

        Of a city without sensors no bars are read: they would be kept for a minute, in which a history may come.
        """
        try:
            for tenant in (await self.store.tenants())[:MAX_WARM]:
                town = await self.town(tenant)
                if (await town.roster()).sensors:
                    await town.bars()
        except EXPECTED as error:
            _log.warning("the city was not read ahead: %s", error)

    def city(self, tenant: str) -> City | None:
        """The description of a tenant's city, None where none was made."""
        now_us = self.clock()
        read_us, city = self._cities.get(tenant, (-CITY_KEPT_US, None))
        if now_us - read_us >= CITY_KEPT_US:
            city = load_city(self.settings.maps, tenant)
            self._cities[tenant] = now_us, city
        return city

    def zone(self, tenant: str) -> tzinfo:
        """The time zone of a tenant's city; UTC where nothing says it."""
        city = self.city(tenant)
        return time_zone(self.settings.zone or (city.time_zone if city else "UTC"))

    async def __aenter__(self) -> Self:
        self._tasks = await asyncio.TaskGroup().__aenter__()
        self._running.append(self._tasks.create_task(self.vitals.run()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._tasks is not None
        await end(self._running)
        await self._tasks.__aexit__(None, None, None)  # told of the body's error, it would wrap that in a group

    def _serve(self, town: Town) -> None:
        if self._tasks is not None and len(self._running) <= len(self._towns):
            self._running.append(self._tasks.create_task(town.run()))
