"""The door: who signs in, by a device's secret or a person's token.

Every sign-in asks the database, so that a secret that was replaced, or a device that was shut out, is refused from the
next one on. How many ask at once is bounded, and so is how many wait, since thousands reconnect at once after a gateway
has been away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from broadstreet.access.token import PREFIX as TOKEN_PREFIX
from broadstreet.access.token import Tokens
from broadstreet.devices import Registry
from broadstreet.gateway.bounds import MAX_SIGN_INS, MAX_SIGN_INS_WAITING
from broadstreet.gateway.peer import OPEN_TENANT, Peer
from broadstreet.model.errors import NotAllowed, NotFound, NotSignedIn, TooMany

READ_PERMISSION: Final = "entity:read"
UNPROVEN: Final = "the device is unknown or disabled, or its secret is wrong"
"""All that a stranger learns; its owner reads which of them it was."""


class Entrance(Protocol):
    """Where a listener's clients sign in."""

    async def sign_in(self, username: str | None, password: bytes | None) -> Peer:
        """Who this is. Raises NotSignedIn, NotAllowed, TooMany, and what the store raises when it is away."""

    async def refused_device(self, username: str, said: str) -> tuple[Peer, str] | None:
        """The device a refused sign-in was for, and the reason for its owner; None where no device has this name."""


class OpenDoor:
    """Lets anyone in, as a guest."""

    async def sign_in(self, username: str | None, password: bytes | None) -> Peer:
        """Whoever it is."""
        return Peer(OPEN_TENANT, "guest", "")

    async def refused_device(self, username: str, said: str) -> tuple[Peer, str] | None:
        """Nobody is refused."""
        return None


class Door:
    """clock: now, in microseconds since 1970."""

    def __init__(self, registry: Registry, tokens: Tokens, clock: Callable[[], int]) -> None:
        self._registry = registry
        self._tokens = tokens
        self._clock = clock
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
        if self._waiting >= MAX_SIGN_INS_WAITING:
            raise TooMany("too many sign in at once", remedy="Try again in a moment.")
        self._waiting += 1
        try:
            async with self._asking:
                if secret.startswith(TOKEN_PREFIX):
                    return await self._person(username, secret)
                return await self._device(username, secret)
        finally:
            self._waiting -= 1

    async def shut_out(self, devices: list[str]) -> set[str]:
        """Which of these devices may not stay. Raises what the store raises."""
        return set(await self._registry.shut_out(devices))

    async def refused_device(self, username: str, said: str) -> tuple[Peer, str] | None:
        """The device a refused sign-in was for, and the reason for its owner, so that it can be noted.

        said: the reason that was answered. None where no device has this name.
        """
        identity = await self._registry.identify(username)
        if identity is None:
            return None
        if said == UNPROVEN:
            said = "it is shut out here" if await self.shut_out([username]) else "its secret is wrong"
        return Peer(identity.tenant, "device", identity.id, identity.key), said

    async def _device(self, username: str, secret: str) -> Peer:
        identity = await self._registry.authenticate(username, secret, at_us=self._clock())
        if identity is None:
            raise NotSignedIn(UNPROVEN)
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
