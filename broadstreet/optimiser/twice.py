"""Whether what is called a network with two ways is one, from the definition alone: the solver has no part in it."""

from __future__ import annotations

from collections.abc import Iterable

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.graph import Graph


def check_rings(
    graph: Graph, roots: Iterable[int], terminals: Iterable[int], critical: Iterable[int], edges: Iterable[int]
) -> int:
    """What edges cost, after they were seen to lead from the roots to all terminals, and to the critical ones whichever
    of them is lost, unless without that edge the whole graph does not either. edges: by number.

    InvalidInput: they do not; the message says where.
    """
    starts, twice, chosen = {int(root) for root in roots}, {int(v) for v in critical}, [int(e) for e in edges]
    wanted = twice | {int(v) for v in terminals}
    remedy = "The plan is wrong; do not use it."
    if len(set(chosen)) < len(chosen) or not all(0 <= e < graph.edges for e in chosen):
        raise InvalidInput("An edge stands there twice, or is none of the graph's.", where="edges", remedy=remedy)
    if missing := wanted - _reached(graph, starts, chosen):
        raise InvalidInput(f"Terminal {min(missing)} is not reached.", where=f"vertex {min(missing)}", remedy=remedy)
    for lost in chosen:
        cut = twice - _reached(graph, starts, [e for e in chosen if e != lost])
        if cut and (cut := cut & _reached(graph, starts, [e for e in range(graph.edges) if e != lost])):
            raise InvalidInput(
                f"Terminal {min(cut)} is cut off where edge {lost} is lost.", where=f"edge {lost}", remedy=remedy
            )
    return sum(int(graph.cost[e]) for e in chosen)


def _reached(graph: Graph, starts: set[int], edges: Iterable[int]) -> set[int]:
    beside: dict[int, list[int]] = {}
    for e in edges:
        u, v = int(graph.left[e]), int(graph.right[e])
        beside.setdefault(u, []).append(v)
        beside.setdefault(v, []).append(u)
    seen, waiting = set(starts), list(starts)
    while waiting:
        for v in beside.get(waiting.pop(), ()):
            if v not in seen:
                seen.add(v)
                waiting.append(v)
    return seen
