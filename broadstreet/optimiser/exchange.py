"""Better by other ways: a key vertex with the ways at it, or one way between two, is taken out, and the parts are
joined again by the cheapest ways there are (Uchoa, Werneck: Fast local search for the Steiner problem in graphs,
2010).

A key vertex is a terminal or where three ways of the tree meet; a way leads from one to the next. The tree is rooted
and walked from its leaves up. Every vertex of the graph knows the nearest of the tree and how far it is; an edge
between two that belong to different ones is a way between those. Each part of the tree keeps those of its own in a
heap (skew, so that two melt into one), and what leads to within the part is thrown away when it comes up. What
belonged to vertices taken out is assigned anew, for the trial alone.

After an exchange the parts of the tree above it are no longer what they were; they wait for the next pass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.forest import find
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push
from broadstreet.optimiser.regions import (
    Heaps,
    Hung,
    Regions,
    gather,
    make_heaps,
    make_regions,
    melt,
    root_tree,
)


class Trial(NamedTuple):
    """What one trial writes. `out`: vertices taken out; `below`: the uppermost vertex of each part under them; `lost`:
    vertices that belonged to what is out, those with `stamp` of the trial's number, and whom they belong to now; the
    links found, each by place, cost and the two parts it joins. `counts`: how many of out, below, lost, links."""

    out: Ints
    below: Ints
    lost: Ints
    stamp: Ints
    distance: Ints
    base: Ints
    via: Ints
    heap: Ints
    place: Ints
    link: Ints
    price: Ints
    one: Ints
    other: Ints
    used: Flags
    counts: Ints


OUT, BELOW, LOST, LINKS = range(4)


@compiled
def make_trial(n: int, places: int) -> Trial:
    lists = np.empty((6, n), np.int64)
    links = np.empty((4, 2 * places), np.int64)
    return Trial(
        lists[0],
        lists[1],
        lists[2],
        np.full(n, -1, np.int64),
        np.full(n, FAR, np.int64),
        lists[3],
        lists[4],
        lists[5],
        np.full(n, -1, np.int64),
        links[0],
        links[1],
        links[2],
        links[3],
        np.zeros(2 * places, np.bool_),
        np.zeros(4, np.int64),
    )


@compiled
def part_of(hung: Hung, trial: Trial, gone: Flags, highest: int, b: int) -> int:
    """Which part a vertex of the tree is in: 0 … of those below, how many those are for the part above, -1 if out."""
    if gone[b]:
        return -1
    at = hung.entry[b]
    if at < hung.entry[highest] or at > hung.last[highest]:
        return int(trial.counts[BELOW])
    for i in range(trial.counts[BELOW]):
        if hung.entry[trial.below[i]] <= at <= hung.last[trial.below[i]]:
            return i
    return -1


@compiled
def add_link(trial: Trial, p: int, price: int, one: int, other: int) -> None:
    i = trial.counts[LINKS]
    trial.counts[LINKS] += 1
    trial.link[i], trial.price[i], trial.one[i], trial.other[i] = p, price, one, other


@compiled
def links_of_heaps(
    rows: Rows,
    regions: Regions,
    heaps: Heaps,
    top: Ints,
    hung: Hung,
    trial: Trial,
    gone: Flags,
    highest: int,
    limit: int,
) -> None:
    """Each part's ways to the others, up to its cheapest to the part above. What leads nowhere is thrown away."""
    above = trial.counts[BELOW]
    for i in range(above):
        c = trial.below[i]
        while top[c] >= 0:
            p = top[c]
            if heaps.key[p] >= limit:
                break
            here, there = regions.base[rows.head[rows.mate[p]]], regions.base[rows.head[p]]
            j = part_of(hung, trial, gone, highest, there)
            if j >= 0 and j != i and not gone[here]:
                add_link(trial, p, heaps.key[p], i, j)
                if j == above:
                    break
            top[c] = melt(heaps, heaps.left[p], heaps.right[p])


@compiled
def reassign(
    rows: Rows, cost: Ints, regions: Regions, hung: Hung, trial: Trial, gone: Flags, highest: int, turn: int, limit: int
) -> None:
    """Find the nearest part for all that belonged to what is out, as far as it is nearer than `limit`."""
    size = 0
    count = 0
    for i in range(trial.counts[OUT]):
        x = regions.first[trial.out[i]]
        while x >= 0:
            trial.lost[count] = x
            trial.stamp[x] = turn
            trial.distance[x] = FAR
            trial.base[x] = -1
            count += 1
            x = regions.next[x]
    trial.counts[LOST] = count
    for i in range(count):
        x = trial.lost[i]
        for p in range(rows.start[x], rows.start[x + 1]):
            y = rows.head[p]
            if trial.stamp[y] == turn or regions.base[y] < 0 or cost[rows.edge[p]] >= FAR:
                continue
            d = regions.distance[y] + cost[rows.edge[p]]
            if d < limit and d < trial.distance[x] and part_of(hung, trial, gone, highest, regions.base[y]) >= 0:
                trial.distance[x], trial.base[x], trial.via[x] = d, regions.base[y], p
        if trial.base[x] >= 0:
            size = push(trial.heap, trial.place, trial.distance, size, x)
    while size > 0:
        x = trial.heap[0]
        size = drop_first(trial.heap, trial.place, trial.distance, size)
        for p in range(rows.start[x], rows.start[x + 1]):
            y = rows.head[p]
            d = trial.distance[x] + cost[rows.edge[p]]
            if trial.stamp[y] == turn and d < limit and d < trial.distance[y]:
                trial.distance[y], trial.base[y], trial.via[y] = d, trial.base[x], rows.mate[p]
                size = push(trial.heap, trial.place, trial.distance, size, y)


@compiled
def links_of_lost(
    rows: Rows, cost: Ints, regions: Regions, hung: Hung, trial: Trial, gone: Flags, highest: int, turn: int, limit: int
) -> None:
    """The ways between parts that begin at a vertex assigned anew."""
    for i in range(trial.counts[LOST]):
        x = trial.lost[i]
        if trial.base[x] < 0:
            continue
        one = part_of(hung, trial, gone, highest, trial.base[x])
        for p in range(rows.start[x], rows.start[x + 1]):
            y = rows.head[p]
            anew = trial.stamp[y] == turn
            b = trial.base[y] if anew else regions.base[y]
            if b < 0 or cost[rows.edge[p]] >= FAR:
                continue
            price = trial.distance[x] + cost[rows.edge[p]] + (trial.distance[y] if anew else regions.distance[y])
            if price < limit:
                other = part_of(hung, trial, gone, highest, b)
                if other >= 0 and other != one:
                    add_link(trial, p, price, one, other)


@compiled
def choose_links(trial: Trial, sets: Ints, parts: int, limit: int) -> int:
    """Mark the links `used` that join all parts most cheaply. What they cost, or `limit` if that is not less."""
    for i in range(parts):
        sets[i] = i
    for i in range(trial.counts[LINKS]):
        trial.used[i] = False
    total = 0
    for _ in range(parts - 1):
        best = -1
        for i in range(trial.counts[LINKS]):
            if (best < 0 or trial.price[i] < trial.price[best]) and find(sets, trial.one[i]) != find(
                sets, trial.other[i]
            ):
                best = i
        if best < 0:
            return limit
        total += trial.price[best]
        if total >= limit:
            return limit
        trial.used[best] = True
        sets[find(sets, trial.one[best])] = find(sets, trial.other[best])
    return total


@compiled
def lay(rows: Rows, regions: Regions, trial: Trial, turn: int, chosen: Flags, stirred: Flags, x: int) -> int:
    """Choose the edges of the way from x to the vertex of the tree that it belongs to, which is given."""
    while True:
        stirred[x] = True
        anew = trial.stamp[x] == turn
        p = trial.via[x] if anew else regions.via[x]
        if p < 0:
            return x
        chosen[rows.edge[p]] = True
        x = rows.head[p]


@compiled
def take_out(
    rows: Rows, hung: Hung, trial: Trial, cost: Ints, blocked: Flags, stirred: Flags, u: int, whole: bool
) -> tuple[int, int, bool]:
    """Write what is out in a trial: the way from u up; if `whole`, u itself too, and the ways down. Give what that
    saves (-1: no trial can be made), the highest vertex out or, if none is, u, and whether any of it is stirred."""
    trial.counts[:] = 0
    highest = u
    fresh = stirred[u]
    saved = cost[hung.by[u]]
    while not hung.key[hung.parent[highest]]:
        highest = hung.parent[highest]
        if blocked[highest]:
            return -1, u, fresh
        fresh = fresh or stirred[highest]
        saved += cost[hung.by[highest]]
        trial.out[trial.counts[OUT]] = highest
        trial.counts[OUT] += 1
    fresh = fresh or stirred[hung.parent[highest]]
    if not whole:
        trial.below[0] = u
        trial.counts[BELOW] = 1
        return saved, highest, fresh
    trial.out[trial.counts[OUT]] = u
    trial.counts[OUT] += 1
    for p in range(rows.start[u], rows.start[u + 1]):
        x = rows.head[p]
        if hung.entry[x] < 0 or hung.parent[x] != u or hung.by[x] != rows.edge[p]:
            continue
        saved += cost[hung.by[x]]
        while not hung.key[x]:
            if blocked[x]:
                return -1, u, fresh
            fresh = fresh or stirred[x]
            trial.out[trial.counts[OUT]] = x
            trial.counts[OUT] += 1
            x = hung.walk[hung.entry[x] + 1]
            saved += cost[hung.by[x]]
        fresh = fresh or stirred[x]
        trial.below[trial.counts[BELOW]] = x
        trial.counts[BELOW] += 1
    return saved, highest, fresh


@compiled
def carry_out(
    rows: Rows,
    regions: Regions,
    hung: Hung,
    trial: Trial,
    chosen: Flags,
    gone: Flags,
    blocked: Flags,
    stirred: Flags,
    turn: int,
    u: int,
) -> None:
    """Make the exchange that the trial found: what is out goes, what is used is laid, what stands above is blocked, and
    what it touched is stirred."""
    for i in range(trial.counts[OUT]):
        gone[trial.out[i]] = True
    for i in range(trial.counts[BELOW]):
        x = trial.below[i]
        stirred[x] = True
        chosen[hung.by[x]] = False
        while gone[hung.parent[x]]:
            x = hung.parent[x]
            chosen[hung.by[x]] = False
        stirred[hung.parent[x]] = True
    for i in range(trial.counts[LINKS]):
        if trial.used[i]:
            p = trial.link[i]
            chosen[rows.edge[p]] = True
            for x in (rows.head[p], rows.head[rows.mate[p]]):
                b = lay(rows, regions, trial, turn, chosen, stirred, x)
                while b >= 0 and not blocked[b]:
                    blocked[b] = True
                    b = hung.parent[b]
    x = u
    while x >= 0 and not blocked[x]:
        blocked[x] = True
        x = hung.parent[x]


@compiled
def exchange_ways(rows: Rows, cost: Ints, terminal: Flags, chosen: Flags, root: int, stirred: Flags) -> int:
    """One pass over a tree of chosen edges, from the leaves to the root, a terminal. Give by how much it fell at least;
    it may hold a ring then or a leaf that is no terminal, where two exchanges met.

    stirred: trials are made only where one of these vertices is concerned; those to be looked at in the next pass are
    written there.
    """
    hung = root_tree(rows, terminal, chosen, root)
    n = len(terminal)
    regions = make_regions(rows, cost, hung.entry >= 0)
    heaps, top = make_heaps(rows, cost, regions)
    trial = make_trial(n, len(rows.head))
    gone, blocked, sets = np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.empty(n, np.int64)
    before = stirred.copy()
    stirred[:] = False
    gained = turn = 0
    for at in range(len(hung.walk) - 1, 0, -1):
        u = hung.walk[at]
        if not hung.key[u]:
            continue
        if blocked[u]:
            stirred[u] = stirred[u] or before[u]
            continue
        for whole in (True, False):
            if whole and terminal[u]:
                continue
            saved, highest, fresh = take_out(rows, hung, trial, cost, blocked, before, u, whole)
            if not whole:
                gather(rows, heaps, top, hung, u)
            if saved < 0 or not fresh:
                stirred[u] = stirred[u] or fresh
                continue
            turn += 1
            links_of_heaps(rows, regions, heaps, top, hung, trial, gone, highest, saved)
            if trial.counts[OUT] > 0:
                reassign(rows, cost, regions, hung, trial, gone, highest, turn, saved)
                links_of_lost(rows, cost, regions, hung, trial, gone, highest, turn, saved)
            total = choose_links(trial, sets, trial.counts[BELOW] + 1, saved)
            if total < saved:
                carry_out(rows, regions, hung, trial, chosen, gone, blocked, stirred, turn, u)
                gained += saved - total
                break
    return gained
