"""A house's services on real engines, for the tests of what is above them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from broadstreet.access import Access
from broadstreet.access.password import Passwords
from broadstreet.apis import Services
from broadstreet.devices import Registry
from broadstreet.engines import Engines
from broadstreet.log import Log, StreamLimits
from broadstreet.store import Seal, Store
from tests.conftest import Databases
from tests.contract.notifying import ANN, City

BEGIN_US = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z, when the tests' clock begins."""


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_us = BEGIN_US

    def __call__(self) -> int:
        return self.now_us

    def forward(self, seconds: float) -> None:
        self.now_us += round(seconds * 1_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def written_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a gateway notes of connections is written down in a moment, where a house gathers it for a second."""
    monkeypatch.setattr("broadstreet.gateway.sightings.SIGHTINGS_EVERY_S", 0.05)


@pytest.fixture
async def services_dsn(databases: Databases) -> AsyncIterator[str]:
    """The database of `services`."""
    async with databases.with_tenants("city", "harbour") as dsn:
        yield dsn


@pytest.fixture
async def services(services_dsn: str, nats_url: str, clock: Clock, data_dir: Path) -> AsyncIterator[Services]:
    """The tenants `city` and `harbour`, no account and no device. Passwords are hashed cheaply."""
    async with open_services(services_dsn, nats_url, clock, data_dir) as opened:
        yield opened


@asynccontextmanager
async def open_services(services_dsn: str, nats_url: str, clock: Clock, data_dir: Path) -> AsyncIterator[Services]:
    """The same, for fixtures of another scope."""
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    keys = data_dir / "keys" / "secrets"
    Seal(keys).add_key()
    async with await Store.connect(services_dsn, keys=keys) as store, await Log.connect(nats_url) as log:
        await log.ensure_streams(StreamLimits())
        access = Access(store.control, clock, passwords=cheap)
        yield Services(store, log, access, Registry(store), clock, data_path=data_dir)


@pytest.fixture(scope="module")
async def told_city(engines: Engines, databases: Databases) -> AsyncIterator[City]:
    """A city with a recorder and a notifier at work, for tests of notifications."""
    async with databases.with_tenants("city") as dsn, City.open(dsn, engines.addresses.nats_url) as city:
        yield city


@pytest.fixture
async def city(told_city: City, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[City]:
    """The same, in which nobody subscribes yet; and who fails is tried again soon."""
    monkeypatch.setattr("broadstreet.notifier.queue.FIRST_WAIT_S", 0.02)
    yield told_city
    told_city.principal = ANN
    await told_city.forget()
