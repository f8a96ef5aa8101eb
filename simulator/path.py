"""Walking along streets: points at so many metres, and the way the street runs there. Lengths are on the ellipsoid."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import shapely
from pyproj import Geod
from shapely import LineString
from shapely.ops import substring

from simulator.noise import Floats, Int64s

GEOD: Final = Geod(ellps="WGS84")
PIECE_M: Final = 300.0
"""The most that a stretch is long, so that a far end of a long street is not taken for near."""


class StreetLine(Protocol):
    """A stretch of street, as a city's map has it: `kind` is OpenStreetMap's highway class."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def tunnel(self) -> bool: ...
    @property
    def line(self) -> LineString: ...


AnyStreet = TypeVar("AnyStreet", bound=StreetLine)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a street that lies within the city's bounds; `number` is its place in the order of all parts."""

    number: int
    name: str
    kind: str
    line: LineString
    length_m: float


@dataclass(frozen=True, slots=True)
class Stop:
    """A place on a street. bearing_deg: the street's direction there, clockwise from north, below 180."""

    stretch: Stretch
    lon: float
    lat: float
    bearing_deg: float

    def aside(self, distance_m: float) -> Stop:
        """The place so far to the right of the street's direction; negative: to the left."""
        lon, lat, _ = GEOD.fwd(self.lon, self.lat, self.bearing_deg + 90, distance_m)
        return Stop(self.stretch, round(float(lon), 7), round(float(lat), 7), self.bearing_deg)


class Path:
    """Stretches one after the other, as one way to walk."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self.stretches = stretches
        starts, ends, owners = [], [], []
        for number, stretch in enumerate(stretches):
            positions: Any = shapely.get_coordinates(stretch.line)
            starts.append(positions[:-1])
            ends.append(positions[1:])
            owners.append(np.full(len(positions) - 1, number))
        self._starts: Floats = np.concatenate(starts or [np.empty((0, 2))])
        self._ends: Floats = np.concatenate(ends or [np.empty((0, 2))])
        self._owners: Int64s = np.concatenate(owners or [np.empty(0, np.int64)])
        azimuths, _, lengths = GEOD.inv(*self._starts.T, *self._ends.T)
        self._bearings: Floats = np.asarray(azimuths) % 180
        self._lengths: Floats = np.asarray(lengths)
        self._reached: Floats = np.cumsum(self._lengths)

    @property
    def length_m(self) -> float:
        """How long the walk is."""
        return float(self._reached[-1]) if len(self._reached) else 0.0

    def stop(self, at_m: float) -> Stop:
        """The place that many metres along."""
        leg = min(int(self._reached.searchsorted(at_m, side="right")), len(self._reached) - 1)
        share = 1 - (self._reached[leg] - at_m) / self._lengths[leg] if self._lengths[leg] else 0.0
        lon, lat = self._starts[leg] + (self._ends[leg] - self._starts[leg]) * np.clip(share, 0, 1)
        bearing_deg = round(float(self._bearings[leg]), 1) % 180
        return Stop(self.stretches[int(self._owners[leg])], round(float(lon), 7), round(float(lat), 7), bearing_deg)

    def stops(self, count: int, phase: float = 0.5) -> list[Stop]:
        """Evenly spaced places; the first lies `phase` of a space from the beginning."""
        space_m = self.length_m / max(count, 1)
        return [self.stop((number + phase) * space_m) for number in range(count)] if self.length_m else []


def stretches_within(streets: Iterable[StreetLine], bounds: tuple[float, float, float, float]) -> list[Stretch]:
    """The parts of named streets above ground that lie within bounds (west, south, east, north), in their order, long
    ones in several pieces."""
    found: list[Stretch] = []
    for street in streets:
        if not street.name or street.tunnel:
            continue
        for part in shapely.get_parts(shapely.clip_by_rect(street.line, *bounds)).tolist():
            pieces = math.ceil(GEOD.geometry_length(part) / PIECE_M)
            for piece in range(pieces):
                line = LineString(substring(part, piece / pieces, (piece + 1) / pieces, normalized=True).coords)
                found.append(Stretch(len(found), street.name, street.kind, line, GEOD.geometry_length(line)))
    return found


class Nearest:
    """Finds the street that a place belongs to."""

    def __init__(self, stretches: Sequence[Stretch]) -> None:
        self._stretches = stretches
        self._tree = shapely.STRtree([stretch.line for stretch in stretches])

    def stop(self, lon: float, lat: float) -> Stop:
        """The nearest stretch (in degrees, which is near enough at arm's length) and how it runs at its nearest point,
        at the place itself."""
        place = shapely.Point(lon, lat)
        stretch = self._stretches[int(self._tree.nearest(place))]
        share = stretch.line.project(place, normalized=True)
        on_street = Path([stretch]).stop(share * stretch.length_m)
        return Stop(stretch, lon, lat, on_street.bearing_deg)
