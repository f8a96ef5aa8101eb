"""A plan from nothing but a ground: the cheapest tree that can be found, with a bound, and the network on it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture, check_architecture
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.ground.points import needed_rows
from broadstreet.network.ground.worth import Worth, default_worth
from broadstreet.network.plan.bound import rebound, with_joint, with_stations
from broadstreet.network.plan.choosing import choose
from broadstreet.network.plan.joint import Joint
from broadstreet.network.plan.network import Network, Opened
from broadstreet.network.plan.paths import OutOfReach
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.reach import Reach
from broadstreet.network.plan.refusing import Asked
from broadstreet.network.plan.ringed import RingSearch
from broadstreet.network.plan.routing import Routing
from broadstreet.network.plan.search import Search, Sought
from broadstreet.network.plan.second import second_rows
from broadstreet.network.plan.stationing import Least, least_stations
from broadstreet.network.plan.tree import Crowded, Overfull, check_drops, plan_tree
from broadstreet.optimiser import Solution

FIRST_SHARE: Final = 0.6
"""Of the time, for the first tree and its bound. A proof ends it earlier."""
EARLY_SHARE: Final = 0.1
"""After so much of it a first network is made of the tree as it is."""
SEEN_SHARE: Final = 0.001
"""By so much the bound must have risen to be told."""
LENT_SHARE: Final = 0.3
"""Where spare fibres of others' cables could be used: of the time for the first tree, for a bound with them."""
STATIONS_S: Final = 1.0
"""With less time than this left, stations are not bounded together."""
MAX_TRIES: Final = 50
"""So often a tree is mended: who is too far is brought nearer, or ways of plant that are full are left out."""
DEARNESS: Final = (1.0, 2.0, 0.0)
"""How many times their price feeders are taken to cost, in the networks that are tried on the first tree: for more, it
has more offices and shorter ways."""
DEARER: Final = 2.0
"""So many times dearer feeders are taken to be where an office would be overfull: then more offices are opened."""
PULLS: Final = (0.03, 0.06, 0.1, 0.15)
"""By which shares of their weight ways that lead across are made dearer, for other trees to try."""


def plan_fibre(
    ground: Ground,
    architecture: Architecture,
    optics: Optics,
    offices: Sequence[int],
    *,
    seconds: float,
    seed: int = 0,
    served: Sequence[int] | None = None,
    second: Sequence[int] | None = None,
    budget_cents: int | None = None,
    worth: Worth | None = None,
    joint: Joint | None = None,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Statement], None] | None = None,
) -> Statement:
    """The best network that was found from these offices (rows, of which it takes those that pay) to premises (rows;
    None: all).

    seconds: for the trees; a network on one takes a few tenths for a thousand premises. second: rows of premises that
    get a second way beside the first; None: each that is served, is critical and can have one by the streets
    (`lone_premises` names the others). on_progress: told of every better network; what it raises ends the work.
    budget_cents: of these premises those are served who are worth most within it (by `worth`; None: the one that comes
    with Broadstreet); the statement has its `Choice`. joint: a bound of ways and drops together, to whichever of its
    hooks each drop leads; taken where it is one for these offices and premises, each with one way. Raises what
    `plan_tree` and `choose` do, and BadGround with a fault for each premises in a part of the ground that none of the
    offices is in; with a budget, for each that is needed; for each who is to have a second way and cannot.
    """
    rows = sorted(set(range(len(ground.premises)) if served is None else served))
    which = sorted(set(offices))
    end_s = clock() + seconds
    _check_offices(ground, which)

    def search(whom: list[int], end_s: float, told: Callable[[Statement], None] | None) -> _Search | RingSearch:
        check_architecture(architecture, ground.catalogue, optics)
        check_drops(ground, architecture, whom)
        _check_parts(ground, which, whom)
        twice = second_rows(ground, which, whom, second)
        sought = Sought(ground, architecture, optics, which, whom, end_s, seed, clock, told)
        return RingSearch(sought, twice) if twice else _Search(sought)

    def bounded(statement: Statement) -> Statement:
        is_for = joint is not None and (joint.offices, joint.rows) == (tuple(which), tuple(rows))
        return with_joint(ground, statement, joint) if is_for and joint and not statement.design.second else statement

    if budget_cents is None:
        told = None if on_progress is None else lambda better: on_progress(bounded(better))
        return bounded(search(rows, end_s, told).run())
    worth = worth or default_worth()
    twice = None if second is None else tuple(second)
    _check_parts(ground, which, sorted(needed_rows(ground, worth).intersection(rows)))
    asked = Asked(ground, architecture, optics, tuple(which), tuple(rows), budget_cents, worth, twice, seed, clock)

    def plan(chosen: Sequence[int], left_s: float, also: Opened | None) -> Statement:
        return search(list(chosen), clock() + left_s, None).run(also, stations=False)

    return choose(asked, end_s, plan, on_progress)


class _Search(Search):
    def __init__(self, sought: Sought) -> None:
        super().__init__(sought)
        ground, offices, rows = self.ground, self.offices, self.rows
        self.routing = Routing(Network.of(ground, offices), Prices(ground.catalogue, self.architecture), rows)
        whole = Network.of(ground, offices, with_fibres=True)
        is_lent = len(whole.ways) > len(self.routing.network.ways)
        self.lent = Routing(whole, self.routing.prices, rows) if is_lent else None
        """With what spare fibres there are, which a design may use and no plan is made with: for the bound alone."""
        self.reach = Reach(ground, self.architecture, self.optics, rows)
        self.reach.check(self.routing.nearest_m)
        self.early_s = self.clock() + (self.end_s - self.clock()) * EARLY_SHARE
        self.plan_s = 0.0
        self.seen = set[tuple[int, ...]]()
        self.dearness = DEARNESS[0]
        self.least: Least | None = None

    def run(self, also: Opened | None = None, *, stations: bool = True) -> Statement:
        """also: a tree to try beside those that are found. stations: bound them together, too."""
        seconds = self.left_s * FIRST_SHARE
        if self.lent is not None:
            self._bound(self.lent.solve(0.0, seconds * LENT_SHARE, self.seed, self.clock))
            seconds *= 1 - LENT_SHARE
        first = self.routing.solve(0.0, seconds, self.seed, self.clock, self._look)
        if self.lent is None:
            self._bound(first)
        if also is not None:
            self._keep(self._plan(also), self.dearness)
        for dearness in DEARNESS:
            if self.best is not None and self.left_s <= self.plan_s:
                break
            self._try(first, 0.0, dearness)
        if stations:
            self._bound_stations()
        for pull in PULLS:
            if self.left_s <= self.plan_s:
                break
            dearer = pull * self._across()
            again = self.routing.solve(dearer, self.left_s / 2, self.seed, self.clock)
            self._try(again, dearer, self.dearness)
        assert self.best is not None
        return self.best

    def _bound(self, solution: Solution) -> None:
        """Takes over the bound that stands with a solution by the true weights."""
        how = "proved the cheapest" if solution.is_optimal else "dual ascent and cases, ended by the clock"
        self.bound_cents, self.method = self._bound_of(solution), f"a Steiner tree, {how}"
        if self.best is not None:
            self.best = rebound(self.ground, self.best, self.bound_cents, self.method)

    def _bound_of(self, solution: Solution) -> int:
        return solution.bound + self.routing.network.locked_cents

    def _bound_stations(self) -> None:
        """With time left, what cabinets, closures and splices cost at the least."""
        if self.left_s > STATIONS_S and self.best is not None:
            prices = Prices(self.ground.catalogue, self.architecture)
            self.least = least_stations(self.ground, prices, self.rows)
            self.best = with_stations(self.best, self.least)
            self.tell()

    def _look(self, solution: Solution) -> None:
        """While the first tree is still sought: a first network early, and its bound whenever it has risen by so much
        that one sees it."""
        if self.best is None:
            if solution.bound > 0 and self.clock() >= self.early_s:
                if self.lent is None:
                    self._bound(solution)
                self._try(solution, 0.0, self.dearness)
        elif self.lent is None and self._bound_of(solution) > self.bound_cents * (1 + SEEN_SHARE):
            self._bound(solution)
            self.tell()

    def _across(self) -> F8:
        """By way, how much of it leads neither towards the nearest of the offices that were taken nor away from it:
        where such are dearer, cables become shorter."""
        ground = self.ground
        assert self.best is not None
        taken = [site.office for site in self.best.design.sites if site.office is not None]
        root = ground.offices.node[taken]
        away = np.hypot(ground.lon[:, None] - ground.lon[root], ground.lat[:, None] - ground.lat[root])
        far = away.min(axis=1)
        out = np.abs(far[ground.ways.a] - far[ground.ways.b])
        span = np.hypot(
            ground.lon[ground.ways.a] - ground.lon[ground.ways.b], ground.lat[ground.ways.a] - ground.lat[ground.ways.b]
        )
        across: F8 = 1 - np.divide(out, span, out=np.ones_like(out), where=span > 0).clip(0, 1)
        return across

    def _try(self, solution: Solution, dearer: F8 | float, dearness: float) -> None:
        """Makes a network of a tree, and keeps it if it is the best. Where light does not reach somebody, who is too
        far is brought nearer; where an office would be overfull, more are opened; full ways of plant are left out, and
        the tree is sought again."""
        routing, reach = self.routing, self.reach
        refused: InvalidInput | None = None
        for _ in range(MAX_TRIES):
            began_s = self.clock()
            if self.best is not None and self.end_s - began_s <= self.plan_s:
                return
            opened = routing.forest(solution.edges, reach, dearness)
            key = (*opened[0], -1, *opened[1])
            if key in self.seen:
                if refused is None or reach.is_tightest(routing.nearest_m):
                    break
                reach = reach.tightened()
                continue
            self.seen.add(key)
            try:
                self._keep(self._plan(opened), dearness)
                self.plan_s = self.clock() - began_s
                return
            except OutOfReach as far:
                reach.learn(far)
                refused = reach.refusal(far.over_m)
            except Crowded as crowded:
                routing = routing.without(crowded.ways)
                solution = routing.solve(dearer, self.left_s / 2, self.seed, self.clock)
                refused = crowded
            except Overfull as overfull:
                dearness = DEARER * max(dearness, 1.0)
                refused = overfull
            except InvalidInput as wrong:
                refused = wrong
                break
        if self.best is None and refused is not None:
            raise refused  # what the first tree could hold, another need not

    def _plan(self, opened: Opened) -> Statement:
        return plan_tree(
            self.ground,
            self.architecture,
            self.optics,
            opened[1],
            opened[0],
            served=self.rows,
            opening_cents=self.bound_cents,
            method=self.method,
        )

    def _keep(self, statement: Statement, dearness: float) -> None:
        statement = with_stations(statement, self.least) if self.least is not None else statement
        if self.best is None or statement.cost_cents < self.best.cost_cents:
            self.best, self.dearness = statement, dearness
            self.tell()


def _check_offices(ground: Ground, offices: Sequence[int]) -> None:
    known = len(ground.offices)
    for office in offices or [known]:
        if not 0 <= office < known:
            raise InvalidInput(
                f"there is no central office {office}" if offices else "no central office is named",
                where="offices",
                remedy=f"Give rows of the {known} there are." if known else "Give the ground one.",
            )


def _check_parts(ground: Ground, offices: Sequence[int], rows: Sequence[int]) -> None:
    """Raises BadGround where premises are in another part of the ground than the offices."""
    part: NDArray[np.int32] = ground.part[ground.premises.node[rows]]
    there = np.isin(part, ground.part[ground.offices.node[offices]])
    astray = [rows[i] for i in np.flatnonzero(~there).tolist()]
    if astray:
        demand, known = ground.premises.demand, ground.offices
        label = (known.labels[offices[0]] or known.ids[offices[0]]) if len(offices) == 1 else "any of the offices"
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
