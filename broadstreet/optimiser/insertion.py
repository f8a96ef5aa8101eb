"""Better by one vertex more: a vertex beside the tree is taken in where the least spanning tree of all becomes cheaper.

The tree is held as a parent by vertex, and turned so that a given vertex is its root by walking the way there. A vertex
is tried with one edge after the other: each that closes a ring drives the ring's dearest edge out.
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import Rows


@compiled
def hang(rows: Rows, chosen: Flags, parent: Ints, by: Ints) -> None:
    """Write every vertex's parent in a forest of chosen edges, and the edge that leads there (both -1 at a root)."""
    n = len(parent)
    parent[:] = -1
    by[:] = -1
    seen = np.zeros(n, np.bool_)
    waiting = np.empty(n, np.int64)
    for first in range(n):
        if seen[first]:
            continue
        seen[first] = True
        waiting[0] = first
        size = 1
        while size > 0:
            size -= 1
            u = waiting[size]
            for p in range(rows.start[u], rows.start[u + 1]):
                v = rows.head[p]
                if chosen[rows.edge[p]] and not seen[v]:
                    seen[v] = True
                    parent[v] = u
                    by[v] = rows.edge[p]
                    waiting[size] = v
                    size += 1


@compiled
def turn(parent: Ints, by: Ints, v: int) -> None:
    """Make v the root of its tree."""
    above, edge = parent[v], by[v]
    parent[v] = -1
    by[v] = -1
    while above >= 0:
        further, next_edge = parent[above], by[above]
        parent[above] = v
        by[above] = edge
        v, above, edge = above, further, next_edge


@compiled
def join(parent: Ints, by: Ints, cost: Ints, left: Ints, right: Ints, e: int, v: int) -> int:
    """Take in the edge e at v, which is turned to be a root. Give the edge driven out: -1 if none was, e itself if it
    is the dearest of its ring."""
    u = left[e] + right[e] - v
    dearest, at = -1, -1
    x = u
    while parent[x] >= 0:
        if dearest < 0 or cost[by[x]] > cost[dearest]:
            dearest, at = by[x], x
        x = parent[x]
    if x == v:
        if cost[dearest] <= cost[e]:
            return e
        parent[at] = -1
        by[at] = -1
    else:
        dearest = -1
    turn(parent, by, u)
    parent[u] = v
    by[u] = e
    return dearest


@compiled
def insert_vertices(rows: Rows, left: Ints, right: Ints, cost: Ints, chosen: Flags, tried: Ints) -> int:
    """Take in every vertex that makes the tree of chosen edges cheaper; leaves may stand out then. tried: vertices in
    the order in which they are tried. Give by how much it fell."""
    n = len(rows.start) - 1
    parent, by = np.empty(n, np.int64), np.empty(n, np.int64)
    hang(rows, chosen, parent, by)
    inside = np.zeros(n, np.bool_)
    for e in range(len(chosen)):
        if chosen[e]:
            inside[left[e]] = True
            inside[right[e]] = True
    longest = 0
    for v in range(n):
        longest = max(longest, rows.start[v + 1] - rows.start[v])
    added, removed = np.empty(longest, np.int64), np.empty(longest, np.int64)
    gained = 0
    while True:
        before = gained
        for v in tried:
            if inside[v]:
                continue
            beside = 0
            for p in range(rows.start[v], rows.start[v + 1]):
                beside += inside[rows.head[p]]
            if beside < 2:
                continue
            count = 0
            gain = 0
            for p in range(rows.start[v], rows.start[v + 1]):
                e = rows.edge[p]
                if not inside[rows.head[p]]:
                    continue
                out = join(parent, by, cost, left, right, e, v)
                if out == e:
                    continue
                added[count], removed[count] = e, out
                count += 1
                gain -= cost[e]
                if out >= 0:
                    gain += cost[out]
            if gain > 0:
                gained += gain
                inside[v] = True
                for i in range(count):
                    chosen[added[i]] = True
                for i in range(count):
                    if removed[i] >= 0:
                        chosen[removed[i]] = False
            else:
                undo(parent, by, left, right, added, removed, count, v)
        if gained == before:
            break
    return gained


@compiled
def undo(parent: Ints, by: Ints, left: Ints, right: Ints, added: Ints, removed: Ints, count: int, v: int) -> None:
    """Take back a trial: the edges it added, and those it drove out, last first."""
    for i in range(count - 1, -1, -1):
        u = left[added[i]] + right[added[i]] - v
        parent[u] = -1
        by[u] = -1
        e = removed[i]
        if e >= 0:
            turn(parent, by, left[e])
            parent[left[e]] = right[e]
            by[left[e]] = e
            turn(parent, by, v)
