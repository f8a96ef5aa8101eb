"""Signing in: by password, or by a one-time link. Either gives a plain session and goes round no rule.

Whoever has a second factor is given a *pending* sign-in first, which opens nothing; with a code it becomes a session.
Whoever must have one and has none is given a session that may do nothing but add it.

Attempts are counted before a password is looked at (`attempts.py`); codes under the account alone. Passkeys come in by
`passkey_sign_in.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from broadstreet.access.attempts import Attempts, by_code, by_name
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
from broadstreet.model.errors import InvalidInput, NotAllowed, NotSignedIn
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

LINK_PATH: Final = "/portal/link/"
MAX_NAME_LENGTH: Final = 64
RECENT_US: Final = 15 * 60 * US_PER_S
"""For so long after signing in somebody may change what opens their account."""
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
        self._attempts = Attempts(control, clock)

    async def with_password(self, name: str, password: str, address: str) -> IssuedToken:
        """A session, or a pending sign-in. address: where the caller is.

        Raises NotSignedIn, and TooMany after too many attempts.
        """
        name = name.strip().lower()[:MAX_NAME_LENGTH]
        if not await self._holds(name, password, address):
            raise NotSignedIn("the name or the password is wrong", remedy="Check both and try again.")
        async with self._control.transaction() as connection:
            return await self.open(connection, name, f"signed in from {address}")

    async def with_code(self, pending: str, code: str, address: str) -> IssuedToken:
        """A session for a pending sign-in and a code. Raises NotSignedIn, TooMany, InvalidInput for a wrong code."""
        account = await self.pending(pending)
        await self._attempts.count(by_code(account))
        now_us = self._clock()
        async with self._control.transaction() as connection:
            if await connection.fetchval(_FACTOR_SQL["pending"], hash_of(pending), now_us) is None:
                raise _too_late()
            if await self._second_factor.take(connection, account, code):
                return await self.finish_pending(connection, pending, account, address)
        await self.note_failure(account, address)
        raise InvalidInput("this code is wrong, or was used", where="code", remedy="Wait for the next one.")

    async def pending(self, secret: str) -> str:
        """Whose sign-in waits for its second factor. Raises NotSignedIn."""
        account = await self._control.fetchval(_FACTOR_SQL["pending"], hash_of(secret), self._clock())
        if account is None:
            raise _too_late()
        return str(account)

    async def finish_pending(self, connection: Connection, pending: str, account: str, address: str) -> IssuedToken:
        """The session that a pending sign-in becomes, as its second factor held. Inside the caller's transaction.

        Raises NotSignedIn where another was quicker.
        """
        now_us = self._clock()
        if await connection.fetchval(_FACTOR_SQL["pending"], hash_of(pending), now_us) != account:
            raise _too_late()
        await connection.execute(_FACTOR_SQL["finish"], hash_of(pending), now_us)
        await self._attempts.forgive([*by_code(account), *by_name(account, address)], connection)
        return await self.session(connection, account, f"signed in from {address}", None)

    async def require_recent(self, secret: str) -> None:
        """Raises NotAllowed unless the session was begun a short while ago: for what changes how one comes in."""
        began_us = await self._control.fetchval(_SQL["began"], hash_of(secret))
        if began_us is None or self._clock() - began_us > RECENT_US:
            raise NotAllowed(
                "you signed in too long ago to change how your account is opened",
                remedy="Sign out and in again; then you have a quarter of an hour for it.",
            )

    async def remove_factor(self, account: str, code: str, address: str) -> None:
        """Remove one's own second factor, by a code of it. Raises InvalidInput for a wrong one, TooMany, Conflict."""
        await self._attempts.count(by_code(account))
        async with self._control.transaction() as connection:
            holds = await self._second_factor.take(connection, account, code)
        if not holds:
            await self.note_failure(account, address)
            raise InvalidInput("this code is wrong, or was used", where="code", remedy="Wait for the next one.")
        await self._second_factor.remove(account, by=account)

    async def after_factor(self, account: str, address: str) -> IssuedToken:
        """A session with all rights, for whoever has just added the second factor that was asked for."""
        async with self._control.transaction() as connection:
            return await self.session(connection, account, f"signed in from {address}", None)

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
            session = await self.session(connection, name, f"signed in from {address}", limits)
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
            return await self.open(connection, account, f"one-time link from {address}")

    async def sign_out(self, secret: str, *, by: str) -> None:
        """End the session that was presented."""
        await self._tokens.revoke_secret(secret, by=by)

    async def _holds(self, name: str, password: str, address: str) -> bool:
        """Whether a password is an account's. Attempts are counted, and those before one that holds forgiven."""
        subjects = by_name(name, address)
        await self._attempts.count(subjects)
        row = await self._control.fetchrow(_ACCOUNT_SQL["password"], name)
        usable = None if row is None or row["disabled_at"] is not None else row["password_hash"]
        if not await self._passwords.verify(usable, password):
            await self.note_failure(name, address)
            return False
        await self._attempts.forgive(subjects)
        return True

    async def open(self, connection: Connection, account: str, title: str, *, is_whole: bool = False) -> IssuedToken:
        """What the first factor opens. is_whole: it was more than one. Inside the caller's transaction."""
        if is_whole:
            return await self.session(connection, account, title, None)
        if (await self._second_factor.state(account, connection)).is_on:
            return await self._tokens.issue_within(
                connection, account, "pending", title, PENDING_LIFETIME_S, by=account
            )
        return await self.session(connection, account, title, await self._limits(connection, account))

    async def session(
        self, connection: Connection, account: str, title: str, limits: frozenset[Permission] | None
    ) -> IssuedToken:
        """A session, for whoever has shown all that is asked of them. Inside the caller's transaction."""
        return await self._tokens.issue_within(
            connection, account, "session", title, SESSION_LIFETIME_S, by=account, limits=limits
        )

    async def _limits(self, connection: Connection, account: str) -> frozenset[Permission] | None:
        """None; nothing at all for whoever must have a second factor and has none."""
        if not self._guarded_roles or (await self._second_factor.state(account, connection)).is_on:
            return None
        is_asked = await self._second_factor.is_asked_of(connection, account, self._guarded_roles)
        return frozenset() if is_asked else None

    async def note_failure(self, name: str, address: str) -> None:
        """Write down that somebody was refused."""
        async with self._control.transaction() as connection:
            await record(connection, self._clock(), name, "sign-in.refused", name, detail={"address": address})


def _too_late() -> NotSignedIn:
    return NotSignedIn("this sign-in has waited too long for its code", remedy="Sign in again.")
