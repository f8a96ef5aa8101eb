"""New devices come in by their fleet's key: once, within its bounds, and never beyond what the key is for."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.test_api import Api, device, open_api

KEY = {"name": "air-2026", "profile": "air", "max_devices": 3, "pattern": "aq-*", "lon": 24.9, "lat": 60.2}


@pytest.fixture
async def api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    async with open_api(services, data_dir) as opened:
        yield opened


async def new_key(api: Api, **more: Any) -> str:
    made = await api.ask("POST", "/v1/provisioning-keys", {**KEY, **more})
    assert made.status == 201, made.body
    return str(made.json["secret"])


async def apply(api: Api, key: str, hardware_id: str, **more: Any) -> Answer:
    """As a device without any credential."""
    return await ask(api.app, "POST", "/v1/provision", body={"key": key, "hardware_id": hardware_id, **more})


async def send(api: Api, credential: Any) -> int:
    """A reading, under a credential."""
    told = base64.b64encode(f"{credential['id']}:{credential['secret']}".encode()).decode()
    return (
        await ask(api.app, "POST", "/v1/readings", headers={"authorization": f"Basic {told}"}, body={"no2": 1})
    ).status


async def met(api: Api, name: str) -> None:
    """The device has connected, as a gateway notes it."""
    city = await api.services.store.tenant("city")
    await city.execute(
        "INSERT INTO connection (device_key, gateway, connected_at) SELECT key, 'g', now() FROM device WHERE id = $1",
        name,
    )


async def test_a_device_comes_in_by_its_fleets_key_and_speaks_as_itself(api: Api) -> None:
    key = await new_key(api)
    admitted = await apply(api, key, "aq-1", title="Air, Market square", lon=24.95, lat=60.17)
    assert admitted.status == 200
    assert admitted.json["entity"] == "urn:ngsi-ld:AirQualityObserved:aq-1"
    assert await send(api, admitted.json) == 200
    found = await api.get("/v1/devices/aq-1")
    assert (found["title"], found["profile"], found["last_heard_at"]) == ("Air, Market square", "air", None)
    assert ("pvk_air-2026", "device.provision", "aq-1") in await api.audited()
    (listed,) = await api.get("/v1/provisioning-keys")
    assert (listed["devices"], listed["max_devices"], listed["revoked_at"]) == (1, 3, None)
    assert key not in str(listed)


async def test_an_answer_that_was_lost_is_asked_for_again_until_the_device_was_heard(api: Api) -> None:
    key = await new_key(api)
    first, second = await apply(api, key, "aq-1"), await apply(api, key, "aq-1")
    assert (first.status, second.status) == (200, 200)
    assert await send(api, first.json) == 401
    assert await send(api, second.json) == 200
    await met(api, "aq-1")
    third = await apply(api, key, "aq-1")
    assert third.status == 409 and "was heard" in third.json["detail"]
    assert await send(api, second.json) == 200
    assert (await api.get("/v1/provisioning-keys"))[0]["devices"] == 1


async def test_a_key_that_renews_gives_another_secret_but_not_to_who_is_shut_out(api: Api) -> None:
    key = await new_key(api, renews=True)
    assert (await apply(api, key, "aq-1")).status == 200
    await met(api, "aq-1")
    renewed = await apply(api, key, "aq-1")
    assert renewed.status == 200 and await send(api, renewed.json) == 200
    assert (await api.ask("DELETE", "/v1/devices/aq-1")).status == 204
    refused = await apply(api, key, "aq-1")
    assert refused.status == 403 and "disabled" in refused.json["detail"]
    assert await send(api, renewed.json) == 401


async def test_a_key_opens_nothing_but_its_own_devices(api: Api) -> None:
    key = await new_key(api, renews=True)
    assert (await api.ask("POST", "/v1/devices", device("aq-own"))).status == 201
    assert (await apply(api, key, "aq-own")).status == 409
    other = await new_key(api, name="other")
    assert (await apply(api, other, "aq-2")).status == 200
    assert (await apply(api, key, "aq-2")).status == 409
    assert (await apply(api, key, "tree-1")).status == 403
    for path in ("/v1/devices", "/v1/provisioning-keys", "/ngsi-ld/v1/types", "/v1/readings"):
        method = "POST" if path == "/v1/readings" else "GET"
        answer = await ask(api.app, method, path, headers={"authorization": f"Bearer {key}"}, body=b"")
        assert answer.status == 401, path
    assert {one["id"] for one in await api.get("/v1/devices")} == {"aq-own", "aq-2"}


async def test_a_key_has_places_and_an_end(api: Api, clock: Clock) -> None:
    key = await new_key(api, max_devices=2, lifetime_s=3600)
    answers = await asyncio.gather(*(apply(api, key, f"aq-{n}") for n in range(5)))
    assert sorted(answer.status for answer in answers) == [200, 200, 429, 429, 429]
    assert len(await api.get("/v1/devices")) == 2
    clock.forward(3601)
    assert (await apply(api, key, "aq-0")).status == 401


async def test_a_key_that_is_revoked_lets_nobody_in_and_sends_nobody_away(api: Api) -> None:
    key = await new_key(api)
    admitted = await apply(api, key, "aq-1")
    for _ in range(2):
        assert (await api.ask("DELETE", "/v1/provisioning-keys/air-2026")).status == 204
    assert (await apply(api, key, "aq-2")).status == 401
    assert await send(api, admitted.json) == 200
    assert (await api.ask("DELETE", "/v1/provisioning-keys/unknown")).status == 404


async def test_what_fails_leaves_its_place_free(api: Api) -> None:
    key = await new_key(api, max_devices=1, lon=None, lat=None)
    placeless = await apply(api, key, "aq-1")
    assert placeless.status == 400 and "where it is" in placeless.json["detail"]
    assert (await apply(api, key, "aq-1", lon=500, lat=0)).status == 400
    assert (await apply(api, key, "aq-2", lon=24.9, lat=60.2)).status == 200


async def test_two_that_ask_at_once_are_one_device(api: Api) -> None:
    key = await new_key(api)
    answers = await asyncio.gather(*(apply(api, key, "aq-1") for _ in range(4)))
    assert {answer.status for answer in answers} <= {200, 409}
    assert (await apply(api, key, "aq-1")).status == 200
    assert len(await api.get("/v1/devices")) == 1
    assert (await api.get("/v1/provisioning-keys"))[0]["devices"] == 1


async def test_a_wrong_key_is_not_made(api: Api) -> None:
    for more, status in (
        ({"name": "No Name"}, 400),
        ({"pattern": "aq-[0-9]"}, 400),
        ({"max_devices": 0}, 400),
        ({"lifetime_s": 1}, 400),
        ({"lat": None}, 400),
        ({"profile": "none"}, 404),
        ({"dataset": "urn:none"}, 404),
    ):
        assert (await api.ask("POST", "/v1/provisioning-keys", {**KEY, **more})).status == status, more
    assert await api.get("/v1/provisioning-keys") == []


async def test_a_name_is_taken_once(api: Api) -> None:
    await new_key(api)
    assert (await api.ask("POST", "/v1/provisioning-keys", KEY)).status == 409
