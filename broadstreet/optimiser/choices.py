"""Trees with stations, solved to the end by cases: which edges are opened, who hangs on which station where.

The program. Each edge is opened or not (y). A station is known by the first of its terminals, so that no two names mean
the same (Campêlo, Campos, Corrêa 2008): x says that a terminal hangs on the station of that first one, at that vertex;
z of which size it is; b how many splitters it has. Each terminal's units flow from its vertex to that of its station,
stations' feeders to the root, and no flow uses an edge further than it is opened. Beside these, what is opened holds a
tree with directions from the root to each terminal (an arborescence with a flow to each), which lifts the relaxation
most.

The cases. What has the lowest bound is looked at first; a column that is not whole parts it in two. A bound is what
prices prove in whole numbers (`program`), rounded up; a column that would lift it to the best known answer is closed
for all cases below. An answer counts with what `check_stations` says. So what is proved rests on no floating number;
where prices prove too little, columns are parted until all are decided, and then there is but one answer to look at.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.capacitated import Capacitated, Station, check_stations
from broadstreet.optimiser.compiled import Ints
from broadstreet.optimiser.program import NONE, Program

HAIR: Final = 1e-6
COLUMNS_MAX: Final = 20_000
"""A larger program is not begun."""
WAITING_MAX: Final = 20_000_000
"""Columns of all cases that wait: 16 bytes each."""

Answer = tuple[list[int], tuple[Station, ...]]


class Case(NamedTuple):
    """bound: of what is left open between low and high. number: of the case, to tell equal bounds apart."""

    bound: int
    number: int
    low: Ints
    high: Ints


def columns(problem: Capacitated) -> int:
    """How many columns the program would have, about."""
    edges, count, n = problem.graph.edges, len(problem.terminals), problem.graph.vertices
    return edges * (5 + 4 * count) + count * n * (count // 2 + 2 + len(problem.sizes))


class Choices:
    """One problem being solved. `bound` is proved; `step` looks at one case."""

    def __init__(
        self, problem: Capacitated, best: int, found: Callable[[Answer], int], is_late: Callable[[], bool]
    ) -> None:
        """best: what the best known answer costs. found: told of an answer; says what the best costs then."""
        self.problem, self.best, self.found, self.is_late = problem, best, found, is_late
        self.program = Program()
        self._build()
        self.program.ready()
        self.whole: Ints = np.concatenate([self.opened, *self.decided])
        """Columns that are to be whole, the first to be decided first."""
        self.rank = np.repeat(np.arange(1 + len(self.decided)), [len(self.opened), *map(len, self.decided)])
        self.cases = [Case(0, 0, np.zeros_like(self.program.top), self.program.top.copy())]
        self.looked = 0

    @property
    def bound(self) -> int:
        return min(self.best, self.cases[0].bound if self.cases else self.best)

    @property
    def is_full(self) -> bool:
        """Whether more cases wait than are kept."""
        return len(self.cases) * len(self.program.top) > WAITING_MAX

    def step(self) -> None:
        """Look at the case with the lowest bound."""
        if not self.cases:
            return
        case = heapq.heappop(self.cases)
        if case.bound >= self.best:
            self.cases.clear()
            return
        proved = self.program.solve(case.low, case.high, self.is_late)
        if proved.grain:
            case = case._replace(bound=max(case.bound, -(-proved.total // proved.grain)))
        if proved.value.size:
            self._offer(proved.value)
        if case.bound >= self.best:
            return
        if proved.value.size and proved.grain:
            self._close(case, proved.total, proved.short, proved.grain)
        self._part(case, proved.value)

    def _close(self, case: Case, total: int, short: Ints, grain: int) -> None:
        """Columns go no further than they can in a better answer."""
        room = (self.best - 1) * grain - total
        each = short[self.whole]
        low, high = case.low[self.whole], case.high[self.whole]
        steps = room // np.maximum(1, np.abs(each))
        case.high[self.whole] = np.where(each > 0, np.minimum(high, low + steps), high)
        case.low[self.whole] = np.where(each < 0, np.maximum(low, high - steps), low)

    def _part(self, case: Case, value: npt.NDArray[np.float64]) -> None:
        """Two cases, by the column that is farthest from whole among those that are decided first."""
        left = np.flatnonzero(case.low[self.whole] < case.high[self.whole])
        if not left.size:
            self._offer(case.low.astype(np.float64))
            return
        at = self.whole[left]
        if value.size:
            off = np.abs(value[at] - np.rint(value[at]))
            off[off < HAIR] = 0.0
            order = np.lexsort((-np.round(off, 6), self.rank[left] + 10 * (off == 0)))
            column = int(at[order[0]])
            split = int(np.clip(np.floor(value[column] + HAIR), case.low[column], case.high[column] - 1))
        else:
            column = int(at[0])
            split = int(case.low[column])
        for low, high in ((case.low[column], split), (split + 1, case.high[column])):
            self.looked += 1
            one = Case(case.bound, self.looked, case.low.copy(), case.high.copy())
            one.low[column], one.high[column] = low, high
            heapq.heappush(self.cases, one)

    def _offer(self, value: npt.NDArray[np.float64]) -> None:
        """The answer that columns mean, where they are whole."""
        if np.abs(value[self.whole] - np.rint(value[self.whole])).max() > HAIR:
            return
        taken = np.flatnonzero(value[self.opened] > 0.5).tolist()
        groups: dict[tuple[int, int], list[int]] = {}
        for (t, first, vertex), column in self.hangs.items():
            if value[column] > 0.5:
                groups.setdefault((first, vertex), []).append(t)
        stations = tuple(
            Station(vertex, self._size(members), tuple(sorted(members))) for (_, vertex), members in groups.items()
        )
        try:
            check_stations(self.problem, taken, stations)
        except InvalidInput:
            # All is decided, and it is no answer.
            return
        self.best = self.found((taken, stations))

    def _size(self, members: list[int]) -> int:
        units = sum(int(self.problem.demand[t]) for t in members)
        return self.problem.size_for(units) if units < len(self.problem.price) else 0

    def _build(self) -> None:
        problem, program = self.problem, self.program
        graph, count = problem.graph, len(problem.terminals)
        ends = list(zip(graph.left.tolist(), graph.right.tolist(), strict=True))
        self.opened = program.columns(graph.cost.tolist(), 1)
        self.hangs: dict[tuple[int, int, int], int] = {}
        for first in range(count):
            for t in range(first, count):
                for vertex, column in enumerate(program.columns([0] * graph.vertices, 1)):
                    self.hangs[t, first, vertex] = int(column)
        for t in range(count):
            every = [self.hangs[t, first, v] for first in range(t + 1) for v in range(graph.vertices)]
            program.row(1, ((column, 1) for column in every), 1)
        fed = self._stations()
        self._arborescence(ends)
        for t in range(count):
            at, units = int(problem.terminals[t]), int(problem.demand[t])
            leaves = {v: [(self.hangs[t, first, v], 1) for first in range(t + 1)] for v in range(graph.vertices)}
            self._flow(ends, (units * problem.unit).tolist(), 1, leaves, {at: 1}, self.opened)
        most = sum(-(-int(units) // problem.ratio) for units in problem.demand)
        entering = {v: [(column, -1) for column in fed[v]] for v in range(graph.vertices) if v != problem.root}
        self._flow(ends, problem.unit.tolist(), most, entering, {}, self.opened, free=problem.root)

    def _stations(self) -> dict[int, list[int]]:
        """Columns of sizes and splitters, and what holds them to those who hang there. Splitters by vertex."""
        problem, program = self.problem, self.program
        count, n = len(problem.terminals), problem.graph.vertices
        fed: dict[int, list[int]] = {v: [] for v in range(n)}
        sizes, splitters = list[Ints](), list[Ints]()
        whole = int(problem.demand.sum())
        for first in range(count):
            for v in range(n):
                heads = self.hangs[first, first, v]
                size = program.columns([size.cost for size in problem.sizes], 1)
                split = program.columns([problem.splitter], -(-whole // problem.ratio))
                sizes.append(size)
                splitters.append(split)
                fed[v].append(int(split[0]))
                units = [(self.hangs[t, first, v], int(problem.demand[t])) for t in range(first, count)]
                takes = [(int(z), -size.capacity) for z, size in zip(size, problem.sizes, strict=True)]
                program.row(0, [(heads, -1), *((int(z), 1) for z in size)], 0)
                program.row(-NONE, [*units, *takes], 0)
                program.row(-NONE, [*units, (int(split[0]), -problem.ratio)], 0)
                program.row(0, [(int(split[0]), 1), (heads, -1)], NONE)
                for t in range(first + 1, count):
                    program.row(0, [(heads, 1), (self.hangs[t, first, v], -1)], NONE)
        heads_of = np.array([self.hangs[t, t, v] for t in range(count) for v in range(n)])
        others = np.array([c for (t, first, _), c in self.hangs.items() if t > first], np.int64)
        self.decided = [heads_of, others, np.concatenate(sizes), np.concatenate(splitters)]
        return fed

    def _arborescence(self, ends: list[tuple[int, int]]) -> None:
        """Arcs that are opened from the root outwards, and a flow to each vertex with a terminal."""
        problem, program = self.problem, self.program
        arcs = program.columns([0] * (2 * len(ends)), 1)
        for e in range(len(ends)):
            program.row(0, [(int(self.opened[e]), 1), (int(arcs[2 * e]), -1), (int(arcs[2 * e + 1]), -1)], NONE)
        for vertex in sorted(set(problem.terminals.tolist()) - {problem.root}):
            flow = program.columns([0] * (2 * len(ends)), 1)
            for column, arc in zip(flow.tolist(), arcs.tolist(), strict=True):
                program.row(0, [(arc, 1), (column, -1)], NONE)
            self._balance(ends, flow, {}, {problem.root: 1, vertex: -1}, None)

    def _flow(
        self,
        ends: list[tuple[int, int]],
        cost: list[int],
        most: int,
        leaves: dict[int, list[tuple[int, int]]],
        enters: dict[int, int],
        opened: Ints,
        free: int | None = None,
    ) -> None:
        """At most so many along an edge that is opened. leaves: by vertex what ends there; enters: what begins."""
        flow = self.program.columns([each for each in cost for _ in range(2)], most)
        for e in range(len(ends)):
            pair = [(int(flow[2 * e]), -1), (int(flow[2 * e + 1]), -1)]
            self.program.row(0, [(int(opened[e]), most), *pair], NONE)
        self._balance(ends, flow, leaves, enters, free)

    def _balance(
        self,
        ends: list[tuple[int, int]],
        flow: Ints,
        leaves: dict[int, list[tuple[int, int]]],
        enters: dict[int, int],
        free: int | None,
    ) -> None:
        """What flows out of a vertex and ends there is what flows in and begins there; but for one that is free."""
        parts: list[list[tuple[int, int]]] = [[] for _ in range(self.problem.graph.vertices)]
        for e, (u, v) in enumerate(ends):
            for start, end, column in ((u, v, int(flow[2 * e])), (v, u, int(flow[2 * e + 1]))):
                parts[start].append((column, 1))
                parts[end].append((column, -1))
        for vertex, each in enumerate(parts):
            if vertex != free:
                begins = enters.get(vertex, 0)
                self.program.row(begins, [*each, *leaves.get(vertex, [])], begins)
