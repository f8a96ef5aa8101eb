"""The best tree so far, in edges of the first graph."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.forest import span
from broadstreet.optimiser.graph import FAR, Graph
from broadstreet.optimiser.instance import NONE, Instance
from broadstreet.optimiser.polish import ends


class Incumbent:
    """`cost` and `edges` of the best tree that was offered. on_better: called after each that is better."""

    def __init__(self, graph: Graph, terminals: Ints, on_better: Callable[[], None]) -> None:
        self.graph = graph
        self.cost = FAR
        self.edges = NONE
        self._terminal = np.zeros(graph.vertices, np.bool_)
        self._terminal[terminals] = True
        self._order = np.argsort(graph.cost, kind="stable")
        self._on_better = on_better

    def offer(self, instance: Instance, chosen: Flags) -> bool:
        """Take a tree of what is left if it is better, unfolded and with nothing in it that need not be."""
        if int(instance.graph.cost[chosen].sum()) + instance.fixed_cost >= self.cost:
            return False
        graph = self.graph
        held = np.zeros(graph.edges, np.bool_)
        held[instance.unfold(chosen)] = True
        inside = ends(graph.vertices, graph.left, graph.right, held)
        tree = span(graph.rows, self._terminal, graph.left, graph.right, self._order, inside)
        self.edges = np.flatnonzero(tree)
        self.cost = int(graph.cost[tree].sum())
        self._on_better()
        return True

    def within(self, instance: Instance) -> Flags:
        """What is left of it in an instance."""
        held = np.zeros(self.graph.edges, np.bool_)
        held[self.edges] = True
        return instance.within(held)
