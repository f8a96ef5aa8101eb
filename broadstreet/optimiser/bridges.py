"""Bridges of a network in a graph: what hangs together with a root, and what one loss would cut off.

A vertex is alone where a bridge lies between it and the root: an edge whose loss alone would part them. Two ways that
share no edge lead to each other vertex that is reached (Menger). One search finds all, by lowpoints (Tarjan 1974).
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import Graph, Rows


@compiled
def explore(rows: Rows, held: Flags, root: int) -> tuple[Ints, Ints, Flags]:
    """The vertices that held edges join with the root, each after the one it was found from; for every vertex by which
    place of its row it was found (-1: the root, or not reached); and whether the edge there is a bridge."""
    n = len(rows.start) - 1
    order, via = np.empty(n, np.int64), np.full(n, -1, np.int64)
    number, low = np.full(n, -1, np.int64), np.zeros(n, np.int64)
    at, stack = rows.start[:n].copy(), np.empty(n, np.int64)
    bridge = np.zeros(n, np.bool_)
    order[0] = stack[0] = root
    number[root] = 0
    count = depth = 1
    while depth > 0:
        v = stack[depth - 1]
        if at[v] < rows.start[v + 1]:
            p = at[v]
            at[v] += 1
            if not held[rows.edge[p]] or p == via[v]:
                continue
            w = rows.head[p]
            if number[w] >= 0:
                low[v] = min(low[v], number[w])
                continue
            via[w] = rows.mate[p]
            number[w] = low[w] = count
            order[count] = w
            stack[depth] = w
            count += 1
            depth += 1
        else:
            depth -= 1
            if depth > 0:
                u = stack[depth - 1]
                low[u] = min(low[u], low[v])
                bridge[v] = low[v] == number[v]
    return order[:count], via, bridge


@compiled
def alone_of(rows: Rows, order: Ints, via: Ints, bridge: Flags) -> Flags:
    """For every vertex that was found whether a bridge lies between it and the root."""
    alone = np.zeros(len(via), np.bool_)
    for v in order[1:]:
        alone[v] = bridge[v] or alone[rows.head[via[v]]]
    return alone


@compiled
def is_sound(rows: Rows, held: Flags, root: int, terminal: Flags, critical: Flags) -> bool:
    """Whether held edges join all terminals with the root, and two ways lead to each that is critical."""
    order, via, bridge = explore(rows, held, root)
    alone = alone_of(rows, order, via, bridge)
    missed = 0
    for v in range(len(via)):
        missed += terminal[v] and v != root and (via[v] < 0 or (critical[v] and alone[v]))
    return missed == 0


@compiled
def ring_edges(rows: Rows, held: Flags, root: int) -> Flags:
    """Which of what is held and reached is no bridge."""
    order, via, bridge = explore(rows, held, root)
    ring = np.zeros(len(held), np.bool_)
    for v in order:
        for p in range(rows.start[v], rows.start[v + 1]):
            ring[rows.edge[p]] = held[rows.edge[p]]
    for v in order[1:]:
        if bridge[v]:
            ring[rows.edge[via[v]]] = False
    return ring


def sole_edges(graph: Graph, root: int) -> Ints:
    """For every vertex the nearest edge that all ways from the root share; -1 where none leads there, -2 where two ways
    share none."""
    rows = graph.rows
    order, via, bridge = explore(rows, np.ones(graph.edges, np.bool_), root)
    sole = np.full(graph.vertices, -1, np.int64)
    sole[root] = -2
    for v in order[1:]:
        sole[v] = rows.edge[via[v]] if bridge[v] else sole[rows.head[via[v]]]
    return sole
