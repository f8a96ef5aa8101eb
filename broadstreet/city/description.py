"""What the house knows of its city beside the map: name, place, clock, and its streets for the search.

Kept as `<maps>/<name>.json` beside `<maps>/<name>.pmtiles`. A tenant has one city: making another makes that one it,
and leaves the old map.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box

_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9]+")
_MAX_NAME_LENGTH: Final = 60


class NamedStreet(msgspec.Struct, frozen=True):
    """A street with a name: a point on it near its middle, its direction there, its length on the ellipsoid.

    `bearing_deg` is clockwise from north, below 180, since a street runs both ways. `length_m` counts each carriageway.
    """

    name: str
    lon: float
    lat: float
    bearing_deg: float
    length_m: float


class City(msgspec.Struct, frozen=True):
    """A city. `basemap` is its map's file name in the same folder; its clocks show the time of `time_zone`."""

    name: str
    tenant: str
    title: str
    bounds: Box
    center: tuple[float, float]
    time_zone: str
    basemap: str
    attribution: str
    streets: list[NamedStreet]


def city_name(title: str) -> str:
    """A title as files bear it: Pôrto Alegre is porto-alegre. Raises InvalidInput if nothing is left."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = _NOT_IN_NAMES.sub("-", plain).strip("-")[:_MAX_NAME_LENGTH]
    if not name:
        raise InvalidInput(
            f"{title!r} has no letters that a file name bears", where="title", remedy="Name the city in Latin letters."
        )
    return name


def check_zone(time_zone: str) -> str:
    """A time zone's name, or InvalidInput if the database has no such zone."""
    try:
        ZoneInfo(time_zone)
    except (ValueError, OSError, LookupError):
        raise InvalidInput(
            f"{time_zone[:80]!r} is no time zone", where="time zone", remedy="Name one such as Europe/Helsinki."
        ) from None
    return time_zone


def save_city(maps: Path, city: City) -> None:
    """Writes a city's description, whole or not at all, and makes it the city of its tenant."""
    path = maps / f"{city.name}.json"
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_bytes(msgspec.json.format(msgspec.json.encode(city), indent=1))
    unfinished.replace(path)
    for other in maps.glob("*.json"):
        if other != path and _read(other).tenant == city.tenant:
            other.unlink()


def load_city(maps: Path, tenant: str) -> City | None:
    """The city of a tenant, or None where none was made."""
    return next((city for path in sorted(maps.glob("*.json")) if (city := _read(path)).tenant == tenant), None)


def _read(path: Path) -> City:
    try:
        return msgspec.json.decode(path.read_bytes(), type=City)
    except msgspec.MsgspecError as error:
        raise InvalidInput(
            f"this does not describe a city: {error}", where=str(path), remedy="Make the city again: city new."
        ) from None
