"""What the connections of one gateway share: its sessions, subscriptions by tenant, retained messages.

A message goes to every matching subscriber of its tenant at once; what must be kept goes through the packer beside.
A client id is a peer's own: only the same device or account can take over a session.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from broadstreet.gateway.bounds import LONGEST_SESSION_S, RETRY_LONGEST_S, STOP_WITHIN_S
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.directory import key_of
from broadstreet.gateway.exchange import Exchange
from broadstreet.gateway.kept import Filter, Kept
from broadstreet.gateway.locks import Locks
from broadstreet.gateway.mailbox import Mailbox
from broadstreet.gateway.message import Message, forwarded
from broadstreet.gateway.packer import SAFE, Mark, Packer, Settlement, Source, together
from broadstreet.gateway.peer import Address, Peer, address_of
from broadstreet.gateway.retained import Retained
from broadstreet.gateway.session import Session
from broadstreet.gateway.sightings import Sightings
from broadstreet.gateway.wills import Testament, Wills
from broadstreet.gateway.words import Claim
from broadstreet.log import Pack
from broadstreet.log.sessions import SessionLog
from broadstreet.model.errors import BroadstreetError, Conflict
from broadstreet.mqtt import Connect, Reason, Subscription, Version

ASSIGNED_ID_BYTES = 12
TAKEN_OVER = "another connection took over its client id"
logger = logging.getLogger(__name__)


class Broker:
    """
    name:         the gateway's.
    clock:        now, in microseconds since 1970.
    random_bytes: fit for ids, such as `os.urandom`.
    """

    def __init__(
        self,
        packer: Packer,
        retained: Retained,
        sightings: Sightings,
        sessions: SessionLog,
        counters: Counters,
        *,
        name: str,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self.packer = packer
        self.retained = retained
        self.sightings = sightings
        self.counters = counters
        self.clock = clock
        self.exchange = Exchange(
            sessions,
            counters,
            name=name,
            has_sessions=True,
            clock=clock,
            random_bytes=random_bytes,
            taken=self._taken,
            claimed=self._claimed,
        )
        self.wills = Wills(
            sessions, self.exchange.neighbours, self._publish_will, clock=clock, random_bytes=random_bytes
        )
        self.queues = self.exchange.queues
        self.directory = self.exchange.directory
        self.subscriptions = self.exchange.subscriptions
        self.deliver = self.exchange.deliver
        self.publish = self.exchange.publish
        self._log = sessions.log
        self._name = name
        self._random_bytes = random_bytes
        self._sessions: dict[Address, Session] = {}
        self._coming: dict[Address, Session] = {}
        """Those that have made their claim, and are not open yet."""
        self._locks = Locks[Address]()
        """Whoever changes whose a session is has one."""
        self._tasks: set[asyncio.Task[None]] = set()

    def new_client_id(self) -> str:
        """A client id nobody else has."""
        return f"auto-{self._random_bytes(ASSIGNED_ID_BYTES).hex()}"

    def sessions(self) -> list[Session]:
        """Every session whose client is here."""
        return list(self._sessions.values())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let work go on beside, until it is done or the gateway stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Let what goes on beside come to its end, within a while."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        await self.exchange.finish(STOP_WITHIN_S)

    # Sessions.

    def is_here(self, peer: Peer, client_id: str) -> bool:
        """Whether a connection of this gateway speaks for a client."""
        return address_of(peer, client_id) in self._sessions

    async def enter(self, peer: Peer, connect: Connect, client_id: str) -> tuple[Session, bool]:
        """
        The session a client asks for, and whether it was there before (MQTT-3.1.2-4 to -6).

        Whoever spoke for it so far is sent away. Raises TooMany, Conflict, and what the log raises when it is away.
        """
        address, asked_s = address_of(peer, client_id), expiry_s(connect)
        async with self._locks.of(address):
            await self._send_away(address)
            kept = await self.directory.find(peer, client_id)
            if kept is not None and not asked_s and (connect.clean_start or kept.is_over(self.clock())):
                await self.directory.end(kept)
                kept = None
            was_there = False
            if kept is not None or asked_s:
                kept, was_there = await self.directory.claim(peer, client_id, asked_s, clean=connect.clean_start)
            session = Session(self, peer, client_id, asked_s, kept)
            session.claim = self.exchange.neighbours.claim(address, is_lasting=kept is not None)
            self._coming[address] = session
            try:
                await self._open(session, connect, client_id, was_there)
            finally:
                del self._coming[address]
            self._sessions[address] = session
            return session, was_there

    async def _open(self, session: Session, connect: Connect, client_id: str, was_there: bool) -> None:
        """All of entering that takes time once the claim is made."""
        if (kept := session.kept) is not None:
            mailbox = Mailbox(self.directory, kept, session.outbound, self.clock, self._taken)
            await mailbox.open()
            kept.session, session.mailbox, session.outbound.keeper = session, mailbox, mailbox
        try:
            await self._settle_wills(session, connect, client_id, was_there)
        except BroadstreetError:
            self.leave(session)
            raise

    def entered(self, session: Session) -> None:
        """A session's conversation has begun: what was claimed elsewhere since its own claim is seen to now."""
        for holder, claim in session.rivals.items():
            self._claimed(claim, holder)
        session.rivals.clear()

    async def _settle_wills(self, session: Session, connect: Connect, client_id: str, was_there: bool) -> None:
        """See to the will that a client left before, and keep the one that it leaves now."""
        peer, will = session.peer, connect.will
        place = peer.tenant, key_of(peer, client_id)
        await self.wills.settle(place, resumed=was_there)
        suffix = None if will is None else peer.suffix_of(will.topic)
        if will is None or suffix is None:
            return
        message = Message(
            peer.own_prefix + suffix,
            will.payload,
            self.clock(),
            qos=will.qos,
            retain=will.retain,
            properties=forwarded(will.properties),
        )
        delay_s = min(will.properties.will_delay_s or 0, session.expiry_s)
        device = peer.key if session.source is not None else 0
        session.will_id = await self.wills.leave(place, delay_s, device, suffix, message)

    async def write_filters(self, session: Session, filters: dict[str, tuple[Subscription, int]]) -> None:
        """Write what a kept session subscribes to. Raises Conflict, and what the log raises when it is away."""
        assert session.kept is not None
        async with self._locks.of(session.address):
            if session.kept.session is not session or not self.directory.is_ours(session.kept):
                raise Conflict(TAKEN_OVER)
            written = [
                Filter(name, one.qos, one.no_local, one.retain_as_published, identifier)
                for name, (one, identifier) in filters.items()
            ]
            await self.directory.update(session.kept, filters=written)

    def leave(self, session: Session) -> None:
        """A session has lost its connection."""
        if self._sessions.get(session.address) is session:
            del self._sessions[session.address]
        if session.kept is not None:
            self.spawn(self._put_away(session, session.kept))
        if session.will_id:
            said = session.will
            delay_s = None if said is None else min(said.properties.will_delay_s or 0, session.expiry_s)
            self.spawn(self._see_off(session, delay_s))

    async def _see_off(self, session: Session, delay_s: int | None) -> None:
        """A client has gone, and its will goes out after a delay (MQTT-3.1.2-8), or, with None, is void."""
        tenant, *_, client_id = session.address
        place = tenant, key_of(session.peer, client_id)
        while True:
            try:
                await self.wills.went(place, session.will_id, delay_s)
            except BroadstreetError as error:
                logger.warning("a will waits: %s", error)
                await asyncio.sleep(RETRY_LONGEST_S)
            else:
                return

    async def _put_away(self, session: Session, kept: Kept) -> None:
        """Write that a session's client is away, unless someone has it by now."""
        async with self._locks.of(session.address):
            if kept.session is not session:
                return
            if session.mailbox is not None:
                await session.mailbox.stop()
            kept.session = None
            if not self.directory.is_ours(kept):
                return
            try:
                if session.expiry_s:
                    await self.directory.update(kept, away_us=self.clock(), expiry_s=session.expiry_s)
                else:
                    await self.directory.end(kept)
            except BroadstreetError as error:
                logger.warning("a session waits to be put away: %s", error)

    async def _send_away(self, address: Address) -> None:
        """End the connection that speaks for a session. The caller has its lock."""
        session = self._sessions.get(address)
        if session is None or session.conversation is None:
            return
        self.counters.taken_over += 1
        conversation = session.conversation
        conversation.link.close(Reason.SESSION_TAKEN_OVER, TAKEN_OVER)
        conversation.end()
        if session.kept is not None and session.mailbox is not None:
            await session.mailbox.stop()
            session.kept.session = None

    def _taken(self, kept: Kept) -> None:
        """Another gateway has a session that was ours."""
        session = kept.session
        if session is not None and session.conversation is not None:
            self.counters.taken_over += 1
            session.conversation.link.close(Reason.SESSION_TAKEN_OVER, TAKEN_OVER)

    def _claimed(self, claim: Claim, holder: str) -> None:
        """A client has come to another gateway: with a session that ends with its connection, or one here does."""
        session = self._coming.get(claim.address) or self._sessions.get(claim.address)
        if session is None or (session.kept is not None and claim.is_lasting):
            return
        if session.conversation is None:
            session.rivals[holder] = claim
            return
        neighbours = self.exchange.neighbours
        if (claim.number, holder) > (session.claim, neighbours.holder):
            self.counters.taken_over += 1
            session.expiry_s = 0  # one that would stay is over, too
            session.conversation.link.close(Reason.SESSION_TAKEN_OVER, TAKEN_OVER)
        else:
            neighbours.answer_claim(holder, Claim(claim.address, session.claim, session.kept is not None))

    # Messages.

    def keep(
        self,
        session: Session,
        suffix: str,
        payloads: list[bytes],
        mark: Mark | None = None,
        source: Source | None = None,
    ) -> tuple[Settlement, int]:
        """Keep what a session sends, if it is a device's or for one; answers also when it came, in us since 1970.

        source: the device for which somebody else sends it.
        """
        source = source or session.source
        if source is None:
            return SAFE, self.clock()
        settlement = self.packer.add(source, suffix, payloads, sum(map(len, payloads)), mark)
        return settlement, source.last_us

    async def _publish_will(self, will: Testament) -> None:
        """Bring a will to the log, and to whoever subscribes. Raises LogFull or EngineFailed."""
        at_us = self.clock()
        if will.device:
            source = self.packer.source(will.tenant, will.device)
            at_us = source.last_us = max(at_us, source.last_us + 1)
            columns = [will.device], [at_us], [will.suffix], [will.message(at_us).payload]
            await self._log.append_raw(Pack(will.id, will.tenant, source.lane.partition, self._name, *columns))
        message = will.message(at_us)
        message.sender = self.directory.get(will.place)
        waits = self.publish(will.tenant, message)
        if message.retain:
            waits.append(self.retained.keep(will.tenant, message, SAFE))
        for settlement in waits:
            await settlement.settled()

    def release(self, session: Session, identifier: int) -> tuple[bool, Settlement]:
        """A client has released a QoS 2 message: whether it was known here, and what to wait for before the answer."""
        was_known, settlement = session.release(identifier)
        mark = session.mark(identifier)
        if mark is None or session.source is None:
            return was_known, settlement
        return was_known, together([settlement, self.packer.release(session.source, mark)])


def expiry_s(connect: Connect) -> int:
    """How long the session a client asks for outlives its connection. 3.1.1 names no time."""
    if connect.version == Version.V5:
        return min(connect.properties.session_expiry_s or 0, LONGEST_SESSION_S)
    return 0 if connect.clean_start else LONGEST_SESSION_S
