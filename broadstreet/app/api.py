"""The role `api`: everything that is spoken over HTTP, in one application on one port."""

from __future__ import annotations

import time

from broadstreet.access import Access
from broadstreet.apis import Services, create_app
from broadstreet.app.http import serve_http
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.devices import Registry
from broadstreet.engines import EngineAddresses
from broadstreet.log import Log
from broadstreet.store import Store


def now_us() -> int:
    """The clock of this machine, in microseconds since 1970."""
    return time.time_ns() // 1000


async def serve(settings: Settings, addresses: EngineAddresses, call: Call) -> None:
    """Serve HTTP until the call ends."""
    async with (
        await Store.connect(addresses.postgres_dsn) as store,
        await Log.connect(addresses.nats_url, name=call.name) as log,
    ):
        services = Services(
            store,
            log,
            Access(store.control, now_us),
            Registry(store),
            now_us,
            origins=frozenset({settings.http.origin} - {""}),
        )
        await serve_http(create_app(services), settings.http.host, settings.http.port, call)
