"""Seeks cheap networks: one is built by costs that are a little wrong, bettered by exchanging each edge of its rings,
and crossed with those before it.

Crossing solves the problem of their edges alone: what they have in common is mostly decided there, so that a linear
program of cuts, and a few cases, end within a moment. The first networks grow from a cheap tree; later ones by what a
linear program takes of each edge, or beside the best one. `best` is the cheapest so far.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from broadstreet.optimiser.bridges import is_sound, ring_edges
from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.forest import prune
from broadstreet.optimiser.graph import Graph
from broadstreet.optimiser.kernel import Kernel, kernel_of
from broadstreet.optimiser.mending import cost_of, exchange, mend, trim
from broadstreet.optimiser.relaxation import Relaxation

NOISE: Final = 0.2
"""By which share costs are wrong at the most."""
KEPT: Final = (0.0, 0.1, 0.3)
"""By which share what the best network holds is cheaper, where one is built beside it."""
CROSSED: Final = 4
"""So many networks are crossed at once, the best among them."""
ROUNDS_MAX: Final = 60
TRIED_MAX: Final = 1000
"""Exchanges in one step."""
AT_ONCE: Final = 100
"""Exchanges that are tried between two looks at the clock."""
WHOLE_FROM: Final = 1 - 1e-6


class Seeking:
    """A search. `step` makes one network, or crosses some."""

    def __init__(self, kernel: Kernel, tree: Flags, random: np.random.Generator, is_late: Callable[[], bool]) -> None:
        self.kernel, self.graph, self.random, self.is_late = kernel, kernel.graph, random, is_late
        self.turns: Ints = np.flatnonzero(kernel.critical)
        self.dear: Ints = np.argsort(-self.graph.cost, kind="stable")
        self.tree = tree
        self.best = self._made(tree, self.graph.cost)
        self.met: list[Flags] = []

    @property
    def cost(self) -> int:
        return self._cost(self.best)

    def step(self, taken: npt.NDArray[np.float64]) -> None:
        """taken: how much of each edge a linear program takes; nothing: there is none yet."""
        if len(self.met) >= CROSSED - 1:
            self.offer(self._crossed([*self.met, self.best]))
            self.met = []
        else:
            other = self._another(taken)
            rings = np.flatnonzero(ring_edges(self.graph.rows, other, self.kernel.root))
            self._exchange(other, self.random.permutation(rings)[:TRIED_MAX])
            self.offer(other)
            self.met.append(other)

    def offer(self, held: Flags) -> None:
        """A network from elsewhere."""
        if self._cost(held) < self.cost:
            self.best = held.copy()

    def polish(self) -> bool:
        """Try every edge of the best once. Whether that made it better."""
        held, before = self.best.copy(), self.cost
        self._exchange(held, self.random.permutation(np.flatnonzero(held)))
        self.offer(held)
        return self.cost < before

    def _another(self, taken: npt.NDArray[np.float64]) -> Flags:
        """A network to better."""
        cost, random = self.graph.cost.astype(np.float64), self.random
        wrong = random.uniform(1 - NOISE, 1 + NOISE, len(cost))
        if not taken.any():
            return self._made(self.tree, np.rint(cost * wrong).astype(np.int64))
        begun = np.zeros(self.graph.edges, np.bool_)
        if random.random() < 0.5:
            return self._made(begun, np.rint(cost * wrong * np.clip(1.02 - taken, 0.02, 1.0)).astype(np.int64))
        kept = np.where(self.best, 1 - random.choice(KEPT), 1.0)
        return self._made(begun, np.rint(cost * wrong * kept).astype(np.int64))

    def _exchange(self, held: Flags, edges: Ints) -> int:
        """Try to better a network by these edges, in their order, while there is time."""
        graph, kernel = self.graph, self.kernel
        found = 0
        for begin in range(0, len(edges), AT_ONCE):
            if self.is_late():
                break
            found += exchange(
                graph.rows,
                graph.left,
                graph.right,
                graph.cost,
                self.dear,
                held,
                kernel.root,
                kernel.terminal,
                kernel.critical,
                self.turns,
                edges[begin : begin + AT_ONCE],
            )
        return found

    def _made(self, held: Flags, seen: Ints) -> Flags:
        """A network that holds these edges and what is missing, by costs as they are seen, with nothing in it that need
        not be."""
        graph, kernel, made = self.graph, self.kernel, held.copy()
        prune(graph.rows, kernel.terminal, graph.left, graph.right, made)
        mend(graph.rows, seen, made, kernel.root, kernel.terminal, self.random.permutation(self.turns))
        trim(graph.rows, graph.left, graph.right, self.dear, made, kernel.root, kernel.terminal, kernel.critical)
        return made

    def _crossed(self, met: list[Flags]) -> Flags:
        """The best network that can be made of the edges of some."""
        graph, kernel = self.graph, self.kernel
        edges = np.flatnonzero(np.logical_or.reduce(met))
        both = Graph(graph.vertices, graph.left[edges], graph.right[edges], graph.cost[edges])
        small = kernel_of(both, [kernel.root], np.flatnonzero(kernel.terminal), self.turns)
        found = min(met, key=self._cost)
        inner = Crossing(small, self.random, self.is_late)
        if inner.cost + small.fixed_cost < self._cost(found):
            found = np.zeros(graph.edges, np.bool_)
            found[edges[small.unfold(inner.best)]] = True
        return found

    def _cost(self, held: Flags) -> int:
        return int(cost_of(self.graph.cost, held))


class Crossing(Seeking):
    """A small problem, solved as far as rounds of a linear program go, and by what is built from their answer."""

    def __init__(self, kernel: Kernel, random: np.random.Generator, is_late: Callable[[], bool]) -> None:
        super().__init__(kernel, np.zeros(kernel.graph.edges, np.bool_), random, is_late)
        relaxation = Relaxation(kernel, random)
        for _ in range(ROUNDS_MAX):
            if self.is_late() or relaxation.bound >= self.cost or not relaxation.round(self.cost):
                break
        taken = relaxation.taken
        whole = taken >= WHOLE_FROM
        if is_sound(kernel.graph.rows, whole, kernel.root, kernel.terminal, kernel.critical):
            self.offer(whole)
        for _ in range(CROSSED):
            if relaxation.bound < self.cost:
                self.offer(self._another(np.maximum(taken, 1e-9)))
                self.polish()
