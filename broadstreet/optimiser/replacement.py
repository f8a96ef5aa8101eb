"""Reductions by special distances: edges that are longer than a way round goes, and vertices where no three edges of a
least tree meet are replaced by edges between their neighbours (Duin, Volgenant: Reduction tests for the Steiner problem
in graphs, 1989).

A vertex has at most two edges of some least tree where, for any three or more of its neighbours, the edges to them cost
at least as much as the least spanning tree of these in special distances. Where a distance may run through the vertex
itself, or depends on what else goes at the same time, "at least" must be "more".
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.instance import Change, Instance
from broadstreet.optimiser.paths import nearest
from broadstreet.optimiser.special import (
    Bottleneck,
    Search,
    bound_of,
    forget,
    make_bottleneck,
    make_search,
    within,
)

STEPS: Final = 200
"""After so many edges a search gives up."""
DEGREE_MAX: Final = 4


@compiled
def way_lengths(left: Ints, right: Ints, cost: Ints, distance: Ints) -> Ints:
    """Each edge's length with the ways from both ends to their nearest terminals; `FAR` where there is none."""
    ways = np.empty(len(cost), np.int64)
    for e in range(len(cost)):
        far = max(distance[left[e]], distance[right[e]])
        ways[e] = FAR if far >= FAR else distance[left[e]] + cost[e] + distance[right[e]]
    return ways


def know_bottlenecks(instance: Instance) -> Bottleneck:
    graph = instance.graph
    distance, base, _ = nearest(graph.rows, graph.cost, instance.terminal)
    ways = way_lengths(graph.left, graph.right, graph.cost, distance)
    order = np.argsort(ways, kind="stable")
    return make_bottleneck(graph.rows, graph.left, graph.right, graph.cost, base, ways, order, instance.terminal)


@compiled
def short_edges(
    rows: Rows, left: Ints, right: Ints, cost: Ints, terminal: Flags, known: Bottleneck, steps: int
) -> Flags:
    """The edges for which no way round is known that is as short. Those that are longer than one go at once, those
    that are just as long one after the other."""
    m = len(cost)
    keep = np.ones(m, np.bool_)
    for e in range(m):
        keep[e] = bound_of(known, left[e], right[e], cost[e]) >= cost[e]
    search = make_search(len(terminal))
    for e in range(m):
        if keep[e]:
            u, v = left[e], right[e]
            if rows.start[u + 1] - rows.start[u] > rows.start[v + 1] - rows.start[v]:
                u, v = v, u
            keep[e] = not within(rows, cost, terminal, keep, search, u, -1, e, v, cost[e], steps)
            forget(search)
            if keep[e] and steps > 1:
                keep[e] = not within(rows, cost, terminal, keep, search, v, -1, e, u, cost[e], steps)
                forget(search)
    return keep


@compiled
def least_tree(apart: Ints, k: int, subset: int) -> int:
    """What the least spanning tree of a subset (by bits) of k points costs. apart: (DEGREE_MAX, DEGREE_MAX)."""
    first = 0
    while not (subset >> first) & 1:
        first += 1
    inside = 1 << first
    total = 0
    while inside != subset:
        best, at = 2 * FAR - 1, -1
        for i in range(k):
            if (inside >> i) & 1:
                for j in range(k):
                    if (subset >> j) & 1 and not (inside >> j) & 1 and apart[i, j] < best:
                        best, at = apart[i, j], j
        if at < 0 or best >= FAR:
            return FAR
        total += best
        inside |= 1 << at
    return total


@compiled
def passed_through(costs: Ints, near: Ints, far: Ints, k: int) -> bool:
    """Whether at most two edges of a vertex are in some least tree. costs: its edges'; near: its neighbours' distances
    not through it; far: their special distances, through it or not."""
    for subset in range(1 << k):
        count = 0
        total = 0
        for i in range(k):
            if (subset >> i) & 1:
                count += 1
                total += costs[i]
        if count >= 3 and total < least_tree(near, k, subset) and total <= least_tree(far, k, subset):
            return False
    return True


@compiled
def look_round(
    rows: Rows,
    cost: Ints,
    nowhere: Flags,
    alive: Flags,
    known: Bottleneck,
    search: Search,
    v: int,
    at: Ints,
    k: int,
    near: Ints,
    far: Ints,
    costs: Ints,
) -> None:
    """Write the distances between v's neighbours, at the places `at`: plain and not through v, as far as a search sees;
    and special ones. nowhere: nothing set, for no terminal is rested at."""
    longest = 0
    for i in range(k):
        costs[i] = cost[rows.edge[at[i]]]
        longest = max(longest, costs[i])
    for i in range(k):
        a = rows.head[at[i]]
        within(rows, cost, nowhere, alive, search, a, v, -1, -1, costs[i] + longest, STEPS)
        for j in range(k):
            b = rows.head[at[j]]
            near[i, j] = search.distance[b]
            far[i, j] = bound_of(known, a, b, costs[i] + costs[j])
        forget(search)
    for i in range(k):
        for j in range(k):
            near[i, j] = min(near[i, j], near[j, i])
            far[i, j] = min(far[i, j], near[i, j])


@compiled
def replaceable(
    rows: Rows, cost: Ints, terminal: Flags, origin: Ints, known: Bottleneck, keep: Flags, base: int
) -> tuple[Ints, Ints, Ints]:
    """Replace vertices of three or four edges where that makes no more edges than it takes away. Write what stays into
    `keep`; give the ledger's pairs, whose next number is `base`, and the new edges as `chains` does."""
    n = len(terminal)
    pairs, edges = np.empty((2, len(cost)), np.int64), np.empty((4, len(cost)), np.int64)
    made = 0
    search, touched, nowhere = make_search(n), np.zeros(n, np.bool_), np.zeros(n, np.bool_)
    at, costs = np.empty(DEGREE_MAX, np.int64), np.empty(DEGREE_MAX, np.int64)
    near, far = np.empty((DEGREE_MAX, DEGREE_MAX), np.int64), np.empty((DEGREE_MAX, DEGREE_MAX), np.int64)
    for v in range(n):
        k = rows.start[v + 1] - rows.start[v]
        if terminal[v] or touched[v] or not 3 <= k <= DEGREE_MAX:
            continue
        for i in range(k):
            at[i] = rows.start[v] + i
        look_round(rows, cost, nowhere, keep, known, search, v, at, k, near, far, costs)
        first = made
        for i in range(k):
            for j in range(i):
                both = costs[i] + costs[j]
                if near[i, j] > both and far[i, j] >= both and made - first <= k and made < len(cost):
                    pairs[0, made], pairs[1, made] = origin[rows.edge[at[i]]], origin[rows.edge[at[j]]]
                    edges[0, made], edges[1, made] = rows.head[at[i]], rows.head[at[j]]
                    edges[2, made], edges[3, made] = both, base + made
                    made += 1
        if made - first > k or made >= len(cost) or not passed_through(costs, near, far, k):
            made = first
            continue
        for i in range(k):
            keep[rows.edge[at[i]]] = False
            touched[rows.head[at[i]]] = True
    return pairs[0, :made].copy(), pairs[1, :made].copy(), edges[:, :made].copy().ravel()


def shorten(instance: Instance) -> Change:
    """Take away edges that are longer than a way round, and replace vertices that are only passed through."""
    graph, known = instance.graph, know_bottlenecks(instance)
    keep = short_edges(graph.rows, graph.left, graph.right, graph.cost, instance.terminal, known, STEPS)
    return Change(keep)


def replace_vertices(instance: Instance) -> Change:
    graph, known = instance.graph, know_bottlenecks(instance)
    keep = np.ones(graph.edges, np.bool_)
    one, other, edges = replaceable(
        graph.rows, graph.cost, instance.terminal, instance.origin, known, keep, instance.ledger.end
    )
    left, right, cost, origin = edges.reshape(4, -1)
    return Change(keep, one=one, other=other, left=left, right=right, cost=cost, origin=origin)
