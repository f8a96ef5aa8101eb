"""A plan from nothing but a ground: the cheapest tree that can be found, with a bound, and the network on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.plan.bound import way_cents
from broadstreet.network.plan.prices import PLANT_KINDS
from broadstreet.network.plan.tree import Crowded, plan_tree
from broadstreet.optimiser import Graph, Solution, solve

FIRST_SHARE: Final = 0.6
"""Of the time, for the first tree and its bound. A proof ends it earlier."""
MAX_CROWDED: Final = 50
"""So often ways of plant that are full are left out, and the tree is sought again."""
PULLS: Final = (0.03, 0.06, 0.1, 0.15)
"""By which shares of their weight ways that lead across are made dearer, for other trees to try."""


def plan_fibre(
    ground: Ground,
    architecture: Architecture,
    optics: Optics,
    office: int,
    *,
    seconds: float,
    seed: int = 0,
    served: Sequence[int] | None = None,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Statement], None] | None = None,
) -> Statement:
    """The best network that was found from one office (its row) to premises (rows; None: all).

    seconds: for the trees; a network on one takes a few tenths for a thousand premises. on_progress: told of every
    better network; what it raises ends the work. Raises what `plan_tree` does, and BadGround with a fault for each
    premises in a part of the ground that the office is not in.
    """
    rows = sorted(set(range(len(ground.premises)) if served is None else served))
    return _Search(ground, architecture, optics, office, rows, clock() + seconds, seed, clock, on_progress).run()


class _Search:
    def __init__(
        self,
        ground: Ground,
        architecture: Architecture,
        optics: Optics,
        office: int,
        rows: list[int],
        end_s: float,
        seed: int,
        clock: Callable[[], float],
        on_progress: Callable[[Statement], None] | None,
    ) -> None:
        _check_office(ground, office)
        _check_parts(ground, office, rows)
        self.ground, self.architecture, self.optics = ground, architecture, optics
        self.office, self.rows, self.seed = office, rows, seed
        self.end_s, self.clock, self.on_progress = end_s, clock, on_progress
        root = int(ground.offices.node[office])
        ways = ground.ways
        here = ways.usable & (ways.kind != WayKind.FIBRE) & (ground.part[ways.a] == ground.part[root])
        self.ways: I8 = np.flatnonzero(here)
        self.terminals: I8 = np.unique(np.append(ground.premises.node[rows], root)).astype(np.int64)
        # What is locked is opened by every plan: it costs nothing more to go along it.
        self.locked_cents = int(ways.open_cents[ways.locked].sum() - ways.locked.sum())
        self.weights: I8 = np.where(ways.locked, 0, way_cents(ground))
        self.best: Statement | None = None

    def run(self) -> Statement:
        left_s = self.end_s - self.clock()
        first = self._solve(self.ways, self.weights, max(0.0, left_s * FIRST_SHARE))
        bound = first.bound + self.locked_cents
        how = "proved the cheapest" if first.is_optimal else "dual ascent and cases, ended by the clock"
        method = f"a Steiner tree, {how}"
        self._offer_tree(self.ways, self.weights, first, bound, method)
        for pull in PULLS:
            left_s = self.end_s - self.clock()
            if left_s <= 0:
                break
            weights = self._pulled(pull)
            again = self._solve(self.ways, weights, left_s / 2)
            self._offer_tree(self.ways, weights, again, bound, method)
        assert self.best is not None
        return self.best

    def _solve(self, ways: I8, weights: I8, seconds: float) -> Solution:
        ground = self.ground
        a, b = ground.ways.a[ways].astype(np.int64), ground.ways.b[ways].astype(np.int64)
        graph = Graph.of(len(ground.lon), a, b, weights[ways])
        return solve(graph, self.terminals, seconds=seconds, seed=self.seed, clock=self.clock)

    def _pulled(self, pull: float) -> I8:
        """Weights for another tree, in which ways that lead neither towards the office nor away from it are dearer:
        cables from the office become shorter."""
        ground = self.ground
        root = int(ground.offices.node[self.office])
        far = np.hypot(ground.lon - ground.lon[root], ground.lat - ground.lat[root])
        out = np.abs(far[ground.ways.a] - far[ground.ways.b])
        span = np.hypot(
            ground.lon[ground.ways.a] - ground.lon[ground.ways.b], ground.lat[ground.ways.a] - ground.lat[ground.ways.b]
        )
        across = 1 - np.divide(out, span, out=np.ones_like(out), where=span > 0).clip(0, 1)
        pulled: I8 = np.rint(self.weights * (1 + pull * across)).astype(np.int64)
        return pulled

    def _offer_tree(self, ways: I8, weights: I8, solution: Solution, bound: int, method: str) -> None:
        """Plans on a tree and keeps the plan if it is the best; full ways of plant are left out, and the tree is sought
        again."""
        for _ in range(MAX_CROWDED):
            opened = ways[solution.edges]
            try:
                statement = plan_tree(
                    self.ground,
                    self.architecture,
                    self.optics,
                    self.office,
                    opened.tolist(),
                    served=self.rows,
                    opening_cents=bound,
                    method=method,
                )
            except Crowded as crowded:
                ways = ways[~np.isin(ways, crowded.ways)]
                solution = self._solve(ways, weights, max(0.0, self.end_s - self.clock()) / 2)
                continue
            except InvalidInput:
                if self.best is None:
                    raise
                return  # what the first tree could hold, this one cannot
            if self.best is None or statement.cost_cents < self.best.cost_cents:
                self.best = statement
                if self.on_progress is not None:
                    self.on_progress(statement)
            return
        raise Crowded(np.flatnonzero(np.isin(self.ground.ways.kind, PLANT_KINDS)).tolist())


def _check_office(ground: Ground, office: int) -> None:
    if not 0 <= office < len(ground.offices):
        raise InvalidInput(
            f"there is no central office {office}",
            where="office",
            remedy=f"Give the row of one of {len(ground.offices)}." if len(ground.offices) else "Give the ground one.",
        )


def _check_parts(ground: Ground, office: int, rows: Sequence[int]) -> None:
    """Raises BadGround where premises are in another part of the ground than the office."""
    part: NDArray[np.int32] = ground.part[ground.premises.node[rows]]
    astray = [rows[i] for i in np.flatnonzero(part != ground.part[ground.offices.node[office]]).tolist()]
    if astray:
        demand = ground.premises.demand
        label = ground.offices.labels[office] or ground.offices.ids[office]
        raise BadGround(
            [
                Fault(
                    FaultKind.UNREACHED,
                    float(demand.lon[row]),
                    float(demand.lat[row]),
                    f"no way leads from {label} to {demand.labels[row] or demand.ids[row]}",
                    "Give this part of the streets an office of its own, open a way between, or leave these out.",
                )
                for row in astray
            ],
            where="premises",
        )
