"""Geographic queries (4.10 of the standard): a relation between where an entity stands and a geometry of the query.

`near` measures on the WGS 84 ellipsoid, in metres, from the nearest points of both geometries. The other relations are
those of the OGC's simple features, on lines that are straight in longitude and latitude, as GeoJSON has them
(RFC 7946, 3.1.1). The database finds candidates by their boxes; this measures what it found.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import shapely

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box, Geometry, parse_geometry

if TYPE_CHECKING:
    from pyproj import Geod

Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[np.object_]

_METRES_PER_DEGREE: Final = 110_000.0
"""A little less than a degree of latitude anywhere, so that a box made with it is never too small."""
_WORLD: Final = Box(-180.0, -90.0, 180.0, 90.0)
_NEAR: Final = re.compile(r"near;(maxDistance|minDistance)==(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)")


class Relation(StrEnum):
    """How the entity's geometry stands to the query's."""

    NEAR = "near"
    WITHIN = "within"
    CONTAINS = "contains"
    INTERSECTS = "intersects"
    EQUALS = "equals"
    DISJOINT = "disjoint"
    OVERLAPS = "overlaps"


_TESTS: Final[dict[Relation, Callable[[Any, Any], Any]]] = {
    Relation.WITHIN: shapely.within,
    Relation.CONTAINS: shapely.contains,
    Relation.INTERSECTS: shapely.intersects,
    Relation.EQUALS: shapely.equals,
    Relation.DISJOINT: shapely.disjoint,
    Relation.OVERLAPS: shapely.overlaps,
}


@dataclass(frozen=True)
class GeoQuery:
    """A relation, the geometry it is to, and the distances of `near` in metres."""

    relation: Relation
    geometry: Geometry
    geo_property: str
    """The IRI of the GeoProperty asked about."""
    min_distance_m: float = 0.0
    max_distance_m: float = math.inf

    @property
    def boxes(self) -> list[Box] | None:
        """Boxes of which an answer's box meets one; None where every place is a candidate."""
        if self.relation is Relation.DISJOINT:
            return None
        if self.relation is not Relation.NEAR:
            return [self.geometry.bounds]
        return None if math.isinf(self.max_distance_m) else _around(self.geometry.bounds, self.max_distance_m)

    @property
    def is_near(self) -> bool:
        """Whether distances decide."""
        return self.relation is Relation.NEAR

    def matches(self, candidates: Sequence[str]) -> Bools:
        """Which of these geometries, as GeoJSON text, satisfy the query."""
        if not candidates:
            return np.zeros(0, np.bool_)
        return self._hold(shapely.from_geojson(list(candidates)))

    def matching(self, places: Sequence[Any]) -> Bools:
        """Which of these places satisfy the query: rows with `lon` and `lat`, or with `geojson` where they are more."""
        if not places:
            return np.zeros(0, np.bool_)
        geometries: Geometries = shapely.points([row["lon"] for row in places], [row["lat"] for row in places])
        shapes = [n for n, row in enumerate(places) if row["geojson"] is not None]
        if shapes:
            geometries[shapes] = shapely.from_geojson([places[n]["geojson"] for n in shapes])
        return self._hold(geometries)

    def _hold(self, places: Geometries) -> Bools:
        reference = shapely.from_geojson(msgspec.json.encode(self.geometry.geojson()))
        if self.relation is Relation.NEAR:
            distances_m = distances(reference, places)
            return np.asarray((distances_m >= self.min_distance_m) & (distances_m <= self.max_distance_m), np.bool_)
        # A ring that crosses itself has no inside until it is mended.
        return np.asarray(_TESTS[self.relation](shapely.make_valid(places), shapely.make_valid(reference)), np.bool_)


def parse_georel(georel: str, geometry: Geometry, geo_property: str) -> GeoQuery:
    """`near;maxDistance==2000` and the like. Raises InvalidInput."""
    near = _NEAR.fullmatch(georel)
    if near is not None:
        distance_m = float(near[2])
        if not 0 < distance_m < math.inf:
            raise InvalidInput("a distance is a number of metres above 0", where="georel")
        if near[1] == "maxDistance":
            return GeoQuery(Relation.NEAR, geometry, geo_property, max_distance_m=distance_m)
        return GeoQuery(Relation.NEAR, geometry, geo_property, min_distance_m=distance_m)
    if georel not in _TESTS:
        raise InvalidInput(
            f"{georel[:80]!r} is no relation",
            where="georel",
            remedy=f"Use near;maxDistance==2000, near;minDistance==2000, {', '.join(_TESTS)}.",
        )
    return GeoQuery(Relation(georel), geometry, geo_property)


def parse_coordinates(geometry: str, coordinates: Any) -> Geometry:
    """A query's geometry: its type, and its coordinates as JSON text or value. Raises InvalidInput."""
    if isinstance(coordinates, str):
        try:
            coordinates = msgspec.json.decode(coordinates)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            raise InvalidInput("coordinates are JSON, such as [24.94,60.17]", where="coordinates") from None
    return parse_geometry({"type": geometry, "coordinates": coordinates}, "coordinates")


def distances_m(geometry: Geometry, candidates: Sequence[str]) -> list[float]:
    """From a geometry to others, as GeoJSON text, in metres."""
    if not candidates:
        return []
    places: Geometries = shapely.from_geojson(list(candidates))
    measured: list[float] = distances(shapely.from_geojson(msgspec.json.encode(geometry.geojson())), places).tolist()
    return measured


@cache
def _ellipsoid() -> Geod:
    """WGS 84. Loaded with the first question for nearness: it is slow, and every process of the house comes by here."""
    from pyproj import Geod

    return Geod(ellps="WGS84")


def distances(reference: Any, places: Geometries) -> npt.NDArray[np.float64]:
    """From a shapely geometry to others, in metres on the ellipsoid; 0 where they meet."""
    nearest = np.empty((len(places), 4))
    is_point = (shapely.get_type_id(places) == 0) & (shapely.get_type_id(reference) == 0)
    nearest[is_point, 0], nearest[is_point, 1] = (reference.x, reference.y) if is_point.any() else (0.0, 0.0)
    nearest[is_point, 2], nearest[is_point, 3] = shapely.get_x(places[is_point]), shapely.get_y(places[is_point])
    for row in np.flatnonzero(~is_point):
        nearest[row] = _nearest_points(reference, places[row])
    _, _, metres = _ellipsoid().inv(nearest[:, 0], nearest[:, 1], nearest[:, 2], nearest[:, 3])
    return np.asarray(metres, np.float64)


def _nearest_points(reference: Any, place: Any) -> tuple[float, float, float, float]:
    """The nearest points of two geometries: found on a plane on which degrees of both sorts are as long as they are on
    the ground halfway between them, the second brought to the first's side of the antimeridian."""
    middle, other = reference.centroid, place.centroid
    shift = 360.0 * round((middle.x - other.x) / 360.0)
    stretch = max(math.cos(math.radians((middle.y + other.y) / 2)), 1e-6)
    scale = np.array([stretch, 1.0])
    ours = shapely.transform(reference, lambda xy: xy * scale)
    theirs = shapely.transform(place, lambda xy: (xy + np.array([shift, 0.0])) * scale)
    line = shapely.get_coordinates(shapely.shortest_line(ours, theirs))
    return line[0, 0] / stretch, line[0, 1], line[1, 0] / stretch, line[1, 1]


def _around(bounds: Box, distance_m: float) -> list[Box] | None:
    """Boxes that hold everything within a distance of a box; None for the whole world."""
    latitude_deg = distance_m / _METRES_PER_DEGREE
    south, north = bounds.south - latitude_deg, bounds.north + latitude_deg
    if north >= 89.9 or south <= -89.9:
        return None if latitude_deg >= 90 else [Box(-180.0, max(south, -90.0), 180.0, min(north, 90.0))]
    longitude_deg = latitude_deg / math.cos(math.radians(max(abs(south), abs(north))))
    west, east = bounds.west - longitude_deg, bounds.east + longitude_deg
    if east - west >= 360:
        return [Box(-180.0, south, 180.0, north)]
    boxes = [Box(max(west, -180.0), south, min(east, 180.0), north)]
    if west < -180:
        boxes.append(Box(west + 360, south, 180.0, north))
    if east > 180:
        boxes.append(Box(-180.0, south, east - 360, north))
    return boxes
