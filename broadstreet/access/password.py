"""Passwords: argon2id with the parameters RFC 9106 recommends for little memory, hashed off the event loop.

At most `MAX_AT_ONCE` are hashed at a time, each in 64 MiB, so that a rush of sign-ins costs waiting and not memory.
"""

from __future__ import annotations

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from broadstreet.access.strength import MAX_LENGTH, check_strength, normalized

MAX_AT_ONCE: Final = 2


class Passwords:
    """Hashes and checks. Make one a process."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """hasher: argon2id's parameters; the library's defaults are RFC 9106's second choice."""
        self._hasher = hasher or PasswordHasher()
        self._room = asyncio.Semaphore(MAX_AT_ONCE)
        self._nobody: str | None = None

    async def hash(self, password: str, *names: str) -> str:
        """The encoded hash. names: of the account and its holder. Raises InvalidInput for a password that is weak."""
        check_strength(password, *names)
        async with self._room:
            return await asyncio.to_thread(self._hasher.hash, normalized(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password is right. Without a hash to check against it takes as long, and answers no."""
        if len(password) > MAX_LENGTH:
            return False
        password = normalized(password)
        async with self._room:
            if encoded is None:
                if self._nobody is None:
                    self._nobody = await asyncio.to_thread(self._hasher.hash, "nobody signs in with this")
                await asyncio.to_thread(self._check, self._nobody, password)
                return False
            return await asyncio.to_thread(self._check, encoded, password)

    def _check(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerifyMismatchError, InvalidHashError):
            return False
