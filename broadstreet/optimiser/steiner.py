"""Solves a Steiner tree problem as well as the time allows: a tree at once, then better ones and a higher bound.

1. A first tree, on the graph as it is.
2. Reductions, then rounds of proof: each has a bound, some a tree, and what the two rule out goes, after which
   reductions find more.
3. When rounds bring little, two lines of work go on in turn, by a count of the work: walks through trees, for a
   better one, and proof by cases, for the bound; for few terminals a third, the table. Cases get the less the wider
   the gap is. Where a better tree rules out much of what is left, all begins anew on the rest.

The steps and their order follow from the problem and the seed alone; the clock only ends them. So two runs differ by
where they stop, and those that come to a proof not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.branch import Branching
from broadstreet.optimiser.compiled import Ints
from broadstreet.optimiser.forest import span
from broadstreet.optimiser.graph import Graph
from broadstreet.optimiser.growth import grow
from broadstreet.optimiser.incumbent import Incumbent
from broadstreet.optimiser.instance import Instance
from broadstreet.optimiser.pool import Pool
from broadstreet.optimiser.proof import nothing_left, prove
from broadstreet.optimiser.simplify import simplify
from broadstreet.optimiser.table import Table

ROUND_WORTH: Final = 0.98
"""Rounds of proof go on while one leaves no more than this share of the edges."""
PLANTED: Final = 4
"""One round in so many grows a tree, which takes longer than all the rest of it."""
IDLE_MAX: Final = 40
"""After so many rounds in a row that were not worth it, they end."""
SIMPLIFY_WORTH: Final = 0.9
RESTART_WORTH: Final = 0.9
DOUBT: Final = 100
"""Proof by cases gets the less time the wider the gap: half as much from one per cent on."""
ROUNDS_AFTER: Final = 300
"""Rounds are made again, for a better tree, after walks that looked at every edge so often; then twice that."""
WEIGHT: Final = {"trees": 1.0, "cases": 6.0, "table": 0.01}
"""How long each line takes for a unit of its work, beside the others."""


@dataclass(frozen=True)
class Solution:
    """edges: of the graph, by number. bound: no tree costs less. seconds: since the start."""

    edges: Ints
    cost: int
    bound: int
    seconds: float

    @property
    def is_optimal(self) -> bool:
        return self.bound >= self.cost


class Solver:
    """One problem being solved. `run` works on it; `solution` is the best so far, at any time, also from
    within `on_progress` or from another thread."""

    def __init__(
        self,
        graph: Graph,
        terminals: Ints,
        *,
        seconds: float,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        on_progress: Callable[[Solution], None] | None = None,
    ) -> None:
        """InvalidInput: a terminal is no vertex, none is given, or not all can be reached from one another."""
        terminals = np.unique(np.asarray(terminals, np.int64))
        if len(terminals) == 0 or terminals[0] < 0 or terminals[-1] >= graph.vertices:
            raise InvalidInput(
                f"Terminals are vertices of the graph, 0 to {graph.vertices - 1}, at least one.",
                where="terminals",
                remedy="Give what is to be joined as numbers of vertices.",
            )
        self._clock, self._began_s, self._seconds = clock, clock(), seconds
        self._on_progress = on_progress
        self._random = np.random.default_rng(seed)
        self.bound = 0
        self.instance = Instance.of(graph, terminals)
        self.incumbent = Incumbent(graph, terminals, self._tell)
        self._first_tree()
        self._proven_for = self.incumbent.cost

    @property
    def solution(self) -> Solution:
        bound = min(self.bound, self.incumbent.cost)
        return Solution(self.incumbent.edges, self.incumbent.cost, bound, self._clock() - self._began_s)

    @property
    def _gap(self) -> float:
        """What the bound lacks, as a share."""
        return 1 - min(self.bound, self.incumbent.cost) / max(1, self.incumbent.cost)

    @property
    def is_late(self) -> bool:
        return self._clock() - self._began_s >= self._seconds

    def _tell(self) -> None:
        if self._on_progress is not None:
            self._on_progress(self.solution)

    def _raise(self, bound: int) -> None:
        if bound > self.bound:
            self.bound = bound
            self._tell()

    def _first_tree(self) -> None:
        instance, graph = self.instance, self.instance.graph
        inside, whole = grow(graph.rows, graph.cost, instance.terminal, int(instance.terminals[0]))
        if not whole:
            lost = int(instance.terminals[~inside[instance.terminals]][0])
            raise InvalidInput(
                f"Terminal {lost} cannot be reached from terminal {int(instance.terminals[0])}.",
                where=f"vertex {lost}",
                remedy="Join the parts of the graph, or leave the terminal out.",
            )
        tree = span(graph.rows, instance.terminal, graph.left, graph.right, instance.order, inside)
        self.incumbent.offer(instance, tree)

    def run(self) -> Solution:
        """Work until it is proven or time is up; one round of proof is made however late it is, since a tree without a
        bound says nothing."""
        self.instance = simplify(self.instance, lambda: self.is_late)
        self._prove_rounds()
        while not self.solution.is_optimal and not self.is_late:
            self._search()
        return self.solution

    def _prove_rounds(self) -> None:
        """Rounds of proof while they are worth it, for the best tree as it is now."""
        idle, size, simplified, rounds = 0, self.instance.graph.edges, self.instance.graph.edges, 0
        while idle < IDLE_MAX and not (self.is_late and self.bound > 0):
            if nothing_left(self.instance, self.incumbent):
                self._raise(self.incumbent.cost)
            if self.bound >= self.incumbent.cost:
                return
            cost = self.incumbent.cost
            root = int(self._random.choice(self.instance.terminals))
            plants = rounds % PLANTED == 0
            self.instance, bound = prove(self.instance, self.incumbent, root, self._random, plants)
            self._raise(bound)
            idle, rounds = idle + 1, rounds + 1
            if self.instance.graph.edges < ROUND_WORTH * size or self.incumbent.cost < cost:
                idle, size = 0, self.instance.graph.edges
            if size < SIMPLIFY_WORTH * simplified:
                self.instance = simplify(self.instance, lambda: self.is_late)
                size = simplified = self.instance.graph.edges
        self._proven_for = self.incumbent.cost

    def _search(self) -> None:
        """Work on a better tree and on a proof in turn, until it is proven; begin anew when a better tree has left much
        less of the problem."""
        if nothing_left(self.instance, self.incumbent):
            self._raise(self.incumbent.cost)
            return
        pool = Pool(self.instance, self._random, self.incumbent.within(self.instance))
        cases = Branching(self.instance, self.bound, self.incumbent, self._random)
        table = Table(self.instance) if Table.fits(self.instance) else None
        done = {"trees": 0.0, "cases": 0.0} | ({} if table is None else {"table": 0.0})
        size = self.instance.graph.edges
        again = ROUNDS_AFTER * size
        while not self.is_late and not self.solution.is_optimal:
            turn = min(done, key=lambda name: done[name])
            if turn == "trees":
                work = pool.step()
                self.incumbent.offer(pool.instance, pool.best)
            elif turn == "cases":
                work = cases.step()
                self._raise(min(cases.bound, self.incumbent.cost))
            elif table is not None:
                work = table.step()
                if table.is_done:
                    self.incumbent.offer(table.instance, table.tree())
                    self._raise(self.incumbent.cost)
            done[turn] += work * WEIGHT[turn] * (1 + (turn == "cases") * DOUBT * self._gap)
            if done["trees"] > again:
                again *= 2
                if self.incumbent.cost < self._proven_for:
                    self._prove_rounds()
                    if self.instance.graph.edges < RESTART_WORTH * size:
                        return


def solve(
    graph: Graph,
    terminals: Ints,
    *,
    seconds: float,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Solution], None] | None = None,
) -> Solution:
    """A tree of the graph that holds the terminals together, as cheap as the time allows, with a proven bound.

    clock: seconds that rise. on_progress: told of every better tree and higher bound; what it raises ends the work.
    InvalidInput: the terminals are no vertices, or not in one part of the graph.
    """
    solver = Solver(graph, terminals, seconds=seconds, seed=seed, clock=clock, on_progress=on_progress)
    return solver.run()
