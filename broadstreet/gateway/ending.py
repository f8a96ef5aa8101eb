"""How tasks that wait for the log are ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

CANCEL_AGAIN_S = 0.05


async def end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """
    Cancel tasks, and return when they have ended.

    Whoever waits for NATS waits by `asyncio.wait_for`, which on Python 3.11 can lose a cancellation: it is said again.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        ended, going = await asyncio.wait(going, timeout=CANCEL_AGAIN_S)
        await asyncio.gather(*ended, return_exceptions=True)
