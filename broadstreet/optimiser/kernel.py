"""What is left of a network problem with critical terminals when all that is plain is decided, and the way back.

Roots become one vertex. A bridge of the graph that leads to a terminal is in every network, so its ends become one;
what lies beyond one that leads to none is dropped. If a terminal beyond is critical the joined vertex is: two ways lead
to it, and two from there on. So each critical terminal of what is left has two ways, and the first graph's asks for two
up to a bridge, one across it, and two again behind. Vertices that are only passed through give way to one longer edge,
and of edges between the same two vertices the two cheapest stay: what hangs together by three hangs together by two.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.bridges import explore
from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.forest import find
from broadstreet.optimiser.graph import Graph

PARALLEL_MAX = 2


@dataclass(frozen=True)
class Kernel:
    """graph: what is left, with its root; terminal, critical: by vertex, the root among both. origin: the edges of the
    first graph that each edge stands for. fixed: edges of the first graph that every network has, at `fixed_cost`."""

    graph: Graph
    root: int
    terminal: Flags
    critical: Flags
    origin: tuple[Ints, ...]
    fixed: Ints
    fixed_cost: int

    def unfold(self, held: Flags) -> Ints:
        """The edges of the first graph that a choice stands for, with those that are decided."""
        parts = [self.origin[e] for e in np.flatnonzero(held)]
        return np.sort(np.concatenate([self.fixed, *parts]))


def kernel_of(graph: Graph, roots: Iterable[int], terminals: Ints, critical: Ints) -> Kernel:
    """Raises InvalidInput where a terminal is not reached from the roots."""
    merge = np.arange(graph.vertices)
    first, *others = sorted({int(root) for root in roots})
    for root in others:
        merge[find(merge, root)] = find(merge, first)
    root = int(find(merge, first))
    wanted, twice = np.zeros(graph.vertices, np.bool_), np.zeros(graph.vertices, np.bool_)
    wanted[merged(merge)[terminals]] = True
    twice[merged(merge)[critical]] = True
    wanted |= twice
    wanted[root] = twice[root] = True
    fixed, dropped = _cut_bridges(graph, merge, root, wanted, twice)
    at = merged(merge)
    root, kept = int(at[root]), ~dropped & (at[graph.left] != at[graph.right])
    edges = _Edges(at, wanted, kept, graph)
    edges.reduce()
    return edges.kernel(root, wanted, twice, fixed, int(graph.cost[fixed].sum()))


def merged(merge: Ints) -> Ints:
    """The vertex that stands for each."""
    return np.array([find(merge, v) for v in range(len(merge))], np.int64)


def _cut_bridges(graph: Graph, merge: Ints, root: int, wanted: Flags, twice: Flags) -> tuple[Ints, Flags]:
    """Joins the ends of bridges that lead to terminals. Gives these, and the edges that lead to none."""
    at = merged(merge)
    passable = np.flatnonzero(at[graph.left] != at[graph.right])
    plain = Graph(graph.vertices, at[graph.left[passable]], at[graph.right[passable]], graph.cost[passable])
    rows = plain.rows
    order, via, bridge = explore(rows, np.ones(plain.edges, np.bool_), root)
    reached = np.zeros(graph.vertices, np.bool_)
    reached[order] = True
    if (astray := np.flatnonzero(wanted & ~reached)).size:
        lost = int(astray[0])
        raise InvalidInput(
            f"Terminal {lost} cannot be reached from a root.",
            where=f"vertex {lost}",
            remedy="Join the parts of the graph, or leave the terminal out.",
        )
    below, below_twice = wanted.copy(), twice.copy()
    for v in order[:0:-1]:
        up = int(rows.head[via[v]])
        below[up] |= below[v]
        below_twice[up] |= below_twice[v]
    useless = ~reached
    fixed = []
    for v in order[1:]:
        up = int(rows.head[via[v]])
        useless[v] = useless[up] or (bridge[v] and not below[v])
        if bridge[v] and not useless[v]:
            fixed.append(int(passable[rows.edge[via[v]]]))
            one, other = find(merge, up), find(merge, int(v))
            merge[other] = one
            wanted[one] = True
            twice[one] |= twice[other] or below_twice[v]
    return np.array(fixed, np.int64), useless[at[graph.left]] | useless[at[graph.right]]


class _Edges:
    """Edges while they are merged, by number: ends, cost, and what each stands for."""

    def __init__(self, at: Ints, wanted: Flags, kept: Flags, graph: Graph) -> None:
        self.wanted = wanted
        self.cost = graph.cost
        self.ends: dict[int, tuple[int, int, int]] = {}
        self.origin: dict[int, list[int]] = {}
        self.beside: defaultdict[int, set[int]] = defaultdict(set)
        self.next = 0
        for e in np.flatnonzero(kept).tolist():
            self._add(int(at[graph.left[e]]), int(at[graph.right[e]]), int(graph.cost[e]), [e])

    def _add(self, u: int, v: int, cost: int, origin: list[int]) -> None:
        self.ends[self.next] = u, v, cost
        self.origin[self.next] = origin
        self.beside[u].add(self.next)
        self.beside[v].add(self.next)
        self.next += 1

    def _take(self, e: int) -> tuple[int, int, int, list[int]]:
        u, v, cost = self.ends.pop(e)
        self.beside[u].discard(e)
        self.beside[v].discard(e)
        return u, v, cost, self.origin.pop(e)

    def reduce(self) -> None:
        """Until nothing goes: passed vertices become edges, and third edges between two vertices go."""
        waiting = sorted(self.beside)
        while waiting:
            seen: dict[tuple[int, int], list[tuple[int, int]]] = {}
            for e, (u, v, cost) in self.ends.items():
                seen.setdefault((min(u, v), max(u, v)), []).append((cost, e))
            touched = set[int]()
            for pair, edges in seen.items():
                for _, e in sorted(edges)[PARALLEL_MAX:]:
                    self._take(e)
                    touched.update(pair)
            for v in (*waiting, *sorted(touched)):
                touched |= self._pass(v)
            waiting = sorted(touched)

    def _pass(self, v: int) -> set[int]:
        """Take a vertex out that is only passed through. What its neighbours are."""
        if self.wanted[v] or not 1 <= len(self.beside[v]) <= 2:
            return set()
        taken = [self._take(e) for e in sorted(self.beside[v])]
        others = [u if w == v else w for u, w, _, _ in taken]
        if len(taken) == 2 and others[0] != others[1]:
            (_, _, one, through), (_, _, other, on) = taken
            self._add(others[0], others[1], one + other, through + on)
        return set(others)

    def kernel(self, root: int, wanted: Flags, twice: Flags, fixed: Ints, fixed_cost: int) -> Kernel:
        used = sorted({root, *(end for u, v, _ in self.ends.values() for end in (u, v))})
        number = {v: n for n, v in enumerate(used)}
        rows = [(number[u], number[v], cost) for u, v, cost in self.ends.values()]
        left, right, cost = np.array(rows, np.int64).reshape(-1, 3).T.copy()
        origin = tuple(np.array(edges, np.int64) for edges in self.origin.values())
        small = Graph(len(used), left, right, cost)
        return Kernel(small, number[root], wanted[used], twice[used], origin, fixed, fixed_cost)
