"""Work that leans on the engines, done again after they were away."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg

from broadstreet.model.errors import BroadstreetError

FIRST_RETRY_S: Final = 0.1
LAST_RETRY_S: Final = 2.0
EXPECTED: Final = (BroadstreetError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What an engine that is away, restarting or slow looks like to those who lean on it."""


def nothing() -> None:
    """Nobody counts failures."""


async def again(
    what: str, work: Callable[[], Awaitable[None]], logger: logging.Logger, failed: Callable[[], None] = nothing
) -> None:
    """Run, and run again after a failure: an engine that is away comes back. failed: told of each failure."""
    wait_s = FIRST_RETRY_S
    while True:
        started = time.monotonic()
        try:
            await work()
        except EXPECTED as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                # What is cancelled while an engine goes away may fail in its clean-up, and must still end.
                raise asyncio.CancelledError from error
            failed()
            if time.monotonic() - started > LAST_RETRY_S * 2:
                wait_s = FIRST_RETRY_S
            logger.warning("%s: %s; again in %.1f s", what, error, wait_s)
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, LAST_RETRY_S)
