"""Accounts: people and systems that sign in, and the roles they hold in each tenant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from broadstreet.access.audit import record
from broadstreet.access.password import Passwords
from broadstreet.access.policy import ROLES, Role
from broadstreet.access.token import Tokens
from broadstreet.model.errors import Conflict, InvalidInput, NotFound, UnknownTenant
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

MAX_TITLE_LENGTH: Final = 200
_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
_SQL = load_queries("account")


@dataclass(frozen=True, slots=True)
class Account:
    """An account as administrators see it. roles: (tenant, role) pairs."""

    name: str
    title: str
    created_at_us: int
    disabled_at_us: int | None
    has_password: bool
    roles: tuple[tuple[str, Role], ...]


def check_account(name: str) -> str:
    """An account's name, or InvalidInput: lower-case letters, digits and . _ @ + -, at most 64."""
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            f"{name[:80]!r} cannot name an account",
            where="name",
            remedy="Use lower-case letters, digits and . _ @ + -, a letter or digit first, at most 64 characters.",
        )
    return name


def check_roles(names: Iterable[str]) -> tuple[Role, ...]:
    """Roles by their names, or InvalidInput for one that does not exist."""
    checked = tuple(dict.fromkeys(names))
    for name in checked:
        if name not in ROLES:
            raise InvalidInput(f"there is no role {name[:80]!r}", where="roles", remedy=f"Roles: {', '.join(ROLES)}.")
    return cast("tuple[Role, ...]", checked)


class Accounts:
    """Every change names who makes it (`by`), and leaves a line in the audit."""

    def __init__(self, control: Database, clock: Callable[[], int], passwords: Passwords, tokens: Tokens) -> None:
        self._control = control
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens

    async def create(
        self, name: str, title: str, *, tenant: str, roles: Iterable[str], by: str, password: str | None = None
    ) -> None:
        """A new account with roles in a tenant. Raises Conflict for a taken name, UnknownTenant, InvalidInput."""
        check_account(name)
        held = check_roles(roles)
        if not title or len(title) > MAX_TITLE_LENGTH:
            raise InvalidInput(f"a title has 1 to {MAX_TITLE_LENGTH} characters", where="title")
        encoded = None if password is None else await self._passwords.hash(password, name, title)
        now_us = self._clock()
        async with self._control.transaction() as connection:
            if await connection.fetchval(_SQL["insert"], name, title, encoded, now_us) is None:
                raise Conflict(f"there is an account {name!r} already", where="name")
            await self._must_have_tenant(connection, tenant)
            for role in held:
                await connection.execute(_SQL["grant_role"], name, tenant, role)
            await record(
                connection,
                now_us,
                by,
                "account.create",
                name,
                tenant=tenant,
                detail={"roles": held, "has_password": encoded is not None},
            )

    async def grant(self, name: str, role: str, *, tenant: str, by: str) -> None:
        """A role more. Nothing changes where it is held already. Raises NotFound, UnknownTenant, InvalidInput."""
        await self._change_role("grant_role", "account.grant", name, role, tenant, by)

    async def withdraw(self, name: str, role: str, *, tenant: str, by: str) -> None:
        """A role less. Nothing changes where it is not held. Raises NotFound, UnknownTenant, InvalidInput."""
        await self._change_role("withdraw_role", "account.withdraw", name, role, tenant, by)

    async def set_password(self, name: str, password: str | None, *, by: str) -> None:
        """A new password, or none; ends the account's sessions and links. Raises NotFound, InvalidInput."""
        encoded = None if password is None else await self._passwords.hash(password, name)
        now_us = self._clock()
        async with self._control.transaction() as connection:
            key = await connection.fetchval(_SQL["set_password"], name, encoded)
            if key is None:
                raise _no_account(name)
            await self._tokens.revoke_sessions(connection, key, now_us)
            await record(connection, now_us, by, "account.password", name, detail={"has_password": encoded is not None})
        self._tokens.forget()

    async def disable(self, name: str, *, by: str) -> None:
        """Shut an account out: none of its credentials holds any more. Raises NotFound."""
        await self._set_disabled(name, self._clock(), "account.disable", by)

    async def enable(self, name: str, *, by: str) -> None:
        """Let an account in again. Raises NotFound."""
        await self._set_disabled(name, None, "account.enable", by)

    async def has_password(self, name: str) -> bool:
        """Whether an account may come in by a password."""
        row = await self._control.fetchrow(_SQL["password"], name)
        return row is not None and row["password_hash"] is not None

    async def list(self, tenant: str | None = None) -> list[Account]:
        """All accounts, or those with a role in a tenant (then with those roles alone), by name."""
        return [
            Account(
                row["name"],
                row["title"],
                row["created_at"],
                row["disabled_at"],
                row["has_password"],
                tuple(zip(row["tenants"], row["roles"], strict=True)),
            )
            for row in await self._control.fetch(_SQL["list"], tenant)
        ]

    async def titles(self, names: Iterable[str]) -> dict[str, str]:
        """What accounts are called, by name; those that there are."""
        rows = await self._control.fetch(_SQL["titles"], sorted(set(names)))
        return {row["name"]: row["title"] for row in rows}

    async def _change_role(self, query: str, action: str, name: str, role: str, tenant: str, by: str) -> None:
        (checked,) = check_roles((role,))
        async with self._control.transaction() as connection:
            if not await connection.fetchval(_SQL["exists"], name):
                raise _no_account(name)
            await self._must_have_tenant(connection, tenant)
            await connection.execute(_SQL[query], name, tenant, checked)
            await record(connection, self._clock(), by, action, name, tenant=tenant, detail={"role": checked})
        self._tokens.forget()

    async def _set_disabled(self, name: str, at_us: int | None, action: str, by: str) -> None:
        async with self._control.transaction() as connection:
            if await connection.fetchval(_SQL["set_disabled"], name, at_us) is None:
                raise _no_account(name)
            await record(connection, self._clock(), by, action, name)
        self._tokens.forget()

    @staticmethod
    async def _must_have_tenant(connection: Connection, tenant: str) -> None:
        if not await connection.fetchval(_SQL["tenant_exists"], tenant):
            raise UnknownTenant(f"there is no tenant {tenant[:80]!r}")


def _no_account(name: str) -> NotFound:
    return NotFound(f"there is no account {name[:80]!r}", where="name")
