"""One connection of a client: bytes to packets, packets to bytes, and the keep-alive."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from broadstreet.model.errors import BadPacket
from broadstreet.mqtt.decoder import MAX_PACKET_BYTES, Decoder
from broadstreet.mqtt.encoding import PINGREQ
from broadstreet.mqtt.packets import ConnAck, Packet, Run, Version


class Link(asyncio.Protocol):
    """
    version:  of the protocol.
    received: called with each packet or run after CONNACK.
    changed:  called when the socket takes no more, or again.
    lost:     called once when the connection has ended, however.
    max_packet_bytes: a larger packet ends the connection.
    """

    def __init__(
        self,
        version: Version,
        received: Callable[[Packet | Run], None],
        changed: Callable[[], None],
        lost: Callable[[Link], None],
        max_packet_bytes: int = MAX_PACKET_BYTES,
    ) -> None:
        self._received = received
        self._changed = changed
        self._lost = lost
        self._decoder = Decoder(version, max_packet_bytes, runs=True)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._sent_s = self._heard_s = self._loop.time()
        self.welcome: asyncio.Future[ConnAck] = self._loop.create_future()
        """The server's answer to CONNECT; ConnectionError if it hangs up instead."""
        self.closed = asyncio.Event()
        self._is_begun = False
        self.is_full = False
        self.words = "the connection was lost"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard_s = self._loop.time()
        self._decoder.feed(data)
        self._read()

    @property
    def is_over(self) -> bool:
        """Whether the connection is ending, or has."""
        return self._transport is None or self._transport.is_closing()

    def begin(self) -> None:
        """The server's welcome has been read: hand on what follows it."""
        self._is_begun = True
        self._read()

    def _read(self) -> None:
        try:
            while self._is_begun or not self.welcome.done():
                packet = self._decoder.next()
                if packet is None:
                    return
                if self._is_begun:
                    self._received(packet)
                elif isinstance(packet, ConnAck):
                    self.welcome.set_result(packet)
        except BadPacket as error:
            self.words = f"the server sent a packet that breaks the standard: {error}"
            self.abort()

    def pause_writing(self) -> None:
        self.is_full = True
        self._changed()

    def resume_writing(self) -> None:
        self.is_full = False
        self._changed()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if not self.welcome.done():
            self.welcome.set_exception(ConnectionError("the connection was closed"))
        self.closed.set()
        self._lost(self)

    def write(self, raw: bytes) -> None:
        """Send bytes."""
        if self._transport is not None:
            self._sent_s = self._loop.time()
            self._transport.write(raw)

    def close(self) -> None:
        """Close once what was written is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def keep_alive(self, interval_s: int) -> None:
        """Say something at least this often, and expect an answer as often."""
        if interval_s:
            self._timer = self._loop.call_later(interval_s / 2, self._ping, interval_s)

    def _ping(self, interval_s: int) -> None:
        now_s = self._loop.time()
        if now_s - self._heard_s > 2 * interval_s:
            self.words = "the server fell silent"
            self.abort()
            return
        if now_s - min(self._sent_s, self._heard_s) >= interval_s / 2:
            self.write(PINGREQ)
        self._timer = self._loop.call_later(interval_s / 2, self._ping, interval_s)
