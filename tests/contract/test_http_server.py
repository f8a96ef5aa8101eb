"""The HTTP server round the application: it takes a port, serves, and stops, whatever is still being answered."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from broadstreet.app.http import serve_http
from broadstreet.app.role import Call
from broadstreet.engines import DataFolder
from broadstreet.model.errors import RoleFailed

FreePort = Callable[[], int]
PATIENCE_S = 30.0


async def application(scope: Any, receive: Any, send: Any) -> None:
    """`/events` never ends by itself; `/slow` takes a moment; anything else answers at once."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    events = scope["path"] == "/events"
    kind = b"text/event-stream; charset=utf-8" if events else b"application/json"
    if scope["path"] == "/slow":
        await asyncio.sleep(0.3)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]})
    while events:
        await send({"type": "http.response.body", "body": b": awake\n\n", "more_body": True})
        await asyncio.sleep(0.01)
    await send({"type": "http.response.body", "body": json.dumps({"path": scope["path"]}).encode()})


@asynccontextmanager
async def served(folder: Path, port: int, app: Any = application) -> AsyncIterator[tuple[Call, asyncio.Task[None]]]:
    """An application, ready; it is told to stop at the end."""
    house = DataFolder(folder)
    house.prepare()
    call = Call("api", house)
    serving = asyncio.create_task(serve_http(app, "127.0.0.1", port, call))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (folder / "run" / "api.said").exists():
                assert not serving.done()
                await asyncio.sleep(0.01)
        yield call, serving
    finally:
        call.stopping.set()
        await serving


async def test_it_serves_once_it_says_so(data_dir: Path, free_port: FreePort) -> None:
    port = free_port()
    async with httpx.AsyncClient() as client:
        async with served(data_dir, port):
            assert (await client.get(f"http://127.0.0.1:{port}/a")).json() == {"path": "/a"}
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://127.0.0.1:{port}/a")


async def test_a_stream_of_events_does_not_hold_up_the_end(data_dir: Path, free_port: FreePort) -> None:
    port = free_port()
    async with served(data_dir, port) as (call, serving), httpx.AsyncClient() as client:
        async with client.stream("GET", f"http://127.0.0.1:{port}/events") as answer:
            pieces = answer.aiter_raw()
            assert b": awake" in await anext(pieces)
            call.stopping.set()
            async for _ in pieces:
                pass
        await serving


async def test_what_is_being_answered_is_answered(data_dir: Path, free_port: FreePort) -> None:
    port = free_port()
    async with served(data_dir, port) as (call, serving), httpx.AsyncClient() as client:
        asking = asyncio.create_task(client.get(f"http://127.0.0.1:{port}/slow"))
        await asyncio.sleep(0.1)
        call.stopping.set()
        assert (await asking).json() == {"path": "/slow"}
        await serving


async def test_a_port_is_not_shared_with_another_server(data_dir: Path, free_port: FreePort) -> None:
    port = free_port()
    async with served(data_dir, port) as (call, _):
        with pytest.raises(RoleFailed, match=f"cannot listen at 127.0.0.1 port {port}"):
            await serve_http(application, "127.0.0.1", port, call)
