"""The role `api`: everything that is spoken over HTTP, in one application on one port: APIs, ingest, portal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from functools import partial
from random import Random
from typing import Any

from litestar import Litestar

from broadstreet.access import Access
from broadstreet.apis import Metrics, Services, create_app
from broadstreet.apis.health import Check
from broadstreet.app.acme import Answers, Renewal, Shelf, check_certificate, troubles, wanted
from broadstreet.app.clock import now_us
from broadstreet.app.figures import Figures
from broadstreet.app.http import serve_http
from broadstreet.app.listening import check_mqtt
from broadstreet.app.logs import with_request_ids
from broadstreet.app.role import Call
from broadstreet.app.settings import Settings
from broadstreet.app.tls import tls_files
from broadstreet.delivery import Receivers, fetch_json
from broadstreet.devices import Registry
from broadstreet.engines import EngineAddresses, check_disk
from broadstreet.exports import KIND
from broadstreet.gateway import Counters, Exchange, HttpIngest, Packer, readings_router
from broadstreet.gateway.counters import announce
from broadstreet.jobs import JobLimits, Jobs, Work, Worker
from broadstreet.log import Log
from broadstreet.log.ending import end
from broadstreet.log.sessions import SessionLog
from broadstreet.model.errors import DiskFull
from broadstreet.network.scenarios import KIND as PLAN
from broadstreet.network.scenarios import LOOK, SENSORS, PlanLimits, SitingWork
from broadstreet.portal import Portal, PortalSettings, portal_routers
from broadstreet.store import Store

LD_JSON = "application/ld+json, application/json;q=0.9"
LOOK_EVERY_S = 1.0
"""How often the disk is looked at, and what was taken in is reported."""
FLUSH_S = 5.0
HOUR_US = 3_600_000_000
WORKERS = 2
"""How many pieces of long work a process does side by side."""


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
            is_behind_proxy=settings.is_behind_proxy,
            jobs=jobs_of(settings, store),
            checks=checks_of(settings),
            data_path=settings.data_path,
            plan_limits=plan_limits(settings),
            is_open=settings.http.anonymous_writes,
            began_us=now_us(),
            temporal_instances=settings.ngsi_ld.temporal_instances,
            receivers=Receivers(settings.receiver_hosts),
            fetch=partial(fetch_json, hosts=settings.context_hosts, accept=LD_JSON),
        )
        ingest = Ingest(settings, store, log)
        app = compose(services, portal, ingest.taker)
        async with portal, asyncio.TaskGroup() as group:
            answers: Answers = {}
            working = [
                *certifying(settings, answers),
                *(worker.run() for worker in workers_of(settings, services, call.name)),
            ]
            beside = [group.create_task(work) for work in (*ingest.work(), portal.warm(), figures.run(), *working)]
            await serve_http(
                with_request_ids(app),
                settings.http.host,
                settings.http.port,
                call,
                tls=tls_files(settings),
                redirect_port=settings.http.redirect_port,
                origin=settings.http.origin,
                answers=answers,
            )
            await ingest.finish()
            await end(beside)


def compose(services: Services, portal: Portal, ingest: HttpIngest) -> Litestar:
    """Every route of the house."""
    return create_app(services, [readings_router(ingest), *portal_routers(portal)])


def checks_of(settings: Settings) -> dict[str, Check]:
    """What `/ready` asks beside PostgreSQL and the log."""
    checks: dict[str, Check] = {"mqtt": partial(check_mqtt, settings)}
    if settings.acme.names:
        checks["certificate"] = partial(check_certificate, settings, now_us)
    return checks


def certifying(settings: Settings, answers: Answers) -> list[Coroutine[Any, Any, None]]:
    """Who sees to the certificate, if it is asked for. answers: what the authority is told."""
    wish = wanted(settings)
    return [] if wish is None else [Renewal(wish, Shelf(settings.data_path), answers, now_us, Random()).run()]


def jobs_of(settings: Settings, store: Store) -> Jobs:
    """The long work of a house: its files lie in the data folder."""
    limits = JobLimits(
        keep_us=round(settings.exports.keep_hours * HOUR_US),
        max_bytes=settings.exports.max_bytes,
        watermark_bytes=settings.disk.watermark_bytes,
    )
    return Jobs(store, settings.exports_path, now_us, os.urandom, limits)


def plan_limits(settings: Settings) -> PlanLimits:
    """How much plans of the network may take."""
    return PlanLimits(
        max_bytes=settings.planning.max_bytes,
        max_source_bytes=settings.planning.max_source_bytes,
        watermark_bytes=settings.disk.watermark_bytes,
    )


def workers_of(settings: Settings, services: Services, name: str) -> list[Worker]:
    """Who does the long work of this process: exports, looks at grounds, plans; none of these keeps another waiting."""
    plans = services.plans
    kinds: list[dict[str, Work]] = [{KIND: services.exports.work}] * WORKERS
    if settings.planning.workers:
        kinds.append({LOOK: plans.look_work})
        does: dict[str, Work] = {PLAN: plans.work, SENSORS: SitingWork(plans).work}
        kinds.extend([does] * settings.planning.workers)
    return [Worker(plans.jobs, kind, f"{name}-{os.getpid()}-{os.urandom(4).hex()}") for kind in kinds]


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
        is_behind_proxy=settings.is_behind_proxy,
        troubles=partial(troubles, settings, now_us),
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
        self.exchange = Exchange(
            SessionLog(log), self._counters, name=self._name, has_sessions=False, clock=now_us, random_bytes=os.urandom
        )
        self.taker = HttpIngest(store, self.packer, log, now_us, self.exchange)

    def work(self) -> tuple[Coroutine[Any, Any, None], ...]:
        """What runs beside it."""
        return self._look_after(), self.exchange.run()

    async def finish(self) -> None:
        """Let what was taken come to the log, and to those who subscribe."""
        await self.packer.flush(FLUSH_S)
        await self.exchange.finish(FLUSH_S)

    async def _look_after(self) -> None:
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
