"""Sets that merge, least spanning trees, and trees cut down to what holds their terminals together."""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import Rows


@compiled
def find(parent: Ints, v: int) -> int:
    """The one that stands for v's set; ways there are halved while they are walked."""
    while parent[v] != v:
        parent[v] = parent[parent[v]]
        v = parent[v]
    return v


@compiled
def prune(rows: Rows, terminal: Flags, left: Ints, right: Ints, chosen: Flags) -> None:
    """Take from chosen edges every end that is no terminal, until none is left."""
    n = len(terminal)
    degree = np.zeros(n, np.int64)
    for e in range(len(chosen)):
        if chosen[e]:
            degree[left[e]] += 1
            degree[right[e]] += 1
    for first in range(n):
        v = first
        while degree[v] == 1 and not terminal[v]:
            degree[v] = 0
            for p in range(rows.start[v], rows.start[v + 1]):
                e = rows.edge[p]
                if chosen[e]:
                    chosen[e] = False
                    v = rows.head[p]
                    degree[v] -= 1
                    break


@compiled
def span(rows: Rows, terminal: Flags, left: Ints, right: Ints, order: Ints, inside: Flags) -> Flags:
    """The edges of a least spanning tree of the vertices `inside`, pruned. order: all edges by rising cost."""
    n = len(terminal)
    parent = np.arange(n)
    chosen = np.zeros(len(left), np.bool_)
    for e in order:
        u, v = left[e], right[e]
        if inside[u] and inside[v]:
            a, b = find(parent, u), find(parent, v)
            if a != b:
                parent[a] = b
                chosen[e] = True
    prune(rows, terminal, left, right, chosen)
    return chosen
