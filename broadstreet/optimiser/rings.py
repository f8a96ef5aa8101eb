"""Solves a network problem with critical terminals: all are joined with a root, those by two ways that share no edge.

1. What is plain is decided (`kernel.py`).
2. Cheap trees, mended until critical terminals have their two ways, made cheaper by exchanges, and crossed
   (`seeking.py`).
3. A linear program weighs cuts (`relaxation.py`), which bounds every network and shows where others may be found; both
   go on in turn, by a count of the work.
4. Where no cut is left that its answer does not cross, edges are decided one way and the other, the case of the lowest
   bound first, until none is open.

The steps and their order follow from the problem and the seed alone; the clock only ends them, but for the first tree,
which may take a tenth of the time.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.bridges import is_sound
from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.cuts import FREE, IN, OUT
from broadstreet.optimiser.graph import Graph
from broadstreet.optimiser.kernel import kernel_of
from broadstreet.optimiser.relaxation import Relaxation
from broadstreet.optimiser.seeking import WHOLE_FROM, Seeking
from broadstreet.optimiser.steiner import Solution, Solver

TREE_SHARE: Final = 0.1
FIRST_STEPS: Final = 8
"""Of the search for networks, before the first round of the linear program; fewer where so much of the time is gone."""
FIRST_SHARE: Final = 0.4
STEP_EVERY: Final = 3
"""One step for so many rounds after that."""
CASE_ROUNDS_MAX: Final = 40


class RingSolver:
    """One problem being solved. `run` works on it; `solution` is the best so far, at any time."""

    def __init__(
        self,
        graph: Graph,
        roots: Iterable[int],
        terminals: Ints,
        critical: Ints,
        *,
        seconds: float,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        on_progress: Callable[[Solution], None] | None = None,
    ) -> None:
        roots, terminals, critical = _checked(graph, roots, terminals, critical)
        self._clock, self._began_s, self._seconds = clock, clock(), seconds
        self._on_progress, self._seed = on_progress, seed
        self._random = np.random.default_rng(seed)
        self.kernel = kernel_of(graph, roots, terminals, critical)
        self.bound = 0
        self._share = FIRST_SHARE
        self._told: tuple[int, int] | None = None
        tree = self._tree()
        self.seeking = Seeking(self.kernel, tree, self._random, lambda: self._is_enough)
        self._tell()

    @property
    def solution(self) -> Solution:
        kernel = self.kernel
        cost = self.seeking.cost
        return Solution(
            kernel.unfold(self.seeking.best),
            cost + kernel.fixed_cost,
            min(self.bound, cost) + kernel.fixed_cost,
            self._passed_s,
        )

    @property
    def _passed_s(self) -> float:
        return self._clock() - self._began_s

    @property
    def _is_enough(self) -> bool:
        """Whether networks were sought as long as they may be for now."""
        return self._passed_s >= self._seconds * self._share

    @property
    def is_late(self) -> bool:
        return self._passed_s >= self._seconds

    @property
    def is_done(self) -> bool:
        return self.is_late or self.bound >= self.seeking.cost

    def run(self) -> Solution:
        """Work until it is proven or time is up."""
        if self.is_done:
            return self.solution
        nothing = np.zeros(self.kernel.graph.edges)
        for _ in range(FIRST_STEPS):
            if self._is_enough:
                break
            self.seeking.step(nothing)
            self._tell()
        self.seeking.polish()
        self._tell()
        self._share = 1.0
        if self.is_late:
            return self.solution
        self.relaxation = Relaxation(self.kernel, self._random)
        self._raise(self.relaxation.bound)
        more = True
        while more and not self.is_done:
            more = self.relaxation.round(self.seeking.cost)
            self._raise(self.relaxation.bound)
            self._seek()
        if not self.is_done:
            self._cases()
        return self.solution

    def _tree(self) -> Flags:
        """Which edges of the kernel a cheap tree of its terminals holds. Where nothing is critical it is all there is
        to find."""
        kernel = self.kernel
        is_all = int(kernel.critical.sum()) == 1
        held = np.zeros(kernel.graph.edges, np.bool_)
        if len(held):
            seconds = self._seconds * (1.0 if is_all else TREE_SHARE)
            terminals = np.flatnonzero(kernel.terminal)
            solver = Solver(kernel.graph, terminals, seconds=seconds, seed=self._seed, clock=self._clock)
            tree = solver.run()
            held[tree.edges] = True
            self.bound = tree.bound
        return held

    def _seek(self) -> None:
        if self.relaxation.rounds % STEP_EVERY == 0:
            self.seeking.step(self.relaxation.taken)
        taken = self.relaxation.taken >= WHOLE_FROM
        kernel = self.kernel
        if is_sound(kernel.graph.rows, taken, kernel.root, kernel.terminal, kernel.critical):
            self.seeking.offer(taken)
        self._tell()

    def _cases(self) -> None:
        """Decide edges one way and the other. What is not open costs at least as much as the best network."""
        open_cases: list[tuple[int, int, Ints]] = [(self.bound, 0, np.full(self.kernel.graph.edges, FREE, np.int64))]
        number = 0
        while open_cases and not self.is_done:
            bound, _, state = open_cases[0]
            self._raise(min(bound, self.seeking.cost))
            if bound >= self.seeking.cost:
                return
            bound = max(bound, self._case(state))
            if self.is_late:
                return
            heapq.heappop(open_cases)
            free = np.flatnonzero(state == FREE)
            if bound >= self.seeking.cost or not free.size:
                continue
            taken = self.relaxation.taken[free]
            e = free[np.argmin(np.abs(taken - 0.5))]
            for decided in (OUT, IN):
                number += 1
                other = state.copy()
                other[e] = decided
                heapq.heappush(open_cases, (bound, number, other))
        if not open_cases:
            self._raise(self.seeking.cost)

    def _case(self, state: Ints) -> int:
        """A bound of networks that hold what is IN and not what is OUT."""
        relaxation, kernel = self.relaxation, self.kernel
        if not is_sound(kernel.graph.rows, state != OUT, kernel.root, kernel.terminal, kernel.critical):
            return self.seeking.cost
        relaxation.decide(state)
        for _ in range(CASE_ROUNDS_MAX):
            more = relaxation.round(self.seeking.cost)
            self._seek()
            if not more or self.is_late or relaxation.bound >= self.seeking.cost:
                break
        return relaxation.bound

    def _raise(self, bound: int) -> None:
        self.bound = max(self.bound, bound)
        self._tell()

    def _tell(self) -> None:
        now = (self.seeking.cost, self.bound)
        if self._on_progress is not None and now != self._told:
            self._told = now
            self._on_progress(self.solution)


def solve_rings(
    graph: Graph,
    roots: Iterable[int],
    terminals: Ints,
    critical: Ints,
    *,
    seconds: float,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Solution], None] | None = None,
) -> Solution:
    """Edges that join all terminals with a root, those that are critical by two ways that share no edge (to one root or
    to two), as cheap as the time allows, with a proven bound. Where a bridge of the graph lies on every way to a
    critical terminal both ways share it.

    clock: seconds that rise. on_progress: told of every better network and higher bound; what it raises ends the work.
    InvalidInput: roots or terminals are no vertices, or a terminal is not reached from a root.
    """
    solver = RingSolver(
        graph, roots, terminals, critical, seconds=seconds, seed=seed, clock=clock, on_progress=on_progress
    )
    return solver.run()


def _checked(graph: Graph, roots: Iterable[int], terminals: Ints, critical: Ints) -> tuple[Ints, Ints, Ints]:
    given = [np.unique(np.asarray(list(part), np.int64)) for part in (roots, terminals, critical)]
    for name, part in zip(("roots", "terminals", "critical"), given, strict=True):
        if (part.size and not 0 <= part[0] <= part[-1] < graph.vertices) or (name == "roots" and not part.size):
            raise InvalidInput(
                f"The {name} are vertices of the graph, 0 to {graph.vertices - 1}; at least one is a root.",
                where=name,
                remedy="Give what is to be joined as numbers of vertices.",
            )
    return given[0], given[1], given[2]
