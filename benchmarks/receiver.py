"""A receiver of notifications, started as a process by the benchmark: it answers 200 and remembers what it was told.

Values are the times at which they were due, in microseconds since 1970 (see change_load.py). It reads its task as one
line of JSON, listens and says `ready`. Then each line is an order: `down` (it listens no more), `up`, `report`.
"""

from __future__ import annotations

import asyncio
import time
from array import array
from typing import cast

import msgspec
import uvloop

from benchmarks.mqtt_load import lines, say

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"


class Task(msgspec.Struct):
    """What it is started with."""

    port: int


class Attribute(msgspec.Struct):
    """One that was told."""

    value: int | float


class Entity(msgspec.Struct):
    """One that was told; only of `a0` it is remembered what."""

    id: str
    a0: Attribute | None = None


class Notification(msgspec.Struct):
    """What a subscription is told."""

    data: list[Entity]


class Told:
    """All that was told so far."""

    def __init__(self) -> None:
        self.requests = 0
        self.entities = 0
        self.behind = 0
        """Values that came after a later one of the same entity, and had not come before."""
        self.values: dict[str, set[int]] = {}
        self.latest: dict[str, int] = {}
        self.ages: list[tuple[int, int]] = []
        """When each value was due, and how many microseconds later it came first."""

    def take(self, body: bytes) -> None:
        """One notification."""
        now_us = time.time_ns() // 1_000
        self.requests += 1
        for entity in _decode(body).data:
            self.entities += 1
            if entity.a0 is None or not isinstance(entity.a0.value, int):
                continue
            value = entity.a0.value
            values = self.values.setdefault(entity.id, set())
            if value in values:
                continue
            values.add(value)
            self.ages.append((value, now_us - value))
            if value < self.latest.get(entity.id, 0):
                self.behind += 1
            else:
                self.latest[entity.id] = value


_decode = msgspec.json.Decoder(Notification).decode


class Connection(asyncio.Protocol):
    """One connection of the notifier's."""

    def __init__(self, told: Told, all_of_them: set[asyncio.Transport]) -> None:
        self._told = told
        self._all = all_of_them
        self._transport = cast(asyncio.Transport, None)
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._all.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (at := self._buffer.find(END_OF_HEAD)) >= 0:
            head = self._buffer[:at].lower()
            where = head.index(LENGTH) + len(LENGTH)
            stop = at + len(END_OF_HEAD) + int(head[where:].split(b"\r\n", 1)[0])
            if len(self._buffer) < stop:
                return
            self._told.take(self._buffer[at + len(END_OF_HEAD) : stop])
            self._buffer = self._buffer[stop:]
            self._transport.write(ANSWER)


def report(told: Told, calm: list[list[int]]) -> None:
    """What was told by now. calm: spans of the times at which values were due, whose ages count."""
    ages = array("q", sorted(age for due, age in told.ages if any(low <= due < high for low, high in calm)))
    say(
        event="report",
        delivered=sum(map(len, told.values.values())),
        entities=told.entities,
        requests=told.requests,
        behind=told.behind,
        **{f"delivery_ms_p{share}": round(ages[len(ages) * share // 100] / 1_000, 1) for share in (50, 99) if ages},
    )


async def run() -> None:
    orders = await lines()
    task = msgspec.json.decode(await orders.readline(), type=Task)
    loop, told, connections = asyncio.get_running_loop(), Told(), set[asyncio.Transport]()

    async def listen() -> asyncio.Server:
        return await loop.create_server(lambda: Connection(told, connections), "127.0.0.1", task.port)

    server = await listen()
    say(event="ready")
    while line := (await orders.readline()).decode().strip():
        order, _, words = line.partition(" ")
        if order == "down":
            server.close()
            for transport in list(connections):
                transport.abort()
        elif order == "up":
            server = await listen()
        else:
            report(told, msgspec.json.decode(words))
    server.close()


if __name__ == "__main__":
    uvloop.run(run())
