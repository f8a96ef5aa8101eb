"""Deliveries on real engines: order, repetition and patience, whatever receivers, restarts and subscribers do."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import asyncpg
import pytest

from broadstreet.app.clock import now_us
from broadstreet.engines import Engines
from broadstreet.log import Log
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import BroadstreetError
from broadstreet.notifier import queue
from tests.contract.notifying import City, Wire


async def test_what_was_changed_before_is_not_told(city: City) -> None:
    kind = city.fresh("Lamp")
    async with city.silence():
        lamp = await city.create(kind, power=1)
        await city.patch(lamp, power=2)
        await city.subscribe(f"/{kind}", kind)
        await city.patch(lamp, power=3)
    await city.quiet()
    assert [one.values("power") for one in city.receiver.told[f"/{kind}"]] == [[3]]


async def test_whoever_subscribes_just_before_a_change_is_told(city: City) -> None:
    kind = city.fresh("Lamp")
    lamp = await city.create(kind, power=0)

    async def change_all_the_time() -> None:
        while True:
            await city.patch(lamp, noise=now_us())
            await asyncio.sleep(0)

    changing = asyncio.create_task(change_all_the_time())
    for turn in range(1, 41):
        made = await city.subscribe(f"/{kind}/{turn}", kind, watchedAttributes=["power"])
        await city.patch(lamp, power=turn)
        (first, *_) = await city.receiver.wait(f"/{kind}/{turn}")
        assert first.values("power") == [turn]
        await city.subscriptions.delete(city.principal, made)
    changing.cancel()
    await asyncio.gather(changing, return_exceptions=True)


async def test_who_fails_is_told_again_in_order_and_delays_nobody(city: City) -> None:
    kind = city.fresh("Lamp")
    failing, hanging = await city.subscribe(f"/{kind}/bad", kind), asyncio.Event()
    await city.subscribe(f"/{kind}/good", kind)
    await city.subscribe(f"/{kind}/slow", kind)
    city.receiver.plan(f"/{kind}/bad", 503, 301, b"no HTTP at all\r\n\r\n", b"HTTP/1.1 2", 200)
    city.receiver.plan(f"/{kind}/slow", hanging, 200)
    lamp = await city.create(kind, power=0)
    for power in range(1, 5):
        await city.patch(lamp, power=power)
    assert await city.receiver.values(f"/{kind}/good", "power", 5) == [0, 1, 2, 3, 4]
    requests = await city.receiver.wait(f"/{kind}/bad", 9)
    assert [one.values("power") for one in requests] == [[0]] * 5 + [[1], [2], [3], [4]]
    assert len({one.body["id"] for one in requests[:5]}) == 1
    assert [one.values("power") for one in city.receiver.told[f"/{kind}/slow"]] == [[0]]
    hanging.set()
    assert await city.receiver.values(f"/{kind}/slow", "power", 5) == [0, 1, 2, 3, 4]
    standing = await city.counted(failing, 9)
    assert (standing.times_sent, standing.times_failed, standing.dropped) == (9, 4, 0)


async def test_the_same_notification_is_sent_again_whatever_gathers_behind_it(city: City) -> None:
    kind = city.fresh("Lamp")
    await city.subscribe(f"/{kind}", kind)
    city.receiver.plan(f"/{kind}", *[503] * 4, 200)
    for name in "abcdef":
        await city.create(kind, name, x=1)
    await city.quiet()
    requests = city.receiver.told[f"/{kind}"]
    first = [one for one in requests if one.body["id"] == requests[0].body["id"]]
    assert len(first) == 5
    assert {len(one.data) for one in first} == {len(first[0].data)}
    assert sorted(one["id"][-1] for own in (first[0], *requests[5:]) for one in own.data) == list("abcdef")


async def test_what_is_refused_is_given_up_and_counted(city: City) -> None:
    kind = city.fresh("Lamp")
    made = await city.subscribe(f"/{kind}", kind)
    city.receiver.plan(f"/{kind}", 400, 200)
    lamp = await city.create(kind, power=0)
    await city.counted(made, 1)
    await city.patch(lamp, power=1)
    assert [one.values("power") for one in await city.receiver.wait(f"/{kind}", 2)] == [[0], [1]]
    standing = await city.counted(made, 2)
    assert (standing.times_failed, standing.dropped) == (1, 1)
    assert standing.failure == "it answers with status 400"
    assert standing.last_failure_us is not None
    assert standing.last_success_us == standing.last_notification_us


async def test_a_receiver_that_was_away_is_told_when_it_is_back(city: City) -> None:
    kind = city.fresh("Lamp")
    made = await city.subscribe(f"/{kind}", kind)
    city.receiver.leave()
    lamp = await city.create(kind, power=0)
    for power in range(1, 4):
        await city.patch(lamp, power=power)
    assert (await city.counted(made, 2)).failure == "nobody listens there"
    await city.receiver.listen()
    assert await city.receiver.values(f"/{kind}", "power", 4) == [0, 1, 2, 3]


async def test_a_restart_takes_on_what_waited(city: City) -> None:
    kind, hanging = city.fresh("Lamp"), asyncio.Event()
    await city.subscribe(f"/{kind}/slow", kind)
    await city.subscribe(f"/{kind}/quick", kind)
    city.receiver.plan(f"/{kind}/slow", hanging, 200)
    lamp = await city.create(kind, power=0)
    for power in range(1, 5):
        await city.patch(lamp, power=power)
    assert await city.receiver.values(f"/{kind}/quick", "power", 5) == [0, 1, 2, 3, 4]
    async with city.silence():
        await city.patch(lamp, power=5)
    assert await city.receiver.values(f"/{kind}/quick", "power", 6) == [0, 1, 2, 3, 4, 5]
    # What was on its way is told again, and nothing else is.
    assert await city.receiver.values(f"/{kind}/slow", "power", 7) == [0, 0, 1, 2, 3, 4, 5]
    await city.quiet()
    assert len(city.receiver.told[f"/{kind}/quick"]) == 6
    hanging.set()


async def test_who_is_paused_is_told_nothing_and_takes_up_with_what_changes_then(city: City) -> None:
    kind = city.fresh("Lamp")
    made = await city.subscribe(f"/{kind}", kind)
    city.receiver.plan(f"/{kind}", 503)
    lamp = await city.create(kind, power=0)
    await city.receiver.wait(f"/{kind}", 2)
    await city.change(made, isActive=False)
    await city.quiet()  # what waited is gone
    city.receiver.plan(f"/{kind}", 200)
    told = len(city.receiver.told[f"/{kind}"])
    await city.patch(lamp, power=1)
    await city.quiet()
    await city.change(made, isActive=True)
    await city.patch(lamp, power=2)
    requests = await city.receiver.wait(f"/{kind}", told + 1)
    assert [one.values("power") for one in requests[told:]] == [[2]]


async def test_what_waits_goes_with_its_subscription(city: City) -> None:
    kind = city.fresh("Lamp")
    deleted = await city.subscribe(f"/{kind}/deleted", kind)
    ends_at = format_rfc3339(now_us() + 1_000_000)
    await city.subscribe(f"/{kind}/expired", kind, expiresAt=ends_at)
    for path in ("deleted", "expired"):
        city.receiver.plan(f"/{kind}/{path}", 503)
    lamp = await city.create(kind, power=0)
    await city.receiver.wait(f"/{kind}/deleted", 2)
    await city.receiver.wait(f"/{kind}/expired", 2)
    await city.subscriptions.delete(city.principal, deleted)
    await city.quiet()
    told = {path: len(city.receiver.told[f"/{kind}/{path}"]) for path in ("deleted", "expired")}
    await city.patch(lamp, power=1)
    await city.quiet()
    assert told == {path: len(city.receiver.told[f"/{kind}/{path}"]) for path in ("deleted", "expired")}


async def test_throttling_keeps_of_each_entity_the_last(city: City) -> None:
    kind = city.fresh("Lamp")
    made = await city.subscribe(f"/{kind}", kind, throttling=3600)
    lamp = await city.create(kind, "a", power=0)
    await city.receiver.wait(f"/{kind}")
    for power in range(1, 5):
        await city.patch(lamp, power=power)
    await city.create(kind, "b", power=10)
    await city.patch(lamp, power=5)
    await city.read()
    assert len(city.receiver.told[f"/{kind}"]) == 1
    await city.change(made, throttling=0.01)  # which is looked at at once, however long it was to wait
    _, second = await city.receiver.wait(f"/{kind}", 2)
    assert second.values("power") == [10, 5]
    await city.quiet()
    assert len(city.receiver.told[f"/{kind}"]) == 2


async def test_from_time_to_time_all_are_told(city: City) -> None:
    kind = city.fresh("Lamp")
    await city.create(kind, "a", power=1)
    await city.create(kind, "b", power=9)
    await city.create(kind, "c", power=2)
    made = await city.subscribe(f"/{kind}", kind, q="power<5", timeInterval=0.2)
    first, second = (await city.receiver.wait(f"/{kind}", 2))[:2]
    assert first.values("power") == second.values("power") == [1, 2]
    assert first.body["id"] != second.body["id"]
    await city.change(made, isActive=False)
    await city.quiet()


async def test_a_full_queue_lets_the_oldest_go_and_counts_them(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "MAX_WAITING", 10)
    monkeypatch.setattr(queue, "ROOM", 2)
    monkeypatch.setattr(queue, "IN_HAND", 3)
    kind, busy = city.fresh("Lamp"), asyncio.Event()
    made = await city.subscribe(f"/{kind}", kind)
    city.receiver.plan(f"/{kind}", busy, 200)
    lamp = await city.create(kind, power=0)
    await city.receiver.wait(f"/{kind}")
    for power in range(1, 15):
        await city.patch(lamp, power=power)
    await city.read()
    busy.set()
    await city.quiet()
    told = [value for one in city.receiver.told[f"/{kind}"] for value in one.values("power")]
    standing = await city.counted(made, len(told))
    assert told == sorted(told)
    assert told[-1] == 14
    assert (len(told) + standing.dropped, standing.dropped > 0) == (15, True)


async def test_a_queue_longer_than_what_is_in_hand_keeps_its_order(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "IN_HAND", 3)
    monkeypatch.setattr(queue, "IN_HAND_BYTES", 300)
    kind, busy = city.fresh("Lamp"), asyncio.Event()
    await city.subscribe(f"/{kind}", kind)
    city.receiver.plan(f"/{kind}", busy, 200)
    lamp = await city.create(kind, power=0)
    await city.receiver.wait(f"/{kind}")
    for power in range(1, 30):
        await city.patch(lamp, power=power)
        if power == 20:
            busy.set()
    assert await city.receiver.values(f"/{kind}", "power", 30) == list(range(30))


async def test_a_database_that_hangs_up_loses_and_disorders_nothing(city: City) -> None:
    kind = city.fresh("Lamp")
    await city.subscribe(f"/{kind}", kind)
    lamp = await city.create(kind, power=0)
    await city.receiver.wait(f"/{kind}")
    for power in range(1, 40):
        await city.patch(lamp, power=power)
        if power % 10 == 0:
            await _hang_up(city)
    await city.patch(lamp, power=40)
    found = await city.receiver.values(f"/{kind}", "power", 41)
    requests = len(city.receiver.told[f"/{kind}"])
    while set(found) != set(range(41)):
        requests = len(await city.receiver.wait(f"/{kind}", requests + 1))
        found = [value for one in city.receiver.told[f"/{kind}"] for value in one.values("power")]
    firsts = list(dict.fromkeys(found))
    assert firsts == list(range(41))


async def test_while_the_log_is_away_what_waits_is_delivered_and_what_comes_follows(
    city: City, engines: Engines
) -> None:
    kind, busy = city.fresh("Lamp"), asyncio.Event()
    await city.subscribe(f"/{kind}", kind)
    wire = Wire(engines.addresses.nats_url)
    await wire.mend()
    async with await Log.connect(wire.url) as city.notifiers_log:
        async with city.silence():
            pass
        city.receiver.plan(f"/{kind}", busy, 200)
        lamp = await city.create(kind, power=0)
        await city.receiver.wait(f"/{kind}")
        for power in range(1, 5):
            await city.patch(lamp, power=power)
        await city.read()
        wire.cut()
        busy.set()
        assert await city.receiver.values(f"/{kind}", "power", 5) == [0, 1, 2, 3, 4]
        for power in range(5, 10):
            await city.patch(lamp, power=power)
        await wire.mend()
        assert await city.receiver.values(f"/{kind}", "power", 10) == list(range(10))
        await city.quiet()
        assert len(city.receiver.told[f"/{kind}"]) == 10
        await city.stop()
    city.notifiers_log = None
    await city.start()
    wire.cut()


async def _hang_up(city: City) -> None:
    """Cut all connections of the notifier's, the recorder's and the test's own."""
    owner = await asyncpg.connect(city.store._dsn)
    try:
        cut = await owner.fetchval(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert cut > 1
    finally:
        await owner.close()
    for _ in range(100):
        with suppress(BroadstreetError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            for _ in range(8):
                await city.database().fetchval("SELECT 1")
            return
        await asyncio.sleep(0.02)
