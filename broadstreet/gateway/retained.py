"""Retained messages: the newest of each topic, for whoever subscribes later.

They live in the log's stream RETAINED, each as the time it came (8 bytes, microseconds since 1970) and an MQTT 5
PUBLISH, and in memory as a tree of topics for each tenant. A message is retained once its own pack is safe, and settled
once the log has both; so what is acknowledged is found again after a restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

from broadstreet.gateway.bounds import (
    MAX_RETAINED,
    MAX_RETAINED_WAITING,
    RETAINED_AT_ONCE,
    RETRY_FIRST_S,
    RETRY_LONGEST_S,
)
from broadstreet.gateway.message import Message, message_of
from broadstreet.gateway.packer import Settlement
from broadstreet.model.errors import BroadstreetError, CorruptData, EngineFailed, LogFull, TooMany

TIME_BYTES = 8
logger = logging.getLogger(__name__)


class RetainedLog(Protocol):
    """What is needed of `broadstreet.log.Log`."""

    async def retain(self, tenant: str, topic: str, payload: bytes) -> None:
        """Keep a topic's retained message; an empty payload forgets it. Raises LogFull or EngineFailed."""

    async def retained(self, tenant: str) -> dict[str, bytes]:
        """All retained messages of a tenant, by topic."""


class _Level:
    __slots__ = ("levels", "message")

    def __init__(self) -> None:
        self.levels: dict[str, _Level] = {}
        self.message: Message | None = None


class Topics:
    """A tenant's retained messages, by the levels of their topics."""

    def __init__(self) -> None:
        self._root = _Level()
        self.count = 0

    def has(self, topic: str) -> bool:
        node: _Level | None = self._root
        for level in topic.split("/"):
            node = node.levels.get(level) if node is not None else None
        return node is not None and node.message is not None

    def put(self, message: Message) -> None:
        """Keep a message in place of its topic's; an empty one takes it away (MQTT-3.3.1-6, MQTT-3.3.1-7)."""
        path = [self._root]
        levels = message.topic.split("/")
        for level in levels:
            path.append(path[-1].levels.setdefault(level, _Level()))
        self.count += bool(message.payload) - (path[-1].message is not None)
        path[-1].message = message if message.payload else None
        for level, parent, node in zip(reversed(levels), reversed(path[:-1]), reversed(path[1:]), strict=True):
            if node.levels or node.message is not None:
                break
            del parent.levels[level]

    def matching(self, topic_filter: str) -> Iterator[Message]:
        yield from self._walk(self._root, topic_filter.split("/"), 0)

    def _walk(self, node: _Level, levels: list[str], depth: int) -> Iterator[Message]:
        if depth == len(levels):
            if node.message is not None:
                yield node.message
            return
        level = levels[depth]
        if level in ("#", "+"):
            if level == "#" and depth and node.message is not None:
                yield node.message
            # A leading wildcard does not match a leading $ (MQTT-4.7.2-1).
            for below in [below for name, below in node.levels.items() if depth or not name.startswith("$")]:
                yield from _all(below) if level == "#" else self._walk(below, levels, depth + 1)
        elif (exact := node.levels.get(level)) is not None:
            yield from self._walk(exact, levels, depth + 1)


def _all(node: _Level) -> Iterator[Message]:
    if node.message is not None:
        yield node.message
    for below in node.levels.values():
        yield from _all(below)


class Retained:
    """clock: now, in microseconds since 1970."""

    def __init__(self, log: RetainedLog, clock: Callable[[], int]) -> None:
        self._log = log
        self._clock = clock
        self._tenants: dict[str, Topics] = {}
        self._waiting: dict[tuple[str, str], tuple[Message, list[Settlement]]] = {}
        self._arrived = asyncio.Event()
        self._loading = asyncio.Lock()
        self._writing = asyncio.Lock()

    async def load(self, tenant: str) -> None:
        """Read a tenant's messages from the log, unless that was done. Raises EngineFailed."""
        async with self._loading:
            if tenant in self._tenants:
                return
            topics = Topics()
            for topic, frame in (await self._log.retained(tenant)).items():
                try:
                    topics.put(_from_frame(frame))
                except CorruptData as error:
                    logger.error("the retained message of %s in %s cannot be read: %s", topic, tenant, error)
            self._tenants[tenant] = topics

    def matching(self, tenant: str, topic_filter: str) -> list[Message]:
        """Those under a filter that have not expired."""
        now_us = self._clock()
        return [m for m in self._tenants[tenant].matching(topic_filter) if not m.is_expired(now_us)]

    def keep(self, tenant: str, message: Message, after: Settlement) -> Settlement:
        """Retain a message once its pack (`after`) is safe; settled when the log has it."""
        settlement = Settlement()

        def begin() -> None:
            if after.refusal is not None:
                settlement.settle(after.refusal)
            elif self._has_no_room(tenant, message):
                settlement.settle(TooMany("there are too many retained messages"))
            else:
                _, before = self._waiting.pop((tenant, message.topic), (None, []))
                self._waiting[tenant, message.topic] = message, [*before, settlement]
                self._arrived.set()

        after.then(begin)
        return settlement

    def _has_no_room(self, tenant: str, message: Message) -> bool:
        if len(self._waiting) >= MAX_RETAINED_WAITING:
            return True
        topics = self._tenants[tenant]
        return bool(message.payload) and topics.count >= MAX_RETAINED and not topics.has(message.topic)

    async def run(self) -> None:
        """Write what comes, newest of each topic, until cancelled."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            await self._write_waiting()

    async def flush(self, within_s: float) -> None:
        """Write what waits; after `within_s`, what the log has not taken is left unsettled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._write_waiting()

    async def _write_waiting(self) -> None:
        async with self._writing:
            while self._waiting:
                places = list(self._waiting)[:RETAINED_AT_ONCE]
                await asyncio.gather(*(self._write(place[0], *self._waiting.pop(place)) for place in places))

    async def _write(self, tenant: str, message: Message, settlements: list[Settlement]) -> None:
        refusal: BroadstreetError | None = None
        wait_s = RETRY_FIRST_S
        while True:
            try:
                await self._log.retain(tenant, message.topic, _to_frame(message) if message.payload else b"")
                self._tenants[tenant].put(message)
            except LogFull as error:
                refusal = error
            except EngineFailed as error:
                logger.warning("the retained message of %s waits: %s", message.topic, error)
                await asyncio.sleep(wait_s)
                wait_s = min(2 * wait_s, RETRY_LONGEST_S)
                continue
            for settlement in settlements:
                settlement.settle(refusal)
            return


def _to_frame(message: Message) -> bytes:
    return message.sent_us.to_bytes(TIME_BYTES) + message.frame()


def _from_frame(frame: bytes) -> Message:
    return message_of(frame[TIME_BYTES:], int.from_bytes(frame[:TIME_BYTES]))
