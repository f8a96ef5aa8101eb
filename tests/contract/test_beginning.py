"""A log and a database that do not belong together: said once, and nothing skipped or repeated in silence."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from broadstreet.access.audit import Audit
from broadstreet.log import Pack, StreamLimits
from broadstreet.log.raw import RawStream
from tests.contract.recording import T0_US, House, open_house

WAITING = "SELECT count(*) FROM outbox"


@pytest.fixture
async def house(city_dsn: str, nats_url: str) -> AsyncIterator[House]:
    async with open_house(city_dsn, nats_url) as opened:
        await opened.add_devices()
        yield opened


async def send(house: House, *values: int) -> list[Pack]:
    """A pack for each value, at a time of its own that its receipt alone tells."""
    key = await house.city.fetchval("SELECT key FROM device")
    return [await house.send((key, T0_US + value, {"no2": value})) for value in values]


async def recorded(house: House, count: int) -> list[Any]:
    """Run a new recorder until so many values are there; what is there, in their order."""
    house.recorder = house.new_recorder()
    task = asyncio.create_task(house.recorder.run())
    try:
        for _ in range(1500):
            is_applied = await house.city.fetchval("SELECT sequence >= $1 FROM cursor", house.sent)
            if is_applied and len(await house.past("NO2")) >= count and not await house.city.fetchval(WAITING):
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError(f"not applied in time: {await house.past('NO2')}")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return [value for _, value in await house.past("NO2")]


async def said(house: House) -> list[str]:
    """What the audit says of it, oldest first."""
    lines = await Audit(house.store.control).read("city")
    return [line.action for line in reversed(lines) if line.action.startswith("log.")]


async def put_back(house: House, packs: list[Pack]) -> None:
    """The log as it was when it held these packs alone, under the same incarnation: as a copy of its files has it."""
    jetstream = house.log.client.jetstream()
    incarnation = await house.log.raw_incarnation()
    config = (await house.log.stream_info("RAW")).config
    await jetstream.delete_stream("RAW")
    config.metadata = {**(config.metadata or {}), "broadstreet-incarnation": incarnation}
    await jetstream.add_stream(config)
    assert await house.log.raw_incarnation() == incarnation
    for pack in packs:
        house.sent = (await house.log.append_raw(pack)).sequence


async def test_what_belongs_together_is_not_remarked_on(house: House) -> None:
    await send(house, 1, 2, 3)
    assert await recorded(house, 3) == [1, 2, 3]
    await send(house, 4)
    await RawStream(house.log).trim("city", 0, house.sent)
    assert await recorded(house, 4) == [1, 2, 3, 4]
    assert await said(house) == []


async def test_a_log_that_ends_before_the_cursor_is_read_again_and_each_pack_applied_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    packs = await send(house, 1, 2, 3, 4)
    await recorded(house, 4)
    await put_back(house, packs[:2])
    await send(house, 5)
    with caplog.at_level(logging.ERROR):
        assert await recorded(house, 5) == [1, 2, 3, 4, 5]
    assert await said(house) == ["log.older"]
    [record] = [one for one in caplog.records if one.name.endswith("beginning")]
    assert "city, partition 0: the log is older than the database: it ends at 3, and 4 was applied" in record.message
    assert "restore both from one backup" in record.message
    await send(house, 6)
    assert await recorded(house, 6) == [1, 2, 3, 4, 5, 6]
    assert await said(house) == ["log.older"], "said once"


async def test_an_older_log_that_has_grown_past_the_cursor_is_told_by_the_pack_that_stands_there(house: House) -> None:
    packs = await send(house, 1, 2, 3)
    await recorded(house, 3)
    await put_back(house, packs[:1])
    await send(house, 4, 5, 6)
    assert await recorded(house, 6) == [1, 2, 3, 4, 5, 6]
    assert await said(house) == ["log.older"]


async def test_an_older_database_applies_again_what_the_log_still_has(house: House) -> None:
    packs = await send(house, 1, 2, 3)
    await recorded(house, 3)
    await forget(house, packs[1:], 1)
    assert await recorded(house, 3) == [1, 2, 3]
    assert await said(house) == []


async def test_what_a_newer_database_let_go_of_is_said_to_be_missing(house: House) -> None:
    packs = await send(house, 1, 2, 3, 4)
    await recorded(house, 4)
    await RawStream(house.log).trim("city", 0, 4)
    await forget(house, packs[1:], 1)
    assert await recorded(house, 2) == [1, 4]
    assert await said(house) == ["log.gap"]
    [line] = [line for line in await Audit(house.store.control).read("city") if line.action == "log.gap"]
    assert (line.subject, line.detail["applied"], line.detail["goes_on_behind"]) == ("city, partition 0", 1, 3)
    await send(house, 5)
    assert await recorded(house, 3) == [1, 4, 5]
    assert await said(house) == ["log.gap"], "said once"


async def test_a_log_that_was_made_anew_is_read_whole(house: House) -> None:
    await send(house, 1, 2)
    await recorded(house, 2)
    await house.log.client.jetstream().delete_stream("RAW")
    await house.log.ensure_streams(StreamLimits())
    await send(house, 3)
    assert await recorded(house, 3) == [1, 2, 3]
    assert await said(house) == ["log.replaced"]


async def forget(house: House, packs: list[Pack], cursor: int) -> None:
    """The database as it was before these packs."""
    ids = [pack.id.hex() for pack in packs]
    keys = "SELECT key FROM origin WHERE pack_id = ANY ($1::uuid[])"
    await house.city.execute(f"DELETE FROM observation WHERE origin_key IN ({keys})", ids)
    await house.city.execute(f"DELETE FROM attribute WHERE origin_key IN ({keys})", ids)
    await house.city.execute("DELETE FROM origin WHERE pack_id = ANY ($1::uuid[])", ids)
    await house.city.execute("UPDATE cursor SET sequence = $1", cursor)
