"""One house a module, with the application on it; every test works on entities of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from argon2 import PasswordHasher
from litestar import Litestar

from broadstreet.access import Access
from broadstreet.access.password import Passwords
from broadstreet.apis import Services, create_app
from broadstreet.devices import Registry
from broadstreet.engines import Engines
from broadstreet.log import Log, StreamLimits
from broadstreet.store import Database, Store
from tests.asgi import Answer, ask
from tests.conftest import Databases

BEGIN_US = 1_772_366_400_000_000
"""2026-03-01T12:00:00Z. Each look at the clock is a second later."""
BASE = "/ngsi-ld/v1"
KEPT = "https://example.org/kept.jsonld"
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


@dataclass
class Client:
    """NGSI-LD as an engineer's program speaks it. What a test makes is of types and ids of its own."""

    app: Litestar
    services: Services
    database: Database
    token: str
    _numbers: count[int] = field(default_factory=count)

    async def ask(self, method: str, target: str, body: bytes | object = b"", **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        target = target if target.startswith("/") else f"{BASE}/{target}"
        return await ask(self.app, method, target, headers={"authorization": f"Bearer {self.token}", **sent}, body=body)

    async def get(self, target: str, **headers: str) -> Any:
        """The JSON of an answer that must be 200."""
        answer = await self.ask("GET", target, **headers)
        assert answer.status == 200, answer.body
        return answer.json

    async def problem(self, method: str, target: str, body: bytes | object = b"", **headers: str) -> tuple[int, str]:
        """The status and the last part of the type of an answer that must be a problem."""
        answer = await self.ask(method, target, body, **headers)
        assert answer.headers["content-type"] == "application/json", answer.body
        assert answer.json["type"].startswith(ERRORS)
        assert answer.json["title"]
        assert answer.json["status"] == answer.status
        return answer.status, answer.json["type"].removeprefix(ERRORS)

    def name(self) -> str:
        """A name nobody else has."""
        return f"T{next(self._numbers)}"

    async def make(self, kind: str | None = None, **members: Any) -> str:
        """An entity; its id."""
        kind = kind or self.name()
        entity_id = members.pop("id", f"urn:ngsi-ld:{kind}:{next(self._numbers)}")
        answer = await self.ask("POST", "entities", {"id": entity_id, "type": kind, **members})
        assert answer.status == 201, answer.body
        return str(entity_id)


class Ticking:
    """A clock that goes a second each time it is looked at."""

    def __init__(self) -> None:
        self.now_us = BEGIN_US

    def __call__(self) -> int:
        self.now_us += 1_000_000
        return self.now_us


@pytest.fixture(scope="module")
async def client(engines: Engines, databases: Databases) -> AsyncIterator[Client]:
    cheap = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    documents = {KEPT: {"@context": {"speed": "https://example.org/speed", "ex": "https://example.org/"}}}
    async with (
        databases.with_tenants("city") as dsn,
        await Store.connect(dsn) as store,
        await Log.connect(engines.addresses.nats_url) as log,
    ):
        await log.ensure_streams(StreamLimits())
        clock = Ticking()
        access = Access(store.control, clock, passwords=cheap)
        services = Services(store, log, access, Registry(store), clock, documents=documents)
        await access.accounts.create("root", "Root", tenant="city", roles=["engineer"], by="test")
        token = (await access.tokens.issue("root", "api", "test", 86_400, by="test")).secret
        yield Client(create_app(services), services, await store.tenant("city"), token)
