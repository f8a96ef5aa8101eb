"""How places come to hang on ways: each on the nearest point of a way, where that way is then taken apart.

Places whose points lie within JOIN_M of each other on a way share a node; a point so close to a way's end is that end.
Drops are straight, from the place to its node, and measured on the ellipsoid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, I8, Courses, Lines, Plane
from broadstreet.network.ground.splitting import Ruler, Spots, taken_apart, with_spots
from broadstreet.network.ground.ways import Ways

JOIN_M: Final = 0.5
"""Points of a way nearer to each other than this are one node: nobody opens a trench twice within half a metre."""
VERTEX_M: Final = 0.05
"""A node so close to a point of the course is that point."""
ON_WAY_M: Final = 0.01
"""What is no farther from a way is on it, and on neither side."""


@dataclass(frozen=True, slots=True, eq=False)
class Hung:
    """For each place: the way it hangs on (-1: none is near enough), how far along it, and how far away the nearest way
    is (infinite where there is none). `side`: 1 left of the way as its course runs, -1 right, 0 on it."""

    way: I8
    along_m: F8
    away_m: F8
    side: NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Ways taken apart: nodes (those of the ways first), and each piece with its ends, its course from a to b and the
    way it is of. `node`: where each place that hangs came to; -1 where it does not."""

    lon: F8
    lat: F8
    a: I8
    b: I8
    courses: Courses
    of: I8
    node: I8


def hang(ways: Ways, usable: NDArray[np.bool_], lon: F8, lat: F8, limit_m: F8, plane: Plane) -> Hung:
    """On which of the usable ways each place hangs. limit_m: how far each may be from it."""
    count = len(lon)
    hung = Hung(np.full(count, -1), np.zeros(count), np.full(count, np.inf), np.zeros(count, dtype=np.int8))
    chosen = np.flatnonzero(usable)
    if not count or not len(chosen):
        return hung
    ruler = Ruler(ways.courses.take(chosen), plane)
    points = plane.dots(lon, lat)
    place, line = shapely.STRtree(ruler.lines).query_nearest(points)
    # Of several that are equally near, the first.
    order = np.lexsort((line, place))
    place, first = np.unique(place[order], return_index=True)
    line = line[order][first]
    hung.away_m[place] = shapely.distance(points[place], ruler.lines[line])
    near = hung.away_m[place] <= limit_m[place]
    place, line = place[near], line[near]
    spots = ruler.locate(line, points[place])
    hung.way[place], hung.along_m[place] = chosen[line], spots.along_m
    hung.side[place] = sides(ruler, spots, points[place], hung.away_m[place])
    return hung


def sides(ruler: Ruler, spots: Spots, points: Lines, away_m: F8) -> NDArray[np.int8]:
    """On which side of its line each point is, so far away from its spot."""
    lon, lat, plane = ruler.courses.lon, ruler.courses.lat, ruler.plane
    begin, end = (plane.points(lon[at], lat[at]) for at in (spots.after, spots.after + 1))
    along, across = end - begin, shapely.get_coordinates(points) - begin
    turn = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    return np.where(away_m < ON_WAY_M, 0, np.sign(turn)).astype(np.int8)


def hung_up(ways: Ways, hung: Hung, plane: Plane) -> Pieces:
    """The ways, taken apart where places hang."""
    ruler = Ruler(ways.courses, plane)
    node = np.full(len(hung.way), -1, dtype=np.int64)
    place = np.flatnonzero(hung.way >= 0)
    way, along = hung.way[place], hung.along_m[place]
    length = ruler.length_m[way]
    at_end = np.minimum(along, length - along) < JOIN_M
    node[place[at_end]] = np.where(along < length / 2, ways.a[way], ways.b[way])[at_end]
    inner = np.flatnonzero(~at_end)
    inner = inner[np.lexsort((along[inner], way[inner]))]
    group = _groups(way[inner], along[inner])
    node[place[inner]] = len(ways.lon) + group
    firsts = inner[np.unique(group, return_index=True)[1]]
    courses, at = _with_nodes(ruler, ruler.spots(way[firsts], along[firsts]))
    first, last = courses.ends()
    breaks = np.zeros(len(courses.lon), dtype=np.bool_)
    number = np.full(len(courses.lon), -1, dtype=np.int64)
    breaks[first] = breaks[last] = breaks[at] = True
    number[first], number[last], number[at] = ways.a, ways.b, len(ways.lon) + np.arange(len(at))
    pieces, of, begin, end = taken_apart(courses, breaks)
    lon, lat = np.concatenate((ways.lon, courses.lon[at])), np.concatenate((ways.lat, courses.lat[at]))
    return Pieces(lon, lat, number[begin], number[end], pieces, of, node)


def _groups(way: I8, along_m: F8) -> I8:
    """Numbers the points of ways, which are in order, so that those within JOIN_M of a group's first are of it."""
    groups = np.zeros(len(way), dtype=np.int64)
    number, last_way, start_m = -1, -1, 0.0
    for i, (on, at) in enumerate(zip(way.tolist(), along_m.tolist(), strict=True)):
        if on != last_way or at - start_m >= JOIN_M:
            number, last_way, start_m = number + 1, on, at
        groups[i] = number
    return groups


def _with_nodes(ruler: Ruler, spots: Spots) -> tuple[Courses, I8]:
    """The lines with these spots among their points, and where each stands: at a point that is there, or a new one."""
    courses = ruler.courses
    total = ruler.offset[spots.line] + spots.along_m
    first, last = (end[spots.line] for end in courses.ends())
    at = np.full(len(spots.line), -1, dtype=np.int64)
    for vertex in (spots.after, spots.after + 1):
        is_inner = (vertex > first) & (vertex < last)
        is_near = is_inner & (np.abs(ruler.until[vertex] - total) < VERTEX_M)
        at[is_near] = vertex[is_near]
    # Two spots cannot find the same point: they lie JOIN_M apart.
    new = np.flatnonzero(at < 0)
    longer, stands = with_spots(courses, spots.take(new))
    old = np.flatnonzero(at >= 0)
    at[old] += np.searchsorted(np.sort(spots.after[new]), at[old], side="left")
    at[new] = stands
    return longer, at
