"""A round of proof: a bound by dual ascent from one root, a tree of what it left saturated, and what the bound rules
out."""

from __future__ import annotations

import numpy as np

from broadstreet.optimiser.ascent import PATIENCES, ascend
from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.graph import FAR
from broadstreet.optimiser.growth import grow
from broadstreet.optimiser.incumbent import Incumbent
from broadstreet.optimiser.instance import Instance
from broadstreet.optimiser.polish import plant
from broadstreet.optimiser.pruning import cut_off
from broadstreet.optimiser.simplify import tidy


def try_tree(instance: Instance, seen: Ints, root: int, random: np.random.Generator) -> Flags | None:
    """A tree grown by costs as they are `seen`, polished; None where there is none."""
    graph = instance.graph
    tried = random.permutation(graph.vertices)
    chosen, whole = plant(
        graph.rows, graph.left, graph.right, graph.cost, instance.order, instance.terminal, seen, root, tried
    )
    return chosen if whole else None


def nothing_left(instance: Instance, incumbent: Incumbent) -> bool:
    """Whether all is decided, and offered; or the terminals are in parts, for no tree better than the incumbent is
    left."""
    if len(instance.terminals) > 1:
        _, whole = grow(instance.rows, instance.graph.cost, instance.terminal, int(instance.terminals[0]))
        return not whole
    incumbent.offer(instance, np.zeros(instance.graph.edges, np.bool_))
    return True


def prove(
    instance: Instance, incumbent: Incumbent, root: int, random: np.random.Generator, plants: bool = True
) -> tuple[Instance, int]:
    """What is left after one round, and a bound of the whole cost of every tree in it; at least the incumbent's cost
    where no tree in it is better. plants: whether a tree is grown, too."""
    graph = instance.graph
    patience = int(random.choice(PATIENCES))
    bound, reduced = ascend(graph.rows, graph.cost, instance.terminal, root, patience)
    if bound >= FAR:
        return instance, incumbent.cost
    whole = bound + instance.fixed_cost
    if plants and whole < incumbent.cost:
        saturated = np.zeros(graph.edges, np.bool_)
        saturated[graph.rows.edge[reduced == 0]] = True
        chosen = try_tree(instance, np.where(saturated, graph.cost, FAR), root, random)
        if chosen is not None:
            incumbent.offer(instance, chosen)
    if whole >= incumbent.cost:
        return instance, incumbent.cost
    smaller, _ = instance.apply(cut_off(instance, reduced, root, incumbent.cost - whole))
    return tidy(smaller), whole
