"""The load: devices that publish at QoS 1, resend what was not acknowledged, and keep a ledger of what was.

Half of them give a time of their own, out of order within a few messages; the other half give none, and send values
that are never the same twice, so that each can be found again. Half speak MQTT 3.1.1, half 5.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from itertools import count
from typing import cast

from broadstreet.model.errors import BadPacket
from broadstreet.mqtt import ConnAck, Connect, Decoder, PubAck, PubAckRun, Publish, Version, encode

DEVICES = 40
WINDOW = 200
"""Messages of one device that may wait for their acknowledgement."""
BURST = 3
TICK_S = 0.02
RECONNECT_S = 0.1
CONNECT_S = 10.0
MAX_IDENTIFIER = 65_535
SHUFFLE = (3, 0, 6, 1, 7, 2, 5, 4)
"""The order in which eight consecutive device times are sent."""
STEP_MS = 1_000


@dataclass
class Message:
    """One reading. at_ms: the device's own time; None where it gives none."""

    value: float
    at_ms: int | None
    sent: int = 0

    @property
    def topic(self) -> str:
        """Where the device sends it."""
        return "readings"

    @property
    def payload(self) -> bytes:
        """As the device sends it."""
        own_time = {} if self.at_ms is None else {"ts": self.at_ms}
        return json.dumps({"v": self.value, **own_time}).encode()


@dataclass
class Device:
    """A device with its secret, what it still waits for, and what was acknowledged."""

    id: str
    secret: str
    number: int
    begins_ms: int
    timed: bool
    waiting: dict[int, Message] = field(default_factory=dict)
    acknowledged: list[Message] = field(default_factory=list)
    refused: int = 0

    def __post_init__(self) -> None:
        self.version = Version.V3_1_1 if self.number % 2 else Version.V5
        self._counter = count()
        self._identifier = 0
        self._connection: Connection | None = None

    def next_message(self) -> Message:
        """The next reading; its value is this device's alone."""
        n = next(self._counter)
        value = self.number * 10_000_000 + n + 0.5
        block, place = divmod(n, len(SHUFFLE))
        at_ms = self.begins_ms + (block * len(SHUFFLE) + SHUFFLE[place]) * STEP_MS if self.timed else None
        return Message(value, at_ms)

    def publish(self) -> None:
        """Send a few readings, if connected and not too many wait."""
        if self._connection is None or len(self.waiting) + BURST > WINDOW:
            return
        for _ in range(BURST):
            self._identifier = self._identifier % MAX_IDENTIFIER + 1
            self.waiting[self._identifier] = self.next_message()
            self._send(self._identifier, dup=False)

    def _send(self, identifier: int, *, dup: bool) -> None:
        assert self._connection is not None
        message = self.waiting[identifier]
        message.sent += 1
        packet = Publish(message.topic, message.payload, qos=1, dup=dup, identifier=identifier)
        self._connection.write(encode(packet, self.version))

    def acknowledge(self, identifier: int, reason: int) -> None:
        """Enter a message into the ledger; one that was refused is sent again with the next connection."""
        if reason >= 0x80:
            self.refused += 1
            self.disconnect()
            return
        message = self.waiting.pop(identifier, None)
        assert message is not None, f"{self.id}: an acknowledgement of {identifier}, which nobody sent"
        self.acknowledged.append(message)

    def hello(self) -> Connect:
        """How it introduces itself."""
        return Connect(self.id, self.version, clean_start=True, username=self.id, password=self.secret.encode())

    def take(self, packet: object) -> bool:
        """Something else than an acknowledgement; whether it was expected."""
        return False

    def connected(self, connection: Connection, *, is_known: bool) -> None:
        """Send again, in order, what was not acknowledged. is_known: whether the house has its session."""
        self._connection = connection
        for identifier in list(self.waiting):
            self._send(identifier, dup=True)

    def disconnect(self) -> None:
        """End the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Connection(asyncio.Protocol):
    """One connection of a device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._decoder = Decoder(device.version)
        self._transport: asyncio.Transport | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce the device."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(encode(self._device.hello(), self._device.version))

    def data_received(self, data: bytes) -> None:
        """Take acknowledgements."""
        self._decoder.feed(data)
        while (packet := self._decoder.next()) is not None:
            match packet:
                case ConnAck(reason=0, session_present=is_known):
                    self._device.connected(self, is_known=is_known)
                case PubAck(identifier=identifier, reason=reason):
                    self._device.acknowledge(identifier, reason)
                case PubAckRun():
                    for one in packet.packets():
                        self._device.acknowledge(one.identifier, 0)
                case _ if not self._device.take(packet):
                    self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The device connects anew, see Load."""
        self._device.disconnect()
        self.lost.set()

    def write(self, data: bytes) -> None:
        """Send bytes, if there is still somebody to send them to."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()


class Load:
    """All devices, connected until `stop`; they publish while `publishing` is set."""

    def __init__(self, devices: list[Device], port: int) -> None:
        self.devices = devices
        self.publishing = True
        self._port = port
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def acknowledged(self) -> int:
        """How many messages were acknowledged."""
        return sum(len(device.acknowledged) for device in self.devices)

    @property
    def waiting(self) -> int:
        """How many messages wait for their acknowledgement."""
        return sum(len(device.waiting) for device in self.devices)

    def start(self) -> None:
        """Let them connect and publish."""
        self._tasks = [asyncio.create_task(self._stay_connected(device)) for device in self.devices]
        self._tasks.append(asyncio.create_task(self._tick()))

    async def stop(self) -> None:
        """End all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for device in self.devices:
            device.disconnect()

    def check(self) -> None:
        """Raise what went wrong in a device: a fault of the trial itself, or an acknowledgement nobody asked for."""
        for task in self._tasks:
            if task.done():
                task.result()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            if self.publishing:
                for device in self.devices:
                    device.publish()

    async def _stay_connected(self, device: Device) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(CONNECT_S):
                    _, connection = await loop.create_connection(lambda: Connection(device), "127.0.0.1", self._port)
            except (OSError, TimeoutError, BadPacket):
                await asyncio.sleep(RECONNECT_S)
                continue
            await connection.lost.wait()
            await asyncio.sleep(RECONNECT_S)
