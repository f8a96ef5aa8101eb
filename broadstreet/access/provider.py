"""The city's OpenID provider: what it says of itself, its keys, and the exchange of a code for claims.

Its description and its keys are fetched when they are needed and kept for an hour; a signature by a key that is not
among them has them fetched again, at most once a minute, so that nobody can make the house ask without end. Answers
are bounded in size and time, and no redirect is followed. A house without a provider asks nobody for anything, and
loads nothing of what asking takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from broadstreet.access.id_token import Claims, UnknownKey, claims_of
from broadstreet.access.policy import Role
from broadstreet.access.site import is_local
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import NotSignedIn, Unavailable

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

T = TypeVar("T")
DESCRIPTION_PATH: Final = "/.well-known/openid-configuration"
KEPT_US: Final = 3_600 * US_PER_S
REFETCH_US: Final = 60 * US_PER_S
TIMEOUT_S: Final = 5.0
MAX_ANSWER_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class ProviderSettings:
    """
    What the house is told of the provider.

    title:        what people call it, on the button.
    roles_claim:  the claim that lists somebody's groups; roles: which role in which tenant each group gives.
    makes_accounts: whether whoever has a role by these groups gets an account when they first come.
    trusts_second_factor: whether its word that a second factor was asked for (`amr`: `mfa`) is taken.
    """

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    title: str = "the city’s account"
    scopes: str = "openid profile email"
    name_claim: str = "preferred_username"
    roles_claim: str = "groups"
    roles: Mapping[str, frozenset[tuple[str, Role]]] = field(default_factory=dict)
    makes_accounts: bool = False
    trusts_second_factor: bool = False


class Description(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, section 3), as far as it is needed here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(msgspec.Struct, frozen=True):
    """What a code is exchanged for."""

    id_token: str
    access_token: str = ""


class ProviderFailed(Unavailable):
    """The city's sign-in does not answer as it should."""


class CodeRefused(NotSignedIn):
    """The provider does not take the code: it was used, is too old, or is another's."""


class Provider:
    """One provider, asked over HTTP."""

    def __init__(self, settings: ProviderSettings, clock: Callable[[], int]) -> None:
        self.settings = settings
        self._clock = clock
        self._description: tuple[int, Description] | None = None
        self._keys: tuple[int, KeySet] | None = None

    async def description(self) -> Description:
        """What it says of itself. Raises ProviderFailed."""
        if self._description is not None and self._clock() - self._description[0] < KEPT_US:
            return self._description[1]
        issuer = self.settings.issuer
        told = _read(await self._ask("GET", issuer.rstrip("/") + DESCRIPTION_PATH), Description)
        if told.issuer != issuer:
            raise ProviderFailed("it says that it is another issuer than the setting oidc.issuer", where=told.issuer)
        places = (told.authorization_endpoint, told.token_endpoint, told.jwks_uri, told.userinfo_endpoint or issuer)
        for place in places:
            check_address(place)
        self._description = self._clock(), told
        return told

    async def address(self, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Where a browser is sent to sign in. challenge: PKCE's, by S256. Raises ProviderFailed."""
        query = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": self.settings.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return _with_query((await self.description()).authorization_endpoint, query)

    async def sign_out_address(self, back: str) -> str | None:
        """Where a browser is sent to sign out there too, or None where the provider offers no such place."""
        place = (await self.description()).end_session_endpoint
        if place is None:
            return None
        return _with_query(place, {"client_id": self.settings.client_id, "post_logout_redirect_uri": back})

    async def claims(self, code: str, redirect_uri: str, verifier: str, nonce: str) -> Claims:
        """Who somebody is, by the code they came back with. Raises CodeRefused, ProviderFailed, InvalidClaims."""
        tokens = await self._exchange(code, redirect_uri, verifier)
        claims = await self._verified(tokens.id_token, nonce)
        place = (await self.description()).userinfo_endpoint
        if self.settings.roles_claim in claims or place is None or not tokens.access_token:
            return claims
        bearer = {"authorization": f"Bearer {tokens.access_token}"}
        more = _read(await self._ask("GET", place, headers=bearer), dict[str, Any])
        if more.get("sub") != claims["sub"]:
            raise ProviderFailed("what it tells of a person is about another one than signed in", where=place)
        return {**more, **claims}

    async def _verified(self, token: str, nonce: str) -> Claims:
        now_s = self._clock() // US_PER_S
        issuer, client = self.settings.issuer, self.settings.client_id
        try:
            return claims_of(token, await self._key_set(), issuer=issuer, client_id=client, nonce=nonce, now_s=now_s)
        except UnknownKey:
            keys = await self._key_set(anew=True)
            return claims_of(token, keys, issuer=issuer, client_id=client, nonce=nonce, now_s=now_s)

    async def _exchange(self, code: str, redirect_uri: str, verifier: str) -> Tokens:
        description = await self.description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        import httpx

        client, secret = self.settings.client_id, self.settings.client_secret
        basic = None
        if secret and "client_secret_basic" in description.token_endpoint_auth_methods_supported:
            basic = httpx.BasicAuth(client, secret)
        else:
            form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
        return _read(await self._ask("POST", description.token_endpoint, data=form, auth=basic), Tokens)

    async def _key_set(self, *, anew: bool = False) -> KeySet:
        from joserfc.errors import JoseError
        from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

        now_us = self._clock()
        if self._keys is not None and now_us - self._keys[0] < (REFETCH_US if anew else KEPT_US):
            return self._keys[1]
        place = (await self.description()).jwks_uri
        told = _read(await self._ask("GET", place), dict[str, Any])
        try:
            found = KeySet.import_key_set({"keys": told["keys"]})
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise ProviderFailed(f"its keys cannot be read: {error}", where=place) from None
        # A key that is no pair would let whoever reads it sign.
        keys = KeySet([key for key in found.keys if isinstance(key, RSAKey | ECKey | OKPKey)])
        self._keys = now_us, keys
        return keys

    async def _ask(self, method: str, address: str, **more: Any) -> bytes:
        import httpx

        check_address(address)
        try:
            async with (
                httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False) as client,
                client.stream(method, address, **more) as answer,
            ):
                body = b""
                async for piece in answer.aiter_bytes():
                    body += piece
                    if len(body) > MAX_ANSWER_BYTES:
                        raise ProviderFailed("its answer is too long", where=address)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise ProviderFailed(f"it does not answer: {error or type(error).__name__}", where=address) from None
        if answer.status_code in (400, 401) and method == "POST":
            raise CodeRefused(where=address)
        if answer.status_code != httpx.codes.OK:
            raise ProviderFailed(f"it answers with status {answer.status_code}", where=address)
        return body


def check_address(address: str) -> None:
    """Raises ProviderFailed for an address that is neither HTTPS nor this machine's own."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local(parts.hostname or "")):
        raise ProviderFailed("it is asked over HTTPS alone", where=address[:200])


def _read(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise ProviderFailed(f"its answer cannot be read: {error}") from None


def _with_query(address: str, query: Mapping[str, str]) -> str:
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"
