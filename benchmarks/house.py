"""A house to measure: engines and roles as processes in a temporary folder, devices, and what is queryable by now."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.generator import Generator
from broadstreet.app import Settings
from broadstreet.app.clock import now_us
from broadstreet.app.house import House
from broadstreet.app.settings import Http, Mqtt, NgsiLdSettings
from broadstreet.devices import DeviceSpec, Registry
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.store import Database, Store

MAX_ATTRIBUTES = 64
CAUGHT_UP_WITHIN_S = 300.0
POLL_S = 0.05
ALLOW_EVERY_S = 0.1
UNLIMITED = 10**12
COUNT_WITHIN_S = 600.0
_COUNT_READINGS = """
SELECT count(*) FROM observation
WHERE origin_key >= (SELECT min(key) FROM origin WHERE kind = 'pack')
AND origin_key IN (SELECT key FROM origin WHERE kind = 'pack')
"""


class Subject:
    """The house that is measured."""

    def __init__(self, house: House, store: Store, database: Database) -> None:
        self.house = house
        self.store = store
        self.database = database
        self._registry = Registry(store)
        self.mqtt_port = house.settings.mqtt.port
        self.http_port = house.settings.http.port

    async def add_devices(self, devices: int, series: int) -> dict[str, str]:
        """Devices whose attributes make this many series together; answers their secrets by id."""
        attributes = -(-series // devices)
        if attributes > MAX_ATTRIBUTES:
            raise SystemExit(f"{series} series need at least {-(-series // MAX_ATTRIBUTES)} devices, not {devices}")
        lines = ["[profile]", 'name = "bench"', 'type = "Device"']
        for n in range(attributes):
            lines += [f"[attributes.a{n}]", f'field = "a{n}"']
        await self._registry.register_profile(self.database, "\n".join(lines), principal="bench", at_us=now_us())
        logins = {f"bench-{n}": secrets.token_urlsafe(18) for n in range(devices)}
        specs = [
            DeviceSpec(id=name, title=name, profile="bench", lon=24.94, lat=60.17, secret=secret)
            for name, secret in logins.items()
        ]
        await self._registry.register_many(self.database, specs, principal="bench", at_us=now_us())
        return logins

    def heads(self) -> dict[str, list[int]]:
        """The process ids of each part."""
        status = self.house.status()
        return {part.name: [part.pid] for part in (*status.engines, *status.roles) if part.pid is not None}

    async def applied(self) -> int:
        """Messages whose readings can be queried: counted in the transaction that wrote them."""
        return int(await self.database.fetchval("SELECT coalesce(sum(messages), 0)::bigint FROM heard"))

    async def stored(self) -> int:
        """Readings of devices, counted one by one."""
        async with self.database.acquire() as connection:
            return int(await connection.fetchval(_COUNT_READINGS, timeout=COUNT_WITHIN_S))

    async def caught_up(self, messages: int) -> float:
        """Wait until so many messages can be queried; answers how long that took, in seconds."""
        began_s = time.monotonic()
        while await self.applied() < messages:
            if time.monotonic() - began_s > CAUGHT_UP_WITHIN_S:
                raise SystemExit(f"{messages - await self.applied()} messages are not queryable yet; gave up")
            await asyncio.sleep(POLL_S)
        return time.monotonic() - began_s


async def hold_back(subject: Subject, generator: Generator, backlog: int) -> None:
    """Let a load go on as long as no more than `backlog` messages wait to be queryable, until cancelled."""
    while True:
        generator.tell(b"%d" % (await subject.applied() + backlog if backlog else UNLIMITED))
        await asyncio.sleep(ALLOW_EVERY_S)


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def open_house(
    roles: Sequence[str], *, anonymous_writes: bool = False, receiver_hosts: str = ""
) -> AsyncIterator[Subject]:
    """A house in a folder of its own; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="broadstreet-bench-"))
    settings = Settings(
        str(folder / "data"),
        mqtt=Mqtt(port=free_port()),
        http=Http(port=free_port(), anonymous_writes=anonymous_writes),
        ngsi_ld=NgsiLdSettings(receiver_hosts=receiver_hosts),
    )
    os.environ.pop("BROADSTREET_SETTINGS", None)
    try:
        async with (
            House(settings, roles, say_step) as house,
            await Store.connect(house.engines.addresses.postgres_dsn) as store,
        ):
            yield Subject(house, store, await store.tenant(DEFAULT_TENANT))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def say_step(what: str, took_s: float) -> None:
    """One line for each step of the start."""
    print(f"  {what:<20} {took_s:6.2f} s", flush=True)
