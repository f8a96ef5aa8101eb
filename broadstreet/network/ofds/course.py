"""Where a span runs, how long that is on the ellipsoid, and which spans run the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from pyproj import Geod

from broadstreet.network.ofds.network import Network, Node, Span

_GEOD: Final = Geod(ellps="WGS84")


class Course(msgspec.Struct, frozen=True):
    """
    Where a span runs.

    points:      longitude and latitude of each, in degrees, two or more.
    is_straight: whether no route was given, and this is the straight line between its nodes.
    """

    points: tuple[tuple[float, float], ...]
    is_straight: bool

    @property
    def length_m(self) -> float:
        """Its length on the ellipsoid, in metres; heights do not count."""
        return float(_GEOD.line_length([p[0] for p in self.points], [p[1] for p in self.points]))


def place_of(node: Node | None) -> tuple[float, float] | None:
    """Longitude and latitude of a node, where they are known and are a point's."""
    if node is None or node.location is None or node.location.type != "Point" or not node.location.coordinates:
        return None
    return node.location.coordinates[0], node.location.coordinates[1]


def nodes_by_id(network: Network) -> dict[str, Node]:
    """The nodes by their ids; of several with one id, the first."""
    found: dict[str, Node] = {}
    for node in network.nodes:
        if node.id is not None:
            found.setdefault(node.id, node)
    return found


def course_of(span: Span, nodes: Mapping[str, Node]) -> Course | None:
    """Where a span runs: its route, or else the straight line between its nodes, or else nothing."""
    if span.route is not None and span.route.type == "LineString" and span.route.coordinates:
        return Course(tuple((point[0], point[1]) for point in span.route.coordinates), is_straight=False)
    ends = [place_of(nodes.get(end)) for end in (span.start, span.end) if end is not None]
    points = tuple(place for place in ends if place is not None)
    return Course(points, is_straight=True) if len(points) == 2 else None


def courses(network: Network) -> list[Course | None]:
    """Where each span of a network runs."""
    nodes = nodes_by_id(network)
    return [course_of(span, nodes) for span in network.spans]


def same_courses(ways: Iterable[Course | None]) -> dict[int, int]:
    """Which ways go along one before them, in the same sense or the other: that one's number by theirs."""
    first: dict[tuple[tuple[float, float], ...], int] = {}
    repeats: dict[int, int] = {}
    for n, way in enumerate(ways):
        if way is not None:
            earlier = first.setdefault(min(way.points, way.points[::-1]), n)
            if earlier != n:
                repeats[n] = earlier
    return repeats


def distance_m(here: Sequence[float], there: Sequence[float]) -> float:
    """How far two places are from each other on the ellipsoid, in metres."""
    return float(_GEOD.inv(here[0], here[1], there[0], there[1])[2])
