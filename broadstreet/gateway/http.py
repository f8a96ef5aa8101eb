"""HTTP ingest: `POST /v1/readings`, for devices and systems that do not speak MQTT.

A device signs in with its id and secret (HTTP Basic) and sends its own readings; a caller with a token and the
permission `reading:write` names the device in each item's field `device`. The body is JSON or NDJSON, and the answer
comes once all that was taken is on disk, as with MQTT. What an item holds is decoded later, by the device's profile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from litestar import Request, Router, post
from litestar.datastructures import State
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import Principal, requires
from broadstreet.gateway.bounds import MAX_REQUESTS, SETTLED_WITHIN_S, TARGET_PACK_BYTES
from broadstreet.gateway.items import Items, Rejected, by_device, split
from broadstreet.gateway.packer import Packer, Settlement
from broadstreet.gateway.peer import READINGS
from broadstreet.model.errors import TooMany, Unavailable
from broadstreet.mqtt.decoder import MAX_RUN
from broadstreet.store import Store, load_queries

NO_SUCH_DEVICE = "there is no such device, or it is disabled"
BUSY_RETRY_S = 1
_DEVICE_SQL = load_queries("device")


class Receipt(msgspec.Struct, frozen=True):
    """What became of a body: how many items are kept, and which were not, by their index from 0."""

    accepted: int
    rejected: list[Rejected]


class HttpIngest:
    """Takes bodies of readings; one for a process, with a packer of its own."""

    def __init__(self, store: Store, packer: Packer) -> None:
        self._store = store
        self._packer = packer
        self._requests = 0

    async def take(self, principal: Principal, body: bytes, content_type: str) -> Receipt:
        """
        Keep a body's items; returns once they are on disk.

        Raises what `split` raises, TooMany, LogFull or DiskFull if nothing was kept, Unavailable if the log is away.
        """
        if self._requests >= MAX_REQUESTS:
            raise TooMany("too many requests at once", retry_after_s=BUSY_RETRY_S, remedy="Try again in a moment.")
        if self._packer.is_pressed:
            raise Unavailable("the log does not answer, and as much waits for it as may", remedy="Try again later.")
        self._requests += 1
        try:
            items, rejected = split(body, content_type)
            if principal.kind == "device":
                devices = {principal.name: list(items)} if items else {}
            else:
                devices, nameless = by_device(items)
                rejected += nameless
            return await self._keep(principal.tenant, devices, items, rejected)
        finally:
            self._requests -= 1

    async def _keep(
        self, tenant: str, devices: dict[str, list[int]], items: Items, rejected: list[Rejected]
    ) -> Receipt:
        keys = await self._keys(tenant, list(devices))
        settlements: dict[Settlement, list[int]] = {}
        for device, indices in devices.items():
            key = keys.get(device)
            if key is None:
                rejected += [Rejected(index, NO_SUCH_DEVICE) for index in indices]
                continue
            source = self._packer.source(tenant, key)
            for run, run_bytes in _runs(indices, items):
                settlement = self._packer.add(source, READINGS, [items[index] for index in run], run_bytes)
                settlements.setdefault(settlement, []).extend(run)
        await _settled(settlements)
        kept = 0
        refusal = None
        for settlement, indices in settlements.items():
            if settlement.refusal is None:
                kept += len(indices)
            else:
                refusal = settlement.refusal
                rejected += [Rejected(index, refusal.message) for index in indices]
        if refusal is not None and not kept:
            raise refusal
        rejected.sort(key=lambda one: one.index)
        return Receipt(kept, rejected)

    async def _keys(self, tenant: str, devices: list[str]) -> dict[str, int]:
        if not devices:
            return {}
        database = await self._store.tenant(tenant)
        return {row["id"]: row["key"] for row in await database.fetch(_DEVICE_SQL["enabled_devices"], devices)}


def _runs(indices: list[int], items: Items) -> Iterator[tuple[list[int], int]]:
    """Indices in runs that fit into a pack, each with the bytes of its items."""
    run: list[int] = []
    run_bytes = 0
    for index in indices:
        size = len(items[index])
        if run and (run_bytes + size > TARGET_PACK_BYTES or len(run) >= MAX_RUN):
            yield run, run_bytes
            run, run_bytes = [], 0
        run.append(index)
        run_bytes += size
    if run:
        yield run, run_bytes


async def _settled(settlements: Iterable[Settlement]) -> None:
    """Wait for all. Raises Unavailable if the log does not answer in time."""
    try:
        async with asyncio.timeout(SETTLED_WITHIN_S):
            for settlement in settlements:
                await settlement.settled()
    except TimeoutError:
        raise Unavailable(
            "the log does not answer; the readings may be kept yet",
            remedy="Send them again: a reading with a time of its own counts once.",
        ) from None


def readings_router(ingest: HttpIngest) -> Router:
    """`POST /v1/readings`, to be composed into the HTTP application."""

    @post("/v1/readings", opt=requires("reading:write"), status_code=HTTP_200_OK)
    async def send_readings(request: Request[Principal, Any, State]) -> Receipt:
        """Send readings: a JSON object, an array of objects, or an object a line (`application/x-ndjson`).

        A device's own credential sends its own readings; with a token, each item names its device in `device`. The
        answer says how many are kept, on disk, and which were rejected and why, by their index from 0. 429 and 503 ask
        to send the same again in a moment; 507 says that the disk is full.
        """
        return await ingest.take(request.user, await request.body(), request.headers.get("content-type", ""))

    return Router("/", route_handlers=[send_readings], tags=["Readings"])
