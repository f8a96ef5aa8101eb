"""Trees with stations: everyone hangs on a station that has room for him, and stations hang on the root.

Opening an edge costs, and so does every unit that goes along it. At any vertex stand stations, as many as are wanted,
each of a size that costs the more the more it takes. A terminal's units go along opened edges to one station, all to
the same; a station turns each begun `ratio` units into one, through a splitter that costs, and these go along opened
edges to the root. What is opened need be no tree, though here it mostly is one: where units are dear and opening is
not, a ring can be cheaper. `check_stations` says what an answer costs, by this definition alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.graph import COST_SUM_MAX, Graph

CAPACITY_MAX: Final = 100_000
"""A station takes no more: tables are as long."""
TERMINALS_MAX: Final = 100_000


class Size(NamedTuple):
    """capacity: how many units a station takes. cost: of one."""

    capacity: int
    cost: int


class Station(NamedTuple):
    """vertex: where it stands. size: by number. terminals: who hangs on it, by number."""

    vertex: int
    size: int
    terminals: tuple[int, ...]


@dataclass(frozen=True)
class Capacitated:
    """unit: by edge, what each unit costs there. terminals: the vertex of each; several may be at one. demand: the
    units of each. ratio: so many units become one in a station, by a splitter of that cost."""

    graph: Graph
    unit: Ints
    root: int
    terminals: Ints
    demand: Ints
    sizes: tuple[Size, ...]
    ratio: int
    splitter: int

    @classmethod
    def of(
        cls,
        graph: Graph,
        unit: Ints,
        root: int,
        terminals: Ints,
        demand: Ints,
        sizes: Iterable[tuple[int, int]],
        *,
        ratio: int,
        splitter: int,
    ) -> Capacitated:
        """The problem, checked. InvalidInput: somebody is nowhere or needs more than the largest station takes, or
        numbers are out of bounds."""
        arrays = [np.ascontiguousarray(each, np.int64) for each in (unit, terminals, demand)]
        problem = cls(
            graph,
            arrays[0],
            int(root),
            arrays[1],
            arrays[2],
            tuple(Size(int(capacity), int(cost)) for capacity, cost in sizes),
            int(ratio),
            int(splitter),
        )
        problem._check()
        return problem

    def _check(self) -> None:
        most = max((size.capacity for size in self.sizes), default=0)
        at, units = self.terminals, self.demand
        whole_units = int(units.sum()) if len(units) else 0
        dearest = whole_units * 2 * float(self.unit.sum(dtype=np.float64)) + whole_units * float(
            max((size.cost for size in self.sizes), default=0) + abs(self.splitter)
        )
        for wrong, what, where, remedy in (
            (
                not 1 <= most <= CAPACITY_MAX or any(size.cost < 0 or size.capacity < 0 for size in self.sizes),
                f"Stations take 1 to {CAPACITY_MAX} units and cost at least nothing.",
                "sizes",
                "Give at least one size of station.",
            ),
            (
                len(self.unit) != self.graph.edges or (len(self.unit) > 0 and int(self.unit.min()) < 0),
                "Each edge has a price for a unit, of at least nothing.",
                "unit",
                "Give as many prices as there are edges.",
            ),
            (
                len(at) != len(units)
                or not 1 <= len(at) <= TERMINALS_MAX
                or min(int(at.min()), self.root) < 0
                or max(int(at.max()), self.root) >= self.graph.vertices,
                f"Terminals and the root are vertices; there are 1 to {TERMINALS_MAX} terminals, each with a demand.",
                "terminals",
                "Give what is to hang on stations as numbers of vertices.",
            ),
            (
                self.ratio < 1 or self.splitter < 0,
                "A splitter has one to share at least, and costs at least nothing.",
                "ratio",
                "Give 1 where nothing is shared.",
            ),
            (
                dearest + float(self.graph.cost.sum(dtype=np.float64)) > COST_SUM_MAX,
                f"All units, stations and edges together could cost more than {COST_SUM_MAX}.",
                "cost",
                "Give costs in a coarser unit.",
            ),
        ):
            if wrong:
                raise InvalidInput(what, where=where, remedy=remedy)
        if not (units.min() >= 1 and units.max() <= most):
            t = int(np.argmax((units < 1) | (units > most)))
            raise InvalidInput(
                f"Terminal {t} needs {units[t]} units; a station takes 1 to {most}.",
                where=f"terminal {t}",
                remedy="Add a larger size, or part the terminal.",
            )

    @cached_property
    def price(self) -> Ints:
        """What the cheapest station costs for 0 to as many units as the largest takes, or as there are."""
        most = min(max(size.capacity for size in self.sizes), int(self.demand.sum()))
        price = np.zeros(most + 1, np.int64)
        for units in range(1, most + 1):
            price[units] = min(size.cost for size in self.sizes if size.capacity >= units)
        return price

    def size_for(self, units: int) -> int:
        """The number of the cheapest size for so many."""
        fitting = [number for number, size in enumerate(self.sizes) if size.capacity >= units]
        return min(fitting, key=lambda number: (self.sizes[number].cost, number))

    @cached_property
    def wanted(self) -> Flags:
        """Vertices that must be joined: the root and where terminals are."""
        wanted = np.zeros(self.graph.vertices, np.bool_)
        wanted[self.terminals] = True
        wanted[self.root] = True
        return wanted


@dataclass(frozen=True)
class Stationed:
    """edges: opened, by number. bound: no answer costs less. seconds: since the start."""

    edges: Ints
    stations: tuple[Station, ...]
    cost: int
    bound: int
    seconds: float

    @property
    def is_optimal(self) -> bool:
        return self.bound >= self.cost


def check_stations(problem: Capacitated, edges: Iterable[int], stations: Sequence[Station]) -> int:
    """What an answer costs, after it was seen to be one: from the definition alone.

    InvalidInput: it is none; the message says where it fails.
    """
    remedy = "The plan is wrong; do not use it."
    opened = [int(e) for e in edges]
    if len(set(opened)) < len(opened) or not all(0 <= e < problem.graph.edges for e in opened):
        raise InvalidInput("An edge stands there twice, or is none of the graph's.", where="edges", remedy=remedy)
    hanging = sorted(t for station in stations for t in station.terminals)
    if hanging != list(range(len(problem.terminals))):
        raise InvalidInput("Somebody hangs on no station, or on two.", where="stations", remedy=remedy)
    cost = sum(int(problem.graph.cost[e]) for e in opened)
    for number, station in enumerate(stations):
        where = f"station {number}"
        if not station.terminals or not 0 <= station.size < len(problem.sizes):
            raise InvalidInput("A station is empty, or of no size there is.", where=where, remedy=remedy)
        units = sum(int(problem.demand[t]) for t in station.terminals)
        if units > problem.sizes[station.size].capacity:
            raise InvalidInput("A station has no room for all who hang on it.", where=where, remedy=remedy)
        away = _distances(problem, opened, station.vertex)
        shared = -(-units // problem.ratio)
        legs = [(int(problem.demand[t]), int(problem.terminals[t])) for t in station.terminals]
        for carried, vertex in [*legs, (shared, problem.root)]:
            if vertex not in away:
                raise InvalidInput(f"No opened edges lead to vertex {vertex}.", where=where, remedy=remedy)
            cost += carried * away[vertex]
        cost += problem.sizes[station.size].cost + shared * problem.splitter
    return cost


def _distances(problem: Capacitated, opened: Sequence[int], start: int) -> dict[int, int]:
    """What a unit costs from one vertex to all others along opened edges: each is looked at until nothing changes."""
    away = {start: 0}
    legs = [(int(problem.graph.left[e]), int(problem.graph.right[e]), int(problem.unit[e])) for e in opened]
    is_changed = True
    while is_changed:
        is_changed = False
        for u, v, unit in [*legs, *((v, u, unit) for u, v, unit in legs)]:
            if u in away and away[u] + unit < away.get(v, away[u] + unit + 1):
                away[v] = away[u] + unit
                is_changed = True
    return away
