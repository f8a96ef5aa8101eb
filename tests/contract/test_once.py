"""Messages that count once by their packet identifier: in the recorder's transactions, from packs made by hand."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from broadstreet.log import RELEASED, Once, Pack
from broadstreet.recorder.once import KNOWN_FOR_US, OPEN_FOR_US, forget_once
from tests.contract.recording import T0_US, House, S, open_house

SESSION = b"session1"


@pytest.fixture
async def house(city_dsn: str, nats_url: str) -> AsyncIterator[House]:
    async with open_house(city_dsn, nats_url) as opened:
        await opened.add_devices()
        yield opened


async def send(house: House, *said: tuple[int, float | bytes | None], life: int = 1) -> Pack:
    """Append a pack of (identifier, value); None: its release."""
    key = await house.city.fetchval("SELECT key FROM device")
    payloads = [value if isinstance(value, bytes) else b'{"no2":%g}' % value for _, value in said if value is not None]
    entries, count = [], 0
    for _, value in said:
        entries.append(RELEASED if value is None else count)
        count += value is not None
    received = [T0_US + house.sent * 1000 + n for n in range(count)]
    once = [Once(SESSION, life, [identifier for identifier, _ in said], entries)]
    pack = Pack(os.urandom(16), "city", 0, "gateway-t", [key] * count, received, ["readings"] * count, payloads, once)
    house.sent = (await house.log.append_raw(pack)).sequence
    return pack


async def values(house: House) -> list[float]:
    return [value for _, value in await house.past("NO2")]


@pytest.mark.parametrize("at_once", [True, False], ids=["in one transaction", "in one each"])
async def test_a_message_counts_once_until_it_is_released(house: House, at_once: bool) -> None:
    for said in ([(5, 1.0), (6, 2.0)], [(5, 1.0), (7, 3.0)], [(5, None)], [(5, 4.0), (6, 2.0)], [(6, None), (6, 5.0)]):
        await send(house, *said)
        if not at_once:
            await house.record()
    await house.record()
    assert await values(house) == [1, 2, 3, 4, 5]
    assert await house.city.fetchval("SELECT messages FROM heard") == 5
    row = await house.city.fetchrow("SELECT * FROM once_session")
    assert row is not None
    assert (bytes(row["session"]), row["life"], bytes(row["open"])) == (SESSION, 1, b"\0\5\0\6\0\7")
    changes = (await house.changes())[1:]
    assert sum(len(batch.value) for batch in changes) == 5, "a change for each, and none for what was left out"


async def test_its_neighbours_keep_their_places(house: House) -> None:
    """What points at a message, a change or a dead letter, finds it, although another of the pack was left out."""
    await send(house, (5, 1.0))
    await house.record()
    second = await send(house, (5, 1.0), (6, 2.0), (7, b"nonsense"))
    await house.record()
    last = (await house.changes())[-1]
    assert (last.value, last.packs, last.entry) == ([2.0], [second.id], [1])
    [letter] = await house.dead()
    assert (letter.pack, letter.entry) == (second.id, 2)
    await send(house, (7, b"nonsense"))
    await house.record()
    assert len(await house.dead()) == 1, "a dead letter counts once as well"


async def test_what_a_former_life_brings_late_is_void(house: House) -> None:
    await send(house, (5, 1.0), life=2)
    await send(house, (5, None), life=2)
    late = await send(house, (5, 1.0), (6, 9.0), life=1)
    await send(house, (5, 2.0), life=2)
    await send(house, (5, None), life=1)
    await send(house, (5, 2.0), life=2)
    await house.record()
    await house.log.append_raw(late)
    await house.record()
    assert await values(house) == [1, 2]


async def test_a_session_that_says_nothing_more_is_forgotten(house: House) -> None:
    await send(house, (5, 1.0))
    await house.record()

    async def is_known(at_us: int) -> bool:
        await forget_once(house.city, at_us)
        return bool(await house.city.fetchval("SELECT count(*) FROM once_session"))

    assert await is_known(T0_US + OPEN_FOR_US - S)
    await send(house, (5, None))
    await house.record()
    assert await is_known(T0_US + KNOWN_FOR_US - S)
    assert not await is_known(T0_US + KNOWN_FOR_US + S)
    await send(house, (5, 2.0))
    await house.record()
    assert not await is_known(T0_US + OPEN_FOR_US + S)
