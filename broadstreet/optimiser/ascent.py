"""Wong's dual ascent: a lower bound for every Steiner tree, and costs that are left over ("reduced costs").

Each edge is two arcs. The arc into v from its neighbour at place p of v's row has the reduced cost `reduced[p]`. A
terminal that the root does not reach by arcs of reduced cost 0 stands for a cut that every tree must cross: the cut's
arcs fall by the least of their reduced costs, by which the bound rises. Terminals take turns, those with fewest arcs
in their cut first (Pajor, Uchoa, Werneck: A robust and scalable algorithm for the Steiner problem in graphs, 2018).

What is left over is worth as much as the bound: a tree through the arc a costs at least the bound + the way from the
root to a + a + the way on to a terminal, in reduced costs.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push

PATIENCES: Final = (1, 5, 20)
"""None of them is the best for every problem; what one leaves, another may rule out."""


@compiled
def look_back(
    rows: Rows, reduced: Ints, stop: Flags, mark: Ints, turn: int, reached: Ints, found: int, cut: Ints, arcs: int
) -> tuple[int, int, bool]:
    """Walk backwards from `reached[found:]` along arcs of reduced cost 0. Give how many vertices are reached now, how
    many arcs stand in `cut` (some lead from a vertex reached since then), and whether a vertex to stop at was met."""
    at = found
    end = found + 1
    while at < end:
        x = reached[at]
        at += 1
        for p in range(rows.start[x], rows.start[x + 1]):
            y = rows.head[p]
            if mark[y] == turn:
                continue
            if reduced[p] == 0:
                if stop[y]:
                    return end, arcs, True
                mark[y] = turn
                reached[end] = y
                end += 1
            else:
                cut[arcs] = p
                arcs += 1
    return end, arcs, False


@compiled
def raise_cut(
    rows: Rows, reduced: Ints, stop: Flags, mark: Ints, turn: int, v: int, reached: Ints, cut: Ints, limit: int
) -> tuple[int, int]:
    """Let a terminal's cut rise until it has more than `limit` arcs, or reaches another. Give by how much the bound
    rose, and how many arcs the cut has (-1: the terminal is reached, or FAR: it never will be)."""
    reached[0] = v
    mark[v] = turn
    found, arcs, met = look_back(rows, reduced, stop, mark, turn, reached, 0, cut, 0)
    rise = 0
    while not met:
        least = FAR
        kept = 0
        for i in range(arcs):
            p = cut[i]
            if mark[rows.head[p]] != turn:
                cut[kept] = p
                kept += 1
                least = min(least, reduced[p])
        arcs = kept
        if arcs == 0:
            return rise, FAR
        if arcs > limit:
            return rise, arcs
        rise += least
        for i in range(arcs):
            reduced[cut[i]] -= least
        risen = arcs
        for i in range(risen):
            y = rows.head[cut[i]]
            if reduced[cut[i]] == 0 and mark[y] != turn:
                if stop[y]:
                    met = True
                    break
                mark[y] = turn
                reached[found] = y
                found, arcs, met = look_back(rows, reduced, stop, mark, turn, reached, found, cut, arcs)
                if met:
                    break
    return rise, -1


@compiled
def ascend(rows: Rows, cost: Ints, terminal: Flags, root: int, patience: int) -> tuple[int, Ints]:
    """The bound (`FAR`: no tree is there) and every arc's reduced cost, by place. patience: a terminal goes on until
    its cut has more arcs than the next terminal's by one part in so many."""
    n, places = len(terminal), len(rows.head)
    reduced = np.empty(places, np.int64)
    for p in range(places):
        reduced[p] = cost[rows.edge[p]]
    stop = terminal.copy()
    stop[root] = True
    mark = np.full(n, -1, np.int64)
    reached, cut = np.empty(n, np.int64), np.empty(places, np.int64)
    heap, place, key = np.empty(n, np.int64), np.full(n, -1, np.int64), np.zeros(n, np.int64)
    size = 0
    for v in range(n):
        if terminal[v] and v != root:
            key[v] = rows.start[v + 1] - rows.start[v]
            size = push(heap, place, key, size, v)
    bound = turn = 0
    while size > 0:
        v = heap[0]
        size = drop_first(heap, place, key, size)
        limit = FAR if size == 0 else key[heap[0]] + key[heap[0]] // patience
        rise, arcs = raise_cut(rows, reduced, stop, mark, turn, v, reached, cut, limit)
        turn += 1
        bound += rise
        if arcs == FAR or bound >= FAR:
            return FAR, reduced
        if arcs < 0:
            stop[v] = False
        else:
            key[v] = arcs
            size = push(heap, place, key, size, v)
    return bound, reduced


@compiled
def ways_out(rows: Rows, reduced: Ints, root: int) -> Ints:
    """How far every vertex is from the root, in reduced costs."""
    n = len(rows.start) - 1
    distance = np.full(n, FAR, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    distance[root] = 0
    size = push(heap, place, distance, 0, root)
    while size > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        for p in range(rows.start[u], rows.start[u + 1]):
            v, c = rows.head[p], reduced[rows.mate[p]]
            if c < FAR and distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                size = push(heap, place, distance, size, v)
    return distance


@compiled
def ways_on(rows: Rows, reduced: Ints, terminal: Flags, root: int) -> Ints:
    """How far from every vertex the nearest terminal is that is not the root, in reduced costs."""
    n = len(rows.start) - 1
    distance = np.full(n, FAR, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    size = 0
    for v in range(n):
        if terminal[v] and v != root:
            distance[v] = 0
            size = push(heap, place, distance, size, v)
    while size > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        for p in range(rows.start[u], rows.start[u + 1]):
            v, c = rows.head[p], reduced[p]
            if c < FAR and distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                size = push(heap, place, distance, size, v)
    return distance
