"""An MQTT port of a gateway, with TLS or without, and its connections.

Every connection is kept in sight: twice a second each looks at its time limits. When the packer asks for quiet, every
socket is read no further until it has room again.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from broadstreet.gateway.bounds import BACKLOG, STOP_WITHIN_S, SWEEP_EVERY_S
from broadstreet.gateway.connection import Connection
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.crowd import Crowd
from broadstreet.gateway.hold import Hold
from broadstreet.gateway.secure_port import SecurePort
from broadstreet.model.errors import RoleFailed
from broadstreet.mqtt import Reason

STOPPED = "the gateway was stopped"


class Listener:
    """setting: what says its port, for whoever cannot have it. counters, crowd: the gateway's."""

    def __init__(self, setting: str, counters: Counters, crowd: Crowd) -> None:
        self.connections: set[Connection] = set()
        self._setting = setting
        self._counters = counters
        self.crowd = crowd
        self._server: asyncio.Server | None = None
        self._secure: SecurePort | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._is_deaf = False
        self._empty = asyncio.Event()
        self._empty.set()
        self.is_pressed = False
        self.port = 0

    async def start(
        self,
        host: str,
        port: int,
        make: Callable[[], Connection],
        context: Callable[[], ssl.SSLContext] | None = None,
    ) -> None:
        """
        Open the port (0: a free one, see `port`).

        context: answers how to speak TLS now; None: without. Raises RoleFailed.
        """
        try:
            if context is None:
                self._server = await asyncio.get_running_loop().create_server(make, host, port, backlog=BACKLOG)
                self.port = self._server.sockets[0].getsockname()[1]
            else:
                self._secure = SecurePort(make, context, self._counters, self.crowd)
                self.port = await self._secure.open(host, port)
        except OSError as error:
            raise RoleFailed(
                f"the MQTT port {port} cannot be had: {error.strerror}",
                where=self._setting,
                remedy="Choose another one, or end what uses it.",
            ) from error
        self._sweeping = asyncio.create_task(self._sweep())

    def opened(self, connection: Connection) -> None:
        """A socket was accepted."""
        fault = self.crowd.fault_of(connection.place)
        if fault is not None:
            connection.abort(fault)
        self.crowd.came(connection.place)
        self.connections.add(connection)
        self._empty.clear()

    def closed(self, connection: Connection) -> None:
        """A socket is gone."""
        self.connections.discard(connection)
        self.crowd.went(connection.place)
        if not self.connections:
            self._empty.set()

    def press(self, is_high: bool) -> None:
        """The packer asks for quiet, or has room again."""
        self.is_pressed = is_high or self._is_deaf
        for connection in tuple(self.connections):
            if self.is_pressed:
                connection.hold(Hold.PRESSURE)
            else:
                connection.release(Hold.PRESSURE)

    async def deafen(self) -> None:
        """Accept no more connections, and read no more from those there are."""
        self._is_deaf = True
        if self._server is not None:
            self._server.close()
        if self._secure is not None:
            await self._secure.close()
        self.press(True)

    async def stop(self) -> None:
        """Close every connection, telling why; return when they are gone."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connection in tuple(self.connections):
            connection.close(Reason.SERVER_SHUTTING_DOWN, STOPPED)
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await self._empty.wait()
        except TimeoutError:
            for connection in tuple(self.connections):
                connection.abort(STOPPED)
            await self._empty.wait()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SWEEP_EVERY_S)
            now_s = loop.time()
            for connection in tuple(self.connections):
                connection.check(now_s)
