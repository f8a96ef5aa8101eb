"""Geometry as GeoJSON (RFC 7946) says it, checked, with its bounding box. WGS 84, longitude first, degrees.

Only what NGSI-LD allows of a GeoProperty: points, lines, polygons and several of them, no collections. A polygon's ring
is closed and has four positions or more; whether rings cross is left to whoever measures.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import msgspec

from broadstreet.model.errors import InvalidInput, TooLarge

MAX_POSITIONS: Final = 100_000
"""The most positions one geometry may have."""

# How deep a type's coordinates nest: a position is 0.
_DEPTH: Final = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}

GEOMETRY_TYPES: Final = frozenset(_DEPTH)
"""The types a geometry may have."""


class Box(msgspec.Struct, frozen=True, array_like=True):
    """A bounding box in degrees. It does not cross the antimeridian: west <= east."""

    west: float
    south: float
    east: float
    north: float


class Geometry(msgspec.Struct, frozen=True):
    """A checked GeoJSON geometry."""

    type: str
    coordinates: Any

    @property
    def bounds(self) -> Box:
        """The smallest box that holds every position."""
        positions = list(_positions(self.coordinates, _DEPTH[self.type]))
        longitudes, latitudes = [p[0] for p in positions], [p[1] for p in positions]
        return Box(min(longitudes), min(latitudes), max(longitudes), max(latitudes))

    def geojson(self) -> dict[str, Any]:
        """The geometry as a GeoJSON object."""
        return {"type": self.type, "coordinates": self.coordinates}


def point(longitude_deg: float, latitude_deg: float) -> Geometry:
    """A point, or InvalidInput if it is not on Earth."""
    return parse_geometry({"type": "Point", "coordinates": [longitude_deg, latitude_deg]})


def parse_geometry(value: object, where: str | None = None) -> Geometry:
    """A GeoJSON geometry from a JSON value. Raises InvalidInput, or TooLarge over MAX_POSITIONS positions."""
    if not isinstance(value, dict):
        _refuse("a geometry is an object with type and coordinates", where)
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in _DEPTH:
        _refuse(f"{kind!r} is no geometry type", where, f"Use one of {', '.join(sorted(_DEPTH))}.")
    coordinates = value.get("coordinates")
    _check(coordinates, _DEPTH[kind], kind, where)
    count = sum(1 for _ in _positions(coordinates, _DEPTH[kind]))
    if count > MAX_POSITIONS:
        raise TooLarge(f"a geometry of {count} positions is over the bound of {MAX_POSITIONS}", where=where)
    return Geometry(kind, coordinates)


def _check(coordinates: object, depth: int, kind: str, where: str | None) -> None:
    if depth == 0:
        _check_position(coordinates, where)
        return
    if not isinstance(coordinates, list) or not coordinates:
        _refuse(f"the coordinates of a {kind} are a list that is not empty", where)
    if depth == 1:
        _check_line(coordinates, kind, where)
    for part in coordinates:
        _check(part, depth - 1, kind, where)


def _check_line(positions: list[Any], kind: str, where: str | None) -> None:
    """A list of positions is long enough for its type, and closed if it is a ring."""
    if kind.endswith("LineString") and len(positions) < 2:
        _refuse("a line has two positions or more", where)
    if kind.endswith("Polygon"):
        if len(positions) < 4:
            _refuse("a polygon's ring has four positions or more", where)
        if positions[0] != positions[-1]:
            _refuse("a polygon's ring ends where it began", where, "Repeat the first position as the last.")


def _check_position(position: object, where: str | None) -> None:
    if not isinstance(position, list) or len(position) not in (2, 3):
        _refuse("a position is [longitude, latitude], or [longitude, latitude, height]", where)
    for number in position:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not math.isfinite(number):
            _refuse(f"a position is made of numbers, not {number!r}", where)
    longitude, latitude = position[0], position[1]
    if not -180 <= longitude <= 180 or not -90 <= latitude <= 90:
        _refuse(
            f"[{longitude}, {latitude}] is not on Earth",
            where,
            "Longitude (-180 to 180) comes first, then latitude (-90 to 90).",
        )


def _positions(coordinates: Any, depth: int) -> Iterator[list[float]]:
    if depth == 0:
        yield coordinates
    else:
        for part in coordinates:
            yield from _positions(part, depth - 1)


def _refuse(message: str, where: str | None, remedy: str | None = None) -> NoReturn:
    raise InvalidInput(message, where=where, remedy=remedy)
