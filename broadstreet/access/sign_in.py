"""Signing in: by password, or by a one-time link. Either gives a plain session and goes round no rule.

Whoever has a second factor is given a *pending* sign-in first, which opens nothing; with a code it becomes a session.
Whoever must have one and has none is given a session that may do nothing but add it.

Attempts are counted before a password is looked at, in fixed windows, under three subjects: account and address
together, the address, the account. The first bound stops guessing, the second a list of names from one place, the
third many places against one name. Codes are counted under the account alone. An attempt that succeeds clears what it
was counted under.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from broadstreet.access.audit import record
from broadstreet.access.password import Passwords
from broadstreet.access.policy import Permission
from broadstreet.access.second_factor import SecondFactor
from broadstreet.access.token import (
    LINK_LIFETIME_S,
    PENDING_LIFETIME_S,
    SESSION_LIFETIME_S,
    IssuedToken,
    Tokens,
    hash_of,
)
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import InvalidInput, NotSignedIn, TooMany
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

WINDOW_US: Final = 15 * 60 * US_PER_S
MAX_PER_PAIR: Final = 10
MAX_PER_ADDRESS: Final = 50
MAX_PER_ACCOUNT: Final = 200
MAX_CODES: Final = 10
"""Of one account: who comes so far has the password already."""
LINK_PATH: Final = "/portal/link/"
MAX_NAME_LENGTH: Final = 64
IPV6_SITE_BITS: Final = 64
assert MAX_PER_PAIR < MAX_PER_ADDRESS < MAX_PER_ACCOUNT
_ACCOUNT_SQL = load_queries("account")
_FACTOR_SQL = load_queries("second_factor")
_SQL = load_queries("token")


class SignIn:
    """The door people come in by."""

    def __init__(
        self,
        control: Database,
        clock: Callable[[], int],
        passwords: Passwords,
        tokens: Tokens,
        second_factor: SecondFactor,
        guarded_roles: frozenset[str],
    ) -> None:
        self._control = control
        self._clock = clock
        self._passwords = passwords
        self._tokens = tokens
        self._second_factor = second_factor
        self._guarded_roles = guarded_roles

    async def with_password(self, name: str, password: str, address: str) -> IssuedToken:
        """A session, or a pending sign-in. address: where the caller is.

        Raises NotSignedIn, and TooMany after too many attempts.
        """
        name = name.strip().lower()[:MAX_NAME_LENGTH]
        if not await self._holds(name, password, address):
            raise NotSignedIn("the name or the password is wrong", remedy="Check both and try again.")
        async with self._control.transaction() as connection:
            return await self._open(connection, name, f"signed in from {address}")

    async def with_code(self, pending: str, code: str, address: str) -> IssuedToken:
        """A session for a pending sign-in and a code. Raises NotSignedIn, TooMany, InvalidInput for a wrong code."""
        account = await self._pending(pending)
        await self._count([(f"code:{account}", MAX_CODES)])
        now_us = self._clock()
        async with self._control.transaction() as connection:
            if await connection.fetchval(_FACTOR_SQL["pending"], hash_of(pending), now_us) is None:
                raise _too_late()
            if await self._second_factor.take(connection, account, code):
                await connection.execute(_FACTOR_SQL["finish"], hash_of(pending), now_us)
                await connection.execute(_SQL["forgive_attempts"], [f"code:{account}", *_names(account, address)])
                return await self._session(connection, account, f"signed in from {address}", None)
        await self._note_failure(account, address)
        raise InvalidInput("this code is wrong, or was used", where="code", remedy="Wait for the next one.")

    async def _pending(self, secret: str) -> str:
        account = await self._control.fetchval(_FACTOR_SQL["pending"], hash_of(secret), self._clock())
        if account is None:
            raise _too_late()
        return str(account)

    async def remove_factor(self, account: str, code: str, address: str) -> None:
        """Remove one's own second factor, by a code of it. Raises InvalidInput for a wrong one, TooMany, Conflict."""
        await self._count([(f"code:{account}", MAX_CODES)])
        async with self._control.transaction() as connection:
            holds = await self._second_factor.take(connection, account, code)
        if not holds:
            await self._note_failure(account, address)
            raise InvalidInput("this code is wrong, or was used", where="code", remedy="Wait for the next one.")
        await self._second_factor.remove(account, by=account)

    async def after_factor(self, account: str, address: str) -> IssuedToken:
        """A session with all rights, for whoever has just added the second factor that was asked for."""
        async with self._control.transaction() as connection:
            return await self._session(connection, account, f"signed in from {address}", None)

    async def change_password(self, name: str, current: str, new: str, address: str) -> IssuedToken:
        """Change one's own password, by the one that holds; ends every session and link, and answers a new session.

        Raises InvalidInput where the current one is wrong or the new one weak, TooMany.
        """
        if not await self._holds(name, current, address):
            raise InvalidInput("the current password is wrong", where="current", remedy="Check it and try again.")
        encoded = await self._passwords.hash(new, name)
        now_us = self._clock()
        async with self._control.transaction() as connection:
            key = await connection.fetchval(_ACCOUNT_SQL["set_password"], name, encoded)
            await self._tokens.revoke_sessions(connection, key, now_us)
            await record(connection, now_us, name, "account.password", name, detail={"has_password": True})
            limits = await self._limits(connection, name)
            session = await self._session(connection, name, f"signed in from {address}", limits)
        self._tokens.forget()
        return session

    async def create_link(self, account: str, *, by: str, lifetime_s: int = LINK_LIFETIME_S) -> str:
        """A path that signs the account in once, within minutes. Raises NotFound, InvalidInput."""
        issued = await self._tokens.issue(account, "link", "one-time link", lifetime_s, by=by)
        return LINK_PATH + issued.secret

    async def with_link(self, secret: str, address: str) -> IssuedToken:
        """A session, or a pending sign-in, for a link that was not used before. Raises NotSignedIn."""
        now_us = self._clock()
        async with self._control.transaction() as connection:
            account = await connection.fetchval(_SQL["use_link"], hash_of(secret), now_us)
            if account is None:
                raise NotSignedIn(
                    "this link was used already, or its time is over",
                    remedy="Ask for a new one: broadstreet account link.",
                )
            return await self._open(connection, account, f"one-time link from {address}")

    async def sign_out(self, secret: str, *, by: str) -> None:
        """End the session that was presented."""
        await self._tokens.revoke_secret(secret, by=by)

    async def _holds(self, name: str, password: str, address: str) -> bool:
        """Whether a password is an account's. Attempts are counted, and those before one that holds forgiven."""
        subjects = _subjects(name, address)
        await self._count(subjects)
        row = await self._control.fetchrow(_ACCOUNT_SQL["password"], name)
        usable = None if row is None or row["disabled_at"] is not None else row["password_hash"]
        if not await self._passwords.verify(usable, password):
            await self._note_failure(name, address)
            return False
        await self._control.execute(_SQL["forgive_attempts"], _names(name, address))
        return True

    async def _open(self, connection: Connection, account: str, title: str) -> IssuedToken:
        """What the first factor opens."""
        if (await self._second_factor.state(account, connection)).is_on:
            return await self._tokens.issue_within(
                connection, account, "pending", title, PENDING_LIFETIME_S, by=account
            )
        return await self._session(connection, account, title, await self._limits(connection, account))

    async def _session(
        self, connection: Connection, account: str, title: str, limits: frozenset[Permission] | None
    ) -> IssuedToken:
        return await self._tokens.issue_within(
            connection, account, "session", title, SESSION_LIFETIME_S, by=account, limits=limits
        )

    async def _limits(self, connection: Connection, account: str) -> frozenset[Permission] | None:
        """None; nothing at all for whoever must have a second factor and has none."""
        if not self._guarded_roles or (await self._second_factor.state(account, connection)).is_on:
            return None
        is_asked = await self._second_factor.is_asked_of(connection, account, self._guarded_roles)
        return frozenset() if is_asked else None

    async def _count(self, subjects: list[tuple[str, int]]) -> None:
        now_us = self._clock()
        over_us = 0
        async with self._control.transaction() as connection:
            await connection.execute(_SQL["prune_attempts"], now_us - WINDOW_US)
            for subject, bound in subjects:
                row = await connection.fetchrow(_SQL["count_attempt"], subject, now_us, now_us - WINDOW_US)
                assert row is not None
                if row["attempts"] > bound:
                    over_us = max(over_us, row["since"] + WINDOW_US - now_us)
        if over_us > 0:
            minutes = -(-over_us // (60 * US_PER_S))
            raise TooMany(
                "too many attempts to sign in",
                remedy=f"Try again in {minutes} minute{'s' if minutes != 1 else ''}.",
                retry_after_s=-(-over_us // US_PER_S),
            )

    async def _note_failure(self, name: str, address: str) -> None:
        async with self._control.transaction() as connection:
            await record(connection, self._clock(), name, "sign-in.refused", name, detail={"address": address})


def _subjects(name: str, address: str) -> list[tuple[str, int]]:
    """What an attempt is counted under, each with its bound, in one order so that two attempts never deadlock."""
    place = _place(address)
    return [
        (f"account:{name}", MAX_PER_ACCOUNT),
        (f"address:{place}", MAX_PER_ADDRESS),
        (f"pair:{name} {place}", MAX_PER_PAIR),
    ]


def _names(name: str, address: str) -> list[str]:
    return [subject for subject, _ in _subjects(name, address)]


def _too_late() -> NotSignedIn:
    return NotSignedIn("this sign-in has waited too long for its code", remedy="Sign in again.")


def _place(address: str) -> str:
    """One caller's address: an IPv6 caller has a whole /64 to choose from, and counts as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
        return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False))
    return str(parsed)
