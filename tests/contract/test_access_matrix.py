"""The access matrix, made from the router: route × role × tenant × state of the credential.

All that should be denied is, and all that should be allowed is: its answer is neither 401 nor 403. The routes are those
of the whole application, so a new one is in the matrix from its first day; one that declares nothing keeps the
application from being made, which `test_routes.py` shows.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
from litestar import Litestar

from broadstreet.access import PERMISSIONS, POLICY, ROLES
from broadstreet.access.policy import Role
from broadstreet.access.route import SESSION_COOKIE, Demand
from broadstreet.apis import Services
from tests.contract.conftest import Clock
from tests.contract.doors import DENIED, ORIGIN, calls, issue, status
from tests.contract.house import portal_of, whole_app

OWN, OTHER, NO_SUCH = "city", "harbour", "atlantis"
SERVER_ERRORS: Final = range(500, 503)
Wrong = list[tuple[object, ...]]


@pytest.fixture
async def app(services: Services, data_dir: Path) -> AsyncIterator[Litestar]:
    async with portal_of(services, data_dir) as portal:
        yield whole_app(services, portal)


def bearer(secret: str, tenant: str | None = None) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}", **({} if tenant is None else {"ngsild-tenant": tenant})}


def allows(demand: Demand, role: Role, *, by_token: bool = True) -> bool:
    """Whether a route lets a role in; what is done in person, no token does."""
    if demand.in_person and by_token:
        return False
    return demand.permission is None or role in POLICY[demand.permission]


async def test_a_role_may_what_the_table_says_in_its_own_tenant_alone(app: Litestar, services: Services) -> None:
    secrets = {role: await issue(services, role, [role]) for role in ROLES}
    wrong: Wrong = []
    for method, path, demand in calls(app):
        for role, secret in secrets.items():
            for tenant in (None, OWN, OTHER, NO_SUCH):
                if tenant == NO_SUCH and demand.makes_tenant and role == "administrator":
                    continue  # who begins it, see test_tenancy.py
                answered = await status(app, method, path, bearer(secret, tenant))
                if demand.is_public or (tenant in (None, OWN) and allows(demand, role)):
                    fits = answered not in DENIED and answered not in SERVER_ERRORS
                elif tenant == NO_SUCH:
                    fits = answered == 404  # NGSI-LD's NonexistentTenant
                else:
                    fits = answered == 403
                if not fits:
                    wrong.append((method, path, role, tenant, answered))
    assert wrong == []


async def test_roles_of_two_tenants_do_not_add_up(app: Litestar, services: Services) -> None:
    """Someone who administers one tenant and looks at another does in each what the role there allows."""
    wrong: Wrong = []
    for there in ROLES:
        secret = await issue(services, f"both-{there}", ["administrator"])
        await services.access.accounts.grant(f"both-{there}", there, tenant=OTHER, by="test")
        for method, path, demand in calls(app):
            answered = await status(app, method, path, bearer(secret, OTHER))
            if (answered not in DENIED) != (demand.is_public or allows(demand, there)):
                wrong.append((method, path, there, answered))
    assert wrong == []


async def test_a_session_may_what_a_token_may(app: Litestar, services: Services) -> None:
    wrong: Wrong = []
    for role in ROLES:
        await services.access.accounts.create(role, role, tenant=OWN, roles=[role], by="test")
        for method, path, demand in calls(app):
            if "sign-out" in path:
                continue
            secret = (await services.access.tokens.issue(role, "session", "test", 3600, by="test")).secret
            for tenant in (None, OTHER):
                headers = {"cookie": f"{SESSION_COOKIE}={secret}", **ORIGIN}
                answered = await status(app, method, path, headers | ({"ngsild-tenant": tenant} if tenant else {}))
                may = demand.is_public or (tenant is None and allows(demand, role, by_token=False))
                if may != (answered not in DENIED):
                    wrong.append((method, path, role, tenant, answered))
    assert wrong == []


async def test_no_credential_that_does_not_hold_opens_a_route(app: Litestar, services: Services, clock: Clock) -> None:
    tokens = services.access.tokens
    revoked = await issue(services, "revoked", ["administrator"])
    await tokens.revoke((await tokens.list("revoked"))[0].id, by="test")
    disabled = await issue(services, "disabled", ["administrator"])
    await services.access.accounts.disable("disabled", by="test")
    no_role = await issue(services, "no-role", [])
    expired = await issue(services, "expired", ["administrator"])
    clock.forward(3600)
    fresh = (await tokens.issue("expired", "api", "test", 3600, by="test")).secret
    signed_out = (await tokens.issue("expired", "session", "test", 3600, by="test")).secret
    await services.access.sign_in.sign_out(signed_out, by="expired")
    unsound: dict[str, dict[str, str]] = {
        "none": {},
        "wrong": bearer("bst_" + "A" * 43),
        "garbled": {"authorization": "Bearer"},
        "cut short": bearer(fresh[:-1]),
        "unknown scheme": {"authorization": f"Token {fresh}"},
        "no device": {"authorization": "Basic " + base64.b64encode(b"nobody:secret").decode()},
        "an account as a device": {"authorization": "Basic " + base64.b64encode(f"expired:{fresh}".encode()).decode()},
        "garbled basic": {"authorization": "Basic !"},
        "expired": bearer(expired),
        "revoked": bearer(revoked),
        "disabled": bearer(disabled),
        "no role": bearer(no_role),
        "token as a cookie": {"cookie": f"{SESSION_COOKIE}={fresh}", **ORIGIN},
        "signed out": {"cookie": f"{SESSION_COOKIE}={signed_out}", **ORIGIN},
        "a bad token before a good cookie": {
            **bearer(revoked),
            "cookie": f"{SESSION_COOKIE}=" + (await tokens.issue("expired", "session", "test", 3600, by="test")).secret,
        },
    }
    wrong: Wrong = []
    for method, path, demand in calls(app):
        for name, headers in unsound.items():
            answered = await status(app, method, path, headers)
            fits = answered not in SERVER_ERRORS if demand.is_public else answered in DENIED
            if not fits:
                wrong.append((method, path, name, answered))
    assert wrong == []


async def test_a_limited_token_may_what_both_it_and_its_account_may(app: Litestar, services: Services) -> None:
    """A token with one permission, for each permission: it opens that permission's routes, if the role does."""
    wrong: Wrong = []
    for role in ("administrator", "viewer"):
        await services.access.accounts.create(role, role, tenant=OWN, roles=[role], by="test")
        for permission in PERMISSIONS:
            limits = frozenset({permission})
            made = await services.access.tokens.issue(role, "api", "narrow", 3600, by="test", limits=limits)
            for method, path, demand in calls(app):
                if demand.permission is not None:
                    answered = await status(app, method, path, bearer(made.secret))
                    may = demand.permission == permission and role in POLICY[permission]
                    if may != (answered not in DENIED):
                        wrong.append((method, path, role, permission, answered))
    assert wrong == []
