"""A pipe between whoever makes a part's bytes and the thread that seals them, or the other way round."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import BinaryIO, TypeVar

T = TypeVar("T")


async def through_pipe(write: Callable[[BinaryIO], Awaitable[None]], read: Callable[[BinaryIO], T]) -> T:
    """
    Let `write` write into a pipe while `read`, in a thread of its own, reads it to its end; what `read` answers.

    Whichever fails ends the other. Where `read` fails first, its error is raised: the writer only lost its pipe.
    """
    read_fd, write_fd = os.pipe()

    def reading() -> T:
        with os.fdopen(read_fd, "rb") as source:
            return read(source)

    reader = asyncio.create_task(asyncio.to_thread(reading))
    sink = os.fdopen(write_fd, "wb", buffering=0)
    failure: BaseException | None = None
    try:
        await write(sink)
    except BrokenPipeError as error:
        failure = error
    except BaseException:
        with contextlib.suppress(OSError):
            sink.close()
        await asyncio.gather(reader, return_exceptions=True)
        raise
    sink.close()
    answer = await reader
    if failure is not None:
        raise failure
    return answer


async def write_all(sink: BinaryIO, pieces: AsyncIterator[bytes]) -> None:
    """Write pieces as they come, without holding up the event loop."""
    async for piece in pieces:
        await asyncio.to_thread(_write_whole, sink, piece)


def _write_whole(sink: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[sink.write(view) :]
