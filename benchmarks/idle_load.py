"""The load of benchmarks.idle: many connections that sign in and say nothing more."""

from __future__ import annotations

import asyncio
import resource
import sys
from functools import partial
from typing import cast

import msgspec
import uvloop

from benchmarks.mqtt_load import CONNACK_BYTES, lines, say
from broadstreet.mqtt import Connect, Version, encode

KEEP_ALIVE_S = 3_600
AT_ONCE = 200


class Task(msgspec.Struct):
    """connections: of all devices together, each under a client id of its own."""

    port: int
    logins: dict[str, str]
    connections: int


class Idle(asyncio.Protocol):
    """One connection."""

    def __init__(self, connect: bytes) -> None:
        self._connect = connect
        self.is_in = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._connect)

    def data_received(self, data: bytes) -> None:
        if data[:CONNACK_BYTES] != b"\x20\x02\x00\x00":
            sys.exit(f"refused: {data.hex()}")
        self.is_in.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.is_in.done():
            sys.exit(f"a connection was lost: {exc}")


async def connect(task: Task, number: int, turn: asyncio.Semaphore) -> None:
    """Open one connection and sign in."""
    name = f"bench-{number % len(task.logins)}"
    hello = Connect(f"idle-{number}", Version.V3_1_1, True, KEEP_ALIVE_S, name, task.logins[name].encode())
    async with turn:
        _, idle = await asyncio.get_running_loop().create_connection(
            partial(Idle, encode(hello, Version.V3_1_1)), "127.0.0.1", task.port
        )
        await idle.is_in


async def run() -> None:
    orders = await lines()
    task = msgspec.json.decode(await orders.readline(), type=Task)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    say(event="ready")
    turn = asyncio.Semaphore(AT_ONCE)
    await orders.readline()
    async with asyncio.TaskGroup() as group:
        for number in range(task.connections):
            group.create_task(connect(task, number, turn))
    say(event="connected")
    await orders.readline()


if __name__ == "__main__":
    uvloop.run(run())
