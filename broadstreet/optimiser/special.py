"""How far two vertices are when one may rest at terminals: the bottleneck or "special" distance.

A walk from u to v is cut by the terminals it passes; what counts is its longest piece. An edge longer than that is in
no least tree. Exact values are dear; two bounds from above are not. `Bottleneck` knows each vertex's nearest
terminals and the least spanning tree of all terminals. `within` searches the neighbourhood, and may go round a vertex
or an edge."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push

NEAR: Final = 4
"""How many terminals near each vertex are known."""


class Bottleneck(NamedTuple):
    """`distance`, `who`: the nearest terminals of vertex v at places NEAR·v … (who -1: no more). `parent`, `toll`: a
    tree of terminals in which the dearest step on the way between two is that of their least spanning tree."""

    distance: Ints
    who: Ints
    parent: Ints
    toll: Ints


@compiled
def near_terminals(rows: Rows, cost: Ints, terminal: Flags) -> tuple[Ints, Ints]:
    """For every vertex its nearest terminals, with how far they are; itself among them."""
    n = len(terminal)
    distance, who = np.full(NEAR * n, FAR, np.int64), np.full(NEAR * n, -1, np.int64)
    heap, place = np.empty(NEAR * n, np.int64), np.full(NEAR * n, -1, np.int64)
    size = 0
    for v in range(n):
        if terminal[v]:
            distance[NEAR * v], who[NEAR * v] = 0, v
            size = push(heap, place, distance, size, NEAR * v)
    while size > 0:
        item = heap[0]
        size = drop_first(heap, place, distance, size)
        u = item // NEAR
        for p in range(rows.start[u], rows.start[u + 1]):
            d = distance[item] + cost[rows.edge[p]]
            first = NEAR * rows.head[p]
            worst = first
            for slot in range(first, first + NEAR):
                if who[slot] == who[item]:
                    worst = slot
                    break
                if distance[slot] > distance[worst]:
                    worst = slot
            if d < distance[worst]:
                distance[worst], who[worst] = d, who[item]
                size = push(heap, place, distance, size, worst)
    return distance, who


@compiled
def make_bottleneck(
    rows: Rows, left: Ints, right: Ints, cost: Ints, base: Ints, ways: Ints, order: Ints, terminal: Flags
) -> Bottleneck:
    """ways: each edge's length with the ways from its ends to their nearest terminals `base`; order: edges by that."""
    n = len(terminal)
    parent, toll, weight = np.arange(n), np.full(n, FAR, np.int64), np.ones(n, np.int64)
    for e in order:
        a, b = base[left[e]], base[right[e]]
        if a < 0 or b < 0 or ways[e] >= FAR:
            continue
        while parent[a] != a:
            a = parent[a]
        while parent[b] != b:
            b = parent[b]
        if a != b:
            if weight[a] > weight[b]:
                a, b = b, a
            parent[a], toll[a] = b, ways[e]
            weight[b] += weight[a]
    distance, who = near_terminals(rows, cost, terminal)
    return Bottleneck(distance, who, parent, toll)


@compiled
def dearest_step(parent: Ints, toll: Ints, a: int, b: int) -> int:
    """The dearest step between two terminals in their least spanning tree. Tolls rise on the way to the top."""
    dearest = 0
    while a != b:
        if toll[a] <= toll[b]:
            if toll[a] >= FAR:
                return FAR
            dearest = max(dearest, toll[a])
            a = parent[a]
        else:
            dearest = max(dearest, toll[b])
            b = parent[b]
    return dearest


@compiled
def bound_of(known: Bottleneck, u: int, v: int, limit: int) -> int:
    """A special distance of u and v that is surely reached, or `limit` if none below it is known."""
    best = limit
    for i in range(NEAR * u, NEAR * u + NEAR):
        if known.distance[i] >= best:
            continue
        for j in range(NEAR * v, NEAR * v + NEAR):
            far = max(known.distance[i], known.distance[j])
            if far < best:
                best = min(best, max(far, dearest_step(known.parent, known.toll, known.who[i], known.who[j])))
    return best


class Search(NamedTuple):
    """What a search in the neighbourhood writes: `distance` is `FAR` but at `touched[:counts[0]]`."""

    distance: Ints
    heap: Ints
    place: Ints
    touched: Ints
    counts: Ints


@compiled
def make_search(n: int) -> Search:
    return Search(
        np.full(n, FAR, np.int64),
        np.empty(n, np.int64),
        np.full(n, -1, np.int64),
        np.empty(n, np.int64),
        np.zeros(1, np.int64),
    )


@compiled
def forget(search: Search) -> None:
    for i in range(search.counts[0]):
        search.distance[search.touched[i]] = FAR
        search.place[search.touched[i]] = -1
    search.counts[0] = 0


@compiled
def within(
    rows: Rows,
    cost: Ints,
    terminal: Flags,
    alive: Flags,
    search: Search,
    u: int,
    around: int,
    not_by: int,
    target: int,
    limit: int,
    steps: int,
) -> bool:
    """Search from u by living edges, not through the vertex `around` nor by the edge `not_by`, no piece longer than
    `limit`, until `target` is met or `steps` edges were looked at. `search.distance`: the last piece's length, the
    whole way's where no terminal is rested at; the caller forgets it."""
    search.distance[u] = 0
    search.touched[0] = u
    search.counts[0] = 1
    size = push(search.heap, search.place, search.distance, 0, u)
    while size > 0 and steps > 0:
        x = search.heap[0]
        steps -= rows.start[x + 1] - rows.start[x]
        size = drop_first(search.heap, search.place, search.distance, size)
        for p in range(rows.start[x], rows.start[x + 1]):
            y, e = rows.head[p], rows.edge[p]
            d = search.distance[x] + cost[e]
            if d > limit or y == around or e == not_by or not alive[e] or d >= search.distance[y]:
                continue
            if y == target:
                return True
            if search.distance[y] == FAR:
                search.touched[search.counts[0]] = y
                search.counts[0] += 1
            search.distance[y] = 0 if terminal[y] else d
            size = push(search.heap, search.place, search.distance, size, y)
    return False
