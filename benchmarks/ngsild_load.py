"""A lean generator of NGSI-LD requests, started as a process by the benchmark.

It is told one line a round: the requests, how many connections, how long or how often; it says what came of them. A
round's requests are sent in turn, each connection's next one when its last is answered. Every answer is looked at: its
status, how many entities it holds, whether what must stand in it does.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from typing import Any, cast

import msgspec
import numpy as np
import uvloop

MAX_LINE_BYTES = 1024 * 1024 * 1024
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
ENTITY = b'"id":"urn:ngsi-ld:'


class Request(msgspec.Struct):
    """As it is sent, and what is looked for in its answer."""

    raw: str
    status: int
    entities: int
    needle: str


class Round(msgspec.Struct):
    """times: how many requests in all; 0: as many as the seconds allow."""

    requests: list[Request]
    connections: int
    seconds: float
    times: int


class Task(msgspec.Struct):
    """port: of the house."""

    port: int


class Load:
    """One round's state."""

    def __init__(self, told: Round) -> None:
        self.told = told
        self.raw = [one.raw.encode() for one in told.requests]
        self.needles = [one.needle.encode() for one in told.requests]
        self.sent = 0
        self.bytes = 0
        self.took_s: list[float] = []
        self.ends_s = time.perf_counter() + told.seconds
        self.in_flight = 0
        self.done = asyncio.Event()

    def next(self) -> int | None:
        """Which request goes next; None at the end."""
        over = self.sent >= self.told.times if self.told.times else time.perf_counter() >= self.ends_s
        if over:
            if self.in_flight == 0:
                self.done.set()
            return None
        self.sent += 1
        self.in_flight += 1
        return (self.sent - 1) % len(self.raw)


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport = cast(asyncio.Transport, None)
        self._parts: list[bytes] = []
        self._missing = -1
        self._current: int | None = None
        self._began_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        """The next request, if there is one."""
        self._current = self._load.next()
        if self._current is not None:
            self._began_s = time.perf_counter()
            self._transport.write(self._load.raw[self._current])

    def data_received(self, data: bytes) -> None:
        self._parts.append(data)
        if self._missing < 0:
            head, end, body = b"".join(self._parts).partition(b"\r\n\r\n")
            if not end:
                return
            length = LENGTH.search(head)
            self._missing = (int(length[1]) if length else 0) - len(body)
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            self._answered(b"".join(self._parts))

    def _answered(self, answer: bytes) -> None:
        load, current = self._load, self._current
        assert current is not None
        load.took_s.append(time.perf_counter() - self._began_s)
        load.bytes += len(answer)
        wanted = load.told.requests[current]
        right = answer.startswith(b"HTTP/1.1 %d" % wanted.status) and answer.count(ENTITY) == wanted.entities
        if not right or load.needles[current] not in answer:
            sys.exit(f"{wanted.raw[:300]!r} was to hold {wanted.entities} entities, and was answered {answer[:600]!r}")
        self._parts, self._missing = [], -1
        load.in_flight -= 1
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._current is not None:
            sys.exit(f"a connection was lost: {exc}")


def say(**words: Any) -> None:
    """One line for the benchmark."""
    sys.stdout.write(msgspec.json.encode(words).decode() + "\n")
    sys.stdout.flush()


async def go(told: Round, port: int) -> None:
    """One round; says what came of it."""
    loop = asyncio.get_running_loop()
    load = Load(told)
    pairs = [await loop.create_connection(lambda: Caller(load), "127.0.0.1", port) for _ in range(told.connections)]
    began_s = time.perf_counter()
    load.ends_s = began_s + told.seconds
    for _, caller in pairs:
        caller.send()
    await load.done.wait()
    seconds = time.perf_counter() - began_s
    for transport, _ in pairs:
        transport.close()
    took_ms = np.array(load.took_s) * 1_000
    say(
        event="done",
        answered=len(took_ms),
        per_s=round(len(took_ms) / seconds, 1),
        seconds=seconds,
        ms_p50=round(float(np.percentile(took_ms, 50)), 2),
        ms_p99=round(float(np.percentile(took_ms, 99)), 2),
        mb_per_s=round(load.bytes / seconds / 1e6, 1),
    )


async def run() -> None:
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    task = msgspec.json.decode(await reader.readline(), type=Task)
    say(event="ready")
    while line := await reader.readline():
        await go(msgspec.json.decode(line, type=Round), task.port)


uvloop.run(run())
