"""A thing has one name, its entity's attribute `name`: whoever writes it renames the thing everywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from broadstreet.model.naming import called
from broadstreet.portal import town
from tests.contract.conftest import Clock
from tests.contract.portal_house import PortalHouse, air, open_portal
from tests.contract.test_portal_live import page

A1 = "urn:ngsi-ld:AirQualityObserved:a-1"
OLD, NEW = "Air, Fabianinkatu a-1", "The pump, Broad Street"


@pytest.fixture
async def house(
    services: Services, data_dir: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PortalHouse]:
    monkeypatch.setattr(town, "BATCH_S", 0.05)
    monkeypatch.setattr(town, "TICK_S", 0.1)
    async with open_portal(services, data_dir, clock) as opened:
        await opened.register(air("a-1"), air("a-2", street="Yrjönkatu"))
        await opened.air("a-1", 31.2)
        yield opened


async def names(house: PortalHouse, searched: str) -> dict[str, Any]:
    """What each place where people read a name says of the first device."""
    row = await house.sensor("a-1")  # of the table, and of the map's popup
    shown = await house.get(f"/portal/api/entity?id={A1}")
    hits = await house.get(f"/portal/api/search?q={searched.replace(' ', '%20')}")
    origin = await house.get(f"/portal/api/provenance?id={A1}&attribute=NO2")
    ranking = await house.get("/portal/api/ranking?attribute=NO2")
    export = await house.ask(f"/v1/export?id={A1}&attrs=NO2")
    return {
        "table": row["title"],
        "heading": shown["title"],
        "device": shown["device"]["title"],
        "search": next((hit["title"] for hit in hits if hit["id"] == A1), None),
        "provenance": origin["device"]["title"],
        "ranking": ranking["rows"][0]["title"],
        "export": NEW if f'"{NEW}"' in export.body.decode() else OLD if f'"{OLD}"' in export.body.decode() else None,
        "registry": (await house.get("/v1/devices/a-1"))["title"],
        "list": (await house.get("/v1/devices"))[0]["title"],
        "ngsi-ld": (await house.get(f"/ngsi-ld/v1/entities/{A1}"))["name"]["value"],
    }


def all_say(name: str) -> dict[str, Any]:
    places = "table heading device search provenance ranking export registry list ngsi-ld"
    return dict.fromkeys(places.split(), name)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        (f"/ngsi-ld/v1/entities/{A1}/attrs", {"name": {"type": "Property", "value": NEW}}),
        (f"/ngsi-ld/v1/entities/{A1}/attrs/name", {"type": "Property", "value": NEW}),
        (f"/ngsi-ld/v1/entities/{A1}", {"name": {"type": "Property", "value": NEW}}),
        ("/v1/devices/a-1", {"title": f" {NEW} "}),
    ],
)
async def test_a_name_written_once_is_read_everywhere(house: PortalHouse, target: str, body: dict[str, Any]) -> None:
    assert await names(house, OLD) == all_say(OLD)
    answer = await house.ask(target, "PATCH", body=body)
    assert answer.status in {200, 204}, answer.body
    assert (await house.get(f"/portal/api/entity?id={A1}"))["title"] == NEW, "read your own write, at once"
    assert await names(house, NEW) == all_say(NEW)
    assert await house.get("/portal/api/search?q=Fabianinkatu%20a-1") == [
        hit for hit in await house.get("/portal/api/search?q=a-1") if hit["id"] == A1
    ], "the old name finds it by street and id alone"
    told = next(one for one in await house.get(f"/portal/api/changes?id={A1}") if one["attribute"] == "Name")
    assert (told["principal"], told["kind"], told["value"]) == ("root", "api", NEW)


async def test_open_pages_hear_of_a_new_name(house: PortalHouse) -> None:
    async with page(house) as opened:
        await house.ask("/v1/devices/a-1", "PATCH", body={"title": NEW})
        await house.house.record()  # its relay takes the change to the pages
        assert await opened.until("renamed") == {"items": [[A1, NEW]]}
        assert (await house.ask(f"/ngsi-ld/v1/entities/{A1}/attrs/name", "DELETE")).status == 204
        await house.house.record()
        assert await opened.until("renamed") == {"items": [[A1, "a-1"]]}
        assert (await house.get("/v1/devices/a-1"))["title"] == "a-1"


async def test_only_who_may_write_entities_renames_and_with_a_name(house: PortalHouse) -> None:
    for wrong in ({"title": ""}, {"title": "  "}, {"title": "n" * 201}, {}, {"title": None}):
        assert (await house.ask("/v1/devices/a-1", "PATCH", body=wrong)).status == 400, wrong
    assert (await house.ask("/v1/devices/none", "PATCH", body={"title": NEW})).status == 404
    await house.services.access.accounts.create("snow", "Snow", tenant="city", roles=["analyst"], by="test")
    token = (await house.services.access.tokens.issue("snow", "api", "test", 3600, by="test")).secret
    sent = {"cookie": "", "authorization": f"Bearer {token}"}
    assert (await house.ask("/v1/devices/a-1", "PATCH", headers=sent, body={"title": NEW})).status == 403
    assert await names(house, OLD) == all_say(OLD)
    assert (await house.ask("/v1/devices/a-1", "PATCH", body={"title": NEW})).status == 200
    audited = (await house.get("/v1/audit"))[0]
    assert (audited["principal"], audited["action"], audited["subject"]) == ("root", "device.rename", "a-1")


async def test_registering_leaves_a_name_that_an_entity_has(house: PortalHouse) -> None:
    entity = {
        "id": "urn:ngsi-ld:AirQualityObserved:b-1",
        "type": "AirQualityObserved",
        "name": {"type": "LanguageProperty", "languageMap": {"fi": "Kaivo", "en": "The well"}},
    }
    assert (await house.ask("/ngsi-ld/v1/entities", "POST", body=entity)).status == 201
    await house.register(air("b-1"))
    assert (await house.get("/v1/devices/b-1"))["title"] == (await house.sensor("b-1"))["title"] == "The well"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Pump 7", "Pump 7"),
        ({"fi": "Pumppu", "@none": "Pump"}, "Pump"),
        ({"fi": "Pumppu", "en": "Pump"}, "Pump"),
        ({"fi": ["Pumppu", "Kaivo"], "sv": "Pump"}, "Pump"),
        ({}, "7"),
        ("  ", "7"),
        (7.0, "7"),
        (["Pump"], "7"),
        (None, "7"),
    ],
)
def test_what_is_no_text_is_no_name(name: object, said: str) -> None:
    assert called(name, "urn:ngsi-ld:Pump:7") == said
