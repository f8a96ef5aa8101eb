"""Retained messages: the newest of each topic, for whoever subscribes later.

They live in the log's stream RETAINED, each as the time it came (8 bytes, microseconds since 1970) and an MQTT 5
PUBLISH, and in memory as a tree of topics for each tenant, which follows the log: of what several gateways keep for one
topic the last in the log counts, at all of them. That there is none any more the log says for a while, too. A message
is retained once its own pack is safe, and settled once the log has both; so what is acknowledged is found again after a
restart.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import Protocol

from broadstreet.gateway.bounds import (
    FORGET_EVERY_S,
    MAX_RETAINED,
    MAX_RETAINED_WAITING,
    RETAINED_AT_ONCE,
    RETRY_FIRST_S,
    RETRY_LONGEST_S,
    SAID_FOR_S,
)
from broadstreet.gateway.following import Follower
from broadstreet.gateway.message import Message, message_of
from broadstreet.gateway.packer import Settlement
from broadstreet.log import RawMessage, RawReader
from broadstreet.log.ending import side_by_side
from broadstreet.log.log import retained_place
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import BroadstreetError, CorruptData, EngineFailed, LogFull, TooMany

TIME_BYTES = 8
NEWEST = 2**63
"""Above every sequence of the log."""
Place = tuple[str, str]
"""A tenant and a topic."""
logger = logging.getLogger(__name__)


class RetainedLog(Protocol):
    """What is needed of `broadstreet.log.Log`."""

    async def retain(self, tenant: str, topic: str, payload: bytes) -> int:
        """Keep a topic's retained message, empty for none; answers its sequence. Raises LogFull or EngineFailed."""

    async def forget_retained(self, tenant: str, topic: str, below: int | None = None) -> None:
        """Drop what is kept of a topic, up to before a sequence. Raises EngineFailed."""

    def follow_retained(self) -> AbstractAsyncContextManager[RawReader]:
        """Every topic's retained message, and then each new one."""


class _Level:
    __slots__ = ("levels", "message", "sequence")

    def __init__(self) -> None:
        self.levels: dict[str, _Level] = {}
        self.message: Message | None = None
        self.sequence = 0


class Topics:
    """A tenant's retained messages, by the levels of their topics."""

    def __init__(self) -> None:
        self._root = _Level()
        self.count = 0

    def has(self, topic: str) -> bool:
        """Whether a topic has a message."""
        node: _Level | None = self._root
        for level in topic.split("/"):
            node = node.levels.get(level) if node is not None else None
        return node is not None and node.message is not None

    def put(self, message: Message, sequence: int = 0) -> None:
        """
        Keep a message in place of its topic's; an empty one takes it away (MQTT-3.3.1-6, MQTT-3.3.1-7).

        sequence: in the log. What is there with a higher one stays.
        """
        path = [self._root]
        levels = message.topic.split("/")
        for level in levels:
            path.append(path[-1].levels.setdefault(level, _Level()))
        if sequence >= path[-1].sequence:
            self.count += bool(message.payload) - (path[-1].message is not None)
            path[-1].message = message if message.payload else None
            path[-1].sequence = sequence
        for level, parent, node in zip(reversed(levels), reversed(path[:-1]), reversed(path[1:]), strict=True):
            if node.levels or node.message is not None:
                break
            del parent.levels[level]

    def all(self) -> list[Message]:
        """Every message."""
        return list(_all(self._root))

    def matching(self, topic_filter: str) -> Iterator[Message]:
        """Those of topics under a filter."""
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
        self._tenants: defaultdict[str, Topics] = defaultdict(Topics)
        self._cleared: dict[Place, tuple[int, int]] = {}
        """Of topics that have none any more: where the log says so, and since when, in microseconds since 1970."""
        self._seen: set[Place] | None = None
        """Those that the log was found to have, while it is read from the start."""
        self._waiting: dict[Place, tuple[Message, list[Settlement]]] = {}
        self._arrived = asyncio.Event()
        self._writing = asyncio.Lock()
        self._follower = Follower(
            "retained messages", log.follow_retained, begin=self._begin, read=self._read, loaded=self._loaded
        )

    async def ready(self) -> None:
        """Wait until what is retained is known. Raises EngineFailed."""
        await self._follower.ready()

    async def run(self) -> None:
        """Write what comes, and read what others write, until cancelled."""
        await side_by_side(self._follower.run(), self._write_on(), self._forget_on())

    # Reading.

    def _begin(self) -> None:
        self._seen = set()

    def _read(self, raw: RawMessage) -> None:
        tenant, topic = retained_place(raw.subject)
        try:
            message = _from_frame(raw.data) if raw.data else self._nothing(topic)
        except CorruptData as error:
            logger.error("the retained message of %s in %s cannot be read: %s", topic, tenant, error)
            return
        self._apply(tenant, message, raw.sequence)

    def _loaded(self) -> None:
        """What was known before, and is not there any more, was taken away while the log could not be followed."""
        seen, self._seen = self._seen or set(), None
        for tenant, topics in self._tenants.items():
            for message in topics.all():
                if (tenant, message.topic) not in seen:
                    topics.put(self._nothing(message.topic), NEWEST)

    def _nothing(self, topic: str) -> Message:
        return Message(topic, b"", self._clock())

    def _apply(self, tenant: str, message: Message, sequence: int) -> None:
        """What the log has of a topic, read or just written."""
        place = tenant, message.topic
        if self._seen is not None:
            self._seen.add(place)
        cleared_at, _ = self._cleared.get(place, (0, 0))
        if sequence <= cleared_at:
            return
        self._tenants[tenant].put(message, sequence)
        if message.payload:
            self._cleared.pop(place, None)
        else:
            self._cleared[place] = sequence, self._clock()

    async def _forget_on(self) -> None:
        """Drop what the log says of topics that have none any more, once every gateway has heard it."""
        while True:
            await asyncio.sleep(FORGET_EVERY_S)
            await self.forget(self._clock() - round(SAID_FOR_S * US_PER_S))

    async def forget(self, before_us: int) -> None:
        """Drop what the log says of topics that have had none since before a time."""
        old = [(place, said) for place, said in self._cleared.items() if said[1] <= before_us]
        for place, said in old:
            try:
                await self._log.forget_retained(*place, said[0] + 1)
            except EngineFailed as error:
                logger.warning("topics that retain nothing wait to be forgotten: %s", error)
                return
            if self._cleared.get(place) == said:
                del self._cleared[place]

    # What sessions ask and say.

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

    async def _write_on(self) -> None:
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
                frame = _to_frame(message) if message.payload else b""
                self._apply(tenant, message, await self._log.retain(tenant, message.topic, frame))
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
