"""Reductions by what stands beside a vertex: ends that lead nowhere, vertices passed through, terminals sure to be
joined.

* What no terminal is reached from goes; of edges side by side the cheapest stays (`Instance.apply`).
* A vertex with one edge goes; a terminal with one edge is joined by it.
* A vertex with two edges becomes one edge.
* A terminal is joined with another where every way out of a set around it but one costs more than the whole way from
  terminal to terminal by that one: the set is the terminal itself ("nearest vertex") or all that is nearer to it than
  to any other ("short links"; Polzin, Vahdati Daneshmand: Improved algorithms for the Steiner problem in networks,
  2001).
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.forest import find, prune
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.instance import Change, Instance
from broadstreet.optimiser.paths import nearest


@compiled
def live_edges(rows: Rows, terminal: Flags, left: Ints, right: Ints) -> Flags:
    """The edges in the part of the graph where a terminal is, without what hangs there with no terminal at its end."""
    n, m = len(terminal), len(left)
    keep, seen, waiting = np.ones(m, np.bool_), np.zeros(n, np.bool_), np.empty(n, np.int64)
    size = 0
    for v in range(n):
        if terminal[v]:
            waiting[0] = v
            seen[v] = True
            size = 1
            break
    while size > 0:
        size -= 1
        u = waiting[size]
        for p in range(rows.start[u], rows.start[u + 1]):
            if not seen[rows.head[p]]:
                seen[rows.head[p]] = True
                waiting[size] = rows.head[p]
                size += 1
    for e in range(m):
        keep[e] = seen[left[e]]
    prune(rows, terminal, left, right, keep)
    return keep


@compiled
def chains(rows: Rows, terminal: Flags, cost: Ints, origin: Ints, keep: Flags, base: int) -> tuple[Ints, Ints, Ints]:
    """Replace every row of edges through vertices of degree two by one edge. Give pairs of numbers for the ledger,
    whose next number is `base`, and the new edges: (pairs), (pairs), and four numbers an edge in the order of
    `Change`, all first numbers first."""
    n, m = len(terminal), len(cost)
    pairs, edges = np.empty((2, m), np.int64), np.empty((4, m), np.int64)
    count = made = 0
    through = np.zeros(n, np.bool_)
    for v in range(n):
        degree = 0
        for p in range(rows.start[v], rows.start[v + 1]):
            degree += keep[rows.edge[p]]
        through[v] = degree == 2 and not terminal[v]
    for v in range(n):
        if through[v]:
            continue
        for first in range(rows.start[v], rows.start[v + 1]):
            p = first
            if not keep[rows.edge[p]] or not through[rows.head[p]]:
                continue
            keep[rows.edge[p]] = False
            number, total = origin[rows.edge[p]], cost[rows.edge[p]]
            x = rows.head[p]
            while through[x]:
                for q in range(rows.start[x], rows.start[x + 1]):
                    if keep[rows.edge[q]]:
                        p = q
                        break
                keep[rows.edge[p]] = False
                pairs[0, count], pairs[1, count] = number, origin[rows.edge[p]]
                number = base + count
                count += 1
                total += cost[rows.edge[p]]
                x = rows.head[p]
            if x != v:
                edges[0, made], edges[1, made], edges[2, made], edges[3, made] = v, x, total, number
                made += 1
    return pairs[0, :count].copy(), pairs[1, :count].copy(), edges[:, :made].copy().ravel()


def thin(instance: Instance) -> Change:
    """Take away what leads nowhere, and vertices passed through."""
    graph = instance.graph
    keep = live_edges(graph.rows, instance.terminal, graph.left, graph.right)
    one, other, edges = chains(graph.rows, instance.terminal, graph.cost, instance.origin, keep, instance.ledger.end)
    left, right, cost, origin = edges.reshape(4, -1)
    return Change(keep, one=one, other=other, left=left, right=right, cost=cost, origin=origin)


@compiled
def sure_joins(rows: Rows, terminal: Flags, left: Ints, right: Ints, cost: Ints, distance: Ints, base: Ints) -> Flags:
    """Edges that some least tree surely has, no two of them at one terminal's region. distance, base: as `nearest`."""
    n, m = len(terminal), len(cost)
    least, second, best = np.full(n, FAR, np.int64), np.full(n, FAR, np.int64), np.full(n, -1, np.int64)
    for e in range(m):
        a, b = base[left[e]], base[right[e]]
        if a == b or a < 0 or b < 0:
            continue
        for t in (a, b):
            if cost[e] < least[t]:
                second[t] = least[t]
                least[t] = cost[e]
                best[t] = e
            elif cost[e] < second[t]:
                second[t] = cost[e]
    taken, sure = np.zeros(n, np.bool_), np.zeros(m, np.bool_)
    for t in range(n):
        if not terminal[t]:
            continue
        e = best[t]
        if e >= 0:
            a, b = base[left[e]], base[right[e]]
            if not taken[a] and not taken[b] and distance[left[e]] + cost[e] + distance[right[e]] <= second[t]:
                sure[e] = True
                taken[a] = True
                taken[b] = True
                continue
        e, next_cost = -1, FAR
        for p in range(rows.start[t], rows.start[t + 1]):
            if e < 0 or cost[rows.edge[p]] < cost[e]:
                if e >= 0:
                    next_cost = min(next_cost, cost[e])
                e = rows.edge[p]
            else:
                next_cost = min(next_cost, cost[rows.edge[p]])
        if e >= 0 and not taken[t]:
            v = left[e] + right[e] - t
            b = base[v]
            if b != t and b >= 0 and not taken[b] and cost[e] + distance[v] <= next_cost:
                sure[e] = True
                taken[t] = True
                taken[b] = True
    return sure


@compiled
def merge_ends(n: int, left: Ints, right: Ints, sure: Flags) -> Ints:
    merge = np.arange(n)
    for e in range(len(sure)):
        if sure[e]:
            merge[find(merge, left[e])] = find(merge, right[e])
    return merge


def join_terminals(instance: Instance) -> Change | None:
    """Decide for edges that are sure; None where there is none."""
    graph = instance.graph
    distance, base, _ = nearest(graph.rows, graph.cost, instance.terminal)
    sure = sure_joins(graph.rows, instance.terminal, graph.left, graph.right, graph.cost, distance, base)
    if not sure.any():
        return None
    return Change(
        ~sure,
        merge=merge_ends(graph.vertices, graph.left, graph.right, sure),
        fixed=instance.origin[sure],
        fixed_cost=int(graph.cost[sure].sum()),
    )
