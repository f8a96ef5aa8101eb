"""What goes out to one subscriber: bounded, in order, and harming nobody when it is slow.

QoS 0 messages are dropped while the socket is slow or there is none. Those of QoS 1 and 2 wait for the client's
answers, in a queue; when it is full, the subscriber is given up. Retained messages asked for by a subscription come
before live ones and wait as long as they must. For a session that outlives its connection a `Mailbox` brings what comes
at QoS 1 and 2, and hears what became of it.

    QoS 1:  PUBLISH ──▶ in flight ──PUBACK──▶ done
    QoS 2:  PUBLISH ──▶ in flight ──PUBREC──▶ PUBREL ──▶ released ──PUBCOMP──▶ done
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from broadstreet.gateway.bounds import (
    MAX_QUEUED_BYTES,
    MAX_QUEUED_MESSAGES,
    MAX_RETAINED,
    MESSAGE_OVERHEAD_BYTES,
    SEND_ALIASES_MAXIMUM,
    SEND_MAXIMUM,
)
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.message import Message
from broadstreet.mqtt import Connect, PubAck, PubComp, PubRec, PubRel, Reason, Version, encode
from broadstreet.mqtt.reasons import FIRST_FAILURE
from broadstreet.mqtt.wire import MAX_IDENTIFIER


class Keeper(Protocol):
    """Who brings a session's messages from the log."""

    def has_room(self) -> None:
        """One more may be sent."""

    def is_done(self, identifier: int) -> None:
        """The client has acknowledged or completed a message, or takes none so large."""

    def is_received(self, identifier: int, then: Callable[[], None]) -> None:
        """The client has a QoS 2 message: `then` once that is written."""


Item = tuple[Message, int, bool, tuple[int, ...]]
"""A message, its QoS and retain flag for this subscriber, and the identifiers of its subscriptions."""


class Outbound:
    """It belongs to a session; `attach` and `detach` say when there is a connection it speaks over."""

    def __init__(self, counters: Counters, clock: Callable[[], int]) -> None:
        self._counters = counters
        self._clock = clock
        self._write: Callable[[bytes], None] | None = None
        self._give_up: Callable[[], None] | None = None
        self._version = Version.V5
        self._send_maximum = SEND_MAXIMUM
        self._max_packet_bytes: int | None = None
        self._alias_maximum = 0
        self._aliases: dict[str, int] = {}
        self._queue: deque[Item] = deque()
        self._queued_bytes = 0
        self._retained: deque[Item] = deque()
        self._in_flight: dict[int, Item | None] = {}
        """By packet identifier, in the order in which they were sent first; None: released."""
        self._next_identifier = 1
        self.is_slow = False
        self.keeper: Keeper | None = None

    def attach(self, write: Callable[[bytes], None], give_up: Callable[[], None], connect: Connect) -> None:
        """
        Speak over a connection.

        write:   gives bytes to the socket.
        give_up: called when the subscriber is too slow.
        connect: what the client said: its receive maximum, its largest packet, its topic aliases.
        """
        self._write, self._give_up, self._version = write, give_up, connect.version
        said = connect.properties
        self._send_maximum = min(said.receive_maximum or SEND_MAXIMUM, SEND_MAXIMUM)
        self._max_packet_bytes = said.maximum_packet_bytes
        self._alias_maximum = min(said.topic_alias_maximum or 0, SEND_ALIASES_MAXIMUM)

    def detach(self) -> None:
        """The connection is gone."""
        self._write = self._give_up = None

    @property
    def is_attached(self) -> bool:
        """Whether there is a connection."""
        return self._give_up is not None

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for the client."""
        return self.is_slow or bool(self._queue) or bool(self._retained) or bool(self._in_flight)

    @property
    def is_ready(self) -> bool:
        """Whether a message would go out at once."""
        return self.is_attached and self._has_room

    def offer(self, message: Message, qos: int, retain: bool, identifiers: tuple[int, ...]) -> None:
        """A live message."""
        item = (message, qos, retain, identifiers)
        if qos == 0:
            if self.is_slow:
                self._counters.dropped += 1
            elif self.is_attached:
                self._send(item)
        elif self.is_ready and not self._queue and not self._retained:
            self._send(item)
        elif len(self._queue) < MAX_QUEUED_MESSAGES and self._queued_bytes <= MAX_QUEUED_BYTES:
            self._queue.append(item)
            self._queued_bytes += len(message.payload) + MESSAGE_OVERHEAD_BYTES
        elif self._give_up is not None:
            self._give_up()

    def has_room_for(self, identifier: int) -> bool:
        """Whether a message may go out now under this identifier."""
        return self.is_ready and identifier not in self._in_flight

    def send_as(self, identifier: int, item: Item, *, dup: bool) -> None:
        """Send a message of the keeper's under an identifier of the keeper's."""
        self._in_flight[identifier] = item
        self._write_message(item, identifier, dup=dup)

    def release(self, identifier: int) -> None:
        """Send PUBREL again for a message whose PUBREC came over another connection."""
        self._in_flight[identifier] = None
        self._say(encode(PubRel(identifier), self._version))

    def offer_retained(self, messages: Iterable[Message], qos: int, identifiers: tuple[int, ...]) -> None:
        """Retained messages for a new subscription."""
        self._retained.extend((message, min(qos, message.qos), True, identifiers) for message in messages)
        if len(self._retained) > 2 * MAX_RETAINED and self._give_up is not None:
            self._give_up()
        self._pump()

    def acknowledged_run(self, identifiers: Iterable[int]) -> None:
        """PUBACKs that say success. One for an unknown identifier says nothing."""
        for identifier in identifiers:
            item = self._in_flight.get(identifier)
            if item is not None and item[1] == 1:
                self._done(identifier)
        self._pump()

    def acknowledged(self, packet: PubAck) -> None:
        """One PUBACK; one that refuses ends the message as well (MQTT-4.4.0-2 has it sent no more)."""
        self.acknowledged_run((packet.identifier,))

    def received(self, packet: PubRec) -> None:
        """The client has a QoS 2 message, or refuses it; told to release it, it will hand it on once."""
        identifier = packet.identifier
        known = identifier in self._in_flight
        item = self._in_flight.get(identifier)
        if item is not None and item[1] == 1:
            return
        if packet.reason >= FIRST_FAILURE:
            if known:
                self._done(identifier)
                self._pump()
            return
        if known:
            self._in_flight[identifier] = None
        reason = Reason.SUCCESS if known or self._version != Version.V5 else Reason.PACKET_IDENTIFIER_NOT_FOUND
        answer = encode(PubRel(identifier, reason), self._version)
        if known and self.keeper is not None:
            self.keeper.is_received(identifier, partial(self._say, answer))
        else:
            self._say(answer)

    def completed(self, packet: PubComp) -> None:
        """The client has handed a QoS 2 message on."""
        if self._in_flight.get(packet.identifier, self) is None:
            self._done(packet.identifier)
            self._pump()

    def slow(self, is_slow: bool) -> None:
        """The socket takes no more for now, or again."""
        self.is_slow = is_slow
        if not is_slow:
            self._pump()

    @property
    def _has_room(self) -> bool:
        return not self.is_slow and len(self._in_flight) < self._send_maximum

    def _done(self, identifier: int) -> None:
        del self._in_flight[identifier]
        if self.keeper is not None:
            self.keeper.is_done(identifier)

    def _pump(self) -> None:
        while self.is_attached and self._has_room:
            if self._retained:
                self._send(self._retained.popleft())
            elif self._queue:
                item = self._queue.popleft()
                self._queued_bytes -= len(item[0].payload) + MESSAGE_OVERHEAD_BYTES
                self._send(item)
            else:
                break
        if self.keeper is not None:
            self.keeper.has_room()

    def _send(self, item: Item) -> None:
        if item[0].is_expired(self._clock()):
            return
        identifier = self._identifier() if item[1] else 0
        if identifier:
            self._in_flight[identifier] = item
        self._write_message(item, identifier, dup=False)

    def _write_message(self, item: Item, identifier: int, *, dup: bool) -> None:
        """Give a message to the socket, unless it is larger than the client takes (MQTT-3.1.2-24)."""
        message, qos, retain, identifiers = item
        topic = message.topic
        alias = self._aliases.get(topic, 0)
        is_known = alias > 0
        if not is_known and len(self._aliases) < self._alias_maximum:
            alias = len(self._aliases) + 1
        raw = message.encode(
            self._version,
            qos,
            retain,
            identifier,
            identifiers,
            self._clock(),
            dup=dup,
            alias=alias,
            is_alias_known=is_known,
        )
        if self._max_packet_bytes is not None and len(raw) > self._max_packet_bytes:
            self._counters.dropped += 1
            if identifier:
                self._done(identifier)
            return
        if alias and not is_known:
            self._aliases[topic] = alias
        self._counters.delivered += 1
        self._say(raw)

    def _say(self, raw: bytes) -> None:
        if self._write is not None:
            self._write(raw)

    def _identifier(self) -> int:
        """A packet identifier that is free; there are more of them than messages in flight."""
        identifier = self._next_identifier
        while identifier in self._in_flight:
            identifier = identifier % MAX_IDENTIFIER + 1
        self._next_identifier = identifier % MAX_IDENTIFIER + 1
        return identifier
