"""An ASGI application on a port, in this process's own event loop: Granian, embedded.

At the end, streams of events are closed at once, since they have no end of their own; other requests may take a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import psutil
from granian.constants import Interfaces, SSLProtocols
from granian.server.embed import Server

from broadstreet.app.asgi import Application, Message, Receive, Send
from broadstreet.app.lifespan import Lifespan, without_lifespan
from broadstreet.app.redirect import redirection
from broadstreet.app.role import Call
from broadstreet.app.tls import Stamp, TlsFiles
from broadstreet.model.errors import InvalidInput, RoleFailed

POLL_S = 0.02
STOP_S = 5
"""How long requests that are under way at the end may take."""
BACKLOG = 1024
LOOK_EVERY_S = 5.0
"""How often it is looked whether the certificate was renewed."""
EVENT_STREAM = b"text/event-stream"
NONE: Mapping[str, str] = {}
LOGGING = {
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False}},
}
logging.getLogger("_granian").addFilter(lambda record: "experimental" not in record.getMessage())
logger = logging.getLogger(__name__)


class EventStreams:
    """Goes round an application and knows its open streams of events."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self._open: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Pass a request on; a stream that `end` cut off is ended for the client in order."""
        if scope["type"] == "lifespan":
            await without_lifespan(receive, send)
            return
        task = asyncio.current_task()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and task is not None and is_event_stream(message):
                self._open.add(task)
            await send(message)

        try:
            await self.app(scope, receive, watched)
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


class HttpServer:
    """One Granian on one port. With TLS it is replaced by another, on the same port, when the certificate is."""

    def __init__(self, app: Application, host: str, port: int, tls: TlsFiles | None = None) -> None:
        self._streams = EventStreams(app)
        self._lifespan = Lifespan(app)
        self._host = host
        self._port = port
        self._tls = tls
        self._stamp: Stamp = ()
        self._server: Any = None  # Any: its methods carry no types
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Return when it takes connections. Raises RoleFailed where it cannot, InvalidInput for its certificate."""
        check_port(self._host, self._port)
        if self._tls is not None:
            self._tls.check()
        await self._lifespan.begin()
        self._server, self._serving = await self._spawn(self._streams)

    async def stop(self) -> None:
        """End it; requests that are under way may take a moment."""
        if self._server is not None and self._serving is not None:
            await _end(self._server, self._streams, self._serving)
        await self._lifespan.end()

    async def run(self) -> None:
        """Wait until it ends by itself, and see to its certificate meanwhile."""
        while self._serving is not None:
            done, _ = await asyncio.wait((self._serving,), timeout=LOOK_EVERY_S)
            if done:
                await self._serving
                return
            if self._tls is not None and (stamp := self._tls.stamp()) not in ((), self._stamp):
                await self._renew(self._tls, stamp)

    async def _renew(self, tls: TlsFiles, stamp: Stamp) -> None:
        """Serve with the new certificate; with the old one still, where the new one cannot be used."""
        try:
            tls.check()
        except InvalidInput as error:
            self._stamp = stamp
            logger.error("the new certificate is not used: %s", error)
            return
        old, old_streams, old_serving = self._server, self._streams, self._serving
        assert old_serving is not None  # it runs
        self._streams = EventStreams(old_streams.app)
        self._server, self._serving = await self._spawn(self._streams)
        await _end(old, old_streams, old_serving)
        logger.info("serving with the new certificate")

    async def _spawn(self, streams: EventStreams) -> tuple[Any, asyncio.Task[None]]:
        tls: dict[str, Any] = {}
        if self._tls is not None:
            self._stamp = self._tls.stamp()
            versions = {"ssl_protocol_min": SSLProtocols.tls12}
            tls = {"ssl_cert": self._tls.certificate, "ssl_key": self._tls.key, **versions}
        server: Any = Server(
            streams,
            address=self._host,
            port=self._port,
            interface=Interfaces.ASGI,
            websockets=False,
            backlog=BACKLOG,
            log_dictconfig=LOGGING,
            **tls,
        )
        server.workers_kill_timeout = STOP_S
        before = _listeners(self._port)
        serving: asyncio.Task[None] = asyncio.create_task(server.serve())
        async for _ in _moments():
            if serving.done() or _listeners(self._port) > before:
                break
        return server, serving


async def _end(server: Any, streams: EventStreams, serving: asyncio.Task[None]) -> None:
    server.stop()
    streams.end()
    with contextlib.suppress(TimeoutError):  # requests that took longer than they may
        await serving


async def serve_http(
    app: Application,
    host: str,
    port: int,
    call: Call,
    *,
    tls: TlsFiles | None = None,
    redirect_port: int = 0,
    origin: str = "",
    answers: Mapping[str, str] = NONE,
) -> None:
    """
    Serve an ASGI application until the call ends.

    tls:           its certificate, which is looked at again when the files change; None: without TLS.
    redirect_port: a port without TLS that sends whoever comes there to HTTPS; 0: none. origin: to where; empty: to
                   the host they named. answers: what that port says in place of it, by path.
    Raises RoleFailed where a port cannot be had, InvalidInput for a certificate that cannot be used.
    """
    servers = [HttpServer(app, host, port, tls)]
    if tls is not None and redirect_port:
        servers.append(HttpServer(redirection(port, origin, answers), host, redirect_port))
    try:
        for server in servers:
            await server.start()
        call.ready()
        running = [asyncio.create_task(server.run()) for server in servers]
        try:
            await call.during(_first_of(running))
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
    finally:
        for server in servers:
            await server.stop()


async def _first_of(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait for the first to end, and raise what it raises; the others go on."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        await task


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


async def _moments() -> AsyncIterator[None]:
    """Short moments, for as long as somebody waits."""
    while True:
        yield
        await asyncio.sleep(POLL_S)


def _listeners(port: int) -> int:
    """How many sockets of this process take connections at a port: while one server replaces another there are two."""
    sockets = psutil.Process().net_connections("tcp")
    return sum(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in sockets)
