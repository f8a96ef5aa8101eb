"""From which offices, by which ways: trees of ways, each from one office, in which light reaches everyone.

A Steiner tree of the network's graph says which ways pay for themselves, and bounds them. Which offices are opened
then, where the tree is parted between them and which branches hang elsewhere is decided by ways, offices and feeders
together, within everyone's reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.plan.network import Network, Opened
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.reach import Reach
from broadstreet.optimiser import Graph, Reaching, Solution, distances, reaching, solve
from broadstreet.optimiser.graph import FAR

MM: Final = 1000
"""Lengths are whole millimetres here."""


@dataclass(frozen=True)
class Routing:
    """rows: premises that are to be reached."""

    network: Network
    prices: Prices
    rows: Sequence[int]

    def without(self, ways: Sequence[int]) -> Routing:
        """The same without these ways."""
        return Routing(self.network.without(ways), self.prices, self.rows)

    def solve(
        self,
        dearer: F8 | float,
        seconds: float,
        seed: int,
        clock: Callable[[], float],
        tell: Callable[[Solution], None] | None = None,
    ) -> Solution:
        """A tree from in front of the offices to everyone. dearer: by which share more than its weight each way costs,
        by row of the ground, or all do."""
        terminals = np.unique(np.append(self._nodes, self.network.front))
        share = dearer if isinstance(dearer, float) else dearer[self.network.ways]
        graph = self.network.graph(share)
        return solve(graph, terminals, seconds=seconds, seed=seed, clock=clock, on_progress=tell)

    def forest(self, edges: I8, reach: Reach, dearness: float) -> Opened:
        """The ways and offices that a tree leads to. dearness: feeders cost so many times what they do. Who may not be
        so far from an office as the nearest is may be just as far."""
        ways = self.network.ways
        found = reaching(self._reaching(reach, dearness), edges[edges < len(ways)])
        return ways[found.edges].tolist(), [self.network.offices[number] for number in found.roots.tolist()]

    @cached_property
    def nearest_m(self) -> F8:
        """How far each premises is from the nearest office, by the shortest ways and its drop; at the least, since what
        is farther than light goes is refused: each way is up to a millimetre longer."""
        leads = self.network.ground.offices.lead_m[list(self.network.offices)]
        least_mm = [np.floor(metres * MM).astype(np.int64) for metres in (self._length_m, leads)]
        nearest_mm = distances(self._graph, least_mm[0], self._roots, least_mm[1])
        metres: F8 = nearest_mm[self._nodes] / MM + self._drops_m
        return metres

    def _reaching(self, reach: Reach, dearness: float) -> Reaching:
        demand = self.network.ground.premises.demand
        units, limit = np.zeros(self.network.front, np.int64), np.full(self.network.front, FAR, np.int64)
        each = self.prices.architecture.fibres_per_premises
        np.add.at(units, self._nodes, demand.fibres[list(self.rows)].astype(np.int64) * each)
        limit_mm = np.floor((reach.limit_m - self._drops_m) * MM).astype(np.int64)
        np.minimum.at(limit, self._nodes, np.maximum(limit_mm, self._nearest_mm[self._nodes]))
        cents_per_m = self.prices.feeder_fibre_cents_per_m / self.prices.architecture.split * dearness
        return Reaching(
            self._graph,
            self._length_mm,
            units,
            limit,
            self._roots,
            self.network.ground.offices.cents[list(self.network.offices)],
            self._lead_mm,
            max(1, round(MM / cents_per_m)) if cents_per_m else FAR,
        )

    @cached_property
    def _nearest_mm(self) -> I8:
        return distances(self._graph, self._length_mm, self._roots, self._lead_mm)

    @cached_property
    def _graph(self) -> Graph:
        """The ways alone."""
        network = self.network
        ways = network.ground.ways
        a, b = ways.a[network.ways].astype(np.int64), ways.b[network.ways].astype(np.int64)
        return Graph.of(network.front, a, b, network.weights)

    @cached_property
    def _length_m(self) -> F8:
        return self.network.ground.ways.length_m[self.network.ways]

    @cached_property
    def _length_mm(self) -> I8:
        return np.ceil(self._length_m * MM).astype(np.int64)

    @cached_property
    def _roots(self) -> I8:
        return self.network.ground.offices.node[list(self.network.offices)].astype(np.int64)

    @cached_property
    def _lead_mm(self) -> I8:
        return np.ceil(self.network.ground.offices.lead_m[list(self.network.offices)] * MM).astype(np.int64)

    @cached_property
    def _nodes(self) -> I8:
        return self.network.ground.premises.node[list(self.rows)].astype(np.int64)

    @cached_property
    def _drops_m(self) -> F8:
        return self.network.ground.premises.drop_m[list(self.rows)]
