"""A first tree: from one vertex on, the nearest terminal that is not yet in it is joined by a shortest way (Takahashi,
Matsuyama), again and again. One search does it all: what is joined becomes a source at distance 0.
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push


@compiled
def grow(rows: Rows, cost: Ints, terminal: Flags, root: int) -> tuple[Flags, bool]:
    """The vertices of a tree from the root to all terminals, and whether it reaches them all.

    cost: by edge; those of `FAR` and more are not walked.
    """
    n = len(terminal)
    inside = np.zeros(n, np.bool_)
    distance = np.full(n, FAR, np.int64)
    back = np.full(n, -1, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    distance[root] = 0
    inside[root] = True
    size = push(heap, place, distance, 0, root)
    missing = 0
    for v in range(n):
        missing += terminal[v] and v != root
    while size > 0 and missing > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        if terminal[u] and not inside[u]:
            missing -= 1
            v = u
            while not inside[v]:
                inside[v] = True
                distance[v] = 0
                if v != u:
                    size = push(heap, place, distance, size, v)
                v = back[v]
        for p in range(rows.start[u], rows.start[u + 1]):
            v, c = rows.head[p], cost[rows.edge[p]]
            if c < FAR and distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                back[v] = u
                size = push(heap, place, distance, size, v)
    return inside, missing == 0
