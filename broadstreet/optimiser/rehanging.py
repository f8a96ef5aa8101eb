"""Hangs the branches of a forest where they cost least, within everyone's limit.

A branch is what hangs below a vertex where ways meet or somebody is reached. The way up from it, to the next such
vertex, is taken away, and the cheapest other way from the branch to the rest of the forest is sought: what its edges
cost, and what carrying costs all units of the branch from there to the root. Small branches may be hung by any of
their vertices, and are turned round; large ones by their own first. A root that nothing hangs on any more is closed,
and its price saved. So it goes on, branch by branch, until none can be hung better.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push

TURNED_MAX: Final = 300
"""Branches of so many vertices or fewer are turned round."""
PASSES_MAX: Final = 30


class Hung(NamedTuple):
    """A forest as it hangs, by vertex. walk: its vertices, each before those below it, a branch's one after another;
    place: of each there (-1: not in it). depth: how far from its root. last: behind its branch's last place. below: how
    many edges lead down. units: in its branch, in all. carried: those times how far each is from this vertex. allowed:
    the farthest that it may be from its root."""

    walk: Ints
    place: Ints
    parent: Ints
    by: Ints
    owner: Ints
    depth: Ints
    last: Ints
    below: Ints
    units: Ints
    carried: Ints
    allowed: Ints


class Problem(NamedTuple):
    """The problem's arrays, as `Reaching` has them."""

    rows: Rows
    cost: Ints
    length: Ints
    units: Ints
    limit: Ints
    root: Ints
    root_cost: Ints
    root_length: Ints
    per_cost: int


class Search(NamedTuple):
    """Room for a search, by vertex; what it touched is set back after it. key: what it costs to come there from the
    branch, with all that is carried by it; paid: what its edges cost; long: how far that is; start: where in the branch
    it begins; via: the place of the row it came by (-1: it is where it begins). turned: what carrying within the branch
    costs, if it hung by this vertex; allowed: how far this might then be from the root; rest: how far the vertex above
    might, if it were not for what is below."""

    heap: Ints
    place: Ints
    touched: Ints
    key: Ints
    paid: Ints
    long: Ints
    start: Ints
    via: Ints
    turned: Ints
    allowed: Ints
    rest: Ints


@compiled
def hang(problem: Problem, chosen: Flags, opened: Flags) -> Hung:
    """How chosen edges hang on opened roots."""
    rows, units = problem.rows, problem.units
    n = len(units)
    order, place, parent = np.empty(n, np.int64), np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    by, owner, depth = np.full(n, -1, np.int64), np.full(n, -1, np.int64), np.full(n, FAR, np.int64)
    last, below, total = np.zeros(n, np.int64), np.zeros(n, np.int64), units.copy()
    carried, allowed = np.zeros(n, np.int64), np.full(n, FAR, np.int64)
    waiting = np.empty(n, np.int64)
    count = 0
    for r in range(len(problem.root)):
        if not opened[r] or place[problem.root[r]] >= 0:
            continue
        waiting[0] = problem.root[r]
        depth[problem.root[r]], owner[problem.root[r]] = problem.root_length[r], r
        size = 1
        while size > 0:
            size -= 1
            v = waiting[size]
            place[v], order[count] = count, v
            count += 1
            for p in range(rows.start[v], rows.start[v + 1]):
                e, u = rows.edge[p], rows.head[p]
                if chosen[e] and e != by[v]:
                    parent[u], by[u], owner[u], depth[u] = v, e, r, depth[v] + problem.length[e]
                    below[v] += 1
                    waiting[size] = u
                    size += 1
    for i in range(count - 1, -1, -1):
        v = order[i]
        last[v] = max(last[v], i + 1)
        if units[v] > 0:
            allowed[v] = min(allowed[v], problem.limit[v])
        if parent[v] >= 0:
            u, far = parent[v], problem.length[by[v]]
            last[u] = max(last[u], last[v])
            total[u] += total[v]
            carried[u] += carried[v] + total[v] * far
            if allowed[v] < FAR:
                allowed[u] = min(allowed[u], allowed[v] - far)
    return Hung(order[:count], place, parent, by, owner, depth, last, below, total, carried, allowed)


@compiled
def turn(problem: Problem, hung: Hung, v: int, search: Search) -> None:
    """What it would cost to carry all units of a branch within it, and how far it may be from the root, for each of its
    vertices that it might hang by."""
    rows = problem.rows
    search.turned[v], search.allowed[v] = hung.carried[v], hung.allowed[v]
    for i in range(hung.place[v] + 1, hung.last[v]):
        u = hung.walk[i]
        up, far = hung.parent[u], problem.length[hung.by[u]]
        search.turned[u] = search.turned[up] + (hung.units[v] - 2 * hung.units[u]) * far
        rest = problem.limit[up] if problem.units[up] > 0 else FAR
        if up != v and search.rest[up] < FAR:
            rest = min(rest, search.rest[up] - problem.length[hung.by[up]])
        for p in range(rows.start[up], rows.start[up + 1]):
            beside = rows.head[p]
            is_below = beside != u and hung.by[beside] == rows.edge[p] and hung.parent[beside] == up
            if is_below and hung.allowed[beside] < FAR:
                rest = min(rest, hung.allowed[beside] - problem.length[rows.edge[p]])
        search.rest[u] = rest
        search.allowed[u] = min(hung.allowed[u], rest - far if rest < FAR else FAR)


@compiled
def way_up(problem: Problem, hung: Hung, v: int) -> tuple[int, int, int]:
    """Where the way up from a branch ends, what its edges cost, and what the root there does if nothing else hangs on
    it."""
    paid, u = 0, v
    while True:
        paid += problem.cost[hung.by[u]]
        u = hung.parent[u]
        is_needed = hung.below[u] > 1 or problem.units[u] > 0
        if hung.parent[u] < 0:
            return u, paid, 0 if is_needed else problem.root_cost[hung.owner[u]]
        if is_needed:
            return u, paid, 0


@compiled
def begin(problem: Problem, hung: Hung, v: int, spend: int, search: Search) -> tuple[int, int]:
    """Lets the search for another way begin at a branch's vertices, or at its first if it is large. How many it
    touched, and how many wait."""
    size, many = 0, 0
    if hung.last[v] - hung.place[v] <= TURNED_MAX:
        turn(problem, hung, v, search)
        end = hung.last[v]
    else:
        search.turned[v], search.allowed[v] = hung.carried[v], hung.allowed[v]
        end = hung.place[v] + 1
    for i in range(hung.place[v], end):
        u = hung.walk[i]
        key = search.turned[u] // problem.per_cost
        if key < spend:
            search.touched[many], many = u, many + 1
            search.key[u], search.paid[u], search.long[u], search.start[u], search.via[u] = key, 0, 0, u, -1
            size = push(search.heap, search.place, search.key, size, u)
    return many, size


@compiled
def better_way(problem: Problem, hung: Hung, v: int, top: int, spend: int, again: int, search: Search) -> int:
    """To which vertex of the rest of the forest the cheapest way from a branch leads for which less is spent in all, by
    edges and carrying; -1 if there is none. top: where its way up ends, and what it costs to come there `again`."""
    rows, first, last = problem.rows, hung.place[v], hung.last[v]
    count, per_cost = hung.units[v], problem.per_cost
    many, size = begin(problem, hung, v, spend, search)
    best, to = spend, -1
    while size > 0:
        u = search.heap[0]
        if search.key[u] >= best:
            break
        size = drop_first(search.heap, search.place, search.key, size)
        at = hung.place[u]
        if at >= 0 and not first <= at < last and not is_between(problem, hung, u, v, top):
            start, depth = search.start[u], hung.depth[u] + search.long[u]
            found = search.paid[u] + (count * depth + search.turned[start]) // per_cost + again * (u == top)
            if found < best and depth <= search.allowed[start]:
                best, to = found, u
            continue
        for p in range(rows.start[u], rows.start[u + 1]):
            w, e = rows.head[p], rows.edge[p]
            if first <= hung.place[w] < last:
                continue
            key = search.key[u] + problem.cost[e] + count * problem.length[e] // per_cost
            if key < best and key < search.key[w]:
                if search.key[w] >= FAR:
                    search.touched[many], many = w, many + 1
                search.key[w], search.paid[w] = key, search.paid[u] + problem.cost[e]
                search.long[w], search.start[w] = search.long[u] + problem.length[e], search.start[u]
                search.via[w] = rows.mate[p]
                size = push(search.heap, search.place, search.key, size, w)
    for i in range(many):
        search.key[search.touched[i]], search.place[search.touched[i]] = FAR, -1
    return to


@compiled
def is_between(problem: Problem, hung: Hung, u: int, v: int, top: int) -> bool:
    """Whether a vertex is on the way up from a branch, and no end of it."""
    return (
        u != top
        and hung.below[u] == 1
        and problem.units[u] == 0
        and hung.parent[u] >= 0
        and hung.place[u] <= hung.place[v] < hung.last[u]
        and hung.place[top] < hung.place[u]
    )


@compiled
def rehang(problem: Problem, chosen: Flags, opened: Flags) -> Hung:
    """Hangs branches better, in place, while any can be. How all hangs then."""
    n = len(problem.units)
    search = Search(
        np.empty(n, np.int64),
        np.full(n, -1, np.int64),
        np.empty(n, np.int64),
        np.full(n, FAR, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.full(n, -1, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
        np.empty(n, np.int64),
    )
    hung = hang(problem, chosen, opened)
    for _ in range(PASSES_MAX):
        moved = False
        for v in hung.walk[::-1].copy():
            if hung.parent[v] < 0 or hung.units[v] == 0 or (problem.units[v] == 0 and hung.below[v] < 2):
                continue
            top, paid, closing = way_up(problem, hung, v)
            spend = paid + closing + (hung.units[v] * hung.depth[v] + hung.carried[v]) // problem.per_cost
            to = better_way(problem, hung, v, top, spend, closing, search)
            if to < 0:
                continue
            u = v
            while u != top:
                chosen[hung.by[u]] = False
                u = hung.parent[u]
            if closing > 0 and to != top:
                opened[hung.owner[top]] = False
            u = to
            while search.via[u] >= 0:
                chosen[problem.rows.edge[search.via[u]]] = True
                u = problem.rows.head[search.via[u]]
            hung = hang(problem, chosen, opened)
            moved = True
        if not moved:
            break
    return hung
