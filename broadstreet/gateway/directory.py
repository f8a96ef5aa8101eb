"""The sessions that outlive their connections, of all gateways: each a record in the log, copied here as it changes.

A gateway that has a client writes its session's record under its own name, naming the record before; so of two gateways
one wins, and the other, which reads of it, sends its client away (0x8E). Messages of QoS 1 and 2 for such a session go
to its queue in the log, whoever has it; its gateway delivers them from there. What is not in the log of a session lives
in the `Kept` of the gateway that has it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable

import msgspec

from broadstreet.gateway.bounds import (
    INCARNATION_BYTES,
    LOAD_WITHIN_S,
    MAX_SESSIONS,
    RECORDS_AT_ONCE,
    RETRY_LONGEST_S,
    SESSIONS_EVERY_S,
)
from broadstreet.gateway.kept import Filter, Kept, Record, Subscriber
from broadstreet.gateway.peer import Peer
from broadstreet.gateway.queues import Queues
from broadstreet.gateway.subscriptions import Subscriptions
from broadstreet.log.log import RawMessage
from broadstreet.log.sessions import SessionLog
from broadstreet.model.errors import BroadstreetError, Conflict, EngineFailed, TooMany
from broadstreet.mqtt import Subscription

CLAIM_ATTEMPTS = 5
READ_WAIT_S = 5.0
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)
logger = logging.getLogger(__name__)


class Directory:
    """
    holder:        tells this life of this gateway from every other one: `<name>/<life>`.
    taken:         called with a session of ours that another gateway has taken over.
    subscriptions: gives a tenant's tree of subscriptions.
    """

    def __init__(
        self,
        log: SessionLog,
        queues: Queues,
        holder: str,
        *,
        taken: Callable[[Kept], None],
        subscriptions: Callable[[str], Subscriptions[Subscriber]],
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.log = log
        self.queues = queues
        self._holder = holder
        self._taken = taken
        self._subscriptions = subscriptions
        self._clock = clock
        self._random_bytes = random_bytes
        self._kept: dict[tuple[str, str], Kept] = {}
        self._loaded = asyncio.Event()

    def __len__(self) -> int:
        return len(self._kept)

    async def run(self) -> None:
        """Follow the records until cancelled."""
        while True:
            try:
                async with self.log.records() as reader:
                    wait_s = LOAD_WITHIN_S
                    while True:
                        messages = await reader.fetch(RECORDS_AT_ONCE, wait_s)
                        for message in messages:
                            self._read(message)
                        if not messages:
                            self._loaded.set()
                            wait_s = READ_WAIT_S
            except EngineFailed as error:
                logger.warning("sessions cannot be followed: %s", error)
                await asyncio.sleep(RETRY_LONGEST_S)

    async def sweep(self) -> None:
        """End the sessions whose time is over, and put away those that a gone life of this gateway had, for ever."""
        await self._loaded.wait()
        while True:
            now_us = self._clock()
            for kept in tuple(self._kept.values()):
                try:
                    if kept.is_over(now_us):
                        await self.end(kept)
                    elif self._is_lost(kept):
                        await self.update(kept, away_us=now_us)
                except Conflict:
                    continue  # another gateway was first
                except BroadstreetError as error:
                    logger.warning("a session waits to be put away: %s", error)
                    break
            await asyncio.sleep(SESSIONS_EVERY_S)

    def _is_lost(self, kept: Kept) -> bool:
        """Whether it is said to be connected to this gateway, and is not."""
        record = kept.record
        gateway = self._holder.rpartition("/")[0]
        return not record.away_us and kept.session is None and record.holder.rpartition("/")[0] == gateway

    def is_ours(self, kept: Kept) -> bool:
        """Whether this gateway has a session, as far as it knows."""
        return kept.record.holder == self._holder and not kept.record.is_over

    async def find(self, peer: Peer, client_id: str) -> Kept | None:
        """A session that has not ended."""
        await self._loaded.wait()
        return self._kept.get((peer.tenant, key_of(peer, client_id)))

    async def claim(self, peer: Peer, client_id: str, expiry_s: int, *, clean: bool) -> tuple[Kept, bool]:
        """
        Make a session this gateway's; answers whether it was there before.

        Raises TooMany where there is no room for another, Conflict if others keep winning, LogFull or EngineFailed.
        """
        key = key_of(peer, client_id)
        for attempt in range(CLAIM_ATTEMPTS):
            before = self._kept.get((peer.tenant, key))
            if before is None and len(self._kept) >= MAX_SESSIONS:
                raise TooMany("there are too many sessions")
            is_new = before is None or clean or before.is_over(self._clock())
            if before is None or is_new:
                incarnation, filters = self._random_bytes(INCARNATION_BYTES), list[Filter]()
            else:
                incarnation, filters = before.record.incarnation, before.record.filters
            record = Record(
                peer.tenant, key, peer.kind, peer.name, client_id, incarnation, self._holder, 0, expiry_s, filters
            )
            try:
                if before is not None and is_new:
                    await self.log.clear(peer.tenant, key)
                sequence = await self.log.write("record", peer.tenant, key, _encoder.encode(record), _seen(before))
            except Conflict:
                await asyncio.sleep(0.05 * (attempt + 1))  # what the other wrote is on its way
                continue
            return self._apply(record, sequence), not is_new
        raise Conflict("other gateways keep taking this session")

    async def update(
        self,
        kept: Kept,
        *,
        filters: list[Filter] | None = None,
        away_us: int | None = None,
        expiry_s: int | None = None,
    ) -> None:
        """Write a session's record anew. Raises Conflict where another gateway has it now."""
        record = kept.record
        changed = msgspec.structs.replace(
            record,
            holder=self._holder,
            filters=record.filters if filters is None else filters,
            away_us=record.away_us if away_us is None else away_us,
            expiry_s=record.expiry_s if expiry_s is None else expiry_s,
        )
        place = record.tenant, record.key
        self._apply(changed, await self.log.write("record", *place, _encoder.encode(changed), kept.sequence))

    async def end(self, kept: Kept) -> None:
        """A session is over. Raises Conflict where another gateway has it now."""
        record = msgspec.structs.replace(kept.record, holder=self._holder, is_over=True, filters=[])
        place = record.tenant, record.key
        sequence = await self.log.write("record", *place, _encoder.encode(record), kept.sequence)
        self._apply(record, sequence)
        await self.log.forget(*place, sequence + 1)

    def _read(self, message: RawMessage) -> None:
        try:
            record = _decoder.decode(message.data)
        except msgspec.DecodeError as error:
            logger.error("the record of a session at %d cannot be read: %s", message.sequence, error)
            return
        kept = self._kept.get((record.tenant, record.key))
        if kept is not None and message.sequence <= kept.sequence:
            return
        kept = self._apply(record, message.sequence)
        if kept.session is not None and record.holder != self._holder:
            self._taken(kept)

    def _apply(self, record: Record, sequence: int) -> Kept:
        """What a session is now."""
        place = record.tenant, record.key
        kept = self._kept.get(place)
        if kept is None:
            kept = Kept(record, sequence, self.queues)
            before: list[Filter] = []
            if not record.is_over:
                self._kept[place] = kept
        else:
            before = kept.record.filters
        subscriptions = self._subscriptions(record.tenant)
        for gone in {one.filter for one in before} - {one.filter for one in record.filters}:
            subscriptions.remove(kept, gone)
        for one in record.filters:
            if one not in before:
                options = Subscription(one.filter, one.qos, one.no_local, one.retain_as_published)
                subscriptions.add(kept, options, one.identifier)
        if kept.record.incarnation != record.incarnation:
            kept.received.clear()
        kept.record, kept.sequence = record, sequence
        if record.is_over:
            self._kept.pop(place, None)
            kept.ended()
        return kept


def key_of(peer: Peer, client_id: str) -> str:
    """The key of a session in its tenant: a client id is a peer's own."""
    said = "\0".join((peer.kind, peer.name, client_id))
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()


def _seen(kept: Kept | None) -> int:
    return 0 if kept is None else kept.sequence
