"""The role `api`: everything that is spoken over HTTP, in one application on one port: APIs, ingest, portal."""

from __future__ import annotations

import asyncio
import os
from functools import partial

from litestar import Litestar

from broadstreet.access import Access
from broadstreet.apis import Metrics, Services, create_app
from broadstreet.app.clock import now_us
from broadstreet.app.figures import Figures
from broadstreet.app.http import serve_http
from broadstreet.app.listening import check_mqtt
from broadstreet.app.logs import with_request_ids
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.app.tls import tls_files
from broadstreet.devices import Registry
from broadstreet.engines import EngineAddresses, check_disk
from broadstreet.gateway import Counters, HttpIngest, Packer, readings_router
from broadstreet.gateway.counters import announce
from broadstreet.log import Log
from broadstreet.model.errors import DiskFull
from broadstreet.portal import Portal, PortalSettings, portal_routers
from broadstreet.store import Store

LOOK_EVERY_S = 1.0
"""How often the disk is looked at, and what was taken in is reported."""
FLUSH_S = 5.0


async def serve(settings: Settings, addresses: EngineAddresses, call: Call) -> None:
    """Serve HTTP until the call ends."""
    async with (
        await Store.connect(addresses.postgres_dsn, files=settings.past_path, keys=settings.keys_path) as store,
        await Log.connect(addresses.nats_url, name=call.name) as log,
    ):
        access = Access(
            store.control,
            now_us,
            guarded_roles=settings.access.guarded_roles,
            public_per_minute=settings.access.public_per_minute,
            provider=settings.oidc.provider,
        )
        registry = Registry(store)
        portal = Portal(store, log, access, registry, portal_settings(settings))
        origins = frozenset({settings.http.origin} - {""})
        figures = Figures(settings, store, log, now_us)
        metrics = Metrics([portal.vitals.samples, figures.samples])
        services = Services(
            store,
            log,
            access,
            registry,
            now_us,
            metrics,
            origins,
            partitions=settings.log.partitions,
            checks={"mqtt": partial(check_mqtt, settings)},
            data_path=settings.data_path,
        )
        ingest = Ingest(settings, store, log)
        app = compose(services, portal, ingest.taker)
        async with portal, asyncio.TaskGroup() as group:
            beside = [group.create_task(work) for work in (ingest.look_after(), portal.warm(), figures.run())]
            await serve_http(
                with_request_ids(app),
                settings.http.host,
                settings.http.port,
                call,
                tls=tls_files(settings),
                redirect_port=settings.http.redirect_port,
                origin=settings.http.origin,
            )
            for task in beside:
                task.cancel()
        await ingest.packer.flush(FLUSH_S)


def compose(services: Services, portal: Portal, ingest: HttpIngest) -> Litestar:
    """Every route of the house."""
    return create_app(services, [readings_router(ingest), *portal_routers(portal)])


def portal_settings(settings: Settings) -> PortalSettings:
    """What the portal is told of the house."""
    return PortalSettings(
        data_dir=settings.data_path,
        mqtt_host=settings.mqtt.public_host or settings.mqtt.host,
        mqtt_port=settings.mqtt.port,
        watermark_bytes=settings.disk.watermark_bytes,
        title=settings.city.title,
        zone=settings.city.time_zone,
        origin=settings.http.origin,
    )


class Ingest:
    """HTTP's own way into the log, and what must be looked after beside it."""

    def __init__(self, settings: Settings, store: Store, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._name = f"{settings.mqtt.name}-http"
        self._counters = Counters()
        self.packer = Packer(
            log,
            gateway=self._name,
            partitions=settings.log.partitions,
            counters=self._counters,
            clock=now_us,
            random_bytes=os.urandom,
        )
        self.taker = HttpIngest(store, self.packer, log, now_us)

    async def look_after(self) -> None:
        """Refuse readings while the disk is full, and report what was taken in; until cancelled."""
        while True:
            try:
                check_disk(self._settings.data_path, self._settings.disk.watermark_bytes)
            except DiskFull as error:
                self.taker.refuse(error)
            else:
                self.taker.refuse(None)
            await announce(self._log, self._name, self._counters, now_us)
            await asyncio.sleep(LOOK_EVERY_S)
