"""Which street a way belongs to: by its own name, by what its source says of it, or by the street that it runs beside.

Pavements, cycleways and crossings are mostly drawn apart and without a name. What the source says of them comes first
(in OpenStreetMap `is_sidepath:of:name`, the proposal of that key's authors). Otherwise a crossing belongs to the street
that it crosses, and any other way to the street that at least SHARE of it runs along: that is how the Cycling Quality
Index of OpenStreetMap finds sidepaths (SupaplexOSM 2024: a buffer of 22 m, two thirds of the checked points), here with
the directions compared as well, every few metres, since beside a corner another street is near and not along. Short
links whose ends both lie on one street are that street's. Of two streets that are likely, the nearer one is taken, and
the way is told to be unsure.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, I8, Plane
from broadstreet.network.ground.fault import Fault, FaultKind
from broadstreet.network.ground.streets import Streets, WayKind
from broadstreet.network.ground.ways import Ways

NO_STREET: Final = -1
"""The street of a way that belongs to none."""
NEAR_M: Final = 22.0
"""How far from a street's middle what runs beside it may be."""
ALONG_DEG: Final = 30.0
"""How far two directions may be apart that count as one."""
SHARE: Final = 2 / 3
"""Of a way's length, how much of it runs beside the street that it belongs to."""
LINK_M: Final = 30.0
"""How long a way may be that belongs to a street because both its ends do."""
CLEAR: Final = 1.5
"""How many times as far the next street must be for the nearest to be sure."""
TOLD_M: Final = 20.0
"""How long an unsure way is that people are told of: a shorter one lies at a corner."""
STEP_M: Final = 5.0
"""How far apart a way is looked at, and at least and at most in how many places."""
_FEWEST, _MOST = 3, 12
_TURN_M: Final = 1.0
"""Before and behind a place, how far a way's direction is taken."""


class StreetBy(IntEnum):
    """How it is known which street a way belongs to. UNSURE: it runs beside that one, and another is as likely."""

    NONE = 0
    NAME = 1
    SOURCE = 2
    CROSSES = 3
    BESIDE = 4
    LINKS = 5
    UNSURE = 6


@dataclass(frozen=True, slots=True, eq=False)
class Belonging:
    """For each way a number in `streets`, or NO_STREET; how that is known (a StreetBy); and for an unsure one the other
    street, else NO_STREET."""

    streets: tuple[str, ...]
    street: I8
    by: NDArray[np.int8]
    other: I8

    def __len__(self) -> int:
        return len(self.street)

    def named(self, which: int) -> str:
        """The street of a way; empty where it belongs to none."""
        number = int(self.street[which])
        return "" if number == NO_STREET else self.streets[number]


def belonging(ways: Ways, streets: Streets) -> Belonging:
    """Which street each way belongs to. streets: what the ways were made of, for the levels on which they lie."""
    own, said = (ways.of_trait(name).astype(str) for name in ("name", "beside"))
    names = tuple(sorted((set(own.tolist()) | set(said.tolist())) - {""}))
    number = {name: i for i, name in enumerate(("", *names), start=-1)}
    street = np.array([number[a or b] for a, b in zip(own.tolist(), said.tolist(), strict=True)], dtype=np.int64)
    by = np.where(own != "", StreetBy.NAME, np.where(said != "", StreetBy.SOURCE, StreetBy.NONE)).astype(np.int8)
    made = Belonging(names, street, by, np.full(len(ways), NO_STREET, dtype=np.int64))
    kind = ways.of_trait("kind").astype(np.int64)
    lines = np.flatnonzero((kind == WayKind.STREET) & (by == StreetBy.NAME))
    open_ = (street == NO_STREET) & ~ways.of_trait("apart").astype(np.bool_)
    if not len(lines) or not open_.any():
        return made
    plane = Plane.about(ways.lon, ways.lat)
    level = _levels(ways, streets)
    _crossings(made, ways, plane, np.flatnonzero(open_ & (kind == WayKind.CROSSING)), lines)
    rest = np.flatnonzero(open_ & (street == NO_STREET))
    found = _Along(ways, plane, level, rest, lines, street)
    found.decide(made)
    _links(made, ways, found, np.flatnonzero(open_ & (street == NO_STREET)))
    return made


def unsure_streets(made: Belonging, ways: Ways) -> list[Fault]:
    """A fault for each way of TOLD_M or more of which it is not sure to which street it belongs."""
    told = np.flatnonzero((made.by == StreetBy.UNSURE) & (ways.courses.lengths_m() >= TOLD_M))
    lon, lat = ways.courses.middles()
    ids = ways.ids() if len(told) else ()
    return [
        Fault(
            FaultKind.UNSURE_STREET,
            float(lon[i]),
            float(lat[i]),
            f"way {ids[i]} has no name, and runs beside {made.named(i)} and {made.streets[made.other[i]]}: "
            f"it counts as {made.named(i)}'s",
            "Where a permit or a rule hangs on it, say on the map to which it belongs.",
        )
        for i in told.tolist()
    ]


def _levels(ways: Ways, streets: Streets) -> I8:
    """On which level each way lies: what is merged is of one."""
    level = dict(zip(streets.sources, streets.level.tolist(), strict=True))
    return np.array([level[of[0]] for of in ways.sources], dtype=np.int64)


def _crossings(made: Belonging, ways: Ways, plane: Plane, crossings: I8, lines: I8) -> None:
    """A crossing is the street's that it touches most squarely, if that is no nearer to along than to across."""
    if not len(crossings):
        return
    shapes = ways.courses.take(crossings).laid(plane)
    across = ways.courses.take(lines).laid(plane)
    crossing, line = shapely.STRtree(across).query(shapes, predicate="intersects")
    meet = shapely.point_on_surface(shapely.intersection(shapes[crossing], across[line]))
    angle = _between(_directions(shapes[crossing], meet), _directions(across[line], meet))
    order = np.lexsort((made.street[lines[line]], -np.round(angle), crossing))
    order = order[angle[order] >= 45.0]
    first = order[np.unique(crossing[order], return_index=True)[1]]
    made.street[crossings[crossing[first]]] = made.street[lines[line[first]]]
    made.by[crossings[crossing[first]]] = StreetBy.CROSSES


class _Along:
    """Beside which streets ways run: for each pair of both over which share, and how far away on the mean."""

    def __init__(self, ways: Ways, plane: Plane, level: I8, rest: I8, lines: I8, street: I8) -> None:
        self.rest = rest
        shapes = ways.courses.take(rest).laid(plane)
        length_m = shapely.length(shapes)
        looks = np.clip(np.ceil(length_m / STEP_M), _FEWEST, _MOST).astype(np.int64)
        way = np.repeat(np.arange(len(rest)), looks)
        nth = np.arange(len(way)) - np.repeat(np.cumsum(looks) - looks, looks)
        dots = shapely.line_interpolate_point(shapes[way], (nth + 0.5) / looks[way] * length_m[way])
        begin, end, of = _segments(ways, plane, lines)
        straight = np.asarray(shapely.linestrings(np.stack((begin, end), axis=1)))
        look, segment = shapely.STRtree(straight).query(dots, predicate="dwithin", distance=NEAR_M)
        same = level[rest[way[look]]] == level[of[segment]]
        look, segment = look[same], segment[same]
        angle = _between(_directions(shapes[way], dots)[look], (end - begin)[segment])
        look, segment = look[angle <= ALONG_DEG], segment[angle <= ALONG_DEG]
        away_m = _away_m(shapely.get_coordinates(dots)[look], begin[segment], end[segment])
        # Of each street the nearest piece at each look; then each pair of way and street once.
        count = int(street.max()) + 1
        key = look * count + street[of[segment]]
        order = np.lexsort((away_m, key))
        order = order[np.unique(key[order], return_index=True)[1]]
        pair, index = np.unique(way[look[order]] * count + key[order] % count, return_inverse=True)
        hits = np.bincount(index, minlength=len(pair))
        self.way, self.street = np.divmod(pair, count)
        self.share: F8 = hits / looks[self.way]
        self.away_m: F8 = np.bincount(index, weights=away_m[order], minlength=len(pair)) / np.maximum(hits, 1)

    def decide(self, made: Belonging) -> None:
        """Ways are the nearest street's of those that they run along for most of their length."""
        most = np.flatnonzero(self.share >= SHARE)
        order = most[np.lexsort((self.street[most], self.away_m[most], self.way[most]))]
        ways, first, counts = np.unique(self.way[order], return_index=True, return_counts=True)
        best = order[first]
        which = self.rest[ways]
        made.street[which] = self.street[best]
        made.by[which] = StreetBy.BESIDE
        several = np.flatnonzero(counts > 1)
        next_ = order[first[several] + 1]
        unsure = self.away_m[next_] < CLEAR * self.away_m[best[several]]
        made.by[which[several[unsure]]] = StreetBy.UNSURE
        made.other[which[several[unsure]]] = self.street[next_[unsure]]

    def shares(self) -> dict[tuple[int, int], float]:
        """Of each way and street that it runs beside somewhere, over which share."""
        way = self.rest[self.way].tolist()
        return dict(zip(zip(way, self.street.tolist(), strict=True), self.share.tolist(), strict=True))


def _links(made: Belonging, ways: Ways, along: _Along, rest: I8) -> None:
    """Short ways whose ends both lie on one street are its; of two such streets that which they run along more."""
    rest = rest[ways.courses.take(rest).lengths_m() <= LINK_M]
    at: dict[int, set[int]] = {}
    for a, b, street in zip(ways.a.tolist(), ways.b.tolist(), made.street.tolist(), strict=True):
        if street != NO_STREET:
            at.setdefault(a, set()).add(street)
            at.setdefault(b, set()).add(street)
    share = along.shares()
    for way in rest.tolist():
        both = at.get(int(ways.a[way]), set()) & at.get(int(ways.b[way]), set())
        if not both:
            continue
        first, *others = sorted(both, key=lambda street: (-share.get((way, street), 0.0), street))
        made.street[way], made.by[way] = first, StreetBy.LINKS
        if others:
            made.by[way], made.other[way] = StreetBy.UNSURE, others[0]


def _segments(ways: Ways, plane: Plane, lines: I8) -> tuple[F8, F8, I8]:
    """The straight pieces of ways: where each begins and ends, in metres, and of which way it is."""
    courses = ways.courses.take(lines)
    points, owners = plane.points(courses.lon, courses.lat), courses.owners
    inner = np.flatnonzero(np.diff(owners) == 0)
    return points[inner], points[inner + 1], lines[owners[inner]]


def _directions(shapes: NDArray[np.object_], dots: NDArray[np.object_]) -> F8:
    """Which way each line leads at the point of it that is nearest to a dot, as metres east and north."""
    along = shapely.line_locate_point(shapes, dots)
    before, behind = (
        shapely.get_coordinates(shapely.line_interpolate_point(shapes, np.clip(at, 0.0, shapely.length(shapes))))
        for at in (along - _TURN_M, along + _TURN_M)
    )
    led: F8 = behind - before
    return led


def _between(one: F8, other: F8) -> F8:
    """The angle between directions, in degrees from 0 to 90: whichever way each leads."""
    cross = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0])
    angle: F8 = np.degrees(np.arctan2(cross, np.abs((one * other).sum(axis=1))))
    return angle


def _away_m(points: F8, begin: F8, end: F8) -> F8:
    """How far points are from straight pieces."""
    led = end - begin
    length = (led * led).sum(axis=1)
    part = np.clip(((points - begin) * led).sum(axis=1) / np.where(length > 0, length, 1.0), 0.0, 1.0)
    away_m: F8 = np.hypot(*(points - begin - part[:, None] * led).T)
    return away_m
