"""Two trees crossed: the best tree that has no edge but theirs, or one near to it.

What two good trees agree on is mostly right, and where they differ little is left to choose from: reductions and rounds
of proof decide most of that small problem, often all of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags
from broadstreet.optimiser.incumbent import Incumbent
from broadstreet.optimiser.instance import Change, Instance
from broadstreet.optimiser.proof import nothing_left, prove
from broadstreet.optimiser.simplify import tidy

ROUNDS: Final = 6


def cross(instance: Instance, one: Flags, other: Flags, random: np.random.Generator) -> Flags:
    """A tree at least as good as the better of two."""
    graph = instance.graph
    better = one if graph.cost[one].sum() <= graph.cost[other].sum() else other
    found = Incumbent(graph, instance.terminals, lambda: None)
    both = Instance.of(graph, instance.terminals)
    found.offer(both, better)
    left, _ = both.apply(Change(one | other))
    left = tidy(left)
    for _ in range(ROUNDS):
        if nothing_left(left, found):
            break
        root = int(random.choice(left.terminals))
        left, bound = prove(left, found, root, random)
        if bound >= found.cost:
            break
    chosen = np.zeros(graph.edges, np.bool_)
    chosen[found.edges] = True
    return chosen
