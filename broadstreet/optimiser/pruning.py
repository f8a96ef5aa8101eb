"""Reductions by a bound: what no tree can hold that is cheaper than the best known.

With the reduced costs of a dual ascent and its bound, a tree through an arc costs at least the bound, the way from
the root to the arc, the arc, and the way on to a terminal. Where that is not less than the best tree, the arc goes. A
vertex in which three edges of a tree meet has two ways on, to two terminals; where these make it too dear, it is only
passed through, and is replaced by edges between its neighbours."""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.ascent import ways_out
from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push
from broadstreet.optimiser.instance import Change, Instance

DEGREE_MAX: Final = 3


@compiled
def two_ways_on(rows: Rows, reduced: Ints, terminal: Flags, root: int) -> tuple[Ints, Ints]:
    """How far from every vertex, in reduced costs, two different terminals are that are not the root: places 2·v and
    2·v + 1; and which."""
    n = len(terminal)
    distance, who = np.full(2 * n, FAR, np.int64), np.full(2 * n, -1, np.int64)
    heap, place = np.empty(2 * n, np.int64), np.full(2 * n, -1, np.int64)
    size = 0
    for v in range(n):
        if terminal[v] and v != root:
            distance[2 * v], who[2 * v] = 0, v
            size = push(heap, place, distance, size, 2 * v)
    while size > 0:
        item = heap[0]
        size = drop_first(heap, place, distance, size)
        u = item // 2
        for p in range(rows.start[u], rows.start[u + 1]):
            if reduced[p] >= FAR:
                continue
            d = distance[item] + reduced[p]
            first = 2 * rows.head[p]
            slot = first
            if who[first] != who[item] and (who[first + 1] == who[item] or distance[first + 1] > distance[first]):
                slot = first + 1
            if d < distance[slot]:
                distance[slot], who[slot] = d, who[item]
                size = push(heap, place, distance, size, slot)
    return distance, who


@compiled
def too_dear(
    rows: Rows, reduced: Ints, left: Ints, terminal: Flags, out: Ints, on: Ints, root: int, spare: int
) -> tuple[Flags, Flags]:
    """Edges that stay, and vertices in which no three edges meet, where a tree may cost less than `spare` more than the
    bound. out: from the root; on: as `two_ways_on`."""
    n = len(terminal)
    keep, passed = np.zeros(len(left), np.bool_), np.zeros(n, np.bool_)
    for v in range(n):
        near, far = min(on[2 * v], on[2 * v + 1]), max(on[2 * v], on[2 * v + 1])
        if out[v] >= FAR or near >= FAR or (not terminal[v] and out[v] + near >= spare):
            continue
        passed[v] = not terminal[v] and (far >= FAR or out[v] + near + far >= spare)
        for p in range(rows.start[v], rows.start[v + 1]):
            # the arc from the neighbour into v
            u = rows.head[p]
            if out[u] < FAR and reduced[p] < FAR and v != root and out[u] + reduced[p] + near < spare:
                keep[rows.edge[p]] = True
    return keep, passed


@compiled
def replace_passed(
    rows: Rows, cost: Ints, origin: Ints, keep: Flags, passed: Flags, base: int
) -> tuple[Ints, Ints, Ints]:
    """Replace vertices of three edges that are only passed through by edges between their neighbours. Results as of
    `replaceable`."""
    n = len(passed)
    pairs, edges = np.empty((2, len(cost)), np.int64), np.empty((4, len(cost)), np.int64)
    touched, at = np.zeros(n, np.bool_), np.empty(DEGREE_MAX, np.int64)
    made = 0
    for v in range(n):
        if not passed[v] or touched[v]:
            continue
        k = 0
        for p in range(rows.start[v], rows.start[v + 1]):
            if keep[rows.edge[p]]:
                if k < DEGREE_MAX:
                    at[k] = p
                k += 1
        if k != DEGREE_MAX:
            continue
        for i in range(k):
            j = (i + 1) % k
            pairs[0, made], pairs[1, made] = origin[rows.edge[at[i]]], origin[rows.edge[at[j]]]
            edges[0, made], edges[1, made] = rows.head[at[i]], rows.head[at[j]]
            edges[2, made], edges[3, made] = cost[rows.edge[at[i]]] + cost[rows.edge[at[j]]], base + made
            made += 1
        for i in range(k):
            keep[rows.edge[at[i]]] = False
            touched[rows.head[at[i]]] = True
    return pairs[0, :made].copy(), pairs[1, :made].copy(), edges[:, :made].copy().ravel()


def cut_off(instance: Instance, reduced: Ints, root: int, spare: int) -> Change:
    """Keep what a tree may hold that costs less than `spare` more than the bound that left these reduced costs."""
    graph = instance.graph
    out = ways_out(graph.rows, reduced, root)
    on, _ = two_ways_on(graph.rows, reduced, instance.terminal, root)
    keep, passed = too_dear(graph.rows, reduced, graph.left, instance.terminal, out, on, root, spare)
    one, other, edges = replace_passed(graph.rows, graph.cost, instance.origin, keep, passed, instance.ledger.end)
    left, right, cost, origin = edges.reshape(4, -1)
    return Change(keep, one=one, other=other, left=left, right=right, cost=cost, origin=origin)
