"""A generator of changes over MQTT, started as a process by the benchmark: each value is the time it was due.

It reads its task as one line of JSON from standard input, connects and says `ready`; the next line starts the clock.
Values are microseconds since 1970, no two of one device the same, so that whoever is told of one knows how old it is.
"""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial
from typing import cast

import msgspec
import uvloop

from benchmarks.mqtt_load import lines, say
from broadstreet.mqtt import Connect, Publish, Version, encode

CONNACK_BYTES = 4
PUBACK_BYTES = 4
PACE_S = 0.002
DRAIN_S = 120.0
MAX_IDENTIFIER = 65_535


class Task(msgspec.Struct):
    """rate_per_s: of all connections together, one after the other."""

    port: int
    logins: dict[str, str]
    seconds: float
    rate_per_s: float


class Device(asyncio.Protocol):
    """One connection."""

    def __init__(self, name: str, secret: str) -> None:
        self._connect = encode(Connect(name, Version.V3_1_1, True, 60, name, secret.encode()), Version.V3_1_1)
        self._transport = cast(asyncio.Transport, None)
        self._rest = CONNACK_BYTES
        self.is_in = asyncio.Event()
        self.answered = asyncio.Event()
        """Set while every change is acknowledged."""
        self.answered.set()
        self.sent = 0
        self.acknowledged = 0
        self.is_ending = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._connect)

    def data_received(self, data: bytes) -> None:
        if not self.is_in.is_set():
            if data[:CONNACK_BYTES] != b"\x20\x02\x00\x00":
                sys.exit(f"refused: {data.hex()}")
            self.is_in.set()
            return
        self._rest += len(data)
        self.acknowledged = self._rest // PUBACK_BYTES - 1
        if self.acknowledged == self.sent:
            self.answered.set()

    def send(self, due_us: int) -> None:
        """One change, that was due at this time."""
        self.sent += 1
        self.answered.clear()
        payload = b'{"a0":%d}' % due_us
        identifier = (self.sent - 1) % MAX_IDENTIFIER + 1
        self._transport.write(encode(Publish("readings", payload, 1, identifier=identifier), Version.V3_1_1))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_ending:
            sys.exit(f"a connection was lost: {exc}")


def _itself(device: Device) -> Device:
    return device


async def run() -> None:
    loop = asyncio.get_running_loop()
    orders = await lines()
    task = msgspec.json.decode(await orders.readline(), type=Task)
    devices = [Device(name, secret) for name, secret in task.logins.items()]
    for device in devices:
        await loop.create_connection(partial(_itself, device), "127.0.0.1", task.port)
    async with asyncio.timeout(DRAIN_S):
        for device in devices:
            await device.is_in.wait()
    say(event="ready")
    await orders.readline()
    began_s, began_us, count = time.monotonic(), time.time_ns() // 1_000, 0
    while (passed_s := time.monotonic() - began_s) < task.seconds:
        due = int(passed_s * task.rate_per_s)
        for number in range(count, due):
            devices[number % len(devices)].send(began_us + round(number / task.rate_per_s * 1e6))
        count = max(count, due)
        await asyncio.sleep(PACE_S)
    say(event="stopped", sent=sum(device.sent for device in devices))
    for device in devices:
        async with asyncio.timeout(DRAIN_S):
            await device.answered.wait()
    for device in devices:
        device.is_ending = True
    say(event="done", acknowledged=sum(device.acknowledged for device in devices))


if __name__ == "__main__":
    uvloop.run(run())
