"""An application's beginning and end (ASGI's lifespan), once, however many servers serve it one after the other."""

from __future__ import annotations

import asyncio
from typing import Any

from broadstreet.app.asgi import Application, Message, Receive, Send
from broadstreet.model.errors import RoleFailed


class Lifespan:
    """`begin` before the first server starts, `end` after the last one has ended."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._living: asyncio.Task[Any] | None = None

    async def begin(self) -> None:
        """Let the application begin. Raises RoleFailed if it cannot."""
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        self._living = asyncio.ensure_future(self._app(scope, self._to_app.get, self._from_app.put))
        await self._say("startup")

    async def end(self) -> None:
        """Let it end, if it has begun. Raises RoleFailed if it cannot."""
        if self._living is not None:
            await self._say("shutdown")
            await self._living
            self._living = None

    async def _say(self, what: str) -> None:
        assert self._living is not None  # it has begun
        self._to_app.put_nowait({"type": f"lifespan.{what}"})
        answering = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait((answering, self._living), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            answering.cancel()
            self._living.result()  # raises what ended it
            raise RoleFailed(f"the application has ended in place of its {what}")
        if answering.result()["type"] != f"lifespan.{what}.complete":
            raise RoleFailed(f"the {what} of the application failed: {answering.result().get('message', '')}")


async def without_lifespan(receive: Receive, send: Send) -> None:
    """What a server is told whose application begins and ends by itself."""
    for what in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{what}.complete"})
