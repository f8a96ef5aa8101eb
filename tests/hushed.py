"""A server that takes a connection and says nothing, and whoever is told to end while they wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

LEFT_S = 10


async def leaves_when_told(connect: Callable[[str], Coroutine[Any, Any, object]]) -> None:
    """Assert that who connects to NATS there, and is told to end, ends and leaves no connection behind."""
    met, left = asyncio.Event(), asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        met.set()
        await reader.read()
        left.set()
        writer.close()

    async with await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        connecting = asyncio.create_task(connect(f"nats://127.0.0.1:{port}"))
        await met.wait()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        async with asyncio.timeout(LEFT_S):
            await left.wait()
