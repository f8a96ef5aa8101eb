"""Following the newest message of each subject in the log: all there are, and then every new one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from broadstreet.gateway.bounds import LOAD_WITHIN_S, RECORDS_AT_ONCE, RETRY_LONGEST_S
from broadstreet.log import RawMessage, RawReader
from broadstreet.model.errors import EngineFailed

READ_WAIT_S = 5.0
logger = logging.getLogger(__name__)


class Follower:
    """
    what:   is followed, in words.
    opened: reads the newest of each subject, and on from there.
    begin:  called when it is about to be read from the start, the first time and after an error.
    read:   called with each message.
    loaded: called when all that there were have been read: what was known before and was not among them is no more.
    """

    def __init__(
        self,
        what: str,
        opened: Callable[[], AbstractAsyncContextManager[RawReader]],
        *,
        begin: Callable[[], None],
        read: Callable[[RawMessage], None],
        loaded: Callable[[], None],
    ) -> None:
        self._what = what
        self._opened = opened
        self._begin = begin
        self._read = read
        self._loaded = loaded
        self._is_ready = asyncio.Event()

    async def ready(self) -> None:
        """Wait until all has been read once. Raises EngineFailed where that takes too long."""
        try:
            async with asyncio.timeout(LOAD_WITHIN_S):
                await self._is_ready.wait()
        except TimeoutError:
            raise EngineFailed(f"{self._what} cannot be read yet") from None

    async def loaded(self) -> None:
        """Wait until all has been read once, however long that takes."""
        await self._is_ready.wait()

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                async with self._opened() as reader:
                    await self._follow(reader)
            except EngineFailed as error:
                logger.warning("%s cannot be followed: %s", self._what, error)
                await asyncio.sleep(RETRY_LONGEST_S)

    async def _follow(self, reader: RawReader) -> None:
        self._begin()
        is_loading, left = True, reader.left
        while True:
            if is_loading and not left:
                is_loading = False
                self._loaded()
                self._is_ready.set()
            messages = await reader.fetch(RECORDS_AT_ONCE, READ_WAIT_S)
            for message in messages:
                self._read(message)
            left = messages[-1].left if messages else 0
