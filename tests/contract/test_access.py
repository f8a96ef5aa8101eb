"""Accounts, tokens, sign-in and audit on a real PostgreSQL: what holds, what ends, what is written down."""

from __future__ import annotations

import asyncio

import pytest

from broadstreet.access import Access, Principal
from broadstreet.access.attempts import MAX_PER_ADDRESS, MAX_PER_PAIR, WINDOW_US
from broadstreet.access.sign_in import LINK_PATH
from broadstreet.access.token import LINK_LIFETIME_S, REMEMBERED_US, SESSION_LIFETIME_S
from broadstreet.apis import Services
from broadstreet.model.errors import (
    BroadstreetError,
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
    UnknownTenant,
)
from tests.contract.conftest import Clock

PASSWORD = "a pump handle, taken off"
DAY_S = 86_400


@pytest.fixture
async def access(services: Services) -> Access:
    accounts = services.access.accounts
    await accounts.create("snow", "John Snow", tenant="city", roles=["analyst"], by="console", password=PASSWORD)
    return services.access


async def token(access: Access, lifetime_s: int = DAY_S) -> str:
    return (await access.tokens.issue("snow", "api", "for a script", lifetime_s, by="console")).secret


async def test_a_token_gives_the_roles_of_its_account(access: Access) -> None:
    principal = await access.tokens.principal(await token(access), "api")
    assert (principal.name, principal.title, principal.tenant) == ("snow", "John Snow", "city")
    assert principal.may("history:export")
    with pytest.raises(NotAllowed, match="device:write"):
        principal.require("device:write")


async def test_a_token_is_good_for_its_kind_alone(access: Access) -> None:
    secret = await token(access)
    link = (await access.sign_in.create_link("snow", by="console")).removeprefix(LINK_PATH)
    for presented, kind in ((secret, "session"), (link, "api"), (link, "session"), ("bst_guess", "api")):
        with pytest.raises(NotSignedIn):
            await access.tokens.principal(presented, kind)  # type: ignore[arg-type]  # the kinds stand in a tuple of texts
    with pytest.raises(NotSignedIn):
        await access.sign_in.with_link(secret, "192.0.2.1")


async def test_only_a_hash_of_a_secret_is_kept(access: Access, services: Services) -> None:
    secret = await token(access)
    link = await access.sign_in.create_link("snow", by="console")
    dump = ""
    for table in ("token", "audit", "account"):
        dump += "".join(map(repr, await services.store.control.fetch(f"SELECT * FROM {table}")))
    for hidden in (secret, secret.removeprefix("bst_"), link.removeprefix(LINK_PATH), PASSWORD):
        assert hidden not in dump
    assert "$argon2id$" in dump


async def test_a_token_ends_when_it_expires(access: Access, clock: Clock) -> None:
    secret = await token(access, lifetime_s=60)
    clock.forward(59.9)
    await access.tokens.principal(secret, "api")
    clock.forward(0.2)
    with pytest.raises(NotSignedIn):
        await access.tokens.principal(secret, "api")


@pytest.mark.parametrize("ending", ["revoke", "disable", "withdraw"])
async def test_what_is_ended_holds_no_longer(access: Access, ending: str) -> None:
    secret = await token(access)
    await access.tokens.principal(secret, "api")
    expected: type[BroadstreetError] = NotSignedIn
    match ending:
        case "revoke":
            (entry,) = await access.tokens.list("snow")
            await access.tokens.revoke(entry.id, by="console")
        case "disable":
            await access.accounts.disable("snow", by="console")
        case "withdraw":
            await access.accounts.withdraw("snow", "analyst", tenant="city", by="console")
            expected = NotAllowed
    with pytest.raises(expected):
        await access.tokens.principal(secret, "api")


async def test_another_process_feels_a_revocation_within_the_time_it_remembers(
    access: Access, services: Services, clock: Clock
) -> None:
    other = Access(services.store.control, clock)
    secret = await token(access)
    await other.tokens.principal(secret, "api")
    (entry,) = await access.tokens.list()
    await access.tokens.revoke(entry.id, by="console")
    clock.forward(REMEMBERED_US / 1e6)
    with pytest.raises(NotSignedIn):
        await other.tokens.principal(secret, "api")


async def test_roles_hold_in_their_own_tenant_alone(access: Access) -> None:
    secret = await token(access)
    with pytest.raises(NotAllowed):
        await access.tokens.principal(secret, "api", "harbour")
    with pytest.raises(UnknownTenant):
        await access.tokens.principal(secret, "api", "atlantis")
    await access.accounts.grant("snow", "engineer", tenant="harbour", by="console")
    assert (await access.tokens.principal(secret, "api", "harbour")).roles == {"engineer"}
    assert (await access.tokens.principal(secret, "api")).roles == {"analyst"}


async def test_a_link_signs_in_once(access: Access) -> None:
    secret = (await access.sign_in.create_link("snow", by="console")).removeprefix(LINK_PATH)
    outcomes = await asyncio.gather(
        *(access.sign_in.with_link(secret, "192.0.2.1") for _ in range(8)), return_exceptions=True
    )
    sessions = [outcome for outcome in outcomes if not isinstance(outcome, BaseException)]
    assert len(sessions) == 1
    assert all(isinstance(outcome, NotSignedIn) for outcome in outcomes if outcome is not sessions[0])
    principal = await access.tokens.principal(sessions[0].secret, "session")
    assert principal == Principal.account("snow", "John Snow", "city", ["analyst"])


async def test_a_link_ends_within_minutes(access: Access, clock: Clock) -> None:
    secret = (await access.sign_in.create_link("snow", by="console")).removeprefix(LINK_PATH)
    clock.forward(LINK_LIFETIME_S)
    with pytest.raises(NotSignedIn):
        await access.sign_in.with_link(secret, "192.0.2.1")


async def test_a_link_goes_round_no_rule(access: Access) -> None:
    secret = (await access.sign_in.create_link("snow", by="console")).removeprefix(LINK_PATH)
    await access.accounts.disable("snow", by="console")
    with pytest.raises(NotSignedIn):
        await access.sign_in.with_link(secret, "192.0.2.1")
    with pytest.raises(NotFound):
        await access.sign_in.create_link("snow", by="console")


async def test_signing_in_and_out(access: Access, clock: Clock) -> None:
    session = await access.sign_in.with_password(" Snow ", PASSWORD, "192.0.2.1")
    assert (await access.tokens.principal(session.secret, "session")).name == "snow"
    assert session.expires_at_us == clock() + SESSION_LIFETIME_S * 1_000_000
    await access.sign_in.sign_out(session.secret, by="snow")
    with pytest.raises(NotSignedIn):
        await access.tokens.principal(session.secret, "session")


async def test_a_new_password_ends_sessions_but_no_token(access: Access) -> None:
    session = await access.sign_in.with_password("snow", PASSWORD, "192.0.2.1")
    secret = await token(access)
    await access.accounts.set_password("snow", "another handle altogether", by="console")
    with pytest.raises(NotSignedIn):
        await access.tokens.principal(session.secret, "session")
    await access.tokens.principal(secret, "api")


@pytest.mark.parametrize("name", ["snow", "nobody", "disabled", "by-token"])
async def test_a_refusal_does_not_say_whether_the_account_exists(access: Access, name: str) -> None:
    for other, password in (("disabled", PASSWORD), ("by-token", None)):
        await access.accounts.create(other, other, tenant="city", roles=[], by="console", password=password)
    await access.accounts.disable("disabled", by="console")
    with pytest.raises(NotSignedIn, match="the name or the password is wrong"):
        await access.sign_in.with_password(name, PASSWORD if name == "disabled" else "wrong", "192.0.2.1")


async def test_guessing_is_bounded_even_all_at_once(access: Access, clock: Clock) -> None:
    attempts = (access.sign_in.with_password("snow", f"guess {n}", "192.0.2.1") for n in range(3 * MAX_PER_PAIR))
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, TooMany)]
    assert len(refused) == 2 * MAX_PER_PAIR
    assert refused[0].retry_after_s == WINDOW_US // 1_000_000
    with pytest.raises(TooMany, match="too many attempts"):
        await access.sign_in.with_password("snow", PASSWORD, "192.0.2.1")
    await access.sign_in.with_password("snow", PASSWORD, "198.51.100.7")
    clock.forward(WINDOW_US / 1e6 + 1)
    await access.sign_in.with_password("snow", PASSWORD, "192.0.2.1")


async def test_a_list_of_names_from_one_site_is_bounded(access: Access) -> None:
    for n in range(MAX_PER_ADDRESS):
        with pytest.raises(NotSignedIn):
            await access.sign_in.with_password(f"name-{n}", "guess", f"2001:db8::{n:x}")
    with pytest.raises(TooMany):
        await access.sign_in.with_password("another", "guess", "2001:db8::ffff")
    with pytest.raises(NotSignedIn):
        await access.sign_in.with_password("another", "guess", "2001:db8:0:1::1")


async def test_a_sign_in_that_holds_clears_the_count(access: Access) -> None:
    for _ in range(3):
        for _ in range(MAX_PER_PAIR - 1):
            with pytest.raises(NotSignedIn):
                await access.sign_in.with_password("snow", "mistyped", "192.0.2.1")
        await access.sign_in.with_password("snow", PASSWORD, "192.0.2.1")


async def test_every_change_leaves_a_line(access: Access, clock: Clock) -> None:
    secret = await token(access)
    await access.accounts.grant("snow", "steward", tenant="city", by="root")
    await access.accounts.withdraw("snow", "steward", tenant="city", by="root")
    await access.accounts.disable("snow", by="root")
    await access.accounts.enable("snow", by="root")
    await access.accounts.set_password("snow", None, by="root")
    await access.tokens.revoke_secret(secret, by="snow")
    lines = await access.audit.read("city")
    assert [(line.principal, line.action) for line in reversed(lines)] == [
        ("console", "account.create"),
        ("console", "token.create"),
        ("root", "account.grant"),
        ("root", "account.withdraw"),
        ("root", "account.disable"),
        ("root", "account.enable"),
        ("root", "account.password"),
        ("snow", "token.revoke"),
    ]
    assert all(line.at_us == clock() for line in lines)
    assert lines[-1].detail == {"roles": ["analyst"], "has_password": True}
    assert await access.audit.read("city", before=lines[-2].key) == lines[-1:]


async def test_a_tenant_sees_its_own_audit(access: Access) -> None:
    await access.accounts.create("farr", "William Farr", tenant="harbour", roles=["steward"], by="root")
    await access.tokens.issue("farr", "api", "for a script", DAY_S, by="console")
    with pytest.raises(NotSignedIn):
        await access.sign_in.with_password("farr", "guess", "192.0.2.1")
    assert {line.subject for line in await access.audit.read("city")} == {"snow"}
    assert [line.action for line in await access.audit.read("harbour")] == [
        "sign-in.refused",
        "token.create",
        "account.create",
    ]
    await access.accounts.grant("farr", "viewer", tenant="city", by="root")
    assert len(await access.audit.read("city")) == 4


async def test_accounts_are_listed_with_their_roles(access: Access) -> None:
    await access.accounts.grant("snow", "viewer", tenant="harbour", by="root")
    await access.accounts.create("farr", "William Farr", tenant="harbour", roles=["steward"], by="root")
    farr, snow = await access.accounts.list()
    assert snow.roles == (("city", "analyst"), ("harbour", "viewer"))
    assert (farr.has_password, snow.has_password) == (False, True)
    assert [account.name for account in await access.accounts.list("city")] == ["snow"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"name": "snow"}, Conflict),
        ({"name": "Two Words"}, InvalidInput),
        ({"title": ""}, InvalidInput),
        ({"roles": ["king"]}, InvalidInput),
        ({"tenant": "atlantis"}, UnknownTenant),
        ({"password": "short"}, InvalidInput),
    ],
)
async def test_an_account_that_cannot_be_leaves_nothing(
    access: Access, change: dict[str, object], error: type[BroadstreetError]
) -> None:
    wanted = {"name": "new", "title": "New", "tenant": "city", "roles": ["viewer"], "by": "root", "password": None}
    with pytest.raises(error):
        await access.accounts.create(**{**wanted, **change})  # type: ignore[arg-type]  # keywords out of a dict
    assert [account.name for account in await access.accounts.list()] == ["snow"]
    assert len(await access.audit.read("city")) == 1
