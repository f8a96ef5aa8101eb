"""The port of MQTT over TLS: sockets are accepted here, and become connections once the handshake is done.

A handshake costs about a millisecond of the loop that acknowledges everybody's messages. So handshakes begin a few at a
time, each has a time limit, and so many may be under way; those that come beyond wait in the system's queue.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from functools import partial

from broadstreet.access.attempts import place_of
from broadstreet.gateway.bounds import (
    BACKLOG,
    HANDSHAKE_WITHIN_S,
    HANDSHAKES_AT_A_TURN,
    HANDSHAKES_EVERY_S,
    LINGER_CLOSED_S,
    MAX_HANDSHAKES,
)
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.crowd import Crowd
from broadstreet.log.ending import end

ACCEPT_AGAIN_S = 0.5
"""How long to wait after the system could not give a socket: it has none left."""
logger = logging.getLogger(__name__)


class SecurePort:
    """
    make:    a connection for a socket.
    context: answers how to speak TLS now; it is asked for each socket, so that a renewed certificate is shown at once.
    """

    def __init__(
        self,
        make: Callable[[], asyncio.Protocol],
        context: Callable[[], ssl.SSLContext],
        counters: Counters,
        crowd: Crowd,
    ) -> None:
        self._make = make
        self._context = context
        self._counters = counters
        self._crowd = crowd
        self._sockets: list[socket.socket] = []
        self._handshakes: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self._resting: asyncio.TimerHandle | None = None

    async def open(self, host: str, port: int) -> int:
        """Accept at each of a host's addresses; answers the port. Raises OSError."""
        found = await self._loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            listening = socket.create_server(address, family=family, backlog=BACKLOG)
            listening.setblocking(False)
            self._sockets.append(listening)
        self._listen()
        first: int = self._sockets[0].getsockname()[1]
        return first

    async def close(self) -> None:
        """Accept nobody any more, and give up handshakes that are under way."""
        self._rest(None)
        await end(self._handshakes)
        while self._sockets:
            self._sockets.pop().close()

    def _listen(self) -> None:
        self._resting = None
        for listening in self._sockets:
            self._loop.add_reader(listening, self._accept, listening)

    def _rest(self, for_s: float | None) -> None:
        """Accept nobody for a while, or for good."""
        for listening in self._sockets:
            self._loop.remove_reader(listening)
        if self._resting is not None:
            self._resting.cancel()
        self._resting = None if for_s is None else self._loop.call_later(for_s, self._listen)

    def _accept(self, listening: socket.socket) -> None:
        """Somebody waits at the port."""
        for _ in range(HANDSHAKES_AT_A_TURN):
            if len(self._handshakes) >= MAX_HANDSHAKES:
                break
            try:
                accepted, address = listening.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                logger.warning("a connection over TLS cannot be accepted: %s", error)
                self._rest(ACCEPT_AGAIN_S)
                return
            place = place_of(address[0])
            if not self._crowd.may_shake(place):
                accepted.close()
                continue
            accepted.setblocking(False)
            task = self._loop.create_task(self._shake_hands(accepted))
            self._handshakes.add(task)
            task.add_done_callback(partial(self._ended, accepted, place))
        self._rest(HANDSHAKES_EVERY_S)

    def _ended(self, accepted: socket.socket, place: str, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        self._crowd.shook(place)
        if task.cancelled():  # perhaps before it began
            accepted.close()

    async def _shake_hands(self, accepted: socket.socket) -> None:
        """Let a client and us agree on TLS. What comes of it is its connection's affair."""
        try:
            await self._loop.connect_accepted_socket(
                self._make,
                accepted,
                ssl=self._context(),
                ssl_handshake_timeout=HANDSHAKE_WITHIN_S,
                ssl_shutdown_timeout=LINGER_CLOSED_S,
            )
        except OSError as error:  # of ssl and of the network alike
            self._counters.handshakes_failed += 1
            logger.info("a TLS handshake failed: %s", error)
        else:
            self._counters.handshakes += 1
