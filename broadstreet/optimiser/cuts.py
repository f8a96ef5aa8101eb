"""Cuts that every network crosses, how much each may count for, and the bound that this proves.

Each edge is two arcs; the arc into v from its neighbour at place p of v's row is p. A cheapest network can be walked
outwards along arcs, each edge in one direction alone: what has two ways hangs together after any one loss, so that its
edges can be given directions by which each leads to each (Robbins 1939), and trees hang on it. So into every set of
vertices with a terminal and without the root leads an arc, and out of every one with a critical vertex, too; and of an
edge's two arcs one is used at the most. This is stronger than to count edges (Chimani, Kandyba, Ljubić, Mutzel:
Orientation-based models for {0,1,2}-survivable network design, 2010).

Its dual: each cut counts for a weight of at least 0, and each edge for a toll of at least 0. The weights of the cuts
that an arc is in sum to no more than its edge's cost with the toll; then no network costs less than all weights less
all tolls. Whatever the weights are, the tolls follow from them: so any weights prove a bound, in whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from broadstreet.optimiser.compiled import Ints, compiled
from broadstreet.optimiser.graph import Rows

FREE, OUT, IN = 0, 1, 2
"""Of an edge, whether it is decided: every network looked at is without it (OUT), or holds it (IN)."""


@compiled
def loads(start: Ints, place: Ints, weight: Ints, arcs: int) -> Ints:
    """The sum of the weights of the cuts that each arc is in."""
    load = np.zeros(arcs, np.int64)
    for i in range(len(weight)):
        if weight[i] > 0:
            for at in range(start[i], start[i + 1]):
                load[place[at]] += weight[i]
    return load


@compiled
def bound_of(rows: Rows, cost: Ints, load: Ints, weight: Ints, arc: Ints, edge: Ints) -> tuple[int, Ints]:
    """What weights prove, and what each arc is short of: a network that uses it costs so much more than the bound. arc:
    by place, whether it is OUT; edge: whether it is decided. An edge that is IN is paid, and what its cuts do not count
    for is gained."""
    total = 0
    for i in range(len(weight)):
        if weight[i] > 0:
            total += weight[i]
    short = np.zeros(len(load), np.int64)
    for p in range(len(load)):
        q = rows.mate[p]
        if p > q:
            continue
        e = rows.edge[p]
        most = -1
        if arc[p] != OUT:
            most = load[p]
        if arc[q] != OUT:
            most = max(most, load[q])
        if most < 0 or edge[e] == OUT:
            continue
        toll = max(0, most - cost[e])
        if edge[e] == IN:
            toll = most - cost[e]
        total -= toll
        short[p] = cost[e] + toll - load[p]
        short[q] = cost[e] + toll - load[q]
    return total, short


@dataclass
class Cuts:
    """Cuts in rows: the arcs of cut i are `place[start[i]]` … `place[start[i + 1] - 1]`."""

    start: Ints
    place: Ints

    def __len__(self) -> int:
        return len(self.start) - 1

    def take(self, which: Ints) -> Cuts:
        sizes = np.diff(self.start)[which]
        parts = [self.place[self.start[i] : self.start[i + 1]] for i in which]
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return Cuts(start, np.concatenate([np.empty(0, np.int64), *parts]))

    def add(self, other: Cuts) -> Cuts:
        return Cuts(
            np.concatenate([self.start, other.start[1:] + self.start[-1]]), np.concatenate([self.place, other.place])
        )
