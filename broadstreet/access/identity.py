"""People who are known elsewhere: which account is whose, by issuer and subject alone, and the roles their groups give.

A name or an e-mail address links nothing: a provider may give either to somebody else tomorrow. The first time, either
the person is signed in here already and links the account, or, where the city says so, one is made. Each time they
come, the roles that the groups' table can give are given or taken; roles that it cannot give are left alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urlsplit

from broadstreet.access.account import MAX_TITLE_LENGTH, check_account
from broadstreet.access.audit import record
from broadstreet.access.policy import Role
from broadstreet.access.provider import ProviderSettings
from broadstreet.model.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

Refusal = Literal["refused", "late", "wrong", "unreachable", "unknown", "taken", "disabled", "no-role"]
NAME_DIGITS: Final = 12
_SQL = load_queries("identity")
_ACCOUNT_SQL = load_queries("account")


class NotLetIn(NotSignedIn):
    """Whoever came from the city's sign-in is not let in. reason: which words the page has for it."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Identities:
    """Every change leaves a line in the audit. by: the provider, where its word changed something."""

    def __init__(self, control: Database, clock: Callable[[], int], settings: ProviderSettings) -> None:
        self._control = control
        self._clock = clock
        self._settings = settings
        self._by = f"sign-in of {urlsplit(settings.issuer).netloc}"

    async def linked_at_us(self, account: str) -> int | None:
        """Since when an account is somebody's who is known there; None where it is not."""
        at_us: int | None = await self._control.fetchval(_SQL["linked"], account, self._settings.issuer)
        return at_us

    async def link(self, account: str, subject: str) -> None:
        """Link one's own account. Raises Conflict where either is linked already."""
        async with self._control.transaction() as connection:
            await self._link(connection, account, subject, by=account)

    async def unlink(self, account: str) -> None:
        """Link one's own account no more. Raises NotFound, Conflict where there would be no other way in."""
        async with self._control.transaction() as connection:
            if not await connection.fetchval(_SQL["other_way"], account):
                raise Conflict(
                    "without this there would be no way into your account",
                    remedy="Add a passkey first, or have a password given to you.",
                )
            if await connection.fetchval(_SQL["unlink"], account, self._settings.issuer) is None:
                raise NotFound("your account is not linked")
            await self._record(connection, "identity.unlink", account, by=account)

    async def enter(self, connection: Connection, claims: Mapping[str, Any]) -> str:
        """The account of whoever these claims are about, with the roles they give. Raises NotLetIn.

        Inside the caller's transaction; the caller then forgets remembered tokens.
        """
        issuer, subject = self._settings.issuer, claims["sub"]
        wanted = self._roles(claims)
        row = await connection.fetchrow(_SQL["account"], issuer, subject)
        if row is not None and row["disabled_at"] is not None:
            raise NotLetIn("disabled", f"the account {row['name']} is shut out")
        account = str(row["name"]) if row is not None else await self._make(connection, claims, wanted)
        await connection.execute(_SQL["used"], issuer, subject, self._clock())
        await self._settle_roles(connection, account, wanted)
        return account

    def _roles(self, claims: Mapping[str, Any]) -> frozenset[tuple[str, Role]]:
        """The (tenant, role) pairs that somebody's groups give."""
        told = claims.get(self._settings.roles_claim)
        groups = told if isinstance(told, list) else [told]
        given = (self._settings.roles.get(group, frozenset()) for group in groups if isinstance(group, str))
        return frozenset().union(*given)

    async def _make(
        self, connection: Connection, claims: Mapping[str, Any], wanted: frozenset[tuple[str, Role]]
    ) -> str:
        if not self._settings.makes_accounts:
            raise NotLetIn("unknown", "nobody has linked an account, and none is made")
        if not wanted:
            raise NotLetIn("no-role", "none of this person's groups gives a role here")
        name, title = self._name(claims), str(claims.get("name") or "").strip()[:MAX_TITLE_LENGTH]
        now_us = self._clock()
        if await connection.fetchval(_ACCOUNT_SQL["insert"], name, title or name, None, now_us) is None:
            raise NotLetIn("taken", f"there is an account {name} already, of somebody who has not linked it")
        detail = {"has_password": False, "issuer": self._settings.issuer}
        await record(connection, now_us, self._by, "account.create", name, detail=detail)
        await self._link(connection, name, claims["sub"], by=self._by)
        return name

    def _name(self, claims: Mapping[str, Any]) -> str:
        """What the account is to be called: what the person is called there, or something that is always free."""
        try:
            return check_account(str(claims.get(self._settings.name_claim) or "").strip().lower())
        except InvalidInput:
            told = f"{self._settings.issuer} {claims['sub']}".encode()
            return f"person-{hashlib.sha256(told).hexdigest()[:NAME_DIGITS]}"

    async def _link(self, connection: Connection, account: str, subject: str, *, by: str) -> None:
        now_us = self._clock()
        if await connection.fetchval(_SQL["link"], self._settings.issuer, subject, account, now_us) is None:
            raise Conflict("this account, or this person, is linked to another already", remedy="Unlink that first.")
        await self._record(connection, "identity.link", account, by=by)

    async def _record(self, connection: Connection, action: str, account: str, *, by: str) -> None:
        await record(connection, self._clock(), by, action, account, detail={"issuer": self._settings.issuer})

    async def _settle_roles(self, connection: Connection, account: str, wanted: frozenset[tuple[str, Role]]) -> None:
        governed = frozenset().union(*self._settings.roles.values())
        held = {(row["tenant"], row["role"]) for row in await connection.fetch(_SQL["roles"], account)}
        changes = [("grant", *pair) for pair in wanted - held]
        changes += [("withdraw", *pair) for pair in (governed & held) - wanted]
        for change, tenant, role in sorted(changes):
            await connection.execute(_ACCOUNT_SQL[f"{change}_role"], account, tenant, role)
            detail = {"role": role}
            await record(
                connection, self._clock(), self._by, f"account.{change}", account, tenant=tenant, detail=detail
            )
