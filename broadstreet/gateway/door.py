"""The door: who signs in, by a device's secret or certificate, or by a person's token.

Every sign-in asks the database, so that a secret that was replaced, or a device that was shut out, is refused from the
next one on. How many ask at once is bounded, and so is how many wait, since thousands reconnect at once after a gateway
has been away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from broadstreet.access import Principal
from broadstreet.access.token import PREFIX as TOKEN_PREFIX
from broadstreet.access.token import Tokens, hash_of
from broadstreet.access.topics import may_connect
from broadstreet.devices import Certificates, DeviceIdentity, Provisioning, Registry
from broadstreet.gateway.bounds import MAX_SIGN_INS, MAX_SIGN_INS_WAITING
from broadstreet.gateway.peer import OPEN_TENANT, Peer
from broadstreet.model.errors import NotAllowed, NotFound, NotSignedIn, TooMany

TENANT_MARK: Final = "/"
"""Between an account and the tenant in which it signs in, where that is not its own."""
UNPROVEN: Final = "the device is unknown or disabled, or its secret is wrong"
"""All that a stranger learns; its owner reads which of them it was."""


class Entrance(Protocol):
    """Where a listener's clients sign in. provisioning: where new devices ask for credentials; None: nowhere."""

    provisioning: Provisioning | None

    async def sign_in(self, username: str | None, password: bytes | None, certificate: bytes | None) -> Peer:
        """Who this is. certificate: the client's, as DER, where TLS has looked at one.

        Raises NotSignedIn, NotAllowed, TooMany, and what the store raises when it is away.
        """

    async def refused_device(self, username: str, said: str) -> tuple[Peer, str] | None:
        """The device a refused sign-in was for, and the reason for its owner; None where no device has this name."""

    async def device(self, tenant: str, name: str) -> int | None:
        """The key of a device that somebody speaks for; None where there is none. Raises what the store raises."""


class OpenDoor:
    """Lets anyone in, as a guest."""

    provisioning: Provisioning | None = None

    async def sign_in(self, username: str | None, password: bytes | None, certificate: bytes | None) -> Peer:
        """Whoever it is."""
        return Peer(OPEN_TENANT, "guest", "")

    async def refused_device(self, username: str, said: str) -> tuple[Peer, str] | None:
        """Nobody is refused."""
        return None

    async def device(self, tenant: str, name: str) -> int | None:
        """There are none."""
        return None


class Door:
    """certificates: None where none is taken. clock: now, in microseconds since 1970."""

    def __init__(
        self,
        registry: Registry,
        tokens: Tokens,
        certificates: Certificates | None,
        clock: Callable[[], int],
        provisioning: Provisioning | None,
    ) -> None:
        self.provisioning = provisioning
        self._registry = registry
        self._tokens = tokens
        self._certificates = certificates
        self._clock = clock
        self._asking = asyncio.Semaphore(MAX_SIGN_INS)
        self._waiting = 0

    async def sign_in(self, username: str | None, password: bytes | None, certificate: bytes | None) -> Peer:
        """Who this is: by the password, or, where none was given, by the certificate. Raises as `Entrance` says."""
        if not password and certificate is None:
            raise NotSignedIn("no user name or no password was given")
        if self._waiting >= MAX_SIGN_INS_WAITING:
            raise TooMany("too many sign in at once", remedy="Try again in a moment.")
        self._waiting += 1
        try:
            async with self._asking:
                if password:
                    return await self._by_password(username, password)
                return await self._by_certificate(username, certificate or b"")
        finally:
            self._waiting -= 1

    async def device(self, tenant: str, name: str) -> int | None:
        """The key of a device that somebody speaks for; None where there is none. Raises what the store raises."""
        identity = await self._registry.identify(name)
        return identity.key if identity is not None and identity.tenant == tenant else None

    async def ended(self, peers: Iterable[Peer]) -> set[Peer]:
        """Who of these would not come in again as they are: to end their connections. Raises what the store raises."""
        devices = {(peer.name, peer.proof): peer for peer in peers if peer.kind == "device"}
        gone = await self._registry.ended(list(devices), at_us=self._clock()) if devices else set()
        people = {peer for peer in peers if peer.kind == "account"}
        return {devices[one] for one in gone} | {peer for peer in people if not await self._still_holds(peer)}

    async def follow(self, heard: Callable[[], None]) -> None:
        """Call `heard` when `ended` may have another answer. Raises what the store raises."""
        await self._registry.follow(heard)

    async def refused_device(self, username: str, said: str) -> tuple[Peer, str] | None:
        """The device a refused sign-in was for, and the reason for its owner, so that it can be noted.

        said: the reason that was answered. None where no device has this name.
        """
        identity = await self._registry.identify(username)
        if identity is None:
            return None
        if said == UNPROVEN:
            said = "it is disabled here" if await self._registry.is_disabled(username) else "its secret is wrong"
        return Peer(identity.tenant, "device", identity.id, identity.key), said

    async def _by_password(self, username: str | None, password: bytes) -> Peer:
        if not username:
            raise NotSignedIn("no user name or no password was given")
        try:
            secret = password.decode()
        except UnicodeDecodeError:
            raise NotSignedIn("the password is not UTF-8") from None
        if secret.startswith(TOKEN_PREFIX):
            return await self._person(username, secret)
        identity = await self._registry.authenticate(username, secret, at_us=self._clock())
        if identity is None:
            raise NotSignedIn(UNPROVEN)
        return _peer_of(identity)

    async def _by_certificate(self, username: str | None, certificate: bytes) -> Peer:
        identity = None
        if self._certificates is not None:
            identity = await self._certificates.authenticate(certificate, at_us=self._clock())
        if identity is None:
            raise NotSignedIn("the certificate is no device's that may come in: it is unknown, revoked or over")
        if username not in (None, "", identity.id):
            raise NotSignedIn("the certificate is another device's")
        return _peer_of(identity)

    async def _person(self, username: str, secret: str) -> Peer:
        proof = hash_of(secret)
        name, mark, tenant = username.partition(TENANT_MARK)
        try:
            principal = await self._tokens.principal_of(proof, "api", tenant if mark else None)
        except NotFound as error:
            raise NotSignedIn(error.message) from None
        if principal.name != name:
            raise NotSignedIn("the token is another account's")
        if not may_connect(principal):
            raise NotAllowed(f"{name} has no permission that a topic asks for")
        if principal.reach is not None:
            raise NotAllowed("the token is limited to entity types or datasets, to which topics do not keep")
        return Peer(principal.tenant, "account", name, proof=proof, principal=principal)

    async def _still_holds(self, peer: Peer) -> bool:
        try:
            principal = await self._tokens.principal_of(peer.proof, "api", peer.tenant)
        except (NotSignedIn, NotAllowed, NotFound):
            return False
        return principal == peer.principal


def _peer_of(identity: DeviceIdentity) -> Peer:
    principal = Principal.device(identity.id, identity.tenant)
    return Peer(identity.tenant, "device", identity.id, identity.key, identity.proof, principal)
