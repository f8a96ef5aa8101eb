"""Forests that reach: everyone hangs on a root, by a way no longer than his limit, as cheaply as can be.

A root may be opened at a price; edges cost once, whoever uses them; carrying costs by how far each unit is from its
root. Without limits, and with carrying for nothing, this is a Steiner tree over the roots. A good tree comes in, a
forest goes out:

1. Roots that are not on the tree are led to it (`led`), and where somebody would be too far from all of them, shorter
   ways are put in (`grafting`).
2. Which roots are opened, and where the tree is cut between them, is exact for the tree (`seating`).
3. Each branch is hung where it costs least within the limits (`rehanging`); then the second step again, on the forest
   as it is now, until nothing is gained.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.forest import find, prune
from broadstreet.optimiser.grafting import graft, reach
from broadstreet.optimiser.graph import Graph, Rows
from broadstreet.optimiser.paths import nearest
from broadstreet.optimiser.rehanging import Problem, rehang
from broadstreet.optimiser.seating import seat

ROUNDS_MAX: Final = 8


@dataclass(frozen=True)
class Reaching:
    """length: by edge. units: by vertex, how many are carried there; where there are some, it must be reached. limit:
    by vertex, how far it may be from its root, along the forest and what lies before the root. root, root_cost,
    root_length: a row each: its vertex, what opening it costs, what lies before it. per_cost: so many units times
    length cost 1."""

    graph: Graph
    length: Ints
    units: Ints
    limit: Ints
    root: Ints
    root_cost: Ints
    root_length: Ints
    per_cost: int

    @cached_property
    def order(self) -> Ints:
        """The edges by rising cost."""
        return np.argsort(self.graph.cost, kind="stable")

    @property
    def arrays(self) -> Problem:
        """The same for the compiled."""
        graph = self.graph
        return Problem(
            graph.rows,
            graph.cost,
            self.length,
            self.units,
            self.limit,
            self.root,
            self.root_cost,
            self.root_length,
            self.per_cost,
        )


@dataclass(frozen=True)
class Forest:
    """edges: of the graph. roots: rows that are opened. cost: of both, and of carrying."""

    edges: Ints
    roots: Ints
    cost: int


def distances(graph: Graph, length: Ints, root: Ints, before: Ints) -> Ints:
    """For each vertex how far the nearest root is, by the shortest way there is; FAR where none leads. before: what
    lies before each root."""
    return reach(graph.rows, length, np.ones(graph.edges, np.bool_), root, before)[0]


def reaching(problem: Reaching, edges: Ints) -> Forest:
    """A forest made of a tree or forest that holds everyone. Everyone must be near enough to some root by some way
    (`distances`)."""
    graph = problem.graph
    chosen = np.zeros(graph.edges, np.bool_)
    chosen[edges] = True
    shortest, there = graft(problem.arrays, _led(problem, chosen))
    chosen = joined(graph.vertices, graph.left, graph.right, problem.order, shortest, there)
    best: Forest | None = None
    for _ in range(ROUNDS_MAX):
        forest, kept = _settled(problem, chosen)
        if best is not None and forest.cost >= best.cost:
            break
        best = forest
        chosen = _led(problem, joined(graph.vertices, graph.left, graph.right, problem.order, kept, chosen))
    assert best is not None
    return best


def _settled(problem: Reaching, chosen: Flags) -> tuple[Forest, Flags]:
    """Roots chosen on a tree, branches hung better: the forest, and its edges as flags."""
    graph = problem.graph
    kept, opened, fits = seat(problem.arrays, chosen)
    assert fits, "grafting brings everyone near enough to a root"
    needed = problem.units > 0
    needed[problem.root[opened]] = True
    prune(graph.rows, needed, graph.left, graph.right, kept)
    hung = rehang(problem.arrays, kept, opened)
    at = problem.root
    used = opened & (hung.owner[at] == np.arange(len(at))) & (hung.parent[at] < 0) & (hung.units[at] > 0)
    carried = int((problem.units * np.where(problem.units > 0, hung.depth, 0)).sum()) // problem.per_cost
    cost = int(graph.cost[kept].sum() + problem.root_cost[used].sum()) + carried
    return Forest(np.flatnonzero(kept), np.flatnonzero(used), cost), kept


def _led(problem: Reaching, chosen: Flags) -> Flags:
    """The forest with the cheapest way from each root to it."""
    graph = problem.graph
    inside = problem.units > 0
    inside[graph.left[chosen]] = True
    inside[graph.right[chosen]] = True
    _, base, via = nearest(graph.rows, graph.cost, inside)
    led = chosen.copy()
    lead(graph.rows, problem.root, base, via, led)
    return led


@compiled
def lead(rows: Rows, root: Ints, base: Ints, via: Ints, led: Flags) -> None:
    """Take in the ways from roots to where `via` leads."""
    for first in root:
        v = first
        while base[v] >= 0 and via[v] >= 0:
            led[rows.edge[via[v]]] = True
            v = rows.head[via[v]]


@compiled
def joined(n: int, left: Ints, right: Ints, order: Ints, first: Flags, then: Flags) -> Flags:
    """The first edges, and of the others, by rising cost, those that make no ring."""
    parent = np.arange(n)
    chosen = first.copy()
    for e in order:
        if first[e]:
            parent[find(parent, left[e])] = find(parent, right[e])
    for e in order:
        if then[e] and not first[e]:
            a, b = find(parent, left[e]), find(parent, right[e])
            if a != b:
                parent[a] = b
                chosen[e] = True
    return chosen
