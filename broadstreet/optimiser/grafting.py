"""Shorter ways for those who are too far from every root along a tree, as cheap as they can be found.

One after another, the worst first, each gets a way from a root that is within his limit: the cheapest by cost and
length together, edges that are there already for nothing, at the least price of length for which it is short enough.
What then is there has rings; the shortest ways in it are the forest.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push
from broadstreet.optimiser.rehanging import Problem

FINE: Final = 1024
"""The least price of length that is tried is one cost for so much of it; each next is twice that."""
PRICES: Final = 28
"""How many prices there are."""


@compiled
def reach(rows: Rows, weight: Ints, walkable: Flags, root: Ints, before: Ints) -> tuple[Ints, Ints]:
    """How far each vertex is from the nearest root by walkable edges, and by which place of its row one goes there."""
    n = len(rows.start) - 1
    distance, via = np.full(n, FAR, np.int64), np.full(n, -1, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    size = 0
    for r in range(len(root)):
        if before[r] < distance[root[r]]:
            distance[root[r]] = before[r]
            size = push(heap, place, distance, size, root[r])
    while size > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        for p in range(rows.start[u], rows.start[u + 1]):
            e, v = rows.edge[p], rows.head[p]
            if walkable[e] and distance[u] + weight[e] < distance[v]:
                distance[v] = distance[u] + weight[e]
                via[v] = rows.mate[p]
                size = push(heap, place, distance, size, v)
    return distance, via


@compiled
def way_back(rows: Rows, length: Ints, via: Ints, v: int) -> tuple[int, int]:
    """How long the way from a vertex to its root is, and where it ends."""
    found = 0
    while via[v] >= 0:
        found += length[rows.edge[via[v]]]
        v = rows.head[via[v]]
    return found, v


@compiled
def lead_to(rows: Rows, cost: Ints, length: Ints, root: Ints, before: Ints, there: Flags, v: int, limit: int) -> None:
    """Take in a way from a root to a vertex, within its limit, at the least price of length that gives one."""
    anywhere = np.ones(len(cost), np.bool_)
    low, high = -1, PRICES
    weight, start = length.copy(), before.copy()
    _, best = reach(rows, weight, anywhere, root, start)
    while high - low > 1:
        middle = (low + high) // 2
        for e in range(len(cost)):
            weight[e] = (0 if there[e] else cost[e]) + (length[e] << middle) // FINE
        for r in range(len(root)):
            start[r] = (before[r] << middle) // FINE
        _, via = reach(rows, weight, anywhere, root, start)
        found, end = way_back(rows, length, via, v)
        least = FAR
        for r in range(len(root)):
            if root[r] == end:
                least = min(least, before[r])
        if found + least <= limit:
            high, best = middle, via
        else:
            low = middle
    while best[v] >= 0:
        there[rows.edge[best[v]]] = True
        v = rows.head[best[v]]


@compiled
def graft(problem: Problem, chosen: Flags) -> tuple[Flags, Flags]:
    """A forest in which everyone is near enough to some root, of one that need not be so (the same where it is), and
    all edges it was made of. By some way everyone must be near enough."""
    rows, cost, length, units, limit, root, _, before, _ = problem
    n = len(units)
    there = chosen.copy()
    grafted = False
    for _ in range(n):
        distance, via = reach(rows, length, there, root, before)
        worst, over = -1, 0
        for v in range(n):
            if units[v] > 0 and distance[v] - limit[v] > over:
                worst, over = v, distance[v] - limit[v]
        if worst < 0:
            break
        grafted = True
        lead_to(rows, cost, length, root, before, there, worst, limit[worst])
    if not grafted:
        return chosen, chosen
    found = np.zeros(len(cost), np.bool_)
    for v in range(n):
        if via[v] >= 0:
            found[rows.edge[via[v]]] = True
    return found, there
