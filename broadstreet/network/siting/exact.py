"""Sites that cover most, exactly: a whole-number program for HiGHS, which says how far it came where it does not close.

For each candidate a 0 or 1, for each target how much of it is covered: no more than the candidates that cover it are
chosen. Targets that the same candidates cover are one. Weights are whole, so that what is covered is: a bound within
one of what was found proves it best, and HiGHS's bound is rounded down, after what its tolerances may lack is added.

Beside it a bound that needs no faith in a solver: prices of the targets from the linear program's dual. With any
prices u (and ℓ for a cent of the budget) no choice covers more than Σ max(0, w − u) + ℓ·budget + the greatest Σ (U −
ℓ·cents) that the count allows, U being the prices of all that a candidate covers. Prices are whole parts of 10⁹, so
that this is reckoned in whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np

from broadstreet.network.ground.courses import I8
from broadstreet.network.siting.covering import Cover
from broadstreet.network.siting.limits import Limits
from broadstreet.network.siting.statement import Bound, BoundKind

GRAIN: Final = 10**9
"""Into how many parts a unit of weight is divided where it is a price."""
PRICES_SHARE: Final = 0.5
"""Of the time, for the prices at most; what they leave is for the whole-number program."""
_TOLERANCE: Final = 1e-6
"""HiGHS's own: by how much a row, or a whole number, may be missed."""


@dataclass(frozen=True, slots=True)
class Found:
    """The sites, and what no choice covers more than; is_optimal: HiGHS says that none covers more."""

    chosen: list[int]
    bounds: tuple[Bound, ...]
    is_optimal: bool


class _Program:
    """The program: a column for each usable candidate, then one for each group of targets."""

    def __init__(self, cover: Cover, limits: Limits) -> None:
        self.sites = np.flatnonzero(limits.fits([]))
        self.limits = limits
        open_targets = np.flatnonzero(~cover.already)
        place = np.full(len(cover.weight), -1)
        place[open_targets] = np.arange(len(open_targets))
        by = [place[cover.by[site]] for site in self.sites.tolist()]
        by = [rows[rows >= 0] for rows in by]
        column = np.repeat(np.arange(len(by)), [len(rows) for rows in by])
        row = np.concatenate(by) if by else np.zeros(0, dtype=np.int64)
        order = np.lexsort((column, row))
        column, row = column[order].astype(np.int32), row[order]
        counts = np.bincount(row, minlength=len(open_targets))
        ends = np.cumsum(counts)
        # Targets by the candidates that cover them; those that none covers are left out.
        groups: dict[bytes, int] = {}
        self.group = np.full(len(cover.weight), -1)
        self.members: list[I8] = []
        for target, (end, count) in enumerate(zip(ends.tolist(), counts.tolist(), strict=True)):
            if count:
                who = column[end - count : end]
                self.group[open_targets[target]] = number = groups.setdefault(who.tobytes(), len(groups))
                if number == len(self.members):
                    self.members.append(who.astype(np.int64))
        has = self.group >= 0
        self.weight = np.bincount(self.group[has], weights=cover.weight[has], minlength=len(groups)).astype(np.int64)

    def model(self, *, is_whole: bool) -> highspy.HighsLp:
        """As HiGHS takes it: by rows."""
        sites, groups = len(self.sites), len(self.members)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = sites + groups, groups
        lp.col_cost_ = np.concatenate((np.zeros(sites), self.weight.astype(np.float64)))
        lp.col_lower_, lp.col_upper_ = np.zeros(sites + groups), np.ones(sites + groups)
        rows = [np.append(who, sites + group) for group, who in enumerate(self.members)]
        values = [np.append(-np.ones(len(who)), 1.0) for who in self.members]
        lower, upper = [-highspy.kHighsInf] * groups, [0.0] * groups
        if self.limits.count is not None:
            rows.append(np.arange(sites))
            values.append(np.ones(sites))
            upper.append(float(self.limits.count))
        if self.limits.budget_cents is not None:
            rows.append(np.arange(sites))
            values.append(self.limits.cents[self.sites].astype(np.float64))
            upper.append(float(self.limits.budget_cents))
        lower += [-highspy.kHighsInf] * (len(upper) - len(lower))
        lp.num_row_ = len(rows)
        lp.row_lower_, lp.row_upper_ = np.array(lower), np.array(upper)
        lp.sense_ = highspy.ObjSense.kMaximize
        matrix = lp.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kRowwise
        matrix.num_col_, matrix.num_row_ = lp.num_col_, lp.num_row_
        matrix.start_ = np.concatenate(([0], np.cumsum([len(row) for row in rows]))).astype(np.int32)
        matrix.index_ = np.concatenate(rows).astype(np.int32)
        matrix.value_ = np.concatenate(values)
        if is_whole:
            kinds = (highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous)
            lp.integrality_ = [kinds[0]] * sites + [kinds[1]] * groups
        return lp


def most_covering(
    cover: Cover, limits: Limits, greedy: list[int], seconds: float, seed: int, is_stopped: Callable[[], bool]
) -> Found:
    """The sites that cover most, from those that greed found, in so many seconds. is_stopped: asked while it is sought,
    whether to end with the best there is."""
    program = _Program(cover, limits)
    already = int(cover.weight[cover.already].sum())
    if not len(program.sites) or not len(program.members):
        return Found([], (Bound(BoundKind.SOLVER, float(already)),), True)
    certificate, spent_s = _prices(program, cover, seconds * PRICES_SHARE, is_stopped)
    solver = _solver(program.model(is_whole=True), seconds - spent_s, seed, is_stopped)
    start = highspy.HighsSolution()
    is_chosen = np.isin(program.sites, greedy)
    start.col_value = [*is_chosen.astype(float), *(float(is_chosen[who].any()) for who in program.members)]
    solver.setSolution(start)
    solver.run()
    info = solver.getInfo()
    chosen = greedy
    if info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible:
        values = np.array(solver.getSolution().col_value[: len(program.sites)])
        found = program.sites[values > 0.5].tolist()
        if limits.holds(found) and cover.total(found) > cover.total(greedy):
            chosen = found
    bound = float(certificate.value)
    if math.isfinite(info.mip_dual_bound):
        slack = _TOLERANCE * (1 + float(program.weight.sum()))
        bound = min(bound, float(already + math.floor(info.mip_dual_bound + slack)))
    bound = max(bound, float(cover.total(chosen)))
    return Found(chosen, (Bound(BoundKind.SOLVER, bound), certificate), bound == cover.total(chosen))


def _solver(lp: highspy.HighsLp, seconds: float, seed: int, is_stopped: Callable[[], bool]) -> highspy.Highs:
    solver = highspy.Highs()
    options: dict[str, bool | int | float | str] = {
        "output_flag": False,
        "time_limit": float(max(seconds, 0.1)),
        "threads": 1,
        "parallel": "off",
        "random_seed": seed % 2**31,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": 1 - 1e-3,  # weights are whole: what is within one is the best
        "primal_feasibility_tolerance": _TOLERANCE,
        "mip_feasibility_tolerance": _TOLERANCE,
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.passModel(lp)

    def heed(event: highspy.HighsCallbackEvent) -> None:
        # A signal's handler runs no sooner than here: while HiGHS works, Python does not.
        if is_stopped() and event.data_in is not None:
            event.data_in.user_interrupt = True

    solver.cbSimplexInterrupt.subscribe(heed)
    solver.cbMipInterrupt.subscribe(heed)
    return solver


def _prices(program: _Program, cover: Cover, seconds: float, is_stopped: Callable[[], bool]) -> tuple[Bound, float]:
    """The bound by prices of the linear program's dual, and the seconds it took; its certificate is a price for each
    target, in its order, and beside it that of a cent, in parts of a unit."""
    solver = _solver(program.model(is_whole=False), seconds, 0, is_stopped)
    solver.run()
    dual = np.abs(np.array(solver.getSolution().row_dual))
    groups = len(program.members)
    if len(dual) < groups:
        dual = np.zeros(groups + 2)  # ended by the clock: with no prices the bound is all there is
    in_group = np.rint(np.minimum(dual[:groups], program.weight) * GRAIN)
    cent = 0
    if program.limits.budget_cents is not None:
        cent = round(float(dual[-1]) * GRAIN)
    prices = cover.weight * GRAIN  # of those that no candidate covers: they are worth nothing to anyone
    has = program.group >= 0
    # A group's price is shared by its targets as their weights are; what rounding leaves is still a price.
    of = program.group[has]
    prices[has] = np.floor(in_group[of] * (cover.weight[has] / program.weight[of])).astype(np.int64)
    value = priced_bound(cover, program.limits, prices, cent)
    return Bound(BoundKind.PRICES, float(value), tuple(prices.tolist()), cent), min(seconds, solver.getRunTime())


def priced_bound(cover: Cover, limits: Limits, prices: I8, cent: int) -> int:
    """What no choice covers more than, by these prices: reckoned in whole numbers, and rounded down."""
    is_open = ~cover.already
    already = int(cover.weight[cover.already].sum())
    over = np.maximum(0, cover.weight[is_open] * GRAIN - prices[is_open])
    worth = []
    for site in np.flatnonzero(limits.usable).tolist():
        rows = cover.by[site]
        worth.append(int(prices[rows[is_open[rows]]].sum()) - cent * int(limits.cents[site]))
    best = sorted((value for value in worth if value > 0), reverse=True)[: limits.count]
    total = int(over.sum()) + cent * (limits.budget_cents or 0) + sum(best)
    return already + total // GRAIN
