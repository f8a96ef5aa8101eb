"""A device on the air: one MQTT connection of its own, kept as a device keeps it.

What it has to say it says at QoS 1 and keeps until it is acknowledged, as much as a small memory holds; when the
connection breaks it tries again, later each time, and says again what was not acknowledged.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, cast

from simulator.noise import key_of, uniform
from simulator.wire import (
    DISCONNECT_BYTES,
    PINGREQ_BYTES,
    PUBACK,
    Packet,
    PacketReader,
    WireFault,
    connect_bytes,
    packet_id_of,
    publish_bytes,
    refusal_of,
)

KEEP_ALIVE_S: Final = 60
_PING_AFTER_S: Final = 40.0
_WELCOME_WITHIN_S: Final = 20.0
FIRST_RETRY_S: Final = 1.0
LAST_RETRY_S: Final = 60.0
REFUSED_RETRY_S: Final = 300.0
"""A device that was turned away does not knock every minute."""
MEMORY: Final = 256
"""How many readings a device keeps until they are acknowledged; beyond, the oldest is lost."""
_LAST_PACKET_ID: Final = 65_535
_TOPIC: Final = "readings"


class Refused(Exception):
    """The other side turned the device away; the message gives its return code."""


@dataclass(slots=True)
class Tally:
    """What happened to all devices together."""

    connected: int = 0
    said: int = 0
    acknowledged: int = 0
    forgotten: int = 0
    refused: int = 0


class Connection(asyncio.Protocol):
    """One connection from its CONNECT to its end."""

    def __init__(self, hello: bytes, acknowledged: Callable[[int], None]) -> None:
        loop = asyncio.get_running_loop()
        self._hello = hello
        self._acknowledged = acknowledged
        self._reader = PacketReader()
        self._transport: asyncio.Transport | None = None
        self._sent_at = 0.0
        self.welcome: asyncio.Future[None] = loop.create_future()
        self.welcome.add_done_callback(lambda welcome: welcome.cancelled() or welcome.exception())  # seen, also if late
        self.ended: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.send(self._hello)

    def data_received(self, data: bytes) -> None:
        try:
            for packet in self._reader.feed(data):
                self._take(packet)
        except (WireFault, Refused) as fault:
            if not self.welcome.done():
                self.welcome.set_exception(fault)
            self.abort()

    def _take(self, packet: Packet) -> None:
        if not self.welcome.done():
            refusal = refusal_of(packet)
            if refusal:
                raise Refused(f"return code {refusal}")
            self.welcome.set_result(None)
        elif packet.kind == PUBACK:
            self._acknowledged(packet_id_of(packet))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.welcome.done():
            self.welcome.set_exception(exc or ConnectionResetError("the connection ended before a welcome"))
        if not self.ended.done():
            self.ended.set_result(None)

    def send(self, data: bytes) -> None:
        """Send, if the connection still stands."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self._sent_at = asyncio.get_running_loop().time()

    def ping_if_idle(self) -> None:
        """Keep the connection alive where nothing was said for long."""
        if asyncio.get_running_loop().time() - self._sent_at > _PING_AFTER_S:
            self.send(PINGREQ_BYTES)

    def leave(self) -> None:
        """End the connection in good order."""
        self.send(DISCONNECT_BYTES)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """End the connection as a power cut does."""
        if self._transport is not None:
            self._transport.abort()


class Client:
    """A device's side of the wire. `live` runs until it is cancelled; `say` and `cut_off` steer it meanwhile."""

    def __init__(self, device_id: str, secret: str, host: str, port: int, tally: Tally, *, powered: bool) -> None:
        """powered: whether it connects at once; else when it first has something to say."""
        self._hello = connect_bytes(device_id, device_id, secret, KEEP_ALIVE_S)
        self._host, self._port = host, port
        self._tally = tally
        self._unacknowledged: OrderedDict[int, bytes] = OrderedDict()
        self._last_packet_id = 0
        self._connection: Connection | None = None
        self._patience = 0.5 + float(uniform(key_of(device_id)))
        self._powered = asyncio.Event()
        if powered:
            self._powered.set()

    @property
    def pending(self) -> int:
        """How many readings wait for their acknowledgement."""
        return len(self._unacknowledged)

    def say(self, payload: bytes) -> None:
        """Have the house read this, now or once it is reached; a device that was cut off has power again."""
        self._powered.set()
        if len(self._unacknowledged) >= MEMORY:
            self._unacknowledged.popitem(last=False)
            self._tally.forgotten += 1
        self._last_packet_id = self._last_packet_id % _LAST_PACKET_ID + 1
        packet = publish_bytes(_TOPIC, self._last_packet_id, payload)
        self._unacknowledged[self._last_packet_id] = packet
        self._tally.said += 1
        if self._connection is not None:
            self._connection.send(packet)

    def cut_off(self) -> None:
        """Lose power: the connection breaks without a word, and what was not acknowledged is gone."""
        self._powered.clear()
        self._tally.forgotten += len(self._unacknowledged)
        self._unacknowledged.clear()
        if self._connection is not None:
            self._connection.abort()

    def ping_if_idle(self) -> None:
        """Keep the connection alive where nothing was said for long."""
        if self._connection is not None:
            self._connection.ping_if_idle()

    async def live(self, door: asyncio.Semaphore) -> None:
        """Connect, stay, and connect again. door: how many may be connecting at a time."""
        retry_s = FIRST_RETRY_S
        while True:
            await self._powered.wait()
            try:
                connection = await self._connect(door)
            except Refused:
                self._tally.refused += 1
                retry_s = REFUSED_RETRY_S
            except (OSError, TimeoutError, WireFault):
                retry_s = min(2 * retry_s, LAST_RETRY_S)
            else:
                retry_s = FIRST_RETRY_S
                await self._stay(connection)
            await asyncio.sleep(retry_s * self._patience)

    async def _connect(self, door: asyncio.Semaphore) -> Connection:
        async with door, asyncio.timeout(_WELCOME_WITHIN_S):
            loop = asyncio.get_running_loop()
            _, connection = await loop.create_connection(
                lambda: Connection(self._hello, self._acknowledge), self._host, self._port
            )
            try:
                await connection.welcome
            except BaseException:
                connection.abort()
                raise
            return connection

    async def _stay(self, connection: Connection) -> None:
        """Say what was not acknowledged, then whatever comes, until the connection ends."""
        if not self._powered.is_set():  # cut off while it was connecting
            connection.abort()
            return
        self._connection = connection
        self._tally.connected += 1
        try:
            for packet in self._unacknowledged.values():
                connection.send(packet)
            await connection.ended
        finally:
            connection.leave()
            self._tally.connected -= 1
            self._connection = None

    def _acknowledge(self, packet_id: int) -> None:
        if self._unacknowledged.pop(packet_id, None) is not None:
            self._tally.acknowledged += 1
