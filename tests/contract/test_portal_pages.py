"""An entity's page, its chart, where a value comes from, who changed it; rankings, search, export, health."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from broadstreet.apis import Services
from broadstreet.city import City, NamedStreet, save_city
from broadstreet.devices.dataset import Dataset, describe_dataset
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.geometry import Box
from broadstreet.portal.enrolment import MqttAddress, connection_url, mqtt_address
from tests.contract.conftest import BEGIN_US, Clock
from tests.contract.portal_house import MINUTE, PortalHouse, S, air, open_portal

HOUR = 60 * MINUTE
A1 = "urn:ngsi-ld:AirQualityObserved:a-1"
HELSINKI = City(
    name="helsinki",
    tenant="city",
    title="Helsinki",
    bounds=Box(24.93, 60.16, 24.96, 60.18),
    center=(24.945, 60.17),
    time_zone="Europe/Helsinki",
    basemap="helsinki.pmtiles",
    attribution="© OpenStreetMap contributors",
    streets=[
        NamedStreet("Fabianinkatu", 24.9501, 60.1690, 12.0, 900.0),
        NamedStreet("Yrjönkatu", 24.9390, 60.1660, 170.0, 700.0),
    ],
)


@pytest.fixture
async def house(services: Services, data_dir: Path, clock: Clock) -> AsyncIterator[PortalHouse]:
    async with open_portal(services, data_dir, clock) as opened:
        await opened.register(air("a-1"), air("a-2", street="Yrjönkatu"))
        yield opened


@pytest.fixture
def helsinki(data_dir: Path) -> City:
    (data_dir / "maps").mkdir()
    save_city(data_dir / "maps", HELSINKI)
    return HELSINKI


async def test_units_are_written_as_people_write_them(house: PortalHouse) -> None:
    units = await house.get("/portal/api/units")
    assert (units["GQ"], units["CEL"], units["C62"]) == ("µg/m³", "°C", "")


async def test_an_entity_says_what_it_is_and_whether_to_believe_it(house: PortalHouse) -> None:
    await house.air("a-1", 31.2)
    house.clock.forward(120)
    page = await house.get(f"/portal/api/entity?id={A1}")
    assert page["answer"] == {
        "sentence": "NO₂: 31.2 µg/m³, heard 2 minutes ago, within the limit of 200 µg/m³.",
        "tone": "fine",
    }
    assert (page["title"], page["street"], page["type_label"]) == (
        "Air, Fabianinkatu a-1",
        "Fabianinkatu",
        "Air quality",
    )
    assert page["device"]["profile"] == {"name": "air", "version": 1}
    assert (page["device"]["messages"], page["device"]["connection"]) == (1, None)
    no2, temperature, *rest = page["attributes"]
    assert (no2["value"], no2["unit_label"], no2["limit"], no2["version"]) == (31.2, "µg/m³", 200.0, 1)
    assert no2["belief"] == {"verdict": "good", "words": "Observed 2 minutes ago, as often as expected."}
    assert (temperature["value"], temperature["belief"]["verdict"]) == (None, "never")
    assert {attribute["name"] for attribute in rest} == {"name", "address", "location"}
    house.clock.forward(3600)
    no2 = (await house.get(f"/portal/api/entity?id={A1}"))["attributes"][0]
    assert no2["belief"] == {"verdict": "stale", "words": "Observed 62 minutes ago; it may be otherwise by now."}


async def test_a_replayed_past_is_told_with_its_date(house: PortalHouse) -> None:
    await house.send("a-1", {"ts": BEGIN_US - 400 * 24 * HOUR, "no2": 61})
    page = await house.get(f"/portal/api/entity?id={A1}")
    assert page["state"] == "live"
    assert page["answer"]["sentence"].startswith("NO₂: 61.0 µg/m³, observed on 25 January 2025 at 12:00")
    assert page["attributes"][0]["belief"]["verdict"] == "stale"


async def test_an_entitys_page_is_of_one_moment(house: PortalHouse) -> None:
    """The city's roster may be a moment old; headline, values and what is said of the device are read together."""
    await house.air("a-1", 31.2)
    await house.city()
    await house.air("a-1", 99, at_us=house.clock() + 1)
    page = await house.get(f"/portal/api/entity?id={A1}")
    assert page["answer"]["sentence"].startswith("NO₂: 99.0 µg/m³, heard less than a minute ago")
    assert page["attributes"][0]["value"] == 99
    assert (page["device"]["messages"], page["device"]["last_heard_at"]) == (2, page["attributes"][0]["observed_at"])
    assert (page["heard_at"], page["at"]) == (page["device"]["last_heard_at"], format_rfc3339(house.clock()))


async def test_how_often_a_device_speaks_is_seen_beside_what_is_expected(house: PortalHouse) -> None:
    for n in range(5):
        await house.air("a-1", 20, at_us=house.clock() + n * 2 * S)
    device = (await house.get(f"/portal/api/entity?id={A1}"))["device"]
    assert (device["interval_s"], device["step_s"]) == (300, 2)
    assert (await house.get("/portal/api/entity?id=urn:ngsi-ld:AirQualityObserved:a-2"))["device"]["step_s"] is None


async def test_a_page_tells_where_the_past_of_what_was_imported_lies(house: PortalHouse) -> None:
    times = [BEGIN_US - (400 - day) * 24 * HOUR for day in range(3)]
    await house.bring_in("a-1", "NO2", times, [30, 31, 32])
    page = await house.get(f"/portal/api/entity?id={A1}")
    assert (page["state"], page["heard_at"]) == ("imported", None)
    assert page["imported"] == {"from": format_rfc3339(times[0]), "to": format_rfc3339(times[-1])}
    assert page["answer"]["sentence"].startswith("Imported: ") and "power" not in page["answer"]["sentence"]
    no2 = page["attributes"][0]
    assert (no2["first_at"], no2["observed_at"]) == (format_rfc3339(times[0]), format_rfc3339(times[-1]))
    assert (no2["step_s"], no2["belief"]["words"][:8]) == (24 * 3600, "Imported")


async def test_what_describes_a_simulated_sensor_is_not_simulated(house: PortalHouse) -> None:
    made_up = Dataset(id="urn:x:made-up", title="Made up", simulated=True)
    await describe_dataset(house.house.city, made_up)
    await house.register(air("a-3", dataset=made_up.id))
    await house.air("a-3", 12)
    page = await house.get("/portal/api/entity?id=urn:ngsi-ld:AirQualityObserved:a-3")
    beliefs = {attribute["name"]: attribute["belief"]["verdict"] for attribute in page["attributes"]}
    assert (beliefs["NO2"], beliefs["name"], beliefs["location"]) == ("simulated", "good", "good")
    texts = {attribute["name"]: attribute["text"] for attribute in page["attributes"]}
    assert (texts["location"], texts["address"]) == ("60.17000, 24.95000", "Fabianinkatu")


async def test_a_device_shows_its_own_rejected_messages(house: PortalHouse) -> None:
    assert (await house.get(f"/portal/api/entity?id={A1}"))["device"]["rejected"] is None
    await house.send("a-1", {"no2": 9000})
    await house.send("a-1", {"ozone": 3})
    await house.send("a-2", b"nonsense")
    rejected = (await house.get(f"/portal/api/entity?id={A1}"))["device"]["rejected"]
    assert (rejected["count"], rejected["is_least"]) == (2, False)
    newest = rejected["newest"]
    assert (newest["device"], newest["reason"], newest["profile"]) == ("a-1", "no known field", "air 1")
    assert "ozone" in newest["detail"] and newest["payload"] == '{"ozone":3}'
    assert newest["remedy"].startswith("Send fields that the profile names")


async def test_an_entity_that_is_no_sensor_has_a_page_too(house: PortalHouse) -> None:
    bearer = (await house.services.access.tokens.issue("root", "api", "test", 3600, by="test")).secret
    entity = {
        "id": "urn:ngsi-ld:Cabinet:7",
        "type": "Cabinet",
        "name": {"type": "Property", "value": "Cabinet 7"},
        "feeds": {"type": "Relationship", "object": A1},
    }
    answer = await house.ask("/ngsi-ld/v1/entities", "POST", headers={"authorization": f"Bearer {bearer}"}, body=entity)
    assert answer.status == 201, answer.body
    page = await house.get("/portal/api/entity?id=urn:ngsi-ld:Cabinet:7")
    assert (page["title"], page["device"], page["lon"], page["state"]) == ("Cabinet 7", None, None, "live")
    assert page["relationships"] == [{"name": "Feeds", "target": A1, "target_title": "Air, Fabianinkatu a-1"}]
    told = (await house.get("/portal/api/changes?id=urn:ngsi-ld:Cabinet:7"))[0]
    assert (told["kind"], told["principal"]) == ("api", "root")


async def test_what_is_not_there_is_not_found(house: PortalHouse) -> None:
    for target in (
        "/portal/api/entity?id=urn:x:none",
        f"/portal/api/series?id={A1}&attribute=nothing",
        f"/portal/api/provenance?id={A1}&attribute=NO2",
        "/portal/maps/none.pmtiles",
        "/portal/nothing",
    ):
        assert (await house.ask(target)).status == 404, target


async def test_a_chart_keeps_its_peak_and_shows_its_gaps(house: PortalHouse) -> None:
    points = [{"ts": BEGIN_US - n * MINUTE, "no2": 20 + n % 7} for n in range(600) if not 200 < n < 300]
    points[77]["no2"] = 180
    await house.send("a-1", points)
    raw = await house.get(f"/portal/api/series?id={A1}&attribute=NO2&points=1000")
    assert (raw["mode"], raw["count"], raw["limit"], raw["unit_label"]) == ("raw", len(points), 200.0, "µg/m³")
    assert raw["gaps_ms"] == [[(BEGIN_US - n * MINUTE) // 1000 for n in (300, 200)]]
    less = await house.get(f"/portal/api/series?id={A1}&attribute=NO2&points=40")
    assert (less["mode"], less["count"]) == ("downsampled", len(points))
    assert len(less["t_ms"]) == len(less["v"]) == len(less["low"]) == len(less["high"]) <= 40
    assert max(less["v"]) == 180
    assert (await house.ask(f"/portal/api/series?id={A1}&attribute=NO2&points=5000")).status == 400
    assert (await house.ask(f"/portal/api/series?id={A1}&attribute=NO2&from=yesterday")).status == 400


async def test_a_value_is_traced_to_its_device_profile_and_pack(house: PortalHouse) -> None:
    await house.air("a-1", 31.2)
    house.clock.forward(300)
    await house.air("a-1", 40)
    at = format_rfc3339(BEGIN_US + MINUTE)
    found = await house.get(f"/portal/api/provenance?id={A1}&attribute=NO2&at={at}")
    assert (found["observed_at"], found["value"]) == (format_rfc3339(BEGIN_US), 31.2)
    assert (found["device"], found["profile"]["version"]) == ({"id": "a-1", "title": "Air, Fabianinkatu a-1"}, 1)
    origin = found["origin"]
    assert (origin["kind"], origin["principal"], origin["partition"]) == ("pack", "gateway-t", 0)
    assert [step["title"] for step in found["steps"]] == ["Device", "Gateway", "Log", "Profile", "Store"]
    told = [step["text"] for step in found["steps"]]
    assert told[0] == "Air, Fabianinkatu a-1 (a-1) sent it: NO₂ 31.2 µg/m³, observed today at 12:00."
    assert origin["pack_id"] in told[1] and f"as number {origin['sequence']}" in told[2]
    assert told[3] == "Version 1 of the profile air decoded it: NO₂ is the payload's field no2, in µg/m³."
    name = await house.get(f"/portal/api/provenance?id={A1}&attribute=name")
    assert name["steps"][0]["text"].startswith("planner gave it when the device was registered")


async def test_a_reading_is_found_by_its_whole_millisecond(house: PortalHouse) -> None:
    """A chart counts in milliseconds; a reading that took its receive time has microseconds beyond them."""
    await house.air("a-1", 31.2, at_us=BEGIN_US + 658)
    found = await house.get(f"/portal/api/provenance?id={A1}&attribute=NO2&at={format_rfc3339(BEGIN_US)}")
    assert found["value"] == 31.2
    late = format_rfc3339(BEGIN_US + 657)
    assert (await house.ask(f"/portal/api/provenance?id={A1}&attribute=NO2&at={late}")).status == 404


async def test_changes_tell_people_apart_from_devices(house: PortalHouse) -> None:
    for n in range(3):
        house.clock.forward(60)
        await house.air("a-1", 20 + n)
    newest, *others = await house.get(f"/portal/api/changes?id={A1}")
    assert (newest["kind"], newest["principal"], newest["attribute"]) == ("pack", "gateway-t", "NO₂")
    assert (newest["who"], newest["note"]) == ("Air, Fabianinkatu a-1", "through gateway-t")
    assert (newest["value"], newest["text"], newest["old"]) == (22, "22.0 µg/m³", "21.0 µg/m³")
    assert {change["kind"] for change in others} == {"registry"}
    assert {change["attribute"]: change["text"] for change in others} == {
        "Name": "Air, Fabianinkatu a-1",
        "Address": "Fabianinkatu",
        "Location": "60.17000, 24.95000",
    }
    assert {(change["who"], change["old"]) for change in others} == {("planner", None)}


async def test_a_change_names_who_made_it_with_which_token_and_what_stood_there(house: PortalHouse) -> None:
    bearer = (await house.services.access.tokens.issue("root", "api", "Map script", 3600, by="test")).secret
    by_token = {"authorization": f"Bearer {bearer}"}
    house.clock.forward(1)
    attributes = {"name": {"type": "Property", "value": "Air, Broad Street"}}
    answer = await house.ask(f"/ngsi-ld/v1/entities/{A1}/attrs", "PATCH", headers=by_token, body=attributes)
    assert answer.status == 204, answer.body
    told = (await house.get(f"/portal/api/changes?id={A1}"))[0]
    assert (told["who"], told["token"], told["principal"]) == ("Root", "Map script", "root")
    assert (told["text"], told["old"]) == ("Air, Broad Street", "Air, Fabianinkatu a-1")
    house.clock.forward(1)
    assert (await house.ask(f"/ngsi-ld/v1/entities/{A1}/attrs/name", "DELETE", headers=by_token)).status == 204
    gone = (await house.get(f"/portal/api/changes?id={A1}"))[0]
    assert (gone["text"], gone["old"], gone["note"]) == (None, "Air, Broad Street", "deleted")


async def test_a_change_by_an_import_names_the_import(house: PortalHouse) -> None:
    await house.bring_in("a-1", "NO2", [BEGIN_US - HOUR], [33])
    told = next(change for change in await house.get(f"/portal/api/changes?id={A1}") if change["kind"] == "import")
    assert (told["who"], told["note"]) == ("Import of air.csv", "by Root")


async def test_yesterdays_highest_and_where(house: PortalHouse, helsinki: City) -> None:
    yesterday = BEGIN_US - 24 * HOUR
    await house.air("a-1", 60, at_us=yesterday)
    await house.air("a-2", 87.3, at_us=yesterday - HOUR)
    await house.air("a-2", 99, at_us=BEGIN_US)
    # Midnight in Helsinki, two hours before that of UTC.
    span = "from=2026-02-27T22:00:00Z&to=2026-02-28T22:00:00Z"
    found = await house.get(f"/portal/api/ranking?attribute=NO2&stat=max&{span}")
    assert [(row["title"], row["value"]) for row in found["rows"]] == [
        ("Air, Yrjönkatu a-2", 87.3),
        ("Air, Fabianinkatu a-1", 60),
    ]
    assert found["sentence"] == "The highest NO₂ yesterday was 87.3 µg/m³ at 13:00, reported by Air, Yrjönkatu a-2."
    none = await house.get("/portal/api/ranking?attribute=O3")
    assert (none["rows"], none["sentence"]) == ([], "No O₃ was observed in the last 24 hours.")
    assert (await house.ask("/portal/api/ranking?attribute=NO2&stat=best")).status == 400


async def test_search_finds_sensors_and_streets_without_accents(house: PortalHouse, helsinki: City) -> None:
    hits = await house.get("/portal/api/search?q=yrjon")
    assert [(hit["kind"], hit["title"]) for hit in hits] == [("street", "Yrjönkatu"), ("sensor", "Air, Yrjönkatu a-2")]
    assert hits[0]["subtitle"] == "Street, one sensor"
    assert [hit["id"] for hit in await house.get("/portal/api/search?q=a-1")] == [A1]
    assert await house.get("/portal/api/search?q=%20") == []
    (person,) = await house.get("/portal/api/search?q=ROO")
    assert (person["kind"], person["id"], person["subtitle"]) == ("person", "root", "Account, root")
    assert (person["lon"], person["lat"]) == (None, None)


async def test_a_device_of_ones_own_speaks_with_the_line_it_is_given(house: PortalHouse) -> None:
    (profile, _) = await house.get("/portal/api/profiles")
    assert (profile["name"], profile["attributes"][0]["field"]) == ("air", "no2")
    new = {"title": "Balcony, Käsi 3", "profile": "air", "lon": 24.95, "lat": 60.17}
    answer = await house.ask("/portal/api/devices", "POST", body=new)
    assert answer.status == 201, answer.body
    made = answer.json
    assert made["device"].startswith("balcony-kasi-3-")
    assert made["mqtt"] == {"host": "127.0.0.1", "port": 1883}
    assert made["command"] == (
        f"mosquitto_pub -h 127.0.0.1 -p 1883 -u {made['device']} -P {made['secret']} -q 1 -t readings "
        f"-m '{made['payload']}'"
    )
    assert made["qr_svg"].startswith("<svg") and "#fff" in made["qr_svg"]
    identity = await house.services.registry.authenticate(made["device"], made["secret"], at_us=house.clock())
    assert identity is not None
    house.keys[made["device"]] = identity.key
    await house.send(made["device"], msgspec.json.decode(made["payload"]))
    sensor = await house.sensor(made["device"])
    assert (sensor["state"], sensor["values"]["NO2"]["value"]) == ("live", 20)
    line = (await house.services.access.audit.read("city"))[0]
    assert (line.principal, line.action, line.subject) == ("root", "device.create", made["device"])
    for wrong in ({"profile": "none"}, {"lat": 91}, {"title": ""}, {"title": "  "}):
        assert (await house.ask("/portal/api/devices", "POST", body={**new, **wrong})).status in (400, 404), wrong


async def test_a_gateway_that_listens_everywhere_is_where_the_portal_is() -> None:
    assert mqtt_address("0.0.0.0", 1883, "city.example") == MqttAddress("city.example", 1883)
    assert mqtt_address("gateway.example", 1883, "city.example") == MqttAddress("gateway.example", 1883)
    assert connection_url(MqttAddress("::1", 1883), "a-1", "s/1") == "mqtt://a-1:s%2F1@[::1]:1883/readings"


async def test_dead_letters_are_shown_with_their_reason(house: PortalHouse) -> None:
    await house.send("a-1", b"{not json \xff")
    letter = (await house.get(f"/portal/api/entity?id={A1}"))["device"]["rejected"]["newest"]
    assert (letter["device"], letter["reason"], letter["payload"]) == ("a-1", "not JSON", "{not json \ufffd")


async def test_an_export_holds_what_was_observed(house: PortalHouse) -> None:
    points = [{"ts": BEGIN_US - n * MINUTE, "no2": n + 0.25, "t": -n} for n in range(1, 4)]
    await house.send("a-1", points)
    await house.air("a-2", 50)
    house.clock.forward(1)
    answer = await house.ask("/v1/export?street=Fabianinkatu&attrs=NO2&last=P7D")
    assert answer.headers["content-type"].startswith("text/csv")
    assert 'filename="history_NO2_Fabianinkatu_P7D.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(row["observed_at"], row["value"]) for row in rows] == [
        (format_rfc3339(BEGIN_US - n * MINUTE), str(n + 0.25)) for n in (3, 2, 1)
    ]
    first = rows[0]
    assert (first["entity"], first["street"], first["unit"], first["unit_code"]) == (A1, "Fabianinkatu", "µg/m³", "GQ")
    assert (first["origin"], first["simulated"]) == ("pack", "false")
    both = (await house.ask(f"/v1/export?id={A1}&id=urn:ngsi-ld:AirQualityObserved:a-2&attrs=NO2")).body
    assert len(both.splitlines()) == 1 + 3 + 1


async def test_the_houses_health(house: PortalHouse) -> None:
    await house.air("a-1", 20)
    await house.send("a-1", b"nonsense")
    for second in range(2):
        at_us = house.clock() + second * S
        report = {"name": "r", "pid": 2, "lag_s": 0.4, "meter": {"readings": 1240 * second, "at_us": at_us}}
        house.portal.vitals.take("metrics.recorder.r", msgspec.json.encode(report))
        gateway = {"name": "g", "pid": 1, "at_us": at_us, "counters": {"kept": 620 * second, "connections": 2}}
        house.portal.vitals.take("metrics.gateway.g", msgspec.json.encode(gateway))
    page = await house.get("/portal/api/system")
    assert page["answer"] == {
        "sentence": "Taking in 1,240 readings a second, 0.4 s behind, one message of the last day could not be "
        "decoded.",
        "tone": "degraded",
    }
    assert (page["messages_per_s"], page["connections"], page["dead"], page["pending_packs"]) == (620, 2, 1, 0)
    assert page["devices"] == {"total": 2, "live": 1, "silent": 0, "never": 1, "imported": 0}
    assert [(engine["name"], engine["state"]) for engine in page["engines"]] == [("PostgreSQL", "up"), ("NATS", "up")]
    assert {stream["stream"]: stream["messages"] for stream in page["log"]}["DEAD"] == 1
    assert page["disk"]["free_bytes"] > page["disk"]["watermark_bytes"] == 1_000_000
    assert page["roles"] == [] and page["imports"] == []
    samples = {(sample.name, sample.value) for sample in house.portal.vitals.samples()}
    assert ("broadstreet_recorder_lag_seconds", 0.4) in samples


async def test_an_old_dead_letter_alarms_nobody(house: PortalHouse) -> None:
    await house.send("a-1", b"nonsense")
    assert "one message of the last day" in (await house.get("/portal/api/system"))["answer"]["sentence"]
    house.clock.forward(25 * 3600)
    page = await house.get("/portal/api/system")
    assert page["dead"] == 1 and "every message of the last day decoded" in page["answer"]["sentence"]


async def test_packs_that_wait_are_counted(house: PortalHouse) -> None:
    await house.air("a-1", 20)
    await house.house.send((house.keys["a-1"], house.clock(), {"no2": 1}))
    await house.house.send((house.keys["a-2"], house.clock(), {"no2": 2}))
    assert (await house.get("/portal/api/system"))["pending_packs"] == 2
    told = (await house.get("/portal/api/system"))["answer"]
    assert told["tone"] == "wrong" and told["sentence"].startswith("No recorder reports")
