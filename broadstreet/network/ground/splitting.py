"""Lines taken apart: at points where they meet others, and at points that come to lie on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, I8, Courses, Lines, Plane, starts_of


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Places on lines: on which line, behind which of all the points, how far along the line (in the plane's metres),
    and where that is."""

    line: I8
    after: I8
    along_m: F8
    lon: F8
    lat: F8

    def take(self, which: I8) -> Spots:
        return Spots(*(getattr(self, name)[which] for name in self.__slots__))


class Ruler:
    """Finds places along lines in a plane."""

    def __init__(self, courses: Courses, plane: Plane) -> None:
        self.courses = courses
        self.plane = plane
        self.lines: Lines = courses.laid(plane)
        points = plane.points(courses.lon, courses.lat)
        steps = np.hypot(*np.diff(points, axis=0).T) if len(points) > 1 else np.zeros(0)
        steps = np.concatenate((steps, [0.0]))[: len(points)]
        first, last = courses.ends()
        steps[last] = 0.0
        # Metres from each line's beginning, all lines one behind the other: one search finds a place on any of them.
        self.until = np.concatenate(([0.0], np.cumsum(steps)))[: len(points)]
        self.length_m: F8 = self.until[last] - self.until[first]
        self.offset = self.until[first]

    def locate(self, line: I8, points: Lines) -> Spots:
        """The place of each line that is nearest to its point (in metres of the plane)."""
        along = np.asarray(shapely.line_locate_point(self.lines[line], points), dtype=np.float64)
        return self.spots(line, np.clip(along, 0.0, self.length_m[line]))

    def spots(self, line: I8, along_m: F8) -> Spots:
        """The places that lie so far along lines."""
        first, last = (end[line] for end in self.courses.ends())
        total = self.offset[line] + along_m
        after = np.clip(np.searchsorted(self.until, total, side="right") - 1, first, last - 1)
        step = self.until[after + 1] - self.until[after]
        part = np.clip((total - self.until[after]) / np.where(step > 0, step, 1.0), 0.0, 1.0)
        lon, lat = (
            axis[after] + part * (axis[after + 1] - axis[after]) for axis in (self.courses.lon, self.courses.lat)
        )
        return Spots(line, after, along_m, np.round(lon, 7), np.round(lat, 7))


def with_spots(courses: Courses, spots: Spots) -> tuple[Courses, I8]:
    """The lines with further points, and where among the points each of these now stands."""
    order = np.lexsort((spots.along_m, spots.after))
    after = spots.after[order]
    added = np.bincount(spots.line, minlength=len(courses))
    lon = np.insert(courses.lon, after + 1, spots.lon[order])
    lat = np.insert(courses.lat, after + 1, spots.lat[order])
    at = np.empty(len(order), dtype=np.int64)
    at[order] = after + 1 + np.arange(len(order))
    return Courses(lon, lat, starts_of(courses.counts + added)), at


def without_repeats(courses: Courses) -> Courses:
    """The lines without points that repeat the one before."""
    same = np.zeros(len(courses.lon), dtype=np.bool_)
    same[1:] = (np.diff(courses.lon) == 0) & (np.diff(courses.lat) == 0)
    same[courses.starts[:-1][courses.counts > 0]] = False
    return courses.without(same)


def taken_apart(courses: Courses, breaks: NDArray[np.bool_]) -> tuple[Courses, I8, I8, I8]:
    """The lines, each taken apart at its breaks; both ends of every line are breaks.

    Gives the pieces; for each the line it is of; and where among the points given it begins and ends.
    """
    at = np.flatnonzero(breaks)
    owners = courses.owners[at]
    here = np.flatnonzero(owners[:-1] == owners[1:])
    begin, end = at[here], at[here + 1]
    starts = starts_of(end - begin + 1)
    points = np.arange(starts[-1]) + np.repeat(begin - starts[:-1], end - begin + 1)
    return Courses(courses.lon[points], courses.lat[points], starts), owners[here], begin, end
