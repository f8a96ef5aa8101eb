"""Figures of the house itself, for `/metrics`: what an operator needs to be woken by. Looked at every few seconds."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final, Literal

import asyncpg
import psutil

from broadstreet.app.acme import standing
from broadstreet.app.mqtt_tls import mqtt_tls_files
from broadstreet.app.settings import Settings
from broadstreet.app.tls import tls_files
from broadstreet.backup.taking import last_backup
from broadstreet.engines import look_at_disk, read_status
from broadstreet.log import STREAMS, Log
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError
from broadstreet.model.metrics import Sample
from broadstreet.store import Store, load_queries

LOOK_EVERY_S: Final = 10.0
FIGURES: Final[dict[str, tuple[str, Literal["counter", "gauge"]]]] = {
    "broadstreet_stream_bytes": ("Bytes a stream of the log holds.", "gauge"),
    "broadstreet_stream_limit_bytes": ("Bytes a stream may hold.", "gauge"),
    "broadstreet_stream_messages": ("Messages a stream holds.", "gauge"),
    "broadstreet_database_bytes": ("Bytes PostgreSQL takes on its disk.", "gauge"),
    "broadstreet_dead_letters": ("Messages that could not be read and wait to be looked at.", "gauge"),
    "broadstreet_disk_free_bytes": ("Bytes that are free on the data folder's disk.", "gauge"),
    "broadstreet_disk_kept_free_bytes": ("Bytes that are kept free.", "gauge"),
    "broadstreet_process_up": ("Whether a process of the house runs.", "gauge"),
    "broadstreet_process_restarts_total": ("How often it was started again.", "counter"),
    "broadstreet_process_resident_bytes": ("Bytes of memory it has.", "gauge"),
    "broadstreet_backup_age_seconds": ("How long ago the last backup was begun.", "gauge"),
    "broadstreet_backup_bytes": ("Bytes the last backup takes.", "gauge"),
    "broadstreet_certificate_failures": ("How often in a row the certificate could not be renewed.", "gauge"),
    "broadstreet_certificate_left_seconds": ("How long the certificate still holds.", "gauge"),
}
"""Every figure of this file: what it counts, and how."""
_SQL = load_queries("doctor")
_log = logging.getLogger(__name__)


class Figures:
    """The newest figures; `run` keeps them new."""

    def __init__(self, settings: Settings, store: Store, log: Log, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._store = store
        self._log = log
        self._clock = clock
        self._engines: list[Sample] = []

    async def run(self) -> None:
        """Look at the engines until cancelled; while they do not answer there are no figures of theirs."""
        while True:
            try:
                self._engines = [*await self._streams(), *await self._database()]
            except (BroadstreetError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
                self._engines = []
                _log.warning("there are no figures of the engines: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)

    def samples(self) -> Iterator[Sample]:
        """All of them."""
        yield from self._engines
        yield from self._disk()
        yield from self._processes()
        yield from self._upkeep()

    async def _streams(self) -> list[Sample]:
        found: list[Sample] = []
        for name in STREAMS:
            info = await self._log.stream_info(name)
            found += [
                _figure("stream_bytes", info.state.bytes, stream=name),
                _figure("stream_limit_bytes", info.config.max_bytes or 0, stream=name),
                _figure("stream_messages", info.state.messages, stream=name),
            ]
        return found

    async def _database(self) -> list[Sample]:
        size = _figure("database_bytes", await self._store.control.fetchval(_SQL["size"]))
        tenants = await self._store.tenants()
        dead = [_figure("dead_letters", await self._log.count_dead(tenant), tenant=tenant) for tenant in tenants]
        return [size, *dead]

    def _disk(self) -> Iterator[Sample]:
        disk = look_at_disk(self._settings.data_path, self._settings.disk.watermark_bytes)
        yield _figure("disk_free_bytes", disk.free_bytes)
        yield _figure("disk_kept_free_bytes", disk.watermark_bytes)

    def _processes(self) -> Iterator[Sample]:
        status = read_status(self._settings.data_path)
        for process in (*status.engines, *status.roles) if status is not None else ():
            yield _figure("process_up", process.pid is not None, process=process.name)
            yield _figure("process_restarts_total", process.restarts, process=process.name)
            if process.pid is not None:
                with suppress(psutil.Error):  # it has ended meanwhile
                    resident = psutil.Process(process.pid).memory_info().rss
                    yield _figure("process_resident_bytes", resident, process=process.name)

    def _upkeep(self) -> Iterator[Sample]:
        last = last_backup(self._settings.data_path)
        if last is not None:
            yield _figure("backup_age_seconds", (self._clock() - last.began_us) / US_PER_S)
            yield _figure("backup_bytes", last.bytes)
        try:
            asked = standing(self._settings, self._clock())
            if asked is not None:
                yield _figure("certificate_failures", asked.failures)
        except BroadstreetError as error:
            _log.warning("there is no figure of the certificate's renewal: %s", error)
        for port, files_of in (("http", tls_files), ("mqtt", mqtt_tls_files)):
            try:
                tls = files_of(self._settings)
                if tls is not None:
                    left_s = (tls.ends_us() - self._clock()) / US_PER_S
                    yield _figure("certificate_left_seconds", left_s, port=port)
            except BroadstreetError as error:
                _log.warning("there is no figure of the certificate of %s: %s", port, error)


def _figure(name: str, value: float, **labels: str) -> Sample:
    """A figure by the end of its name."""
    whole = f"broadstreet_{name}"
    return Sample(whole, *FIGURES[whole], value, tuple(labels.items()))
