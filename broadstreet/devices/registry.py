"""The registry: which devices there are, what they feed, and how they prove who they are.

A device's entity exists from its registration, with its name and place, so that one that was never heard stands on
the map. Devices are written first, their log-ins (in the control schema) after; where a crash came between,
registering again completes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import asyncpg
import msgspec

from broadstreet.devices.credential import check_secret, hash_secret, new_secret, secret_matches
from broadstreet.devices.profile import Profile, parse_profile
from broadstreet.devices.registration import DeviceSpec, write_devices
from broadstreet.model.errors import Conflict, InvalidInput, NotFound
from broadstreet.model.identifiers import check_device
from broadstreet.store import Store, load_queries, write_origin

if TYPE_CHECKING:
    from broadstreet.store import Database
    from broadstreet.store.database import Connection

CHANNEL = "device_login"
"""Where PostgreSQL tells that a credential was changed."""
MAX_BATCH = 10_000
"""Devices registered in one transaction."""
_SQL = load_queries("device")
_LOGIN_SQL = load_queries("device_login")


class DeviceIdentity(NamedTuple):
    """A device that has proved who it is. proof: names the secret or certificate by which it has; empty without."""

    tenant: str
    key: int
    id: str
    proof: bytes = b""


class Registered(NamedTuple):
    """A device in the registry. secret: shown once, when it is made; None where the device had one already."""

    key: int
    id: str
    entity_id: str
    secret: str | None


class ProfileVersion(msgspec.Struct, frozen=True):
    """A version of a profile as it stands in the registry."""

    key: int
    name: str
    version: int
    body: str
    profile: Profile


class Registry:
    """Devices and profiles of all tenants of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def register_profile(self, database: Database, text: str, *, principal: str, at_us: int) -> ProfileVersion:
        """Write a profile down; the devices of its name use it from now on.

        The same text again is the version that is there. Raises InvalidInput for a text that is no profile.
        """
        profile = parse_profile(text)
        terms = await self._store.terms(database).intern([profile.type, *profile.iris])
        async with database.transaction() as connection:
            await connection.execute(_SQL["bump_registry"])  # locks out a second writer of the registry
            newest = await connection.fetchrow(_SQL["newest_profile"], profile.name)
            if newest is not None and newest["body"] == text:
                return ProfileVersion(newest["key"], profile.name, newest["version"], text, profile)
            version = 1 if newest is None else newest["version"] + 1
            key = await connection.fetchval(_SQL["insert_profile"], profile.name, version, text, at_us)
            adopted = [row["key"] for row in await connection.fetch(_SQL["adopt_profile"], profile.name, key)]
            if adopted:
                await connection.execute(_SQL["insert_device_profiles"], adopted, at_us, key)
                await connection.execute(
                    _SQL["insert_series_for_devices"], adopted, [terms[iri] for iri in profile.iris]
                )
            await write_origin(connection, "registry", principal, at_us, f"profile {profile.name} {version}")
        return ProfileVersion(key, profile.name, version, text, profile)

    async def profile(self, database: Database, name: str) -> ProfileVersion:
        """The newest version of a profile. Raises NotFound."""
        async with database.acquire() as connection:
            return await _newest_profile(connection, name)

    async def profiles(self, database: Database) -> list[ProfileVersion]:
        """The newest version of every profile, by name."""
        rows = await database.fetch(_SQL["newest_profiles"])
        return [
            ProfileVersion(row["key"], row["name"], row["version"], row["body"], parse_profile(row["body"]))
            for row in rows
        ]

    async def register(self, database: Database, spec: DeviceSpec, *, principal: str, at_us: int) -> Registered:
        """Register one device. Raises Conflict where its id is taken; otherwise as register_many."""
        async with database.acquire() as connection:
            taken = await connection.fetch(_SQL["existing_devices"], [spec.id])
        if taken:
            raise Conflict(f"there is a device {spec.id!r} already", where="id", remedy="Choose another id.")
        return (await self.register_many(database, [spec], principal=principal, at_us=at_us))[0]

    async def register_many(
        self, database: Database, specs: Sequence[DeviceSpec], *, principal: str, at_us: int
    ) -> list[Registered]:
        """Register devices, in one transaction for each MAX_BATCH; those that are there are left as they are.

        principal: who does it. at_us: when. Raises InvalidInput for an id, place or secret that is wrong, NotFound
        for an unknown profile or dataset, Conflict for an id that another tenant uses; then nothing of the batch is
        kept.
        """
        for spec in specs:
            check_device(spec.id)
            if spec.secret is not None:
                check_secret(spec.secret)
        ids = [spec.id for spec in specs]
        if len(set(ids)) != len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            raise InvalidInput(f"the device {twice!r} is named twice", where="id", remedy="Name each device once.")
        await self._check_free(database, ids)
        registered: list[Registered] = []
        for start in range(0, len(specs), MAX_BATCH):
            batch = specs[start : start + MAX_BATCH]
            written = await write_devices(self._store, database, batch, principal=principal, at_us=at_us)
            registered += await self._write_logins(database, batch, written)
        return registered

    async def elsewhere(self, database: Database, ids: list[str]) -> list[str]:
        """Which of these ids another tenant uses."""
        rows = await self._store.control.fetch(_LOGIN_SQL["known"], ids)
        return [row["username"] for row in rows if row["tenant"] != database.name]

    async def _check_free(self, database: Database, ids: list[str]) -> None:
        if elsewhere := await self.elsewhere(database, ids):
            raise Conflict(f"the device id {elsewhere[0]!r} is in use", where="id", remedy="Choose another id.")

    async def _write_logins(
        self, database: Database, specs: Sequence[DeviceSpec], written: dict[str, tuple[int, str]]
    ) -> list[Registered]:
        """Log-ins for devices that have none."""
        known = await self._store.control.fetch(_LOGIN_SQL["known"], [spec.id for spec in specs])
        with_login = {row["username"] for row in known}
        secrets = {spec.id: spec.secret or new_secret() for spec in specs if spec.id not in with_login}
        if secrets:
            await self._upsert_logins(database.name, {name: written[name][0] for name in secrets}, secrets)
        return [Registered(*written[spec.id][:1], spec.id, written[spec.id][1], secrets.get(spec.id)) for spec in specs]

    async def adopt(
        self, database: Database, spec: DeviceSpec, login: tuple[bytes, bytes], *, principal: str, at_us: int
    ) -> Registered:
        """Register a device of whose secret only (salt, hash) is known; one that is there is given this secret.

        Raises as register_many.
        """
        check_device(spec.id)
        await self._check_free(database, [spec.id])
        written = await write_devices(self._store, database, [spec], principal=principal, at_us=at_us)
        key, entity = written[spec.id]
        await self._keep_logins(database.name, {spec.id: key}, [login])
        return Registered(key, spec.id, entity, None)

    async def _upsert_logins(self, tenant: str, keys: dict[str, int], secrets: dict[str, str]) -> None:
        await self._keep_logins(tenant, keys, [hash_secret(secrets[name]) for name in keys])

    async def _keep_logins(self, tenant: str, keys: dict[str, int], logins: Sequence[tuple[bytes, bytes]]) -> None:
        """Write log-ins down. logins: (salt, hash) in the order of the keys."""
        salts, hashes = [salt for salt, _ in logins], [kept for _, kept in logins]
        try:
            rows = await self._store.control.fetch(
                _LOGIN_SQL["upsert"], tenant, list(keys), list(keys.values()), hashes, salts
            )
        except asyncpg.UniqueViolationError:
            raise Conflict("somebody else registers the same devices at this moment", remedy="Ask again.") from None
        if len(rows) != len(keys):
            taken = sorted(keys.keys() - {row["username"] for row in rows})
            raise Conflict(f"the device id {taken[0]!r} is in use", where="id", remedy="Choose another id.")

    async def rotate_secret(self, database: Database, device: str, secret: str | None = None) -> str:
        """Give a device a new secret; the old one stops at once. Raises NotFound or InvalidInput."""
        fresh = new_secret() if secret is None else check_secret(secret)
        async with database.acquire() as connection:
            key = await _device_key(connection, device)
        await self._upsert_logins(database.name, {device: key}, {device: fresh})
        return fresh

    async def disable(self, database: Database, device: str, at_us: int | None) -> None:
        """Refuse a device from now on, or let it in again (at_us None). Raises NotFound."""
        async with database.transaction() as connection:
            await connection.execute(_SQL["disable_device"], await _device_key(connection, device), at_us)
            await connection.execute(_SQL["bump_registry"])
        await self._store.control.execute(_LOGIN_SQL["disable"], device, at_us)

    async def authenticate(self, username: str, secret: str, *, at_us: int) -> DeviceIdentity | None:
        """The device that signs in with this secret, its own or one on loan; None where it may not."""
        for row in await self._store.control.fetch(_LOGIN_SQL["secrets"], username, at_us):
            if row["disabled_at"] is None and secret_matches(secret, row["salt"], row["secret_hash"]):
                return DeviceIdentity(row["tenant"], row["device_key"], username, row["salt"])
        return None

    async def is_disabled(self, username: str) -> bool:
        """Whether a device is refused whatever it shows."""
        return bool(await self._store.control.fetchval(_LOGIN_SQL["is_disabled"], username))

    async def ended(self, signed_in: Sequence[tuple[str, bytes]], *, at_us: int) -> set[tuple[str, bytes]]:
        """Which sign-ins, by device and proof, hold no longer: to end the connections that stand by them."""
        names, proofs = [name for name, _ in signed_in], [proof for _, proof in signed_in]
        rows = await self._store.control.fetch(_LOGIN_SQL["ended"], names, proofs, at_us)
        return {(row["username"], row["proof"]) for row in rows}

    async def follow(self, heard: Callable[[], None]) -> None:
        """Call `heard` whenever a device's credential was changed, by whichever process. Raises what the store raises.

        It returns only by being cancelled, or when the connection to PostgreSQL is lost.
        """
        lost = asyncio.Event()
        async with self._store.control.acquire() as connection:

            def hear(*_: object) -> None:
                heard()

            connection.add_termination_listener(lambda _: lost.set())
            await connection.add_listener(CHANNEL, hear)
            try:
                await lost.wait()
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(CHANNEL, hear)

    async def identify(self, username: str) -> DeviceIdentity | None:
        """The device of this user name, without proof: to note down a refused sign-in."""
        rows = await self._store.control.fetch(_LOGIN_SQL["known"], [username])
        return DeviceIdentity(rows[0]["tenant"], rows[0]["device_key"], username) if rows else None


async def _device_key(connection: Connection, device: str) -> int:
    key = await connection.fetchval(_SQL["device_key"], device)
    if key is None:
        raise NotFound(f"there is no device {device[:80]!r}")
    return int(key)


async def _newest_profile(connection: Connection, name: str) -> ProfileVersion:
    row = await connection.fetchrow(_SQL["newest_profile"], name)
    if row is None:
        raise NotFound(f"there is no profile {name[:80]!r}", where="profile", remedy="Write the profile down first.")
    return ProfileVersion(row["key"], row["name"], row["version"], row["body"], parse_profile(row["body"]))
