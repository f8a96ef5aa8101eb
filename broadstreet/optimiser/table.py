"""The optimum by a table: for every set of terminals and every vertex, the cheapest tree that holds both (Dreyfus,
Wagner 1971; Erickson, Monma, Veinott 1987).

A set's trees at a vertex are two of its halves' put together, or one of the same set at a neighbour and the edge
there. The table has a row for each set of all terminals but one, and is filled set by set. It grows threefold with
each terminal, so it is for few of them, and there it does not care how bad a bound is."""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import FAR, Rows
from broadstreet.optimiser.heap import drop_first, push
from broadstreet.optimiser.instance import Instance

WORK_MAX: Final = 3 * 10**9
"""Beyond this the table is not made: it would take longer than ten seconds or so."""
CELLS_MAX: Final = 2**24
STEP_WORK: Final = 10**8


@compiled
def fill(rows: Rows, cost: Ints, terminals: Ints, best: Ints, how: Ints, begin: int, end: int) -> None:
    """Fill the rows of the sets from `begin` on, before `end`. how: the place in the vertex's row of the edge that the
    cheapest tree has there; or -2 - a half of the set; or -1 for a terminal alone."""
    n = len(rows.start) - 1
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    for held in range(begin, end):
        mine, way = best[held], how[held]
        if held & (held - 1) == 0:
            t = 0
            while held >> t != 1:
                t += 1
            mine[terminals[t]] = 0
        half = (held - 1) & held
        while half > held ^ half:
            one, other = best[half], best[held ^ half]
            for v in range(n):
                if one[v] + other[v] < mine[v]:
                    mine[v] = one[v] + other[v]
                    way[v] = -2 - half
            half = (half - 1) & held
        size = 0
        for v in range(n):
            if mine[v] < FAR:
                size = push(heap, place, mine, size, v)
        while size > 0:
            u = heap[0]
            size = drop_first(heap, place, mine, size)
            for p in range(rows.start[u], rows.start[u + 1]):
                v = rows.head[p]
                if mine[u] + cost[rows.edge[p]] < mine[v]:
                    mine[v] = mine[u] + cost[rows.edge[p]]
                    way[v] = rows.mate[p]
                    size = push(heap, place, mine, size, v)


class Table:
    """The table of an instance with at least two terminals, filled step by step."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self._sets = 1 << (len(instance.terminals) - 1)
        self._next = 1
        n = instance.graph.vertices
        self._best = np.full((self._sets, n), FAR // 2, np.int64)
        self._how = np.full((self._sets, n), -1, np.int64)

    @staticmethod
    def fits(instance: Instance) -> bool:
        """Whether there are few enough terminals for it."""
        return (
            Table.work(instance) <= WORK_MAX and instance.graph.vertices << (len(instance.terminals) - 1) <= CELLS_MAX
        )

    @staticmethod
    def work(instance: Instance) -> int:
        """How many cells are looked at, about."""
        k, graph = len(instance.terminals) - 1, instance.graph
        return int(3**k * graph.vertices + 2**k * (20 * graph.edges + 40 * graph.vertices))

    @property
    def is_done(self) -> bool:
        return self._next >= self._sets

    def step(self) -> int:
        """Fill some rows. The work it was."""
        graph, work = self.instance.graph, self.work(self.instance)
        count = max(1, int(self._sets * STEP_WORK // work))
        end = min(self._sets, self._next + count)
        fill(graph.rows, graph.cost, self.instance.terminals, self._best, self._how, self._next, end)
        done = end - self._next
        self._next = end
        return work * done // self._sets

    def tree(self) -> Flags:
        """The optimum's edges, once the table is full."""
        rows = self.instance.rows
        chosen = np.zeros(self.instance.graph.edges, np.bool_)
        waiting = [(self._sets - 1, int(self.instance.terminals[-1]))]
        while waiting:
            held, v = waiting.pop()
            way = int(self._how[held, v])
            if way >= 0:
                chosen[rows.edge[way]] = True
                waiting.append((held, int(rows.head[way])))
            elif way < -1:
                waiting += [(-2 - way, v), (held ^ (-2 - way), v)]
        return chosen
