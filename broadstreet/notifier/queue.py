"""What waits for one subscription, in order: a portion in hand, the rest in the database."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from broadstreet.model.clock import US_PER_S
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, load_queries

IN_HAND: Final = 1_000
"""Entities of a queue that are kept in memory."""
IN_HAND_BYTES: Final = 1_000_000
"""What they may take there, where there are more than one."""
MAX_WAITING: Final = 100_000
"""Entities that wait for one subscription; beyond it those that have waited longest go."""
ROOM: Final = MAX_WAITING // 100
"""How many go at once, so that not every one that comes has to make room."""
MAX_ENTITIES: Final = 1_000
"""Entities in one notification."""
MAX_BYTES: Final = 1_000_000
"""Of them, where there are more than one."""
FIRST_WAIT_S: Final = 1.0
LONGEST_WAIT_S: Final = 30.0
GIVE_UP_AFTER_US: Final = 24 * 3_600 * US_PER_S
"""How long a receiver may fail before what is tried then is given up."""
_SQL = load_queries("notifier")


class Waiting(NamedTuple):
    """An entity that waits to be delivered. key: its place among all."""

    key: int
    entity_id: str
    body: str


class Queue:
    """One subscription's. more: how many wait in the database behind those in hand. newest: the last one's key."""

    def __init__(self, subscription: Subscribed, more: int = 0, newest: int = 0) -> None:
        self.subscription = subscription
        self.more = more
        self.newest = newest
        self.failing_since_us: int | None = None
        self.changed = asyncio.Event()
        """Set when the subscription is another, so that whoever waits by the old one looks again."""
        self._told_us = subscription.last_told_us
        self._retry_us = 0
        self._failures = 0
        self._portion: list[Waiting] = []
        self._in_hand: deque[Waiting] = deque()
        self._bytes = 0
        self._last_key = 0
        self._turn = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._portion) + len(self._in_hand) + self.more

    @property
    def due_us(self) -> int:
        """Before that nothing is sent."""
        throttling_us = self.subscription.throttling_us
        return max(self._retry_us, self._told_us + throttling_us if throttling_us and self._told_us is not None else 0)

    def follow(self, subscription: Subscribed) -> None:
        """From now on it is this one. A receiver that is another, or is told in another way, has not failed yet."""
        before, self.subscription = self.subscription, subscription
        if (before.receiver, before.frame) != (subscription.receiver, subscription.frame):
            self._failures, self._retry_us, self.failing_since_us = 0, 0, None
        self.changed.set()

    def put(self, one: Waiting) -> None:
        """It stands in the database now, and is last."""
        self.newest = one.key
        if self.more == 0 and len(self._in_hand) < IN_HAND and self._bytes < IN_HAND_BYTES:
            self._take(one)
        else:
            self.more += 1

    def _take(self, one: Waiting) -> None:
        self._in_hand.append(one)
        self._bytes += len(one.body)
        self._last_key = one.key

    async def refill(self, database: Database) -> None:
        """Have something in hand, if anything waits."""
        if self._in_hand or self._portion:
            return
        async with self._turn:
            while self.more > 0 and not self._in_hand:
                waiting = self.more
                behind = (self.subscription.key, self._last_key, self.newest)
                rows = await database.fetch(_SQL["next"], *behind, IN_HAND, IN_HAND_BYTES)
                for row in rows:
                    self._take(Waiting(row["key"], row["entity_id"], row["body"]))
                self.more -= len(rows) or waiting

    async def supersede(self, database: Database) -> list[int]:
        """Of each entity only what came last waits, beside what is on its way; the keys in hand of the others.

        What waits in the database goes there; what is in hand is the caller's to settle.
        """
        async with self._turn:
            later: set[str] = set()
            if self.more > 0:
                behind = (self.subscription.key, self._last_key, self.newest)
                self.more -= len(await database.fetch(_SQL["drop_superseded"], *behind))
                named = [one.entity_id for one in self._in_hand]
                later = {row["entity_id"] for row in await database.fetch(_SQL["later"], *behind, named)}
            last = {one.entity_id: one.key for one in self._in_hand}
            kept = [one for one in self._in_hand if last[one.entity_id] == one.key and one.entity_id not in later]
            superseded = {one.key for one in self._in_hand} - {one.key for one in kept}
            self._in_hand = deque(kept)
            self._bytes = sum(len(one.body) for one in kept)
            return sorted(superseded)

    async def make_room(self, database: Database) -> int:
        """Let go what is too much; how many that were."""
        if len(self) <= MAX_WAITING:
            return 0
        async with self._turn:
            over = len(self) - MAX_WAITING
            rows = await database.fetch(_SQL["drop_oldest"], self.subscription.key, self._last_key, over + ROOM)
            self.more -= len(rows)
            return len(rows)

    def portion(self) -> list[Waiting]:
        """What goes into one notification next: in order, and no entity twice. What failed is what goes again."""
        if self._portion:
            return self._portion
        seen: set[str] = set()
        size = 0
        while self._in_hand:
            one = self._in_hand[0]
            size += len(one.body)
            if one.entity_id in seen or (self._portion and (size > MAX_BYTES or len(self._portion) == MAX_ENTITIES)):
                break
            seen.add(one.entity_id)
            self._portion.append(self._in_hand.popleft())
            self._bytes -= len(one.body)
            if self.subscription.look.stands_alone:
                break
        return self._portion

    def delivered(self, now_us: int) -> None:
        """What was on its way need not wait any more."""
        self._portion = []
        self._failures, self._retry_us, self.failing_since_us = 0, 0, None
        self._told_us = now_us

    def failed(self, now_us: int, chance: Callable[[], float]) -> None:
        """They were not taken: the longer that lasts, the longer the next attempt waits."""
        wait_s: float = min(FIRST_WAIT_S * 2 ** min(self._failures, 10), LONGEST_WAIT_S) * (0.5 + chance() / 2)
        self._failures += 1
        self.failing_since_us = self.failing_since_us or now_us
        self._retry_us = now_us + round(max(wait_s, self.subscription.receiver.cooldown_s) * US_PER_S)

    def gives_up(self, now_us: int) -> bool:
        """Whether it has failed for too long."""
        return self.failing_since_us is not None and now_us - self.failing_since_us >= GIVE_UP_AFTER_US

    def give_up(self) -> list[int]:
        """Let go what was on its way; the keys of it."""
        gone, self._portion = self._portion, []
        return [one.key for one in gone]
