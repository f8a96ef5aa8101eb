"""A Steiner tree problem while it shrinks: what is left of the graph, what is decided already, and the way back.

Edges of the first graph are numbered; one that stands for two in a row gets the next number in the `Ledger`. What is
left carries these numbers (`origin`), so any tree of what is left, with what is decided (`fixed`), unfolds into edges
of the first graph, at the same cost or, where two new edges share an old one, less."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from broadstreet.optimiser.compiled import Flags, Ints, compiled
from broadstreet.optimiser.forest import find
from broadstreet.optimiser.graph import Graph, Rows

NONE = np.empty(0, np.int64)


@compiled
def both_held(held: Flags, begin: int, one: Ints, other: Ints) -> None:
    for i in range(len(one)):
        held[begin + i] = held[one[i]] and held[other[i]]


@dataclass(frozen=True)
class Ledger:
    """What the numbers from `begin` to `end` stand for: two others in a row, each less than the number itself; and
    `before` what those below do (None: each for itself, an edge of the first graph)."""

    begin: int
    end: int
    one: Ints = field(default_factory=lambda: NONE)
    other: Ints = field(default_factory=lambda: NONE)
    before: Ledger | None = None

    def add(self, one: Ints, other: Ints) -> Ledger:
        """A ledger that knows these pairs too, by the next numbers; this one stays as it is."""
        return Ledger(self.end, self.end + len(one), one, other, self) if len(one) else self

    def unfold(self, numbers: Ints) -> Ints:
        """The edges of the first graph that these numbers stand for, each once."""
        ledger = self
        while ledger.before is not None:
            while (pairs := numbers >= ledger.begin).any():
                at = numbers[pairs] - ledger.begin
                numbers = np.unique(np.concatenate([numbers[~pairs], ledger.one[at], ledger.other[at]]))
            ledger = ledger.before
        return np.unique(numbers)

    def within(self, edges: Flags) -> Flags:
        """Of every number, whether all it stands for is among these edges of the first graph."""
        if self.before is None:
            return edges
        held = np.concatenate([self.before.within(edges), np.zeros(self.end - self.begin, np.bool_)])
        both_held(held, self.begin, self.one, self.other)
        return held


@dataclass
class Change:
    """What a reduction found. keep: edges that stay. merge: vertices that become one (as sets, see forest.py); fixed:
    numbers of edges that are decided for. one, other: numbers that get the next numbers in the ledger, pair by pair;
    left, right, cost, origin: edges that are new."""

    keep: Flags
    merge: Ints | None = None
    fixed: Ints = field(default_factory=lambda: NONE)
    fixed_cost: int = 0
    one: Ints = field(default_factory=lambda: NONE)
    other: Ints = field(default_factory=lambda: NONE)
    left: Ints = field(default_factory=lambda: NONE)
    right: Ints = field(default_factory=lambda: NONE)
    cost: Ints = field(default_factory=lambda: NONE)
    origin: Ints = field(default_factory=lambda: NONE)


@compiled
def compact(
    n: int, left: Ints, right: Ints, cost: Ints, order: Ints, terminal: Flags, merge: Ints
) -> tuple[Ints, Flags, int, Flags]:
    """Number what is left anew: vertices with an edge, and terminals. Give each old vertex's new number (-1: gone), the
    new terminals, how many vertices there are, and which edges stay: of those that are parallel the cheapest."""
    m = len(left)
    used = np.zeros(n, np.bool_)
    for v in range(n):
        if terminal[v]:
            used[find(merge, v)] = True
    for e in range(m):
        a, b = find(merge, left[e]), find(merge, right[e])
        if a != b:
            used[a] = True
            used[b] = True
    number = np.full(n, -1, np.int64)
    count = 0
    for v in range(n):
        if used[v]:
            number[v] = count
            count += 1
    for v in range(n):
        number[v] = number[find(merge, v)]
    left_terminals = np.zeros(count, np.bool_)
    for v in range(n):
        if terminal[v]:
            left_terminals[number[v]] = True
    keep = np.zeros(m, np.bool_)
    # Edges by lower end, cheapest first; the last one seen from a lower end to each upper end.
    start = np.zeros(count + 1, np.int64)
    for e in range(m):
        a, b = number[left[e]], number[right[e]]
        if a != b:
            start[min(a, b) + 1] += 1
    for v in range(count):
        start[v + 1] += start[v]
    at, by_lower = start[:count].copy(), np.empty(start[count], np.int64)
    for e in order:
        a, b = number[left[e]], number[right[e]]
        if a != b:
            by_lower[at[min(a, b)]] = e
            at[min(a, b)] += 1
    seen = np.full(count, -1, np.int64)
    for v in range(count):
        for i in range(start[v], start[v + 1]):
            e = by_lower[i]
            upper = max(number[left[e]], number[right[e]])
            if seen[upper] != v:
                seen[upper] = v
                keep[e] = True
    return number, left_terminals, count, keep


@dataclass(frozen=True)
class Instance:
    """What is left to be solved. `fixed_cost` is what `fixed` cost, and part of every tree's whole cost."""

    graph: Graph
    terminal: Flags
    origin: Ints
    ledger: Ledger
    fixed: Ints
    fixed_cost: int

    @classmethod
    def of(cls, graph: Graph, terminals: Ints) -> Instance:
        terminal = np.zeros(graph.vertices, np.bool_)
        terminal[terminals] = True
        return cls(graph, terminal, np.arange(graph.edges), Ledger(0, graph.edges), NONE, 0)

    @property
    def rows(self) -> Rows:
        return self.graph.rows

    @cached_property
    def terminals(self) -> Ints:
        return np.flatnonzero(self.terminal)

    @cached_property
    def order(self) -> Ints:
        """Its edges by rising cost."""
        return np.argsort(self.graph.cost, kind="stable")

    def apply(self, change: Change) -> tuple[Instance, Ints]:
        """What is left after a change, and each vertex's new number (-1: it is gone)."""
        graph = self.graph
        left = np.concatenate([graph.left[change.keep], change.left])
        right = np.concatenate([graph.right[change.keep], change.right])
        cost = np.concatenate([graph.cost[change.keep], change.cost])
        origin = np.concatenate([self.origin[change.keep], change.origin])
        merge = np.arange(graph.vertices) if change.merge is None else change.merge
        order = np.argsort(cost, kind="stable")
        number, terminal, count, keep = compact(graph.vertices, left, right, cost, order, self.terminal, merge)
        smaller = Graph(count, number[left[keep]], number[right[keep]], cost[keep])
        fixed = np.concatenate([self.fixed, change.fixed])
        fixed_cost = self.fixed_cost + change.fixed_cost
        ledger = self.ledger.add(change.one, change.other)
        return Instance(smaller, terminal, origin[keep], ledger, fixed, fixed_cost), number

    def unfold(self, chosen: Flags) -> Ints:
        """The edges of the first graph that a choice of what is left stands for, with those that are decided."""
        return self.ledger.unfold(np.concatenate([self.origin[chosen], self.fixed]))

    def within(self, edges: Flags) -> Flags:
        """What is left of it among these edges of the first graph."""
        return self.ledger.within(edges)[self.origin]
