"""What a person does to a device from its page, under the portal's session: rename it, renew its secret, remove it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.access.route import SESSION_COOKIE
from broadstreet.apis import Services
from broadstreet.portal import town
from tests.contract.conftest import Clock
from tests.contract.portal_house import PortalHouse, air, open_portal
from tests.contract.test_portal_live import page

A1 = "urn:ngsi-ld:AirQualityObserved:a-1"


@pytest.fixture
async def house(
    services: Services, data_dir: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[PortalHouse]:
    monkeypatch.setattr(town, "BATCH_S", 0.05)
    monkeypatch.setattr(town, "TICK_S", 0.1)
    async with open_portal(services, data_dir, clock) as opened:
        await opened.register(air("a-1"), air("a-2", street="Yrjönkatu"))
        yield opened


async def audited(house: PortalHouse) -> list[tuple[str, str, str]]:
    """(who, what, of what) of the newest lines about devices."""
    lines = await house.services.access.audit.read("city", limit=20)
    return [(line.principal, line.action, line.subject) for line in lines if line.action.startswith("device.")]


async def may_sign_in(house: PortalHouse, secret: str) -> bool:
    return await house.services.registry.authenticate("a-1", secret, at_us=house.clock()) is not None


async def test_a_device_is_renamed_from_its_page(house: PortalHouse) -> None:
    answer = await house.ask("/v1/devices/a-1", "PATCH", body={"title": "The pump"})
    assert answer.status == 200, answer.body
    assert (await house.get(f"/portal/api/entity?id={A1}"))["title"] == "The pump"
    assert await audited(house) == [("root", "device.rename", "a-1")]
    assert (await house.ask("/v1/devices/a-1", "PATCH", body={"title": " "})).status == 400


async def test_a_new_secret_replaces_the_old_and_lets_in_again(house: PortalHouse) -> None:
    first = (await house.ask("/portal/api/devices/a-1/secret", "POST", body={})).json
    assert await may_sign_in(house, first["secret"])
    await house.ask("/v1/devices/a-1", "DELETE")
    assert not await may_sign_in(house, first["secret"])
    second = await house.ask("/portal/api/devices/a-1/secret", "POST", body={})
    assert second.status == 200, second.body
    assert second.json["secret"] in second.json["command"] and second.json["entity"] == A1
    assert await may_sign_in(house, second.json["secret"])
    assert not await may_sign_in(house, first["secret"])
    assert (await house.get(f"/portal/api/entity?id={A1}"))["device"]["disabled_at"] is None
    assert [what for _, what, _ in await audited(house)] == ["device.secret", "device.disable", "device.secret"]
    assert (await house.ask("/portal/api/devices/none/secret", "POST", body={})).status == 404


async def test_a_removed_device_leaves_the_map_and_open_pages_and_may_not_sign_in(house: PortalHouse) -> None:
    secret = (await house.ask("/portal/api/devices/a-1/secret", "POST", body={})).json["secret"]
    await house.air("a-1", 31.2)
    async with page(house) as opened:
        assert (await house.ask("/v1/devices/a-1?with_entity=true", "DELETE")).status == 204
        assert await opened.until("gone") == {"items": [A1]}
    assert [sensor["device"] for sensor in (await house.city())["sensors"]] == ["a-2"]
    gone = await house.ask(f"/portal/api/entity?id={A1}")
    assert gone.status == 404 and gone.json["remedy"].startswith("Search for its name")
    assert not await may_sign_in(house, secret)
    assert (await audited(house))[0] == ("root", "device.remove", "a-1")
    past = await house.house.city.fetchval("SELECT count(*) FROM observation WHERE number = 31.2")
    assert past == 1
    assert (await house.ask("/v1/devices/a-1?with_entity=true", "DELETE")).status == 204


async def test_who_only_looks_changes_no_device(house: PortalHouse) -> None:
    await house.services.access.accounts.create("vic", "Vic", tenant="city", roles=["viewer"], by="test")
    secret = (await house.services.access.tokens.issue("vic", "session", "test", 3600, by="test")).secret
    house.cookie = f"{SESSION_COOKIE}={secret}"
    for method, target in (
        ("PATCH", "/v1/devices/a-1"),
        ("POST", "/portal/api/devices/a-1/secret"),
        ("DELETE", "/v1/devices/a-1?with_entity=true"),
    ):
        assert (await house.ask(target, method, body={"title": "mine"})).status == 403, target
    assert await audited(house) == []
