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
    MAX_SESSIONS,
    SAID_FOR_S,
    SESSIONS_EVERY_S,
)
from broadstreet.gateway.following import Follower
from broadstreet.gateway.kept import Filter, Kept, Record, Subscriber
from broadstreet.gateway.neighbours import Neighbours
from broadstreet.gateway.peer import Peer
from broadstreet.gateway.queues import Queues
from broadstreet.gateway.subscriptions import Subscriptions
from broadstreet.log import RawMessage
from broadstreet.log.sessions import SessionLog
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError, Conflict, EngineFailed, TooMany
from broadstreet.mqtt import Subscription

CLAIM_ATTEMPTS = 5
Place = tuple[str, str]
"""A session: its tenant and its key."""
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Record)
logger = logging.getLogger(__name__)


class Directory:
    """
    neighbours:    who this gateway is, in which of its lives, and which others there are.
    taken:         called with a session of ours that another gateway has taken over.
    subscriptions: gives a tenant's tree of subscriptions.
    """

    def __init__(
        self,
        log: SessionLog,
        queues: Queues,
        neighbours: Neighbours,
        *,
        taken: Callable[[Kept], None],
        subscriptions: Callable[[str], Subscriptions[Subscriber]],
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.log = log
        self.queues = queues
        self._neighbours = neighbours
        self._holder = neighbours.holder
        self._taken = taken
        self._subscriptions = subscriptions
        self._clock = clock
        self._random_bytes = random_bytes
        self._kept: dict[tuple[str, str], Kept] = {}
        self._over: dict[Place, tuple[int, int]] = {}
        """Sessions that have ended: where the log says so, and since when, in microseconds since 1970."""
        self._found: set[Place] = set()
        """Those that the log was found to have since it is read from the start."""
        self._follower = Follower("sessions", log.records, begin=self._begin, read=self._read, loaded=self._loaded)

    def __len__(self) -> int:
        return len(self._kept)

    async def run(self) -> None:
        """Follow the records until cancelled."""
        await self._follower.run()

    async def sweep(self) -> None:
        """End the sessions whose time is over, and put away those of gateways that are gone, for ever."""
        await self._follower.loaded()
        while True:
            now_us = self._clock()
            await self._forget(now_us - round(SAID_FOR_S * US_PER_S))
            for kept in tuple(self._kept.values()):
                try:
                    if kept.is_over(now_us):
                        await self.end(kept)
                    elif self._is_lost(kept):
                        await self.update(kept, away_us=now_us)
                except Conflict:
                    await self._look_again(kept.record.tenant, kept.record.key)  # another gateway was first
                except BroadstreetError as error:
                    logger.warning("a session waits to be put away: %s", error)
                    break
            await asyncio.sleep(SESSIONS_EVERY_S)

    def _is_lost(self, kept: Kept) -> bool:
        """Whether its client is said to be at a gateway that is gone."""
        return not kept.record.away_us and self._neighbours.is_gone(kept.record.holder)

    def is_ours(self, kept: Kept) -> bool:
        """Whether this gateway has a session, as far as it knows."""
        return kept.record.holder == self._holder and not kept.record.is_over

    async def find(self, peer: Peer, client_id: str) -> Kept | None:
        """A session that has not ended. Raises EngineFailed where they are not known yet."""
        await self._follower.ready()
        return self._kept.get((peer.tenant, key_of(peer, client_id)))

    async def loaded(self) -> None:
        """Wait until all sessions are known, however long that takes."""
        await self._follower.loaded()

    def get(self, place: Place) -> Kept | None:
        """A session that has not ended, as far as is known."""
        return self._kept.get(place)

    async def claim(self, peer: Peer, client_id: str, expiry_s: int, *, clean: bool) -> tuple[Kept, bool]:
        """
        Make a session this gateway's; answers whether it was there before.

        Raises TooMany where there is no room for another, Conflict if others keep winning, LogFull or EngineFailed.
        """
        key = key_of(peer, client_id)
        for _ in range(CLAIM_ATTEMPTS):
            before = self._kept.get((peer.tenant, key))
            if before is None and len(self._kept) >= MAX_SESSIONS:
                raise TooMany("there are too many sessions")
            is_new = before is None or clean or before.is_over(self._clock())
            record = Record(
                peer.tenant,
                key,
                peer.kind,
                peer.name,
                client_id,
                self._random_bytes(INCARNATION_BYTES),
                self._holder,
                away_us=0,
                expiry_s=expiry_s,
                filters=[],
                life=self._clock(),
            )
            if before is not None and not is_new:
                was = before.record
                record = msgspec.structs.replace(
                    record, incarnation=was.incarnation, filters=was.filters, life=self._life_of(was)
                )
            try:
                if before is not None and is_new:
                    await self.log.clear(peer.tenant, key)
                after = before.sequence if before is not None else self._over.get((peer.tenant, key), (0, 0))[0]
                sequence = await self.log.write("record", peer.tenant, key, _encoder.encode(record), after)
            except Conflict:
                await self._look_again(peer.tenant, key)
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
            life=self._life_of(record),
            filters=record.filters if filters is None else filters,
            away_us=record.away_us if away_us is None else away_us,
            expiry_s=record.expiry_s if expiry_s is None else expiry_s,
        )
        place = record.tenant, record.key
        self._apply(changed, await self.log.write("record", *place, _encoder.encode(changed), kept.sequence))

    def _life_of(self, record: Record) -> int:
        """The life of a session once it is this gateway's: another one, if it was not."""
        return record.life if record.holder == self._holder else max(record.life + 1, self._clock())

    async def end(self, kept: Kept) -> None:
        """A session is over. Raises Conflict where another gateway has it now."""
        record = msgspec.structs.replace(kept.record, holder=self._holder, is_over=True, filters=[])
        place = record.tenant, record.key
        sequence = await self.log.write("record", *place, _encoder.encode(record), kept.sequence)
        self._apply(record, sequence)
        await self.log.clear(*place)

    async def _forget(self, before_us: int) -> None:
        """Drop what the log says of sessions that ended before a time, which every gateway has heard."""
        for place, said in [one for one in self._over.items() if one[1][1] <= before_us]:
            try:
                await self.log.forget("record", *place, said[0] + 1)
            except EngineFailed as error:
                logger.warning("sessions that are over wait to be forgotten: %s", error)
                return
            if self._over.get(place) == said:
                del self._over[place]

    async def _look_again(self, tenant: str, key: str) -> None:
        """Read what another gateway has written of a session, or that it has been forgotten."""
        try:
            sequence, data = await self.log.newest("record", tenant, key)
        except EngineFailed as error:
            logger.warning("a session cannot be read: %s", error)
            return
        if data:
            self._read(RawMessage(sequence, data))
        else:
            self._drop((tenant, key))

    def _drop(self, place: Place) -> None:
        """The log has nothing of a session any more."""
        self._over.pop(place, None)
        kept = self._kept.get(place)
        if kept is not None:
            self._apply(msgspec.structs.replace(kept.record, is_over=True, filters=[]), kept.sequence)
            self._over.pop(place, None)

    def _begin(self) -> None:
        self._found = set()

    def _loaded(self) -> None:
        """What was known before and is not there any more has ended while the log could not be followed."""
        for place in self._kept.keys() - self._found:
            self._drop(place)

    def _read(self, message: RawMessage) -> None:
        try:
            record = _decoder.decode(message.data)
        except msgspec.DecodeError as error:
            logger.error("the record of a session at %d cannot be read: %s", message.sequence, error)
            return
        place = record.tenant, record.key
        kept = self._kept.get(place)
        known = self._over.get(place, (0, 0))[0] if kept is None else kept.sequence
        if message.sequence <= known:
            self._found.add(place)
            return
        kept = self._apply(record, message.sequence)
        if kept.session is not None and record.holder != self._holder:
            self._taken(kept)

    def _apply(self, record: Record, sequence: int) -> Kept:
        """What a session is now."""
        place = record.tenant, record.key
        self._found.add(place)
        kept = self._kept.get(place)
        if kept is None:
            kept = Kept(record, sequence, self.queues, self._neighbours)
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
        if (kept.record.incarnation, kept.record.life) != (record.incarnation, record.life):
            kept.received.clear()  # what is known of them now is in the session's place, and with the recorder
        kept.record, kept.sequence = record, sequence
        if record.is_over:
            self._kept.pop(place, None)
            self._over[place] = sequence, self._clock()
        else:
            self._over.pop(place, None)
        return kept


def key_of(peer: Peer, client_id: str) -> str:
    """The key of a session in its tenant: a client id is a peer's own."""
    said = "\0".join((peer.kind, peer.name, client_id))
    return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
