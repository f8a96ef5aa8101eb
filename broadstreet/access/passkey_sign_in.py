"""Signing in by a passkey: alone, without a name or a password, or as the second factor of a sign-in that waits.

Alone, the passkey says whose it is and its owner is verified by the authenticator, so that it is both factors at once.
As a second factor it must be the account's own. Attempts are counted like all others, and every refusal is written
down. Which passkeys an account has is told to nobody who has not shown its password.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broadstreet.access import authenticator
from broadstreet.access.attempts import Attempts, by_code, by_place
from broadstreet.access.authenticator import Answer, Options
from broadstreet.access.ceremony import Ceremonies, Ceremony, derive
from broadstreet.access.passkey import CHALLENGE, Passkeys
from broadstreet.access.sign_in import SignIn
from broadstreet.access.site import Site
from broadstreet.access.token import IssuedToken
from broadstreet.model.errors import Conflict, InvalidInput, NotSignedIn
from broadstreet.store import Database

NOBODY: Final = "nobody"
"""What the audit calls whoever was refused by a passkey that is not known."""


class PasskeySignIn:
    """The door for passkeys. `begin…` answers what the browser is asked, and the ceremony for its cookie."""

    def __init__(
        self,
        control: Database,
        clock: Callable[[], int],
        passkeys: Passkeys,
        ceremonies: Ceremonies,
        sign_in: SignIn,
    ) -> None:
        self._control = control
        self._passkeys = passkeys
        self._ceremonies = ceremonies
        self._sign_in = sign_in
        self._attempts = Attempts(control, clock)

    async def begin(self, site: Site) -> tuple[Ceremony, Options]:
        """Ask for any passkey of this site, and its owner."""
        ceremony = await self._ceremonies.begin("passkey-first")
        return ceremony, authenticator.asking_options(site, ceremony.derive(CHALLENGE), must_verify=True)

    async def begin_second(self, pending: str, site: Site) -> tuple[Ceremony, Options]:
        """Ask for one of the passkeys of the account whose sign-in waits. Raises NotSignedIn, InvalidInput for none."""
        account = await self._sign_in.pending(pending)
        known = await self._passkeys.of_site(account, site)
        if not known:
            raise InvalidInput("you have no passkey for this address", remedy="Use a code, or a recovery code.")
        ceremony = await self._ceremonies.begin("passkey-second", account)
        return ceremony, authenticator.asking_options(site, ceremony.derive(CHALLENGE), known, must_verify=False)

    async def finish(self, secret: str, answer: Answer, site: Site, address: str) -> IssuedToken:
        """A session for a passkey alone. secret: the ceremony's. Raises NotSignedIn, Conflict, TooMany."""
        await self._attempts.count(by_place(address))
        await self._ceremonies.finish(secret, "passkey-first")
        given = authenticator.presented(answer)
        try:
            async with self._control.transaction() as connection:
                account = await self._passkeys.take(connection, given, site, derive(secret, CHALLENGE), None)
                if account is not None:
                    await self._attempts.forgive(by_place(address), connection)
                    return await self._sign_in.session(connection, account, f"passkey from {address}", None)
        except InvalidInput:
            await self._sign_in.note_failure(await self._passkeys.owner(given.id) or NOBODY, address)
            raise
        raise _doubted()

    async def finish_second(self, secret: str, pending: str, answer: Answer, site: Site, address: str) -> IssuedToken:
        """A session for a pending sign-in and a passkey. Raises NotSignedIn, Conflict, TooMany, InvalidInput."""
        account = await self._sign_in.pending(pending)
        await self._attempts.count(by_code(account))
        if await self._ceremonies.finish(secret, "passkey-second") != account:
            raise Conflict("this was begun by somebody else", remedy="Begin again.")
        given = authenticator.presented(answer)
        try:
            async with self._control.transaction() as connection:
                if await self._passkeys.take(connection, given, site, derive(secret, CHALLENGE), account) is not None:
                    return await self._sign_in.finish_pending(connection, pending, account, address)
        except InvalidInput:
            await self._sign_in.note_failure(account, address)
            raise
        raise _doubted()


def _doubted() -> NotSignedIn:
    return NotSignedIn(
        "this passkey counted backwards, as a copy of it would, and was refused",
        remedy="Sign in another way and look at it under My account; try it once more if nobody else can have it.",
    )
