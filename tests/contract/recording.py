"""A recorder at work on real engines, for the tests of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec

from broadstreet.devices import DeviceSpec, Registry
from broadstreet.log import DeadLetter, Log, Pack, StreamLimits
from broadstreet.model.change import ChangeBatch, decode_changes
from broadstreet.recorder import Recorder
from broadstreet.store import Database, Store

T0_US = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""
S = 1_000_000
PROFILE = """
[profile]
name = "air"
type = "AirQualityObserved"
time = "ts"
time_format = "unix_us"
interval_s = 60
[attributes.NO2]
field = "no2"
unit = "GQ"
minimum = 0
maximum = 1000
[attributes.temperature]
field = "data.t"
unit = "CEL"
scale = 0.1
[attributes.status]
field = "status"
type = "text"
[attributes.list]
field = "list"
type = "json"
"""


class House:
    """Store, log, registry, and what a recorder has made of it. One tenant, `city`; one partition."""

    def __init__(self, store: Store, log: Log, city: Database) -> None:
        self.store = store
        self.log = log
        self.city = city
        self.registry = Registry(store)
        self.now_us = T0_US
        self.recorder = self.new_recorder()
        self.sent = 0

    def new_recorder(self) -> Recorder:
        """A recorder whose clock is this house's."""
        return Recorder(self.log, self.store, range(1), clock=lambda: self.now_us)

    async def add_devices(self, count: int = 1, profile: str = PROFILE) -> list[int]:
        """Register devices `air-0`, `air-1`, …; answers their keys."""
        written = await self.registry.register_profile(self.city, profile, principal="test", at_us=T0_US)
        specs = [
            DeviceSpec(id=f"air-{n}", title=f"Air {n}", profile=written.name, lon=24.9, lat=60.2) for n in range(count)
        ]
        return [d.key for d in await self.registry.register_many(self.city, specs, principal="test", at_us=T0_US)]

    def pack(self, messages: Sequence[tuple[int, int, object]], *, topic: str = "readings") -> Pack:
        """A pack of (device key, received_us, payload); bytes pass as they are."""
        payloads = [p if isinstance(p, bytes) else msgspec.json.encode(p) for _, _, p in messages]
        keys, received = [m[0] for m in messages], [m[1] for m in messages]
        return Pack(os.urandom(16), "city", 0, "gateway-t", keys, received, [topic] * len(messages), payloads)

    async def send(self, *messages: tuple[int, int, object]) -> Pack:
        """Append one pack of messages to the log."""
        pack = self.pack(messages)
        self.sent = (await self.log.append_raw(pack)).sequence
        return pack

    async def record(self) -> None:
        """Run a recorder until everything sent is applied and the outbox is empty."""
        async with self.recording():
            pass

    @asynccontextmanager
    async def recording(self) -> AsyncIterator[None]:
        """A recorder runs inside the block; at its end all that was sent is applied."""
        task = asyncio.create_task(self.recorder.run())
        try:
            yield
            for _ in range(1000):
                done = await self.city.fetchval("SELECT sequence FROM cursor")
                waiting = await self.city.fetchval("SELECT count(*) FROM outbox")
                if done is not None and done >= self.sent and waiting == 0:
                    break
                if task.done():
                    task.result()
                await asyncio.sleep(0.02)
            else:
                raise AssertionError(f"not applied in time: cursor {done}, sent {self.sent}, outbox {waiting}")
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def past(self, attribute: str, device: str = "air-0") -> list[tuple[int, Any]]:
        """(seconds after T0, value) of all observations of a device's attribute, in order of time."""
        rows = await self.city.fetch(
            """SELECT o.observed_at, o.number, o.value FROM observation o JOIN series s ON s.key = o.series_key
            JOIN term t ON t.key = s.term_key JOIN device d ON d.entity_key = s.entity_key
            WHERE d.id = $2 AND t.iri LIKE '%/' || $1 ORDER BY o.observed_at, o.n""",
            attribute,
            device,
        )
        return [((r["observed_at"] - T0_US) / S, r["value"] if r["number"] is None else r["number"]) for r in rows]

    async def present(self, attribute: str, device: str = "air-0") -> dict[str, Any]:
        """The row of a device's attribute as it is now, {} where there is none."""
        row = await self.city.fetchrow(
            """SELECT a.*, m.body AS meta FROM attribute a JOIN series s ON s.key = a.series_key
            JOIN term t ON t.key = s.term_key JOIN device d ON d.entity_key = s.entity_key
            LEFT JOIN meta m ON m.key = a.meta_key
            WHERE d.id = $2 AND t.iri LIKE '%/' || $1""",
            attribute,
            device,
        )
        return {} if row is None else dict(row)

    async def changes(self) -> list[ChangeBatch]:
        """Everything in CHANGES."""
        found: list[ChangeBatch] = []
        async with self.log.changes("city", 0) as reader:
            while batch := await reader.fetch(1000, 0.2):
                found += [decode_changes(message.data) for message in batch]
        return found

    async def dead(self) -> list[DeadLetter]:
        """All dead letters, oldest first."""
        return (await self.log.dead_letters("city"))[::-1]


@asynccontextmanager
async def open_house(city_dsn: str, nats_url: str) -> AsyncIterator[House]:
    """A store of the tenant `city`, and a log with its streams."""
    async with await Store.connect(city_dsn) as store, await Log.connect(nats_url) as log:
        await log.ensure_streams(StreamLimits())
        yield House(store, log, await store.tenant("city"))
