"""Whom to serve within a budget: those who are worth most together, and how much more any choice could be worth.

1. **The bound.** Every plan costs at least its tree of ways (`way_cents`), its offices, and by premises what `least`
   says. So no plan within the budget is worth more than the best tree within it at these costs, of which `Spender` has
   a bound. Where not even what is needed can be had so, no plan can.
2. **The choice.** What a plan costs beyond that (larger cables, closures, splices) is known once one is made. Ways are
   made dearer by a share, and premises by so much a socket, as the last plan says, and the best tree at these costs is
   fitted to the budget; what the plan on it costs moves the budget it is fitted to, until little is left.
3. **The network.** Whom that serves is planned for, as anybody is, with second ways and with the bound of what serving
   just these costs. Where that comes to more or less than the plan on the tree, the budget is fitted to once more.

The steps follow from the ground and the seed; the clock only ends them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Choice, Statement
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.points import needed_rows, premises_points
from broadstreet.network.plan.bound import with_stations
from broadstreet.network.plan.least import Extra, extra_of, premises_cents
from broadstreet.network.plan.network import Network, Opened
from broadstreet.network.plan.prices import Prices, rounded_cents
from broadstreet.network.plan.reach import Reach
from broadstreet.network.plan.refusing import Asked, cheapest_of, refuse_needed
from broadstreet.network.plan.routing import Routing
from broadstreet.network.plan.stationing import least_stations
from broadstreet.network.plan.tree import Crowded, plan_tree
from broadstreet.optimiser import Bought, Lots, OverBudget, Spender

BOUND_SHARE: Final = 0.4
"""Of the time, for the bound; a proof ends it earlier."""
NEEDED_SHARE: Final = 0.1
"""For what is needed alone."""
SEEK_SHARE: Final = 0.3
"""Of what is left then, for each of the trees at costs as a plan has them."""
ESTIMATES: Final = 3
"""So often costs are estimated anew from the last plan."""
FITS: Final = 8
"""So often a tree is fitted anew for what a plan on it really costs."""
FINAL_SHARE: Final = 0.25
"""For the plan of whom a tree serves."""
LAST_SHARE: Final = 0.15
"""Of all the time, kept for the bound of what was chosen."""
LAST_PLAN_SHARE: Final = 0.7
"""Of that, for the plan."""
FINALS: Final = 3
"""So often whom a tree serves is planned for anew."""
CLOSE: Final = 0.0005
"""A budget of which no more than this share is left is spent."""
STATIONS_S: Final = 3.0
"""With more time than this left in the end, the stations of what was chosen are bounded together."""
RELAXED: Final = (
    "ducts and cables beyond the cheapest",
    "permits of streets",
    "shares of a closure, a splitter, a cabinet or a port",
    "how far light goes, and drops along ways",
)
OTHER_HOOKS: Final = "other ways that drops could lead to"
"""Left out as well, where they could: a choice is bounded with drops as they hang."""
PROVED: Final = "a price on money, and prize-collecting trees at it"


Planning = Callable[[Sequence[int], float, Opened | None], Statement]
"""Plans for premises, in so many seconds; of trees that it tries this is one."""


def choose(
    asked: Asked, end_s: float, plan: Planning, on_progress: Callable[[Statement], None] | None = None
) -> Statement:
    """The best plan within the budget that was found until then, with its choice. on_progress: told of every better
    one; what it raises ends the work.

    Raises BadGround, with the places, where not even what is needed fits the budget, or nothing that is worth anything.
    """
    return _Choosing(asked, end_s, plan, on_progress).run()


@dataclass(frozen=True, slots=True)
class _Tried:
    """A plan on a tree, what it opens, and what it is worth."""

    statement: Statement
    opened: Opened
    points: int


class _Choosing:
    def __init__(
        self, asked: Asked, end_s: float, plan: Planning, on_progress: Callable[[Statement], None] | None
    ) -> None:
        self.asked, self.end_s, self.plan, self.on_progress = asked, end_s, plan, on_progress
        ground = asked.ground
        self.network = self.spending = Network.of(ground, asked.offices)
        self.points = premises_points(ground, asked.worth)
        needed = (needed_rows(ground, asked.worth) | set(asked.second or ())).intersection(asked.served)
        self.needed: tuple[int, ...] = tuple(sorted(needed))
        self.rows, self.least = self._who_may(self.network)
        whole = Network.of(ground, asked.offices, with_fibres=True)
        self.lent = whole if len(whole.ways) > len(self.network.ways) else None
        """With spare fibres of others' cables, which a design may use and no plan is made with: for the bound alone."""
        self.sockets = ground.premises.demand.fibres.astype(np.int64) * asked.architecture.fibres_per_premises
        self.extra = Extra()
        self.reserve_cents = 0
        self.bound_points = 0
        self.best: Statement | None = None
        self.best_key = 0, 0, 0
        self.unbound: _Tried | None = None
        """The best, where it is a plan on a tree that has no bound of its own yet."""
        self.stop_s = end_s - (end_s - asked.clock()) * LAST_SHARE
        critical = bool(ground.premises.demand.is_critical[list(needed)].any())
        self.has_second = critical if asked.second is None else bool(asked.second)

    def run(self) -> Statement:
        asked = self.asked
        # What a bill may say less than its parts cost is given to the bound.
        given = rounded_cents(asked.ground.catalogue) - self.network.locked_cents
        budget, seconds = asked.budget_cents + given, self._left_s * BOUND_SHARE
        spender = self._spender(budget, seconds)
        least_cents = 0
        try:
            if self.lent is not None:
                spender = self._bounding(self.lent, budget, seconds)
            first = spender.run()
            self.bound_points = spender.bound
            if self.lent is not None:
                spender = self._spender(budget, seconds)
                first = spender.run()
        except OverBudget as over:
            # Without lent fibres what is needed may cost more than it must.
            least_cents = over.least - given if self.bound_points == 0 else 0
            refuse_needed(asked, self.needed, least_cents, self.plan(self.needed, self._left_s / 2, None))
        if self.needed:
            alone = self.plan(self.needed, self._left_s * NEEDED_SHARE, None)
            if alone.cost_cents > asked.budget_cents:
                refuse_needed(asked, self.needed, alone.bound_cents, alone)
            self._offer(alone)
        if first.points > 0:
            self._seek(spender)
            self.stop_s = self.end_s
            if self.unbound is not None:
                self._settle(self.unbound, LAST_PLAN_SHARE)
        if self.best is None:
            self._offer(cheapest_of(asked, self.network, self.rows, self.least, self.points))
        assert self.best is not None
        if self._left_s > STATIONS_S:
            prices = Prices(asked.ground.catalogue, asked.architecture)
            self.best = with_stations(self.best, least_stations(asked.ground, prices, self.best.design.served))
            self._tell()
        return self.best

    @property
    def _left_s(self) -> float:
        return max(0.0, self.stop_s - self.asked.clock())

    def _who_may(self, network: Network) -> tuple[I8, I8]:
        """The rows of those whom light can reach by these ways, and of those who are needed; and what each costs at the
        least, by premises."""
        asked, ground = self.asked, self.asked.ground
        parts = ground.part[ground.offices.node[list(asked.offices)]]
        may = np.isin(ground.part[ground.premises.node], parts) & (ground.premises.demand.fibres > 0)
        may &= ground.premises.drop_m <= asked.architecture.longest_drop_m
        every, prices = range(len(may)), Prices(ground.catalogue, asked.architecture)
        reach = Reach(ground, asked.architecture, asked.optics, every)
        may &= Routing(network, prices, every).nearest_m <= reach.limit_m
        rows = np.array([row for row in asked.served if may[row] or row in self.needed], np.int64)
        return rows, premises_cents(ground, prices, rows.tolist())

    def _bounding(self, lent: Network, budget: int, seconds: float) -> Spender:
        """Whom any design could serve, with spare fibres that others lend, at the least costs."""
        rows, least = self._who_may(lent)
        return self._spend(lent, rows, least[rows], budget, seconds)

    def _spender(self, budget: int, seconds: float) -> Spender:
        rows = self.rows
        self.spending = self.network  # as the trees' edges are numbered, whatever is left out of it afterwards
        own = self.least[rows] + np.rint(self.extra.socket_cents * self.sockets[rows]).astype(np.int64)
        return self._spend(self.network, rows, own, budget, seconds)

    def _spend(self, network: Network, rows: I8, own: I8, budget: int, seconds: float) -> Spender:
        asked = self.asked
        nodes = asked.ground.premises.node[rows].astype(np.int64)
        lots = Lots(nodes, self.points[rows], own, np.isin(rows, self.needed))
        graph = network.graph(self.extra.ways)
        return Spender(graph, network.front, lots, budget, seconds=seconds, seed=asked.seed, clock=asked.clock)

    def _seek(self, spender: Spender) -> None:
        """Trees at costs as plans have them, fitted to the budget, and plans for whom they serve. spender: knows trees
        at the least costs, and a price to begin with."""
        price = spender.price
        budget = self.asked.budget_cents - self.network.locked_cents
        tried = self._fit(spender, budget)
        for _ in range(ESTIMATES):
            if self._left_s <= 0 or (tried is None and self.network is self.spending):
                return
            if tried is not None:
                self.extra = extra_of(self.asked.ground, self.least, self.sockets, tried.statement)
            spender = self._spender(budget, self._left_s * SEEK_SHARE)
            try:
                spender.run(price or None)
            except OverBudget:
                return
            price = spender.price
            for _ in range(FINALS):
                tried = self._fit(spender, budget)
                if tried is None or not self._settle(tried) or self._left_s <= 0:
                    break

    def _settle(self, tried: _Tried, share: float = FINAL_SHARE) -> bool:
        """Plan for whom a tree serves. Whether to fit once more, since that came to another cost."""
        rows = tried.statement.design.served
        try:
            statement = self.plan(rows, self._left_s * share, tried.opened)
        except InvalidInput:
            if self.best is None:
                raise
            return False  # what those who are needed could have, all of these cannot
        if self._offer(statement):
            self.unbound = None
        before, self.reserve_cents = self.reserve_cents, statement.cost_cents - tried.statement.cost_cents
        return abs(self.reserve_cents - before) > CLOSE * self.asked.budget_cents

    def _fit(self, spender: Spender, budget: int) -> _Tried | None:
        """The plan worth most within the budget, of those on trees fitted to budgets between what was too little and
        what was too much; or the last that was too dear."""
        most = self.asked.budget_cents - self.reserve_cents
        enough, much, target = 0, 2 * budget, budget
        best: _Tried | None = None
        last: _Tried | None = None
        for _ in range(FITS):
            tried = self._try(spender.fit(target))
            left = -1
            if tried is not None:
                left = most - tried.statement.cost_cents
                last = tried
            if tried is not None and left >= 0:
                enough = target
                if not self.has_second and self._offer(tried.statement):  # a plan on a tree lacks second ways
                    self.unbound = tried
                best = max(best or tried, tried, key=lambda each: (each.points, -each.statement.cost_cents))
            else:
                much = target
            target += left
            if not enough < target < much:
                target = (enough + much) // 2
            if 0 <= left <= CLOSE * most or much - enough <= CLOSE * budget or (self._has_chosen and self._left_s <= 0):
                break
        return best or last

    @property
    def _has_chosen(self) -> bool:
        """Whether there is a plan of more than what is needed: without one the clock ends no search for one."""
        return self.best is not None and len(self.best.design.served) > len(self.needed)

    def _try(self, bought: Bought) -> _Tried | None:
        """A plan on a tree; None where it cannot hold one. Full ways of plant are left out from then on."""
        asked = self.asked
        rows = self.rows[bought.taken].tolist()
        opened = self.spending.opened(bought.edges)
        try:
            statement = plan_tree(asked.ground, asked.architecture, asked.optics, opened[1], opened[0], served=rows)
        except Crowded as crowded:
            self.network = self.network.without(crowded.ways)
            return None
        except InvalidInput:
            return None
        return _Tried(statement, opened, int(self.points[rows].sum()))

    def _offer(self, statement: Statement) -> bool:
        """Keep a plan with its choice, if it is within the budget and the best, or as good and its bound is better;
        whether it is."""
        asked = self.asked
        if statement.cost_cents > asked.budget_cents:
            return False
        points = int(self.points[list(statement.design.served)].sum())
        key = points, -statement.cost_cents, statement.bound_cents
        if self.best is not None and key <= self.best_key:
            return False
        relaxed = (*RELAXED, OTHER_HOOKS) if len(asked.ground.hooks) else RELAXED
        choice = Choice(asked.budget_cents, asked.worth, points, self.needed, self.bound_points, PROVED, relaxed)
        self.best, self.best_key = msgspec.structs.replace(statement, choice=choice), key
        self._tell()
        return True

    def _tell(self) -> None:
        if self.on_progress is not None and self.best is not None:
            self.on_progress(self.best)
