"""Courses: many lines kept as columns, their points one after another, and measured on the ellipsoid.

A `Plane` lays degrees out as metres about one place, for deciding what is nearest and where along a line it is. Nothing
is measured in it: lengths come from the ellipsoid. Over a span of MAX_SPAN_DEG its metres are right to a few in a
thousand, and which of two streets is nearer hangs on that only where they are all but equally near.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod
from shapely import LineString

from broadstreet.model.errors import TooLarge

GRAIN_DEG: Final = 1e-7
"""The grain of places: about a centimetre, and OpenStreetMap's own. What lies on the same grain is the same place."""
MAX_SPAN_DEG: Final = 4.0
"""The widest ground that is put together at once: some 400 km."""

GEOD: Final = Geod(ellps="WGS84")

F8 = NDArray[np.float64]
I8 = NDArray[np.int64]
Lines = NDArray[Any]
"""Shapely geometries."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres east and north of a place, by the ellipsoid's two radii there."""

    lon: float
    lat: float
    east_m: float
    north_m: float

    @classmethod
    def about(cls, lon: F8, lat: F8) -> Plane:
        """The plane in the midst of these places. Raises TooLarge where they lie too far apart."""
        if not len(lon):
            return cls.at(0.0, 0.0)
        west, east, south, north = (float(edge) for edge in (lon.min(), lon.max(), lat.min(), lat.max()))
        if max(east - west, north - south) > MAX_SPAN_DEG:
            alone = int(np.hypot(lon - np.median(lon), lat - np.median(lat)).argmax())
            raise TooLarge(
                f"ground of {east - west:.1f} by {north - south:.1f} degrees is over the bound of {MAX_SPAN_DEG:g}",
                where=f"lon {lon[alone]:.6f}, lat {lat[alone]:.6f}, which is farthest from the others",
                remedy="Plan a city at a time; if it is one city, that place is wrong.",
            )
        return cls.at((west + east) / 2, (south + north) / 2)

    @classmethod
    def at(cls, lon: float, lat: float) -> Plane:
        squared = 1 - GEOD.es * math.sin(math.radians(lat)) ** 2
        normal = GEOD.a / math.sqrt(squared)
        meridian = GEOD.a * (1 - GEOD.es) / squared**1.5
        return cls(lon, lat, math.radians(normal * math.cos(math.radians(lat))), math.radians(meridian))

    def points(self, lon: F8, lat: F8) -> F8:
        """Metres east and north, as pairs."""
        return np.column_stack(((lon - self.lon) * self.east_m, (lat - self.lat) * self.north_m))

    def dots(self, lon: F8, lat: F8) -> Lines:
        """Places as shapely's points, in metres."""
        return np.asarray(shapely.points(self.points(lon, lat)), dtype=object)

    def shapes(self, shapes: Lines | Sequence[Any]) -> Lines:
        """Geometries in degrees, laid out in metres."""
        return np.asarray(
            shapely.transform(np.asarray(shapes, dtype=object), lambda at: self.points(at[:, 0], at[:, 1]))
        )


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """Lines in WGS 84 degrees: line i has the points from starts[i] up to starts[i + 1]."""

    lon: F8
    lat: F8
    starts: I8

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of(cls, lines: Lines | Sequence[LineString]) -> Courses:
        """The courses of shapely's lines, on the grain of places."""
        coordinates, index = shapely.get_coordinates(np.asarray(lines, dtype=object), return_index=True)
        counts = np.bincount(index, minlength=len(lines)) if len(lines) else np.zeros(0, np.int64)
        lon, lat = (np.round(np.rint(axis / GRAIN_DEG) * GRAIN_DEG, 7) for axis in coordinates.T.reshape(2, -1))
        return cls(lon, lat, starts_of(counts))

    @classmethod
    def joined(cls, parts: Sequence[Courses]) -> Courses:
        """Lines of several, one after another."""
        counts = [np.diff(part.starts) for part in parts]
        lon, lat = (np.concatenate([getattr(part, axis) for part in parts]) for axis in ("lon", "lat"))
        return cls(lon, lat, starts_of(np.concatenate(counts)))

    @property
    def counts(self) -> I8:
        """How many points each line has."""
        return np.diff(self.starts)

    @property
    def owners(self) -> I8:
        """To which line each point belongs."""
        return np.repeat(np.arange(len(self)), self.counts)

    def ends(self) -> tuple[I8, I8]:
        """Where each line's first point and its last stand among the points."""
        return self.starts[:-1], self.starts[1:] - 1

    def lines(self) -> Lines:
        """The lines as shapely's, in degrees."""
        return _lines(np.column_stack((self.lon, self.lat)), self.owners)

    def laid(self, plane: Plane) -> Lines:
        """The lines as shapely's, in the plane's metres."""
        return _lines(plane.points(self.lon, self.lat), self.owners)

    def take(self, which: I8) -> Courses:
        """Some of the lines, in this order."""
        counts = self.counts[which]
        starts = starts_of(counts)
        at = np.arange(starts[-1]) + np.repeat(self.starts[:-1][which] - starts[:-1], counts)
        return Courses(self.lon[at], self.lat[at], starts)

    def turned(self, which: NDArray[np.bool_]) -> Courses:
        """The lines, some of them the other way round."""
        owners, at = self.owners, np.arange(len(self.lon))
        mirrored = (self.starts[:-1] + self.starts[1:] - 1)[owners] - at
        at = np.where(which[owners], mirrored, at)
        return Courses(self.lon[at], self.lat[at], self.starts)

    def steps_m(self) -> F8:
        """The length on the ellipsoid from each point to the next of its line; 0 for a line's last point."""
        steps = np.zeros(len(self.lon))
        if len(self.lon) > 1:
            steps[:-1] = distances_m(self.lon[:-1], self.lat[:-1], self.lon[1:], self.lat[1:])
        steps[self.ends()[1]] = 0.0
        return steps

    def lengths_m(self) -> F8:
        """Each line's length on the ellipsoid."""
        if not len(self):
            return np.zeros(0)
        sums: F8 = np.add.reduceat(self.steps_m(), self.starts[:-1])
        return sums

    def without(self, points: NDArray[np.bool_]) -> Courses:
        """The lines without some of their points."""
        kept = ~points
        counts = np.bincount(self.owners[kept], minlength=len(self))
        return Courses(self.lon[kept], self.lat[kept], starts_of(counts))

    def middles(self) -> tuple[F8, F8]:
        """A place halfway along the points of each line: for pointing at it."""
        at = (self.starts[:-1] + self.starts[1:]) // 2
        return self.lon[at], self.lat[at]


def starts_of(counts: NDArray[Any]) -> I8:
    """Where each of several stretches begins, and behind them where the last ends."""
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64))).astype(np.int64)


def distances_m(lon: F8, lat: F8, other_lon: F8, other_lat: F8) -> F8:
    """How far places are from others, pair by pair, on the ellipsoid."""
    if not len(lon):
        return np.zeros(0)
    return np.asarray(GEOD.inv(lon, lat, other_lon, other_lat)[2], dtype=np.float64)


def keys_of(lon: F8, lat: F8) -> I8:
    """One whole number for each place on the grain: equal for equal places alone, ordered from south to north."""
    east = np.rint((lon + 180) / GRAIN_DEG).astype(np.int64)
    north = np.rint((lat + 90) / GRAIN_DEG).astype(np.int64)
    return (north << 32) | east


def _lines(points: F8, owners: I8) -> Lines:
    if not len(points):
        return np.zeros(0, dtype=object)
    return np.asarray(shapely.linestrings(points, indices=owners))
