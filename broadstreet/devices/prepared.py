"""Pre-registration: devices that are known by their serial number before anybody has hung them up.

    prepare ──▶ secret burnt in, claim code on a label ──▶ claim, on site: where it stands ──▶ a device, never heard yet

Until it is claimed a prepared device is none: it stands nowhere, and its secret opens nothing. Who has the claim code
in hand stands before it. Of secret and code only hashes are kept; both are shown once, when the device is prepared.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from broadstreet.devices.credential import check_secret, hash_secret, new_secret
from broadstreet.devices.registration import DeviceSpec
from broadstreet.model.errors import Conflict, InvalidInput, NotFound, TooMany
from broadstreet.model.identifiers import check_device
from broadstreet.store import load_queries

if TYPE_CHECKING:
    from broadstreet.devices.registry import Registered, Registry
    from broadstreet.store import Database, Store

MAX_BATCH: Final = 10_000
"""Devices that are prepared at once."""
MAX_WAITING: Final = 100_000
"""Devices of one tenant that wait to be installed."""
MAX_PAGE: Final = 1_000
MAX_TITLE_LENGTH: Final = 200
CODE_LENGTH, CODE_PART = 16, 4
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that is taken for a digit."""
_MISREAD: Final = str.maketrans({"O": "0", "I": "1", "L": "1"})
_NOT_OF_CODES: Final = re.compile(r"[\s-]+")
_SQL = load_queries("prepared")
_DEVICE_SQL = load_queries("device")


class PreparedSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A device to prepare: its serial number as `id`, and its `profile`. `secret`: what is burnt in already."""

    id: str
    profile: str
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH, pattern=r"\S")] | None = None
    dataset: str | None = None
    secret: str | None = None


class Prepared(msgspec.Struct, frozen=True):
    """A device that is prepared. `secret` and `code` are shown this once; null for one that was known already."""

    id: str
    secret: str | None
    code: str | None


class PreparedRow(msgspec.Struct, frozen=True, kw_only=True):
    """A prepared device as it stands. claimed_us: since when it is installed; None: it waits."""

    id: str
    title: str
    profile: str
    dataset: str | None
    created_by: str
    created_us: int
    claimed_by: str | None
    claimed_us: int | None


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A device is installed: the `code` on its label, where it stands in degrees (WGS 84), what it is to be called."""

    code: str
    lon: Annotated[float, msgspec.Meta(ge=-180, le=180)]
    lat: Annotated[float, msgspec.Meta(ge=-90, le=90)]
    title: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TITLE_LENGTH, pattern=r"\S")] | None = None
    street: str | None = None


class Preparation:
    """All tenants' prepared devices."""

    def __init__(self, store: Store, registry: Registry) -> None:
        self._store = store
        self._registry = registry

    async def prepare(
        self, database: Database, specs: Sequence[PreparedSpec], *, by: str, at_us: int
    ) -> list[Prepared]:
        """
        Write devices down before they are installed, all or none; those that are known are left as they are.

        Raises InvalidInput, NotFound for a profile or dataset, Conflict for an id in use elsewhere, TooMany.
        """
        await self._check(database, specs)
        known = await database.fetch(_DEVICE_SQL["existing_devices"], [spec.id for spec in specs])
        installed = {row["id"] for row in known}
        new = [spec for spec in specs if spec.id not in installed]
        codes = {spec.id: _new_code() for spec in new}
        burnt = {spec.id: spec.secret or new_secret() for spec in new}
        hashed = [hash_secret(burnt[spec.id]) for spec in new]
        rows = await self._store.control.fetch(
            _SQL["prepare"],
            database.name,
            [spec.id for spec in new],
            [_hash(codes[spec.id]) for spec in new],
            [kept for _, kept in hashed],
            [salt for salt, _ in hashed],
            [(spec.title or spec.id).strip() for spec in new],
            [spec.profile for spec in new],
            [spec.dataset for spec in new],
            by,
            at_us,
        )
        made = {row["device"] for row in rows}
        return [
            Prepared(spec.id, burnt[spec.id], codes[spec.id]) if spec.id in made else Prepared(spec.id, None, None)
            for spec in specs
        ]

    async def list(
        self, tenant: str, *, after: str = "", limit: int = 100, is_waiting: bool = False
    ) -> list[PreparedRow]:
        """A tenant's prepared devices by id: all, or those that wait to be installed."""
        rows = await self._store.control.fetch(_SQL["list_prepared"], tenant, after, min(limit, MAX_PAGE), is_waiting)
        return [_row(row) for row in rows]

    async def find(self, tenant: str, code: str) -> PreparedRow:
        """The device of a claim code. Raises NotFound."""
        return _row(await self._by_code(tenant, code))

    async def claim(self, database: Database, claim: Claim, *, by: str, at_us: int) -> Registered:
        """
        Make a prepared device one that stands somewhere. It is seen from now on, and its secret opens its door.

        Raises NotFound for a code that is none, Conflict for a device that stands somewhere already, InvalidInput.
        """
        row = await self._by_code(database.name, claim.code)
        if row["claimed_at"] is not None:
            raise Conflict(
                f"the device {row['device']!r} was installed by {row['claimed_by']} before",
                where="code",
                remedy="If it has moved, write its new location on its page.",
            )
        spec = DeviceSpec(
            id=row["device"],
            title=(claim.title or row["title"]).strip(),
            profile=row["profile"],
            lon=claim.lon,
            lat=claim.lat,
            street=claim.street,
            dataset=row["dataset"],
        )
        login = bytes(row["salt"]), bytes(row["secret_hash"])
        registered = await self._registry.adopt(database, spec, login, principal=by, at_us=at_us)
        await self._store.control.fetchval(_SQL["claimed"], database.name, row["device"], by, at_us)
        return registered

    async def withdraw(self, tenant: str, device: str) -> None:
        """Forget a device that waits: its label and its secret are worth nothing from now on. Raises NotFound."""
        if await self._store.control.fetchval(_SQL["withdraw"], tenant, device) is None:
            raise NotFound(f"no device {device[:80]!r} waits to be installed")

    async def _by_code(self, tenant: str, code: str) -> Any:
        plain = _NOT_OF_CODES.sub("", code).upper().translate(_MISREAD)
        row = await self._store.control.fetchrow(_SQL["by_code"], tenant, hashlib.sha256(plain.encode()).digest())
        if row is None:
            raise NotFound(
                "no device has this claim code",
                where="code",
                remedy="Read it from the label once more: sixteen letters and digits.",
            )
        return row

    async def _check(self, database: Database, specs: Sequence[PreparedSpec]) -> None:
        ids = [check_device(spec.id) for spec in specs]
        if not 1 <= len(specs) <= MAX_BATCH:
            raise InvalidInput(f"1 to {MAX_BATCH:,} devices are prepared at once", where="body")
        if len(set(ids)) != len(ids):
            twice = next(name for name in ids if ids.count(name) > 1)
            raise InvalidInput(f"the device {twice!r} is named twice", where="id", remedy="Name each device once.")
        for spec in specs:
            if spec.secret is not None:
                check_secret(spec.secret)
        for profile in {spec.profile for spec in specs}:
            await self._registry.profile(database, profile)
        named = sorted({spec.dataset for spec in specs if spec.dataset is not None})
        found = {row["id"] for row in await database.fetch(_DEVICE_SQL["dataset_keys"], named)} if named else set()
        if missing := [name for name in named if name not in found]:
            raise NotFound(f"there is no dataset {missing[0][:80]!r}", where="dataset")
        if elsewhere := await self._registry.elsewhere(database, ids):
            raise Conflict(f"the device id {elsewhere[0]!r} is in use", where="id", remedy="Choose another id.")
        if await self._store.control.fetchval(_SQL["count_prepared"], database.name) + len(specs) > MAX_WAITING:
            raise TooMany(f"at most {MAX_WAITING:,} devices wait to be installed", remedy="Withdraw some.")


def _new_code() -> str:
    """A claim code of 80 random bits, in parts that can be read out: 7QK3-90FZ-M2XC-4WTB."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(letters[start : start + CODE_PART] for start in range(0, CODE_LENGTH, CODE_PART))


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.replace("-", "").encode()).digest()


def _row(row: Any) -> PreparedRow:
    return PreparedRow(
        id=row["device"],
        title=row["title"],
        profile=row["profile"],
        dataset=row["dataset"],
        created_by=row["created_by"],
        created_us=row["created_at"],
        claimed_by=row["claimed_by"],
        claimed_us=row["claimed_at"],
    )
