"""Which roots of a tree are opened, and where it is cut between them: a dynamic programme, exact for the tree.

A vertex hangs on a root of its tree, or on none. All between it and its root hang on the same one; an edge costs where
both its ends hang on one root, and nothing where it is cut. So the least cost of all below a vertex, for each root that
the vertex may hang on, follows from those of its children: a child hangs on the same root, or the edge is cut and the
child hangs on a root below it, or on none where nobody is there to be reached.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.rehanging import Problem


class Walk(NamedTuple):
    """A forest as a walk: its vertices, each before those below it, a subtree's one after another; of each its place
    (-1: not in it), by place the place above (-1), the edge there, and the place behind the last below it."""

    vertex: Ints
    place: Ints
    up: Ints
    by: Ints
    last: Ints


@compiled
def walk(rows: Rows, chosen: Flags, wanted: Flags) -> Walk:
    """All that chosen edges hold together, and all that is wanted."""
    n = len(wanted)
    vertex, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    up, by, last = np.full(n, -1, np.int64), np.full(n, -1, np.int64), np.zeros(n, np.int64)
    waiting, above, way = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int64)
    count = 0
    for first in range(n):
        if place[first] >= 0:
            continue
        is_in = wanted[first]
        for p in range(rows.start[first], rows.start[first + 1]):
            is_in = is_in or chosen[rows.edge[p]]
        if not is_in:
            continue
        waiting[0], above[0], way[0] = first, -1, -1
        size = 1
        while size > 0:
            size -= 1
            v, here = waiting[size], count
            place[v], vertex[here], up[here], by[here] = here, v, above[size], way[size]
            count += 1
            for p in range(rows.start[v], rows.start[v + 1]):
                if chosen[rows.edge[p]] and rows.edge[p] != by[here]:
                    waiting[size], above[size], way[size] = rows.head[p], here, rows.edge[p]
                    size += 1
    for here in range(count - 1, -1, -1):
        last[here] = max(last[here], here + 1)
        if up[here] >= 0:
            last[up[here]] = max(last[up[here]], last[here])
    return Walk(vertex[:count], place, up[:count], by[:count], last[:count])


@compiled
def away(walked: Walk, length: Ints, at: int, before: int) -> Ints:
    """By place, how far it is from one of them, and what lies before that; FAR in another tree."""
    count = len(walked.vertex)
    found = np.full(count, FAR, np.int64)
    found[at] = before
    here = at
    while walked.up[here] >= 0:
        found[walked.up[here]] = found[here] + length[walked.by[here]]
        here = walked.up[here]
    for place in range(here + 1, walked.last[here]):
        if found[place] >= FAR:
            found[place] = found[walked.up[place]] + length[walked.by[place]]
    return found


@compiled
def sum_of(one: int, other: int) -> int:
    """Their sum, where neither is too much already."""
    return FAR if one >= FAR or other >= FAR else one + other


@compiled
def seat(problem: Problem, chosen: Flags) -> tuple[Flags, Flags, bool]:
    """The edges that stay and the roots that are opened, and whether everyone is near enough to one."""
    rows, cost, length, units, limit, root, root_cost, root_length, per_cost = problem
    m = len(root)
    wanted = units > 0
    for v in root:
        wanted[v] = True
    walked = walk(rows, chosen, wanted)
    count = len(walked.vertex)
    best = np.empty((count, m), np.int64)
    seats = np.empty(m, np.int64)
    for r in range(m):
        seats[r] = walked.place[root[r]]
        apart = away(walked, length, seats[r], root_length[r])
        for here in range(count):
            v, far = walked.vertex[here], apart[here]
            fits = far < FAR and (units[v] == 0 or far <= limit[v])
            best[here, r] = units[v] * far // per_cost if fits else FAR
        if best[seats[r], r] < FAR:
            best[seats[r], r] += root_cost[r]
    none, below, who = np.zeros(count, np.int64), np.empty(count, np.int64), np.full(count, -1, np.int64)
    for here in range(count):
        if units[walked.vertex[here]] > 0:
            none[here] = FAR
    for here in range(count - 1, -1, -1):
        below[here] = none[here]
        for r in range(m):
            if here <= seats[r] < walked.last[here] and best[here, r] < below[here]:
                below[here], who[here] = best[here, r], r
        up = walked.up[here]
        if up < 0:
            continue
        none[up] = sum_of(none[up], below[here])
        for r in range(m):
            found = sum_of(best[here, r], cost[walked.by[here]])
            if not here <= seats[r] < walked.last[here]:
                found = min(found, below[here])
            best[up, r] = sum_of(best[up, r], found)
    hangs = np.full(count, -1, np.int64)
    kept, opened, fits = np.zeros(len(cost), np.bool_), np.zeros(m, np.bool_), True
    for here in range(count):
        up = walked.up[here]
        hangs[here] = who[here]
        if up < 0:
            fits = fits and below[here] < FAR
        elif hangs[up] >= 0:
            r = hangs[up]
            is_below = here <= seats[r] < walked.last[here]
            if is_below or sum_of(best[here, r], cost[walked.by[here]]) < below[here]:
                hangs[here] = r
                kept[walked.by[here]] = True
        if hangs[here] >= 0 and seats[hangs[here]] == here:
            opened[hangs[here]] = True
    return kept, opened, fits
