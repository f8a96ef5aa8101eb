"""Whether what is called a Steiner tree is one, from the definition alone: nothing of the solver is used here."""

from __future__ import annotations

from collections.abc import Iterable

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.graph import Graph


def check_tree(graph: Graph, terminals: Iterable[int], edges: Iterable[int]) -> int:
    """What a tree costs, after it was seen to be one that holds all terminals together. edges: by number.

    InvalidInput: it is none; the message says where it fails.
    """
    wanted, chosen = {int(t) for t in terminals}, [int(e) for e in edges]
    remedy = "The plan is wrong; do not use it."
    if len(set(chosen)) < len(chosen) or not all(0 <= e < graph.edges for e in chosen):
        raise InvalidInput("An edge stands there twice, or is none of the graph's.", where="edges", remedy=remedy)
    beside: dict[int, list[int]] = {}
    for e in chosen:
        u, v = int(graph.left[e]), int(graph.right[e])
        beside.setdefault(u, []).append(v)
        beside.setdefault(v, []).append(u)
    start = next(iter(wanted), None)
    seen = set() if start is None else {start}
    waiting = list(seen)
    while waiting:
        for v in beside.get(waiting.pop(), ()):
            if v not in seen:
                seen.add(v)
                waiting.append(v)
    if missing := wanted - seen:
        raise InvalidInput(f"Terminal {min(missing)} is not reached.", where=f"vertex {min(missing)}", remedy=remedy)
    if stray := beside.keys() - seen:
        raise InvalidInput("A part of it hangs on nothing.", where=f"vertex {min(stray)}", remedy=remedy)
    if len(chosen) != max(0, len(seen) - 1):
        raise InvalidInput("It has a ring.", where="edges", remedy=remedy)
    return sum(int(graph.cost[e]) for e in chosen)
