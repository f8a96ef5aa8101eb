"""Ceremonies: what is begun in a browser and has to come back from it, once and soon, such as a passkey's challenge.

A ceremony is 256 random bits in a cookie that no script reads. The house keeps their hash alone, with a purpose and
an end; whatever must be hard to guess (a challenge, a state, a nonce) is made from the cookie by a word for each, so
that nothing that is kept could answer in a browser's stead. Coming back ends it, whatever becomes of the answer.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from broadstreet.access.token import hash_of
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import Conflict
from broadstreet.store import Database, load_queries

Purpose = Literal["passkey-add", "passkey-first", "passkey-second", "provider-first", "provider-link"]
SECRET_BYTES: Final = 32
LIFETIME_S: Final = 5 * 60
MAX_OPEN: Final = 10_000
"""Over the whole house; beyond it the oldest is forgotten."""
_SQL = load_queries("ceremony")


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A ceremony under way. secret: for the cookie, and for nothing else."""

    secret: str
    expires_at_us: int

    def derive(self, word: str) -> bytes:
        """32 bytes that only the holder of the cookie and this house can make."""
        return derive(self.secret, word)


def derive(secret: str, word: str) -> bytes:
    """What a ceremony's cookie makes of a word."""
    return hmac.digest(secret.encode(), word.encode(), hashlib.sha256)


class Ceremonies:
    """Begun, and finished once."""

    def __init__(self, control: Database, clock: Callable[[], int], random_bytes: Callable[[int], bytes]) -> None:
        self._control = control
        self._clock = clock
        self._random_bytes = random_bytes

    async def begin(self, purpose: Purpose, account: str | None = None, lifetime_s: int = LIFETIME_S) -> Ceremony:
        """A new ceremony, of an account where one is known."""
        secret = base64.urlsafe_b64encode(self._random_bytes(SECRET_BYTES)).decode().rstrip("=")
        now_us = self._clock()
        until_us = now_us + lifetime_s * US_PER_S
        async with self._control.transaction() as connection:
            await connection.execute(_SQL["prune"], now_us, MAX_OPEN - 1)
            await connection.execute(_SQL["begin"], hash_of(secret), purpose, account, until_us)
        return Ceremony(secret, until_us)

    async def finish(self, secret: str, purpose: Purpose) -> str | None:
        """Whose ceremony has come back; it holds no more. Raises Conflict for one that does not, or no longer."""
        row = await self._control.fetchrow(_SQL["finish"], hash_of(secret), purpose, self._clock())
        if row is None:
            raise Conflict("this took too long, or was answered already", remedy="Begin again.")
        account: str | None = row["account"]
        return account
