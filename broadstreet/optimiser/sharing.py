"""What stations, splitters and units cost together at the least, wherever stations stand and whatever is opened.

Each unit of each terminal is given a worth. If no station of any size, at any vertex, is worth more than it costs for
those units that it takes best, then no answer costs less than all worths together: this is the dual of placing
stations, each unit on its own. At a station a unit costs its way there, and a `ratio`th of the splitter and of the way
from there to the root. So its worth is a `ratio`th of the splitter and of its own way to the root, and what it brings
a station beyond, which is less the farther from the terminal that stands.

What is brought begins alike for all, as much as is allowed, and is then raised one after the other as far as stations
that would take them leave room. All of it is whole numbers, in units of 1/ratio.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.capacitated import Capacitated
from broadstreet.optimiser.compiled import Ints, compiled
from broadstreet.optimiser.graph import COST_SUM_MAX, FAR
from broadstreet.optimiser.paths import nearest

PAIRS_MAX: Final = 30_000_000
"""Of vertices with terminals and others; with more it is not tried."""
ROUNDS: Final = 12
HALVINGS: Final = 16


@compiled
def rooms(beyond: Ints, brought: Ints, units: Ints, capacity: Ints, cost: Ints) -> Ints:
    """At each vertex what the station that is nearest to being worth its cost lacks. beyond: by terminal and vertex,
    what a unit costs there beyond its least."""
    count, n = beyond.shape
    room = np.empty(n, np.int64)
    gain = np.empty(count, np.int64)
    for v in range(n):
        for t in range(count):
            gain[t] = min(0, beyond[t, v] - brought[t])
        order = np.argsort(gain)
        room[v] = FAR
        for s in range(len(capacity)):
            left, lacks = capacity[s], cost[s]
            for t in order:
                if left == 0 or gain[t] == 0:
                    break
                taken = min(left, units[t])
                lacks += taken * gain[t]
                left -= taken
            room[v] = min(room[v], lacks)
    return room


@compiled
def lift(beyond: Ints, brought: Ints, units: Ints, room: Ints) -> int:
    """Raise what each brings as far as there is room, one after the other. How much that is in all."""
    gained = 0
    for t in range(len(units)):
        step = FAR
        for v in range(len(room)):
            step = min(step, max(0, beyond[t, v] - brought[t]) + room[v] // units[t])
        for v in range(len(room)):
            room[v] -= units[t] * max(0, step - max(0, beyond[t, v] - brought[t]))
        brought[t] += step
        gained += step * units[t]
    return gained


def together_bound(problem: Capacitated) -> int:
    """The least of stations, splitters and units; 0 where the problem is too large to say. Everyone can be reached."""
    whole = int(problem.demand.sum())
    # A ratio of more than there are units is one of all units.
    ratio = min(problem.ratio, whole)
    vertices, which = np.unique(problem.terminals, return_inverse=True)
    units = np.bincount(which, weights=problem.demand).astype(np.int64)
    sizes = [size for size in problem.sizes if size.capacity > 0]
    dearest = max(size.cost for size in sizes) + problem.splitter + float(problem.unit.sum(dtype=np.float64))
    if 4.0 * whole * ratio * dearest > COST_SUM_MAX or len(vertices) * problem.graph.vertices > PAIRS_MAX:
        return 0

    def away(vertex: int) -> Ints:
        return nearest(problem.graph.rows, problem.unit, np.arange(problem.graph.vertices) == vertex)[0]

    home = away(problem.root)
    there = np.flatnonzero(home < FAR)
    beyond = np.stack([ratio * away(int(v))[there] + home[there] - home[v] for v in vertices])
    capacity = np.array([size.capacity for size in sizes], np.int64)
    cost = ratio * np.array([size.cost for size in sizes], np.int64)
    low, high = 0, int(cost.max()) + 1
    for _ in range(HALVINGS):
        middle = (low + high) // 2
        alike = np.full(len(units), middle, np.int64)
        if rooms(beyond, alike, units, capacity, cost).min() >= 0:
            low = middle
        else:
            high = middle
    brought = np.full(len(units), low, np.int64)
    for _ in range(ROUNDS):
        if not lift(beyond, brought, units, rooms(beyond, brought, units, capacity, cost)):
            break
    worth = whole * problem.splitter + int((units * (home[vertices] + brought)).sum())
    return -(-worth // ratio)
