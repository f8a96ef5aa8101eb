"""How far it is along the streets: from places on ways to whoever is to be covered, within a radius.

A walk goes in either direction. From each place a search goes on by Dijkstra's rule until the radius is used up.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np

from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.siting.hanging import Hung, walkable


@dataclass(frozen=True, slots=True, eq=False)
class Doors:
    """Where those who are to be covered are reached: from node a with `from_a_m` to go, or from node b; `way` and
    `along_m` where one stands on a way itself (-1: at a node alone)."""

    a: I8
    from_a_m: F8
    b: I8
    from_b_m: F8
    way: I8
    along_m: F8


class Walks:
    """The streets as a walker sees them."""

    def __init__(self, ground: Ground) -> None:
        ways = ground.ways
        self.count = len(ground.lon)
        self.ends = np.column_stack((ways.a, ways.b)).astype(np.int64)
        self.length_m = ways.length_m
        self.beside: dict[int, list[tuple[int, float]]] = defaultdict(list)
        for row in np.flatnonzero(walkable(ground)).tolist():
            (a, b), length = self.ends[row].tolist(), float(ways.length_m[row])
            self.beside[a].append((b, length))
            self.beside[b].append((a, length))

    def reached(self, way: int, share: float, lead_m: float, radius_m: float) -> F8:
        """How far each node is from a place on a way; infinite beyond the radius."""
        away = np.full(self.count, np.inf)
        (a, b), length = self.ends[way].tolist(), float(self.length_m[way])
        waiting = sorted([(lead_m + share * length, a), (lead_m + (1 - share) * length, b)])
        best: dict[int, float] = {}
        while waiting:
            metres, node = heappop(waiting)
            if metres > radius_m:
                break
            if node in best:
                continue
            best[node] = metres
            for other, step in self.beside[node]:
                if other not in best:
                    heappush(waiting, (metres + step, other))
        away[list(best)] = list(best.values())
        return away

    def within(self, hung: Hung, doors: Doors, radius_m: float) -> list[I8]:
        """For each place the rows of the doors within the radius."""
        found = []
        for way, share, lead_m in zip(hung.way.tolist(), hung.share.tolist(), hung.lead_m.tolist(), strict=True):
            if way < 0:
                found.append(np.zeros(0, dtype=np.int64))
                continue
            away = self.reached(way, share, lead_m, radius_m)
            metres = np.minimum(away[doors.a] + doors.from_a_m, away[doors.b] + doors.from_b_m)
            direct = lead_m + np.abs(doors.along_m - share * self.length_m[way])
            metres = np.where(doors.way == way, np.minimum(metres, direct), metres)
            found.append(np.flatnonzero(metres <= radius_m))
        return found
