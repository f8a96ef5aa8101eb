"""Devices are known before they are installed, and stand where they were hung up by whoever has their label in hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from tests.asgi import ask
from tests.contract.conftest import Clock
from tests.contract.doors import issue
from tests.contract.test_api import Api, device, open_api

PREPARED, CLAIMS = "/v1/prepared-devices", "/v1/claims"
HERE = {"lon": 24.95, "lat": 60.17}


@pytest.fixture
async def api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    async with open_api(services, data_dir) as opened:
        yield opened


async def prepare(api: Api, *ids: str, **more: Any) -> list[Any]:
    made = await api.ask("POST", PREPARED, [{"id": name, "profile": "air", **more} for name in ids])
    assert made.status == 201, made.body
    return list(made.json)


async def signs_in(api: Api, name: str, secret: str) -> bool:
    return await api.services.registry.authenticate(name, secret, at_us=api.services.clock()) is not None


async def test_a_device_is_prepared_claimed_and_then_one_as_any_other(api: Api, clock: Clock) -> None:
    (made,) = await prepare(api, "aq-1", title="Air sensor")
    assert not await signs_in(api, "aq-1", made["secret"])
    assert await api.get("/v1/devices") == []
    spoken = made["code"].lower().replace("-", " ").replace("0", "o").replace("1", "l")
    found = await api.ask("POST", f"{CLAIMS}/find", {"code": spoken})
    assert (found.json["id"], found.json["title"], found.json["claimed_at"]) == ("aq-1", "Air sensor", None)
    clock.forward(60)
    claimed = await api.ask("POST", CLAIMS, {"code": spoken, **HERE, "title": "Air, Market square"})
    assert claimed.json == {"id": "aq-1", "entity": "urn:ngsi-ld:AirQualityObserved:aq-1"}
    row = await api.get("/v1/devices/aq-1")
    assert (row["title"], row["last_heard_at"], row["messages"]) == ("Air, Market square", None, 0)
    entity = await api.get("/ngsi-ld/v1/entities/urn:ngsi-ld:AirQualityObserved:aq-1")
    assert entity["location"]["value"]["coordinates"] == [24.95, 60.17]
    assert await signs_in(api, "aq-1", made["secret"])
    assert ("root", "device.claim", "aq-1") in await api.audited()
    (listed,) = await api.get(PREPARED)
    assert (listed["claimed_by"], await api.get(f"{PREPARED}?waiting=true")) == ("root", [])


async def test_a_device_is_claimed_once(api: Api) -> None:
    (made,) = await prepare(api, "aq-1")
    assert (await api.ask("POST", CLAIMS, {"code": made["code"], **HERE})).status == 201
    again = await api.ask("POST", CLAIMS, {"code": made["code"], "lon": 1, "lat": 1})
    assert again.status == 409 and "root" in again.json["detail"]


async def test_what_is_known_already_is_left_as_it_is(api: Api) -> None:
    await api.ask("POST", "/v1/devices", device("aq-0"))
    (first,) = await prepare(api, "aq-1")
    again = {one["id"]: one for one in await prepare(api, "aq-0", "aq-1", "aq-2")}
    assert again["aq-0"]["code"] is None and again["aq-1"]["secret"] is None
    assert again["aq-2"]["code"] and again["aq-2"]["secret"]
    assert (await api.ask("POST", f"{CLAIMS}/find", {"code": first["code"]})).status == 200


async def test_a_secret_that_is_burnt_in_already_is_taken(api: Api) -> None:
    (made,) = await prepare(api, "aq-1", secret="burnt-in-by-the-factory")
    await api.ask("POST", CLAIMS, {"code": made["code"], **HERE})
    assert await signs_in(api, "aq-1", "burnt-in-by-the-factory")


async def test_a_device_that_is_withdrawn_cannot_be_claimed(api: Api) -> None:
    (made,) = await prepare(api, "aq-1")
    assert (await api.ask("DELETE", f"{PREPARED}/aq-1")).status == 204
    assert (await api.ask("POST", CLAIMS, {"code": made["code"], **HERE})).status == 404
    assert (await api.ask("DELETE", f"{PREPARED}/aq-1")).status == 404


async def test_a_code_is_good_in_its_own_tenant_and_an_id_is_one_tenants(api: Api) -> None:
    (made,) = await prepare(api, "aq-1")
    token = await issue(api.services, "pilot", ["administrator"], "harbour")
    headers = {"authorization": f"Bearer {token}"}
    claimed = await ask(api.app, "POST", CLAIMS, headers=headers, body={"code": made["code"], **HERE})
    assert claimed.status == 404


async def test_what_cannot_be_is_not_prepared(api: Api) -> None:
    for specs, status in (
        ([], 400),
        ([{"id": "a b", "profile": "air"}], 400),
        ([{"id": "a", "profile": "air"}, {"id": "a", "profile": "air"}], 400),
        ([{"id": "a", "profile": "none"}], 404),
        ([{"id": "a", "profile": "air", "dataset": "urn:none"}], 404),
        ([{"id": "a", "profile": "air", "secret": "short"}], 400),
        ([{"id": "a", "profile": "air", "title": " "}], 400),
    ):
        assert (await api.ask("POST", PREPARED, specs)).status == status, specs
    assert await api.get(PREPARED) == []
