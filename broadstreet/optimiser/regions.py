"""A rooted tree, and who in the graph is nearest to which of its vertices, with the ways between these in heaps.

A heap is a skew heap, so that two melt into one; its members are places of the rows, each an edge between two regions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.paths import nearest


class Hung(NamedTuple):
    """The rooted tree. `walk`: its vertices, root first, each before those below; `entry` a vertex's place there and
    `last` the place of the last below it; `key`: key vertices."""

    parent: Ints
    by: Ints
    walk: Ints
    entry: Ints
    last: Ints
    key: Flags


class Regions(NamedTuple):
    """Who is nearest to whom: `distance`, `base`, `via` as `nearest` gives them, and each base's vertices as a
    chain."""

    distance: Ints
    base: Ints
    via: Ints
    first: Ints
    next: Ints


class Heaps(NamedTuple):
    """Places of the rows as members of skew heaps by `key`."""

    key: Ints
    left: Ints
    right: Ints


@compiled
def root_tree(rows: Rows, terminal: Flags, chosen: Flags, root: int) -> Hung:
    n = len(terminal)
    parent, by = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    walk, entry, last = np.empty(n, np.int64), np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    key = terminal.copy()
    waiting = np.empty(n, np.int64)
    waiting[0] = root
    size, count = 1, 0
    while size > 0:
        size -= 1
        u = waiting[size]
        entry[u] = count
        walk[count] = u
        count += 1
        degree = 0
        for p in range(rows.start[u], rows.start[u + 1]):
            if chosen[rows.edge[p]]:
                degree += 1
                v = rows.head[p]
                if v != parent[u]:
                    parent[v] = u
                    by[v] = rows.edge[p]
                    waiting[size] = v
                    size += 1
        key[u] = key[u] or degree > 2
    for i in range(count - 1, -1, -1):
        u = walk[i]
        last[u] = max(last[u], i)
        if parent[u] >= 0:
            last[parent[u]] = max(last[parent[u]], last[u])
    return Hung(parent, by, walk[:count], entry, last, key)


@compiled
def melt(heaps: Heaps, a: int, b: int) -> int:
    """One skew heap of two; -1 is an empty one."""
    if a < 0 or b < 0:
        return max(a, b)
    if heaps.key[b] < heaps.key[a]:
        a, b = b, a
    top = a
    while True:
        below = heaps.right[a]
        heaps.right[a] = heaps.left[a]
        if below < 0:
            heaps.left[a] = b
            return top
        if heaps.key[b] < heaps.key[below]:
            below, b = b, below
        heaps.left[a] = below
        a = below


@compiled
def make_heaps(rows: Rows, cost: Ints, regions: Regions) -> tuple[Heaps, Ints]:
    """A heap for each vertex of the tree, and its top (-1: empty), of all ways that begin in its region."""
    n, places = len(rows.start) - 1, len(rows.head)
    heaps = Heaps(np.full(places, FAR, np.int64), np.full(places, -1, np.int64), np.full(places, -1, np.int64))
    top = np.full(n, -1, np.int64)
    for x in range(n):
        b = regions.base[x]
        if b < 0:
            continue
        for p in range(rows.start[x], rows.start[x + 1]):
            y = rows.head[p]
            if regions.base[y] != b and regions.base[y] >= 0 and cost[rows.edge[p]] < FAR:
                heaps.key[p] = regions.distance[x] + cost[rows.edge[p]] + regions.distance[y]
                top[b] = melt(heaps, top[b], p)
    return heaps, top


@compiled
def make_regions(rows: Rows, cost: Ints, inside: Flags) -> Regions:
    n = len(inside)
    distance, base, via = nearest(rows, cost, inside)
    first, chain = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for x in range(n):
        if base[x] >= 0:
            chain[x] = first[base[x]]
            first[base[x]] = x
    return Regions(distance, base, via, first, chain)


@compiled
def gather(rows: Rows, heaps: Heaps, top: Ints, hung: Hung, u: int) -> None:
    """Let u's heap hold those of all that stands below it."""
    for p in range(rows.start[u], rows.start[u + 1]):
        x = rows.head[p]
        if hung.entry[x] < 0 or hung.parent[x] != u or hung.by[x] != rows.edge[p]:
            continue
        while True:
            top[u] = melt(heaps, top[u], top[x])
            if hung.key[x]:
                break
            x = hung.walk[hung.entry[x] + 1]
