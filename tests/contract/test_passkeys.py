"""Passkeys as a browser meets them: added, asked for, alone, as a second factor; forged, altered, replayed, copied."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from broadstreet.access import Access
from broadstreet.access.attempts import MAX_PER_ADDRESS
from broadstreet.access.ceremony import LIFETIME_S, MAX_OPEN, Ceremonies
from broadstreet.access.second_factor import RECOVERY_CODES, code_at, step_at
from broadstreet.access.sign_in import RECENT_US
from broadstreet.access.token import id_of
from broadstreet.apis import Services
from broadstreet.model.errors import Conflict
from tests.asgi import Answer, ask
from tests.authenticator import PRESENT, SYNCABLE, SYNCED, VERIFIED, Passkey
from tests.contract.conftest import Clock
from tests.contract.doors import ORIGIN
from tests.contract.portal_house import PortalHouse, open_portal

OWN = "/portal/api/account/passkeys"
ALONE = "/portal/api/sign-in/passkey"
SECOND = "/portal/api/sign-in/code/passkey"
PASSWORD = "a long enough secret"


@pytest.fixture
async def house(services: Services, data_dir: Path, clock: Clock) -> AsyncIterator[PortalHouse]:
    async with open_portal(services, data_dir, clock, origin="https://city.example") as opened:
        yield opened


@dataclass
class Browser:
    """A browser's cookies, and what it was asked last."""

    house: PortalHouse
    cookies: str = ""
    options: dict[str, Any] | None = None

    async def begin(self, path: str) -> Answer:
        answer = await self.post(f"{path}/begin")
        if answer.status == 200:
            self.options = answer.json["options"]
            self.cookies = "; ".join(filter(None, (self.cookies, answer.cookie)))
        return answer

    async def post(self, path: str, body: object = b"") -> Answer:
        return await ask(self.house.app, "POST", path, headers={"cookie": self.cookies, **ORIGIN}, body=body)

    async def finish(self, path: str, credential: dict[str, Any]) -> Answer:
        return await self.post(path, {"credential": credential})


async def add(house: PortalHouse, passkey: Passkey, title: str = "Laptop") -> Answer:
    """Add a passkey to whoever is signed in."""
    browser = Browser(house, house.cookie)
    assert (await browser.begin(OWN)).status == 200
    assert browser.options is not None
    return await browser.post(OWN, {"title": title, "credential": passkey.make(browser.options)})


async def alone(house: PortalHouse, passkey: Passkey) -> Answer:
    """Sign in by a passkey, and by nothing else."""
    browser = Browser(house)
    await browser.begin(ALONE)
    assert browser.options is not None
    return await browser.finish(ALONE, passkey.answer(browser.options))


async def waiting(house: PortalHouse, name: str = "root") -> tuple[Browser, Answer]:
    """A browser in which a password held, and what the house answered."""
    body = {"name": name, "password": PASSWORD}
    pending = await ask(house.app, "POST", "/portal/api/sign-in", headers=ORIGIN, body=body)
    return Browser(house, pending.cookie), pending


async def audited(house: PortalHouse) -> list[str]:
    return [line["action"] for line in await house.get("/v1/audit")]


async def test_a_passkey_is_added_seen_named_used_and_removed(house: PortalHouse) -> None:
    passkey = Passkey(flags=PRESENT | VERIFIED | SYNCABLE | SYNCED)
    added = await add(house, passkey)
    assert (added.status, len(added.json["recovery_codes"])) == (201, RECOVERY_CODES)
    (seen,) = (await house.get(OWN))["passkeys"]
    assert (seen["title"], seen["site"], seen["is_synced"], seen["used_at"]) == ("Laptop", "city.example", True, None)
    entered = await alone(house, passkey)
    assert (entered.status, entered.json["principal"]["name"]) == (200, "root")
    assert (await ask(house.app, "GET", "/portal/api/session", headers={"cookie": entered.cookie})).status == 200
    named = await house.ask(f"{OWN}/{seen['id']}", "PATCH", body={"title": "Old laptop"})
    (seen,) = (await house.get(OWN))["passkeys"]
    assert (named.status, seen["title"], seen["used_at"] is not None) == (204, "Old laptop", True)
    assert (await house.ask(f"{OWN}/{seen['id']}", "DELETE")).status == 204
    assert (await alone(house, passkey)).status == 400
    assert (await house.get("/portal/api/account"))["recovery_codes"] == 0
    assert {"passkey.add", "passkey.rename", "passkey.remove"} <= set(await audited(house))


async def test_several_stand_beside_each_other_and_beside_codes(house: PortalHouse) -> None:
    begun = (await house.ask("/portal/api/account/second-factor", "POST")).json
    typed = code_at(base64.b32decode(begun["secret"]), step_at(house.clock()))
    await house.ask("/portal/api/account/second-factor/confirm", "POST", body={"code": typed})
    first, second = Passkey(), Passkey()
    assert [(await add(house, one)).json["recovery_codes"] for one in (first, second)] == [[], []]
    assert (await waiting(house))[1].json == {"pending": "either"}
    for passkey in (first, second):
        browser, _ = await waiting(house)
        await browser.begin(SECOND)
        assert browser.options is not None
        assert len(browser.options["allowCredentials"]) == 2
        assert (await browser.finish(SECOND, passkey.answer(browser.options))).status == 200
    assert (await add(house, first)).status == 409


async def test_after_the_password_a_passkey_or_a_recovery_code_is_asked_for(house: PortalHouse) -> None:
    passkey = Passkey(flags=PRESENT | VERIFIED)
    codes = (await add(house, passkey)).json["recovery_codes"]
    browser, pending = await waiting(house)
    assert pending.json == {"pending": "passkey"}
    await browser.begin(SECOND)
    assert browser.options is not None
    passkey.flags = PRESENT  # the password was one factor; that somebody has the device is the other
    assert (await browser.finish(SECOND, passkey.answer(browser.options))).status == 200
    assert (await browser.begin(SECOND)).status == 401, "this sign-in waits no more"
    browser, _ = await waiting(house)
    assert (await browser.post("/portal/api/sign-in/code", {"code": codes[0]})).status == 200
    assert (await house.get("/portal/api/account"))["recovery_codes"] == RECOVERY_CODES - 1
    link = await house.services.access.sign_in.create_link("root", by="test")
    assert (await ask(house.app, "GET", link)).headers["location"] == "/sign-in?step=passkey"


ALTERED: tuple[dict[str, Any], ...] = (
    {"origin": "https://evil.example"},
    {"origin": "http://city.example"},
    {"domain": "evil.example"},
    {"flags": PRESENT},
    {"flags": VERIFIED},
    {"flags": PRESENT | VERIFIED | SYNCABLE},
    {"cross_origin": True},
    {"handle": b"somebody else"},
    {"handle": None},
    {"id": b"no such passkey."},
    {"key": ec.generate_private_key(ec.SECP256R1())},
)


async def test_what_is_altered_opens_nothing(house: PortalHouse) -> None:
    passkey = Passkey()
    await add(house, passkey)
    for altered in ALTERED:
        refused = await alone(house, replace(passkey, count=passkey.count + 1, **altered))
        assert (refused.status, refused.json["where"]) == (400, "credential"), altered
        assert "set-cookie" not in refused.headers
    assert (await alone(house, passkey)).status == 200
    assert (await audited(house)).count("sign-in.refused") == len(ALTERED) - 1, "one of them was nobody's"


async def test_what_is_altered_is_not_added(house: PortalHouse) -> None:
    for altered in ALTERED[:5]:
        refused = await add(house, Passkey(**altered))
        assert (refused.status, refused.json["where"]) == (400, "credential"), altered
    assert (await house.get(OWN))["passkeys"] == []


BROKEN: tuple[dict[str, Any], ...] = (
    *({}, {"id": 1}, {"type": "?"}, {"rawId": "!"}, {"response": {}}),
    {
        "response": {
            "clientDataJSON": "AAAA",
            "authenticatorData": "AAAA",
            "signature": "AAAA",
            "attestationObject": "oA",
        }
    },
    {"response": {"clientDataJSON": 5, "authenticatorData": [], "signature": None, "attestationObject": {}}},
)


async def test_what_is_no_answer_at_all_is_refused_as_one(house: PortalHouse) -> None:
    passkey = Passkey()
    await add(house, passkey)
    for path, broken in product((ALONE, OWN), BROKEN):
        browser = Browser(house, house.cookie)
        await browser.begin(path)
        assert browser.options is not None
        made = passkey.answer(browser.options) if path == ALONE else Passkey().make(browser.options)
        credential = {**made, **broken} if broken else {}
        assert (await browser.post(path, {"title": "x", "credential": credential})).status == 400, (path, broken)


async def test_an_answer_is_taken_once_and_for_its_own_challenge(house: PortalHouse) -> None:
    passkey = Passkey()
    await add(house, passkey)
    browser, other = Browser(house), Browser(house)
    await browser.begin(ALONE)
    await other.begin(ALONE)
    assert browser.options is not None
    answer = passkey.answer(browser.options)
    assert (await other.finish(ALONE, answer)).status == 400, "another browser's challenge"
    assert (await browser.finish(ALONE, answer)).status == 200
    assert (await browser.finish(ALONE, answer)).status == 409, "a replay"
    assert (await Browser(house).finish(ALONE, answer)).status == 409, "no ceremony at all"


async def test_a_ceremony_ends_by_time_and_serves_its_purpose_alone(house: PortalHouse) -> None:
    passkey = Passkey()
    await add(house, passkey)
    late = Browser(house)
    await late.begin(ALONE)
    house.clock.forward(LIFETIME_S)
    assert late.options is not None
    assert (await late.finish(ALONE, passkey.answer(late.options))).status == 409
    browser, _ = await waiting(house)
    await browser.begin(ALONE)
    assert browser.options is not None
    assert (await browser.finish(SECOND, passkey.answer(browser.options))).status == 409


async def test_somebody_elses_passkey_is_no_second_factor_of_mine(house: PortalHouse) -> None:
    mine, theirs = Passkey(), Passkey()
    await add(house, mine)
    access = house.services.access
    await access.accounts.create("eve", "Eve", tenant="city", roles=["viewer"], by="test", password=PASSWORD)
    own, house.cookie = house.cookie, (await waiting(house, "eve"))[0].cookies
    assert (await add(house, theirs)).status == 201
    (of_eve,) = (await house.get(OWN))["passkeys"]
    house.cookie = own
    for method, body in (("DELETE", b""), ("PATCH", {"title": "mine now"})):
        assert (await house.ask(f"{OWN}/{of_eve['id']}", method, body=body)).status == 404
    browser, _ = await waiting(house)
    await browser.begin(SECOND)
    assert browser.options is not None
    assert (await browser.finish(SECOND, theirs.answer(browser.options))).status == 400


async def test_a_ceremony_of_another_account_adds_nothing(house: PortalHouse) -> None:
    access = house.services.access
    await access.accounts.create("eve", "Eve", tenant="city", roles=["viewer"], by="test", password=PASSWORD)
    browser = Browser(house, house.cookie)
    await browser.begin(OWN)
    assert browser.options is not None
    ceremony = browser.cookies.partition("; ")[2]
    eve = Browser(house, f"{(await waiting(house, 'eve'))[0].cookies}; {ceremony}")
    refused = await eve.post(OWN, {"title": "planted", "credential": Passkey().make(browser.options)})
    assert refused.status == 409


async def test_a_count_that_goes_back_is_refused_and_shown(house: PortalHouse) -> None:
    passkey = Passkey(count=5)
    await add(house, passkey)
    passkey.count = 4
    for _ in range(2):
        refused = await alone(house, passkey)
        passkey.count = 4
        assert (refused.status, "backwards" in refused.json["detail"]) == (401, True)
    (seen,) = (await house.get(OWN))["passkeys"]
    assert seen["doubted_at"] is not None
    assert "passkey.doubt" in await audited(house)
    passkey.count = 6
    assert (await alone(house, passkey)).status == 200, "the one that counts on is the real one"
    quiet = Passkey(is_counting=False)
    await add(house, quiet)
    assert [(await alone(house, quiet)).status for _ in range(2)] == [200, 200], "many do not count at all"


async def test_who_was_shut_out_stays_out(house: PortalHouse) -> None:
    passkey = Passkey()
    await add(house, passkey)
    await house.services.access.accounts.disable("root", by="test")
    assert (await alone(house, passkey)).status == 400


async def test_a_stolen_session_adds_and_removes_nothing_later(house: PortalHouse) -> None:
    await add(house, Passkey())
    (seen,) = (await house.get(OWN))["passkeys"]
    house.clock.forward(RECENT_US / 1e6 + 1)
    assert (await Browser(house, house.cookie).begin(OWN)).status == 403
    assert (await house.ask("/portal/api/account/second-factor", "POST")).status == 403
    removed = await house.ask(f"{OWN}/{seen['id']}", "DELETE")
    assert (removed.status, "Sign out and in again" in removed.json["remedy"]) == (403, True)


async def test_guessing_comes_to_an_end(house: PortalHouse) -> None:
    statuses = {(await alone(house, Passkey(handle=b"x"))).status for _ in range(MAX_PER_ADDRESS)}
    assert statuses == {400}
    assert (await alone(house, Passkey(handle=b"x"))).status == 429


async def test_ceremonies_are_bounded_and_pruned(house: PortalHouse, clock: Clock) -> None:
    control = house.services.store.control
    await control.execute(
        "INSERT INTO ceremony SELECT sha256(n::text::bytea), 'passkey-first', NULL, now() + make_interval(years => 50) "
        "FROM generate_series(1, $1) AS n",
        MAX_OPEN + 5,
    )
    ceremonies = house.services.access.ceremonies
    begun = await ceremonies.begin("passkey-first")
    assert await control.fetchval("SELECT count(*) FROM ceremony") == MAX_OPEN
    stored = str(await control.fetch("SELECT * FROM ceremony"))
    assert begun.secret not in stored
    await control.execute("UPDATE ceremony SET expires_at = to_timestamp(0)")
    again = await Ceremonies(control, clock, bytes).begin("passkey-first")
    assert await control.fetchval("SELECT count(*) FROM ceremony") == 1
    assert await ceremonies.finish(again.secret, "passkey-first") is None
    with pytest.raises(Conflict):
        await ceremonies.finish(again.secret, "passkey-first")


async def test_a_role_that_must_have_a_second_factor_has_one_in_a_passkey(house: PortalHouse, clock: Clock) -> None:
    guarded = Access(house.services.store.control, clock, guarded_roles=frozenset({"administrator"}))
    link = await guarded.sign_in.create_link("root", by="test")
    issued = await guarded.sign_in.with_link(link.rpartition("/")[2], "192.0.2.1")
    house.cookie = f"broadstreet_session={issued.secret}"
    assert (await house.get("/portal/api/session"))["needs_factor"] is True
    house.cookie = (await add(house, Passkey())).cookie
    assert id_of(house.cookie.partition("=")[2]) != issued.id
    assert (await house.get("/portal/api/session"))["needs_factor"] is False


async def test_whoever_lost_everything_is_helped_by_the_house(house: PortalHouse) -> None:
    await add(house, Passkey())
    await house.services.access.second_factor.remove_all("root", by="command line")
    assert "principal" in (await waiting(house))[1].json
    assert (await house.get(OWN))["passkeys"] == []


async def test_where_passkeys_cannot_work_the_page_says_why(services: Services, data_dir: Path, clock: Clock) -> None:
    async with open_portal(services, data_dir, clock) as house:
        told = await house.get(OWN)
        assert told["site"] is None and told["why_not"].startswith("Browsers give out passkeys over HTTPS alone")
        numbered = {"host": "192.0.2.7:8080", "origin": "http://192.0.2.7:8080"}
        told = (await house.ask(OWN, headers=numbered)).json
        assert "reached by the number 192.0.2.7" in told["why_not"]
        assert (await house.ask(f"{OWN}/begin", "POST", headers=numbered)).status == 422
        assert (await ask(house.app, "GET", "/portal/api/sign-in/ways")).json["passkeys"] is False
        local = {"host": "localhost:8080", "origin": "http://localhost:8080"}
        assert (await house.ask(OWN, headers=local)).json["site"] == "localhost"
