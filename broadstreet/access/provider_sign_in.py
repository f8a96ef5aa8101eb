"""Signing in by the city's OpenID Connect: a browser is sent there with a question, and comes back with a code.

State, nonce and PKCE's verifier are made from the ceremony's cookie (`ceremony.py`): an answer is good in the browser
that asked, once, within ten minutes. Whatever the provider says of a person is one factor; whoever has a second one
here is asked for it next, unless the city has said that the provider's own is enough.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from broadstreet.access.attempts import Attempts, by_place
from broadstreet.access.audit import record
from broadstreet.access.ceremony import Ceremonies, Ceremony, Purpose, derive
from broadstreet.access.id_token import Claims, InvalidClaims
from broadstreet.access.identity import Identities, NotLetIn, Refusal
from broadstreet.access.provider import CodeRefused, Provider, ProviderFailed, ProviderSettings
from broadstreet.access.sign_in import SignIn
from broadstreet.access.token import IssuedToken, Tokens
from broadstreet.model.errors import BroadstreetError, Conflict
from broadstreet.store import Database

LIFETIME_S: Final = 10 * 60
SECOND_FACTOR: Final = "mfa"
"""In the claim `amr` (RFC 8176): several factors were asked for."""
NOBODY: Final = "nobody"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Returned:
    """What a browser comes back with. All of it was in the hands of whoever holds the browser."""

    code: str = ""
    state: str = ""
    issuer: str | None = None
    error: str | None = None


class ProviderSignIn:
    """The door for those whom the city's provider knows. redirect_uri: where it sends them back to."""

    def __init__(
        self,
        control: Database,
        clock: Callable[[], int],
        settings: ProviderSettings,
        ceremonies: Ceremonies,
        sign_in: SignIn,
        tokens: Tokens,
    ) -> None:
        self.settings = settings
        self.provider = Provider(settings, clock)
        self.identities = Identities(control, clock, settings)
        self._control = control
        self._clock = clock
        self._ceremonies = ceremonies
        self._sign_in = sign_in
        self._tokens = tokens
        self._attempts = Attempts(control, clock)

    async def begin(self, redirect_uri: str, account: str | None = None) -> tuple[Ceremony, str]:
        """Where to send a browser, to sign in or to link an account of ours. Raises ProviderFailed."""
        purpose: Purpose = "provider-first" if account is None else "provider-link"
        ceremony = await self._ceremonies.begin(purpose, account, LIFETIME_S)
        challenge = _text(hashlib.sha256(_derived(ceremony.secret, "verifier").encode()).digest())
        state, nonce = (_derived(ceremony.secret, word) for word in ("state", "nonce"))
        return ceremony, await self.provider.address(redirect_uri, state, nonce, challenge)

    async def finish(self, secret: str, returned: Returned, redirect_uri: str, address: str) -> IssuedToken:
        """A session, or a pending sign-in. secret: the ceremony's. Raises NotLetIn, TooMany."""
        await self._attempts.count(by_place(address))
        try:
            await self._end(secret, "provider-first", returned)
            claims = await self._claims(secret, returned, redirect_uri)
            is_whole = self.settings.trusts_second_factor and SECOND_FACTOR in _methods(claims)
            async with self._control.transaction() as connection:
                account = await self.identities.enter(connection, claims)
                await self._attempts.forgive(by_place(address), connection)
                title = f"{self.settings.title} from {address}"
                issued = await self._sign_in.open(connection, account, title, is_whole=is_whole)
        except NotLetIn as refusal:
            await self._note(refusal, address)
            raise
        self._tokens.forget()
        return issued

    async def finish_link(self, secret: str, account: str, returned: Returned, redirect_uri: str) -> None:
        """Link an account of ours to whoever came back. Raises NotLetIn, Conflict."""
        if await self._end(secret, "provider-link", returned) != account:
            raise NotLetIn("wrong", "this was begun by somebody else")
        claims = await self._claims(secret, returned, redirect_uri)
        await self.identities.link(account, claims["sub"])

    async def _end(self, secret: str, purpose: Purpose, returned: Returned) -> str | None:
        """Whose ceremony has come back, in the browser in which it was begun. Raises NotLetIn."""
        if not hmac.compare_digest(_derived(secret, "state").encode(), returned.state.encode()):
            raise NotLetIn("wrong", "the state is not the one that was sent")
        try:
            account = await self._ceremonies.finish(secret, purpose)
        except Conflict as error:
            raise NotLetIn("late", str(error)) from None
        if returned.error is not None:
            raise NotLetIn("refused", f"the provider answered {returned.error[:80]!r}")
        return account

    async def _claims(self, secret: str, returned: Returned, redirect_uri: str) -> Claims:
        try:
            description = await self.provider.description()
            is_said = returned.issuer is not None or description.authorization_response_iss_parameter_supported
            if is_said and returned.issuer != description.issuer:
                raise NotLetIn("wrong", "the answer is of another issuer (RFC 9207)")
            verifier, nonce = _derived(secret, "verifier"), _derived(secret, "nonce")
            return await self.provider.claims(returned.code, redirect_uri, verifier, nonce)
        except CodeRefused as error:
            raise NotLetIn("late", str(error)) from None
        except InvalidClaims as error:
            raise NotLetIn("wrong", str(error)) from None
        except ProviderFailed as error:
            raise NotLetIn("unreachable", str(error)) from None

    async def _note(self, refusal: NotLetIn, address: str) -> None:
        _log.warning("the city's sign-in let nobody in: %s", refusal)
        async with self._control.transaction() as connection:
            detail = {"address": address, "reason": refusal.reason, "issuer": self.settings.issuer}
            await record(connection, self._clock(), NOBODY, "sign-in.refused", NOBODY, detail=detail)


def refusal_of(error: BroadstreetError) -> Refusal:
    """Which words the page has for an error that ends in the browser's address bar."""
    match error:
        case NotLetIn():
            return error.reason
        case ProviderFailed():
            return "unreachable"
        case Conflict():
            return "taken"
    return "late"


def _methods(claims: Claims) -> list[object]:
    methods = claims.get("amr")
    return methods if isinstance(methods, list) else []


def _derived(secret: str, word: str) -> str:
    return _text(derive(secret, word))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")
