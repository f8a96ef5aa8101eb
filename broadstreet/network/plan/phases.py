"""When to build what, where each phase has a budget: so that as much worth as can be is reached early.

Phases of the ways decide everything (`works`). A relaxation in which what is shared may be paid for in parts and ahead
of time (`relax`) bounds what any phases are worth, and says who comes early in it. In that order, phase by phase, who
still fits is built for, all the ways that their light needs; then ways of those who come next are dug ahead as far as
the budget goes. Orders that differ a little are tried while there is time. What is kept is the bill's truth, to the
cent."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Programme, SiteKind, Statement, Term
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.fault import Fault, FaultKind, Placed
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.points import premises_points
from broadstreet.network.ground.worth import Worth, default_worth
from broadstreet.network.plan.prices import rounded_cents
from broadstreet.network.plan.pricing import bill_of
from broadstreet.network.plan.works import Works
from broadstreet.optimiser import relax

MAX_PHASES: Final = 40
PARTS_SHARE: Final = 0.4
"""Of the time, for the relaxation in which premises may be reached in parts."""
WHOLE_SHARE: Final = 0.6
"""Of what is left then, for the one in which they may not."""
STIR: Final = (0.05, 0.2, 0.5, 2.0)
"""By how many phases an order is stirred."""
IDLE_MAX: Final = 40
"""So many orders in a row that bring nothing are tried, and no more."""


def phase_plan(
    statement: Statement,
    ground: Ground,
    budgets_cents: Sequence[int],
    *,
    worth: Worth | None = None,
    seconds: float,
    seed: int = 0,
    clock: Callable[[], float] = time.monotonic,
    on_progress: Callable[[Statement], None] | None = None,
) -> Statement:
    """The same design built in phases, each within its budget by the bill, with its programme: the best that was found.

    worth: what each premises is worth; None: as its choice has it, or as it comes with Broadstreet. on_progress: told
    of every better one; what it raises ends the work. Raises InvalidInput where budgets are no budgets, or the design
    does not fit them; the message says whether that is proved.
    """
    if worth is None:
        worth = statement.choice.worth if statement.choice else default_worth()
    return _Phases(statement, ground, tuple(budgets_cents), worth, clock() + seconds, seed, clock, on_progress).run()


class _Phases:
    def __init__(
        self,
        statement: Statement,
        ground: Ground,
        budgets: tuple[int, ...],
        worth: Worth,
        end_s: float,
        seed: int,
        clock: Callable[[], float],
        on_progress: Callable[[Statement], None] | None,
    ) -> None:
        if not 1 <= len(budgets) <= MAX_PHASES or min(budgets) < 0:
            raise InvalidInput(
                f"budgets are 1 to {MAX_PHASES} numbers of whole cents, none below 0",
                where="budgets_cents",
                remedy="Give one for each phase, such as a year.",
            )
        self.statement, self.ground, self.budgets, self.worth = statement, ground, budgets, worth
        self.end_s, self.clock, self.seed, self.on_progress = end_s, clock, seed, on_progress
        self.works = Works(ground, statement.design, premises_points(ground, worth))
        self.opened = np.array(statement.design.opened, np.int64)
        self.offices = {site.node for site in statement.design.sites if site.kind is SiteKind.OFFICE}
        self.last = len(budgets)
        # A bill rounds each line of each phase.
        self.spare = rounded_cents(ground.catalogue)
        self.bound = int(self.works.points.sum()) * self.last
        self.method = "none"
        self.best: Statement | None = None
        self.best_worth = -1

    def run(self) -> Statement:
        budgets = [budget + self.spare for budget in self.budgets]
        needs = self.works.needs()
        parts = whole = None
        if self.last > 1:
            parts = relax(needs, budgets, seconds=self._left_s * PARTS_SHARE, is_whole=False, seed=self.seed)
            if parts.worth is None:
                self._refuse("no order of building keeps these budgets")
            self._lower(parts.worth, "a linear program in which what is shared is paid for in parts, ahead of time")
        when = np.zeros(len(self.works.points)) if parts is None else parts.when
        self._try(when)
        if self.last > 1 and self.best_worth < self.bound:
            whole = relax(needs, budgets, seconds=self._left_s * WHOLE_SHARE, is_whole=True, seed=self.seed)
            if whole.worth is None:
                self._refuse("no order of building keeps these budgets")
            self._lower(whole.worth, "a program in which what is shared is paid for in parts, premises reached as one")
            when = whole.when + 0.01 * when if whole.is_whole else when
        self._stir(when)
        if self.best is None:
            self._refuse("no order of building was found that keeps these budgets, which does not prove there is none")
        return self._told(self.best)

    @property
    def _left_s(self) -> float:
        return max(0.0, self.end_s - self.clock())

    def _lower(self, worth: int, method: str) -> None:
        if worth < self.bound:
            self.bound, self.method = worth, method

    def _stir(self, when: NDArray[np.float64]) -> None:
        random = np.random.default_rng(self.seed)
        idle = tries = 0
        while idle < IDLE_MAX and self._left_s > 0 and self.best_worth < self.bound:
            before = self.best_worth
            self._try(when + STIR[tries % len(STIR)] * random.random(len(when)))
            idle = idle + 1 if self.best_worth == before else 0
            tries += 1

    def _try(self, when: NDArray[np.float64]) -> None:
        """Build in the order of a key, and keep that if it is the best."""
        order = np.lexsort((-self.works.points, when)).tolist()
        phases = np.full(len(self.opened), self.last, np.int64)
        for phase in range(1, self.last):
            phases = self._fill(phases, phase, order)
        if (self.works.cents(phases, self.last)[1:] > np.array(self.budgets) + self.spare).any():
            return
        reached = self.works.reached(phases)
        worth = int((self.works.points * (self.last + 1 - reached)).sum())
        if worth > self.best_worth:
            self._keep(phases, worth)

    def _fill(self, phases: I8, phase: int, order: Sequence[int]) -> I8:
        """Move to a phase what is built in it, of what is built in the last so far."""
        room = self.budgets[phase - 1] - self.spare
        spent = float(self.works.cents(phases, self.last)[phase])
        waiting: list[int] = []
        for unit in order:
            missing = [way for way in self.works.ways[unit] if phases[way] > phase]
            if not missing:
                continue
            tried = self._moved(phases, phase, missing, spent, room)
            if tried is None:
                waiting.append(unit)
            else:
                phases, spent = tried
        for unit in waiting:
            if spent >= room:
                break
            for way in self._outwards(phases, phase, unit):
                tried = self._moved(phases, phase, [way], spent, room)
                if tried is None:
                    break
                phases, spent = tried
        return phases

    def _moved(self, phases: I8, phase: int, ways: Sequence[int], spent: float, room: float) -> tuple[I8, float] | None:
        """With these ways built in a phase, and what it comes to then; None where that is more than there is."""
        if spent + float(self.works.way_cents[ways].sum()) > room:
            return None
        moved = phases.copy()
        moved[ways] = phase
        cents = float(self.works.cents(moved, self.last)[phase])
        return (moved, cents) if cents <= room else None

    def _outwards(self, phases: I8, phase: int, unit: int) -> list[int]:
        """Ways that a unit waits for, in an order in which each hangs together with what stands."""
        ways = self.ground.ways
        built = self.opened[phases <= phase]
        nodes = self.offices.union(ways.a[built].tolist(), ways.b[built].tolist())
        missing = [way for way in self.works.ways[unit] if phases[way] > phase]
        found: list[int] = []
        while missing:
            near = [way for way in missing if {int(ways.a[self.opened[way]]), int(ways.b[self.opened[way]])} & nodes]
            if not near:
                return found
            found += near
            missing = [way for way in missing if way not in near]
            for way in near:
                nodes |= {int(ways.a[self.opened[way]]), int(ways.b[self.opened[way]])}
        return found

    def _keep(self, phases: I8, worth: int) -> None:
        """Keep phases with their bill, if that is within the budgets to the cent."""
        statement = self.statement
        design = msgspec.structs.replace(statement.design, phases=tuple(phases.tolist()))
        bill = bill_of(self.ground, design)
        cents = [sum(item.cents for item in bill.items if item.phase == phase + 1) for phase in range(self.last)]
        is_dear = any(spent > budget for spent, budget in zip(cents, self.budgets, strict=True))
        if is_dear or (statement.choice is not None and bill.cents > statement.choice.budget_cents):
            return
        terms = _rounded(statement.terms, bill.cents - statement.cost_cents, (self.last - 1) * self.spare)
        self.best = msgspec.structs.replace(statement, design=design, bill=bill, terms=terms)
        self.best_worth = worth
        if self.on_progress is not None:
            self.on_progress(self._told(self.best))

    def _told(self, statement: Statement) -> Statement:
        programme = Programme(self.budgets, self.worth, self.best_worth, self.bound, self.method)
        return msgspec.structs.replace(statement, programme=programme)

    def _refuse(self, what: str) -> NoReturn:
        cost, given = self.statement.cost_cents, sum(self.budgets)
        currency = self.statement.bill.currency
        lacking = f"; they lack {(cost - given) / 100:,.2f}" if given < cost else ""
        told = f"{what}: the design costs {cost / 100:,.2f} {currency}, they come to {given / 100:,.2f}{lacking}"
        remedy = "Give more, or plan within a budget."
        lon, lat = self.ground.lon, self.ground.lat
        faults = [
            Fault(FaultKind.OVER_BUDGET, float(lon[node]), float(lat[node]), f"{told}; it begins here", remedy)
            for node in sorted(self.offices)
        ]
        raise Placed(told, faults, where="phase_budgets_cents", remedy=remedy)


def _rounded(terms: tuple[Term, ...], more_cents: int, lost_cents: int) -> tuple[Term, ...]:
    """Terms that spend what a bill says that rounds the lines of each phase. lost_cents: how much any such bill may
    lose beyond one of a single phase, by which the terms gave way before. The one with the largest bound takes both."""
    largest = max(range(len(terms)), key=lambda at: (terms[at].bound_cents, terms[at].spent_cents))
    term = terms[largest]
    spent = term.spent_cents + more_cents
    bound = max(0, min(term.bound_cents - lost_cents, spent))
    changed = msgspec.structs.replace(term, spent_cents=spent, bound_cents=bound)
    return (*terms[:largest], changed, *terms[largest + 1 :])
