"""Waiting with a limit for the NATS client: on Python 3.11 as on later ones."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def wait_for(fut: Awaitable[T], timeout: float | None) -> T:  # noqa: ASYNC109  # it is asyncio's own, by its names
    """Await something for at most `timeout` seconds: it is cancelled then, and TimeoutError raised."""
    async with asyncio.timeout(timeout):
        return await fut


def lose_no_cancellation() -> None:
    """
    Let nobody in this process lose a cancellation.

    Until Python 3.12 `asyncio.wait_for` returns what it waited for where that is done in the moment of a cancellation,
    and forgets the cancellation (python/cpython issue 86296). The NATS client waits by it everywhere: a task that was
    told to end went on, and who waited for its end waited for ever.
    """
    if sys.version_info < (3, 12):
        setattr(asyncio, wait_for.__name__, wait_for)
