"""Ways and offices as one graph to seek trees in: beside the ground's nodes one is in front of all offices, and an edge
leads from it to each, which costs what the office does. So trees from several offices are one tree from there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.plan.bound import way_cents
from broadstreet.optimiser import Graph

Opened = tuple[list[int], list[int]]
"""Ways and offices, by row."""


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Edges are the ways, in this order, and then the offices.

    ways: rows that may be opened. weights: of each, the least that opening it costs; nothing for what is locked, which
    every plan opens: `locked_cents` in all.
    """

    ground: Ground
    offices: tuple[int, ...]
    ways: I8
    weights: I8
    locked_cents: int

    @classmethod
    def of(cls, ground: Ground, offices: Sequence[int], *, with_fibres: bool = False) -> Network:
        """All ways that lead somewhere from these offices. with_fibres: spare fibres of others' cables, too, which no
        plan is made with, but which a design may use: bounds hold where they are in."""
        table = ground.ways
        parts = ground.part[ground.offices.node[list(offices)]]
        here = table.usable & np.isin(ground.part[table.a], parts)
        if not with_fibres:
            here &= table.kind != WayKind.FIBRE
        ways: I8 = np.flatnonzero(here).astype(np.int64)
        weights: I8 = np.where(table.locked, 0, way_cents(ground))[ways]
        # As way_cents has it, but for a cent that each way may lose to rounding.
        locked = int(table.open_cents[table.locked].sum() - table.locked.sum())
        return cls(ground, tuple(offices), ways, weights, locked)

    @property
    def front(self) -> int:
        """The vertex in front of all offices."""
        return len(self.ground.lon)

    def without(self, ways: Iterable[int]) -> Network:
        """The same, with some ways left out."""
        kept = ~np.isin(self.ways, list(ways))
        return Network(self.ground, self.offices, self.ways[kept], self.weights[kept], self.locked_cents)

    def graph(self, dearer: F8 | float = 0.0) -> Graph:
        """dearer: by which share more than its weight each way costs, or all do."""
        ground, offices = self.ground, list(self.offices)
        roots = ground.offices.node[offices]
        a = np.concatenate((ground.ways.a[self.ways], np.full(len(offices), self.front))).astype(np.int64)
        b = np.concatenate((ground.ways.b[self.ways], roots)).astype(np.int64)
        weights = np.rint(self.weights * (1 + dearer)).astype(np.int64)
        return Graph.of(self.front + 1, a, b, np.concatenate((weights, ground.offices.cents[offices])))

    def opened(self, edges: I8) -> Opened:
        """The ways and the offices that edges stand for."""
        ways = self.ways[edges[edges < len(self.ways)]].tolist()
        return ways, [self.offices[edge - len(self.ways)] for edge in edges.tolist() if edge >= len(self.ways)]
