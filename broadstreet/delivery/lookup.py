"""Names of receivers become addresses, without one that nobody answers for keeping the others waiting.

The event loop's own look-ups share four threads, or a handful, with each other; a name whose servers are silent takes
one for ten seconds and more. Here there are many, and who asks for a name that is being looked up waits for the same
answer.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

MAX_AT_ONCE: Final = 64
"""Names that are looked up at the same time; the next one waits for a thread."""

_threads: Final = ThreadPoolExecutor(MAX_AT_ONCE, "lookup")
_going: Final[dict[tuple[asyncio.AbstractEventLoop, str, int], asyncio.Future[list[Any]]]] = {}


async def look_up(host: str, port: int) -> list[Any]:
    """What `socket.getaddrinfo` finds for a stream. Raises OSError, UnicodeError."""
    loop = asyncio.get_running_loop()
    key = loop, host, port
    going = _going.get(key)
    if going is None:
        going = _going[key] = loop.run_in_executor(_threads, _ask, host, port)
        going.add_done_callback(lambda done: _forget(key, done))
    return await asyncio.shield(going)


def _ask(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _forget(key: tuple[asyncio.AbstractEventLoop, str, int], done: asyncio.Future[list[Any]]) -> None:
    del _going[key]
    if not done.cancelled():
        done.exception()  # taken note of, should nobody wait for it any more
