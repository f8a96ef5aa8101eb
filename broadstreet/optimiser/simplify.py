"""All reductions in turn, until little more goes: what is cheap always, what is dear where the problem has shrunk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broadstreet.optimiser.instance import Instance
from broadstreet.optimiser.replacement import replace_vertices, shorten
from broadstreet.optimiser.thinning import join_terminals, thin

WORTH: Final = 0.97
"""Another round is worth its time while one leaves no more than this share of the edges."""
ROUNDS_MAX: Final = 40


def tidy(instance: Instance) -> Instance:
    """The cheap ones: ends that lead nowhere, vertices passed through, terminals sure to be joined."""
    while True:
        instance, _ = instance.apply(thin(instance))
        change = join_terminals(instance)
        if change is None:
            return instance
        instance, _ = instance.apply(change)


def simplify(instance: Instance, is_late: Callable[[], bool]) -> Instance:
    """All that do not need a bound. is_late: whether to be content with what is done."""
    instance = tidy(instance)
    for _ in range(ROUNDS_MAX):
        before = instance.graph.edges
        for reduction in (shorten, replace_vertices):
            if is_late() or instance.graph.edges == 0:
                return instance
            instance, _ = instance.apply(reduction(instance))
            instance = tidy(instance)
        if instance.graph.edges > WORTH * before:
            break
    return instance
