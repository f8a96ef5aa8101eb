"""The second factor as a browser meets it: added, asked for, replayed, lost, removed; and asked for by role."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.access import Access
from broadstreet.access.attempts import MAX_CODES, WINDOW_US
from broadstreet.access.second_factor import RECOVERY_CODES, STEP_S, code_at, step_at
from broadstreet.access.token import PENDING_LIFETIME_S
from broadstreet.apis import Services
from broadstreet.model.errors import NotSignedIn
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.doors import ORIGIN
from tests.contract.portal_house import PortalHouse, open_portal

PASSWORD = "a long enough secret"
FACTOR = "/portal/api/account/second-factor"


@pytest.fixture
async def house(services: Services, data_dir: Path, clock: Clock) -> AsyncIterator[PortalHouse]:
    async with open_portal(services, data_dir, clock) as opened:
        yield opened


def code(house: PortalHouse, secret: bytes, steps: int = 0) -> str:
    return code_at(secret, step_at(house.clock()) + steps)


async def add(house: PortalHouse) -> tuple[bytes, list[str]]:
    """Add a factor to whoever is signed in. Answers its secret and the recovery codes."""
    begun = (await house.ask(FACTOR, "POST")).json
    secret = base64.b32decode(begun["secret"])
    assert begun["qr_svg"].startswith("<svg") and begun["secret"] in begun["uri"]
    answer = await house.ask(f"{FACTOR}/confirm", "POST", body={"code": code(house, secret)})
    assert answer.status == 200, answer.body
    house.clock.forward(STEP_S)
    return secret, answer.json["recovery_codes"]


async def first_step(house: PortalHouse) -> Answer:
    body = {"name": "root", "password": PASSWORD}
    return await ask(house.app, "POST", "/portal/api/sign-in", headers=ORIGIN, body=body)


async def second_step(house: PortalHouse, pending: Answer, typed: str) -> Answer:
    headers = {"cookie": pending.cookie, **ORIGIN}
    return await ask(house.app, "POST", "/portal/api/sign-in/code", headers=headers, body={"code": typed})


async def audited(house: PortalHouse) -> list[str]:
    return [line["action"] for line in await house.get("/v1/audit")]


async def test_a_code_is_asked_for_once_a_factor_is_added(house: PortalHouse) -> None:
    secret, _ = await add(house)
    pending = await first_step(house)
    assert (pending.status, pending.json) == (200, {"pending": "code"})
    assert "Path=/portal/api/sign-in/code" in pending.headers["set-cookie"]
    value = pending.cookie.partition("=")[2]
    for cookie in (pending.cookie, f"broadstreet_session={value}"):
        assert (await ask(house.app, "GET", "/portal/api/session", headers={"cookie": cookie})).status == 401
    entered = await second_step(house, pending, code(house, secret))
    assert entered.status == 200
    assert (await ask(house.app, "GET", "/portal/api/session", headers={"cookie": entered.cookie})).status == 200
    assert (await second_step(house, pending, code(house, secret, 1))).status == 401
    assert "second-factor.add" in await audited(house)
    told = await house.get("/portal/api/account")
    assert (told["has_factor"], told["recovery_codes"]) == (True, RECOVERY_CODES)


async def test_a_code_that_was_taken_is_taken_no_more(house: PortalHouse) -> None:
    secret, _ = await add(house)
    used = code(house, secret)
    assert (await second_step(house, await first_step(house), used)).status == 200
    again = await second_step(house, await first_step(house), used)
    earlier = await second_step(house, await first_step(house), code(house, secret, -1))
    assert [(a.status, a.json["where"]) for a in (again, earlier)] == [(400, "code")] * 2


async def test_a_recovery_code_is_good_once(house: PortalHouse) -> None:
    _, (first, second, *_) = await add(house)
    assert (await second_step(house, await first_step(house), first)).status == 200
    assert (await second_step(house, await first_step(house), first)).status == 400
    assert (await second_step(house, await first_step(house), second.lower().replace("-", " "))).status == 200
    assert (await house.get("/portal/api/account"))["recovery_codes"] == RECOVERY_CODES - 2
    assert "second-factor.recovery-code" in await audited(house)


async def test_guessing_codes_comes_to_an_end(house: PortalHouse) -> None:
    secret, _ = await add(house)
    wrong = f"{(int(code(house, secret)) + 1) % 1_000_000:06d}"
    answers = [await second_step(house, await first_step(house), wrong) for _ in range(MAX_CODES + 1)]
    assert [a.status for a in answers] == [400] * MAX_CODES + [429]
    assert (await second_step(house, await first_step(house), code(house, secret))).status == 429
    house.clock.forward(WINDOW_US / 1e6 + 1)
    assert (await second_step(house, await first_step(house), code(house, secret))).status == 200
    assert (await audited(house)).count("sign-in.refused") == MAX_CODES


async def test_a_pending_sign_in_does_not_wait_for_ever(house: PortalHouse) -> None:
    secret, _ = await add(house)
    pending = await first_step(house)
    house.clock.forward(PENDING_LIFETIME_S)
    assert (await second_step(house, pending, code(house, secret))).status == 401
    assert (await ask(house.app, "POST", "/portal/api/sign-in/code", headers=ORIGIN, body={"code": "1"})).status == 401


async def test_a_link_does_not_go_round_it(house: PortalHouse) -> None:
    secret, _ = await add(house)
    link = await house.services.access.sign_in.create_link("root", by="test")
    followed = await ask(house.app, "GET", link)
    assert (followed.status, followed.headers["location"]) == (303, "/sign-in?step=code")
    assert (await second_step(house, followed, code(house, secret))).status == 200


async def test_what_was_never_confirmed_is_not_asked_for(house: PortalHouse) -> None:
    await house.ask(FACTOR, "POST")
    wrong = await house.ask(f"{FACTOR}/confirm", "POST", body={"code": "12345"})
    assert (wrong.status, wrong.json["where"]) == (400, "code")
    assert "principal" in (await first_step(house)).json


async def test_a_factor_is_removed_by_who_has_it(house: PortalHouse) -> None:
    secret, _ = await add(house)
    assert (await house.ask(FACTOR, "POST")).status == 409
    assert (await house.ask(f"{FACTOR}/remove", "POST", body={"code": "000000x"})).status == 400
    assert (await house.ask(f"{FACTOR}/remove", "POST", body={"code": code(house, secret)})).status == 204
    assert "principal" in (await first_step(house)).json
    assert "second-factor.remove" in await audited(house)


async def test_no_secret_stands_in_the_audit_and_no_recovery_code_anywhere(house: PortalHouse) -> None:
    secret, codes = await add(house)
    dump = ""
    for table in ("audit", "recovery_code", "token"):
        dump += "".join(map(repr, await house.services.store.control.fetch(f"SELECT * FROM {table}")))
    assert all(one.replace("-", "") not in dump and one not in dump for one in codes)
    assert base64.b32encode(secret).decode() not in dump


async def test_a_role_that_must_have_one_may_nothing_else_before(house: PortalHouse, clock: Clock) -> None:
    guarded = Access(house.services.store.control, clock, guarded_roles=frozenset({"administrator"}))
    link = await guarded.sign_in.create_link("root", by="test")
    issued = await guarded.sign_in.with_link(link.rpartition("/")[2], "192.0.2.1")
    house.cookie = f"broadstreet_session={issued.secret}"
    assert (await house.get("/portal/api/session"))["needs_factor"] is True
    assert (await house.ask("/portal/api/city")).status == 403
    assert (await house.ask("/portal/api/account/tokens", "POST", body={"title": "round it"})).status == 403
    begun = (await house.ask(FACTOR, "POST")).json
    typed = code(house, base64.b32decode(begun["secret"]))
    confirmed = await house.ask(f"{FACTOR}/confirm", "POST", body={"code": typed})
    with pytest.raises(NotSignedIn):
        await house.services.access.tokens.principal(issued.secret, "session")
    house.cookie = confirmed.cookie
    assert (await house.get("/portal/api/session"))["needs_factor"] is False
    assert (await house.ask("/portal/api/city")).status == 200


async def test_another_role_is_asked_for_nothing(house: PortalHouse, clock: Clock) -> None:
    guarded = Access(house.services.store.control, clock, guarded_roles=frozenset({"steward"}))
    link = await guarded.sign_in.create_link("root", by="test")
    issued = await guarded.sign_in.with_link(link.rpartition("/")[2], "192.0.2.1")
    assert (await guarded.tokens.principal(issued.secret, "session")).is_limited is False
