"""Where else drops could lead: beside the nearest way, to others near by that a straight drop comes to.

Which of them is cheapest is for a plan to say: a few metres more of a drop can save a trench along a whole street. So
each place is offered several ways, and every one is a node of the ground. A drop elsewhere crosses no way, track or
water, passes through no house but its own, and is not much longer than to the nearest way; the nearest one is asked
none of that, since nobody is left out for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, I8, Lines, Plane, distances_m
from broadstreet.network.ground.ground import NO_HOOKS, Hooks, Premises
from broadstreet.network.ground.hanging import JOIN_M, ON_WAY_M, Hung, sides
from broadstreet.network.ground.obstacles import Obstacles
from broadstreet.network.ground.splitting import Ruler, Spots
from broadstreet.network.ground.ways import Ways

MOST_WAYS: Final = 8
"""From how many ways a drop may choose at the most."""
OWN_M: Final = 0.1
"""A house no farther from a place is its own: an entrance is drawn on the wall."""
THROUGH_M: Final = 1.0
"""Along so much of a house and no more a drop may pass: outlines are a little wrong, and neighbours share walls."""


@dataclass(frozen=True, slots=True, eq=False)
class Elsewhere:
    """of: whose each is, by number. hung: on which way, and where."""

    of: I8
    hung: Hung


@dataclass(frozen=True, eq=False)
class Around:
    """What lies about the places that hang. usable: by way; houses: in WGS 84 degrees."""

    ways: Ways
    usable: NDArray[np.bool_]
    plane: Plane
    obstacles: Obstacles
    houses: Lines | None

    def hang(self, places: tuple[F8, F8], nearest: Hung, limit_m: F8, count: int) -> Elsewhere:
        """For each place (longitudes, latitudes) that hangs, further ways, the nearest first, so that with that it has
        `count` at the most. limit_m: how long each one's drop may be."""
        points = self.plane.dots(*places)
        of, line = self._near(points, nearest, limit_m, count)
        away_m, spots = shapely.distance(points[of], self._ruler.lines[line]), self._ruler.locate(line, points[of])
        order = np.lexsort((line, away_m, of))
        order = order[((self._chosen[line] != nearest.way[of]) & self._is_foot(of, line, spots, away_m))[order]]
        of, line, spots, away_m = of[order], line[order], spots.take(order), away_m[order]
        clear = np.flatnonzero(self._is_clear(points[of], spots, away_m, (places[0][of], places[1][of])))
        kept = self._first(of, spots, clear, nearest, count - 1)
        of, line, spots, away_m = of[kept], line[kept], spots.take(kept), away_m[kept]
        side = sides(self._ruler, spots, points[of], away_m)
        return Elsewhere(of, Hung(self._chosen[line], spots.along_m, away_m, side))

    @cached_property
    def _chosen(self) -> I8:
        return np.flatnonzero(self.usable)

    @cached_property
    def _ruler(self) -> Ruler:
        return Ruler(self.ways.courses.take(self._chosen), self.plane)

    def _near(self, points: Lines, nearest: Hung, limit_m: F8, count: int) -> tuple[I8, I8]:
        """Places that hang, and usable ways near enough to each."""
        hangs = np.flatnonzero(nearest.way >= 0)
        if count == 1 or not len(hangs):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        tree = shapely.STRtree(self._ruler.lines)
        found, line = tree.query(points[hangs], predicate="dwithin", distance=limit_m[hangs])
        return hangs[found], line

    def _is_foot(self, of: I8, line: I8, spots: Spots, away_m: F8) -> NDArray[np.bool_]:
        """Whether ways lead away from the place on all sides of a spot: at a way's end where another way comes nearer,
        the drop would do no more than cut a corner off that one."""
        ways, way = self.ways, self._chosen[line]
        length_m = self._ruler.length_m[line]
        count = len(ways.lon)
        at = [(ways.a[way], spots.along_m < JOIN_M), (ways.b[way], length_m - spots.along_m < JOIN_M)]
        key = np.concatenate([of * count + node for node, _ in at])
        keys, number = np.unique(key, return_inverse=True)
        least_m = np.full(len(keys), np.inf)
        np.minimum.at(least_m, number, np.tile(away_m, 2))
        is_nearer = (least_m[number] < np.tile(away_m, 2) - ON_WAY_M).reshape(2, -1)
        foot: NDArray[np.bool_] = ~((at[0][1] & is_nearer[0]) | (at[1][1] & is_nearer[1]))
        return foot

    def _is_clear(self, points: Lines, spots: Spots, away_m: F8, places: tuple[F8, F8]) -> NDArray[np.bool_]:
        """Whether nothing lies in the way of each drop, from its place to just before its spot."""
        if not len(points):
            return np.zeros(0, np.bool_)
        begin, end = shapely.get_coordinates(points), self.plane.points(spots.lon, spots.lat)
        share = np.clip(1 - JOIN_M / np.maximum(away_m, JOIN_M), 0.0, 1.0)
        until = begin + (end - begin) * share[:, None]
        lines = np.asarray(shapely.linestrings(np.stack((begin, until), axis=1)))
        clear = np.ones(len(points), np.bool_)
        crossed, _ = shapely.STRtree(self.ways.courses.laid(self.plane)).query(lines, predicate="intersects")
        clear[crossed] = False
        ends = np.column_stack((*places, spots.lon, spots.lat)).reshape(-1, 2, 2)
        clear &= ~self.obstacles.across(np.asarray(shapely.linestrings(ends))).any(axis=1)
        if self.houses is not None:
            drop, house = self._houses.query(lines, predicate="intersects")
            shapes = self._houses.geometries[house]
            is_own = shapely.distance(shapes, points[drop]) <= OWN_M
            through = shapely.length(shapely.intersection(lines[drop], shapes)) > THROUGH_M
            clear[drop[through & ~is_own]] = False
        return clear

    @cached_property
    def _houses(self) -> shapely.STRtree:
        assert self.houses is not None
        return shapely.STRtree(shapely.make_valid(self.plane.shapes(self.houses)))

    def _first(self, of: I8, spots: Spots, clear: I8, nearest: Hung, most: int) -> I8:
        """Of those that are clear, in order, as many for each place as it may have, each at a spot of its own."""
        kept: list[int] = []
        taken: dict[int, list[tuple[float, float]]] = {}
        hangs = np.unique(of)
        whole = Ruler(self.ways.courses, self.plane)
        hung = whole.spots(nearest.way[hangs], nearest.along_m[hangs])
        for place, at in zip(hangs.tolist(), self.plane.points(hung.lon, hung.lat).tolist(), strict=True):
            taken[place] = [(at[0], at[1])]
        x, y = self.plane.points(spots.lon, spots.lat).T.tolist() if len(of) else ([], [])
        places = of.tolist()
        for number in clear.tolist():
            known = taken[places[number]]
            here = x[number], y[number]
            is_new = all((here[0] - at[0]) ** 2 + (here[1] - at[1]) ** 2 > JOIN_M**2 for at in known)
            if is_new and len(known) <= most:
                known.append(here)
                kept.append(number)
        return np.array(kept, dtype=np.int64)


def hooks_of(
    premises: Premises, kept: I8, others: Elsewhere, at: I8, places: tuple[F8, F8], part: NDArray[np.int32]
) -> Hooks:
    """The hooks of the premises that are kept: where they hang, and elsewhere. at: the node of each of these; places,
    part: of the nodes."""
    row = np.full(int(max(kept.max(initial=-1), others.of.max(initial=-1))) + 1, -1, dtype=np.int64)
    row[kept] = np.arange(len(kept))
    of = row[others.of]
    there = (of >= 0) & (at >= 0)
    there[there] = part[at[there]] == part[premises.node[of[there]]]
    of, at, number = of[there], at[there], np.flatnonzero(there)
    owner = np.concatenate((np.arange(len(premises)), of))
    node = np.concatenate((premises.node, at)).astype(np.int64)
    # Two that come to one node are one: the first, where it hangs before all.
    _, first = np.unique(np.column_stack((owner, node)), axis=0, return_index=True)
    first = np.sort(first)
    if len(first) == len(premises):
        return NO_HOOKS
    order = first[np.argsort(owner[first], kind="stable")]
    demand = premises.demand
    drop_m = distances_m(demand.lon[of], demand.lat[of], places[0][at], places[1][at])
    hung = others.hung
    return Hooks(
        owner[order].astype(np.int32),
        node[order].astype(np.int32),
        np.concatenate((premises.drop_m, drop_m))[order],
        np.concatenate((premises.way, hung.way[number]))[order].astype(np.int32),
        np.concatenate((premises.side, hung.side[number]))[order].astype(np.int8),
    )
