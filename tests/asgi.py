"""Asking an application without a server between: the whole of it runs, from routing to the security headers.

`ask` gives a whole answer; `converse` one that is still coming, such as a stream of events.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
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


def _scope(method: str, target: str, headers: Mapping[str, str], address: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": (address, 50_000),
        "server": ("city.example", 80),
        "state": {},
    }


class Conversation:
    """One request, and its answer as it comes."""

    def __init__(self, app: Litestar, scope: dict[str, Any], body: bytes) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: asyncio.Queue[bytes | None] = asyncio.Queue()
        """The body's pieces as they come, and None at its end."""
        self.started = asyncio.Event()
        self._inbox = [{"type": "http.request", "body": body, "more_body": False}]
        self._hung_up = asyncio.Event()
        self._running = asyncio.ensure_future(app(scope, self._receive, self._send))  # type: ignore[arg-type]  # a TypedDict
        self._running.add_done_callback(lambda _: self._end())

    async def hang_up(self) -> None:
        """Leave, as a browser does."""
        self._hung_up.set()
        if not self._running.done():
            self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _receive(self) -> Message:
        if self._inbox:
            return self._inbox.pop()  # type: ignore[return-value]  # a message is a TypedDict, and this one has its fields
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            for name, value in message["headers"]:
                self.headers.setdefault(name.decode().lower(), value.decode())
            self.started.set()
        elif message["type"] == "http.response.body":
            self.pieces.put_nowait(message["body"])
            if not message["more_body"]:
                self._hung_up.set()  # as a server does once all is sent

    def _end(self) -> None:
        self.started.set()
        self.pieces.put_nowait(None)


@asynccontextmanager
async def converse(
    app: Litestar,
    method: str,
    target: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: bytes | object = b"",
    address: str = "192.0.2.1",
    without_length: bool = False,
) -> AsyncIterator[Conversation]:
    """Ask, and take the answer as it comes. body: bytes, or a value that is sent as JSON.

    without_length: as a body that is sent piece by piece.
    """
    sent = {"host": "city.example", **{name.lower(): value for name, value in (headers or {}).items()}}
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
        sent.setdefault("content-type", "application/json")
    if not without_length and (body or method in ("POST", "PATCH", "PUT")):
        sent.setdefault("content-length", str(len(body)))
    conversation = Conversation(app, _scope(method, target, sent, address), body)
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await conversation.started.wait()
        yield conversation
    finally:
        await conversation.hang_up()


async def ask(app: Litestar, method: str, target: str, *, head_only: bool = False, **more: Any) -> Answer:
    """The whole answer; with `head_only` without its body, which then may be without end. more: as for `converse`."""
    async with converse(app, method, target, **more) as conversation:
        body = b""
        if not head_only:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                while (piece := await conversation.pieces.get()) is not None:
                    body += piece
        return Answer(conversation.status, conversation.headers, body)
