"""Asking an application without a server between: the whole of it runs, from routing to the security headers.

An answer is taken from its first message on; a stream that never ends is left after as many bytes as were asked for.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Litestar
from litestar.types import Message

ANSWER_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def cookie(self) -> str:
        """The first cookie it sets, as it is sent back."""
        return self.headers["set-cookie"].partition(";")[0]


async def ask(
    app: Litestar,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | object = b"",
    address: str = "192.0.2.1",
    stop_after: int | None = None,
) -> Answer:
    """
    body: bytes, or a value that is sent as JSON. stop_after: hang up once so many bytes of the body have come; 0 at the
    status. Without it the whole answer is awaited.
    """
    path, _, query = target.partition("?")
    sent = {"host": "city.example", **{name.lower(): value for name, value in (headers or {}).items()}}
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("content-type", "application/json")
    if body:
        sent["content-length"] = str(len(body))
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": (address, 50_000),
        "server": ("city.example", 80),
        "state": {},
    }
    inbox = [{"type": "http.request", "body": body, "more_body": False}]
    done = asyncio.Event()
    status, answered, received = 0, {}, bytearray()

    async def receive() -> Message:
        if inbox:
            return inbox.pop()  # type: ignore[return-value]  # a message is a TypedDict, and this one has its fields
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            for name, value in message["headers"]:
                answered.setdefault(name.decode().lower(), value.decode())
            if stop_after == 0:
                done.set()
        elif message["type"] == "http.response.body":
            received.extend(message["body"])
            if not message["more_body"] or (stop_after is not None and len(received) >= stop_after):
                done.set()

    running = asyncio.ensure_future(app(scope, receive, send))  # type: ignore[arg-type]  # the scope is a TypedDict too
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            waiting = asyncio.ensure_future(done.wait())
            await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            if stop_after is None:
                await running
    finally:
        if not running.done():
            running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    return Answer(status, answered, bytes(received))
