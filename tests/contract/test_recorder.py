"""The recorder on real engines: every reading once, whatever comes late, twice, from the future or broken."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest

from broadstreet.log import DeadReason, StreamLimits, encode_pack
from broadstreet.model.change import Flag
from broadstreet.recorder import Meter
from broadstreet.store import write_origin
from tests.contract.recording import PROFILE, T0_US, House, S, open_house


@pytest.fixture
async def house(city_dsn: str, nats_url: str) -> AsyncIterator[House]:
    async with open_house(city_dsn, nats_url) as opened:
        yield opened


def reading(at_s: float, no2: float, **more: object) -> dict[str, object]:
    return {"ts": T0_US + round(at_s * S), "no2": no2, **more}


async def test_a_reading_is_stored_current_and_published(house: House) -> None:
    [key] = await house.add_devices()
    pack = await house.send((key, T0_US + 5 * S, reading(4, 21.5, data={"t": 215}, status="ok")))
    await house.record()
    assert await house.past("NO2") == [(4.0, 21.5)]
    assert await house.past("temperature") == [(4.0, 21.5)]
    assert await house.past("status") == [(4.0, "ok")]
    now = await house.present("NO2")
    assert (now["number"], now["observed_at"], now["version"], now["meta"]) == (
        21.5,
        T0_US + 4 * S,
        1,
        {"unitCode": "GQ"},
    )
    heard = await house.city.fetchrow("SELECT * FROM heard")
    assert heard is not None and tuple(heard) == (key, T0_US + 5 * S, T0_US + 5 * S, 1)
    origin = await house.city.fetchrow("SELECT * FROM origin WHERE key = $1", now["origin_key"])
    assert origin is not None and origin["pack_id"].bytes == pack.id
    assert (origin["principal"], origin["partition"], origin["sequence"]) == ("gateway-t", 0, house.sent)
    registered, recorded = await house.changes()
    assert [event.id for event in registered.entities] == ["urn:ngsi-ld:AirQualityObserved:air-0"]
    assert (recorded.value, recorded.old) == ([21.5, 21.5, "ok"], [None] * 3)
    assert recorded.flags == [Flag.CURRENT | Flag.CREATED] * 3
    assert (recorded.packs, recorded.pack, recorded.entry) == ([pack.id], [0] * 3, [0] * 3)


async def test_late_and_unordered_readings_stay_in_the_past(house: House) -> None:
    [key] = await house.add_devices()
    for at_s, no2 in ((10, 1.0), (30, 3.0), (20, 2.0)):
        await house.send((key, T0_US + 40 * S, reading(at_s, no2)))
        await house.record()
    await house.send((key, T0_US + 50 * S, [reading(5, 0.5), reading(25, 2.5), reading(15, 1.5)]))
    await house.record()
    assert await house.past("NO2") == [(5, 0.5), (10, 1.0), (15, 1.5), (20, 2.0), (25, 2.5), (30, 3.0)]
    now = await house.present("NO2")
    assert (now["number"], now["version"]) == (3.0, 6)
    last = (await house.changes())[-1]
    assert (last.flags, last.version, last.value) == ([0, 0, 0], [4, 5, 6], [0.5, 1.5, 2.5])


async def test_the_same_reading_again_is_not_applied_again(house: House) -> None:
    [key] = await house.add_devices()
    for _ in range(2):
        await house.send((key, T0_US + S, reading(1, 7.0)), (key, T0_US + S + 1, reading(1, 7.0)))
        await house.record()
    assert await house.past("NO2") == [(1, 7.0)]
    assert sum(len(batch.value) for batch in (await house.changes())[1:]) == 1
    assert (await house.present("NO2"))["version"] == 1
    assert house.recorder.meter.repeated == 3


async def test_another_value_of_the_same_time_is_a_correction(house: House) -> None:
    [key] = await house.add_devices()
    await house.send((key, T0_US + 2 * S, [reading(1, 7.0), reading(2, 8.0)]))
    await house.record()
    await house.send((key, T0_US + 3 * S, [reading(1, 70.0), reading(2, 80.0)]))
    await house.record()
    assert await house.past("NO2") == [(1, 70.0), (2, 80.0)]
    now = await house.present("NO2")
    assert (now["number"], now["version"]) == (80.0, 4)
    assert await house.city.fetchval("SELECT count(*) FROM observation WHERE modified_at IS NOT NULL") == 2
    last = (await house.changes())[-1]
    assert last.flags == [Flag.CORRECTED, Flag.CORRECTED | Flag.CURRENT]
    assert last.old == [None, 8.0]


async def test_values_that_are_no_numbers_are_kept_as_they_are(house: House) -> None:
    [key] = await house.add_devices()
    for n, value in enumerate([[1, [2, None]], [], {"a": [1]}, "text", True, [[3]]]):
        await house.send((key, T0_US + n * S, reading(n, 1.0, list=value, status=f"s{n}")))
        await house.record()
    await house.send((key, T0_US + 9 * S, reading(5, 1.0, list=[[4]])))
    await house.record()
    assert [value for _, value in await house.past("list")] == [[1, [2, None]], [], {"a": [1]}, "text", True, [[4]]]
    assert (await house.present("list"))["value"] == [[4]]
    assert (await house.present("status"))["value"] == "s5"


async def test_readings_without_a_time_count_each(house: House) -> None:
    [key] = await house.add_devices()
    await house.send((key, T0_US + 1, {"no2": 5}), (key, T0_US + 2, {"no2": 5}), (key, T0_US + 3, [{"no2": 5}] * 3))
    await house.send((key, T0_US + 4, {"no2": 5}))
    await house.record()
    assert len(await house.past("NO2")) == 6
    ids = {(b.packs[p], e) for b in (await house.changes())[1:] for p, e in zip(b.pack, b.entry, strict=True)}
    assert len(ids) == 4


async def test_what_cannot_be_decoded_is_kept_with_its_reason(house: House) -> None:
    [key] = await house.add_devices()
    received = T0_US + 10 * S
    bad: list[tuple[object, DeadReason]] = [
        (b"\xff{", DeadReason.NOT_JSON),
        (b'{"no2": NaN}', DeadReason.NOT_JSON),
        (b"[" * 100_000, DeadReason.NOT_JSON),
        (3, DeadReason.WRONG_TYPE),
        ({"other": 1}, DeadReason.UNKNOWN_FIELDS),
        ({"no2": "high"}, DeadReason.WRONG_TYPE),
        ({"no2": True}, DeadReason.WRONG_TYPE),
        ({"no2": -1}, DeadReason.OUT_OF_RANGE),
        (b'{"no2": 1e999}', DeadReason.NOT_JSON),
        ({"no2": 1, "ts": "yesterday"}, DeadReason.BAD_TIME),
        ({"no2": 1, "ts": 2**70}, DeadReason.BAD_TIME),
        ({"no2": 1, "ts": received + 301 * S}, DeadReason.FUTURE),
        ({"status": "a\x00b"}, DeadReason.WRONG_TYPE),
    ]
    await house.send(*((key, received + n, payload) for n, (payload, _) in enumerate(bad)))
    await house.send((999, received, {"no2": 1}))
    await house.send((key, received, {"no2": 5, "data": {"t": "warm"}, "ts": T0_US}))
    await house.record()
    letters = await house.dead()
    assert [(d.reason, d.entry) for d in letters[: len(bad)]] == [(reason, n) for n, (_, reason) in enumerate(bad)]
    assert letters[len(bad)].reason == DeadReason.UNKNOWN_DEVICE
    assert letters[-1].detail.startswith("temperature is to be a number")
    assert (letters[0].device, letters[0].profile, letters[0].payload) == ("air-0", "air 1", b"\xff{")
    assert await house.past("NO2") == [(0, 5.0)]
    assert await house.past("temperature") == []


async def test_a_reading_a_little_ahead_is_taken(house: House) -> None:
    [key] = await house.add_devices()
    await house.send((key, T0_US, reading(299, 1.0)))
    await house.record()
    assert await house.past("NO2") == [(299, 1.0)]


async def test_a_repeated_pack_is_applied_once_and_its_neighbours_too(house: House) -> None:
    [key] = await house.add_devices()
    first = await house.send((key, T0_US + 1, {"no2": 1}), (key, T0_US + 2, b"nonsense"))
    await house.record()
    await house.send((key, T0_US + 3, {"no2": 2}))
    # The window in which JetStream remembers ids has passed: the same pack stands in the log again, twice.
    for number in range(2):
        ack = await house.log.client.jetstream().publish(
            "raw.city.0", encode_pack(first), headers={"Nats-Msg-Id": f"later-{number}"}
        )
        house.sent = ack.seq
    await house.record()
    assert [value for _, value in await house.past("NO2")] == [1, 2]
    assert len(await house.dead()) == 1
    assert await house.city.fetchval("SELECT messages FROM heard") == 3


async def test_a_damaged_pack_is_dead_and_the_next_one_lives(house: House) -> None:
    [key] = await house.add_devices()
    damaged = bytearray(encode_pack(house.pack([(key, T0_US, {"no2": 1})])))
    damaged[-1] ^= 1
    await house.log.client.jetstream().publish("raw.city.0", bytes(damaged))
    await house.send((key, T0_US, {"no2": 2}))
    await house.record()
    [letter] = await house.dead()
    assert (letter.reason, letter.payload) == (DeadReason.CORRUPT_PACK, bytes(damaged))
    assert [value for _, value in await house.past("NO2")] == [2]


async def test_a_recreated_log_is_read_from_its_beginning(house: House) -> None:
    [key] = await house.add_devices()
    for n in range(3):
        await house.send((key, T0_US + n, {"no2": n}))
    await house.record()
    await house.log.client.jetstream().delete_stream("RAW")
    await house.log.ensure_streams(StreamLimits())
    await house.send((key, T0_US + 9, {"no2": 9}))
    assert house.sent == 1
    house.recorder = house.new_recorder()
    async with house.recording():
        # The old cursor stands at 3, further than the new log: wait for what is to come, not for the cursor.
        for _ in range(500):
            if len(await house.past("NO2")) == 4:
                break
            await asyncio.sleep(0.02)
    assert [value for _, value in await house.past("NO2")] == [0, 1, 2, 9]


async def test_a_tombstone_is_not_crossed_by_older_readings(house: House) -> None:
    [key] = await house.add_devices()
    await house.send((key, T0_US + S, reading(1, 1.0)))
    await house.record()
    series = (await house.present("NO2"))["series_key"]
    await house.city.execute("UPDATE attribute SET deleted_at = $2 WHERE series_key = $1", series, T0_US + 10 * S)
    await house.city.execute("UPDATE entity SET deleted_at = $1", T0_US + 10 * S)
    await house.send((key, T0_US + 11 * S, reading(9, 9.0)))
    await house.record()
    assert (await house.present("NO2"))["deleted_at"] == T0_US + 10 * S
    await house.send((key, T0_US + 12 * S, reading(11, 11.0)))
    await house.record()
    now = await house.present("NO2")
    assert (now["deleted_at"], now["number"]) == (None, 11.0)
    assert await house.city.fetchval("SELECT deleted_at FROM entity") is None
    assert [event.operation for event in (await house.changes())[-1].entities] == ["created"]
    assert await house.past("NO2") == [(1, 1.0), (9, 9.0), (11, 11.0)]


async def test_an_older_reading_does_not_undo_an_api_write(house: House) -> None:
    [key] = await house.add_devices()
    await house.send((key, T0_US + S, reading(1, 1.0)))
    await house.record()
    series = (await house.present("NO2"))["series_key"]
    async with house.city.acquire() as connection:
        writing = connection.transaction()
        await writing.start()
        origin = await write_origin(connection, "api", "someone", T0_US + 20 * S)
        await connection.execute(
            """UPDATE attribute SET number = 99, as_of = $2, version = version + 1, origin_key = $3
            WHERE series_key = $1""",
            series,
            T0_US + 20 * S,
            origin,
        )
        await house.send((key, T0_US + 21 * S, reading(19, 19.0)))
        async with house.recording():
            await asyncio.sleep(0.2)
            # The recorder waits for the lock, and then sees what was written.
            assert await house.city.fetchval("SELECT sequence FROM cursor") < house.sent
            await writing.commit()
    now = await house.present("NO2")
    assert (now["number"], now["version"]) == (99, 3)
    assert await house.past("NO2") == [(1, 1.0), (19, 19.0)]


async def test_what_a_recorder_remembers_gives_way_to_what_was_written_meanwhile(house: House) -> None:
    [key] = await house.add_devices()

    async def send(at_s: float, no2: float) -> dict[str, Any]:
        await house.send((key, T0_US + 60 * S, reading(at_s, no2)))
        for _ in range(1000):
            if await house.city.fetchval("SELECT sequence FROM cursor") == house.sent:
                break
            await asyncio.sleep(0.01)
        return await house.present("NO2")

    async with house.recording():
        written = await send(1, 1.0)
        await house.city.execute(
            "UPDATE attribute SET number = 99, as_of = $2, version = version + 1 WHERE series_key = $1",
            written["series_key"],
            T0_US + 20 * S,
        )
        assert (await send(19, 19.0))["number"] == 99
        assert house.recorder.meter.retries == 1
        now = await send(21, 21.0)
    assert (now["number"], now["version"]) == (21.0, 4)
    assert await house.past("NO2") == [(1, 1.0), (19, 19.0), (21, 21.0)]
    assert (await house.changes())[-1].old == [99.0]


async def test_a_mended_profile_is_used_from_the_next_message(house: House) -> None:
    [key] = await house.add_devices()
    await house.send((key, T0_US, {"nox": 5}))
    async with house.recording():
        pass
    async with house.recording():
        mended = PROFILE.replace('field = "no2"', 'field = "nox"')
        version = await house.registry.register_profile(house.city, mended, principal="test", at_us=T0_US + S)
        assert version.version == 2
        await house.send((key, T0_US + 2 * S, {"nox": 6}))
    assert [value for _, value in await house.past("NO2")] == [6]
    assert [letter.reason for letter in await house.dead()] == [DeadReason.UNKNOWN_FIELDS]


@pytest.mark.parametrize("seed", range(3))
async def test_any_mixture_equals_a_simple_model(seed: int, house: House) -> None:
    """Random packs, some repeated, with late, equal and corrected readings, recorded in random portions by several
    recorders one after the other, come to what a dictionary says."""
    rng = random.Random(seed)
    keys = await house.add_devices(3)
    past: dict[tuple[int, int], float] = {}
    untimed = 0
    for _ in range(12):
        messages: list[tuple[int, int, object]] = []
        for n in range(rng.randint(1, 30)):
            device = rng.randrange(3)
            received = T0_US + 1000 * S + house.sent * 1000 + n
            if rng.random() < 0.2:
                untimed += 1
                messages.append((keys[device], received, {"no2": 1}))
                continue
            at_s, value = rng.randrange(20), float(rng.randrange(5))
            past[device, at_s] = value
            messages.append((keys[device], received, reading(at_s, value)))
        pack = await house.send(*messages)
        if rng.random() < 0.3 and not any(isinstance(m[2], dict) and "ts" in m[2] for m in messages):
            await house.log.append_raw(pack)
        if rng.random() < 0.4:
            await house.record()
            house.recorder = house.new_recorder()
    await house.record()
    for device in range(3):
        found = await house.past("NO2", f"air-{device}")
        assert dict(item for item in found if item[0] < 1000) == {s: v for (d, s), v in past.items() if d == device}
    assert (
        await house.city.fetchval(
            "SELECT count(*) FROM observation o WHERE o.origin_key IN (SELECT key FROM origin WHERE kind = 'pack')"
        )
        == len(past) + untimed
    )
    versions: dict[int, list[int]] = {}
    for batch in (await house.changes())[1:]:
        for series, version in zip(batch.series, batch.version, strict=True):
            versions.setdefault(series, []).append(version)
    assert all(seen == list(range(1, len(seen) + 1)) for seen in versions.values())


def test_the_lag_is_what_readings_waited_and_nothing_when_none_came() -> None:
    meter = Meter()
    assert meter.lag_s(T0_US) == 0
    meter.begin("city.0", T0_US)
    assert meter.lag_s(T0_US + 2 * S) == 2
    meter.finish("city.0", T0_US + 3 * S)
    assert meter.lag_s(T0_US + 60 * S) == 3
    meter.worst_lag_us = 0
    assert meter.lag_s(T0_US + 60 * S) == 0
