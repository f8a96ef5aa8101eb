"""The sea, from coastlines: OpenStreetMap draws only its edge, with the land on the left of the line's direction.

The coastlines and the frame of the map cut it into faces; a face is sea where the right side of a coastline says so. An
extract ends a line at its last node inside the frame, so loose ends are drawn out to the frame first.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import shapely
from shapely import LineString, MultiLineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from broadstreet.model.geometry import Box

_ASIDE_DEG: Final = 1e-7
"""How far beside a coastline its side is looked at: about a centimetre."""


def sea(coastlines: Sequence[LineString], bounds: Box) -> list[BaseGeometry]:
    """The faces of the frame that are sea; none where there is no coastline."""
    frame = shapely.box(bounds.west, bounds.south, bounds.east, bounds.north)
    merged = shapely.line_merge(MultiLineString(list(coastlines)), directed=True)
    lines = [_drawn_out(line, frame) for line in shapely.get_parts(merged).tolist() if line.intersects(frame)]
    if not lines:
        return []
    noded = shapely.unary_union([frame.exterior, *lines])
    faces = [face for face in shapely.polygonize([noded]).geoms if frame.covers(face.representative_point())]
    tree = shapely.STRtree(faces)
    votes: Counter[int] = Counter()
    for line in lines:
        for right, left in _sides(line):
            votes.update({int(face): 1 for face in tree.query(right, predicate="within")})
            votes.subtract({int(face): 1 for face in tree.query(left, predicate="within")})
    return [faces[index] for index, vote in sorted(votes.items()) if vote > 0]


def _drawn_out(line: LineString, frame: Polygon) -> LineString:
    """The line with each end that is loose inside the frame drawn out to the nearest point of it."""
    if line.is_closed:
        return line
    positions = [(x, y) for x, y, *_ in line.coords]
    for end, at in ((positions[0], 0), (positions[-1], len(positions) + 1)):
        loose = Point(end)
        if frame.contains(loose):
            edge = frame.exterior.interpolate(frame.exterior.project(loose))
            positions.insert(at, (edge.x, edge.y))
    return LineString(positions)


def _sides(line: LineString) -> list[tuple[Point, Point]]:
    """For each stretch of a line, a point just to its right and one just to its left."""
    sides = []
    positions = list(line.coords)
    for (x0, y0, *_), (x1, y1, *_) in pairwise(positions):
        length = math.hypot(x1 - x0, y1 - y0)
        if length > 2 * _ASIDE_DEG:
            across_x, across_y = (y1 - y0) / length * _ASIDE_DEG, -(x1 - x0) / length * _ASIDE_DEG
            x, y = (x0 + x1) / 2, (y0 + y1) / 2
            sides.append((Point(x + across_x, y + across_y), Point(x - across_x, y - across_y)))
    return sides
