"""`/v1/accounts`: who may come in.

An administrator of a tenant sees and changes the accounts that have a role there, and those roles. What concerns an
account as a whole (its password, whether it is shut out, its tokens) may touch other tenants, and is done on the
command line by whoever runs the house; here it is offered at an account's making alone.
"""

from __future__ import annotations

import msgspec
from litestar import delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_204_NO_CONTENT

from broadstreet.access import Account, requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339


class AccountView(msgspec.Struct, frozen=True, kw_only=True):
    """An account, with its roles in the caller's tenant."""

    name: str
    title: str
    roles: list[str]
    has_password: bool
    created_at: str
    disabled_at: str | None


class NewAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account to make, with its roles in the caller's tenant. Without a password it comes in by token or link."""

    name: str
    title: str
    roles: list[str]
    password: str | None = None


def _view(account: Account) -> AccountView:
    return AccountView(
        name=account.name,
        title=account.title,
        roles=[role for _, role in account.roles],
        has_password=account.has_password,
        created_at=format_rfc3339(account.created_at_us),
        disabled_at=None if account.disabled_at_us is None else format_rfc3339(account.disabled_at_us),
    )


@get("/accounts", opt=requires("account:read"))
async def list_of_accounts(call: NamedDependency[Call]) -> list[AccountView]:
    """The accounts that have a role in the caller's tenant."""
    return [_view(account) for account in await call.services.access.accounts.list(call.principal.tenant)]


@post("/accounts", opt=requires("account:write"))
async def create_account(call: NamedDependency[Call], data: JSONBody[NewAccount]) -> None:
    """Make an account, with roles in the caller's tenant."""
    await call.services.access.accounts.create(
        data.name,
        data.title,
        tenant=call.principal.tenant,
        roles=data.roles,
        by=call.principal.name,
        password=data.password,
    )


@put("/accounts/{name:str}/roles/{role:str}", opt=requires("account:write"), status_code=HTTP_204_NO_CONTENT)
async def grant_role(call: NamedDependency[Call], name: FromPath[str], role: FromPath[str]) -> None:
    """Give an account a role in the caller's tenant."""
    accounts = call.services.access.accounts
    await accounts.grant(name, role, tenant=call.principal.tenant, by=call.principal.name)


@delete("/accounts/{name:str}/roles/{role:str}", opt=requires("account:write"))
async def withdraw_role(call: NamedDependency[Call], name: FromPath[str], role: FromPath[str]) -> None:
    """Take a role in the caller's tenant from an account."""
    accounts = call.services.access.accounts
    await accounts.withdraw(name, role, tenant=call.principal.tenant, by=call.principal.name)


def people_router() -> Router:
    """`/accounts`, to stand below `/v1`."""
    return Router("/", route_handlers=[list_of_accounts, create_account, grant_role, withdraw_role], tags=["People"])
