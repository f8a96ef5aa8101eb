"""A network that joins what is to be joined, by two ways where it must: mended where something is missing, trimmed of
what need not be, and bettered by taking an edge away and mending what that breaks.

The second way of a vertex is a shortest one in which held edges cost nothing and the first way's may be taken back,
which reroutes the first (Bhandari 1999): no cheaper edges give that vertex two ways. Costs may be a little wrong, so
that other networks are found; what a network costs is counted by the right ones.
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.bridges import alone_of, explore, is_sound
from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.forest import prune
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push


@compiled
def join(rows: Rows, cost: Ints, held: Flags, root: int, terminal: Flags) -> None:
    """Hold more, until all terminals hang together with the root: always a shortest way to the nearest that does not,
    along what is held for nothing."""
    n = len(terminal)
    inside = np.zeros(n, np.bool_)
    distance, back = np.full(n, FAR, np.int64), np.full(n, -1, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    distance[root] = 0
    inside[root] = True
    missing = 0
    for v in range(n):
        missing += terminal[v] and v != root
    size = push(heap, place, distance, 0, root)
    while size > 0 and missing > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        if terminal[u] and not inside[u]:
            v = u
            while not inside[v]:
                inside[v] = True
                missing -= terminal[v]
                held[rows.edge[back[v]]] = True
                distance[v] = 0
                if v != u:
                    size = push(heap, place, distance, size, v)
                v = rows.head[back[v]]
        for p in range(rows.start[u], rows.start[u + 1]):
            v, e = rows.head[p], rows.edge[p]
            c = 0 if held[e] else cost[e]
            if distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                back[v] = rows.mate[p]
                size = push(heap, place, distance, size, v)


@compiled
def add_second(rows: Rows, cost: Ints, held: Flags, root: int, end: int, via: Ints) -> bool:
    """Hold the cheapest edges that give `end` two ways. via: how each vertex is reached by held edges (see `explore`).
    Whether there are such edges."""
    n = len(via)
    down = np.full(len(held), -1, np.int64)  # of the first way's edges, the end they lead to
    v = end
    while via[v] >= 0:
        down[rows.edge[via[v]]] = v
        v = rows.head[via[v]]
    distance, back = np.full(n, FAR, np.int64), np.full(n, -1, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    distance[end] = 0
    size = push(heap, place, distance, 0, end)
    while size > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        if distance[u] == distance[root]:
            v = root
            while v != end:
                held[rows.edge[back[v]]] = True
                v = rows.head[back[v]]
            return True
        for p in range(rows.start[u], rows.start[u + 1]):
            v, e = rows.head[p], rows.edge[p]
            if down[e] == u:
                continue
            c = 0 if held[e] else cost[e]
            if distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                back[v] = rows.mate[p]
                size = push(heap, place, distance, size, v)
    return False


@compiled
def mend(rows: Rows, cost: Ints, held: Flags, root: int, terminal: Flags, turns: Ints) -> None:
    """Hold more, until all terminals are joined and the critical ones, in these turns, have two ways."""
    order, via, bridge = explore(rows, held, root)
    missing = 0
    for v in range(len(terminal)):
        missing += terminal[v] and v != root and via[v] < 0
    if missing > 0:
        join(rows, cost, held, root, terminal)
        order, via, bridge = explore(rows, held, root)
    alone = alone_of(rows, order, via, bridge)
    for v in turns:
        if alone[v]:
            add_second(rows, cost, held, root, v, via)
            order, via, bridge = explore(rows, held, root)
            alone = alone_of(rows, order, via, bridge)


@compiled
def trim(
    rows: Rows, left: Ints, right: Ints, dear: Ints, held: Flags, root: int, terminal: Flags, critical: Flags
) -> None:
    """Let go of what need not be held, the dearest first. dear: all edges by falling cost."""
    prune(rows, terminal, left, right, held)
    _, via, bridge = explore(rows, held, root)
    needed = np.zeros(len(held), np.bool_)
    for v in range(len(via)):
        if via[v] >= 0 and bridge[v]:
            needed[rows.edge[via[v]]] = True
    for e in dear:
        if not held[e] or needed[e]:
            continue
        held[e] = False
        if is_sound(rows, held, root, terminal, critical):
            prune(rows, terminal, left, right, held)
            continue
        held[e] = True
        mark_chain(rows, held, root, left[e], e, needed)
        mark_chain(rows, held, root, right[e], e, needed)


@compiled
def mark_chain(rows: Rows, held: Flags, root: int, v: int, e: int, needed: Flags) -> None:
    """What is passed through from an edge that is needed is needed, too: the loss of either cuts the same ways."""
    needed[e] = True
    while v != root:
        degree, other = 0, -1
        for p in range(rows.start[v], rows.start[v + 1]):
            if held[rows.edge[p]]:
                degree += 1
                if rows.edge[p] != e:
                    other = p
        if degree != 2 or needed[rows.edge[other]]:
            return
        e = rows.edge[other]
        v = rows.head[other]
        needed[e] = True


@compiled
def cost_of(cost: Ints, held: Flags) -> int:
    total = 0
    for e in range(len(held)):
        if held[e]:
            total += cost[e]
    return total


@compiled
def exchange(
    rows: Rows,
    left: Ints,
    right: Ints,
    cost: Ints,
    dear: Ints,
    held: Flags,
    root: int,
    terminal: Flags,
    critical: Flags,
    turns: Ints,
    tried: Ints,
) -> int:
    """Take edges away one by one, mend, trim, and keep what became cheaper. tried: which edges, in their order. How
    often it did."""
    found = 0
    whole = cost_of(cost, held)
    for e in tried:
        if not held[e]:
            continue
        other = held.copy()
        other[e] = False
        prune(rows, terminal, left, right, other)
        without = np.where(np.arange(len(cost)) == e, FAR // 4, cost)
        mend(rows, without, other, root, terminal, turns)
        if other[e] or cost_of(cost, other) > whole + cost[e]:
            continue
        trim(rows, left, right, dear, other, root, terminal, critical)
        better = cost_of(cost, other)
        if better < whole:
            whole = better
            held[:] = other
            found += 1
    return found
