"""The live stream: server-sent events to every open page, gathered in batches, bounded for each.

A batch is encoded once and put into each client's queue. A client that does not keep up is let go: its page reconnects
by itself and asks for the city again, which is cheaper than what it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final

import msgspec

from broadstreet.model.errors import TooMany

MAX_CLIENTS: Final = 1_000
"""Open streams of one tenant."""
MAX_WAITING: Final = 64
"""Events that wait for one client: half a minute of batches."""
AWAKE_S: Final = 15.0
RETRY_MS: Final = 2_000
_GREETING: Final = f"retry: {RETRY_MS}\n: connected\n\n".encode()
_AWAKE: Final = b": awake\n\n"

Holds = Callable[[], Awaitable[bool]]
"""Whether the credential that opened a stream still holds."""


def encode_event(name: str, body: Any) -> bytes:
    """An event as it goes over the wire."""
    return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(body) + b"\n\n"


class Client:
    """One open stream."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[bytes] = asyncio.Queue(MAX_WAITING)
        self._is_slow = False

    def put(self, event: bytes) -> None:
        """Give it an event; one that has no room for more is marked to be let go."""
        try:
            self._events.put_nowait(event)
        except asyncio.QueueFull:
            self._is_slow = True

    async def stream(self, holds: Holds) -> AsyncIterator[bytes]:
        """The bytes of the stream, until the client was too slow, or its credential holds no longer."""
        loop = asyncio.get_running_loop()
        yield _GREETING
        checked_s = loop.time()
        while not self._is_slow:
            try:
                async with asyncio.timeout(AWAKE_S):  # not wait_for, which may lose a cancellation to an event
                    event = await self._events.get()
            except TimeoutError:
                event = _AWAKE
            yield event
            if loop.time() - checked_s >= AWAKE_S:
                if not await holds():
                    return
                checked_s = loop.time()


class Clients:
    """The open streams of one tenant."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()
        self.some, self.none = asyncio.Event(), asyncio.Event()
        """Set while there is a client, and while there is none."""
        self.none.set()

    def __len__(self) -> int:
        return len(self._clients)

    def open(self) -> Client:
        """A new stream. Raises TooMany."""
        if len(self._clients) >= MAX_CLIENTS:
            raise TooMany(f"{MAX_CLIENTS:,} pages are open already", remedy="Close one, or try again later.")
        client = Client()
        self._clients.add(client)
        self.some.set()
        self.none.clear()
        return client

    def close(self, client: Client) -> None:
        """A stream has ended."""
        self._clients.discard(client)
        if not self._clients:
            self.some.clear()
            self.none.set()

    def tell(self, name: str, body: Any) -> None:
        """Send an event to all."""
        if self._clients:
            event = encode_event(name, body)
            for client in self._clients:
                client.put(event)
