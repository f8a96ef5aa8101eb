"""How tasks that wait for the log are run beside each other, and ended."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

CANCEL_AGAIN_S = 0.05
T = TypeVar("T")


async def end(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """
    Cancel tasks, and return when they have ended.

    A library may lose a cancellation, as the NATS client did (`engines/waiting.py`): it is said again.
    """
    going = set(tasks)
    while going:
        for task in going:
            task.cancel()
        ended, going = await asyncio.wait(going, timeout=CANCEL_AGAIN_S)
        await asyncio.gather(*ended, return_exceptions=True)


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Let work end, however often this is cancelled meanwhile (`end` says it again and again); then it is."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    result = task.result()
    if cancelled is not None:
        raise cancelled
    return result


async def side_by_side(*work: Coroutine[Any, Any, None]) -> None:
    """Let work go on until this is cancelled, or one of it ends or fails; what has failed is raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        await end(tasks)
