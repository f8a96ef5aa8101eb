"""The device itself: its source, its hands and its way to the house, until it is told to end."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Final

from broadstreet.outpost.actuator import Actuator
from broadstreet.outpost.clock import DeviceClock
from broadstreet.outpost.link import (
    FIRST_PAUSE_S,
    LONGEST_PAUSE_S,
    LONGEST_REFUSED_S,
    REFUSED_PAUSE_S,
    Link,
    Pauses,
    Refused,
    Retry,
)
from broadstreet.outpost.memory import Memory
from broadstreet.outpost.source import Source

FLUSH_WITHIN_S: Final = 5.0
"""How long it goes on sending once it is told to end; what is left is on disk."""
logger = logging.getLogger(__name__)


class Outpost:
    """chance: gives numbers from 0 to 1, so that a thousand devices do not come back at the same moment."""

    def __init__(
        self,
        memory: Memory,
        clock: DeviceClock,
        source: Source,
        actuator: Actuator,
        link: Link,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._memory = memory
        self._clock = clock
        self._source = source
        self._actuator = actuator
        self._link = link
        self._unreached = Pauses(FIRST_PAUSE_S, LONGEST_PAUSE_S, chance)
        self._refused = Pauses(REFUSED_PAUSE_S, LONGEST_REFUSED_S, chance)
        self._is_met = False

    async def run(self, ending: asyncio.Event) -> None:
        """Until `ending` is set, or the source has ended and all is told. Raises what the memory and the source do."""
        living = asyncio.create_task(self._live())
        tasks = {living, *map(asyncio.create_task, (self._obey(), self._speak(), ending.wait()))}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            living.cancel()
            if self._is_met:
                await self._flush()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _live(self) -> None:
        """Take readings until there are no more, and see them home."""
        await self._source.feed(self._memory, self._clock)
        await self._memory.is_told.wait()

    async def _flush(self) -> None:
        try:
            async with asyncio.timeout(FLUSH_WITHIN_S):
                await self._memory.is_told.wait()
        except TimeoutError:
            logger.warning("%d readings wait on disk for the next start", self._memory.waiting)

    async def _obey(self) -> None:
        """Execute commands as they come, first of all those that came before a restart."""
        while True:
            self._memory.to_do.clear()
            self._actuator.run_due()
            await self._memory.to_do.wait()

    async def _speak(self) -> None:
        while True:
            try:
                await self._link.speak(self._memory, self._clock, self._met)
            except Refused as refused:
                pause_s = self._refused.next_s()
                logger.warning("refused: %s; next try in %.0f s", refused, pause_s)
            except Retry as retry:
                pause_s = self._unreached.next_s(retry.after_s)
                logger.warning("%s; next try in %.0f s", retry, pause_s)
            self._is_met = False
            await asyncio.sleep(pause_s)

    def _met(self) -> None:
        if not self._is_met:
            logger.info("the house lets it in")
        self._is_met = True
        self._unreached.begin_anew()
        self._refused.begin_anew()
