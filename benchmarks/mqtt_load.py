"""A lean generator of MQTT load, started as a process by the benchmark: QoS 1, one reading in each message.

It reads its task as one line of JSON from standard input, connects and says `ready`. Each line that follows is a
number: how many messages may have been sent by then in all; the first one starts the clock. Every connection has a ring
of messages made beforehand and keeps a window of them on their way; acknowledgements are compared, byte by byte, with
what they must be, so their order is proved by the way.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from array import array
from functools import partial
from typing import Any, cast

import msgspec
import uvloop

from broadstreet.mqtt import Connect, Publish, Version, encode, encode_pubacks

RING = 2048
CONNACK_BYTES = 4
DRAIN_S = 60.0
PACE_S = 0.001
MAX_LINE_BYTES = 16 * 1024 * 1024


class Task(msgspec.Struct):
    """window: messages of one connection on their way at once. attributes: how many each device has.

    rate_per_s: how many messages all connections send together, one after the other, whatever comes back; 0: as many as
    the window and the allowance have room for. Latency is then counted from when a message was due.
    """

    port: int
    logins: dict[str, str]
    attributes: int
    window: int
    seconds: float
    seed: int
    rate_per_s: float = 0.0


class Load:
    """All connections together."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.acknowledged = 0
        self.sent = 0
        self.allowed = 0
        self.is_sending = False
        self.ready = 0
        self.all_ready = asyncio.Event()
        self.drained = asyncio.Event()
        self.latencies_s = array("d")

    def greeted(self) -> None:
        """A connection was let in."""
        self.ready += 1
        if self.ready == len(self.task.logins):
            self.all_ready.set()

    def took(self, count: int) -> None:
        """So many were acknowledged."""
        self.acknowledged += count
        if not self.is_sending and self.acknowledged == self.sent:
            self.drained.set()


class Device(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load, name: str, secret: str, chance: random.Random) -> None:
        self._load = load
        self._transport = cast(asyncio.Transport, None)
        self._connect = encode(Connect(name, Version.V3_1_1, True, 60, name, secret.encode()), Version.V3_1_1)
        messages = [
            encode(Publish("readings", self._payload(n, chance), 1, identifier=n + 1), Version.V3_1_1)
            for n in range(RING)
        ]
        ends = [0]
        for message in messages:
            ends.append(ends[-1] + len(message))
        self._ends = ends
        self._ring = memoryview(b"".join(messages))
        self._answers = encode_pubacks([(n + 1).to_bytes(2) for n in range(RING)]) * 2
        self._next = 0
        self._awaited = 0
        self._rest = b""
        self._bursts: list[tuple[int, float]] = []
        self._is_in = False
        self._may_send = load.task.window

    def _payload(self, n: int, chance: random.Random) -> bytes:
        return b'{"a%d":%.2f}' % (n % self._load.task.attributes, chance.uniform(-40, 60))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._connect)

    def data_received(self, data: bytes) -> None:
        if not self._is_in:
            if data[:CONNACK_BYTES] != b"\x20\x02\x00\x00":
                sys.exit(f"refused: {data.hex()}")
            self._is_in = True
            self._load.greeted()
            return
        data = self._rest + data if self._rest else data
        count, rest = divmod(len(data), 4)
        self._rest = data[len(data) - rest :] if rest else b""
        at = self._awaited * 4
        if data[: count * 4] != self._answers[at : at + count * 4]:
            sys.exit("an acknowledgement is out of order")
        self._awaited = (self._awaited + count) % RING
        self._measure(count)
        self._load.took(count)
        self._may_send += count
        if self._load.is_sending and not self._load.task.rate_per_s:
            self.send()

    def send(self) -> None:
        """Send the next messages of the ring: as many as the window and the allowance have room for."""
        load = self._load
        count = min(self._may_send, load.allowed - load.sent)
        if count <= 0:
            return
        self._may_send -= count
        self._write(count, time.monotonic())

    def send_one(self, due_s: float) -> None:
        """Send the next message of the ring, which was due at this time."""
        self._write(1, due_s)

    def _write(self, count: int, due_s: float) -> None:
        self._load.sent += count
        self._bursts.append((count, due_s))
        while count:
            start = self._next
            stop = min(start + count, RING)
            self._transport.write(self._ring[self._ends[start] : self._ends[stop]])
            count -= stop - start
            self._next = stop % RING

    def connection_lost(self, exc: Exception | None) -> None:
        if self._load.is_sending or not self._load.drained.is_set():
            sys.exit(f"a connection was lost: {exc}")

    def _measure(self, count: int) -> None:
        """How long each burst took that is now acknowledged, if only in part."""
        now_s = time.monotonic()
        while count:
            size, sent_s = self._bursts[0]
            self._load.latencies_s.append(now_s - sent_s)
            if size > count:
                self._bursts[0] = size - count, sent_s
                return
            count -= size
            del self._bursts[0]


def _itself(device: Device) -> Device:
    return device


def say(**words: Any) -> None:
    """One line for the benchmark."""
    print(json.dumps(words), flush=True)


async def lines() -> asyncio.StreamReader:
    """Standard input."""
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def obey(load: Load, devices: list[Device], orders: asyncio.StreamReader) -> None:
    """Send as much as each line allows, a different connection first each time."""
    first = 0
    while line := await orders.readline():
        load.allowed = int(line)
        for device in devices[first:] + devices[:first]:
            device.send()
        first = (first + 1) % len(devices)


async def pace(load: Load, devices: list[Device]) -> None:
    """Send message after message, each when it is due."""
    began_s, count = time.monotonic(), 0
    while True:
        due = int((time.monotonic() - began_s) * load.task.rate_per_s)
        for number in range(count, due):
            devices[number % len(devices)].send_one(began_s + number / load.task.rate_per_s)
        count = max(count, due)
        await asyncio.sleep(PACE_S)


async def run() -> None:
    loop = asyncio.get_running_loop()
    orders = await lines()
    task = msgspec.json.decode(await orders.readline(), type=Task)
    load, chance = Load(task), random.Random(task.seed)
    devices = [Device(load, name, secret, chance) for name, secret in task.logins.items()]
    for device in devices:
        await loop.create_connection(partial(_itself, device), "127.0.0.1", task.port)
    async with asyncio.timeout(DRAIN_S):
        await load.all_ready.wait()
    say(event="ready")
    load.allowed = int(await orders.readline())
    load.is_sending = True
    if task.rate_per_s:
        sending = asyncio.create_task(pace(load, devices))
    else:
        sending = asyncio.create_task(obey(load, devices, orders))
        for device in devices:
            device.send()
    await asyncio.sleep(task.seconds)
    sending.cancel()
    load.is_sending = False
    say(event="stopped", acknowledged=load.acknowledged)
    if load.acknowledged < load.sent:
        async with asyncio.timeout(DRAIN_S):
            await load.drained.wait()
    load.drained.set()
    taken = sorted(load.latencies_s)
    say(
        event="done",
        acknowledged=load.acknowledged,
        sent=load.sent,
        latency_ms_p50=round(1000 * taken[len(taken) // 2], 1),
        latency_ms_p99=round(1000 * taken[len(taken) * 99 // 100], 1),
    )


if __name__ == "__main__":
    uvloop.run(run())
