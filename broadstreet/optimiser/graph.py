"""A graph with costs on its edges, as arrays: edge by edge, and by vertex in rows (CSR).

Vertices are 0 … n-1; edge e joins `left[e]` and `right[e]` at `cost[e]`, a whole number of at least 0 (the fibre
planner's are in cents) of at most `COST_MAX`, so that the sum of a tree's costs never overflows. `Rows` is the same
graph by vertex: the places `start[v]` … `start[v+1]-1` hold v's neighbours in `head`, the edge's number in `edge`,
and in `mate` the place of the same edge in the neighbour's row."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.compiled import Ints, compiled

COST_MAX: Final = 10**12
VERTICES_MAX: Final = 10**6
EDGES_MAX: Final = 4 * 10**6
COST_SUM_MAX: Final = 2**60
FAR: Final = 2**62
"""A distance beyond any other; two below it still add up within an int64."""


class Rows(NamedTuple):
    """Who is beside whom."""

    start: Ints
    head: Ints
    edge: Ints
    mate: Ints


@compiled
def make_rows(n: int, left: Ints, right: Ints) -> Rows:
    m = len(left)
    start = np.zeros(n + 1, np.int64)
    for e in range(m):
        start[left[e] + 1] += 1
        start[right[e] + 1] += 1
    for v in range(n):
        start[v + 1] += start[v]
    at = start[:n].copy()
    head, edge, mate = np.empty(2 * m, np.int64), np.empty(2 * m, np.int64), np.empty(2 * m, np.int64)
    for e in range(m):
        u, v = left[e], right[e]
        p = at[u]
        at[u] += 1
        q = at[v]
        at[v] += 1
        head[p], edge[p], mate[p] = v, e, q
        head[q], edge[q], mate[q] = u, e, p
    return Rows(start, head, edge, mate)


@dataclass(frozen=True)
class Graph:
    """vertices: how many. left, right, cost: one entry an edge, int64, never changed after."""

    vertices: int
    left: Ints
    right: Ints
    cost: Ints

    @property
    def edges(self) -> int:
        return len(self.left)

    @cached_property
    def rows(self) -> Rows:
        return make_rows(self.vertices, self.left, self.right)

    @classmethod
    def of(cls, vertices: int, left: Ints, right: Ints, cost: Ints) -> Graph:
        """A graph of anything that numpy can make whole numbers of; checked.

        InvalidInput: an edge leads to no vertex or from a vertex to itself, a cost is negative or beyond `COST_MAX`.
        """
        ends = [np.ascontiguousarray(each, np.int64) for each in (left, right, cost)]
        if not 1 <= vertices <= VERTICES_MAX or len(ends[0]) > EDGES_MAX:
            raise InvalidInput(
                f"A graph has 1 to {VERTICES_MAX} vertices and at most {EDGES_MAX} edges; this one has {vertices} and "
                f"{len(ends[0])}.",
                where="vertices",
                remedy="Plan a smaller area, or simplify its streets.",
            )
        for at, wrong in enumerate((ends[0] != ends[1], *((e >= 0) & (e < vertices) for e in ends[:2]))):
            if len(ends[0]) and not wrong.all():
                e = int(np.argmin(wrong))
                what = (
                    "joins a vertex with itself"
                    if at == 0
                    else f"leads to a vertex that is not among 0 to {vertices - 1}"
                )
                raise InvalidInput(f"Edge {e} {what}.", where=f"edge {e}", remedy="Leave it out or mend its ends.")
        if len(ends[0]) and not (ends[2].min() >= 0 and ends[2].max() <= COST_MAX):
            e = int(np.argmax((ends[2] < 0) | (ends[2] > COST_MAX)))
            raise InvalidInput(
                f"Edge {e} costs {ends[2][e]}; a cost is 0 to {COST_MAX}.",
                where=f"edge {e}",
                remedy="Give costs in a coarser unit.",
            )
        if float(ends[2].sum(dtype=np.float64)) > COST_SUM_MAX:
            raise InvalidInput(
                f"All edges together cost more than {COST_SUM_MAX}.",
                where="cost",
                remedy="Give costs in a coarser unit.",
            )
        return cls(int(vertices), *ends)
