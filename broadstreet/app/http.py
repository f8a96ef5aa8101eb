"""An ASGI application on a port, in this process's own event loop: Granian, embedded."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import closing
from typing import Any

from granian.constants import Interfaces
from granian.server.embed import Server

from broadstreet.app.role import Call
from broadstreet.model.errors import RoleFailed

POLL_S = 0.02
STOP_S = 5
"""How long requests that are under way at the end may take; streams of events are cut off then."""
BACKLOG = 1024
LOGGING = {
    "handlers": {},
    "loggers": {"_granian": {"propagate": True}, "granian.access": {"propagate": False}},
}
logging.getLogger("_granian").addFilter(lambda record: "experimental" not in record.getMessage())


async def serve_http(app: Any, host: str, port: int, call: Call) -> None:
    """Serve an ASGI application until the call ends. Raises RoleFailed where the port cannot be had."""
    check_port(host, port)
    server: Any = Server(  # Any: its methods carry no types
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        websockets=False,
        backlog=BACKLOG,
        log_dictconfig=LOGGING,
    )
    server.workers_kill_timeout = STOP_S
    serving = asyncio.create_task(server.serve())
    try:
        await _answers(host, port, serving)
        call.ready()
        await call.during(_until_done(serving))
    finally:
        server.stop()
        await asyncio.wait({serving}, timeout=2 * STOP_S)


async def _until_done(serving: asyncio.Task[None]) -> None:
    """Wait for the server without ending it when the wait is over: it is stopped in order."""
    await asyncio.shield(serving)


def check_port(host: str, port: int) -> None:
    """Raise RoleFailed unless this address can be listened at. Granian itself would share it with another Granian."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with closing(socket.socket(family, kind, protocol)) as probe:
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
