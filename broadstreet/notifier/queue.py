"""What waits for one subscription, in order: a portion in hand, the rest in the database."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from broadstreet.model.clock import US_PER_S
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, load_queries

IN_HAND: Final = 1_000
"""Entities of a queue that are kept in memory."""
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
    """One subscription's. more: how many wait in the database behind those in hand."""

    def __init__(self, subscription: Subscribed, more: int = 0) -> None:
        self.subscription = subscription
        self.more = more
        self.due_us = 0
        """Before that nothing is sent."""
        if subscription.throttling_us and subscription.last_told_us is not None:
            self.due_us = subscription.last_told_us + subscription.throttling_us
        self.failing_since_us: int | None = None
        self._failures = 0
        self._in_hand: deque[Waiting] = deque()
        self._last_key = 0

    def __len__(self) -> int:
        return len(self._in_hand) + self.more

    def put(self, one: Waiting) -> None:
        """It stands in the database now, and is last."""
        if one.key <= self._last_key:
            self.more += 1  # it was fetched before it was put, and counted then
        elif self.more == 0 and len(self._in_hand) < IN_HAND:
            self._in_hand.append(one)
            self._last_key = one.key
        else:
            self.more += 1

    async def refill(self, database: Database) -> list[int]:
        """Have something in hand, if anything waits.

        Where it waits for its throttling, of each entity only what came last does; answers the keys of the others.
        """
        is_throttled, gone = self.subscription.throttling_us > 0, list[int]()
        while self.more > 0 and (is_throttled or not self._in_hand):
            rows = await database.fetch(_SQL["next"], self.subscription.key, self._last_key, IN_HAND)
            self._in_hand.extend(Waiting(row["key"], row["entity_id"], row["body"]) for row in rows)
            self.more = self.more - len(rows) if rows else 0
            if rows:
                self._last_key = rows[-1]["key"]
            if is_throttled:
                gone += self._supersede()
        return gone + self._supersede() if is_throttled else gone

    async def make_room(self, database: Database) -> int:
        """Let go what is too much; how many that were."""
        over = len(self) - MAX_WAITING
        if over <= 0:
            return 0
        rows = await database.fetch(_SQL["drop_oldest"], self.subscription.key, self._last_key, over + ROOM)
        self.more -= len(rows)
        return len(rows)

    def _supersede(self) -> list[int]:
        last = {one.entity_id: one.key for one in self._in_hand}
        gone = [one.key for one in self._in_hand if last[one.entity_id] != one.key]
        self._in_hand = deque(one for one in self._in_hand if last[one.entity_id] == one.key)
        return gone

    def portion(self) -> list[Waiting]:
        """What goes into one notification next: in order, and no entity twice."""
        portion: list[Waiting] = []
        seen: set[str] = set()
        size = 0
        for one in self._in_hand:
            size += len(one.body)
            if one.entity_id in seen or (portion and (size > MAX_BYTES or len(portion) == MAX_ENTITIES)):
                break
            seen.add(one.entity_id)
            portion.append(one)
            if self.subscription.look.stands_alone:
                break
        return portion

    def delivered(self, count: int, now_us: int) -> None:
        """The first of what is in hand need not wait any more."""
        for _ in range(count):
            self._in_hand.popleft()
        self._failures, self.failing_since_us = 0, None
        self.due_us = now_us + self.subscription.throttling_us

    def failed(self, now_us: int, chance: Callable[[], float]) -> None:
        """They were not taken: the longer that lasts, the longer the next attempt waits."""
        wait_s: float = min(FIRST_WAIT_S * 2 ** min(self._failures, 10), LONGEST_WAIT_S) * (0.5 + chance() / 2)
        self._failures += 1
        self.failing_since_us = self.failing_since_us or now_us
        self.due_us = now_us + round(max(wait_s, self.subscription.receiver.cooldown_s) * US_PER_S)

    def gives_up(self, now_us: int) -> bool:
        """Whether it has failed for too long."""
        return self.failing_since_us is not None and now_us - self.failing_since_us >= GIVE_UP_AFTER_US

    def give_up(self, count: int) -> list[int]:
        """Let go the first of what is in hand; their keys."""
        return [self._in_hand.popleft().key for _ in range(count)]
