"""A ground laid out for drawing: its ways in metres, and a frame that says which part is drawn, and how large."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.ground import Ground
from broadstreet.network.ground.courses import F8, I8, Plane

WIDTH: Final = 1800
"""The width of a page's text: 180 mm."""
TALLEST: Final = 2050
EDGE: Final = 60
FOOT: Final = 70
"""Below the map, for its scale."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Which part of the ground is drawn: its north-western corner, units for a metre, and its height in units."""

    west_m: float
    north_m: float
    scale: float
    height: int

    @classmethod
    def about(cls, points: F8) -> Frame:
        """The frame that holds these points, with an edge around."""
        west, south = points.min(axis=0)
        east, north = points.max(axis=0)
        wide, tall = max(east - west, 1.0), max(north - south, 1.0)
        scale = min((WIDTH - 2 * EDGE) / wide, (TALLEST - 2 * EDGE - FOOT) / tall)
        height = int(tall * scale) + 2 * EDGE + FOOT
        spare_m = (WIDTH / scale - wide) / 2
        return cls(float(west - spare_m), float(north + EDGE / scale), float(scale), max(height, WIDTH // 3))

    @classmethod
    def around(cls, east_m: float, north_m: float, wide_m: float, height: int) -> Frame:
        """The frame with a point in its midst."""
        scale = WIDTH / wide_m
        return cls(east_m - wide_m / 2, north_m + height / scale / 2, scale, height)

    def at(self, points: F8) -> F8:
        """Metres as units of the drawing."""
        return np.column_stack(((points[:, 0] - self.west_m) * self.scale, (self.north_m - points[:, 1]) * self.scale))


class Plot:
    """A ground's ways and premises in metres about its middle."""

    def __init__(self, ground: Ground, plane: Plane) -> None:
        courses = ground.ways.courses
        self.ground, self.plane = ground, plane
        self.points = plane.points(courses.lon, courses.lat)
        self.starts = courses.starts
        self.homes = plane.points(ground.premises.demand.lon, ground.premises.demand.lat)
        begins = self.starts[:-1]
        self._low = np.minimum.reduceat(self.points, begins) if len(begins) else self.points
        self._high = np.maximum.reduceat(self.points, begins) if len(begins) else self.points

    def course(self, way: int) -> F8:
        """A way's points."""
        return self.points[self.starts[way] : self.starts[way + 1]]

    def seen(self, frame: Frame) -> NDArray[np.bool_]:
        """Which ways may be seen in a frame."""
        edge_m = EDGE / frame.scale
        east_m, south_m = frame.west_m + WIDTH / frame.scale, frame.north_m - frame.height / frame.scale
        is_beside = (self._high[:, 0] < frame.west_m - edge_m) | (self._low[:, 0] > east_m + edge_m)
        is_beyond = (self._high[:, 1] < south_m - edge_m) | (self._low[:, 1] > frame.north_m + edge_m)
        return ~(is_beside | is_beyond)

    def path(self, frame: Frame, ways: Iterable[int] | I8) -> str:
        """Courses of ways as one path of SVG, those that are not in sight left out."""
        rows = np.fromiter(ways, dtype=np.int64)
        seen = rows[self.seen(frame)[rows]].tolist()
        return "".join(
            "M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in frame.at(self.course(way)).tolist()) for way in seen
        )
