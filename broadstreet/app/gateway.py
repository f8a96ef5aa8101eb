"""The role `gateway`: the MQTT listener."""

from __future__ import annotations

import os

from broadstreet.access import Access
from broadstreet.app.clock import now_us
from broadstreet.app.edges import HERE
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.devices import Registry
from broadstreet.engines import EngineAddresses
from broadstreet.gateway import Gateway
from broadstreet.log import Log
from broadstreet.store import Store


async def serve(settings: Settings, addresses: EngineAddresses, call: Call) -> None:
    """Take connections until the call ends."""
    async with (
        await Store.connect(addresses.postgres_dsn) as store,
        await Log.connect(addresses.nats_url, name=call.name) as log,
    ):
        gateway = Gateway(
            log,
            store,
            Registry(store),
            Access(store.control, now_us).tokens,
            name=settings.mqtt.name,
            partitions=settings.log.partitions,
            data_path=settings.data_path,
            watermark_bytes=settings.disk.watermark_bytes,
            clock=now_us,
            random_bytes=os.urandom,
        )
        await gateway.start(settings.mqtt.host, settings.mqtt.port)
        try:
            if settings.mqtt.open_port:
                await gateway.open_to_anyone(HERE, settings.mqtt.open_port)
            call.ready()
            await call.during(gateway.run())
        finally:
            await gateway.stop()
