"""A past for devices that have none: whole, before anything known, and the same however often it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from broadstreet.devices import DeviceSpec, Registry
from broadstreet.devices.dataset import Dataset, describe_dataset
from broadstreet.history.observations import Bools, Floats, Int64s
from broadstreet.importer import past as loading
from broadstreet.importer.past import Loaded, PastLoader
from broadstreet.model.change import Flag, decode_changes
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.store import Database, Store

NOW_US = 1_767_225_600_000_000
STEP_US = 300_000_000
PROFILE = """
[profile]
name = "air"
type = "AirQualityObserved"
time = "ts"
[attributes.NO2]
field = "no2"
unit = "GQ"
[attributes.temperature]
field = "tenths"
unit = "CEL"
scale = 0.1
"""
DATASET = Dataset(id="urn:broadstreet:dataset:made-up", title="Made up", simulated=True)


@dataclass(frozen=True)
class MadeUp:
    """A past of two fields, as the loader takes it."""

    device_ids: list[str]
    times_us: Int64s
    fields: dict[str, Floats]
    said: Bools
    profile: str = "air"


def made_up(devices: int, moments: int, until_us: int = NOW_US) -> MadeUp:
    """Devices a-0, a-1, …; the value at (n, m) is 1000 n + m."""
    times_us = until_us - np.arange(moments, 0, -1) * STEP_US
    values: Floats = (
        np.arange(devices, dtype=np.float64)[:, None] * 1000 + np.arange(moments, dtype=np.float64)[None, :]
    )
    fields = {"no2": values, "tenths": values * 10}
    return MadeUp([f"a-{n}" for n in range(devices)], times_us, fields, np.ones((devices, moments), np.bool_))


class Site:
    """A tenant with four devices, and one who loads."""

    def __init__(self, store: Store, city: Database) -> None:
        self.store = store
        self.city = city

    async def load(self, past: MadeUp, at_us: int = NOW_US) -> Loaded:
        loader = PastLoader(self.store, self.city, principal="city new", at_us=at_us, note="made up")
        return await loader.load([past])

    async def rows(self, device: str, attribute: str) -> list[tuple[int, float]]:
        """(time, number) of a device's attribute, oldest first, straight from the tables."""
        found = await self.city.fetch(
            "SELECT o.observed_at, o.number FROM device d JOIN series s ON s.entity_key = d.entity_key "
            "JOIN term t ON t.key = s.term_key JOIN observation o ON o.series_key = s.key "
            "WHERE d.id = $1 AND t.iri LIKE '%/' || $2 ORDER BY 1",
            device,
            attribute,
        )
        return [(row["observed_at"], row["number"]) for row in found]

    async def one(self, sql: str, *arguments: Any) -> Any:
        row = await self.city.fetchrow(sql, *arguments)
        return None if row is None else tuple(row.values())


@pytest.fixture
async def site(city_dsn: str) -> AsyncIterator[Site]:
    async with await Store.connect(city_dsn) as store:
        city = await store.tenant("city")
        registry = Registry(store)
        await describe_dataset(city, DATASET)
        await registry.register_profile(city, PROFILE, principal="test", at_us=NOW_US)
        specs = [
            DeviceSpec(id=f"a-{n}", title=f"Air {n}", profile="air", lon=24.9, lat=60.2, dataset=DATASET.id)
            for n in range(4)
        ]
        await registry.register_many(city, specs, principal="test", at_us=NOW_US)
        await city.execute("DELETE FROM outbox")
        yield Site(store, city)


async def test_a_past_is_whole(site: Site) -> None:
    past = made_up(4, 500)
    past.said[1, 100:200] = False
    past.said[3] = False
    assert await site.load(past) == Loaded(observations=2 * 1400, devices=3, untouched=1)
    times = past.times_us.tolist()
    assert await site.rows("a-2", "NO2") == [(at, 2000.0 + m) for m, at in enumerate(times)]
    kept = [m for m in range(500) if not 100 <= m < 200]
    rows = await site.rows("a-1", "temperature")
    assert [at for at, _ in rows] == [times[m] for m in kept]
    assert [value for _, value in rows] == pytest.approx([1000.0 + m for m in kept])
    assert await site.rows("a-3", "NO2") == []


async def test_everything_says_that_it_is_made_up(site: Site) -> None:
    await site.load(made_up(4, 300))
    kinds = await site.city.fetch(
        "SELECT DISTINCT r.kind, r.principal, r.note FROM observation o JOIN origin r ON r.key = o.origin_key "
        "JOIN series s ON s.key = o.series_key JOIN term t ON t.key = s.term_key WHERE t.iri LIKE '%/NO2'"
    )
    assert [tuple(row.values()) for row in kinds] == [("simulated", "city new", "made up")]
    assert await site.one("SELECT bool_and(g.simulated) FROM series s JOIN dataset g ON g.key = s.dataset_key ") == (
        True,
    )
    unit = "SELECT DISTINCT m.body FROM observation o JOIN meta m ON m.key = o.meta_key JOIN series s ON s.key = "
    found = await site.city.fetch(unit + "o.series_key JOIN term t ON t.key = s.term_key WHERE t.iri LIKE '%/NO2'")
    assert [row["body"] for row in found] == [{"unitCode": "GQ"}]


async def test_the_newest_is_current_and_the_devices_were_heard(site: Site) -> None:
    past = made_up(4, 300)
    past.said[0, 290:] = False
    past.said[3] = False
    await site.load(past)
    heard = await site.city.fetch(
        "SELECT d.id, h.first_at, h.last_at, h.messages FROM heard h JOIN device d ON d.key = h.device_key ORDER BY 1"
    )
    times = past.times_us.tolist()
    assert [tuple(row.values()) for row in heard] == [
        ("a-0", times[0], times[289], 290),
        ("a-1", times[0], times[-1], 300),
        ("a-2", times[0], times[-1], 300),
    ]
    current = await site.city.fetch(
        "SELECT d.id, a.number, a.observed_at FROM device d JOIN series s ON s.entity_key = d.entity_key "
        "JOIN term t ON t.key = s.term_key JOIN attribute a ON a.series_key = s.key WHERE t.iri LIKE '%/NO2' ORDER BY 1"
    )
    assert [tuple(row.values()) for row in current] == [
        ("a-0", 289.0, times[289]),
        ("a-1", 1299.0, times[-1]),
        ("a-2", 2299.0, times[-1]),
    ]


async def test_what_became_current_leaves_through_the_outbox(site: Site) -> None:
    await site.load(made_up(2, 300))
    rows = await site.city.fetch("SELECT body FROM outbox")
    batches = [decode_changes(row["body"]) for row in rows]
    assert {batch.kind for batch in batches} == {"simulated"}
    assert sorted(value for batch in batches for value in batch.value) == [299.0, 299.0, 1299.0, 1299.0]
    assert {flags for batch in batches for flags in batch.flags} == {int(Flag.CURRENT | Flag.CREATED)}


async def test_given_twice_it_is_there_once(site: Site) -> None:
    past = made_up(4, 300)
    await site.load(past)
    before = await site.one("SELECT count(*), max(key) FROM observation, origin")
    assert await site.load(past) == Loaded(observations=0, devices=0, untouched=4)
    assert await site.load(made_up(4, 250)) == Loaded(observations=0, devices=0, untouched=4)
    assert await site.one("SELECT count(*), max(key) FROM observation, origin") == before
    assert await site.one("SELECT sum(messages)::int FROM heard") == (1200,)


async def test_nothing_known_is_touched(site: Site) -> None:
    """A longer past adds what was before; a device that spoke meanwhile keeps what it said."""
    await site.load(made_up(1, 10))
    longer = made_up(4, 300, NOW_US + 20 * STEP_US)
    assert await site.load(longer) == Loaded(observations=2 * (3 * 300 + 270), devices=4, untouched=0)
    assert [number for _, number in await site.rows("a-0", "NO2")] == [*range(270), *range(10)]
    assert await site.one("SELECT count(*) FROM observation WHERE modified_at IS NOT NULL") == (0,)


async def test_interrupted_it_goes_on_where_it_was(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "BATCH_OBSERVATIONS", 600)
    monkeypatch.setattr(loading, "CONNECTIONS", 1)
    past = made_up(4, 300)

    class PowerCut(Exception):
        pass

    def cut(observations: int) -> None:
        raise PowerCut

    loader = PastLoader(site.store, site.city, principal="city new", at_us=NOW_US, note="made up")
    with pytest.RaisesGroup(PowerCut):
        await loader.load([past], cut)
    assert await site.load(past) == Loaded(observations=3 * 600, devices=3, untouched=1)
    assert await site.one("SELECT count(*), sum(messages)::int FROM heard") == (4, 1200)
    assert len(await site.rows("a-0", "NO2")) == 300


async def test_a_device_must_be_registered(site: Site) -> None:
    stranger = replace(made_up(4, 10), device_ids=["a-0", "a-1", "a-2", "b-9"])
    with pytest.raises(NotFound, match="b-9"):
        await site.load(stranger)


async def test_a_profile_must_be_known_and_fit(site: Site) -> None:
    with pytest.raises(NotFound, match="water"):
        await site.load(replace(made_up(4, 10), profile="water"))
    past = made_up(4, 10)
    with pytest.raises(InvalidInput, match="tenths"):
        await site.load(replace(past, fields={"no2": past.fields["no2"]}))
