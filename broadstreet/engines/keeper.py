"""Keeping a process alive: start it, watch it, start it again when it ends, later each time it ends soon."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil

from broadstreet.engines.child import Child, trim_log
from broadstreet.model.errors import BroadstreetError

FIRST_DELAY_S = 0.05
MAX_DELAY_S = 5.0
STEADY_S = 30.0
"""A process that ran this long is taken for sound: its next restart comes at once again."""
LOG_CHECK_S = 60.0
logger = logging.getLogger(__name__)


class Keeper:
    """Keeps one child alive from `start` to `stop`."""

    def __init__(
        self,
        name: str,
        start_child: Callable[[], Awaitable[Child]],
        stop_child: Callable[[Child], Awaitable[None]],
        log_path: Path,
    ) -> None:
        """
        start_child: returns once the child is ready to serve, or raises a BroadstreetError and leaves none.
        stop_child:  ends it and returns when it has ended.
        log_path:    the child's log, kept from growing without end.
        """
        self.name = name
        self.restarts = 0
        self.started_at_us = 0
        """When the child that runs was started, in microseconds since 1970."""
        self.on_change: Callable[[], None] = lambda: None
        """Called whenever the child has ended or is ready again."""
        self._start_child = start_child
        self._stop_child = stop_child
        self._log_path = log_path
        self._child: Child | None = None
        self._is_ready = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the child that is ready, or None while there is none."""
        return self._child.pid if self._child is not None and self._child.exit_code is None else None

    async def ready(self) -> None:
        """Return when the child is ready: at once, unless it is being started again."""
        await self._is_ready.wait()

    async def start(self) -> None:
        """Start the child and the watch over it. What goes wrong with the first start is raised."""
        self._note(await self._start_child())
        self._watch = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self) -> None:
        """End the watch, then the child."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
            self._watch = None
        if self._child is not None:
            await self._stop_child(self._child)
            self._child = None

    def _note(self, child: Child) -> None:
        self._child = child
        self._is_ready.set()
        self.started_at_us = time.time_ns() // 1000
        self.on_change()

    async def _keep(self) -> None:
        delay_s = FIRST_DELAY_S
        while self._child is not None:
            began_s = time.monotonic()
            code = await self._ended(self._child)
            self._is_ready.clear()
            logger.warning("%s (process %d) ended with %d; starting it again", self.name, self._child.pid, code)
            self.on_change()
            if time.monotonic() - began_s >= STEADY_S:
                delay_s = FIRST_DELAY_S
            delay_s = await self._again(delay_s)
            logger.info("%s runs again as process %d", self.name, self._child.pid)

    async def _again(self, delay_s: float) -> float:
        """Start it again, however often that takes; how long to wait before the next time."""
        while True:
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, MAX_DELAY_S)
            try:
                child = await self._start_child()
            except (BroadstreetError, OSError, psutil.Error) as error:
                logger.error("%s did not start: %s", self.name, error)
                continue
            self.restarts += 1
            self._note(child)
            return delay_s

    async def _ended(self, child: Child) -> int:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOG_CHECK_S):
                    return await child.wait()
            trim_log(self._log_path)
