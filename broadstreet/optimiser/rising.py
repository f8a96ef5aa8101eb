"""Cuts to begin with, and their weights: dual ascent into terminals, and then out of the critical ones.

As in `ascent.py`, a set of vertices from which the root is not reached by arcs that are used up counts for as much as
the least of its arcs has left, and takes it from all of them. Each such set is kept.
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push


@compiled
def grown(held: Ints, size: int) -> Ints:
    """The same numbers with room for so many."""
    if size <= len(held):
        return held
    larger = np.empty(max(size, 2 * len(held)), np.int64)
    larger[: len(held)] = held
    return larger


@compiled
def cut_about(
    rows: Rows, left: Ints, v: int, root: int, out: bool, mark: Ints, turn: int, cut: Ints, seen: Ints
) -> int:
    """The arcs into the vertices that lead to v by arcs used up (out: those out of the ones it leads to). How many; -1:
    the root is among these."""
    mark[v] = turn
    seen[0] = v
    at, end = 0, 1
    while at < end:
        x = seen[at]
        at += 1
        for p in range(rows.start[x], rows.start[x + 1]):
            y = rows.head[p]
            if mark[y] != turn and left[rows.mate[p] if out else p] == 0:
                if y == root:
                    return -1
                mark[y] = turn
                seen[end] = y
                end += 1
    arcs = 0
    for i in range(end):
        for p in range(rows.start[seen[i]], rows.start[seen[i] + 1]):
            a = rows.mate[p] if out else p
            if mark[rows.head[p]] != turn and left[a] < FAR:
                cut[arcs] = a
                arcs += 1
    return arcs


@compiled
def rise(rows: Rows, left: Ints, root: int, terminal: Flags, out: bool) -> tuple[Ints, Ints, Ints]:
    """Cuts in rows (`start`, `place`) and their weights. left: what each arc has left, FAR for one that is not used;
    changed. Terminals with fewest arcs in their cut come first."""
    n = len(terminal)
    start, place, weight = np.zeros(n + 1, np.int64), np.empty(4 * n + 16, np.int64), np.empty(n, np.int64)
    count = 0
    mark, seen, cut = np.full(n, -1, np.int64), np.empty(n, np.int64), np.empty(len(left), np.int64)
    heap, spot, key = np.empty(n, np.int64), np.full(n, -1, np.int64), np.zeros(n, np.int64)
    size = 0
    for v in range(n):
        if terminal[v] and v != root:
            key[v] = rows.start[v + 1] - rows.start[v]
            size = push(heap, spot, key, size, v)
    turn = 0
    while size > 0:
        v = heap[0]
        arcs = cut_about(rows, left, v, root, out, mark, turn, cut, seen)
        turn += 1
        if arcs <= 0:
            size = drop_first(heap, spot, key, size)
            continue
        if arcs > key[v]:
            size = drop_first(heap, spot, key, size)
            key[v] = arcs
            size = push(heap, spot, key, size, v)
            if heap[0] != v:
                continue
        least = FAR
        for i in range(arcs):
            least = min(least, left[cut[i]])
        start, weight = grown(start, count + 2), grown(weight, count + 1)
        place = grown(place, start[count] + arcs)
        for i in range(arcs):
            left[cut[i]] -= least
            place[start[count] + i] = cut[i]
        weight[count] = least
        start[count + 1] = start[count] + arcs
        count += 1
    return start[: count + 1].copy(), place[: start[count]].copy(), weight[:count].copy()
