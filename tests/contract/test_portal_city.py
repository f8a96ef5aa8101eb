"""The city as the map shows it: states, why a sensor is silent, values, bars, and the sentence that begins the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from broadstreet.devices import DeviceSpec
from broadstreet.history import Observations, append
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.terms import expand
from broadstreet.store import write_origin
from tests.contract.conftest import BEGIN_US, Clock
from tests.contract.portal_house import MINUTE, PortalHouse, S, air, open_portal

YEAR_US = 365 * 24 * 60 * MINUTE


@pytest.fixture
async def house(services: Services, data_dir: Path, clock: Clock) -> AsyncIterator[PortalHouse]:
    async with open_portal(services, data_dir, clock) as opened:
        yield opened


async def test_an_empty_city_says_what_to_do(house: PortalHouse) -> None:
    city = await house.city()
    assert (city["sensors"], city["types"], city["scales"]) == ([], [], {})
    assert city["answer"] == {"sentence": "No sensor stands in this city yet. Add the first one.", "tone": "degraded"}


async def test_a_registered_device_stands_on_the_map_before_it_is_heard(house: PortalHouse) -> None:
    await house.register(air("a-1", lon=24.9461, lat=60.1702, bearing_deg=63.0))
    sensor = await house.sensor("a-1")
    assert (sensor["id"], sensor["type"]) == ("urn:ngsi-ld:AirQualityObserved:a-1", "AirQualityObserved")
    assert (sensor["lon"], sensor["lat"], sensor["bearing_deg"]) == (24.9461, 60.1702, 63.0)
    assert (sensor["state"], sensor["heard_at"], sensor["values"]) == ("never", None, {})
    assert sensor["why"] == (
        "Never heard: it has not connected since it was registered at 12:00. Check its power and its network first."
    )


async def test_a_reading_shows_with_its_time_and_limit(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    await house.air("a-1", 31.2)
    sensor = await house.sensor("a-1")
    assert sensor["state"] == "live" and sensor["why"] is None and not sensor["beyond"]
    observed = {"value": 31.2, "observed_at": format_rfc3339(BEGIN_US), "limit": 200.0, "beyond": False}
    assert sensor["values"] == {"NO2": observed}
    (facts,) = (await house.city())["types"]
    assert (facts["label"], facts["main"]) == ("Air quality", "NO2")
    assert [(a["label"], a["unit_label"]) for a in facts["attributes"]] == [("NO₂", "µg/m³"), ("Temperature", "°C")]


async def test_all_is_well_in_a_sentence(house: PortalHouse) -> None:
    await house.register(air("a-1"), air("a-2"))
    await house.air("a-1", 20)
    await house.air("a-2", 30)
    assert (await house.city())["answer"] == {"sentence": "All 2 sensors report. The air is good.", "tone": "fine"}


async def test_a_value_over_its_limit_is_what_is_wrong(house: PortalHouse) -> None:
    await house.register(air("a-1"), air("a-2"))
    await house.air("a-1", 231.4)
    await house.air("a-2", 30)
    city = await house.city()
    assert [sensor["beyond"] for sensor in city["sensors"]] == [True, False]
    assert city["answer"] == {
        "sentence": "All 2 sensors report. NO₂ is over its limit at Air, Fabianinkatu a-1: 231 µg/m³, the limit is "
        "200 µg/m³.",
        "tone": "wrong",
    }


async def test_a_device_is_silent_after_four_intervals(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    await house.air("a-1", 20)
    house.clock.forward(1195)
    assert (await house.sensor("a-1"))["state"] == "live"
    house.clock.forward(10)
    sensor = await house.sensor("a-1")
    assert (sensor["state"], sensor["why"]) == (
        "silent",
        "Silent since 12:00 (20 minutes): it is not connected. Check its power and its network.",
    )
    assert (await house.city())["answer"] == {
        "sentence": "Air, Fabianinkatu a-1 is silent since 12:00 (20 minutes).",
        "tone": "degraded",
    }


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (
            {"connected_at": BEGIN_US, "disconnected_at": None},
            "Silent since 12:00 (60 minutes): it is connected, but sends nothing. Look at the sensor behind it.",
        ),
        (
            {"connected_at": BEGIN_US, "disconnected_at": BEGIN_US + 7 * MINUTE, "reason": "keep-alive ran out"},
            "Silent since 12:00 (60 minutes): its connection ended at 12:07 (keep-alive ran out). Check its power "
            "and its network.",
        ),
        (
            {
                "connected_at": BEGIN_US,
                "disconnected_at": BEGIN_US + 7 * MINUTE,
                "refused_at": BEGIN_US + 8 * MINUTE,
                "refused_reason": "wrong secret",
            },
            "Silent since 12:00 (60 minutes): it tried to sign in at 12:08 and was refused: wrong secret. Check the "
            "secret it was given, or give it a new one.",
        ),
    ],
)
async def test_why_a_device_fell_silent(house: PortalHouse, seen: dict[str, object], why: str) -> None:
    await house.register(air("a-1"))
    await house.air("a-1", 20)
    await house.saw("a-1", **seen)
    house.clock.forward(3600)
    assert (await house.sensor("a-1"))["why"] == why


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (
            {"refused_at": BEGIN_US + MINUTE, "refused_reason": "wrong secret"},
            "Never heard: it tried to sign in at 12:01 and was refused: wrong secret. Check the secret it was given, "
            "or give it a new one.",
        ),
        (
            {"connected_at": BEGIN_US + MINUTE},
            "Never heard: it is connected since 12:01 but has sent nothing. Look at the sensor behind it.",
        ),
        (
            {"connected_at": BEGIN_US + MINUTE, "disconnected_at": BEGIN_US + 2 * MINUTE, "reason": "it hung up"},
            "Never heard: it connected at 12:01 and left (it hung up) before it had sent anything.",
        ),
    ],
)
async def test_why_a_device_was_never_heard(house: PortalHouse, seen: dict[str, object], why: str) -> None:
    await house.register(air("a-1"))
    await house.saw("a-1", **seen)
    sensor = await house.sensor("a-1")
    assert (sensor["state"], sensor["why"]) == ("never", why)


async def test_what_cannot_be_decoded_is_silence_with_its_reason(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    await house.air("a-1", 20)
    house.clock.forward(360)
    await house.send("a-1", {"nitrogen": 20})
    sensor = await house.sensor("a-1")
    assert sensor["state"] == "silent"
    assert sensor["why"].startswith("It sends, last at 12:06, but nothing can be decoded: no known field")
    assert "profile air 1" in sensor["why"]
    await house.air("a-1", 25)
    assert (await house.sensor("a-1"))["state"] == "live"


async def test_a_disabled_device_says_so(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    await house.air("a-1", 20)
    await house.services.registry.disable(house.house.city, "a-1", house.clock())
    sensor = await house.sensor("a-1")
    told = "Disabled since 12:00: its credential is refused until it is enabled again."
    assert (sensor["state"], sensor["why"]) == ("silent", told)
    house.clock.forward(60)
    await house.services.registry.disable(house.house.city, "a-1", house.clock())
    sensor = await house.sensor("a-1")
    assert sensor["disabled_at"] == "2026-03-01T12:00:00Z", "since the first time"
    await house.services.registry.disable(house.house.city, "a-1", None)
    sensor = await house.sensor("a-1")
    assert (sensor["state"], sensor["why"], sensor["disabled_at"]) == ("live", None, None)


async def test_what_is_disabled_is_not_missed(house: PortalHouse) -> None:
    await house.register(air("a-1"), air("a-2"), air("a-3"))
    for device in ("a-1", "a-2"):
        await house.air(device, 20)
    await house.services.registry.disable(house.house.city, "a-2", house.clock())
    city = await house.get("/portal/api/city?state=missing")
    assert [sensor["device"] for sensor in city["sensors"]] == ["a-3"]
    told = city["answer"]["sentence"]
    assert told.startswith("1 of 2 sensors reports. "), told
    assert told.endswith("Air, Fabianinkatu a-3 was never heard. Air, Fabianinkatu a-2 is disabled."), told
    await house.services.registry.disable(house.house.city, "a-1", house.clock())
    assert "2 sensors are disabled" in (await house.city())["answer"]["sentence"]


async def test_disabled_neighbours_point_to_no_cabinet(house: PortalHouse) -> None:
    lights = [
        DeviceSpec(id=f"l-{n}", title=f"Light {n}", profile="light", lon=24.95, lat=60.17, street="Fabianinkatu")
        for n in range(4)
    ]
    await house.register(*lights)
    for n in range(4):
        await house.send(f"l-{n}", {"level": 100})
        await house.services.registry.disable(house.house.city, f"l-{n}", house.clock())
    assert "cabinet" not in (await house.city())["answer"]["sentence"]


async def test_neighbours_that_fall_silent_together_point_to_their_cabinet(house: PortalHouse) -> None:
    lights = [
        DeviceSpec(id=f"l-{n}", title=f"Light {n}", profile="light", lon=24.95, lat=60.17, street="Fabianinkatu")
        for n in range(12)
    ]
    elsewhere = DeviceSpec(id="far", title="Light far", profile="light", lon=24.95, lat=60.17, street="Yrjönkatu")
    await house.register(*lights, elsewhere, air("a-1"))
    for n in range(12):
        await house.send(f"l-{n}", {"level": 100}, at_us=house.clock() + n * 10 * S)
    await house.send("far", {"level": 100})
    house.clock.forward(3600)
    await house.air("a-1", 20)
    why = (await house.sensor("l-3"))["why"]
    assert why == (
        "Silent with 11 others on Fabianinkatu since 12:00 (60 minutes): look at the cabinet or the power first. "
        "It is not connected."
    )
    assert "cabinet" not in (await house.sensor("far"))["why"]
    assert (await house.city())["answer"]["sentence"] == (
        "1 of 14 sensors reports. The air is good. 12 street lights on Fabianinkatu fell silent together at 12:00 "
        "(60 minutes ago): look at the cabinet or the power first. The street light Light far is silent since 12:00 "
        "(60 minutes). Silent longest is Light 0 since 12:00 (60 minutes)."
    )


async def test_bars_are_hourly_means_on_a_scale_that_all_share(house: PortalHouse) -> None:
    await house.register(air("a-1"), air("a-2"))
    for hours_ago, no2 in ((23, 10.0), (1, 40.0), (0, 90.0)):
        await house.air("a-1", no2, at_us=BEGIN_US - hours_ago * 60 * MINUTE)
    await house.air("a-1", 20.0, at_us=BEGIN_US - 60 * MINUTE + MINUTE)
    city = await house.city()
    assert city["scales"]["NO2"] == [0, 100]
    assert city["bars_from_ms"] == (BEGIN_US - 23 * 60 * MINUTE) // 1000
    first, second = city["sensors"]
    assert first["bars"] == [0.1, *[None] * 21, 0.3, 0.9]
    assert second["bars"] == [None] * 24


async def test_what_an_import_wrote_is_drawn_and_not_missed(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    await house.air("a-1", 20)
    city = house.house.city
    terms = await house.services.store.terms(city).intern([expand(n) for n in ("Loop", "speed", "location", "name")])
    at_us = BEGIN_US - 14 * 365 * 24 * 60 * MINUTE
    async with city.transaction() as connection:
        entity = await connection.fetchval(
            "INSERT INTO entity (id, types, created_at, modified_at) VALUES ('urn:x:loop', $1, $2, $2) RETURNING key",
            [terms[expand("Loop")]],
            BEGIN_US,
        )
        keys = {
            name: await connection.fetchval(
                "INSERT INTO series (entity_key, term_key) VALUES ($1, $2) RETURNING key", entity, terms[expand(name)]
            )
            for name in ("speed", "location")
        }
        await connection.execute(
            "INSERT INTO place (series_key, entity_key, term_key, bounds, geojson) "
            "VALUES ($1, $2, $3, box(point(-118.2, 34.1), point(-118.2, 34.1)), '{}')",
            keys["location"],
            entity,
            terms[expand("location")],
        )
        origin = await write_origin(connection, "import", "root", BEGIN_US, "speed_5min.csv")
        await append(
            connection, Observations.of(keys["speed"], [at_us], [61.5]), origin_key=origin, written_at_us=BEGIN_US
        )
    loop = next(sensor for sensor in (await house.city())["sensors"] if sensor["id"] == "urn:x:loop")
    assert (loop["device"], loop["title"], loop["state"], loop["heard_at"]) == (None, "loop", "imported", None)
    assert loop["why"] == "Imported: 4 March 2012, last reading 4 March 2012 at 12:00."
    assert loop["imported"] == {"from": format_rfc3339(at_us), "to": format_rfc3339(at_us)}
    assert loop["values"]["speed"]["value"] == 61.5
    assert (await house.city())["answer"] == {
        "sentence": "The one sensor reports. The air is good. 1 more sensor is imported, with readings of "
        "4 March 2012.",
        "tone": "fine",
    }


async def test_an_imported_device_is_neither_missed_nor_counted(house: PortalHouse) -> None:
    await house.register(air("a-1"), air("old-1"), air("old-2"))
    await house.air("a-1", 20)
    for device in ("old-1", "old-2"):
        await house.bring_in(device, "NO2", [BEGIN_US - 14 * YEAR_US, BEGIN_US - 11 * YEAR_US], [31.5, 250.0])
    city = await house.city()
    states = {sensor["device"]: (sensor["state"], sensor["why"]) for sensor in city["sensors"]}
    told = "Imported: 2012–2015, last reading 4 March 2015 at 12:00."
    assert states == {"a-1": ("live", None), "old-1": ("imported", told), "old-2": ("imported", told)}
    assert city["answer"] == {
        "sentence": "The one sensor reports. The air is good. 2 more sensors are imported, with readings of 2012–2015.",
        "tone": "fine",
    }
    page = await house.get("/portal/api/entity?id=urn:ngsi-ld:AirQualityObserved:old-1")
    assert (page["state"], page["why"], page["answer"]) == ("imported", told, {"sentence": told, "tone": "fine"})
    (hit,) = await house.get("/portal/api/search?q=old-1")
    assert hit["subtitle"] == "Air quality, old-1, imported"
    devices = (await house.get("/portal/api/system"))["devices"]
    assert devices == {"total": 1, "live": 1, "silent": 0, "never": 0, "imported": 2}


async def test_a_city_of_imports_alone_says_so(house: PortalHouse) -> None:
    await house.register(air("old-1"))
    await house.bring_in("old-1", "NO2", [BEGIN_US - 14 * YEAR_US], [31.5])
    assert (await house.city())["answer"] == {
        "sentence": "1 sensor is imported, with readings of 4 March 2012.",
        "tone": "fine",
    }


async def test_an_imported_device_that_connects_is_imported_no_longer(house: PortalHouse) -> None:
    await house.register(air("a-1"), air("a-2"))
    for device in ("a-1", "a-2"):
        await house.bring_in(device, "NO2", [BEGIN_US - 14 * YEAR_US], [31.5])
    await house.saw("a-1", refused_at=BEGIN_US, refused_reason="wrong secret")
    await house.air("a-2", 20)
    refused, heard = await house.sensor("a-1"), await house.sensor("a-2")
    assert (refused["state"], heard["state"], refused["imported"]) == ("never", "live", None)
    assert refused["why"].startswith("Never heard: it tried to sign in at 12:00")


async def test_the_longest_silence_is_named_alike_everywhere(house: PortalHouse) -> None:
    await house.register(air("a-10"), air("a-9"), air("a-2"), air("a-1"))
    for device, earlier in (("a-10", 3), ("a-9", 3), ("a-2", 1), ("a-1", 0)):
        await house.air(device, 20, at_us=BEGIN_US - earlier * 60 * MINUTE)
    house.clock.forward(3600)
    city = await house.city()
    assert city["answer"]["sentence"].endswith(
        "4 sensors are silent. Silent longest is Air, Fabianinkatu a-9 since 09:00 (4 hours)."
    )
    assert min(city["sensors"], key=lambda sensor: (sensor["heard_at"], len(sensor["title"])))["device"] == "a-9"


@pytest.mark.parametrize(
    ("query", "devices"),
    [
        ("", {"a-1", "a-2", "a-3", "a-4", "old", "l-1"}),
        ("?type=Streetlight", {"l-1"}),
        ("?type=Streetlight,AirQualityObserved&street=Fabianinkatu", {"a-1", "a-2", "a-3", "a-4", "old"}),
        ("?state=live", {"a-1", "a-4"}),
        ("?state=beyond", {"a-4"}),
        ("?state=silent", {"a-2"}),
        ("?state=never", {"a-3", "l-1"}),
        ("?state=missing&street=Fabianinkatu", {"a-2", "a-3"}),
        ("?state=imported", {"old"}),
    ],
)
async def test_a_part_of_the_city_is_what_the_filter_names(house: PortalHouse, query: str, devices: set[str]) -> None:
    light = DeviceSpec(id="l-1", title="Light 1", profile="light", lon=24.95, lat=60.17, street="Yrjönkatu")
    await house.register(air("a-1"), air("a-2"), air("a-3"), air("a-4"), air("old"), light)
    await house.bring_in("old", "NO2", [BEGIN_US - YEAR_US], [250.0])
    await house.air("a-2", 250, at_us=BEGIN_US - 60 * MINUTE)
    await house.air("a-1", 20)
    await house.air("a-4", 250)
    city = await house.get(f"/portal/api/city{query}")
    assert {sensor["device"] for sensor in city["sensors"]} == devices
    assert city["answer"]["sentence"].startswith("2 of 5 sensors report. NO₂ is over its limit at ")


async def test_a_state_that_is_none_is_refused(house: PortalHouse) -> None:
    answer = await house.ask("/portal/api/city?state=asleep")
    assert (answer.status, answer.json["where"]) == (400, "state")


async def test_one_wild_value_does_not_flatten_all_others(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    for hour in range(1, 23):
        await house.air("a-1", 20 + hour, at_us=BEGIN_US - hour * 60 * MINUTE)
    await house.air("a-1", 1900)
    city = await house.city()
    assert city["scales"]["NO2"][1] <= 60
    assert city["sensors"][0]["bars"][-1] == 1
    assert min(bar for bar in city["sensors"][0]["bars"] if bar is not None) < 0.6


async def test_another_tenant_sees_nothing_of_it(house: PortalHouse) -> None:
    await house.register(air("a-1"))
    await house.services.access.accounts.grant("root", "viewer", tenant="harbour", by="test")
    answer = await house.ask("/portal/api/city", headers={"ngsild-tenant": "harbour"})
    assert answer.json["sensors"] == []
