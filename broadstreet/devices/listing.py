"""Reading the registry: devices with what was heard of them, and a profile's versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from broadstreet.devices.profile import parse_profile
from broadstreet.devices.registry import ProfileVersion
from broadstreet.model.errors import NotFound
from broadstreet.model.naming import NAME, called
from broadstreet.store import Database, load_queries

if TYPE_CHECKING:
    import asyncpg

MAX_PAGE = 1_000
_SQL = load_queries("device")


class DeviceRow(msgspec.Struct, frozen=True, kw_only=True):
    """A device as it stands. title: what its entity is called. first_heard_us, last_heard_us: None: never heard."""

    id: str
    title: str
    entity_id: str
    profile: str
    profile_version: int
    registered_us: int
    disabled_us: int | None
    first_heard_us: int | None
    last_heard_us: int | None
    messages: int


async def list_devices(database: Database, *, after: str = "", limit: int = 100) -> list[DeviceRow]:
    """Devices by id, from behind one; at most MAX_PAGE."""
    return [_device(row) for row in await database.fetch(_SQL["devices"], after, min(limit, MAX_PAGE), NAME)]


async def find_device(database: Database, device: str) -> DeviceRow:
    """One device. Raises NotFound."""
    row = await database.fetchrow(_SQL["device_by_id"], device, NAME)
    if row is None:
        raise NotFound(f"there is no device {device[:80]!r}")
    return _device(row)


async def profile_versions(database: Database, name: str) -> list[ProfileVersion]:
    """All versions of a profile, newest first. Raises NotFound."""
    rows = await database.fetch(_SQL["profile_versions"], name)
    if not rows:
        raise NotFound(f"there is no profile {name[:80]!r}")
    return [
        ProfileVersion(row["key"], row["name"], row["version"], row["body"], parse_profile(row["body"])) for row in rows
    ]


def _device(row: asyncpg.Record) -> DeviceRow:
    return DeviceRow(
        id=row["id"],
        title=called(row["name"], row["entity_id"]),
        entity_id=row["entity_id"],
        profile=row["profile"],
        profile_version=row["profile_version"],
        registered_us=row["registered_at"],
        disabled_us=row["disabled_at"],
        first_heard_us=row["first_at"],
        last_heard_us=row["last_at"],
        messages=row["messages"],
    )
