"""What waits for one subscription, beside a database: in order, each once, within bounds, whatever comes meanwhile."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from broadstreet.context import CORE
from broadstreet.model.clock import US_PER_S
from broadstreet.notifier import queue as queues
from broadstreet.notifier.queue import Queue, Waiting
from broadstreet.notifier.subscribed import Subscribed
from broadstreet.store import Database, Store, load_queries
from tests.conftest import Databases

SQL = load_queries("notifier")
S = 7
"""The subscription's key."""


def subscribed(last_told_us: int | None = None, **members: Any) -> Subscribed:
    """A subscription as it is read."""
    notification = {"endpoint": {"uri": "http://h.example/", **members.pop("endpoint", {})}}
    document = {"notification": notification | members.pop("notification", {}), **members}
    row = {"key": S, "id": "urn:x:s", "document": document, "active_since": 0, "expires_at": None}
    return Subscribed.of({**row, "last_notification": last_told_us}, CORE, "https://c.example/", {})


def waiting(key: int, entity: str = "", body: str = "{}") -> Waiting:
    return Waiting(key, entity or f"urn:x:{key}", body)


@pytest.fixture(scope="module")
async def kept(databases: Databases) -> AsyncIterator[Database]:
    async with databases.with_tenants("city") as dsn, await Store.connect(dsn) as store:
        yield await store.tenant("city")


@pytest.fixture
async def database(kept: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Nothing waits in it, and queues are short."""
    await kept.execute("DELETE FROM notification")
    monkeypatch.setattr(queues, "IN_HAND", 4)
    monkeypatch.setattr(queues, "MAX_WAITING", 20)
    monkeypatch.setattr(queues, "ROOM", 3)
    return kept


async def keep(database: Database, *some: Waiting) -> None:
    """Write down what waits, as the notifier does."""
    columns = ([one.key for one in some], [S] * len(some), [one.entity_id for one in some], [one.body for one in some])
    await database.execute(SQL["enqueue"], *columns)


async def drain(queue: Queue, database: Database) -> list[int]:
    """The keys of all that waits, in the order in which it goes."""
    found: list[int] = []
    while len(queue):
        await queue.refill(database)
        portion = queue.portion()
        assert portion, f"{len(queue)} wait, and none comes"
        found += [one.key for one in portion]
        queue.delivered(0)
    return found


async def test_what_is_fetched_and_what_is_put_is_never_counted_twice_nor_passed_over(database: Database) -> None:
    """Rows stand in the database before they are put: whenever a refill falls between, the order stays."""
    for seed in range(40):
        chance = random.Random(seed)
        await database.execute("DELETE FROM notification")
        queue, key, sent = Queue(subscribed()), 0, list[int]()
        while key < 30:
            batch = [waiting(key + n) for n in range(1, chance.randrange(2, 9))]
            key = batch[-1].key
            await keep(database, *batch)
            for _ in range(chance.randrange(3)):
                await queue.refill(database)
                sent += [one.key for one in queue.portion()]
                queue.delivered(0)
            for one in batch:
                queue.put(one)
        assert len(queue) == key - len(sent)
        assert sent + await drain(queue, database) == list(range(1, key + 1))


async def test_a_queue_goes_on_with_what_the_database_has(database: Database) -> None:
    await keep(database, *map(waiting, range(1, 11)))
    queue = Queue(subscribed(), 10, 10)
    queue.put(waiting(11))
    await keep(database, waiting(11))
    assert await drain(queue, database) == list(range(1, 12))


async def test_the_oldest_make_room_while_others_are_on_their_way(database: Database) -> None:
    queue = Queue(subscribed())
    dropped, sent = 0, list[int]()
    for key in range(1, 61):
        await keep(database, waiting(key))
        queue.put(waiting(key))
        dropped += await queue.make_room(database)
        assert len(queue) <= 20
        if key == 30:
            await queue.refill(database)
            sent += [one.key for one in queue.portion()]
            queue.delivered(0)
    rest = await drain(queue, database)
    assert sent + rest == sorted({*sent, *rest})
    assert len(sent) + len(rest) + dropped == 60
    assert rest[-1] == 60


async def test_who_is_throttled_keeps_of_each_entity_the_last(database: Database) -> None:
    queue = Queue(subscribed(throttling=60))
    names = "aabacadbabcdabcdd"
    for key, name in enumerate(names, 1):
        await keep(database, waiting(key, name))
        queue.put(waiting(key, name))
    gone = await queue.supersede(database)
    left = [row["key"] for row in await database.fetch("SELECT key FROM notification ORDER BY key")]
    assert len(queue) == 4
    assert set(left) - set(gone) == {13, 14, 15, 17}
    assert await drain(queue, database) == [13, 14, 15, 17]


async def test_what_is_on_its_way_is_not_superseded(database: Database) -> None:
    queue = Queue(subscribed(throttling=60))
    for key in (1, 2, 3):
        await keep(database, waiting(key, "a"))
        queue.put(waiting(key, "a"))
    assert [one.key for one in queue.portion()] == [1]
    queue.failed(0, lambda: 0)
    assert await queue.supersede(database) == [2]
    assert [one.key for one in queue.portion()] == [1]
    queue.delivered(0)
    assert await drain(queue, database) == [3]


def test_a_portion_holds_no_entity_twice_and_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "MAX_ENTITIES", 3)
    monkeypatch.setattr(queues, "MAX_BYTES", 10)
    queue = Queue(subscribed())
    said = [("a", 1), ("b", 1), ("a", 1), ("c", 1), ("d", 1), ("e", 1), ("f", 30), ("g", 6), ("h", 4), ("i", 1)]
    for key, (name, size) in enumerate(said, 1):
        queue.put(waiting(key, name, "x" * size))
    portions = []
    while len(queue):
        portions.append("".join(one.entity_id for one in queue.portion()))
        queue.delivered(0)
    assert portions == ["ab", "acd", "e", "f", "gh", "i"]


def test_what_is_joined_in_flat_goes_alone() -> None:
    queue = Queue(subscribed(notification={"join": "flat"}))
    for key in (1, 2):
        queue.put(waiting(key))
    assert [one.key for one in queue.portion()] == [1]


def test_what_failed_goes_again_as_it_was_whatever_has_come() -> None:
    queue = Queue(subscribed())
    queue.put(waiting(1))
    first = queue.portion()
    queue.put(waiting(2))
    queue.failed(0, lambda: 0)
    assert queue.portion() == first
    assert len(queue) == 2
    assert queue.give_up() == [1]
    assert [one.key for one in queue.portion()] == [2]


def test_it_is_tried_later_each_time_and_no_sooner_than_the_cooldown() -> None:
    queue, waits = Queue(subscribed()), []
    for _ in range(8):
        queue.failed(0, lambda: 1)
        waits.append(queue.due_us / US_PER_S)
    assert waits == [1, 2, 4, 8, 16, 30, 30, 30]
    queue.failed(0, lambda: 0)
    assert queue.due_us == 15 * US_PER_S
    queue.delivered(0)
    assert queue.due_us == 0
    patient = Queue(subscribed(endpoint={"cooldown": 5_000}))
    patient.failed(0, lambda: 1)
    assert patient.due_us == 5 * US_PER_S


def test_a_day_of_failing_is_enough() -> None:
    queue = Queue(subscribed())
    queue.failed(5, lambda: 0)
    assert not queue.gives_up(5 + queues.GIVE_UP_AFTER_US - 1)
    queue.failed(100, lambda: 0)
    assert queue.gives_up(5 + queues.GIVE_UP_AFTER_US)
    queue.delivered(0)
    assert not queue.gives_up(2 * queues.GIVE_UP_AFTER_US)


def test_throttling_counts_from_the_last_notification_and_by_the_newest_wish() -> None:
    queue = Queue(subscribed(last_told_us=100, throttling=60))
    assert queue.due_us == 100 + 60 * US_PER_S
    queue.delivered(200)
    assert queue.due_us == 200 + 60 * US_PER_S
    queue.follow(subscribed(throttling=1))
    assert queue.due_us == 200 + US_PER_S
    assert queue.changed.is_set()
    queue.follow(subscribed())
    assert queue.due_us == 0


def test_another_receiver_has_not_failed_yet() -> None:
    queue = Queue(subscribed())
    queue.failed(1, lambda: 1)
    queue.follow(subscribed(q={"text": "a", "names": {"a": "x:a"}}))
    assert queue.due_us > 0
    queue.follow(subscribed(endpoint={"uri": "http://other.example/"}))
    assert (queue.due_us, queue.failing_since_us) == (0, None)


def test_what_is_in_hand_has_a_bound_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queues, "IN_HAND_BYTES", 10)
    queue = Queue(subscribed())
    for key in range(1, 6):
        queue.put(waiting(key, body="x" * 6))
    assert (len(queue), queue.more) == (5, 3)
