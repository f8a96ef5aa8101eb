"""What is worth most early: units that are reached once all they need is paid for, by stages with a budget each.

A relaxation, by a linear program and then a whole-number one (HiGHS). Needs are shared: a need is paid for by the end
of the first stage that reaches one of its units, earlier if one likes, in parts even. In the last stage everything is
paid for and reached. What is worth most, is worth most in units' points summed over the ends of all stages. Real rules
may be stricter (what is paid only whole, or must not be paid before), so that no schedule by them is worth more.

How early a unit is reached in the relaxation is a good order to build in (after Schulz, 1996)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np
from numpy.typing import NDArray

from broadstreet.optimiser.compiled import Ints

UNIT: Final = 100.0
"""Costs and budgets are told to the program in so many of theirs, which suits its tolerances."""
SLACK: Final = 1e-6
"""By which share of itself a bound is raised, for what the program takes for nothing."""


@dataclass(frozen=True)
class Needs:
    """points: of each unit. cost: of each need; units: who needs it, by number, nobody twice."""

    points: Ints
    cost: Ints
    units: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Early:
    """worth: no schedule is worth more; None: none is within the budgets. when: for each unit in how many of the stages
    it is not yet reached, or for which parts of them. is_whole: whether every unit is reached in one stage there."""

    worth: int | None
    when: NDArray[np.float64]
    is_whole: bool


def relax(needs: Needs, budgets: Sequence[int], *, seconds: float, is_whole: bool, seed: int = 0) -> Early:
    """The best of the relaxation, or a bound of it where time is up. is_whole: units are reached in one stage each."""
    stages, units = len(budgets), len(needs.points)
    free = stages - 1
    model = highspy.Highs()
    for name, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", seed),
        ("time_limit", max(0.0, seconds)),
        ("mip_rel_gap", 0.0),
    ):
        model.setOptionValue(name, value)
    model.passModel(_program(needs, budgets, is_whole))
    model.run()
    status = model.getModelStatus()
    base = int(needs.points.sum())
    most = base * stages
    values = np.array(model.getSolution().col_value, np.float64)
    if status == highspy.HighsModelStatus.kInfeasible:
        return Early(None, np.zeros(units), False)
    has_values = len(values) > 0 and model.getInfo().primal_solution_status == 2
    reached = values[: units * free].reshape(free, units) if has_values else np.zeros((free, units))
    when = free - reached.sum(axis=0)
    info = model.getInfo()
    if status == highspy.HighsModelStatus.kOptimal:
        found = info.mip_dual_bound if is_whole else info.objective_function_value
        most = min(most, base + math.floor(found + SLACK * max(1.0, abs(found))))
    elif is_whole and math.isfinite(info.mip_dual_bound):
        most = min(most, base + math.floor(info.mip_dual_bound + SLACK * max(1.0, abs(info.mip_dual_bound))))
    return Early(most, when, is_whole and has_values)


def _program(needs: Needs, budgets: Sequence[int], is_whole: bool) -> highspy.HighsLp:
    """Columns: by stage but the last, each unit reached by its end; then likewise, each need paid for."""
    units, count, free = len(needs.points), len(needs.cost), len(budgets) - 1
    cost = needs.cost / UNIT
    reached = np.arange(units * free).reshape(free, units)
    paid = units * free + np.arange(count * free).reshape(free, count)
    rows: list[tuple[NDArray[np.int64], NDArray[np.float64], float]] = []  # columns, values, at most
    who = np.array([unit for group in needs.units for unit in group], np.int64)
    what = np.repeat(np.arange(count), [len(group) for group in needs.units])
    pair = np.array([1.0, -1.0])
    for stage in range(free):
        rows += [(np.array([reached[stage, u], paid[stage, k]]), pair, 0.0) for u, k in zip(who, what, strict=True)]
        if stage:
            for table in (reached, paid):
                both = np.stack([table[stage - 1], table[stage]], axis=1)
                rows += [(each, pair, 0.0) for each in both]
    for stage, budget in enumerate(budgets):
        # What is paid in a stage is what is by its end, without what was by its beginning; in the last, all the rest.
        columns = [paid[at] for at in (stage, stage - 1) if 0 <= at < free]
        signs = [sign for at, sign in ((stage, 1.0), (stage - 1, -1.0)) if 0 <= at < free]
        values = [sign * cost for sign in signs]
        given = float(cost.sum()) if stage == free else 0.0
        rows.append(
            (np.concatenate(columns or [paid[:0].ravel()]), np.concatenate(values or [cost[:0]]), budget / UNIT - given)
        )
    program = highspy.HighsLp()
    width = (units + count) * free
    program.num_col_, program.num_row_ = width, len(rows)
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_ = np.concatenate([np.tile(needs.points, free), np.zeros(count * free)]).astype(np.float64)
    program.col_lower_, program.col_upper_ = np.zeros(width), np.ones(width)
    program.row_lower_ = np.full(len(rows), -highspy.kHighsInf)
    program.row_upper_ = np.array([most for _, _, most in rows])
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = np.concatenate([[0], np.cumsum([len(columns) for columns, _, _ in rows])])
    program.a_matrix_.index_ = np.concatenate([columns for columns, _, _ in rows])
    program.a_matrix_.value_ = np.concatenate([values for _, values, _ in rows])
    if is_whole:
        whole, parts = highspy.HighsVarType.kInteger, highspy.HighsVarType.kContinuous
        program.integrality_ = [whole] * (units * free) + [parts] * (count * free)
    return program
