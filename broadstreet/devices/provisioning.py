"""Provisioning by key: a new device shows its fleet's key and its hardware id, once, and gets a credential of its own.

    key ──▶ pattern, count, expiry ──▶ place (written first) ──▶ device registered ──▶ its secret, shown this once

A key makes devices of one profile and opens nothing else: it neither reads nor sends, nor touches a device it has not
made. Who asks again is refused, or given another secret where the key says so; a device that was never heard may always
ask again, since the first answer may have been lost on its way. A device that somebody has disabled stays out.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from broadstreet.devices.registration import DeviceSpec
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import (
    BroadstreetError,
    Conflict,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooMany,
)
from broadstreet.model.identifiers import check_device
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.access.audit import Audit
    from broadstreet.devices.registry import Registered, Registry
    from broadstreet.store import Database, Store

PREFIX: Final = "pvk_"
MAX_KEYS: Final = 1_000
"""Of one tenant."""
MAX_DEVICES: Final = 1_000_000
MIN_LIFETIME_S, DEFAULT_LIFETIME_S, MAX_LIFETIME_S = 60, 30 * 86_400, 3 * 366 * 86_400
MAX_PATTERN_LENGTH: Final = 127
MAX_TITLE_LENGTH: Final = 200
MAX_AT_ONCE: Final = 64
"""Devices that ask at once."""
BUSY_RETRY_S: Final = 2
_SECRET_BYTES: Final = 32
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_PATTERN: Final = re.compile(r"[A-Za-z0-9._:*?-]+")
_SQL = load_queries("provisioning")
_DEVICE_SQL = load_queries("device")
_LOGIN_SQL = load_queries("device_login")


class KeySpec(msgspec.Struct, frozen=True, kw_only=True):
    """A provisioning key to make, for `max_devices` devices of a `profile` whose hardware id fits `pattern` (`*`, `?`).

    `lon` and `lat` are where a device stands that does not say where it is; left out, each has to say. `renews` says
    whether a device that was heard may be given another secret. The key holds for `lifetime_s` seconds.
    """

    name: str
    profile: str
    max_devices: Annotated[int, msgspec.Meta(ge=1, le=MAX_DEVICES)]
    pattern: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_PATTERN_LENGTH)] = "*"
    dataset: str | None = None
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)] | None = None
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)] | None = None
    renews: bool = False
    lifetime_s: Annotated[int, msgspec.Meta(ge=MIN_LIFETIME_S, le=MAX_LIFETIME_S)] = DEFAULT_LIFETIME_S


class NewKey(msgspec.Struct, frozen=True):
    """A provisioning key just made; its secret is shown this once."""

    name: str
    secret: str


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A provisioning key as it stands. devices: how many it has let in."""

    name: str
    profile: str
    pattern: str
    dataset: str | None
    lon: float | None
    lat: float | None
    renews: bool
    devices: int
    max_devices: int
    created_by: str
    created_us: int
    expires_us: int
    revoked_us: int | None


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """What a new device says: the `key` of its fleet, and its `hardware_id`, which becomes its id.

    If it knows them, what it is to be called, and where it is in degrees (WGS 84).
    """

    key: str
    hardware_id: str
    title: str | None = None
    lon: float | None = None
    lat: float | None = None


class Admitted(msgspec.Struct, frozen=True):
    """A device's own credential, shown this once, and the entity that it feeds."""

    id: str
    secret: str
    entity: str


class Provisioning:
    """All tenants' provisioning keys, and the door they open."""

    def __init__(self, store: Store, registry: Registry, audit: Audit) -> None:
        self._store = store
        self._registry = registry
        self._audit = audit
        self._asking = 0

    async def create(self, database: Database, spec: KeySpec, *, by: str, at_us: int) -> NewKey:
        """Make a key. Raises InvalidInput, NotFound for a profile or dataset, Conflict for a taken name, TooMany."""
        _check(spec)
        await self._registry.profile(database, spec.profile)
        if spec.dataset is not None and not await database.fetch(_DEVICE_SQL["dataset_keys"], [spec.dataset]):
            raise NotFound(f"there is no dataset {spec.dataset[:80]!r}", where="dataset")
        if await self._store.control.fetchval(_SQL["count_keys"], database.name) >= MAX_KEYS:
            raise TooMany(f"a tenant has at most {MAX_KEYS:,} provisioning keys")
        secret = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
        made = await self._store.control.fetchval(
            _SQL["insert_key"],
            database.name,
            spec.name,
            _hash(secret),
            spec.profile,
            spec.pattern,
            spec.dataset,
            spec.lon,
            spec.lat,
            spec.renews,
            spec.max_devices,
            by,
            at_us,
            at_us + spec.lifetime_s * US_PER_S,
        )
        if made is None:
            raise Conflict(f"there is a provisioning key {spec.name!r}", where="name", remedy="Choose another name.")
        return NewKey(spec.name, secret)

    async def list(self, tenant: str) -> list[KeyRow]:
        """A tenant's keys, by name, those that have ended among them."""
        return [
            KeyRow(
                name=row["name"],
                profile=row["profile"],
                pattern=row["pattern"],
                dataset=row["dataset"],
                lon=row["lon"],
                lat=row["lat"],
                renews=row["renews"],
                devices=row["devices"],
                max_devices=row["max_devices"],
                created_by=row["created_by"],
                created_us=row["created_at"],
                expires_us=row["expires_at"],
                revoked_us=row["revoked_at"],
            )
            for row in await self._store.control.fetch(_SQL["list_keys"], tenant)
        ]

    async def revoke(self, tenant: str, name: str, at_us: int) -> None:
        """End a key: nobody is let in by it from now on; those it has let in stay. Raises NotFound."""
        if await self._store.control.fetchval(_SQL["revoke_key"], tenant, name, at_us) is None:
            raise NotFound(f"there is no provisioning key {name[:80]!r}")

    async def check(self, key: str, at_us: int) -> None:
        """Whether a key holds. Raises NotSignedIn."""
        await self._key(key, at_us)

    async def admit(self, application: Application, at_us: int) -> Admitted:
        """
        Let a device in that shows a key.

        Raises NotSignedIn for a key that does not hold, InvalidInput, NotAllowed for a hardware id it is not for and a
        device that is disabled, Conflict for one that was let in before, TooMany where the key has no place left.
        """
        if self._asking >= MAX_AT_ONCE:
            raise TooMany("too many ask at once", retry_after_s=BUSY_RETRY_S, remedy="Ask again in a moment.")
        self._asking += 1
        try:
            return await self._admit(application, at_us)
        finally:
            self._asking -= 1

    async def _admit(self, application: Application, at_us: int) -> Admitted:
        key = await self._key(application.key, at_us)
        device = check_device(application.hardware_id)
        if not fnmatchcase(device, key["pattern"]):
            raise NotAllowed(f"this key is not for {device!r}", remedy=f"It is for {key['pattern']!r}.")
        database = await self._store.tenant(key["tenant"])
        await self._take_place(key, device, at_us)
        by = f"{PREFIX}{key['name']}"
        rows = await database.fetch(_DEVICE_SQL["existing_devices"], [device])
        if rows:
            secret = await self._again(database, key, device, at_us)
            entity, action = str(rows[0]["entity_id"]), "device.secret"
        else:
            made = await self._register(database, key, application, by, at_us)
            secret = made.secret or await self._registry.rotate_secret(database, device)
            entity, action = made.entity_id, "device.provision"
        await self._audit.record(at_us, by, action, device, tenant=key["tenant"])
        return Admitted(device, secret, entity)

    async def _key(self, secret: str, at_us: int) -> Any:
        row = None
        if secret.startswith(PREFIX):
            row = await self._store.control.fetchrow(_SQL["key_by_secret"], _hash(secret), at_us)
        if row is None:
            raise NotSignedIn("the provisioning key is unknown, or holds no longer", where="key")
        return row

    async def _take_place(self, key: Any, device: str, at_us: int) -> None:
        """Raises Conflict for a device that is none of this key's, TooMany."""
        async with self._store.control.transaction() as connection:
            await connection.execute(_SQL["lock_key"], key["key"])
            holder = await connection.fetchval(_SQL["place_of"], key["tenant_key"], device)
            if holder == key["key"]:
                return
            taken = await connection.fetch(_LOGIN_SQL["known"], [device])
            if holder is not None or taken:
                raise Conflict(
                    f"there is a device {device!r} already, and not by this key",
                    where="hardware_id",
                    remedy="Have it removed, or given a new secret, by whoever looks after the devices.",
                )
            place = (key["tenant_key"], device, key["key"], at_us, key["max_devices"])
            if await connection.fetchval(_SQL["take_place"], *place) is None:
                raise TooMany(
                    f"this key has let in {key['max_devices']:,} devices, which is all it may",
                    remedy="Make another key, or one for more devices.",
                )

    async def _register(
        self, database: Database, key: Any, application: Application, by: str, at_us: int
    ) -> Registered:
        """Make the device. Where it cannot be, its place is free again."""
        try:
            return await self._registry.register(database, _spec(application, key), principal=by, at_us=at_us)
        except BroadstreetError:
            device = application.hardware_id
            if not await database.fetch(_DEVICE_SQL["existing_devices"], [device]):
                await self._store.control.execute(_SQL["leave_place"], key["tenant_key"], device, key["key"])
            raise

    async def _again(self, database: Database, key: Any, device: str, at_us: int) -> str:
        """Another secret for a device that this key has let in. Raises NotAllowed, Conflict."""
        if await self._registry.is_disabled(device):
            raise NotAllowed(f"the device {device!r} is disabled", remedy="Have it enabled first.")
        if not key["renews"] and await database.fetchval(_DEVICE_SQL["was_met"], device):
            raise Conflict(
                f"the device {device!r} has its credential, and was heard with it",
                where="hardware_id",
                remedy="Give it a new secret on its page, or make a key that renews.",
            )
        secret = await self._registry.rotate_secret(database, device)
        await self._store.control.execute(_SQL["renewed"], key["tenant_key"], device, at_us)
        return secret


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _spec(application: Application, key: Any) -> DeviceSpec:
    """The device that an application makes. Raises InvalidInput."""
    title = (application.title or application.hardware_id).strip()
    if not 0 < len(title) <= MAX_TITLE_LENGTH:
        raise InvalidInput(f"a device is called something of 1 to {MAX_TITLE_LENGTH} characters", where="title")
    lon, lat = application.lon, application.lat
    if lon is None or lat is None:
        lon, lat = key["lon"], key["lat"]
    if lon is None or lat is None:
        raise InvalidInput(
            "the device does not say where it is, and its key has no place for it",
            where="lon, lat",
            remedy="Send lon and lat, or make a key with a place where such devices stand until they are moved.",
        )
    return DeviceSpec(
        id=application.hardware_id, title=title, profile=key["profile"], lon=lon, lat=lat, dataset=key["dataset"]
    )


def _check(spec: KeySpec) -> None:
    if _NAME.fullmatch(spec.name) is None:
        raise InvalidInput(
            f"{spec.name[:80]!r} cannot name a provisioning key",
            where="name",
            remedy="Use lower-case letters, digits and . _ -, at most 63 characters.",
        )
    if len(spec.pattern) > MAX_PATTERN_LENGTH or _PATTERN.fullmatch(spec.pattern) is None:
        raise InvalidInput(
            f"{spec.pattern[:80]!r} is no pattern of hardware ids",
            where="pattern",
            remedy="Write what they begin with and a *, such as aq-*; ? stands for one letter or digit.",
        )
    if not 1 <= spec.max_devices <= MAX_DEVICES:
        raise InvalidInput(f"a key lets in 1 to {MAX_DEVICES:,} devices", where="max_devices")
    if not MIN_LIFETIME_S <= spec.lifetime_s <= MAX_LIFETIME_S:
        raise InvalidInput(f"a key holds {MIN_LIFETIME_S} s to {MAX_LIFETIME_S:,} s", where="lifetime_s")
    if (spec.lon is None) != (spec.lat is None):
        raise InvalidInput("a place has a longitude and a latitude", where="lon, lat")
    if spec.lon is not None and spec.lat is not None and not (-180 <= spec.lon <= 180 and -90 <= spec.lat <= 90):
        raise InvalidInput(f"longitude {spec.lon}, latitude {spec.lat} is not on Earth", where="lon, lat")
