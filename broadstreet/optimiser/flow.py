"""Cuts that a fractional network does not cross: by how much can flow from one vertex to another along its arcs.

Ways with room are searched breadth-first (Edmonds, Karp 1972); between two vertices no more than 1 is asked for, which
takes few ways. Where less flows, the arcs into what still leads to the end are a least cut; they count as full from
then on, so that the next cut is another.
"""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.rising import grown

WHOLE = 2**30
"""What 1 is counted as."""
ENOUGH = WHOLE - 2**14
CREEP = 2**10
NESTED_MAX = 12
"""So many cuts are sought for one vertex at once."""


@compiled
def push_flow(rows: Rows, room: Ints, begin: int, end: int, back: Ints, queue: Ints, enough: int) -> int:
    """Send flow from begin to end until it is 1 or no way has room. How much. room: by arc; changed. The vertices that
    lead to the end by arcs with room are those with `back` of at least 0, and the end, if it was not 1."""
    whole = 0
    while True:
        back[:] = -1
        queue[0] = end
        at, count = 0, 1
        met = False
        while at < count and not met:
            x = queue[at]
            at += 1
            for p in range(rows.start[x], rows.start[x + 1]):
                y = rows.head[p]
                if room[p] > 0 and back[y] < 0 and y != end:
                    back[y] = p
                    if y == begin:
                        met = True
                        break
                    queue[count] = y
                    count += 1
        if not met:
            return whole
        least = WHOLE
        y = begin
        while y != end:
            least = min(least, room[back[y]])
            y = rows.head[rows.mate[back[y]]]
        y = begin
        while y != end:
            p = back[y]
            room[p] -= least
            room[rows.mate[p]] += least
            y = rows.head[rows.mate[p]]
        whole += least
        if whole >= enough:
            return whole


@compiled
def separate(rows: Rows, value: Ints, used: Flags, root: int, ends: Ints, out: bool, most: int) -> tuple[Ints, Ints]:
    """Cuts in rows (`start`, `place`) that a fractional network does not cross, for the first of `ends` that have any.
    value: by arc, of `WHOLE`. used: arcs that a network may use. out: of flows from the ends to the root."""
    n, arcs = len(rows.start) - 1, len(value)
    start, place = np.zeros(most + NESTED_MAX + 2, np.int64), np.empty(1024, np.int64)
    count = 0
    back, queue, room = np.full(n, -1, np.int64), np.empty(n, np.int64), np.empty(arcs, np.int64)
    full = value.copy()
    for v in ends:
        if v == root:
            continue
        begin, end = (v, root) if out else (root, v)
        for _ in range(NESTED_MAX):
            room[:] = full
            if push_flow(rows, room, begin, end, back, queue, ENOUGH) >= ENOUGH:
                break
            for p in range(arcs):
                if used[p]:
                    room[p] += CREEP
            push_flow(rows, room, begin, end, back, queue, FAR)
            back[end] = 0
            size = start[count]
            for x in range(n):
                if back[x] < 0:
                    continue
                for p in range(rows.start[x], rows.start[x + 1]):
                    if back[rows.head[p]] < 0 and used[p]:
                        place = grown(place, size + 1)
                        place[size] = p
                        size += 1
                        full[p] = WHOLE
            count += 1
            start[count] = size
        if count >= most:
            break
    return start[: count + 1].copy(), place[: start[count]].copy()
