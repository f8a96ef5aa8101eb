"""A device races people: its readings come through the recorder while NGSI-LD writes and deletes the same attribute."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from random import Random

import pytest

from broadstreet.access import Principal
from broadstreet.context import CORE, Broker, parse_attribute, parse_fragment
from broadstreet.model.change import Flag
from broadstreet.model.errors import NotFound
from tests.contract.recording import T0_US, House, S, open_house

ANN = Principal.account("ann", "Ann", "city", ["engineer"])
ROUNDS = 60


@pytest.fixture
async def house(city_dsn: str, nats_url: str) -> AsyncIterator[House]:
    async with open_house(city_dsn, nats_url) as opened:
        yield opened


@pytest.mark.parametrize("seed", range(3))
async def test_readings_and_writes_at_once_come_out_right(house: House, seed: int) -> None:
    chance = Random(seed)
    [key] = await house.add_devices()
    entity_id = str(await house.city.fetchval("SELECT e.id FROM entity e JOIN device d ON d.entity_key = e.key"))
    broker = Broker(house.store)
    sent: dict[int, float] = {}

    async def device() -> None:
        for _ in range(ROUNDS):
            at_us = T0_US + chance.randrange(ROUNDS * 10) * S
            sent[at_us] = chance.randrange(1000)
            await house.send((key, at_us, {"ts": at_us, "no2": sent[at_us]}))
            await asyncio.sleep(chance.random() / 100)

    async def person() -> None:
        for number in range(ROUNDS):
            at_us = T0_US + chance.randrange(ROUNDS * 10) * S + 1 + number
            fragment = parse_fragment({"id": entity_id, "NO2": {"value": at_us}}, CORE)
            with suppress(NotFound):
                if chance.random() < 0.2:
                    name = parse_attribute({}, "NO2", CORE)
                    await broker.delete_attribute(ANN, at_us, entity_id, name, all_instances=False)
                else:
                    await broker.update(ANN, at_us, fragment)
            await asyncio.sleep(chance.random() / 100)

    house.now_us = T0_US + ROUNDS * 10 * S
    async with house.recording():
        await asyncio.gather(device(), person())
    now = await house.present("NO2")
    told = [
        (version, flags, value)
        for batch in await house.changes()
        for series, version, flags, value in zip(batch.series, batch.version, batch.flags, batch.value, strict=True)
        if series == now["series_key"]
    ]
    assert sorted(version for version, _, _ in told) == list(range(1, now["version"] + 1))
    _, flags, value = max(change for change in told if change[1] & Flag.CURRENT)
    assert (now["deleted_at"] is not None) == bool(flags & Flag.DELETED)
    if now["deleted_at"] is None:
        assert now["number"] == value
    past = {round(at_s * S) + T0_US: value for at_s, value in await house.past("NO2")}
    assert {at_us: past[at_us] for at_us in sent} == sent
