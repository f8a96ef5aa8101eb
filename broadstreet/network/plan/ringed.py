"""A plan with second ways: the cheapest ways that can be found by which everyone is reached and some are reached twice,
with a bound, and the network on two sets of trees in them.

By one set of trees everyone has the first way, by the other those who have two have the second, and nobody's ways share
one (`optimiser/apart.py`). Each set has its own cables, closures and cabinets; what both lead along is opened once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground.courses import I8
from broadstreet.network.plan.bound import rebound, with_stations
from broadstreet.network.plan.network import Network, Opened
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.rooted import rooted
from broadstreet.network.plan.search import Search, Sought
from broadstreet.network.plan.second import Second, common_trenches, lone_premises
from broadstreet.network.plan.stationing import least_stations
from broadstreet.network.plan.tree import Crowded, plan_tree
from broadstreet.optimiser import Graph, Solution, apart, solve, solve_rings

TREE_SHARE: Final = 0.2
"""Of the time, to find out which offices pay, where some cost and there are several."""
RINGS_SHARE: Final = 0.9
"""Of what is left then, for the ways and their bound."""
AGAIN_SHARE: Final = 0.2
"""Of what is left, when some ways were found not to do."""
PLAN_EVERY_S: Final = 8.0
"""A network is planned on better ways while they are sought no more often than that."""
MAX_AGAIN: Final = 50
"""So often ways of plant that do not do are left out, and ways are sought again."""


class RingSearch(Search):
    """second: rows of premises that have two ways, all of them served."""

    def __init__(self, sought: Sought, second: Sequence[int]) -> None:
        super().__init__(sought)
        self.second = list(second)
        self.network = Network.of(self.ground, self.offices)
        self.whole = Network.of(self.ground, self.offices, with_fibres=True)
        self.is_lent = len(self.whole.ways) > len(self.network.ways)
        self.refused: InvalidInput | None = None
        self._planned_s = -np.inf
        self._planned_cost = 0

    def run(self, also: Opened | None = None, *, stations: bool = True) -> Statement:
        """also: a tree that would do where one way to each is enough; here it does not. stations: bound them together,
        too."""
        self._choose_offices()
        self._seek(RINGS_SHARE, is_first=True)
        for _ in range(MAX_AGAIN):
            if self.best is not None or not isinstance(self.refused, Crowded):
                break
            self.network = self.network.without(self.refused.ways)
            self._seek(AGAIN_SHARE)
        if self.best is None:
            assert self.refused is not None
            raise self.refused
        self.best = rebound(self.ground, self.best, self.bound_cents, self.method)
        if stations:
            least = least_stations(self.ground, Prices(self.ground.catalogue, self.architecture), self.rows)
            self.best = with_stations(self.best, least)
        self.tell()
        return self.best

    def _choose_offices(self) -> None:
        """Those that cost nothing, and those that one way for everyone takes; all, where these are too few for two.
        The bound of that is the only one where a design may use spare fibres of others' cables."""
        cents = self.ground.offices.cents
        is_chosen = len(self.offices) == 1 or not cents[self.offices].any()
        if is_chosen and not self.is_lent:
            return
        terminals = np.append(self.ground.premises.node[self.rows], self.network.front).astype(np.int64)
        tree = solve(self.whole.graph(), terminals, seconds=self.left_s * TREE_SHARE, seed=self.seed, clock=self.clock)
        self.bound_cents = tree.bound + self.whole.locked_cents
        self.method = "a Steiner tree, for one way to each"
        taken = set(self.whole.opened(tree.edges)[1])
        chosen = [office for office in self.offices if office in taken or not cents[office]]
        if not lone_premises(self.ground, chosen, self.second):
            self.offices = chosen

    def _seek(self, share: float, *, is_first: bool = False) -> None:
        """Ways, and a network on them. The first time all ways are there, and their bound is one for every plan."""
        ground, network = self.ground, self.network
        ways = network.ways
        a, b = ground.ways.a[ways].astype(np.int64), ground.ways.b[ways].astype(np.int64)
        graph = Graph.of(len(ground.lon), a, b, network.weights)
        is_whole = len(self.offices) == len(network.offices) and not self.is_lent
        fixed = network.locked_cents + int(ground.offices.cents[list(network.offices)].min())

        def told(solution: Solution) -> None:
            if is_first and is_whole and solution.bound + fixed > self.bound_cents:
                self.bound_cents = solution.bound + fixed
                how = "proved the cheapest" if solution.is_optimal else "the dual of a linear program of directed cuts"
                self.method = f"ways of which {len(self.second)} premises have two apart, {how}"
            late = self.clock() - self._planned_s >= PLAN_EVERY_S
            if late and solution.cost != self._planned_cost:
                self._plan(graph, ways, solution)

        solution = solve_rings(
            graph,
            ground.offices.node[self.offices].tolist(),
            np.unique(ground.premises.node[self.rows]).astype(np.int64),
            np.unique(ground.premises.node[self.second]).astype(np.int64),
            seconds=self.left_s * share,
            seed=self.seed,
            clock=self.clock,
            on_progress=told,
        )
        self._plan(graph, ways, solution)

    def _plan(self, graph: Graph, ways: I8, solution: Solution) -> None:
        ground = self.ground
        roots = ground.offices.node[self.offices].tolist()
        twice = ground.premises.node[self.second].tolist()
        first, second = apart(graph, roots, solution.edges.tolist(), twice, ground.ways.length_m[ways])
        try:
            self._check_trenches(ways[first].tolist(), ways[second].tolist())
            statement = plan_tree(
                ground,
                self.architecture,
                self.optics,
                self.offices,
                ways[first].tolist(),
                served=self.rows,
                second=Second(self.second, ways[second].tolist()),
                opening_cents=self.bound_cents,
                method=self.method,
            )
        except InvalidInput as refused:
            self.refused = refused
            return
        finally:
            self._planned_s, self._planned_cost = self.clock(), solution.cost
        if self.best is None or statement.cost_cents < self.best.cost_cents:
            self.best = statement
            self.tell()

    def _check_trenches(self, first: list[int], second: list[int]) -> None:
        """Raises Crowded with ways of plant that lie in one trench with the other way of somebody."""
        ground, roots = self.ground, self.ground.offices.node[self.offices].tolist()
        leading: list[list[tuple[int, ...]]] = []
        for ways in (first, second):
            at = {node: (tree, position) for tree in rooted(ground, roots, ways) for node, position in tree.at.items()}
            places = [at[int(ground.premises.node[row])] for row in self.second]
            leading.append([tree.ways_down(0, position) for tree, position in places])
        if crossed := common_trenches(ground, zip(*leading, strict=True)):
            raise Crowded(crossed)
