"""HTTP ingest: `POST /v1/readings`, for devices and systems that do not speak MQTT, and `/v1/hook` for webhooks.

A device signs in with its id and secret (HTTP Basic) and sends its own readings; a caller with a token and the
permission `reading:write` names the device in each item's field, or column, `device`; a webhook's secret says for
which devices it is. The body is JSON, NDJSON or CSV, packed by gzip or not, and the answer comes once all that was
taken is on disk, as with MQTT. What an item holds is decoded later, by the device's profile.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec

from broadstreet.access import Principal
from broadstreet.devices import Profile, Webhooks, parse_profile
from broadstreet.gateway.bounds import MAX_REQUESTS, SETTLED_WITHIN_S
from broadstreet.gateway.exchange import Exchange
from broadstreet.gateway.hook import open_hook
from broadstreet.gateway.inflating import inflate
from broadstreet.gateway.items import CSV, Rejected, by_device, kind_of, split
from broadstreet.gateway.keyed import Claim, Keys, fingerprint
from broadstreet.gateway.orders import Orders
from broadstreet.gateway.packer import Packer, Settlement
from broadstreet.gateway.parcel import Parcel, Receipt
from broadstreet.gateway.peer import READINGS
from broadstreet.gateway.table import Table
from broadstreet.gateway.teller import Teller
from broadstreet.log import Log, Pack
from broadstreet.model.errors import BroadstreetError, TooMany, Unavailable
from broadstreet.store import Store, load_queries

if TYPE_CHECKING:
    from broadstreet.store import Database

NO_SUCH_DEVICE = "there is no such device, or it is disabled"
BUSY_RETRY_S = 1
KEYED_GATEWAY = "http"
"""Who sends packs of requests under a key, whichever process it is: a repeated pack is the same pack."""
MAX_PROFILES = 1_000
"""Profiles that are remembered, for tables."""
_DEVICE_SQL = load_queries("device")


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A request: its body, and the headers that say how to read it. key: its Idempotency-Key."""

    body: bytes
    content_type: str = ""
    encoding: str = ""
    key: str | None = None
    signature: str = ""


class HttpIngest:
    """
    Takes bodies of readings; one for a process, with a packer of its own.

    clock:    now, in microseconds since 1970.
    exchange: hands on what was kept to whoever subscribes; None where nobody does.
    """

    def __init__(
        self, store: Store, packer: Packer, log: Log, clock: Callable[[], int], exchange: Exchange | None = None
    ) -> None:
        self._store = store
        self._packer = packer
        self._log = log
        self._clock = clock
        self._keys = Keys()
        self._webhooks = Webhooks(store)
        self._profiles: dict[tuple[str, int], Profile] = {}
        self._refusal: BroadstreetError | None = None
        self._requests = 0
        self._teller = Teller(exchange, clock)
        self.orders = Orders(store, packer, clock, self._teller)

    def refuse(self, refusal: BroadstreetError | None) -> None:
        """Refuse everything from now on with this error; None: take it again."""
        self._refusal = refusal
        self._packer.refuse(refusal)

    async def take(self, principal: Principal, sent: Sent) -> Receipt:
        """
        Keep a body's items; returns once they are on disk.

        Raises what `split` and `inflate` raise, TooMany, LogFull or DiskFull if nothing was kept, Unavailable if the
        log is away, Conflict for a key under which something else was sent.
        """
        async with self._turn():
            body = inflate(sent.body, sent.encoding)
            database = await self._store.tenant(principal.tenant)
            device = principal.name if principal.kind == "device" else None

            async def opened() -> Parcel:
                return await self._open(database, body, sent.content_type, device)

            return await self._take(database, f"{principal.kind}:{principal.name}", sent, body, opened)

    async def take_hook(self, secret: str, sent: Sent) -> Receipt:
        """Keep what a service leaves at a webhook. Raises NotFound, NotSignedIn, and as `take`."""
        webhook = await self._webhooks.find(secret, at_us=self._clock())
        webhook.check(sent.body, sent.signature)
        async with self._turn():
            body = inflate(sent.body, sent.encoding)
            database = await self._store.tenant(webhook.tenant)

            async def opened() -> Parcel:
                return open_hook(webhook, body, sent.content_type)

            return await self._take(database, f"webhook:{webhook.name}", sent, body, opened)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._requests >= MAX_REQUESTS:
            raise TooMany("too many requests at once", retry_after_s=BUSY_RETRY_S, remedy="Try again in a moment.")
        if self._packer.is_pressed:
            raise Unavailable("the log does not answer, and as much waits for it as may", remedy="Try again later.")
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1

    async def _take(
        self, database: Database, principal: str, sent: Sent, body: bytes, opened: Callable[[], Awaitable[Parcel]]
    ) -> Receipt:
        if sent.key is None:
            return await self._keep(database, await opened())
        mark = fingerprint(body, sent.content_type)
        claim = await self._keys.claim(database, principal, sent.key, mark, self._clock())
        if claim.receipt is not None:
            return msgspec.convert(claim.receipt, Receipt)
        receipt = await self._keep_keyed(database, claim, await opened())
        await self._keys.finish(database, claim, msgspec.to_builtins(receipt))
        return receipt

    async def _open(self, database: Database, body: bytes, content_type: str, device: str | None) -> Parcel:
        """The items of a body, by the device of each. device: the one that sends; None: each item names its own."""
        if kind_of(content_type) == CSV:
            table = Table.of(body)
            named = {device} if device else {row.device for row in table.rows.values()}
            devices, items = table.items(await self._profiles_of(database, sorted(named)), device)
            return Parcel(items, devices, table.rejected, table.weights())
        items, rejected = split(body, content_type)
        weights = {index: len(item) for index, item in items.items()}
        if device is not None:
            return Parcel(items, {device: list(items)} if items else {}, rejected, weights)
        devices, nameless = by_device(items)
        return Parcel(items, devices, rejected + nameless, weights)

    async def _keep(self, database: Database, parcel: Parcel) -> Receipt:
        keys = await self._device_keys(database, parcel)
        rejected = parcel.rejected
        settlements: dict[Settlement, list[int]] = {}
        for device, indices in parcel.devices.items():
            key = keys.get(device)
            if key is None:
                rejected += [Rejected(index, NO_SUCH_DEVICE) for index in indices]
                continue
            source = self._packer.source(database.name, key)
            for run, run_bytes in parcel.runs(indices):
                settlement = self._packer.add(source, READINGS, [parcel.items[index] for index in run], run_bytes)
                settlements.setdefault(settlement, []).extend(run)
        await _settled(settlements)
        kept: set[int] = set()
        refusal = None
        for settlement, indices in settlements.items():
            if settlement.refusal is None:
                kept.update(indices)
            else:
                refusal = settlement.refusal
                rejected += [Rejected(index, refusal.message) for index in indices]
        if refusal is not None and not kept:
            raise refusal
        await self._tell(database.name, parcel, kept)
        return _receipt(len(kept), rejected)

    async def _tell(self, tenant: str, parcel: Parcel, kept: set[int]) -> None:
        """Hand on what was kept; what goes to queues in the log is there when it returns. Raises Unavailable."""
        waits: list[Settlement] = []
        for device, indices in parcel.devices.items():
            for run, _ in parcel.runs([index for index in indices if index in kept]):
                waits += self._teller.tell(tenant, device, READINGS, [parcel.items[index] for index in run])
                await asyncio.sleep(0)  # after what may be many it is the turn of other requests
        await _settled(waits)

    async def _keep_keyed(self, database: Database, claim: Claim, parcel: Parcel) -> Receipt:
        """All or nothing: where the log fails midway, the same request sent again completes it."""
        if self._refusal is not None:
            raise self._refusal
        keys = await self._device_keys(database, parcel)
        rejected = parcel.rejected
        blocks, packs = parcel.blocks(), dict[tuple[int, int], Pack]()
        kept: set[int] = set()
        for device, indices in parcel.devices.items():
            key = keys.get(device)
            if key is None:
                rejected += [Rejected(index, NO_SUCH_DEVICE) for index in indices]
                continue
            source = self._packer.source(database.name, key)
            kept.update(indices)
            for index in indices:
                place = source.lane.partition, blocks[index]
                pack = packs.get(place)
                if pack is None:
                    identity = claim.pack_id(*place)
                    pack = packs[place] = Pack(identity, database.name, place[0], KEYED_GATEWAY, [], [], [], [])
                source.last_us = max(self._clock(), source.last_us + 1)
                pack.device.append(key)
                pack.received_us.append(source.last_us)
                pack.topic.append(READINGS)
                pack.payload.append(parcel.items[index])
        for pack in packs.values():
            await self._log.append_raw(pack)
        await self._tell(database.name, parcel, kept)
        return _receipt(len(kept), rejected)

    async def _device_keys(self, database: Database, parcel: Parcel) -> dict[str, int]:
        if not parcel.devices:
            return {}
        rows = await database.fetch(_DEVICE_SQL["enabled_devices"], list(parcel.devices))
        return {row["id"]: row["key"] for row in rows}

    async def _profiles_of(self, database: Database, devices: list[str]) -> dict[str, Profile]:
        """The profile of each device that may send; a version of a profile never changes."""
        rows = await database.fetch(_DEVICE_SQL["enabled_profiles"], devices)
        wanted = {row["profile_key"] for row in rows}
        if missing := [key for key in wanted if (database.name, key) not in self._profiles]:
            if len(self._profiles) + len(missing) > MAX_PROFILES:
                self._profiles.clear()
                missing = list(wanted)
            for row in await database.fetch(_DEVICE_SQL["profiles_by_key"], missing):
                self._profiles[database.name, row["key"]] = parse_profile(row["body"])
        return {row["id"]: self._profiles[database.name, row["profile_key"]] for row in rows}


def _receipt(kept: int, rejected: list[Rejected]) -> Receipt:
    return Receipt(kept, sorted(rejected, key=lambda one: one.index))


async def _settled(settlements: Iterable[Settlement]) -> None:
    """Wait for all. Raises Unavailable if the log does not answer in time."""
    try:
        async with asyncio.timeout(SETTLED_WITHIN_S):
            for settlement in settlements:
                await settlement.settled()
    except TimeoutError:
        raise Unavailable(
            "the log does not answer; the readings may be kept yet",
            remedy="Send them again: a reading with a time of its own, or a request under a key, counts once.",
        ) from None
