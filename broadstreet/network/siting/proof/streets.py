"""Distances along the streets, found by sweeping over all ways until nothing becomes shorter (Bellman and Ford)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.ground import Ground
from broadstreet.network.ground.courses import F8, GEOD, I8, Plane
from broadstreet.network.siting.place import LEAD_M, Place

SAME_M: Final = 0.05
"""What lies by less than this beyond a radius may count or not: places are rounded to a centimetre."""
_CHUNK: Final = 64
_FAR: Final = np.inf


@dataclass(frozen=True, slots=True, eq=False)
class Foot:
    """Where a place meets a way: the way, metres to its two ends, and the lead to it."""

    way: int
    to_a_m: float
    to_b_m: float
    lead_m: float


def feet(ground: Ground, places: Sequence[Place], allowed: NDArray[np.bool_]) -> list[list[Foot]]:
    """Where each place meets the allowed ways, segment by segment: the nearest, and every other that is as near but for
    SAME_M, such as the street above and the tunnel below. None of them is farther off than LEAD_M."""
    courses, plane = ground.ways.courses, Plane.about(ground.lon, ground.lat)
    points = plane.points(courses.lon, courses.lat)
    owner = courses.owners
    first = np.flatnonzero((owner[:-1] == owner[1:]) & allowed[owner[:-1]])
    begin, along = points[first], points[first + 1] - points[first]
    step = np.hypot(along[:, 0], along[:, 1])
    every = np.hypot(*np.diff(points, axis=0).T)
    every[owner[:-1] != owner[1:]] = 0.0
    before = np.concatenate(([0.0], np.cumsum(every)))
    found: list[list[Foot]] = []
    for place in places:
        here = plane.points(np.array([place.lon]), np.array([place.lat]))[0]
        part = np.clip(((here - begin) * along).sum(axis=1) / np.where(step > 0, step**2, 1.0), 0.0, 1.0)
        away = np.hypot(*(begin + part[:, None] * along - here).T)
        near = np.flatnonzero(away <= away.min(initial=_FAR) + SAME_M)
        by_way: dict[int, Foot] = {}
        for at in near[np.argsort(away[near], kind="stable")].tolist():
            way = int(owner[first[at]])
            lon, lat = (
                axis[first[at]] + part[at] * (axis[first[at] + 1] - axis[first[at]])
                for axis in (courses.lon, courses.lat)
            )
            lead_m = float(GEOD.inv(place.lon, place.lat, lon, lat)[2])
            start, end = int(courses.starts[way]), int(courses.starts[way + 1]) - 1
            whole = before[end] - before[start]
            done = before[first[at]] + part[at] * step[at] - before[start]
            share = float(done / whole) if whole > 0 else 0.0
            length_m = float(ground.ways.length_m[way])
            if lead_m <= LEAD_M:
                by_way.setdefault(way, Foot(way, share * length_m, (1 - share) * length_m, lead_m))
        found.append(list(by_way.values()))
    return found


def swept(ground: Ground, allowed: NDArray[np.bool_], cost: F8, start: F8, most: float) -> F8:
    """The least cost of every node from what it costs to begin there. start: a row a node, a column a question; what
    costs more than `most` stays infinite."""
    rows = np.flatnonzero(allowed)
    a, b = ground.ways.a[rows].astype(np.int64), ground.ways.b[rows].astype(np.int64)
    to, source = np.concatenate((a, b)), np.concatenate((b, a))
    weight = np.tile(cost[rows], 2)
    order = np.argsort(to, kind="stable")
    to, source, weight = to[order], source[order], weight[order]
    ends, first = np.unique(to, return_index=True)
    found = start.copy()
    while len(ends):
        through = np.minimum.reduceat(found[source] + weight[:, None], first, axis=0)
        through[through > most] = _FAR
        shorter = np.minimum(found[ends], through)
        if np.array_equal(shorter, found[ends]):
            break
        found[ends] = shorter
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Who is to be covered: reached from node a and from node b with so many metres to go; on which way, or -1."""

    lon: F8
    lat: F8
    weight: I8
    a: I8
    to_a_m: F8
    b: I8
    to_b_m: F8
    way: I8


def walked(
    ground: Ground, on_foot: NDArray[np.bool_], standing: Sequence[Foot], seen: Seen, radius_m: float
) -> Iterator[F8]:
    """How far each target (row) is on foot from where places stand (column), some at a time; infinite beyond the
    radius."""
    most = radius_m + 2 * SAME_M
    for first in range(0, len(standing), _CHUNK):
        part = standing[first : first + _CHUNK]
        start = np.full((len(ground.lon), len(part)), _FAR)
        for column, foot in enumerate(part):
            a, b = int(ground.ways.a[foot.way]), int(ground.ways.b[foot.way])
            start[a, column] = min(start[a, column], foot.lead_m + foot.to_a_m)
            start[b, column] = min(start[b, column], foot.lead_m + foot.to_b_m)
        away = swept(ground, on_foot, ground.ways.length_m, start, most)
        metres = np.minimum(away[seen.a] + seen.to_a_m[:, None], away[seen.b] + seen.to_b_m[:, None])
        for column, foot in enumerate(part):
            same = np.flatnonzero(seen.way == foot.way)
            direct = foot.lead_m + np.abs(seen.to_a_m[same] - foot.to_a_m)
            metres[same, column] = np.minimum(metres[same, column], direct)
        yield metres
