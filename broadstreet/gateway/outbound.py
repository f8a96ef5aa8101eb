"""What goes out to one subscriber: bounded, in order, and harming nobody when it is slow.

QoS 0 messages are dropped while the socket is slow. QoS 1 messages wait for the client's acknowledgements, in a queue;
when that is full, or nothing was taken for `SLOW_FOR_S`, the subscriber is given up. Retained messages asked for by a
subscription come before live ones and wait as long as they must.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from broadstreet.gateway.bounds import (
    MAX_QUEUED_BYTES,
    MAX_QUEUED_MESSAGES,
    MAX_RETAINED,
    MESSAGE_OVERHEAD_BYTES,
    SEND_MAXIMUM,
)
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.message import Message
from broadstreet.mqtt import Version
from broadstreet.mqtt.wire import MAX_IDENTIFIER

Item = tuple[Message, int, bool, tuple[int, ...]]
"""A message, its QoS and retain flag for this subscriber, and the identifiers of its subscriptions."""


class Outbound:
    """
    write:            gives bytes to the socket.
    give_up:          called when the subscriber is too slow.
    receive_maximum:  the client's; None where it named none.
    max_packet_bytes: the client's; larger messages are left out (MQTT-3.1.2-24).
    """

    def __init__(
        self,
        write: Callable[[bytes], None],
        give_up: Callable[[], None],
        *,
        version: Version,
        receive_maximum: int | None,
        max_packet_bytes: int | None,
        counters: Counters,
        clock: Callable[[], int],
    ) -> None:
        self._write = write
        self._give_up = give_up
        self._version = version
        self._send_maximum = min(receive_maximum or SEND_MAXIMUM, SEND_MAXIMUM)
        self._max_packet_bytes = max_packet_bytes
        self._counters = counters
        self._clock = clock
        self._queue: deque[Item] = deque()
        self._queued_bytes = 0
        self._retained: deque[Item] = deque()
        self._in_flight: set[int] = set()
        self._next_identifier = 1
        self.is_slow = False

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for the client."""
        return self.is_slow or bool(self._queue) or bool(self._retained) or bool(self._in_flight)

    def offer(self, message: Message, qos: int, retain: bool, identifiers: tuple[int, ...]) -> None:
        """A live message."""
        item = (message, qos, retain, identifiers)
        if qos == 0:
            if self.is_slow:
                self._counters.dropped += 1
            else:
                self._send(item)
        elif self._has_room and not self._queue and not self._retained:
            self._send(item)
        elif len(self._queue) >= MAX_QUEUED_MESSAGES or self._queued_bytes > MAX_QUEUED_BYTES:
            self._give_up()
        else:
            self._queue.append(item)
            self._queued_bytes += len(message.payload) + MESSAGE_OVERHEAD_BYTES

    def offer_retained(self, messages: Iterable[Message], qos: int, identifiers: tuple[int, ...]) -> None:
        """Retained messages for a new subscription."""
        self._retained.extend((message, min(qos, message.qos), True, identifiers) for message in messages)
        if len(self._retained) > 2 * MAX_RETAINED:
            self._give_up()
        self._pump()

    def acknowledged(self, identifiers: Iterable[int]) -> None:
        """The client has taken these; others wait no longer. An unknown identifier says nothing."""
        self._in_flight.difference_update(identifiers)
        if self._queue or self._retained:
            self._pump()

    def slow(self, is_slow: bool) -> None:
        """The socket takes no more for now, or again."""
        self.is_slow = is_slow
        if not is_slow:
            self._pump()

    @property
    def _has_room(self) -> bool:
        return not self.is_slow and len(self._in_flight) < self._send_maximum

    def _pump(self) -> None:
        while self._has_room:
            if self._retained:
                self._send(self._retained.popleft())
            elif self._queue:
                item = self._queue.popleft()
                self._queued_bytes -= len(item[0].payload) + MESSAGE_OVERHEAD_BYTES
                self._send(item)
            else:
                return

    def _send(self, item: Item) -> None:
        message, qos, retain, identifiers = item
        now_us = self._clock()
        if message.is_expired(now_us):
            return
        identifier = self._identifier() if qos else 0
        raw = message.encode(self._version, qos, retain, identifier, identifiers, now_us)
        if self._max_packet_bytes is not None and len(raw) > self._max_packet_bytes:
            self._counters.dropped += 1
            return
        if qos:
            self._in_flight.add(identifier)
        self._counters.delivered += 1
        self._write(raw)

    def _identifier(self) -> int:
        """A packet identifier that is free; there are more of them than messages in flight."""
        identifier = self._next_identifier
        while identifier in self._in_flight:
            identifier = identifier % MAX_IDENTIFIER + 1
        self._next_identifier = identifier % MAX_IDENTIFIER + 1
        return identifier
