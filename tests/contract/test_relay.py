"""The relays: what the outbox holds reaches the log once, and dead letters that find no room hold up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from broadstreet.log import DeadLetter, DeadStream, Log, StreamLimits, encode_dead_list
from broadstreet.log.dead import encode_dead
from broadstreet.model.errors import EngineFailed, LogFull
from broadstreet.recorder import Meter, relay
from broadstreet.recorder.relay import DeadRelay
from tests.contract.recording import T0_US, House, S, open_house

ROOM = 1_000_000
LARGE = b"x" * 300_000
"""A payload three of which fit."""


@pytest.fixture
async def house(city_dsn: str, nats_url: str) -> AsyncIterator[House]:
    async with open_house(city_dsn, nats_url) as opened:
        yield opened


def letters(count: int) -> list[DeadLetter]:
    return [DeadLetter(T0_US, "city", "d", 1, "not JSON", "", "readings", b"?", 1, b"p" * 16, n) for n in range(count)]


async def leave(house: House, *left: DeadLetter) -> None:
    await house.city.execute("INSERT INTO outbox (kind, body) VALUES ('dead', $1)", encode_dead_list(list(left)))


async def waiting(house: House, kind: str) -> int:
    return int(await house.city.fetchval("SELECT count(*) FROM outbox WHERE kind = $1", kind))


async def filed(house: House) -> list[tuple[int, int]]:
    """What DEAD holds: (place, entry)."""
    return [(one.sequence, one.letter.entry) async for one in DeadStream(house.log).since("city", 0)]


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(1_000):
        if await true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it did not come true")


async def test_letters_that_find_no_room_hold_up_no_change(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "FULL_S", 0.02)
    await house.log.ensure_streams(StreamLimits(dead_bytes=ROOM))
    [key] = await house.add_devices()
    for n in range(5):
        await house.send((key, T0_US + n, LARGE))
    await house.send((key, T0_US + 9 * S, {"ts": T0_US + S, "no2": 7}))

    async def is_full() -> bool:
        is_said = bool(await house.past("NO2")) and await waiting(house, "changes") == 0
        return is_said and len(await filed(house)) == 3

    async def is_empty() -> bool:
        return await waiting(house, "dead") == 0

    running = asyncio.create_task(house.recorder.run())
    try:
        await until(is_full)
        assert await waiting(house, "dead") >= 1
        first = await house.dead()
        for place, _ in await filed(house):
            assert await DeadStream(house.log).remove(place)
        await until(is_empty)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    both = [*first, *await house.dead()]
    assert [letter.received_us for letter in both] == [T0_US + n for n in range(5)]
    assert [change.value for change in await house.changes()][-1] == [7.0]


async def test_what_a_killed_relay_has_published_is_not_published_again(house: House) -> None:
    """Beyond the window in which JetStream remembers ids: it is asked which letters it holds."""
    one, two, three = letters(3)
    await leave(house, one, two)
    await leave(house, three)
    await house.log.client.jetstream().publish("dead.city", encode_dead(one))
    assert await DeadRelay(house.log, house.city, meter=Meter()).relay_once() == 2
    assert [entry for _, entry in await filed(house)] == [0, 1, 2]
    assert await waiting(house, "dead") == 0


async def test_an_answer_that_is_lost_publishes_nothing_twice(house: House) -> None:
    class Losing(Log):
        """Publishes without an id, as if that were forgotten, and loses the first answer."""

        is_losing = True

        async def publish_dead(self, letter: DeadLetter) -> None:
            await self.client.jetstream().publish("dead.city", encode_dead(letter))
            if self.is_losing:
                self.is_losing = False
                raise EngineFailed("the answer is lost")

    await leave(house, *letters(3))
    undertaker = DeadRelay(Losing(house.log.client), house.city, meter=Meter())
    with pytest.raises(EngineFailed):
        await undertaker.run()
    await undertaker.relay_once()
    assert [entry for _, entry in await filed(house)] == [0, 1, 2]


async def test_a_row_goes_on_where_room_ended(house: House) -> None:
    """What of it was published before DEAD was full is not again."""

    class Narrow(Log):
        room = 2

        async def publish_dead(self, letter: DeadLetter) -> None:
            if not self.room:
                raise LogFull
            self.room -= 1
            await self.client.jetstream().publish("dead.city", encode_dead(letter))

    await leave(house, *letters(4))
    log = Narrow(house.log.client)
    narrow = DeadRelay(log, house.city, meter=Meter())
    with pytest.raises(LogFull):
        await narrow.relay_once()
    log.room = 2
    await narrow.relay_once()
    assert [entry for _, entry in await filed(house)] == [0, 1, 2, 3]
