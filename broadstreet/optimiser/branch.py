"""Proof by cases: some vertex is in the tree or it is not; both are solved as problems of their own, smaller ones.

Each case is reduced by its own bounds, from several roots, until nothing more goes; where the bound reaches the best
tree the case is closed. The vertex that cases are made of is one where many edges of the case's best tree meet:
without it the tree must be another, with it the bound knows one more terminal. Open cases wait on a stack, the deeper
first, so that few are open at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from broadstreet.optimiser.incumbent import Incumbent
from broadstreet.optimiser.instance import Change, Instance
from broadstreet.optimiser.proof import nothing_left, prove, try_tree
from broadstreet.optimiser.simplify import tidy

WORTH: Final = 0.97
ROUNDS_MAX: Final = 20
IDLE_MAX: Final = 3
"""After so many rounds in a row that were not worth it, cases are made."""


@dataclass
class Case:
    instance: Instance
    bound: int


def without(instance: Instance, v: int) -> Instance:
    graph = instance.graph
    smaller, _ = instance.apply(Change((graph.left != v) & (graph.right != v)))
    return tidy(smaller)


def through(instance: Instance, v: int) -> Instance:
    terminal = instance.terminal.copy()
    terminal[v] = True
    return tidy(replace(instance, terminal=terminal))


class Branching:
    """The open cases of an instance. `bound` holds for all trees that are better than the incumbent."""

    def __init__(self, instance: Instance, bound: int, incumbent: Incumbent, random: np.random.Generator) -> None:
        self._incumbent = incumbent
        self._random = random
        self._open = [Case(instance, bound)]
        self.closed = 0

    @property
    def bound(self) -> int:
        return min((case.bound for case in self._open), default=self._incumbent.cost)

    @property
    def is_done(self) -> bool:
        return not self._open

    def step(self) -> int:
        """Close one case or make two of it. The work it was, in edges looked at."""
        case = self._open.pop()
        work = case.instance.graph.edges
        for instance in self._shrink(case):
            work += instance.graph.edges
        self.closed += 1
        if case.bound >= self._incumbent.cost:
            return work
        v = self._vertex(case.instance)
        if v is None:
            return work
        self._open += [Case(without(case.instance, v), case.bound), Case(through(case.instance, v), case.bound)]
        return work

    def _shrink(self, case: Case) -> Iterator[Instance]:
        """Rounds of proof until they are not worth it, or the case is closed."""
        idle = 0
        for turn in range(ROUNDS_MAX):
            if nothing_left(case.instance, self._incumbent):
                case.bound = self._incumbent.cost
            if case.bound >= self._incumbent.cost:
                return
            before, size = case.bound, case.instance.graph.edges
            root = int(self._random.choice(case.instance.terminals))
            case.instance, bound = prove(case.instance, self._incumbent, root, self._random, plants=turn == 0)
            yield case.instance
            case.bound = max(before, bound)
            worth = case.instance.graph.edges <= WORTH * size
            idle = 0 if worth else idle + 1
            if idle > IDLE_MAX:
                return

    def _vertex(self, instance: Instance) -> int | None:
        """What to make cases of: where most edges of a good tree meet, and of the graph. None: no tree is left."""
        graph = instance.graph
        chosen = try_tree(instance, graph.cost, int(instance.terminals[0]), self._random)
        if chosen is None:
            return None
        self._incumbent.offer(instance, chosen)
        degree = np.diff(graph.rows.start).astype(np.float64)
        meet = np.bincount(graph.left[chosen], minlength=graph.vertices) + np.bincount(
            graph.right[chosen], minlength=graph.vertices
        )
        score = np.where(instance.terminal, -1.0, meet + degree / (1 + degree.max()))
        v = int(np.argmax(score))
        return None if instance.terminal[v] else v
