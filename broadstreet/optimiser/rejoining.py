"""A tree with stations made better: a way of it is taken out, and its two sides are joined where that costs least, with
the units counted that went along it.

What a way carries is known from the stations as they stand; what the other way would cost is that of its edges, with
so many units, and with what these cost from there to the root. That stations then stand elsewhere, and that what hangs
below is turned round, is not foreseen: where the guess promises enough, the whole is appraised (`housing`), and that
decides. (Key-path exchange as in Steiner trees, after Uchoa and Werneck 2010; by whole costs as in local access
networks, after Gavish 1991.)
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.forest import prune
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push
from broadstreet.optimiser.housing import Housed, Prices, appraise, house


@compiled
def way_of(rows: Rows, wanted: Flags, housed: Housed, at: Ints, size: int, edge: int) -> tuple[int, int]:
    """The way that an edge of the tree is on, from a place that matters to the next: the position below it, and that
    above. at: the position of each vertex."""
    below = np.zeros(size, np.int64)
    low = -1
    for i in range(1, size):
        below[housed.up[i]] += 1
        if housed.by[i] == edge:
            low = i
    if low < 0:
        return -1, -1
    top = housed.up[low]
    while top > 0 and not wanted[housed.vertex[top]] and below[top] == 1:
        top = housed.up[top]
    while not wanted[housed.vertex[low]] and below[low] == 1:
        u = housed.vertex[low]
        for p in range(rows.start[u], rows.start[u + 1]):
            i = at[rows.head[p]]
            if i >= 0 and housed.up[i] == low and housed.by[i] == rows.edge[p]:
                low = i
                break
    return low, top


@compiled
def rejoin(
    rows: Rows,
    left: Ints,
    right: Ints,
    cost: Ints,
    unit: Ints,
    chosen: Flags,
    wanted: Flags,
    housed: Housed,
    edge: int,
    slack: int,
) -> tuple[bool, Flags]:
    """The tree with the way that an edge is on exchanged for the cheapest that does without this edge; and whether that
    promises to be cheaper, or dearer by less than `slack`."""
    n = len(wanted)
    size = len(housed.vertex) - len(housed.station)
    at = np.full(n, -1, np.int64)
    at[housed.vertex[:size]] = np.arange(size)
    other = chosen.copy()
    low, top = way_of(rows, wanted, housed, at, size, edge)
    if low < 0:
        return False, other
    carried = housed.open[low] + housed.fed[low]
    saved = carried * housed.depth[low]
    # Where the tree is left: above the way (1), below it (2), and nowhere on it (0).
    side = np.ones(size, np.int64)
    i = low
    while i != top:
        saved += cost[housed.by[i]]
        other[housed.by[i]] = False
        side[i] = 0
        i = housed.up[i]
    side[low] = 2
    key, back = np.full(n, FAR, np.int64), np.full(n, -1, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    waiting = 0
    for i in range(size):
        if i > low and side[housed.up[i]] == 2:
            side[i] = 2
        elif side[i] == 1:
            key[housed.vertex[i]] = carried * housed.depth[i]
            waiting = push(heap, place, key, waiting, housed.vertex[i])
    while waiting > 0 and key[heap[0]] < saved + slack:
        u = heap[0]
        waiting = drop_first(heap, place, key, waiting)
        if at[u] >= 0 and side[at[u]] == 2:
            while back[u] >= 0:
                other[rows.edge[back[u]]] = True
                u = rows.head[back[u]]
            prune(rows, wanted, left, right, other)
            return True, other
        for p in range(rows.start[u], rows.start[u + 1]):
            e, v = rows.edge[p], rows.head[p]
            # What is above stays a tree: no way leads through it.
            if e != edge and not (at[v] >= 0 and side[at[v]] == 1):
                found = key[u] + cost[e] + carried * unit[e]
                if found < key[v]:
                    key[v] = found
                    back[v] = rows.mate[p]
                    waiting = push(heap, place, key, waiting, v)
    return False, other


@compiled
def exchange(
    rows: Rows,
    left: Ints,
    right: Ints,
    cost: Ints,
    chosen: Flags,
    wanted: Flags,
    root: int,
    prices: Prices,
    edges: Ints,
    slack: int,
) -> tuple[Flags, int]:
    """Try the ways of these edges, one after the other, and keep what makes the whole cheaper. How much is gained."""
    housed = house(rows, chosen, root, prices)
    gained = 0
    for edge in edges:
        if not chosen[edge]:
            continue
        is_worth, other = rejoin(rows, left, right, cost, prices.unit, chosen, wanted, housed, edge, slack)
        if not is_worth:
            continue
        gain = housed.cost - appraise(rows, other, root, prices)
        for e in range(len(cost)):
            gain += cost[e] * (int(chosen[e]) - int(other[e]))
        if gain > 0:
            gained += gain
            chosen = other
            housed = house(rows, chosen, root, prices)
    return chosen, gained
