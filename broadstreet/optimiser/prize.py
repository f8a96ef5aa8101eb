"""Prize-collecting trees: from a root, edges cost, and what is not reached forgoes its prize. The cheapest of both.

A problem with prizes is turned into one without, so that all that is known of Steiner trees serves it: reductions,
ascents, walks, cases. First, what needs no search:

* A vertex whose prize pays its way to vertices that are sure to be joined is sure to be joined itself.
* A vertex at a loose end goes where its prize does not pay for its edge; otherwise it comes with its neighbour, whose
  prize grows by what is left over.

Then each vertex v that is still undecided, at a distance d(v) from the nearest s that is sure, with a prize
p(v) < d(v), gets a terminal of its own, that can be joined by v for d(v) - p(v), or by s for d(v). A tree that joins it
to both is no cheaper than one that leads from v to s instead, which costs d(v) too. So trees of the new graph and trees
with prizes cost the same but for a constant, the sum of d(v) - p(v), and a bound of one is a bound of the other.

A tree that comes back is pruned by a programme from its leaves to the root, which is exact for the tree."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.forest import span
from broadstreet.optimiser.graph import COST_SUM_MAX, FAR, Graph, Rows
from broadstreet.optimiser.heap import drop_first, push
from broadstreet.optimiser.paths import nearest
from broadstreet.optimiser.polish import ends
from broadstreet.optimiser.regions import root_tree
from broadstreet.optimiser.steiner import Solution, Solver


@compiled
def sure_ones(rows: Rows, cost: Ints, prize: Ints, sure: Flags) -> tuple[Ints, Ints, Ints]:
    """Write into `sure` all vertices that are sure to be joined when these are. Give every vertex's distance from them
    (`FAR`: there is no way), which is nearest, and by which place of its row the way there begins (-1: it is sure)."""
    n = len(sure)
    distance, base, via = np.full(n, FAR, np.int64), np.arange(n), np.full(n, -1, np.int64)
    heap, place = np.empty(n, np.int64), np.full(n, -1, np.int64)
    size = 0
    for v in range(n):
        if sure[v]:
            distance[v] = 0
            size = push(heap, place, distance, size, v)
    while size > 0:
        u = heap[0]
        size = drop_first(heap, place, distance, size)
        if not sure[u] and prize[u] > 0 and distance[u] <= prize[u]:
            sure[u] = True
            distance[u] = 0
            base[u] = u
            via[u] = -1
        for p in range(rows.start[u], rows.start[u + 1]):
            v, c = rows.head[p], cost[rows.edge[p]]
            if c < FAR and distance[u] + c < distance[v]:
                distance[v] = distance[u] + c
                base[v] = base[u]
                via[v] = rows.mate[p]
                size = push(heap, place, distance, size, v)
    return distance, base, via


@compiled
def take_ends(rows: Rows, cost: Ints, prize: Ints, sure: Flags, alive: Flags) -> tuple[Ints, Ints, int]:
    """Take loose ends away that are not sure, and write what is left into `alive` (edges) and `prize`. Give who came
    with whom, in this order: pairs of a vertex and its neighbour; and what is paid or forgone in any case."""
    n = len(prize)
    degree = np.zeros(n, np.int64)
    one, other = np.empty(n, np.int64), np.empty(n, np.int64)
    count = paid = 0
    for v in range(n):
        for p in range(rows.start[v], rows.start[v + 1]):
            degree[v] += alive[rows.edge[p]]
    for first in range(n):
        v = first
        while degree[v] == 1 and not sure[v]:
            for p in range(rows.start[v], rows.start[v + 1]):
                e = rows.edge[p]
                if alive[e]:
                    alive[e] = False
                    degree[v] = 0
                    u = rows.head[p]
                    degree[u] -= 1
                    if prize[v] > cost[e]:
                        paid += cost[e]
                        prize[u] += prize[v] - cost[e]
                        one[count], other[count] = v, u
                        count += 1
                    else:
                        paid += prize[v]
                    prize[v] = 0
                    v = u
                    break
    return one[:count].copy(), other[:count].copy(), paid


@compiled
def prune_prizes(rows: Rows, cost: Ints, prize: Ints, terminal: Flags, chosen: Flags, root: int) -> tuple[Flags, int]:
    """The best of the trees that chosen edges hold: it has the root and all terminals; and what its edges cost less
    than its prizes bring."""
    none = np.zeros(len(terminal), np.bool_)
    hung = root_tree(rows, none, chosen, root)
    gain, needed = prize.copy(), terminal.copy()
    kept = np.zeros(len(chosen), np.bool_)
    for i in range(len(hung.walk) - 1, 0, -1):
        v = hung.walk[i]
        left_over = gain[v] - cost[hung.by[v]]
        if needed[v] or left_over > 0:
            gain[hung.parent[v]] += left_over
            needed[hung.parent[v]] = needed[hung.parent[v]] or needed[v]
            kept[hung.by[v]] = True
    inside = np.zeros(len(terminal), np.bool_)
    inside[root] = True
    for v in hung.walk[1:]:
        if kept[hung.by[v]] and inside[hung.parent[v]]:
            inside[v] = True
        else:
            kept[hung.by[v]] = False
    return kept, gain[root]


@dataclass(frozen=True)
class Collected:
    """edges: of the tree, by number. inside: the vertices it holds. cost: of its edges, and of the prizes forgone.
    bound: no tree costs less. seconds: since the start."""

    edges: Ints
    inside: Flags
    cost: int
    bound: int
    seconds: float

    @property
    def is_optimal(self) -> bool:
        return self.bound >= self.cost


class Collector:
    """One problem being solved: `run` works on it, `solution` is the best so far."""

    def __init__(
        self,
        graph: Graph,
        root: int,
        prizes: Ints,
        *,
        terminals: Sequence[int] = (),
        seconds: float,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        on_progress: Callable[[Collected], None] | None = None,
    ) -> None:
        """prizes: by vertex, whole numbers of at least 0. terminals: vertices that must be joined, whatever it costs.

        InvalidInput: root or terminals are no vertices, prizes are not one for each of them, or together beyond bounds,
        or no way leads to a terminal.
        """
        self._graph, self._root, self._began_s, self._clock = graph, root, clock(), clock
        self._prize = np.ascontiguousarray(prizes, np.int64)
        self._terminal = np.zeros(graph.vertices, np.bool_)
        _check(graph, [root, *terminals], self._prize)
        self._terminal[[root, *terminals]] = True
        self._order = np.argsort(graph.cost, kind="stable")
        self._on_progress = on_progress
        self._cost = FAR
        self._reduce()
        self._solver = Solver(
            self._without_prizes(),
            np.concatenate([np.flatnonzero(self._sure), graph.vertices + np.arange(len(self._undecided))]),
            seconds=seconds,
            seed=seed,
            clock=clock,
            on_progress=self._tell,
        )

    def run(self) -> Collected:
        """Work until it is proven or time is up."""
        self._solver.run()
        return self.solution

    @property
    def solution(self) -> Collected:
        return self._collected(self._solver.solution)

    def _tell(self, solution: Solution) -> None:
        if self._on_progress is not None:
            self._on_progress(self._collected(solution))

    def _reduce(self) -> None:
        """Find what is sure, take loose ends away, and know the rest: who is undecided, how far each is from what is
        sure, what it lacks to pay that way; and by how much less a tree with prizes costs than one without."""
        graph, left = self._graph, self._prize.copy()
        self._sure = np.arange(graph.vertices) == self._root
        away = nearest(graph.rows, graph.cost, self._sure)[1] < 0
        if lost := np.flatnonzero(self._terminal & away).tolist():
            raise InvalidInput(
                f"Terminal {lost[0]} cannot be reached from the root {self._root}.",
                where=f"vertex {lost[0]}",
                remedy="Join the parts of the graph, or leave the terminal out.",
            )
        forgone = int(left[away].sum())
        left[away] = 0
        self._sure = self._terminal.copy()
        sure_ones(graph.rows, graph.cost, left, self._sure)
        self._alive = ~away[graph.left]
        self._one, self._other, paid = take_ends(graph.rows, graph.cost, left, self._sure, self._alive)
        distance, base, self._via = sure_ones(graph.rows, graph.cost, left, self._sure)
        left[self._sure] = 0
        self._undecided = np.flatnonzero(left > 0)
        self._joining = distance[self._undecided]
        self._base = base[self._undecided]
        self._lacking = self._joining - left[self._undecided]
        self._less = int(self._lacking.sum()) - forgone - paid

    def _without_prizes(self) -> Graph:
        graph, count = self._graph, len(self._undecided)
        own = graph.vertices + np.arange(count)
        left = np.concatenate([graph.left[self._alive], self._undecided, self._base])
        right = np.concatenate([graph.right[self._alive], own, own])
        cost = np.concatenate([graph.cost[self._alive], self._lacking, self._joining])
        return Graph(graph.vertices + count, left, right, cost)

    def _collected(self, solution: Solution) -> Collected:
        """What a tree of the graph without prizes stands for. Where a terminal of its own holds it together, a way to
        what is sure takes its place."""
        graph, count = self._graph, len(self._undecided)
        kept = np.flatnonzero(self._alive)
        chosen = np.zeros(graph.edges, np.bool_)
        chosen[kept[solution.edges[solution.edges < len(kept)]]] = True
        own = np.zeros(2 * count, np.bool_)
        own[solution.edges[solution.edges >= len(kept)] - len(kept)] = True
        for v in self._undecided[own[:count] & own[count:]].tolist():
            at = v
            while (p := self._via[at]) >= 0:
                chosen[graph.rows.edge[p]] = True
                at = int(graph.rows.head[p])
        inside = ends(graph.vertices, graph.left, graph.right, chosen)
        inside[self._root] = True
        for v, u in zip(self._one[::-1].tolist(), self._other[::-1].tolist(), strict=True):
            inside[v] |= inside[u]
        tree = span(graph.rows, inside, graph.left, graph.right, self._order, inside)
        tree, gain = prune_prizes(graph.rows, graph.cost, self._prize, self._terminal, tree, self._root)
        cost = int(self._prize.sum()) - int(gain)
        if cost < self._cost:
            self._cost, self._edges = cost, np.flatnonzero(tree)
            self._inside = ends(graph.vertices, graph.left, graph.right, tree)
            self._inside[self._root] = True
        bound = min(self._cost, solution.bound - self._less)
        return Collected(self._edges, self._inside, self._cost, bound, solution.seconds)


def collect(
    graph: Graph,
    root: int,
    prizes: Ints,
    *,
    terminals: Sequence[int] = (),
    seconds: float,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Collected], None] | None = None,
) -> Collected:
    """A tree that holds the root and the terminals, and forgoes the prizes of all other vertices that it does not hold:
    as cheap as the time allows, edges and forgone prizes together, with a proven bound.

    clock: seconds that rise. on_progress: told of every better tree and higher bound; what it raises ends the work.
    InvalidInput: as `Collector` says.
    """
    collector = Collector(
        graph, root, prizes, terminals=terminals, seconds=seconds, seed=seed, clock=clock, on_progress=on_progress
    )
    return collector.run()


def _check(graph: Graph, terminals: Sequence[int], prize: Ints) -> None:
    if not all(0 <= v < graph.vertices for v in terminals):
        raise InvalidInput(
            f"The root and the terminals are vertices of the graph, 0 to {graph.vertices - 1}.",
            where="terminals",
            remedy="Give what must be joined as numbers of vertices.",
        )
    whole = float(prize.sum(dtype=np.float64))
    if prize.shape != (graph.vertices,) or prize.min(initial=0) < 0 or whole > COST_SUM_MAX:
        raise InvalidInput(
            f"Prizes are one for each of {graph.vertices} vertices, none below 0, together at most {COST_SUM_MAX}.",
            where="prizes",
            remedy="Give 0 to vertices that bring nothing, or prizes in a coarser unit.",
        )
