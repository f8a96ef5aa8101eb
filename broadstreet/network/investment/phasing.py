"""Which areas first: what each is worth for what it costs beside those that are built, and the years that follow.

An area's trench is shared with others on the way to the office, so its cost depends on what is built already. Areas are
taken one after another, always the one that brings most for what it still costs; a budget moves them to the years in
which there is money. What is not spent is kept. The area whose turn it is, is waited for; meanwhile others are built
that do not make it later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground
from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.investment.business import Business, Drops, Order
from broadstreet.network.investment.choosing import best_together
from broadstreet.network.investment.custom import Custom, custom_of
from broadstreet.network.investment.flow import Levers, flow_of
from broadstreet.network.investment.outlay import WHATS, Outlay, outlay_of
from broadstreet.network.investment.programme import Doors, Programme, Years, programme_of

Flags = NDArray[np.bool_]
NEVER: Final = 0
"""The year of what is not built within those that are reckoned."""


class AreaValue(msgspec.Struct, frozen=True):
    """An area when its turn comes. cost: what is built at once for it and for none before it. npv: what its customers
    bring less what it costs to build, connect and run, if built in the first year; points: a year, by all who could be
    served. by_cost: npv for each cent of cost; points_by_million: points for each million of the currency's unit.
    is_wanted: it is built; not, where only what is worth it is, and it is not among those worth most together."""

    site: str
    label: str
    turn: int
    premises: int
    customers: float
    cost_cents: int
    npv_cents: int
    npv_by_cost: float
    points: float
    points_by_million: float
    is_wanted: bool


@dataclass(frozen=True, eq=False)
class Worth:
    """By areas: what customers bring less what serving them costs; points a year. By rows of the outlay: what having
    them costs for good, building, upkeep and renewal less what is left at the end."""

    custom: F8
    points: F8
    customers: F8
    outlay: F8


def area_values(statement: Statement, ground: Ground, business: Business) -> list[AreaValue]:
    """The plan's areas in the order in which they are best built, by the business's measure: by worth unless it says by
    public value. Raises what `outlay_of` does."""
    outlay = outlay_of(statement, ground)
    return ranked(outlay, custom_of(ground, outlay.rows, business), business)


def ranked(outlay: Outlay, custom: Custom, business: Business) -> list[AreaValue]:
    """Areas by turns."""
    worth = worth_of(outlay, custom, business)
    uses = outlay.users > 0
    is_left = np.ones(len(outlay.what), dtype=np.bool_)
    drops = _drops_at_once(outlay, business)
    found: list[AreaValue] = []
    everyone = list(range(len(outlay.areas)))
    wanted = _worth_building(outlay, worth) if business.phases.only_worth else everyone
    waiting = list(wanted or everyone)
    by_points = business.phases.order is Order.BY_PUBLIC_VALUE
    while waiting:
        cost = uses.T @ np.where(is_left, outlay.cents, 0) + drops
        npv = worth.custom - uses.T @ np.where(is_left, worth.outlay, 0.0)
        brings = worth.points if by_points else npv
        by_cost = brings / np.maximum(1.0, cost)
        best = max(waiting, key=by_cost.__getitem__)
        waiting.remove(best)
        is_left &= ~uses[:, best]
        is_wanted = best in wanted
        found.append(_told(outlay, worth, best, len(found) + 1, float(cost[best]), float(npv[best]), is_wanted))
        if not waiting and len(found) < len(outlay.areas):
            waiting = [area for area in everyone if area not in wanted]
    return found


def _worth_building(outlay: Outlay, worth: Worth) -> list[int]:
    """The areas that are worth most together."""
    kinds, which = np.unique(outlay.users > 0, axis=0, return_inverse=True)
    costs = np.bincount(which.ravel(), weights=worth.outlay, minlength=len(kinds))
    needs = [np.flatnonzero(kinds[:, area]).tolist() for area in range(len(outlay.areas))]
    brings = [round(one) for one in worth.custom.tolist()]
    return best_together(brings, needs, [max(0, round(one)) for one in costs.tolist()])


def worth_of(outlay: Outlay, custom: Custom, business: Business) -> Worth:
    """What areas and rows of the outlay are worth when built in the first year: all of it is linear."""
    horizon = business.time.years
    never = Years(np.zeros(len(outlay.what), dtype=np.int64), np.ones(len(outlay.rows), dtype=np.int64))
    levers = Levers.of()

    def npv(programme: Programme) -> float:
        return float(flow_of(programme, business, levers, is_part=True).worth(business.time.falls)[0])

    points = np.array([kind.public_value for kind in business.customer.values()])
    by_area = [custom.count[outlay.area_of == area].sum(axis=0) for area in range(len(outlay.areas))]
    parts = [programme_of(outlay, custom, never, horizon, area) for area in range(len(outlay.areas))]
    one = 1e8  # a million of the currency's unit, a thousand kilometres, a thousand ports: the unit of what follows
    first = np.array([npv(_only(len(custom.kinds), horizon, what=what)) for what in range(len(WHATS))]) / one
    metre = npv(_only(len(custom.kinds), horizon, ways_m=one)) / one
    port = npv(_only(len(custom.kinds), horizon, ports=one)) / one
    return Worth(
        custom=np.array([npv(part) for part in parts]),
        points=np.array([count @ points for count in by_area]),
        customers=np.array([count.sum() for count in by_area]),
        outlay=-(outlay.cents * first[outlay.what] + outlay.ways_m * metre + outlay.ports * port),
    )


def _only(kinds: int, horizon: int, *, what: int | None = None, ways_m: float = 0.0, ports: float = 0.0) -> Programme:
    """One thing alone, in the first year."""
    built = np.zeros((len(WHATS), horizon))
    if what is not None:
        built[what, 0] = 1e8
    begins = np.eye(1, horizon)[0]
    nobody = Doors(np.zeros(0, dtype=np.int64), np.zeros((0, kinds)), np.zeros(0))
    nothing = np.zeros(horizon)
    return Programme(built, begins * ways_m, begins * ports, nothing, np.zeros((kinds, horizon)), nobody)


def _drops_at_once(outlay: Outlay, business: Business) -> F8:
    """By areas, the drops that are built with their streets."""
    if business.building.drops is Drops.ON_CONNECTION:
        return np.zeros(len(outlay.areas))
    return np.bincount(outlay.area_of, weights=outlay.drop_cents, minlength=len(outlay.areas)).astype(np.float64)


def _told(outlay: Outlay, worth: Worth, area: int, turn: int, cost: float, npv: float, is_wanted: bool) -> AreaValue:
    points = float(worth.points[area])
    return AreaValue(
        site=outlay.areas[area].site,
        label=outlay.areas[area].label,
        turn=turn,
        premises=outlay.areas[area].premises,
        customers=float(worth.customers[area]),
        cost_cents=round(cost),
        npv_cents=round(npv),
        npv_by_cost=npv / max(1.0, cost),
        points=points,
        points_by_million=points / max(1.0, cost) * 1e8,
        is_wanted=is_wanted,
    )


def years_of(outlay: Outlay, business: Business, order: Sequence[AreaValue]) -> Years:
    """The year of everything: by the plan's phases, or by areas in this order within the budget."""
    if business.phases.order is Order.AS_PLANNED:
        listed = business.time.phase_years
        last = listed[-1] if listed else 0
        after = [last + step for step in range(1, outlay.last_phase - len(listed) + 1)]
        by_phase = np.array([NEVER, *listed, *after])
        return Years(by_phase[outlay.phase], by_phase[outlay.phase_of])
    number = {area.site: at for at, area in enumerate(outlay.areas)}
    by_area = _within_budget(outlay, business, [number[value.site] for value in order if value.is_wanted])
    return Years(_first(outlay.users > 0, by_area), by_area[outlay.area_of])


def _first(uses: Flags, year_of: I8) -> I8:
    """For each row of an outlay the earliest year of those who use it; NEVER where none is built."""
    late = np.iinfo(np.int64).max
    years = np.where(uses & (year_of > NEVER), year_of, late).min(axis=1)
    return np.where(years == late, NEVER, years)


def _within_budget(outlay: Outlay, business: Business, order: list[int]) -> I8:
    """The year of each area: its turn's, as soon as there is money."""
    if not business.phases.budget:
        return np.isin(np.arange(len(outlay.areas)), order).astype(np.int64)
    schedule = _Schedule(outlay, business, order)
    for year in range(1, business.time.years + 1):
        schedule.spend(year)
    return schedule.year_of


class _Schedule:
    """Areas built year by year, out of what is at hand."""

    def __init__(self, outlay: Outlay, business: Business, order: list[int]) -> None:
        self.outlay, self.waiting = outlay, order
        self.uses = outlay.users > 0
        self.is_left = np.ones(len(outlay.what), dtype=np.bool_)
        self.drops = _drops_at_once(outlay, business)
        self.growth = 1 + business.money.building_growth
        given = business.phases.budget
        since = [max((one for one in given if one <= year), default=0) for year in range(1, business.time.years + 1)]
        self.budgets = [given[one].amount if one else 0 for one in since]
        self.kept = 0.0
        self.year_of: I8 = np.zeros(len(outlay.areas), dtype=np.int64)

    def spend(self, year: int) -> None:
        """Builds what this year's money reaches for."""
        self.kept += self.budgets[year - 1]
        while (area := self._next(year)) is not None:
            self.kept -= self._cost(area, year)
            self.is_left &= ~self.uses[:, area]
            self.year_of[area] = year
            self.waiting.remove(area)

    def _next(self, year: int) -> int | None:
        """The one whose turn it is, or one that does not keep it waiting; None: nothing more this year."""
        turn = next((area for area in self.waiting if self._reached(area, year, self.kept) is not None), None)
        if turn is None or self._cost(turn, year) <= self.kept:
            return turn
        due = self._reached(turn, year, self.kept)
        for area in self.waiting:
            cost = self._cost(area, year)
            if area != turn and cost <= self.kept and self._reached(turn, year, self.kept - cost) == due:
                return area
        return None

    def _cost(self, area: int, year: int) -> float:
        cents = self.outlay.cents[self.is_left & self.uses[:, area]].sum() + self.drops[area]
        return float(cents * self.growth ** (year - 1))

    def _reached(self, area: int, year: int, kept: float) -> int | None:
        """The year in which there is money for an area, if nothing else is built; None: not within those reckoned."""
        for later in range(year, len(self.budgets) + 1):
            kept += self.budgets[later - 1] if later > year else 0
            if self._cost(area, later) <= kept:
                return later
        return None
