"""A stream whose taker may be slow, but not asleep: what it reads from is held for its sake."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from broadstreet.model.errors import Unavailable

T = TypeVar("T")


async def unstalled(source: AsyncGenerator[T, None], stall_s: float) -> AsyncGenerator[T, None]:
    """What the source gives, read one piece ahead. The source is closed, and Unavailable raised, once nobody has taken
    a piece for `stall_s` seconds."""
    pieces: asyncio.Queue[T] = asyncio.Queue(1)

    async def fill() -> None:
        async with aclosing(source):
            async for piece in source:
                async with asyncio.timeout(stall_s):
                    await pieces.put(piece)

    filling = asyncio.create_task(fill())
    try:
        while not (filling.done() and pieces.empty()):
            getting = asyncio.create_task(pieces.get())
            await asyncio.wait({getting, filling}, return_when=asyncio.FIRST_COMPLETED)
            if getting.done():
                yield getting.result()
            else:
                getting.cancel()
                await asyncio.wait({getting})
        try:
            filling.result()
        except TimeoutError as error:
            raise Unavailable(f"nothing of the answer was taken for {stall_s:g} s") from error
    finally:
        filling.cancel()
        await asyncio.wait({filling})
