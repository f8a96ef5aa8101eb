"""The door: who signs in, by a device's secret or a person's token.

A device that signed in is remembered for a short while, since hundreds reconnect at once after a gateway has been away;
what is kept is a keyed hash of its credential. How many ask the database at once is bounded, and so is how many wait.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from typing import Final

from broadstreet.access.token import PREFIX as TOKEN_PREFIX
from broadstreet.access.token import Tokens
from broadstreet.devices import Registry
from broadstreet.gateway.bounds import MAX_REMEMBERED, MAX_SIGN_INS, MAX_SIGN_INS_WAITING, REMEMBERED_S
from broadstreet.gateway.peer import Peer
from broadstreet.model.errors import NotAllowed, NotFound, NotSignedIn, TooMany

READ_PERMISSION: Final = "entity:read"
KEY_BYTES = 32


class Door:
    """
    random_bytes: fit for keys, such as `os.urandom`.
    time_s:       a clock that only goes on, in seconds.
    """

    def __init__(
        self,
        registry: Registry,
        tokens: Tokens,
        *,
        random_bytes: Callable[[int], bytes],
        time_s: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._tokens = tokens
        self._time_s = time_s
        self._key = random_bytes(KEY_BYTES)
        self._remembered: dict[bytes, tuple[float, Peer]] = {}
        self._asking = asyncio.Semaphore(MAX_SIGN_INS)
        self._waiting = 0

    async def sign_in(self, username: str | None, password: bytes | None) -> Peer:
        """Who this is. Raises NotSignedIn, NotAllowed, TooMany, and what the store raises when it is away."""
        if not username or not password:
            raise NotSignedIn("no user name or no password was given")
        try:
            secret = password.decode()
        except UnicodeDecodeError:
            raise NotSignedIn("the password is not UTF-8") from None
        proof = hashlib.blake2b(username.encode() + b"\0" + password, key=self._key, digest_size=32).digest()
        remembered = self._remembered.get(proof)
        if remembered is not None and self._time_s() < remembered[0]:
            return remembered[1]
        if self._waiting >= MAX_SIGN_INS_WAITING:
            raise TooMany("too many sign in at once", remedy="Try again in a moment.")
        self._waiting += 1
        try:
            async with self._asking:
                if secret.startswith(TOKEN_PREFIX):
                    return await self._person(username, secret)
                peer = await self._device(username, secret)
        finally:
            self._waiting -= 1
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
        self._remembered[proof] = self._time_s() + REMEMBERED_S, peer
        return peer

    async def shut_out(self, devices: list[str]) -> set[str]:
        """Which of these devices may not stay. Raises what the store raises."""
        found = set(await self._registry.shut_out(devices))
        if found:
            self._remembered.clear()
        return found

    async def known_device(self, username: str) -> Peer | None:
        """The device a refused sign-in was for, so that it can be noted."""
        identity = await self._registry.identify(username)
        return None if identity is None else Peer(identity.tenant, "device", identity.id, identity.key)

    async def _device(self, username: str, secret: str) -> Peer:
        identity = await self._registry.authenticate(username, secret)
        if identity is None:
            raise NotSignedIn("the device is unknown or disabled, or its secret is wrong")
        return Peer(identity.tenant, "device", identity.id, identity.key)

    async def _person(self, username: str, secret: str) -> Peer:
        try:
            principal = await self._tokens.principal(secret, "api")
        except NotFound as error:
            raise NotSignedIn(error.message) from None
        if principal.name != username:
            raise NotSignedIn("the token is another account's")
        if not principal.may(READ_PERMISSION):
            raise NotAllowed(f"{username} lacks the permission {READ_PERMISSION}")
        return Peer(principal.tenant, "account", username)
