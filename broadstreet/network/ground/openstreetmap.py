"""What OpenStreetMap knows of the ground: streets, what lies across them, houses, and the addresses in them.

An extract is read once. Its tags become what the ground speaks of: a way's kind and surface, whether it may be dug,
its level; a railway or water that a trench would have to cross; an address, and whether a business is there. A square
that is mapped as an area is taken by its edge, since other ways end on that. What lies indoors is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from shapely import LineString, MultiPolygon, Point, Polygon
from shapely.geometry.base import BaseGeometry

from broadstreet.city.features import Row, Wanted, read_features
from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.catalogue import Surface
from broadstreet.network.ground.obstacles import Obstacle, Obstacles
from broadstreet.network.ground.premises import Building, Entry
from broadstreet.network.ground.streets import Streets, Trait, WayKind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CARRIAGEWAYS: Final = _words("""
    motorway motorway_link trunk trunk_link primary primary_link secondary secondary_link tertiary tertiary_link
    unclassified residential living_street road service busway pedestrian
""")
_PATHS: Final = _words("footway path steps cycleway track bridleway")
_CROSSINGS: Final = _words("crossing traffic_island")
_SURFACES: Final = {
    Surface.ASPHALT: _words("asphalt paved chipseal metal tartan"),
    Surface.CONCRETE: _words("concrete concrete:plates concrete:lanes"),
    Surface.PAVING: _words("paving_stones bricks brick tiles stone flagstone wood grass_paver paving_stones:lanes"),
    Surface.SETT: _words("sett cobblestone unhewn_cobblestone cobblestone:flattened pebblestone"),
    Surface.UNPAVED: _words(
        "unpaved gravel fine_gravel compacted ground earth dirt sand mud rock woodchips shells salt"
    ),
    Surface.GRASS: _words("grass"),
}
_SURFACE_OF_TAG: Final = {word: surface for surface, words in _SURFACES.items() for word in words}
_BARE: Final = _words("path track bridleway")
_PAVED_PATHS: Final = _words("footway pedestrian cycleway")
_CLOSED: Final = _words("private no")
_OPEN: Final = _words("yes designated permissive official")
_USERS: Final = ("foot", "bicycle", "bus", "psv")
"""Whom a way may be open to that is closed to others: then it is the public's ground all the same."""
_RAILS: Final = _words("rail light_rail narrow_gauge monorail preserved")
_STREAMS: Final = _words("river canal stream drain ditch tidal_channel")
_NO_HOUSE: Final = _words("""
    no roof garage garages carport shed hut barn stable greenhouse cabin kiosk toilets service transformer_tower
    bridge ruins construction bunker container tank silo storage_tank
""")
_BUSINESS: Final = ("shop", "office", "craft", "amenity", "tourism", "healthcare", "leisure")
_BESIDE: Final = ("is_sidepath:of:name", "street:name", "street")
"""What says the street's name of a way that is drawn beside it, the first that is there."""
_WANTED: Final[Wanted] = {
    "highway": True,
    "railway": sorted(_RAILS | {"tram"}),
    "waterway": sorted(_STREAMS),
    "natural": ["water"],
    "building": True,
    "addr:housenumber": True,
    "addr:housename": True,
}
_JOINED: Final[Wanted] = {
    "natural": ["water"],
    "building": True,
    "addr:housenumber": True,
    "addr:housename": True,
}
_KEYS: Final = (
    *("highway", "railway", "waterway", "natural", "building", "name", "surface", "tunnel", "bridge", "layer"),
    *("indoor", "access", *_USERS, "footway", "cycleway", "path", *_BESIDE, "is_sidepath"),
    *("addr:street", "addr:place", "addr:housenumber", "addr:housename", "addr:unit", *_BUSINESS),
)


@dataclass(frozen=True, slots=True, eq=False)
class StreetMap:
    """What an extract holds for planning. Entries are its addresses, one for each place that has one."""

    streets: Streets
    obstacles: Obstacles
    buildings: tuple[Building, ...]
    entries: tuple[Entry, ...]


def read_street_map(path: Path) -> StreetMap:
    """Reads an OSM PBF file.

    Raises NotFound if there is no such file, TooLarge over the bound of `broadstreet.city.features`, and InvalidInput
    if it is not a whole OSM PBF or holds no street.
    """
    features = read_features(path, _WANTED, _JOINED, _KEYS)
    # By id, so that it does not matter in which order the file was read.
    order = sorted(range(len(features.ids)), key=lambda i: features.ids[i])
    rows = list(features.rows())
    named = [(features.ids[i], *rows[i]) for i in order]
    streets = _streets(named)
    if not len(streets.courses):
        raise InvalidInput(
            "this extract holds no street",
            where=str(path),
            remedy="Cut an extract that covers the streets of the city.",
        )
    return StreetMap(
        streets,
        Obstacles.of(_obstacles(named)),
        tuple(Building(id, tags["addr:street"], shape) for id, tags, shape in named if _is_house(tags, shape)),
        tuple(entry for id, tags, shape in named if (entry := _entry(id, tags, shape)) is not None),
    )


def _streets(named: list[tuple[str, Row, BaseGeometry]]) -> Streets:
    lines, traits, levels, sources = [], [], [], []
    for id, tags, shape in named:
        if tags["highway"] not in _CARRIAGEWAYS | _PATHS or tags["indoor"] not in ("", "no"):
            continue
        for number, line in enumerate(_lines(shape)):
            lines.append(line)
            traits.append(_trait(tags))
            levels.append(_level(tags))
            sources.append(id if not number else f"{id}.{number}")
    return Streets.of(lines, traits, levels, sources, meet_where_they_cross=False)


def _lines(shape: BaseGeometry) -> Iterator[LineString]:
    """A way's line; a closed one, such as a roundabout or a square, comes as a polygon."""
    if isinstance(shape, LineString):
        yield shape
    elif isinstance(shape, Polygon | MultiPolygon):
        for part in shapely.get_parts(shape).tolist():
            yield from (LineString(ring.coords) for ring in (part.exterior, *part.interiors))
    else:
        yield from (part for part in shapely.get_parts(shape).tolist() if isinstance(part, LineString))


def _trait(tags: Row) -> Trait:
    category = tags["highway"]
    under = tags["tunnel"] not in ("", "no", "building_passage")
    crosses = any(tags[key] in _CROSSINGS for key in ("footway", "cycleway", "path"))
    kind = WayKind.STREET if category in _CARRIAGEWAYS else WayKind.CROSSING if crosses else WayKind.PATH
    may_dig, name = not under and _is_public(tags), tags["name"]
    beside = "" if name else next((tags[key] for key in _BESIDE if tags[key]), "")
    apart = not (name or beside) and tags["is_sidepath"] == "no"
    return Trait(kind, _surface(tags), may_dig, name, category, beside, apart)


def _is_public(tags: Row) -> bool:
    """Whether a trench needs nobody's leave but the city's: a lane for buses alone is public, a yard's drive is not."""
    return tags["access"] not in _CLOSED or any(tags[user] in _OPEN for user in _USERS)


def _surface(tags: Row) -> Surface:
    category = tags["highway"]
    if tags["bridge"] not in ("", "no"):
        return Surface.BRIDGE
    if category == "steps":
        return Surface.STEPS
    stated = _SURFACE_OF_TAG.get(tags["surface"].partition(";")[0])
    if stated is not None:
        # "paved" says that it is not bare: on a path that is slabs.
        return Surface.PAVING if tags["surface"] == "paved" and category in _PAVED_PATHS else stated
    return Surface.UNPAVED if category in _BARE else Surface.ASPHALT


def _level(tags: Row) -> int:
    """OSM's layer; a bridge or tunnel that says none lies one above or below."""
    try:
        return int(tags["layer"])
    except ValueError:
        above = tags["bridge"] not in ("", "no")
        return 1 if above else -1 if tags["tunnel"] not in ("", "no", "building_passage") else 0


def _obstacles(named: list[tuple[str, Row, BaseGeometry]]) -> Iterator[tuple[Obstacle, BaseGeometry]]:
    """What lies on the ground across a trench: what is on a bridge or in a tunnel does not."""
    for _, tags, shape in named:
        if tags["tunnel"] not in ("", "no") or tags["bridge"] not in ("", "no"):
            continue
        if tags["railway"] == "tram":
            yield from ((Obstacle.TRAM, line) for line in _lines(shape))
        elif tags["railway"] in _RAILS:
            yield from ((Obstacle.RAILWAY, line) for line in _lines(shape))
        elif tags["natural"] == "water" and isinstance(shape, Polygon | MultiPolygon):
            yield Obstacle.WATER, shape
        elif tags["waterway"] in _STREAMS:
            yield from ((Obstacle.WATER, line) for line in _lines(shape))


def _is_house(tags: Row, shape: BaseGeometry) -> bool:
    return (
        tags["building"] not in _NO_HOUSE | {""}
        and isinstance(shape, Polygon | MultiPolygon)
        and not tags["layer"].startswith("-")
    )


def _entry(id: str, tags: Row, shape: BaseGeometry) -> Entry | None:
    """The address of a feature, if it has one: a house has a number, or a name instead."""
    number = tags["addr:housenumber"] or tags["addr:housename"]
    if not number:
        return None
    place = shape if isinstance(shape, Point) else shape.representative_point()
    lon, lat = (float(np.round(axis, 7)) for axis in (place.x, place.y))
    return Entry(
        id=id,
        street=tags["addr:street"] or tags["addr:place"],
        number=number,
        unit=tags["addr:unit"],
        name=tags["name"],
        is_business=any(tags[key] not in ("", "no", "vacant") for key in _BUSINESS),
        lon=lon,
        lat=lat,
    )
