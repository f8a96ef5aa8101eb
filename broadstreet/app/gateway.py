"""The role `gateway`: the MQTT listeners."""

from __future__ import annotations

import asyncio
import os

import msgspec

from broadstreet.access import Access
from broadstreet.app.clock import now_us
from broadstreet.app.edges import HERE
from broadstreet.app.mqtt_tls import MqttTls, mqtt_tls_files
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.devices import Certificates, Registry
from broadstreet.engines import EngineAddresses
from broadstreet.gateway import Gateway
from broadstreet.gateway.limits import Limits
from broadstreet.log import Log
from broadstreet.log.ending import end
from broadstreet.store import Store


async def serve(settings: Settings, addresses: EngineAddresses, call: Call) -> None:
    """Take connections until the call ends."""
    mqtt, files = settings.mqtt, mqtt_tls_files(settings)
    async with (
        await Store.connect(addresses.postgres_dsn) as store,
        await Log.connect(addresses.nats_url, name=call.name) as log,
    ):
        certificates = Certificates(store, settings.data_path, now_us)
        tls = None if files is None else MqttTls(files, certificates.authority.pem, mqtt.client_authority)
        gateway = Gateway(
            log,
            store,
            Registry(store),
            Access(store.control, now_us).tokens,
            certificates,
            msgspec.convert(settings.mqtt_limits, Limits, from_attributes=True),
            name=settings.mqtt.name,
            partitions=settings.log.partitions,
            data_path=settings.data_path,
            watermark_bytes=settings.disk.watermark_bytes,
            clock=now_us,
            random_bytes=os.urandom,
        )
        await gateway.start(mqtt.host, mqtt.port)
        try:
            if tls is not None:
                await gateway.listen_securely(mqtt.tls_host or mqtt.host, mqtt.tls_port, tls.context)
            if mqtt.open_port:
                await gateway.open_to_anyone(HERE, mqtt.open_port)
            call.ready()
            async with asyncio.TaskGroup() as group:
                beside = [] if tls is None else [group.create_task(tls.run())]
                await call.during(gateway.run())
                await end(beside)
        finally:
            await gateway.stop()
