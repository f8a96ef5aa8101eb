"""An ASGI application on a port, in this process's own event loop: Granian, embedded.

At the end, streams of events are closed at once, since they have no end of their own; other requests may take a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from broadstreet.app.role import Call
from broadstreet.model.errors import RoleFailed

POLL_S = 0.02
STOP_S = 5
"""How long requests that are under way at the end may take."""
BACKLOG = 1024
EVENT_STREAM = b"text/event-stream"
LOGGING = {
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False}},
}
logging.getLogger("_granian").addFilter(lambda record: "experimental" not in record.getMessage())

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class EventStreams:
    """Goes round an application and knows its open streams of events."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._open: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass a request on; a stream that `end` cut off is ended for the client in order."""
        task = asyncio.current_task()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and task is not None and is_event_stream(message):
                self._open.add(task)
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except asyncio.CancelledError:
            if task not in self._open:
                raise
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            if task is not None:
                self._open.discard(task)

    def end(self) -> None:
        """End all that are open."""
        for task in self._open:
            task.cancel()


def is_event_stream(start: Message) -> bool:
    """Whether an answer that begins so is a stream of server-sent events."""
    return any(
        bytes(name).lower() == b"content-type" and bytes(value).startswith(EVENT_STREAM)
        for name, value in start.get("headers", ())
    )


async def serve_http(app: Application, host: str, port: int, call: Call) -> None:
    """Serve an ASGI application until the call ends. Raises RoleFailed where the port cannot be had."""
    check_port(host, port)
    streams = EventStreams(app)
    server: Any = Server(  # Any: its methods carry no types
        streams,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=BACKLOG,
        log_dictconfig=LOGGING,
    )
    server.workers_kill_timeout = STOP_S
    serving: asyncio.Task[None] = asyncio.create_task(server.serve())
    try:
        await _answers(host, port, serving)
        call.ready()
        await call.during(_until_done(serving))
    finally:
        server.stop()
        streams.end()
        with contextlib.suppress(TimeoutError):  # requests that took longer than they may
            await serving


async def _until_done(serving: asyncio.Task[None]) -> None:
    """Wait for the server without ending it when the wait is over: it is stopped in order."""
    await asyncio.shield(serving)


def check_port(host: str, port: int) -> None:
    """Raise RoleFailed unless this address can be listened at. Granian itself would share it with another Granian."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with contextlib.closing(socket.socket(family, kind, protocol)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise RoleFailed(
            f"cannot listen at {host} port {port}: {error.strerror}",
            where="http.host, http.port",
            remedy="Stop what uses that port, or choose another one with --http-port.",
        ) from error


async def _answers(host: str, port: int, serving: asyncio.Task[None]) -> None:
    """Return when the server takes connections, or has ended."""
    while not serving.done():
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await asyncio.sleep(POLL_S)
        else:
            writer.close()
            return
