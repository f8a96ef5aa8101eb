"""My account: tokens that may less, sessions and their ends, one's own password. As a browser asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.doors import ORIGIN
from tests.contract.portal_house import PortalHouse, open_portal

PASSWORD, NEXT = "a long enough secret", "seven grey herons asleep"


@pytest.fixture
async def house(services: Services, data_dir: Path, clock: Clock) -> AsyncIterator[PortalHouse]:
    async with open_portal(services, data_dir, clock) as opened:
        yield opened


async def make(house: PortalHouse, **wanted: Any) -> dict[str, Any]:
    answer = await house.ask("/portal/api/account/tokens", "POST", body={"title": "for a script", **wanted})
    assert answer.status == 201, answer.body
    made: dict[str, Any] = answer.json
    return made


async def calls(house: PortalHouse, secret: str, path: str, method: str = "GET") -> int:
    return (await ask(house.app, method, path, headers={"authorization": f"Bearer {secret}"})).status


async def own(house: PortalHouse) -> dict[str, Any]:
    found: dict[str, Any] = await house.get("/portal/api/account")
    return found


async def sign_in(house: PortalHouse, password: str = PASSWORD) -> Answer:
    return await ask(
        house.app, "POST", "/portal/api/sign-in", headers=ORIGIN, body={"name": "root", "password": password}
    )


async def audited(house: PortalHouse, action: str) -> list[dict[str, Any]]:
    lines = await house.get("/v1/audit")
    return [line for line in lines if line["action"] == action]


async def test_a_token_is_limited_shown_and_ended(house: PortalHouse) -> None:
    made = await make(house, permissions=["entity:read"], days=1)
    assert await calls(house, made["secret"], "/v1/datasets") == 200
    assert await calls(house, made["secret"], "/v1/devices") == 403
    (shown,) = (await own(house))["tokens"]
    assert (shown["id"], shown["permissions"]) == (made["id"], ["entity:read"])
    assert made["secret"] not in str(await own(house))
    assert (await house.ask(f"/portal/api/account/tokens/{made['id']}", "DELETE")).status == 204
    assert await calls(house, made["secret"], "/v1/datasets") == 401
    assert (await own(house))["tokens"] == []
    assert (await audited(house, "token.create"))[0]["detail"]["permissions"] == ["entity:read"]
    assert (await audited(house, "token.revoke"))[0]["subject"] == made["id"]


async def test_a_token_is_limited_to_types_and_datasets(house: PortalHouse) -> None:
    made = await make(house, types=["AirQualityObserved"], datasets=["urn:air"])
    assert await calls(house, made["secret"], "/ngsi-ld/v1/types") == 200
    assert await calls(house, made["secret"], "/v1/datasets") == 403
    (shown,) = (await own(house))["tokens"]
    assert (shown["types"], shown["datasets"], shown["permissions"]) == (["AirQualityObserved"], ["urn:air"], None)


async def test_a_refusal_tells_a_limited_token_from_a_small_role(house: PortalHouse) -> None:
    made = await make(house, permissions=[])
    headers = {"authorization": f"Bearer {made['secret']}"}
    told = (await ask(house.app, "GET", "/v1/devices", headers=headers)).json
    assert "limited" in told["detail"] and "device:read" in told["detail"]


async def test_a_token_holds_as_long_as_it_was_made_for(house: PortalHouse) -> None:
    made = await make(house, days=2)
    house.clock.forward(2 * 86_400 - 1)
    assert await calls(house, made["secret"], "/v1/devices") == 200
    house.clock.forward(1)
    assert await calls(house, made["secret"], "/v1/devices") == 401


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        ({"permissions": ["everything"]}, "permissions"),
        ({"days": 0}, "days"),
        ({"title": ""}, "title"),
        ({"types": []}, "types"),
    ],
)
async def test_a_token_that_cannot_be_is_refused(house: PortalHouse, wanted: dict[str, Any], where: str) -> None:
    answer = await house.ask("/portal/api/account/tokens", "POST", body={"title": "for a script", **wanted})
    assert answer.status == 400
    assert where in answer.json["where"]


async def test_no_token_makes_another(house: PortalHouse) -> None:
    made = await make(house)
    for method, path in (
        ("GET", "/portal/api/account"),
        ("POST", "/portal/api/account/tokens"),
        ("DELETE", f"/portal/api/account/tokens/{made['id']}"),
        ("POST", "/portal/api/account/password"),
    ):
        assert await calls(house, made["secret"], path, method) == 403


async def test_nobody_ends_what_is_anothers(house: PortalHouse) -> None:
    accounts, tokens = house.services.access.accounts, house.services.access.tokens
    await accounts.create("snow", "Snow", tenant="city", roles=["viewer"], by="test")
    others = await tokens.issue("snow", "api", "hers", 3600, by="test")
    assert (await house.ask(f"/portal/api/account/tokens/{others.id}", "DELETE")).status == 404
    assert await calls(house, others.secret, "/v1/datasets") == 200


async def test_signing_out_everywhere_ends_every_session_and_no_token(house: PortalHouse) -> None:
    other = (await sign_in(house)).cookie
    made = await make(house)
    sessions = (await own(house))["sessions"]
    assert [one["is_this"] for one in sessions] == [False, True]
    answer = await house.ask("/portal/api/account/sign-out-everywhere", "POST")
    assert answer.status == 204 and "Max-Age=0" in answer.headers["set-cookie"]
    for cookie in (other, house.cookie):
        assert (await ask(house.app, "GET", "/portal/api/session", headers={"cookie": cookie})).status == 401
    assert await calls(house, made["secret"], "/v1/devices") == 200
    house.cookie = (await sign_in(house)).cookie
    assert (await audited(house, "session.end-all"))[0]["detail"] == {"ended": 2}


async def test_a_new_password_ends_all_sessions_but_the_one_that_asked(house: PortalHouse) -> None:
    other = (await sign_in(house)).cookie
    answer = await house.ask("/portal/api/account/password", "POST", body={"current": PASSWORD, "password": NEXT})
    assert answer.status == 200
    for cookie, status in ((other, 401), (house.cookie, 401), (answer.cookie, 200)):
        assert (await ask(house.app, "GET", "/portal/api/session", headers={"cookie": cookie})).status == status
    assert ((await sign_in(house)).status, (await sign_in(house, NEXT)).status) == (401, 200)
    house.cookie = answer.cookie
    assert len(await audited(house, "account.password")) == 1


async def test_the_password_is_changed_by_who_knows_it(house: PortalHouse) -> None:
    body = {"current": "not the password", "password": NEXT}
    answers = [await house.ask("/portal/api/account/password", "POST", body=body) for _ in range(11)]
    assert (answers[0].status, answers[0].json["where"], answers[-1].status) == (400, "current", 429)
    assert (await sign_in(house, NEXT)).status == 429


async def test_a_weak_password_is_refused_with_the_reason(house: PortalHouse) -> None:
    body = {"current": PASSWORD, "password": "rootrootroot1234"}
    answer = await house.ask("/portal/api/account/password", "POST", body=body)
    assert (answer.status, answer.json["where"]) == (400, "password")
    assert (await house.ask("/portal/api/session")).status == 200
