"""Two trees in a network with two ways for critical vertices: by one each has its first way, by the other its second,
and no edge is in both ways of a vertex.

The part in which nothing is alone is built ear by ear: a ring from the root, then paths that leave what stands and come
back. Each edge gets a number between those that its ear's ends were reached by, so that on the first tree numbers fall
from the root and on the second they rise, and every vertex's own lie above and below: the ways to it share no edge
(Itai, Rodeh 1988; Médard, Finn, Barry, Gallager 1999). Ears are the shortest that there are, and run the way round by
which first ways are short. What no critical vertex's first way needs hangs on these by shortest ways.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.bridges import alone_of, explore
from broadstreet.optimiser.compiled import Ints
from broadstreet.optimiser.graph import Graph

Step = tuple[int, int]
"""By which edge a vertex is reached, and from where."""


def apart(
    graph: Graph, roots: Iterable[int], edges: Iterable[int], critical: Iterable[int], length: npt.NDArray[np.float64]
) -> tuple[Ints, Ints]:
    """The edges of a forest that joins all vertices of a network with its roots, a tree from each, and those of a
    second one that joins the critical ones. length: by edge of the graph, what ways are to be short by.

    InvalidInput: a critical vertex has no two ways.
    """
    first_root, *_ = all_roots = sorted({int(root) for root in roots})
    merged = np.arange(graph.vertices)
    merged[all_roots] = first_root
    chosen = np.array(sorted(set(edges)), np.int64)
    left, right = merged[graph.left[chosen]], merged[graph.right[chosen]]
    kept = left != right
    net = Graph(graph.vertices, left[kept], right[kept], graph.cost[chosen[kept]])
    wanted = {int(merged[v]) for v in critical} - {first_root}
    ears = _Ears(net, first_root, wanted, length[chosen[kept]].tolist())
    numbers = chosen[kept]
    return numbers[sorted(ears.first())], numbers[sorted(ears.second())]


@dataclass(slots=True)
class _Ears:
    net: Graph
    root: int
    wanted: set[int]
    length: list[float]
    fall: dict[int, Step] = field(default_factory=dict)
    rise: dict[int, Step] = field(default_factory=dict)
    away: dict[int, float] = field(default_factory=dict)
    """How far each vertex is by its first way."""
    numbers: list[int] = field(default_factory=list)
    """Edges that have a number, the highest first."""

    def __post_init__(self) -> None:
        rows = self.net.rows
        order, via, bridge = explore(rows, np.ones(self.net.edges, np.bool_), self.root)
        alone = alone_of(rows, order, via, bridge)
        whole = {int(v) for v in order if not alone[v]}
        if lost := sorted(self.wanted - whole):
            raise InvalidInput(
                f"Vertex {lost[0]} has no two ways.", where=f"vertex {lost[0]}", remedy="Hold more edges there."
            )
        beside: dict[int, list[Step]] = {v: [] for v in whole}
        for e, (u, v) in enumerate(zip(self.net.left.tolist(), self.net.right.tolist(), strict=True)):
            if u in whole and v in whole:
                beside[u].append((e, v))
                beside[v].append((e, u))
        tree = self._shortest({self.root: 0.0}, beside)
        self.away[self.root] = 0.0
        while ear := self._ear(beside, tree):
            self._add(ear)

    def _shortest(self, begin: dict[int, float], beside: dict[int, list[Step]]) -> dict[int, Step]:
        """By which edge each vertex is nearest to some that are given, each so far already."""
        found: dict[int, Step] = {}
        done = set[int]()
        waiting = [(far, v, -1, -1) for v, far in sorted(begin.items())]
        while waiting:
            far, v, e, up = heappop(waiting)
            if v in done:
                continue
            done.add(v)
            if e >= 0:
                found[v] = e, up
            for by, other in beside.get(v, ()):
                if other not in done and other not in begin:
                    heappush(waiting, (far + self.length[by], other, by, v))
        return found

    def _ear(self, beside: dict[int, list[Step]], tree: dict[int, Step]) -> list[Step] | None:
        """The shortest path, or ring, that leaves what stands and comes back: its vertices, each with the edge before
        it; None where nothing is left. One edge of it is none of a shortest tree's."""
        up: dict[int, tuple[float, int]] = {}
        below = [v for v in tree if v not in self.away]
        for v in below:  # in the tree's order: what is above comes first
            e, above = tree[v]
            far, top = up.get(above, (0.0, v))
            up[v] = far + self.length[e], top
        best: tuple[float, int, int, int] | None = None
        for v in below:
            far, top = up[v]
            for e, other in beside[v]:
                if e == tree[v][0] or (other in tree and tree[other][0] == e):
                    continue
                more, other_top = up.get(other, (0.0, -1))
                if other_top != top:
                    best = min(best or (np.inf, 0, 0, 0), (far + self.length[e] + more, e, v, other))
        if best is None:
            return None
        _, e, v, other = best
        one, back = self._down(v, tree), self._down(other, tree)
        ends = [vertex for vertex, _ in reversed(back)]
        by = [e, *(edge for _, edge in reversed(back) if edge >= 0)]
        return [(edge, vertex) for vertex, edge in one] + list(zip(by, ends, strict=True))

    def _down(self, v: int, tree: dict[int, Step]) -> list[tuple[int, int]]:
        """Vertices from what stands down to one, each with the tree's edge before it (-1: the first)."""
        path = []
        while v not in self.away:
            e, above = tree[v]
            path.append((v, e))
            v = above
        return [(v, -1), *reversed(path)]

    def _add(self, ear: list[Step]) -> None:
        """Number an ear's edges, and lead first ways along it and second ways back."""
        choices = [path for path in (ear, self._turned(ear)) if self._fits(path)]
        path = min(choices, key=self._reach)
        begin, end = path[0][1], path[-1][1]
        at = 0 if begin == self.root else self.numbers.index(self.fall[begin][0]) + 1
        self.numbers[at:at] = [e for e, _ in path[1:]]
        for (_, before), (e, v) in pairwise(path[:-1]):
            self.fall[v] = e, before
            self.away[v] = self.away[before] + self.length[e]
        for (_, v), (e, after) in pairwise(path[1:]):
            self.rise[v] = e, after
        assert end in self.away

    @staticmethod
    def _turned(ear: list[Step]) -> list[Step]:
        vertices, edges = [v for _, v in reversed(ear)], [e for e, _ in reversed(ear[1:])]
        return list(zip([-1, *edges], vertices, strict=True))

    def _fits(self, path: list[Step]) -> bool:
        """Whether where it begins is reached by a higher number than where it ends is by its second way."""
        begin, end = path[0][1], path[-1][1]
        if self.root in (begin, end):
            return True
        return self.numbers.index(self.fall[begin][0]) < self.numbers.index(self.rise[end][0])

    def _reach(self, path: list[Step]) -> float:
        """How long first ways become: of what is critical on it, or else of all."""
        far, sums = self.away[path[0][1]], [0.0, 0.0]
        critical = False
        for e, v in path[1:-1]:
            far += self.length[e]
            sums[v in self.wanted] += far
            critical |= v in self.wanted
        return sums[critical]

    def first(self) -> set[int]:
        beside: dict[int, list[Step]] = {}
        for e, (u, v) in enumerate(zip(self.net.left.tolist(), self.net.right.tolist(), strict=True)):
            beside.setdefault(u, []).append((e, v))
            beside.setdefault(v, []).append((e, u))
        used, reached = self._along(self.fall)
        begin = {v: self.away[v] for v in reached}
        return used | {e for e, _ in self._shortest(begin, beside).values()}

    def second(self) -> set[int]:
        return self._along(self.rise)[0]

    def _along(self, steps: dict[int, Step]) -> tuple[set[int], set[int]]:
        """Edges and vertices of the ways to what is critical."""
        used, reached = set[int](), {self.root}
        for wanted in sorted(self.wanted):
            v = wanted
            while v not in reached:
                reached.add(v)
                e, v = steps[v]
                used.add(e)
        return used, reached
