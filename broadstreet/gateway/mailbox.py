"""What waits in the log for a session's client, brought to it while it is here.

A message's packet identifier follows from its place in the queue, so that it is the same however often and by whichever
gateway it is sent (MQTT-4.4.0-1). How far the client has come is written to the log: before PUBREL goes out, so that a
QoS 2 message whose PUBREC came is never sent again, and within a second otherwise; then the queue is trimmed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

import msgspec

from broadstreet.gateway.bounds import MAIL_AT_ONCE, MAIL_WAIT_S, PLACE_EVERY_S, RETRY_LONGEST_S
from broadstreet.gateway.directory import Directory
from broadstreet.gateway.kept import Kept
from broadstreet.gateway.outbound import Outbound
from broadstreet.gateway.packer import SAFE, Settlement
from broadstreet.gateway.queues import decode_queued
from broadstreet.log import RawMessage
from broadstreet.log.ending import end
from broadstreet.model.errors import BroadstreetError, Conflict, CorruptData, EngineFailed
from broadstreet.mqtt.wire import MAX_IDENTIFIER

logger = logging.getLogger(__name__)


class Place(msgspec.Struct, array_like=True):
    """
    How far a client has come in its queue, in the stream's sequences.

    floor:    up to here everything is done. sent: up to here everything was sent once.
    done, released: beyond the floor, what is done, and what the client has but for PUBCOMP.
    received: identifiers of QoS 2 messages from the client that are on disk, and that it has not released.
    """

    floor: int = 0
    sent: int = 0
    done: list[int] = []
    released: list[int] = []
    received: list[int] = []


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Place)


class Mailbox:
    """taken: called when another gateway has the session now."""

    def __init__(
        self,
        directory: Directory,
        kept: Kept,
        outbound: Outbound,
        clock: Callable[[], int],
        taken: Callable[[Kept], None],
    ) -> None:
        self._directory = directory
        self._log = directory.log
        self._kept = kept
        self._outbound = outbound
        self._clock = clock
        self._taken = taken
        self._address = kept.record.tenant, kept.record.key
        self._sequence = 0
        """Of the place as it is written."""
        self._floor = self._seen = self._sent = 0
        self._done: set[int] = set()
        self._open: dict[int, int] = {}
        """Packet identifiers on their way, in the order of the queue, and the sequence of each."""
        self._released: dict[int, int] = {}
        self._withheld: set[int] = set()
        """Of what the client sent, all that the place may say, as it is written, that it has not released."""
        self._after_write: list[Callable[[], None]] = []
        self._room = asyncio.Event()
        self._changed = asyncio.Event()
        self._urgent = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Read the place, before anything is delivered. Raises EngineFailed."""
        self._sequence, data = await self._log.place(*self._address)
        place = _decoder.decode(data) if data else Place()
        self._floor = self._seen = place.floor
        self._sent = place.sent
        self._done = set(place.done)
        self._released = {identifier_of(sequence): sequence for sequence in place.released}
        self._withheld = set(place.received)
        for identifier in place.received:
            self._kept.received.setdefault(identifier, SAFE)

    def start(self) -> None:
        """Deliver from now on."""
        for identifier in self._released:
            self._outbound.release(identifier)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._deliver()), loop.create_task(self._keep_place())]

    async def stop(self) -> None:
        """Deliver no more, and write how far it came."""
        await end(self._tasks)
        self._changed.set()
        with suppress(BroadstreetError):
            await self._write()

    # What the outbound side calls.

    def has_room(self) -> None:
        """One more may be sent."""
        self._room.set()

    def is_done(self, identifier: int) -> None:
        """The client has acknowledged or completed a message, or takes none so large."""
        sequence = self._open.pop(identifier, 0) or self._released.pop(identifier, 0)
        if sequence:
            self._done.add(sequence)
            self._changed.set()
        self._room.set()

    def is_received(self, identifier: int, then: Callable[[], None]) -> None:
        """The client has a QoS 2 message: `then` once that is written."""
        if identifier in self._open:
            self._released[identifier] = self._open.pop(identifier)
        self._after_write.append(then)
        self._changed.set()
        self._urgent.set()

    # What the side that takes in calls.

    def is_changed(self) -> None:
        """What is not released of what the client sent has changed."""
        self._changed.set()

    def withhold(self, identifier: int) -> Settlement:
        """The client has released what it sent: settled once no gateway reads in the place that it has not."""
        self._changed.set()
        if identifier not in self._withheld:
            return SAFE
        written = Settlement()
        self._after_write.append(written.settle)
        self._urgent.set()
        return written

    # Delivering.

    async def _deliver(self) -> None:
        while True:
            try:
                async with self._log.queue(*self._address, self._seen) as reader:
                    while True:
                        for message in await reader.fetch(MAIL_AT_ONCE, MAIL_WAIT_S):
                            await self._send(message)
            except EngineFailed as error:
                logger.warning("the queue of a session waits: %s", error)
                await asyncio.sleep(RETRY_LONGEST_S)

    async def _send(self, raw: RawMessage) -> None:
        sequence = raw.sequence
        identifier = identifier_of(sequence)
        if sequence in self._done or self._released.get(identifier) == sequence:
            self._seen = sequence
            return
        try:
            queued = decode_queued(raw.data)
            message = queued.message()
        except CorruptData as error:
            logger.error("a message at %d of QUEUE is left out: %s", sequence, error)
            self._skip(sequence)
            return
        while not self._outbound.has_room_for(identifier):
            self._room.clear()
            await self._room.wait()
        if message.is_expired(self._clock()):
            self._skip(sequence)
            return
        self._seen = sequence
        self._open[identifier] = sequence
        was_sent = sequence <= self._sent
        self._sent = max(self._sent, sequence)
        self._outbound.send_as(identifier, (message, queued.qos, queued.retain, queued.identifiers), dup=was_sent)
        self._changed.set()

    def _skip(self, sequence: int) -> None:
        self._seen = sequence
        self._done.add(sequence)
        self._changed.set()

    # The place.

    async def _keep_place(self) -> None:
        while True:
            await self._changed.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(PLACE_EVERY_S):
                    await self._urgent.wait()
            try:
                await self._write()
            except Conflict:
                self._taken(self._kept)
                return
            except BroadstreetError as error:
                logger.warning("how far a session has come waits to be written: %s", error)
                await asyncio.sleep(RETRY_LONGEST_S)

    async def _write(self) -> None:
        """Write the place, if it has changed. Raises Conflict where another gateway has the session."""
        if not self._changed.is_set():
            return
        self._changed.clear()
        self._urgent.clear()
        after_write, self._after_write = self._after_write, []
        waiting = [*self._open.values(), *self._released.values()]
        floor = max(self._floor, min(waiting) - 1 if waiting else self._seen)
        self._done = {sequence for sequence in self._done if sequence > floor}
        released = sorted(self._released.values())
        received = {one for one, kept in self._kept.received.items() if kept.is_settled and kept.refusal is None}
        self._withheld |= received
        place = Place(floor, self._sent, sorted(self._done), released, sorted(received))
        try:
            await self._put(_encoder.encode(place))
        except BroadstreetError:
            self._after_write[:0] = after_write
            self._changed.set()
            raise
        self._withheld = received
        for then in after_write:
            then()
        if floor > self._floor:
            self._floor = floor
            await self._log.trim(*self._address, floor + 1)

    async def _put(self, data: bytes) -> None:
        try:
            self._sequence = await self._log.write("place", *self._address, data, self._sequence)
        except Conflict:
            if not self._directory.is_ours(self._kept):
                raise
            # Whoever had the session before has written its last word meanwhile.
            self._sequence, _ = await self._log.place(*self._address)
            self._sequence = await self._log.write("place", *self._address, data, self._sequence)


def identifier_of(sequence: int) -> int:
    """The packet identifier of a queued message. Two on their way at once may not share one: the later one waits."""
    return sequence % MAX_IDENTIFIER + 1
