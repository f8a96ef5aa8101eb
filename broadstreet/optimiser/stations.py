"""Solves trees with stations as well as the time allows: an answer at once, then better ones and a higher bound.

1. A Steiner tree by what opening costs, and stations on it (`housing`); the same by what opening and one unit cost.
   Their bounds, with the least of all else (`least`), are those of the whole.
2. Ways of the tree are exchanged while the whole becomes cheaper (`rejoining`).
3. A small problem is then solved to its end by cases (`choices`). Otherwise other trees are grown, by prices that
   count the units that went along each edge and are wrong by a little, and exchanged likewise.

The steps and their order follow from the problem and the seed alone; the clock only ends them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from broadstreet.optimiser.capacitated import Capacitated, Station, Stationed, check_stations
from broadstreet.optimiser.choices import COLUMNS_MAX, Answer, Choices, columns
from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.graph import COST_MAX, Graph
from broadstreet.optimiser.housing import Prices, appraise, house, median
from broadstreet.optimiser.least import beside_opening, stations_bound
from broadstreet.optimiser.polish import plant
from broadstreet.optimiser.rejoining import exchange
from broadstreet.optimiser.steiner import solve

TREE_SHARE: Final = 0.15
"""Of the time, for each of the two Steiner trees. A proof ends them earlier."""
WRONG_MAX: Final = 0.4
"""By which share prices are wrong at the most, where another tree is grown."""
BATCH: Final = 64
"""Edges whose ways are tried between two looks at the clock."""
SLACK: Final = 0.002
"""What a way promises to cost more than another, as a share of the whole, and is yet appraised."""


class StationSolver:
    """One problem being solved. `run` works on it; `solution` is the best so far, at any time."""

    def __init__(
        self,
        problem: Capacitated,
        *,
        seconds: float,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        on_progress: Callable[[Stationed], None] | None = None,
    ) -> None:
        self.problem, self._seconds, self._clock, self._seed = problem, seconds, clock, seed
        self._began_s, self._on_progress = clock(), on_progress
        self._random = np.random.default_rng(seed)
        self._graph, self._order = problem.graph, np.argsort(problem.graph.cost, kind="stable")
        self._prices = Prices(
            problem.unit, problem.terminals, problem.demand, problem.price, problem.ratio, problem.splitter
        )
        self._chosen: Flags = np.zeros(problem.graph.edges, np.bool_)
        self._cost = -1
        """Of the tree as it is being exchanged; -1: there is none."""
        self._bound = 0
        self._best: Stationed | None = None

    @property
    def solution(self) -> Stationed:
        assert self._best is not None, "the first tree comes first"
        bound = min(self._bound, self._best.cost)
        return replace(self._best, bound=bound, seconds=self._clock() - self._began_s)

    @property
    def _left_s(self) -> float:
        return self._seconds - (self._clock() - self._began_s)

    @property
    def _is_done(self) -> bool:
        return self._left_s <= 0 or self.solution.is_optimal

    def run(self) -> Stationed:
        """Work until it is proven or time is up. InvalidInput: not all can be joined."""
        trees = self._first_trees()
        for tree in trees:
            self._take(tree)
            self._exchange()
        if columns(self.problem) <= COLUMNS_MAX:
            self._decide()
        while not self._is_done:
            self._take(self._another())
            self._exchange()
        return self.solution

    def _first_trees(self) -> list[Flags]:
        """By what opening costs, and with a unit on each edge."""
        problem, graph = self.problem, self._graph
        terminals = np.flatnonzero(problem.wanted)
        trees = []
        with_unit = np.minimum(graph.cost + problem.unit, COST_MAX)
        for cost, beside in ((graph.cost, beside_opening), (with_unit, stations_bound)):
            tree = solve(
                Graph.of(graph.vertices, graph.left, graph.right, cost),
                terminals,
                seconds=min(self._seconds * TREE_SHARE, self._left_s),
                seed=self._seed,
                clock=self._clock,
            )
            chosen = np.zeros(graph.edges, np.bool_)
            chosen[tree.edges] = True
            trees.append(chosen)
            self._bound = max(self._bound, tree.bound + beside(problem))
            self._offer(chosen)
        return trees

    def _take(self, chosen: Flags) -> None:
        """Go on with this tree."""
        units = appraise(self._graph.rows, chosen, self.problem.root, self._prices)
        self._chosen, self._cost = chosen, int(self._graph.cost[chosen].sum()) + int(units)

    def _exchange(self) -> None:
        """Exchange ways until none makes it cheaper, or time is up."""
        graph, problem = self._graph, self.problem
        slack = int(self._cost * SLACK)
        while not self._is_done:
            before = self._cost
            edges = self._random.permutation(np.flatnonzero(self._chosen))
            for begin in range(0, len(edges), BATCH):
                if self._left_s <= 0:
                    break
                self._chosen, gained = exchange(
                    graph.rows,
                    graph.left,
                    graph.right,
                    graph.cost,
                    self._chosen,
                    problem.wanted,
                    problem.root,
                    self._prices,
                    edges[begin : begin + BATCH],
                    slack,
                )
                self._cost -= int(gained)
                if gained:
                    self._offer(self._chosen)
            if self._cost >= before:
                return

    def _another(self) -> Flags:
        """A tree grown by other prices."""
        graph, problem = self._graph, self.problem
        best: Flags = np.zeros(graph.edges, np.bool_)
        best[self.solution.edges] = True
        housed = house(graph.rows, best, problem.root, self._prices)
        carried: Ints = np.ones(graph.edges, np.int64)
        inside = housed.by >= 0
        carried[housed.by[inside]] = (housed.open + housed.fed)[inside]
        whole = (graph.cost + problem.unit * carried).astype(np.float64)
        wrong = 1 + self._random.random() * WRONG_MAX * self._random.random(graph.edges)
        seen = np.minimum(np.rint(whole * wrong), COST_MAX).astype(np.int64)
        order = np.argsort(seen, kind="stable")
        tried = self._random.permutation(graph.vertices)
        tree, _ = plant(graph.rows, graph.left, graph.right, seen, order, problem.wanted, seen, problem.root, tried)
        return tree

    def _offer(self, chosen: Flags) -> None:
        """Take a tree, with stations on it, if it is the best."""
        problem = self.problem
        housed = house(self._graph.rows, chosen, problem.root, self._prices)
        members: dict[tuple[int, int], list[int]] = {}
        for t, (position, number) in enumerate(housed.station.tolist()):
            members.setdefault((position, number), []).append(t)
        size = len(housed.vertex) - len(problem.terminals)
        stations, cost = [], int(self._graph.cost[chosen].sum())
        for _, hanging in sorted(members.items()):
            units = np.zeros(size, np.int64)
            np.add.at(units, housed.up[size:][hanging], problem.demand[hanging])
            whole = int(units.sum())
            fed = -(-whole // problem.ratio)
            position, carried = median(housed, problem.unit, units, fed)
            number = problem.size_for(whole)
            stations.append(Station(int(housed.vertex[position]), number, tuple(hanging)))
            cost += int(carried) + problem.sizes[number].cost + fed * problem.splitter
        self._keep(np.flatnonzero(chosen).tolist(), tuple(stations), cost)

    def _keep(self, edges: list[int], stations: tuple[Station, ...], cost: int) -> None:
        if self._best is None or cost < self._best.cost:
            self._best = Stationed(np.array(edges, np.int64), stations, cost, 0, 0.0)
            self._tell()

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.solution)

    def _decide(self) -> None:
        """Solve it to the end by cases."""
        if self._is_done:
            return

        def found(answer: Answer) -> int:
            edges, stations = answer
            self._keep(edges, stations, check_stations(self.problem, edges, stations))
            return self.solution.cost

        choices = Choices(self.problem, self.solution.cost, found, lambda: self._left_s <= 0)
        while not self._is_done and not choices.is_full:
            choices.step()
            if choices.bound > self._bound:
                self._bound = choices.bound
                self._tell()


def solve_stations(
    problem: Capacitated,
    *,
    seconds: float,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Stationed], None] | None = None,
) -> Stationed:
    """Opened edges and stations for everyone, as cheap as the time allows, with a proven bound.

    clock: seconds that rise. on_progress: told of every better answer and higher bound; what it raises ends the work.
    InvalidInput: not all terminals are in one part of the graph with the root.
    """
    return StationSolver(problem, seconds=seconds, seed=seed, clock=clock, on_progress=on_progress).run()
