"""The graph of ways: made of streets by joining them where they meet, and nowhere else.

Lines meet where they share a point: at a line's end always, between ends only on one level, so that a bridge does not
meet the street below it. Ends that just miss another line (by the tolerance or less) are led to it. What is there twice
is there once; what has no length is gone; where just two ways of one trait meet, they are one, course and length
kept. No way ends where it begins; two ways may join the same two nodes. Ways and nodes are numbered by where they lie.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, I8, Courses, Plane, keys_of, starts_of
from broadstreet.network.ground.graph import Step, chains, components
from broadstreet.network.ground.splitting import Ruler, taken_apart, with_spots, without_repeats
from broadstreet.network.ground.streets import Streets, Trait

SNAP_M: Final = 0.5
"""The tolerance: a line's end that misses another line of its level by so much or less was meant to meet it."""
_LEVELS: Final = 32
_ALL_LEVELS: Final = 31


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What was mended on the way from lines to a graph, counted."""

    lines: int = 0
    points_repeated: int = 0
    without_length: int = 0
    ends_snapped: int = 0
    crossings_joined: int = 0
    duplicates: int = 0
    merged: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Ways:
    """Way i runs from node a[i] to node b[i] > a[i] along courses[i]; `sources` are the ids of what it was made of."""

    lon: F8
    lat: F8
    a: I8
    b: I8
    courses: Courses
    trait: NDArray[np.int32]
    traits: tuple[Trait, ...]
    sources: tuple[tuple[str, ...], ...]
    cleaned: Cleaned

    def __len__(self) -> int:
        return len(self.a)

    def of_trait(self, name: str) -> NDArray[np.object_]:
        """One thing that traits say, for each way."""
        return np.array([getattr(trait, name) for trait in self.traits], dtype=object)[self.trait]

    def ids(self) -> tuple[str, ...]:
        """A name for each way, of its course alone: the same as long as the street is drawn the same."""
        courses = self.courses
        keys, starts = keys_of(courses.lon, courses.lat), courses.starts.tolist()
        parts = (keys[i:j].tobytes() for i, j in pairwise(starts))
        return tuple(hashlib.blake2b(part, digest_size=8).hexdigest() for part in parts)


def ways_of(streets: Streets, snap_m: float = SNAP_M, *, keep_parallels: bool = False) -> Ways:
    """The graph of streets. snap_m: by how much an end may miss what it was meant to meet. keep_parallels: lines of one
    course are several things in one place, such as two ducts, and not one thing drawn twice."""
    courses = without_repeats(streets.courses)
    repeated = len(streets.courses.lon) - len(courses.lon)
    whole = np.flatnonzero(courses.counts > 1)
    cleaned = Cleaned(len(streets.courses), repeated, len(streets.courses) - len(whole))
    courses, level, line = courses.take(whole), streets.level[whole], whole
    crossings = snapped = 0
    if len(courses):
        plane = Plane.about(courses.lon, courses.lat)
        if streets.meet_where_they_cross:
            courses, crossings = _joined_crossings(courses, level, plane)
        courses, snapped = _snapped(courses, level, plane, snap_m)
        whole = np.flatnonzero(courses.counts > 1)
        courses, level, line = courses.take(whole), level[whole], line[whole]
    lon, lat, a, b, pieces, of = _noded(courses, level)
    trait = streets.trait[line[of]] if len(of) else np.zeros(0, np.int32)
    sources = tuple((streets.sources[i],) for i in line[of].tolist()) if len(of) else ()
    split = Ways(lon, lat, a, b, pieces, trait, streets.traits, sources, cleaned)
    single = split if keep_parallels else _once(split)
    merged = _merged(single)
    return replace(
        merged,
        cleaned=replace(
            cleaned,
            ends_snapped=snapped,
            crossings_joined=crossings,
            duplicates=len(split) - len(single),
            merged=len(single) - len(merged),
        ),
    )


def _joined_crossings(courses: Courses, level: NDArray[np.int8], plane: Plane) -> tuple[Courses, int]:
    """Lines of one level that cross have a point in common there."""
    ruler = Ruler(courses, plane)
    one, other = shapely.STRtree(ruler.lines).query(ruler.lines, predicate="crosses")
    wanted = (one < other) & (level[one] == level[other])
    one, other = one[wanted], other[wanted]
    meet = shapely.intersection(ruler.lines[one], ruler.lines[other])
    parts, pair = shapely.get_parts(meet, return_index=True)
    are_points = shapely.get_type_id(parts) == shapely.GeometryType.POINT
    parts, pair = parts[are_points], pair[are_points]
    if not len(parts):
        return courses, 0
    first, second = ruler.locate(one[pair], parts), ruler.locate(other[pair], parts)
    # The same place on both, whatever the rounding on each.
    second = replace(second, lon=first.lon, lat=first.lat)
    both = type(first)(*(np.concatenate((getattr(first, n), getattr(second, n))) for n in first.__slots__))
    joined = without_repeats(with_spots(courses, both)[0])
    return joined, (len(joined.lon) - len(courses.lon)) // 2


def _snapped(courses: Courses, level: NDArray[np.int8], plane: Plane, snap_m: float) -> tuple[Courses, int]:
    """Ends that nothing else shares are led together where they all but meet, and to the nearest line of their level
    where one is near enough."""
    end = np.concatenate(courses.ends())
    owner = np.tile(np.arange(len(courses)), 2)
    keys = keys_of(courses.lon, courses.lat)
    _, inverse, counts = np.unique(keys, return_inverse=True, return_counts=True)
    loose = counts[inverse[end]] == 1
    end, owner = end[loose], owner[loose]
    dots = plane.dots(courses.lon[end], courses.lat[end])
    one, other = shapely.STRtree(dots).query(dots, predicate="dwithin", distance=snap_m)
    apart = (level[owner[one]] == level[owner[other]]) & (owner[one] != owner[other])
    bunch = components(len(end), one[apart], other[apart])
    lon, lat = courses.lon.copy(), courses.lat.copy()
    lon[end], lat[end] = courses.lon[end[bunch]], courses.lat[end[bunch]]
    leads = np.unique(bunch)
    ruler = Ruler(courses, plane)
    lead, line = shapely.STRtree(ruler.lines).query(dots[leads], predicate="dwithin", distance=snap_m)
    own = np.isin(leads[lead] * len(courses) + line, bunch * len(courses) + owner)
    near = ~own & (level[owner[leads[lead]]] == level[line])
    lead, line = leads[lead[near]], line[near]
    order = np.lexsort((line, shapely.distance(dots[lead], ruler.lines[line]), lead))
    order = order[np.unique(lead[order], return_index=True)[1]]
    lead, line = lead[order], line[order]
    spots = ruler.locate(line, dots[lead])
    # A spot close to a point of its line is that point.
    is_point = np.zeros(len(lead), dtype=np.bool_)
    for vertex in (spots.after, spots.after + 1):
        place = plane.dots(courses.lon[vertex], courses.lat[vertex])
        near_point = ~is_point & (shapely.distance(dots[lead], place) <= snap_m)
        spots.lon[near_point], spots.lat[near_point] = courses.lon[vertex][near_point], courses.lat[vertex][near_point]
        is_point |= near_point
    to = np.full(len(end), -1, dtype=np.int64)
    to[lead] = np.arange(len(lead))
    led = np.flatnonzero(to[bunch] >= 0)
    lon[end[led]], lat[end[led]] = spots.lon[to[bunch[led]]], spots.lat[to[bunch[led]]]
    moved = int(((lon != courses.lon) | (lat != courses.lat)).sum())
    longer, _ = with_spots(Courses(lon, lat, courses.starts), spots.take(np.flatnonzero(~is_point)))
    return without_repeats(longer), moved


def _noded(courses: Courses, level: NDArray[np.int8]) -> tuple[F8, F8, I8, I8, Courses, I8]:
    """Nodes, and the lines taken apart at them: places, ends of each piece, pieces, and the line each is of."""
    is_end = np.zeros(len(courses.lon), dtype=np.bool_)
    for ends in courses.ends():
        is_end[ends] = True
    keys, place = np.unique(keys_of(courses.lon, courses.lat), return_inverse=True)
    has_end = np.zeros(len(keys), dtype=np.bool_)
    has_end[place[is_end]] = True
    storey = np.where(has_end[place], _ALL_LEVELS, level[courses.owners].astype(np.int64) + _LEVELS // 2)
    spot = place * _LEVELS + storey
    _, point, uses = np.unique(spot, return_inverse=True, return_counts=True)
    breaks = is_end | (uses[point] > 1)
    _, _, begin, end = taken_apart(courses, breaks)
    loops = point[begin] == point[end]
    breaks[((begin + end) // 2)[loops]] = True
    pieces, of, begin, end = taken_apart(courses, breaks)
    nodes, number = np.unique(point[np.concatenate((begin, end))], return_inverse=True)
    at = np.zeros(len(uses), dtype=np.int64)
    at[point] = np.arange(len(point))
    a, b = number[: len(begin)], number[len(begin) :]
    turned = a > b
    return (
        courses.lon[at[nodes]],
        courses.lat[at[nodes]],
        np.minimum(a, b),
        np.maximum(a, b),
        pieces.turned(turned),
        of,
    )


def _once(ways: Ways) -> Ways:
    """Each way once: of several with one course the one that may be dug, and otherwise of the least trait."""
    may_dig = np.array([trait.may_dig for trait in ways.traits], dtype=np.bool_)[ways.trait]
    order = np.lexsort((ways.trait, ~may_dig, ways.courses.counts, ways.b, ways.a))
    same_ends = np.zeros(len(order), dtype=np.bool_)
    same_ends[1:] = (np.diff(ways.a[order]) == 0) & (np.diff(ways.b[order]) == 0)
    starts = ways.courses.starts
    kept: list[int] = []
    seen: set[bytes] = set()
    for way, beside in zip(order.tolist(), same_ends.tolist(), strict=True):
        if not beside:
            seen = set()
        course = ways.courses.lon[starts[way] : starts[way + 1]].tobytes()
        course += ways.courses.lat[starts[way] : starts[way + 1]].tobytes()
        if course not in seen:
            seen.add(course)
            kept.append(way)
    return _taken(ways, np.array(kept, dtype=np.int64))


def _taken(ways: Ways, which: I8) -> Ways:
    return replace(
        ways,
        a=ways.a[which],
        b=ways.b[which],
        courses=ways.courses.take(which),
        trait=ways.trait[which],
        sources=tuple(ways.sources[i] for i in which.tolist()),
    )


def _merged(ways: Ways) -> Ways:
    """Where just two ways of one trait meet, they are one."""
    found = chains(len(ways.lon), ways.a, ways.b, ways.trait)
    steps = [step for chain in found for step in chain]
    if not steps:
        return ways
    edge = np.array([step[0] for step in steps], dtype=np.int64)
    turned = np.array([step[1] for step in steps], dtype=np.bool_)
    lengths = np.array([len(chain) for chain in found], dtype=np.int64)
    heads = starts_of(lengths)[:-1]
    tails = heads + lengths - 1
    laid = ways.courses.take(edge).turned(turned)
    # A joint stands once: at the end of the step that comes to it.
    repeated = np.zeros(len(laid.lon), dtype=np.bool_)
    later = np.ones(len(edge), dtype=np.bool_)
    later[heads] = False
    repeated[laid.starts[:-1][later]] = True
    counts = np.add.reduceat(laid.counts - later, heads)
    courses = Courses(laid.lon[~repeated], laid.lat[~repeated], starts_of(counts))
    begin = np.where(turned, ways.b[edge], ways.a[edge])[heads]
    end = np.where(turned, ways.a[edge], ways.b[edge])[tails]
    nodes, number = np.unique(np.concatenate((begin, end)), return_inverse=True)
    a, b = number[: len(begin)], number[len(begin) :]
    backwards = a > b
    merged = replace(
        ways,
        lon=ways.lon[nodes],
        lat=ways.lat[nodes],
        a=np.minimum(a, b),
        b=np.maximum(a, b),
        courses=courses.turned(backwards),
        trait=ways.trait[edge[heads]],
        sources=tuple(_sources(ways, chain) for chain in found),
    )
    return _taken(merged, np.lexsort((merged.courses.lengths_m(), merged.b, merged.a)))


def _sources(ways: Ways, chain: Sequence[Step]) -> tuple[str, ...]:
    return tuple(sorted({source for edge, _ in chain for source in ways.sources[edge]}))
