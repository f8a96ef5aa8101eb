"""Wills, kept in the log from CONNECT on, so that one is published whatever becomes of its gateway.

    connected ──without a word──▶ due, at once or after its delay ──▶ over
        └─────DISCONNECT, or resumed before it is due───────────────▶ over

A will's record names the gateway that has it. Whoever changes it names the record before, so that of two one publishes
it: the client's own gateway; the one to which the client comes next; or, where its gateway is gone, the first to find
that out. A gateway that dies while it publishes leaves the record, and another publishes again, under the same ids: the
recorder and the queues of sessions take it once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import msgspec

from broadstreet.gateway.bounds import SAID_FOR_S, SESSIONS_EVERY_S
from broadstreet.gateway.following import Follower
from broadstreet.gateway.locks import Locks
from broadstreet.gateway.message import Message, message_of
from broadstreet.gateway.neighbours import Neighbours
from broadstreet.log import RawMessage
from broadstreet.log.sessions import SessionLog
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError, Conflict

WRITE_ATTEMPTS = 5
ID_BYTES = 16
Place = tuple[str, str]
"""A session: its tenant and its key."""
logger = logging.getLogger(__name__)


class Testament(msgspec.Struct, array_like=True, frozen=True):
    """
    A will in the log.

    id:      tells it from every other, and its pack.
    holder:  the gateway that has it, and in which life: `<name>/<life>`.
    delay_s: how long it waits once its client has gone.
    due_us:  when it is to be published, in microseconds since 1970; 0: its client is here.
    device, suffix: the key of the device whose message it is, 0 for none, and what packs call its topic.
    publish: MQTT 5's packet.
    """

    tenant: str
    key: str
    id: bytes
    holder: str
    delay_s: int
    due_us: int
    device: int
    suffix: str
    publish: bytes
    is_over: bool = False

    @property
    def place(self) -> Place:
        """Whose it is."""
        return self.tenant, self.key

    def message(self, at_us: int) -> Message:
        """What is published. Raises CorruptData."""
        message = message_of(self.publish, at_us)
        message.id = f"will.{self.id.hex()}"
        return message


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Testament)


class Wills:
    """
    publish: brings a will to the log and to whoever subscribes; done when it returns. Raises what the log raises.
    clock:   now, in microseconds since 1970.
    """

    def __init__(
        self,
        log: SessionLog,
        neighbours: Neighbours,
        publish: Callable[[Testament], Awaitable[None]],
        *,
        clock: Callable[[], int],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._log = log
        self._neighbours = neighbours
        self._publish = publish
        self._clock = clock
        self._random_bytes = random_bytes
        self._known: dict[Place, tuple[int, Testament]] = {}
        self._over: dict[Place, tuple[int, int]] = {}
        """Those that are over: where the log says so, and since when."""
        self._found: set[Place] = set()
        self._locks = Locks[Place]()
        """Whoever changes a will has one."""
        self._follower = Follower("wills", log.wills, begin=self._begin, read=self._read, loaded=self._loaded)

    def __len__(self) -> int:
        return len(self._known)

    async def run(self) -> None:
        """Follow the wills until cancelled."""
        await self._follower.run()

    async def sweep(self) -> None:
        """Publish those that are due, and take up those of gateways that are gone, for ever."""
        await self._follower.loaded()
        while True:
            now_us = self._clock()
            try:
                await self._forget(now_us - round(SAID_FOR_S * US_PER_S))
                for place in list(self._known):
                    await self._see_to(place, now_us)
            except BroadstreetError as error:
                logger.warning("wills wait: %s", error)
            await asyncio.sleep(SESSIONS_EVERY_S)

    # What sessions ask.

    async def settle(self, place: Place, *, resumed: bool) -> None:
        """
        A client has come: what it left before is void if it resumes its session within the delay, else published.

        Raises Conflict, and what the log raises.
        """
        await self._follower.ready()
        async with self._locks.of(place):
            for _ in range(WRITE_ATTEMPTS):
                _, will = self._known.get(place, (0, None))
                if will is None or (will.due_us and will.due_us <= self._clock() and not self._is_gone(will)):
                    return  # its gateway publishes it just now
                try:
                    await (self._end(will) if resumed and will.delay_s else self._speak(will))
                except Conflict:
                    await self._look_again(place)  # its gateway has just written that its client has gone
                else:
                    return
        raise Conflict("other gateways keep writing this session's will")

    async def leave(self, place: Place, delay_s: int, device: int, suffix: str, message: Message) -> bytes:
        """Keep a client's will; answers its id. Raises Conflict, LogFull or EngineFailed."""
        identity = self._random_bytes(ID_BYTES)
        will = Testament(*place, identity, self._neighbours.holder, delay_s, 0, device, suffix, publish=message.frame())
        async with self._locks.of(place):
            for _ in range(WRITE_ATTEMPTS):
                try:
                    await self._write(will)
                except Conflict:
                    await self._look_again(place)
                    continue
                return identity
        raise Conflict("other gateways keep writing this session's will")

    async def went(self, place: Place, identity: bytes, delay_s: int | None) -> None:
        """A client has gone; its will is due after a delay, or, with None, void. Raises what the log raises."""
        async with self._locks.of(place):
            will = self._own(place, identity)
            if will is None:
                return
            try:
                if delay_s is None:
                    await self._end(will)
                elif delay_s:
                    due_us = self._clock() + delay_s * US_PER_S
                    await self._write(msgspec.structs.replace(will, delay_s=delay_s, due_us=due_us))
                else:
                    await self._speak(will)
            except Conflict:
                await self._look_again(place)  # the client is at another gateway, which has seen to it

    # Publishing.

    async def _see_to(self, place: Place, now_us: int) -> None:
        async with self._locks.of(place):
            _, will = self._known.get(place, (0, None))
            if will is None:
                return
            is_ours = will.holder == self._neighbours.holder
            try:
                if not is_ours and self._is_gone(will):
                    will = msgspec.structs.replace(
                        will,
                        holder=self._neighbours.holder,
                        due_us=will.due_us or max(1, now_us + will.delay_s * US_PER_S),
                    )
                    await self._write(will)
                    is_ours = True
                if is_ours and 0 < will.due_us <= now_us:
                    await self._speak(will)
            except Conflict:
                await self._look_again(place)  # another gateway was first

    async def _speak(self, will: Testament) -> None:
        """Publish a will: first say that it is this gateway that does. Raises Conflict where it is another."""
        ours = msgspec.structs.replace(will, holder=self._neighbours.holder, due_us=self._clock())
        await self._write(ours)
        await self._publish(ours)
        await self._end(ours)

    async def _end(self, will: Testament) -> None:
        await self._write(msgspec.structs.replace(will, holder=self._neighbours.holder, publish=b"", is_over=True))

    def _own(self, place: Place, identity: bytes) -> Testament | None:
        _, will = self._known.get(place, (0, None))
        is_own = will is not None and will.id == identity and will.holder == self._neighbours.holder
        return will if is_own else None

    def _is_gone(self, will: Testament) -> bool:
        return self._neighbours.is_gone(will.holder)

    # The log.

    async def _write(self, will: Testament) -> None:
        place = will.place
        after = self._known[place][0] if place in self._known else self._over.get(place, (0, 0))[0]
        self._apply(will, await self._log.write("will", *place, _encoder.encode(will), after))

    async def _look_again(self, place: Place) -> None:
        """Read what another gateway has written, or that it was forgotten. Raises EngineFailed."""
        sequence, data = await self._log.newest("will", *place)
        if data:
            self._read(RawMessage(sequence, data))
        else:
            self._drop(place)

    async def _forget(self, before_us: int) -> None:
        """Drop what the log says of wills that were over before a time, which every gateway has heard."""
        for place, said in [one for one in self._over.items() if one[1][1] <= before_us]:
            await self._log.forget("will", *place, said[0] + 1)
            if self._over.get(place) == said:
                del self._over[place]

    def _drop(self, place: Place) -> None:
        self._known.pop(place, None)
        self._over.pop(place, None)

    def _begin(self) -> None:
        self._found = set()

    def _loaded(self) -> None:
        """What was known before and is not there any more is over."""
        for place in self._known.keys() - self._found:
            self._drop(place)

    def _read(self, raw: RawMessage) -> None:
        try:
            will = _decoder.decode(raw.data)
        except msgspec.DecodeError as error:
            logger.error("a will at %d of SESSIONS cannot be read: %s", raw.sequence, error)
            return
        self._apply(will, raw.sequence)

    def _apply(self, will: Testament, sequence: int) -> None:
        """What the log has, read or just written."""
        place = will.place
        self._found.add(place)
        known = self._known[place][0] if place in self._known else self._over.get(place, (0, 0))[0]
        if sequence < known:
            return
        if will.is_over:
            self._known.pop(place, None)
            self._over[place] = sequence, self._clock()
        else:
            self._over.pop(place, None)
            self._known[place] = sequence, will
