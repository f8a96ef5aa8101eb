"""A walk through trees: the best known is polished by costs that are a little wrong, then by the right ones, and kept
if it is no dearer. The wrong costs differ every time, everywhere or in one neighbourhood, and by more or less.

Trees of equal cost are many, above all where every edge costs the same; wrong costs lead from one to the next.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.graph import Rows
from broadstreet.optimiser.instance import Instance
from broadstreet.optimiser.polish import polish
from broadstreet.optimiser.proof import try_tree

SCALE: Final = 1000
SEEN_MAX: Final = 2.0**60
"""No sum of costs as they are seen is more, so that none overflows."""
WRONG_EVERYWHERE: Final = 0.3
WRONG_NEARBY: Final = 1.0
SMALLEST: Final = 16
LIKED: Final = 0.1
EVERYWHERE: Final = 0.5
"""How often costs are wrong everywhere."""


@compiled
def neighbourhood(rows: Rows, centre: int, size: int) -> Flags:
    """The vertices nearest to one, by edges."""
    n = len(rows.start) - 1
    seen, queue = np.zeros(n, np.bool_), np.empty(n, np.int64)
    seen[centre] = True
    queue[0] = centre
    at, end = 0, 1
    while at < end < size:
        for p in range(rows.start[queue[at]], rows.start[queue[at] + 1]):
            v = rows.head[p]
            if not seen[v]:
                seen[v] = True
                queue[end] = v
                end += 1
        at += 1
    return seen


class Walker:
    """Walks on one instance, from `start` or a tree that it grows itself, of the edges that it `likes` where it can.
    `chosen` is where it stands, `cost` what that costs, without what is decided."""

    def __init__(
        self,
        instance: Instance,
        random: np.random.Generator,
        start: Flags | None = None,
        likes: Flags | None = None,
    ) -> None:
        self.instance = instance
        self._random = random
        graph = instance.graph
        most = float(graph.cost.sum()) * (1 + WRONG_NEARBY)
        self._scaled = graph.cost * min(float(SCALE), SEEN_MAX / max(1.0, most))
        self.chosen = self._grow(likes) if start is None else start
        self.cost = int(graph.cost[self.chosen].sum())

    def _grow(self, likes: Flags | None) -> Flags:
        """A tree of one's own: from any terminal, by costs that are wrong everywhere, or right and less where liked."""
        graph, random = self.instance.graph, self._random
        wrong = np.where(likes, LIKED, 1.0) if likes is not None else 1 + WRONG_EVERYWHERE * random.random(graph.edges)
        seen = self._scaled * wrong
        chosen = try_tree(self.instance, seen.astype(np.int64), int(random.choice(self.instance.terminals)), random)
        assert chosen is not None, "a walk begins where the terminals are connected"
        return chosen

    def step(self) -> int:
        """Walk on, to a tree that is no dearer. The work it was, in edges looked at."""
        graph, random = self.instance.graph, self._random
        everywhere = random.random() < EVERYWHERE
        if everywhere:
            stirred = np.ones(graph.vertices, np.bool_)
            wrong = np.ones(graph.edges, np.bool_)
        else:
            size = math.exp(random.uniform(math.log(SMALLEST), math.log(SMALLEST + graph.vertices / 2)))
            stirred = neighbourhood(graph.rows, int(random.integers(graph.vertices)), int(size))
            wrong = stirred[graph.left] | stirred[graph.right]
        by = random.random() * (WRONG_EVERYWHERE if everywhere else WRONG_NEARBY)
        seen = self._scaled.copy()
        seen[wrong] *= 1 + by * random.random(int(wrong.sum()))
        found, passes = self._polish(seen.astype(np.int64), None, self.chosen, stirred.copy())
        moved = np.flatnonzero(found != self.chosen)
        stirred[graph.left[moved]] = True
        stirred[graph.right[moved]] = True
        found, more = self._polish(graph.cost, self.instance.order, found, stirred)
        cost = int(graph.cost[found].sum())
        if cost <= self.cost:
            self.chosen, self.cost = found, cost
        return (passes + more) * graph.edges

    def _polish(self, cost: Ints, order: Ints | None, chosen: Flags, stirred: Flags) -> tuple[Flags, int]:
        graph, random = self.instance.graph, self._random
        order = np.argsort(cost, kind="stable") if order is None else order
        root = int(random.choice(self.instance.terminals))
        tried = random.permutation(graph.vertices)
        return polish(
            graph.rows, graph.left, graph.right, cost, order, self.instance.terminal, chosen, root, tried, stirred
        )
