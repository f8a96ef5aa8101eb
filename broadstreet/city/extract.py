"""An OpenStreetMap extract, read once and sorted into what a city map and its places are made of.

Here each of its features becomes a street, a rail, an area or a spot, or is left out: what lies
under the ground or inside a house is not drawn. Ways of one street are joined end to end, so that a name is written
once and devices stand evenly along it. Everything is put in the order of its content, whatever order it was read in,
so that the same file always makes the same city.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import shapely
from shapely import LineString, MultiLineString, MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from broadstreet.city.coast import sea
from broadstreet.city.features import Row, read_features
from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_STREETS: Final = _words("""
    motorway trunk primary secondary tertiary unclassified residential living_street road service
    pedestrian footway path steps cycleway track bridleway
""")
_WALKS: Final = _words("footway path steps cycleway")
_SQUARES: Final = _words("pedestrian footway")
_RAILS: Final = _words("rail tram light_rail narrow_gauge monorail")
_GREEN: Final = {
    "natural": _words("wood scrub heath wetland grassland"),
    "landuse": _words("grass forest meadow cemetery recreation_ground village_green allotments orchard vineyard"),
    "leisure": _words("park garden playground pitch golf_course nature_reserve dog_park common"),
}
_WATER: Final = {
    "natural": _words("water"),
    "landuse": _words("basin reservoir pond"),
    "waterway": _words("riverbank dock"),
}
_PLACES: Final = ("city", "town", "village")
_SPOTS: Final = {
    "parking": "parking",
    "parking_entrance": "parking",
    "waste_basket": "waste",
    "waste_disposal": "waste",
    "recycling": "waste",
}
_FILTER: Final[dict[str, bool | list[str]]] = {
    "highway": True,
    "building": True,
    "railway": sorted(_RAILS),
    "natural": sorted(_GREEN["natural"] | _WATER["natural"] | {"coastline"}),
    "landuse": sorted(_GREEN["landuse"] | _WATER["landuse"]),
    "leisure": sorted(_GREEN["leisure"]),
    "waterway": sorted(_WATER["waterway"]),
    "amenity": sorted(_SPOTS),
    "place": list(_PLACES),
}
_AREA_KEYS: Final = ("building", "natural", "landuse", "leisure", "waterway")
_KEYS: Final = [*_FILTER, "name", "area", "tunnel", "indoor", "layer", "capacity"]


@dataclass(frozen=True, slots=True)
class Street:
    """A stretch of one street: as far as its ways join end to end. `kind` is OSM's highway class, links with their
    class; an unnamed one has the name ''."""

    name: str
    kind: str
    tunnel: bool
    line: LineString


@dataclass(frozen=True, slots=True)
class Spot:
    """A point where something stands: `kind` is parking or waste; `capacity` where the map says it."""

    kind: str
    name: str
    lon: float
    lat: float
    capacity: int | None


@dataclass(frozen=True, slots=True)
class Extract:
    """What an extract holds, in WGS 84 degrees, longitude first."""

    title: str | None
    bounds: Box
    streets: tuple[Street, ...]
    squares: Sequence[BaseGeometry]
    rails: Sequence[LineString]
    water: Sequence[BaseGeometry]
    green: Sequence[BaseGeometry]
    buildings: Sequence[BaseGeometry]
    spots: Sequence[Spot]


def read_extract(path: Path) -> Extract:
    """Reads an OSM PBF file.

    Raises NotFound if there is no such file, and InvalidInput if it is not a whole OSM PBF or holds no named street.
    """
    joined = {key: _FILTER[key] for key in _AREA_KEYS}
    features = read_features(path, _FILTER, joined, _KEYS)
    rows, header = list(features.rows()), features.header
    streets = tuple(_streets(rows))
    named = [street.line for street in streets if street.name]
    if not named:
        raise InvalidInput(
            "this extract holds no street with a name",
            where=str(path),
            remedy="Cut an extract that covers the streets of the city.",
        )
    bounds = header or Box(*(float(edge) for edge in shapely.total_bounds(named)))
    coastlines = [shape for tags, shape in rows if tags["natural"] == "coastline" and isinstance(shape, LineString)]
    return Extract(
        title=_title(rows, bounds),
        bounds=bounds,
        streets=streets,
        squares=_areas(shape for tags, shape in rows if tags["highway"] in _SQUARES and _is_area(tags)),
        rails=_joined(
            shape
            for tags, shape in rows
            if tags["railway"] in _RAILS and isinstance(shape, LineString) and not _is_under_ground(tags)
        ),
        water=_areas([shape for tags, shape in rows if _is_any(tags, _WATER)] + sea(coastlines, bounds)),
        green=_areas(shape for tags, shape in rows if _is_any(tags, _GREEN)),
        buildings=_areas(shape for tags, shape in rows if tags["building"] and not _is_under_ground(tags)),
        spots=_spots(rows),
    )


def _streets(rows: Iterable[tuple[Row, BaseGeometry]]) -> list[Street]:
    """Ways of one name, class and level, joined end to end; ordered by name, class and place."""
    stretches: defaultdict[tuple[str, str, bool], list[LineString]] = defaultdict(list)
    for tags, shape in rows:
        kind = tags["highway"].removesuffix("_link")
        tunnel = _is_under_ground(tags)
        if kind not in _STREETS or _is_area(tags) or (tunnel and kind in _WALKS):
            continue
        # A closed way, such as a roundabout, comes as a polygon.
        line = LineString(shape.exterior) if isinstance(shape, Polygon) else shape
        if isinstance(line, LineString):
            stretches[(tags["name"], kind, tunnel)].append(line)
    return [Street(*key, line) for key in sorted(stretches) for line in _joined(stretches[key])]


def _joined(lines: Iterable[LineString]) -> list[LineString]:
    """Lines merged where exactly two meet, in an order that depends on where they are alone."""
    merged = shapely.line_merge(MultiLineString(shapely.normalize(list(lines)).tolist()))
    return sorted(shapely.get_parts(shapely.normalize(merged)).tolist(), key=lambda line: line.wkb)


def _areas(shapes: Iterable[BaseGeometry]) -> list[BaseGeometry]:
    """The polygons among the shapes, made valid, in an order that depends on where they are alone."""
    polygons = [shape for shape in shapes if isinstance(shape, Polygon | MultiPolygon)]
    valid = shapely.normalize(shapely.make_valid(polygons, method="structure"))
    return sorted((area for area in valid.tolist() if area.area > 0), key=lambda area: area.wkb)


def _spots(rows: Iterable[tuple[Row, BaseGeometry]]) -> list[Spot]:
    spots = []
    for tags, shape in rows:
        kind = _SPOTS.get(tags["amenity"])
        if kind is None:
            continue
        point = shape.representative_point()
        capacity = int(tags["capacity"]) if tags["capacity"].isdecimal() else None
        spots.append(Spot(kind, tags["name"], round(point.x, 7), round(point.y, 7), capacity))
    return sorted(spots, key=lambda spot: (spot.kind, spot.lon, spot.lat, spot.name))


def _title(rows: Iterable[tuple[Row, BaseGeometry]], bounds: Box) -> str | None:
    """The greatest place in the bounds, a city before a town before a village; of several the most central."""
    frame = shapely.box(bounds.west, bounds.south, bounds.east, bounds.north)
    found = [
        (_PLACES.index(tags["place"]), shape.distance(frame.centroid), tags["name"])
        for tags, shape in rows
        if tags["place"] in _PLACES and tags["name"] and frame.intersects(shape)
    ]
    return min(found)[2] if found else None


def _is_any(tags: Row, wanted: dict[str, frozenset[str]]) -> bool:
    return any(tags[key] in values for key, values in wanted.items())


def _is_area(tags: Row) -> bool:
    return tags["area"] == "yes"


def _is_under_ground(tags: Row) -> bool:
    return tags["tunnel"] not in ("", "no") or tags["indoor"] not in ("", "no") or tags["layer"].startswith("-")
