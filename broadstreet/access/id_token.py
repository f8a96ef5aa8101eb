"""What an ID token says, once everything about it holds (OpenID Connect Core 1.0, section 3.1.3.7).

The algorithm is one of a list of signatures by key pairs, whatever the token itself asks for; the issuer, the
audience, the nonce and the times are checked against what this house asked for, by its own clock and a little more.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, Final

from broadstreet.model.errors import NotSignedIn

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

Claims = dict[str, Any]
ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"),
    *("EdDSA", "Ed25519"),
)
SKEW_S: Final = 60
MAX_AGE_S: Final = 600
MAX_TOKEN_LENGTH: Final = 64 * 1024
MAX_SUBJECT_LENGTH: Final = 255
"""The standard's bound."""


class InvalidClaims(NotSignedIn):
    """What the city's sign-in says of a person does not hold."""


class UnknownKey(InvalidClaims):
    """The token is signed by a key that the provider has not shown."""


def claims_of(token: str, keys: KeySet, *, issuer: str, client_id: str, nonce: str, now_s: int) -> Claims:
    """The claims of a token. Raises UnknownKey, InvalidClaims."""
    from joserfc import jwt
    from joserfc.errors import InvalidKeyIdError, JoseError
    from joserfc.jws import JWSRegistry

    if len(token) > MAX_TOKEN_LENGTH:
        raise InvalidClaims("its ID token is too long")
    try:
        registry = JWSRegistry(algorithms=list(ALGORITHMS))
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS, registry=registry).claims
        jwt.JWTClaimsRegistry(
            now=now_s,
            leeway=SKEW_S,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True},
        ).validate(claims)
    except InvalidKeyIdError:
        raise UnknownKey("its ID token is signed by a key that it does not show") from None
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidClaims(f"its ID token does not hold: {error}") from None
    _check(claims, client_id, nonce, now_s)
    return claims


def _check(claims: Claims, client_id: str, nonce: str, now_s: int) -> None:
    """What the library leaves to whoever asked."""
    audience, party = claims["aud"], claims.get("azp")
    if isinstance(audience, list) and len(audience) > 1 and party is None:
        raise InvalidClaims("its ID token is for several, and does not say who asked for it")
    if party is not None and party != client_id:
        raise InvalidClaims("its ID token was asked for by another")
    if not hmac.compare_digest(str(claims["nonce"]).encode(), nonce.encode()):
        raise InvalidClaims("its ID token answers another question than was asked")
    if now_s - claims["iat"] > MAX_AGE_S + SKEW_S:
        raise InvalidClaims("its ID token was made too long ago")
    if not 0 < len(claims["sub"]) <= MAX_SUBJECT_LENGTH:
        raise InvalidClaims("its ID token does not say who somebody is")
