"""From what a project is made from and what is wished of it to a plan that has been checked; no store, no event loop.

A `Task` says all of it, so that a process of its own can do it. `reading` puts the ground together, `plan` seeks the
network, checks it and counts it. The clock is a parameter, and with it the wish to stop: a clock that says the time is
over ends the search with the best there is.
"""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Role, SiteKind, Statement
from broadstreet.network.ground import BadGround, Fault, FaultKind, Ground
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.fault import Placed
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.plan import lone_premises, phase_plan, plan_with_drops
from broadstreet.network.proof import Finding, prove
from broadstreet.network.scenarios.faults import faults_of
from broadstreet.network.scenarios.scenario import Better, OneWay, Outcome
from broadstreet.network.scenarios.task import Task
from broadstreet.network.scenarios.wish import PlanWish, Sheets
from broadstreet.optimiser import Graph, solve

MAX_BETTER: Final = 500
"""Lines of progress that are kept: of more, every other one goes."""
MAX_FINDINGS: Final = 200
"""What the checker found, of one plan, that is kept."""
PHASES_SHARE: Final = 0.3
"""Of the time, for when what is built, where each phase has a budget."""
LOST: Final = (FaultKind.UNREACHED, FaultKind.OUTSIDE, FaultKind.EMPTY, FaultKind.BAD_GEOMETRY)
"""Faults by which premises may be lost to a plan."""
WARM_S: Final = 60.0
_RING: Final = 6
OVER_S: Final = 1e9
"""By how much a clock is ahead that says that the time is over."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, with the ground it is of, as its drops were chosen, what it was planned by, what the checker found
    (nothing, if it is to be shown), its figures, and the faults of the ground and of the plan."""

    statement: Statement
    ground: Ground
    sheets: Sheets
    findings: tuple[Finding, ...]
    outcome: Outcome
    faults: tuple[Fault, ...]


class Progress:
    """Each better plan, after how many seconds it was found; thinned out where they are many."""

    def __init__(self, clock: Callable[[], float], tell: Callable[[Better], None]) -> None:
        self.found: list[Better] = []
        self._clock, self._tell, self._began_s = clock, tell, clock()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock() - self._began_s

    def note(self, statement: Statement) -> None:
        """A better plan."""
        choice = statement.choice
        points = (None, None) if choice is None else (choice.points, choice.bound_points)
        better = Better(round(self.seconds, 3), statement.cost_cents, statement.bound_cents, *points)
        self.found.append(better)
        if len(self.found) > MAX_BETTER:
            del self.found[1:-1:2]
        self._tell(better)


class Stopping:
    """A clock that can be told that the time is over."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.is_stopped = False
        self._clock = clock

    def stop(self) -> None:
        """The time is over from now on."""
        self.is_stopped = True

    def __call__(self) -> float:
        return self._clock() + (OVER_S if self.is_stopped else 0.0)


def warm() -> None:
    """Let what is compiled when it is first called be compiled, or be read from where it was kept: no plan's own time
    is spent on it."""
    ring = np.arange(_RING, dtype=np.int64)
    a, b = np.append(ring, [0, 1, 2]), np.append((ring + 1) % _RING, [3, 4, 5])
    cost = np.append(3 + ring % 2, [9, 2, 6]).astype(np.int64)
    solve(Graph.of(_RING, a, b, cost), np.array([0, 3, 5]), seconds=WARM_S)


def plan(
    task: Task,
    ground: Ground,
    stopping: Stopping,
    tell: Callable[[Better], None],
    checking: Callable[[], None] = lambda: None,
) -> Planned:
    """The best plan that was found, checked. tell: of each better one; checking: called when the search is over.

    Raises what `plan_with_drops` and `phase_plan` raise, and InvalidInput for offices or premises that are not there.
    """
    wish = task.wish
    sheets = wish.sheets(ground.catalogue)
    _check_reached(ground, wish)
    progress = Progress(time.monotonic, tell)
    ground, statement = plan_with_drops(
        ground,
        sheets.architecture,
        sheets.optics,
        _offices(ground, wish.offices),
        seconds=wish.seconds * (1.0 if wish.phase_budgets_cents is None else 1 - PHASES_SHARE),
        seed=wish.seed,
        served=None if wish.served is None else _rows(ground, wish.served),
        budget_cents=wish.budget_cents,
        worth=sheets.worth,
        clock=stopping,
        on_progress=progress.note,
    )
    if wish.phase_budgets_cents is not None:
        left_s = wish.seconds * PHASES_SHARE
        statement = phase_plan(
            statement,
            ground,
            wish.phase_budgets_cents,
            worth=sheets.worth,
            seconds=left_s,
            seed=wish.seed,
            clock=stopping,
        )
    seconds = progress.seconds
    checking()
    findings = tuple(prove(statement, ground, sheets.architecture, sheets.optics)[:MAX_FINDINGS])
    faults = faults_of(statement, ground)
    outcome = outcome_of(statement, ground, sheets, seconds, len(faults), was_stopped=stopping.is_stopped)
    return Planned(statement, ground, sheets, findings, outcome, faults)


def outcome_of(
    statement: Statement, ground: Ground, sheets: Sheets, seconds: float, faults: int, *, was_stopped: bool
) -> Outcome:
    """A plan's figures. faults: how many there are."""
    design = statement.design
    kinds = [site.kind for site in design.sites]
    opened = np.asarray(design.opened, dtype=np.int64)
    plant = np.isin(ground.ways.kind[opened], list(PLANT))
    length_m = ground.ways.length_m[opened]
    served = list(design.served)
    limits = sheets.optics.classes[statement.optical_class]
    choice, programme = statement.choice, statement.programme
    return Outcome(
        currency=statement.bill.currency,
        cost_cents=statement.cost_cents,
        bound_cents=statement.bound_cents,
        gap=statement.gap,
        premises=len(ground.premises),
        served=len(served),
        critical=int(ground.premises.demand.is_critical[served].sum()),
        second=len(design.second),
        fibres=int(ground.premises.demand.fibres[served].sum()),
        offices=kinds.count(SiteKind.OFFICE),
        cabinets=kinds.count(SiteKind.CABINET),
        closures=kinds.count(SiteKind.CLOSURE),
        splitters=len(design.splitters),
        cables=sum(cable.role is not Role.DROP for cable in design.cables),
        opened_m=round(float(length_m.sum()), 2),
        trench_m=round(float(length_m[~plant].sum()), 2),
        worst_loss_db=round(max((path.loss_db for path in statement.paths), default=0.0), 3),
        most_loss_db=round(limits.most_loss_db - sheets.optics.margin_db, 3),
        longest_m=round(max((path.length_m for path in statement.paths), default=0.0), 2),
        seconds=round(seconds, 3),
        ground=design.ground,
        faults=faults,
        was_stopped=was_stopped,
        lone=ground.counts.unreached,
        one_way=_one_way(statement, ground),
        most_m=round(min(limits.longest_m, sheets.architecture.longest_way_m), 2),
        budget_cents=None if choice is None else choice.budget_cents,
        points=None if choice is None else choice.points,
        bound_points=None if choice is None else choice.bound_points,
        phase_cents=_phase_cents(statement) if programme is not None else None,
        point_years=None if programme is None else programme.point_years,
        bound_point_years=None if programme is None else programme.bound_point_years,
    )


def _one_way(statement: Statement, ground: Ground) -> tuple[OneWay, ...]:
    """Critical premises without a second way, and what is in the way."""
    design = statement.design
    offices = [site.office for site in design.sites if site.office is not None]
    critical = [row for row in design.served if ground.premises.demand.is_critical[row]]
    alone = lone_premises(ground, offices, sorted(set(critical) - set(design.second)))
    return tuple(OneWay(id=ground.premises.demand.ids[row], what=fault.what) for row, fault in sorted(alone.items()))


def _phase_cents(statement: Statement) -> tuple[int, ...]:
    items = statement.bill.items
    last = max(statement.design.phases, default=1)
    return tuple(sum(item.cents for item in items if item.phase == phase) for phase in range(1, last + 1))


def _offices(ground: Ground, wanted: Sequence[str]) -> list[int]:
    """Rows of the central offices to plan from: those wanted, else those that stand already, else every candidate."""
    offices = ground.offices
    if not len(offices):
        if lost := [fault for fault in ground.faults if fault.kind is FaultKind.UNREACHED_OFFICE]:
            raise BadGround(lost, where="offices")
        message = "there is no central office to plan from"
        remedy = "Give the inputs one (offices), or let candidates be spread (office_candidates)."
        demand = ground.premises.demand
        here = Fault(FaultKind.INPUT, float(demand.lon.mean()), float(demand.lat.mean()), f"{message} for here", remedy)
        raise Placed(message, [here], where="offices", remedy=remedy)
    if wanted:
        return _found(offices.ids, wanted, "central office", "offices", (offices.lon, offices.lat))
    given = np.flatnonzero(offices.given).tolist()
    return given or list(range(len(offices)))


def _check_reached(ground: Ground, wish: PlanWish) -> None:
    """Raises BadGround for critical premises that no way leads to, and where there is nobody who can be reached."""
    faults = ground.faults if wish.served is None else ()
    if lost := [fault for fault in faults if fault.kind is FaultKind.CRITICAL]:
        raise BadGround(lost, where="critical sites")
    if len(ground.premises):
        return
    lost = [fault for fault in ground.faults if fault.kind in LOST]
    needless = ground.counts.without_need
    message = "nobody can be reached: " + (
        "no street leads to any of the premises"
        if ground.counts.unreached
        else f"none of the {needless:,} premises needs a fibre"
        if needless
        else lost[0].what
        if lost
        else "no premises are given"
    )
    remedy = lost[0].remedy if lost else "Give a layer of premises, or let addresses and houses of the extract be ones."
    if lost:
        raise Placed(message, lost, where="premises", remedy=remedy)
    raise InvalidInput(message, where="premises", remedy=remedy)


def _rows(ground: Ground, wanted: Sequence[str]) -> list[int]:
    demand = ground.premises.demand
    return _found(demand.ids, wanted, "premises", "served", (demand.lon, demand.lat))


def _found(ids: Sequence[str], wanted: Sequence[str], noun: str, where: str, places: tuple[F8, F8]) -> list[int]:
    """The rows of what is wanted. Raises Placed for what is not there, with what may have been meant."""
    rows = {id: row for row, id in enumerate(ids)}
    for id in wanted:
        if id not in rows:
            close = difflib.get_close_matches(id, ids[:100_000], n=3)
            message = f"no {noun} has the id {id[:80]!r}"
            remedy = f"Did you mean {' or '.join(close)}?" if close else "Look for it on the map of the ground."
            faults = [
                Fault(
                    FaultKind.NOT_FOUND,
                    float(places[0][rows[one]]),
                    float(places[1][rows[one]]),
                    f"{message}; {one} is here",
                    remedy,
                )
                for one in close
            ]
            raise Placed(message, faults, where=where, remedy=remedy)
    return sorted({rows[id] for id in wanted})
