"""A tree made better by small steps until none helps: vertices taken in (`insertion`), ways exchanged (`exchange`)."""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.exchange import exchange_ways
from broadstreet.optimiser.forest import prune, span
from broadstreet.optimiser.graph import Rows
from broadstreet.optimiser.growth import grow
from broadstreet.optimiser.insertion import insert_vertices


@compiled
def total(cost: Ints, chosen: Flags) -> int:
    found = 0
    for e in range(len(chosen)):
        if chosen[e]:
            found += cost[e]
    return found


@compiled
def ends(n: int, left: Ints, right: Ints, chosen: Flags) -> Flags:
    """The vertices that chosen edges touch."""
    inside = np.zeros(n, np.bool_)
    for e in range(len(chosen)):
        if chosen[e]:
            inside[left[e]] = True
            inside[right[e]] = True
    return inside


@compiled
def polish(
    rows: Rows,
    left: Ints,
    right: Ints,
    cost: Ints,
    order: Ints,
    terminal: Flags,
    chosen: Flags,
    root: int,
    tried: Ints,
    stirred: Flags,
) -> tuple[Flags, int]:
    """A tree at least as good as that of the chosen edges, and how many passes it took. order: edges by rising cost;
    root: a terminal; tried: all vertices, in the order in which they are tried; stirred: where ways are tried (it is
    written to)."""
    n = len(terminal)
    chosen = chosen.copy()
    now = total(cost, chosen)
    passes = 0
    while True:
        passes += 1
        before = now
        insert_vertices(rows, left, right, cost, chosen, tried)
        prune(rows, terminal, left, right, chosen)
        exchange_ways(rows, cost, terminal, chosen, root, stirred)
        inside = ends(n, left, right, chosen)
        inside[root] = True
        chosen = span(rows, terminal, left, right, order, inside)
        now = total(cost, chosen)
        if now >= before:
            return chosen, passes


@compiled
def plant(
    rows: Rows, left: Ints, right: Ints, cost: Ints, order: Ints, terminal: Flags, seen: Ints, root: int, tried: Ints
) -> tuple[Flags, bool]:
    """Grow a tree by costs as they are `seen`, and polish it by those that are; and whether there is one."""
    inside, whole = grow(rows, seen, terminal, root)
    if not whole:
        return np.zeros(len(cost), np.bool_), False
    chosen = span(rows, terminal, left, right, order, inside)
    stirred = np.ones(len(terminal), np.bool_)
    return polish(rows, left, right, cost, order, terminal, chosen, root, tried, stirred)[0], True
