"""A lean generator of HTTP load, started as a process by the benchmark: batches of readings as NDJSON.

It is told and tells as `mqtt_load`: its task, then how many readings may have been sent by then in all. Each connection
is kept open, sends for one device after the other, and counts a batch when the answer says that all of it is kept.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import sys
from typing import Any, cast

import msgspec
import uvloop

MAX_LINE_BYTES = 16 * 1024 * 1024
BODIES = 64
"""Different bodies, used in turn."""
DRAIN_S = 60.0


class Task(msgspec.Struct):
    """batch: readings in a request. connections: requests at once."""

    port: int
    logins: dict[str, str]
    attributes: int
    batch: int
    connections: int
    seconds: float
    seed: int


class Load:
    """All connections together."""

    def __init__(self, task: Task) -> None:
        chance = random.Random(task.seed)
        self.task = task
        self.heads = [self._head(name, secret) for name, secret in task.logins.items()]
        self.bodies = [self._body(chance) for _ in range(BODIES)]
        self.requests = 0
        self.sent = 0
        self.accepted = 0
        self.allowed = 0
        self.is_sending = False

    def _head(self, name: str, secret: str) -> bytes:
        credential = base64.b64encode(f"{name}:{secret}".encode()).decode()
        return (
            f"POST /v1/readings HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {credential}\r\n"
            "Content-Type: application/x-ndjson\r\n"
        ).encode()

    def _body(self, chance: random.Random) -> bytes:
        lines = [b'{"a%d":%.2f}' % (n % self.task.attributes, chance.uniform(-40, 60)) for n in range(self.task.batch)]
        body = b"\n".join(lines)
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

    def next_request(self) -> bytes | None:
        """The next request, if it is allowed by now."""
        if not self.is_sending or self.sent + self.task.batch > self.allowed:
            return None
        self.sent += self.task.batch
        self.requests += 1
        return self.heads[self.requests % len(self.heads)] + self.bodies[self.requests % BODIES]


class Caller(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport = cast(asyncio.Transport, None)
        self._answer = b""
        self.idle = asyncio.Event()
        self.idle.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self) -> None:
        """Send a request, unless one is on its way or none is allowed."""
        if self.idle.is_set() and (request := self._load.next_request()) is not None:
            self.idle.clear()
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or not body.endswith(b"}"):
            return
        if not head.startswith(b"HTTP/1.1 200") or json.loads(body) != {
            "accepted": self._load.task.batch,
            "rejected": [],
        }:
            sys.exit(f"refused: {self._answer[:500]!r}")
        self._answer = b""
        self._load.accepted += self._load.task.batch
        self.idle.set()
        self.send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.idle.is_set():
            sys.exit(f"a connection was lost: {exc}")


def say(**words: Any) -> None:
    """One line for the benchmark."""
    print(json.dumps(words), flush=True)


async def lines() -> asyncio.StreamReader:
    """Standard input."""
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def obey(load: Load, callers: list[Caller], orders: asyncio.StreamReader) -> None:
    """Send as much as each line allows."""
    while line := await orders.readline():
        load.allowed = int(line)
        for caller in callers:
            caller.send()


async def run() -> None:
    loop = asyncio.get_running_loop()
    orders = await lines()
    load = Load(msgspec.json.decode(await orders.readline(), type=Task))
    callers: list[Caller] = []
    for _ in range(load.task.connections):
        _, caller = await loop.create_connection(lambda: Caller(load), "127.0.0.1", load.task.port)
        callers.append(caller)
    say(event="ready")
    load.allowed = int(await orders.readline())
    load.is_sending = True
    obeying = asyncio.create_task(obey(load, callers, orders))
    for caller in callers:
        caller.send()
    await asyncio.sleep(load.task.seconds)
    load.is_sending = False
    obeying.cancel()
    say(event="stopped", acknowledged=load.accepted)
    for caller in callers:
        async with asyncio.timeout(DRAIN_S):
            await caller.idle.wait()
    say(event="done", acknowledged=load.accepted)


uvloop.run(run())
