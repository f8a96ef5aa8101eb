"""Device credentials: a random secret, of which only a salted SHA-256 is kept.

Secrets are random, so a slow password hash would add nothing but the time it takes when 500 devices reconnect at
once; a secret that somebody brings along has to be as long as a random one.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from broadstreet.model.errors import InvalidInput

SECRET_BYTES = 18
MIN_SECRET_LENGTH = 20
MAX_SECRET_LENGTH = 256
SALT_BYTES = 16


def new_secret() -> str:
    """A fresh secret of 144 random bits: 24 characters that fit a label, a command line and a spreadsheet.

    None begins with a hyphen: a program would take it for an option, a spreadsheet for a formula.
    """
    while True:
        secret = secrets.token_urlsafe(SECRET_BYTES)
        if secret[0].isalnum():
            return secret


def check_secret(secret: str) -> str:
    """A secret brought along, if it is long enough; else InvalidInput."""
    if not MIN_SECRET_LENGTH <= len(secret) <= MAX_SECRET_LENGTH:
        raise InvalidInput(
            f"a device's secret has {MIN_SECRET_LENGTH} to {MAX_SECRET_LENGTH} characters",
            where="secret",
            remedy="Leave it out to be given a random one.",
        )
    return secret


def hash_secret(secret: str) -> tuple[bytes, bytes]:
    """(salt, hash) to keep."""
    salt = secrets.token_bytes(SALT_BYTES)
    return salt, hashlib.sha256(salt + secret.encode()).digest()


def secret_matches(secret: str, salt: bytes, kept: bytes) -> bool:
    """Whether this is the secret, in constant time."""
    return hmac.compare_digest(hashlib.sha256(salt + secret.encode()).digest(), kept)
