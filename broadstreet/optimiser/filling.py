"""What is left of a budget, spent greedily: from a tree on, what brings most for what it costs, again and again.

A search from the tree gives every vertex the cheapest way there, with all that stands along it. Either all of that is
taken, or one lot at the end of the way alone: the best of them by points for cost that what is left pays for."""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push


@compiled
def look_out(rows: Rows, cost: Ints, inside: Flags, points: Ints, price: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """From the vertices inside, for every vertex: how far it is, the place of its row by which the way back begins (-1:
    it is inside), and all points and prices of the vertices along the way, its own with them. points, price: by
    vertex."""
    n = len(inside)
    distance, via = np.full(n, FAR, np.int64), np.full(n, -1, np.int64)
    bring, ask = points.copy(), price.copy()
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    size = 0
    for v in range(n):
        if inside[v]:
            distance[v] = 0
            size = push(heap, place, distance, size, v)
    while size > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        if via[u] >= 0:
            before = rows.head[via[u]]
            if not inside[before]:
                bring[u] += bring[before]
                ask[u] += ask[before]
        for p in range(rows.start[u], rows.start[u + 1]):
            v, c = rows.head[p], cost[rows.edge[p]]
            if c < FAR and distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                via[v] = rows.mate[p]
                size = push(heap, place, distance, size, v)
    return distance, via, bring, ask


@compiled
def fill(
    rows: Rows,
    cost: Ints,
    vertex: Ints,
    points: Ints,
    price: Ints,
    open_lots: Flags,
    inside: Flags,
    chosen: Flags,
    taken: Flags,
    left: int,
) -> int:
    """Take lots while what is left pays for one; write `inside`, `chosen` (edges) and `taken` (lots). vertex, points,
    price: by lot. open_lots: those that may be taken. Give what is left then."""
    n = len(inside)
    while True:
        here_points, here_price = np.zeros(n, np.int64), np.zeros(n, np.int64)
        for i in range(len(vertex)):
            if open_lots[i] and not taken[i]:
                here_points[vertex[i]] += points[i]
                here_price[vertex[i]] += price[i]
        distance, via, bring, ask = look_out(rows, cost, inside, here_points, here_price)
        best, at, alone = 0.0, -1, -1
        for v in range(n):
            if here_points[v] > 0 and distance[v] < FAR and distance[v] + ask[v] <= left:
                worth = bring[v] / max(1, distance[v] + ask[v])
                if worth > best:
                    best, at = worth, v
        for i in range(len(vertex)):
            if open_lots[i] and not taken[i] and distance[vertex[i]] < FAR:
                whole = distance[vertex[i]] + price[i]
                if whole <= left and points[i] / max(1, whole) > best:
                    best, at, alone = points[i] / max(1, whole), vertex[i], i
        if at < 0:
            return left
        left -= distance[at] + (ask[at] if alone < 0 else price[alone])
        v = at
        entered = np.zeros(n, np.bool_)
        while True:
            entered[v] = not inside[v] or v == at
            inside[v] = True
            if via[v] < 0:
                break
            chosen[rows.edge[via[v]]] = True
            v = rows.head[via[v]]
        for i in range(len(vertex)):
            if open_lots[i] and entered[vertex[i]] and (alone < 0 or alone == i):
                taken[i] = True
