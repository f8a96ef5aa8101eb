"""Shortest ways: from many vertices at once to all others (Dijkstra), who is nearest to whom (Voronoi).

Edges of a cost of `FAR` or more are not walked.
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push


@compiled
def nearest(rows: Rows, cost: Ints, sources: Flags) -> tuple[Ints, Ints, Ints]:
    """For every vertex: how far the nearest source is, which it is (-1: none is reached), and by which place of its own
    row the way there begins (-1 at a source)."""
    n = len(sources)
    distance = np.full(n, FAR, np.int64)
    base = np.full(n, -1, np.int64)
    via = np.full(n, -1, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    size = 0
    for v in range(n):
        if sources[v]:
            distance[v] = 0
            base[v] = v
            size = push(heap, place, distance, size, v)
    while size > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        for p in range(rows.start[u], rows.start[u + 1]):
            c = cost[rows.edge[p]]
            v = rows.head[p]
            if c < FAR and distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                base[v] = base[u]
                via[v] = rows.mate[p]
                size = push(heap, place, distance, size, v)
    return distance, base, via
