"""Says where a test hangs, before pytest-timeout ends the process it hangs in.

pytest-timeout's own word dies with a worker's process, and the stack of a thread says of an async test only that its
loop waits: what its tasks wait for is what one wants to know.
"""

from __future__ import annotations

import asyncio
import faulthandler
import gc
import inspect
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any


def waits_at(task: asyncio.Task[Any]) -> Iterator[str]:
    """The lines a task waits at, the outermost first. A task's own `get_stack` stops at the first of them."""
    awaited: Any = task.get_coro()
    while awaited is not None:
        frame: FrameType | None = getattr(awaited, "cr_frame", None) or getattr(awaited, "ag_frame", None)
        if frame is not None:
            yield f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"
        else:  # a step of an async generator, which an async fixture is, does not name the generator
            generator = next((held for held in gc.get_referents(awaited) if inspect.isasyncgen(held)), None)
            if generator is not None:
                awaited = generator
                continue
        awaited = getattr(awaited, "cr_await", None) or getattr(awaited, "ag_await", None)


class Hangs:
    """Tells of tests that hang."""

    def __init__(self, stderr: int) -> None:
        """stderr: the descriptor to tell it on."""
        self._stderr = stderr
        self.loop: asyncio.AbstractEventLoop | None = None
        """The loop of the tests, once it is known."""

    @contextmanager
    def told_after(self, limit_s: float, test: str) -> Iterator[None]:
        """A block of which is told where it waits, should it take longer than `limit_s`."""
        timer = threading.Timer(limit_s, self._tell, (test,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _tell(self, test: str) -> None:
        """Called in a thread of its own: the loop's is waiting."""
        lines = [f"\n{test} hangs."]
        if self.loop is not None:
            for task in asyncio.all_tasks(self.loop):
                lines += [f"  {task.get_name()} waits at", *(f"    {line}" for line in waits_at(task))]
        os.write(self._stderr, ("\n".join(lines) + "\n").encode())
        faulthandler.dump_traceback(self._stderr)
