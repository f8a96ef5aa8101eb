"""The city's OpenID Connect, against a provider with real keys: people come in, and every forged answer stays out."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from broadstreet.access import Access, ProviderSettings
from broadstreet.access.ceremony import derive
from broadstreet.access.id_token import SKEW_S
from broadstreet.access.provider import KEPT_US, MAX_ANSWER_BYTES, REFETCH_US
from broadstreet.access.provider_sign_in import LIFETIME_S
from broadstreet.apis import Services
from tests.asgi import Answer, ask
from tests.contract.conftest import Clock
from tests.contract.doors import ORIGIN
from tests.contract.portal_house import PortalHouse, open_portal
from tests.provider import CLIENT, SECRET, Claims, IdProvider, new_key, running

BEGIN, BACK, OWN = "/portal/oidc/sign-in", "/portal/oidc/callback", "/portal/api/account/identity"
S = 1_000_000


@pytest.fixture(scope="module")
def running_provider() -> Iterator[IdProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(running_provider: IdProvider, clock: Clock) -> IdProvider:
    fresh = IdProvider(issuer=running_provider.issuer, key=running_provider.key, now_s=lambda: clock() // S)
    vars(running_provider).update(vars(fresh))
    return running_provider


@pytest.fixture
async def house(services: Services, provider: IdProvider, data_dir: Path, clock: Clock) -> AsyncIterator[PortalHouse]:
    settings = ProviderSettings(
        provider.issuer,
        CLIENT,
        SECRET,
        title="Helsinki",
        roles={"fire": frozenset({("city", "dispatcher")}), "all": frozenset({("city", "viewer")})},
        makes_accounts=True,
    )
    with_provider = replace(services, access=Access(services.store.control, clock, provider=settings))
    provider.person["groups"] = ["fire", "no such group"]
    async with open_portal(with_provider, data_dir, clock, origin="https://city.example") as opened:
        yield opened


async def begin(house: PortalHouse) -> tuple[str, str]:
    """The cookie of a sign-in that begins, and where the browser is sent."""
    answer = await ask(house.app, "GET", BEGIN)
    assert answer.status == 303, answer.body
    return answer.cookie, answer.headers["location"]


async def back(house: PortalHouse, cookie: str, address: str) -> Answer:
    """The browser comes back to an address that the provider sent it to."""
    return await ask(house.app, "GET", address.removeprefix("https://city.example"), headers={"cookie": cookie})


async def come(house: PortalHouse, provider: IdProvider) -> Answer:
    """A whole sign-in of the provider's person."""
    cookie, address = await begin(house)
    return await back(house, cookie, provider.visit(address))


async def principal(house: PortalHouse, entered: Answer) -> dict[str, Any]:
    assert entered.headers["location"] == "/", entered.headers
    answer = await ask(house.app, "GET", "/portal/api/session", headers={"cookie": entered.cookie})
    found: dict[str, Any] = answer.json["principal"]
    return found


def refused(answer: Answer) -> str:
    """Why nobody was let in."""
    assert answer.status == 303 and "broadstreet_session" not in answer.headers.get("set-cookie", "")
    return answer.headers["location"].partition("?city=")[2]


async def test_an_account_is_made_once_and_roles_follow_the_groups(house: PortalHouse, provider: IdProvider) -> None:
    first = await principal(house, await come(house, provider))
    assert (first["name"], first["title"], first["roles"]) == ("anna", "Anna", ["dispatcher"])
    await house.services.access.accounts.grant("anna", "analyst", tenant="city", by="root")
    provider.person |= {"preferred_username": "annika", "email": "root@city.example", "groups": ["all"]}
    again = await principal(house, await come(house, provider))
    assert (again["name"], again["roles"]) == ("anna", ["analyst", "viewer"])
    actions = [(line["action"], line["principal"]) for line in await house.get("/v1/audit")]
    by = f"sign-in of {provider.issuer.removeprefix('http://')}"
    assert {("account.create", by), ("identity.link", by), ("account.grant", by), ("account.withdraw", by)} <= {
        *actions
    }
    assert provider.asked["/.well-known/openid-configuration"] == provider.asked["/keys"] == 1


async def test_a_name_or_an_address_opens_nobodys_account(house: PortalHouse, provider: IdProvider) -> None:
    provider.person |= {"preferred_username": "root", "email": "root@city.example"}
    assert refused(await come(house, provider)) == "taken"
    provider.person |= {"preferred_username": "Not A Name!", "groups": []}
    assert refused(await come(house, provider)) == "no-role"
    provider.person["groups"] = "all"
    assert (await principal(house, await come(house, provider)))["name"].startswith("person-")


async def test_one_links_the_account_one_has_and_unlinks_it(house: PortalHouse, provider: IdProvider) -> None:
    begun = await house.ask(f"{OWN}/begin", "POST")
    cookies = f"{house.cookie}; {begun.cookie}"
    stolen = await back(house, begun.cookie, provider.visit(begun.json["address"]))
    assert refused(stolen) == "late", "whoever links is signed in"
    linked = await back(house, cookies, provider.visit(begun.json["address"]))
    assert linked.headers["location"] == "/account"
    assert (await house.get(OWN))["provider"] == "Helsinki"
    assert (await house.get(OWN))["linked_at"] is not None
    roles = (await principal(house, await come(house, provider)))["roles"]
    assert roles == ["administrator", "dispatcher"], "what the groups cannot give is not taken"
    again = await house.ask(f"{OWN}/begin", "POST")
    refusal = await back(house, f"{house.cookie}; {again.cookie}", provider.visit(again.json["address"]))
    assert refused(refusal) == "taken"
    assert (await house.ask(OWN, "DELETE")).status == 204
    assert (await house.ask(OWN, "DELETE")).status == 404
    assert {"identity.link", "identity.unlink"} <= {line["action"] for line in await house.get("/v1/audit")}


async def test_the_only_way_in_is_not_taken_away(house: PortalHouse, provider: IdProvider) -> None:
    house.cookie = (await come(house, provider)).cookie
    assert (await house.ask(OWN, "DELETE")).status == 409


async def test_a_second_factor_is_asked_for_unless_the_providers_is_trusted(
    house: PortalHouse, provider: IdProvider
) -> None:
    await come(house, provider)
    factor = house.services.access.second_factor
    async with house.services.store.control.transaction() as connection:
        await connection.execute("INSERT INTO totp SELECT key, $1, now(), now() FROM account WHERE name = 'anna'", b"s")
    assert (await factor.state("anna")).is_on
    provider.person["amr"] = ["pwd", "mfa"]
    assert (await come(house, provider)).headers["location"] == "/sign-in?step=code"
    door = house.services.access.provider_sign_in
    assert door is not None
    door.settings = replace(door.settings, trusts_second_factor=True)
    assert (await come(house, provider)).headers["location"] == "/"
    provider.person["amr"] = ["pwd"]
    assert (await come(house, provider)).headers["location"] == "/sign-in?step=code"


async def test_who_is_shut_out_stays_out_and_who_is_unknown_too(house: PortalHouse, provider: IdProvider) -> None:
    await come(house, provider)
    await house.services.access.accounts.disable("anna", by="root")
    assert refused(await come(house, provider)) == "disabled"
    door = house.services.access.provider_sign_in
    assert door is not None
    door.identities._settings = replace(door.settings, makes_accounts=False)
    provider.person["sub"] = "8"
    assert refused(await come(house, provider)) == "unknown"


def text(value: bytes | Claims) -> str:
    """A part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def shared(claims: Claims, secret: bytes, kid: str) -> str:
    """A token by a secret that both sides would have to share (HS256)."""
    told = f"{text({'alg': 'HS256', 'kid': kid})}.{text(claims)}"
    return f"{told}.{text(hmac.digest(secret, told.encode(), 'sha256'))}"


ALTERED: dict[str, Callable[[Claims], Claims]] = {
    "another's": lambda c: {**c, "aud": "another"},
    "several's": lambda c: {**c, "aud": [CLIENT, "another"]},
    "asked by another": lambda c: {**c, "aud": [CLIENT, "another"], "azp": "another"},
    "another issuer": lambda c: {**c, "iss": "https://evil.example"},
    "another question": lambda c: {**c, "nonce": "x"},
    "no question": lambda c: {k: v for k, v in c.items() if k != "nonce"},
    "expired": lambda c: {**c, "exp": c["iat"] - SKEW_S},
    "endless": lambda c: {k: v for k, v in c.items() if k != "exp"},
    "of tomorrow": lambda c: {**c, "iat": c["iat"] + 86_400},
    "of yesterday": lambda c: {**c, "iat": c["iat"] - 86_400},
    "not yet": lambda c: {**c, "nbf": c["iat"] + 3_600},
    "nobody's": lambda c: {k: v for k, v in c.items() if k != "sub"},
    "an empty subject": lambda c: {**c, "sub": ""},
    "a long subject": lambda c: {**c, "sub": "7" * 256},
    "a number": lambda c: {**c, "sub": 7},
}


async def test_no_token_that_does_not_hold_lets_anybody_in(house: PortalHouse, provider: IdProvider) -> None:
    for name, alter in ALTERED.items():
        provider.alter = alter
        assert refused(await come(house, provider)) == "wrong", name
    provider.alter = lambda c: {**c, "exp": c["iat"] - SKEW_S + 1, "iat": c["iat"] - SKEW_S}
    assert (await principal(house, await come(house, provider)))["name"] == "anna", "clocks differ a little"
    told = await house.services.store.control.fetch("SELECT detail FROM audit WHERE action = 'sign-in.refused'")
    assert [row["detail"]["reason"] for row in told] == ["wrong"] * len(ALTERED)


async def test_no_signature_but_one_by_the_providers_own_pair_counts(house: PortalHouse, provider: IdProvider) -> None:
    pem = provider.key.as_pem(private=False)
    stranger = new_key("one")
    forged: dict[str, Callable[[Claims], str]] = {
        "none": lambda c: f"{text({'alg': 'none'})}.{text(c)}.",
        "the public key as a secret": lambda c: shared(c, pem, "one"),
        "another key by the same name": lambda c: jwt.encode({"alg": "RS256", "kid": "one"}, c, stranger),
        "a key nobody knows": lambda c: jwt.encode({"alg": "RS256", "kid": "two"}, c, stranger),
        "a key it brings along": lambda c: jwt.encode(
            {"alg": "RS256", "jwk": stranger.as_dict(private=False)}, c, stranger
        ),
        "no token": lambda _: "a.b.c",
        "half a token": lambda c: provider.signed(c)[:-9],
    }
    for name, sign in forged.items():
        provider.sign = sign
        assert refused(await come(house, provider)) == "wrong", name


async def test_a_secret_among_the_published_keys_signs_nothing(house: PortalHouse, provider: IdProvider) -> None:
    secret = b"published for all to read, by mistake"
    mistake = OctKey.import_key(secret, {"kid": "shared"})
    provider.published = [provider.key, mistake]  # type: ignore[list-item]  # the mistake itself
    provider.sign = lambda claims: shared(claims, secret, "shared")
    assert refused(await come(house, provider)) == "wrong"


async def test_a_new_key_is_fetched_when_it_is_met_and_not_too_often(house: PortalHouse, provider: IdProvider) -> None:
    await come(house, provider)
    old, provider.key = provider.key, new_key("two")
    assert refused(await come(house, provider)) == "wrong", "its keys were fetched this minute"
    house.clock.forward(REFETCH_US / S)
    provider.asked.clear()
    assert (await principal(house, await come(house, provider)))["name"] == "anna"
    provider.sign = lambda c: jwt.encode({"alg": "RS256", "kid": "three"}, c, old)
    for _ in range(3):
        assert refused(await come(house, provider)) == "wrong"
    assert provider.asked["/keys"] == 1
    provider.sign = None
    house.clock.forward(KEPT_US / S)
    await come(house, provider)
    assert (provider.asked["/keys"], provider.asked["/.well-known/openid-configuration"]) == (2, 1)
    provider.key = old


async def test_an_answer_is_good_once_in_its_own_browser_and_in_time(house: PortalHouse, provider: IdProvider) -> None:
    cookie, address = await begin(house)
    other, _ = await begin(house)
    returned = provider.visit(address)
    assert refused(await back(house, other, returned)) == "wrong", "another browser's"
    assert refused(await back(house, "", returned)) == "wrong", "no browser's"
    assert refused(await back(house, cookie, returned.replace("state=", "state=x"))) == "wrong"
    assert (await back(house, cookie, returned)).headers["location"] == "/"
    assert refused(await back(house, cookie, returned)) == "late", "a replay"
    cookie, address = await begin(house)
    house.clock.forward(LIFETIME_S)
    assert refused(await back(house, cookie, provider.visit(address))) == "late"


async def test_a_code_of_another_browser_is_worth_nothing_here(house: PortalHouse, provider: IdProvider) -> None:
    """A code that was stolen, brought back under the thief's own state: PKCE and the nonce are the victim's."""
    _, victims = await begin(house)
    code = provider.visit(victims).partition("code=")[2].partition("&")[0]
    cookie, mine = await begin(house)
    own = provider.visit(mine)
    stolen = own.replace(own.partition("code=")[2].partition("&")[0], code)
    assert refused(await back(house, cookie, stolen)) == "late"


async def test_an_answer_of_another_provider_is_refused(house: PortalHouse, provider: IdProvider) -> None:
    cookie, address = await begin(house)
    assert refused(await back(house, cookie, provider.visit(address) + "&iss=https://evil.example")) == "wrong"
    cookie, address = await begin(house)
    assert (await back(house, cookie, provider.visit(address) + f"&iss={provider.issuer}")).headers["location"] == "/"
    provider.description["authorization_response_iss_parameter_supported"] = True
    house.clock.forward(KEPT_US / S)
    cookie, address = await begin(house)
    assert refused(await back(house, cookie, provider.visit(address))) == "wrong", "it says that it always says who"


async def test_who_says_no_there_is_told_so_here(house: PortalHouse) -> None:
    cookie, _ = await begin(house)
    state = base64.urlsafe_b64encode(derive(cookie.partition("=")[2], "state")).decode().rstrip("=")
    assert refused(await back(house, cookie, f"{BACK}?error=access_denied&state={state}")) == "refused"


async def test_a_provider_that_is_not_as_it_should_be_is_not_asked(house: PortalHouse, provider: IdProvider) -> None:
    wrong: tuple[Claims, ...] = (
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": 7},
        {"padding": "x" * MAX_ANSWER_BYTES},
    )
    for described in wrong:
        provider.description = described
        assert refused(await ask(house.app, "GET", BEGIN)) == "unreachable", described


async def test_groups_come_from_userinfo_where_the_token_lacks_them(house: PortalHouse, provider: IdProvider) -> None:
    del provider.person["groups"]
    provider.userinfo = {"groups": ["fire"], "preferred_username": "somebody else"}
    assert (await principal(house, await come(house, provider)))["name"] == "anna"
    provider.userinfo["sub"] = "8"
    assert refused(await come(house, provider)) == "unreachable"


async def test_signing_out_goes_on_to_the_provider(house: PortalHouse, provider: IdProvider) -> None:
    house.cookie = (await come(house, provider)).cookie + "; broadstreet_provider=1"
    assert (await house.get("/portal/api/session"))["is_from_provider"] is True
    assert (await house.ask("/portal/api/sign-out", "POST")).status == 204
    left = await ask(house.app, "GET", "/portal/oidc/sign-out")
    assert left.headers["location"].startswith(f"{provider.issuer}/leave?client_id={CLIENT}&post_logout_redirect_uri=")
    assert (await ask(house.app, "GET", "/portal/api/sign-in/ways")).json["provider"] == "Helsinki"


async def test_nothing_of_it_is_there_without_a_provider(services: Services, data_dir: Path, clock: Clock) -> None:
    async with open_portal(services, data_dir, clock) as house:
        for path in (BEGIN, BACK, "/portal/oidc/sign-out"):
            assert (await ask(house.app, "GET", path)).status == 404
        assert await house.get(OWN) == {"provider": None, "linked_at": None}
        assert (await ask(house.app, "POST", f"{OWN}/begin", headers={"cookie": house.cookie, **ORIGIN})).status == 404
