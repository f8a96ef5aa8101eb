"""Where stations stand on a tree: a dynamic programme from the leaves to the root.

Each terminal hangs below its vertex, as a leaf of its own. What comes up from below may join what is open at a vertex,
or have a station of its own there; and all that is open may have one, or go on. A state is how many units are open.
Since everything that a station costs is known where it stands, the cheapest is exact among answers in which a station
stands above those who hang on it, and who is open at one place goes on together. It takes as many steps as there are
vertices times the largest station's capacity. Then each station moves to where those who hang on it cost least
(`median`), which may be below some of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows

Splits = npt.NDArray[np.int32]


class Prices(NamedTuple):
    """Of a problem with stations, for the compiled. station: by units, what the cheapest station costs."""

    unit: Ints
    terminals: Ints
    demand: Ints
    station: Ints
    ratio: int
    splitter: int


class Housed(NamedTuple):
    """A tree by position, the root's first and each above those below it; terminals come last, one position each.

    vertex, up, by: of each, with the position above and the edge there (-1: none). depth: what a unit costs from
    there to the root. open: how many units go up from it. fed: how many the stations at or below it send up.
    station: by terminal, the position of its station, and its number there.
    """

    cost: int
    vertex: Ints
    up: Ints
    by: Ints
    depth: Ints
    open: Ints
    fed: Ints
    station: Ints


@compiled
def hang(rows: Rows, chosen: Flags, root: int, prices: Prices) -> tuple[Ints, Ints, Ints, Ints, bool]:
    """Vertices from the root on, with terminals after them: vertex, up, by, depth; and whether all are there."""
    n = len(rows.start) - 1
    at = np.full(n, -1, np.int64)
    most = n + len(prices.terminals)
    vertex, up, by = np.empty(most, np.int64), np.full(most, -1, np.int64), np.full(most, -1, np.int64)
    depth = np.zeros(most, np.int64)
    vertex[0] = root
    at[root] = 0
    size, here = 1, 0
    while here < size:
        u = vertex[here]
        for p in range(rows.start[u], rows.start[u + 1]):
            v, e = rows.head[p], rows.edge[p]
            if chosen[e] and at[v] < 0:
                at[v] = size
                vertex[size], up[size], by[size] = v, here, e
                depth[size] = depth[here] + prices.unit[e]
                size += 1
        here += 1
    whole = True
    for t in range(len(prices.terminals)):
        v = prices.terminals[t]
        if at[v] < 0:
            whole = False
            break
        vertex[size], up[size], depth[size] = v, at[v], depth[at[v]]
        size += 1
    return vertex[:size], up[:size], by[:size], depth[:size], whole


@compiled
def fill(up: Ints, by: Ints, depth: Ints, prices: Prices) -> tuple[int, Splits, Ints, Ints]:
    """The least that units and stations cost. split: by position and what is open above once it has joined, how many
    of these are its own. closed: how many are open where all have a station (0: none has). alone: how many have a
    station of their own above it, if nothing of it is to go on."""
    size, most = len(up), len(prices.station) - 1
    first = size - len(prices.terminals)
    table = np.empty((size, most + 1), np.int64)
    split = np.empty((size, most + 1), np.int32)
    high = np.zeros(size, np.int64)
    closed, alone = np.zeros(size, np.int64), np.zeros(size, np.int64)
    for i in range(size):
        table[i, 0] = 0
        if i >= first:
            high[i] = prices.demand[i - first]
            table[i, : high[i]] = FAR
            table[i, high[i]] = 0
    merged = np.empty(most + 1, np.int64)
    for i in range(size - 1, -1, -1):
        mine = table[i]
        if i < first:
            for c in range(1, high[i] + 1):
                if mine[c] < FAR:
                    fed = -(-c // prices.ratio) * (prices.splitter + depth[i])
                    found = mine[c] + prices.station[c] + fed
                    if found < mine[0]:
                        mine[0] = found
                        closed[i] = c
        if i == 0:
            break
        p = up[i]
        unit = prices.unit[by[i]] if by[i] >= 0 else 0
        for c in range(1, high[i] + 1):
            if mine[c] < FAR:
                mine[c] += c * unit
        own = mine[0]
        for c in range(1, high[i] + 1):
            if mine[c] < FAR:
                found = mine[c] + prices.station[c] + -(-c // prices.ratio) * (prices.splitter + depth[p])
                if found < own:
                    own = found
                    alone[i] = c
        mine[0] = own
        theirs = table[p]
        top = min(most, high[p] + high[i])
        merged[: top + 1] = FAR
        for c in range(high[i] + 1):
            if mine[c] < FAR:
                for d in range(min(high[p], most - c) + 1):
                    if theirs[d] < FAR and theirs[d] + mine[c] < merged[c + d]:
                        merged[c + d] = theirs[d] + mine[c]
                        split[i, c + d] = c
        theirs[: top + 1] = merged[: top + 1]
        high[p] = top
    return int(table[0, 0]), split, closed, alone


@compiled
def appraise(rows: Rows, chosen: Flags, root: int, prices: Prices) -> int:
    """The least that units and stations cost on a tree; FAR where it does not hold everyone."""
    _, up, by, depth, whole = hang(rows, chosen, root, prices)
    if not whole:
        return FAR
    return fill(up, by, depth, prices)[0]


@compiled
def house(rows: Rows, chosen: Flags, root: int, prices: Prices) -> Housed:
    """Stations on a tree that holds everyone."""
    vertex, up, by, depth, _ = hang(rows, chosen, root, prices)
    cost, split, closed, alone = fill(up, by, depth, prices)
    size = len(up)
    first = size - len(prices.terminals)
    # What is open above a position, once it has joined and before those that joined later have left; to which station.
    above, to = np.zeros(size, np.int64), np.full(size, -1, np.int64)
    open_units, fed = np.zeros(size, np.int64), np.zeros(size, np.int64)
    station, number = np.full((len(prices.terminals), 2), -1, np.int64), 0
    for i in range(size):
        if i > 0:
            p = up[i]
            c = split[i, above[p]]
            above[p] -= c
            open_units[i], to_above = c, to[p]
            if c == 0 and alone[i] > 0:
                open_units[i] = c = alone[i]
                to_above = p * size + number
                number += 1
                fed[p] += -(-c // prices.ratio)
            to[i] = to_above if c > 0 else -1
        if i >= first:
            station[i - first, 0] = to[i] // size
            station[i - first, 1] = to[i] % size
        else:
            above[i] = open_units[i]
            if open_units[i] == 0 and closed[i] > 0:
                above[i] = closed[i]
                to[i] = i * size + number
                number += 1
                fed[i] += -(-closed[i] // prices.ratio)
    for i in range(size - 1, 0, -1):
        fed[up[i]] += fed[i]
    return Housed(cost, vertex, up, by, depth, open_units, fed, station)


@compiled
def median(housed: Housed, unit: Ints, units: Ints, fed: int) -> tuple[int, int]:
    """Where a station costs least, and what it costs there: its units' ways, and its feeders' to the root. units: by
    position, how many of those who hang on it are there. Carrying a step down spares what is below, and costs the
    rest."""
    size = len(units)
    below = units.copy()
    here = np.zeros(size, np.int64)
    for i in range(size - 1, 0, -1):
        below[housed.up[i]] += below[i]
        here[0] += units[i] * housed.depth[i]
    best = 0
    for i in range(1, size):
        step = unit[housed.by[i]]
        here[i] = here[housed.up[i]] + step * (below[0] - 2 * below[i] + fed)
        if here[i] < here[best]:
            best = i
    return best, here[best]
