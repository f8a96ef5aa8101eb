"""A linear program in whole numbers, solved by HiGHS, and what its answer proves without a floating number.

Least cost · x, with rows low ≤ A x ≤ high and columns between whole bounds. Whatever prices p the rows are given, no x
costs less than p · (low or high, as p's sign says) and for each column the least of (cost - p A) x within its bounds.
HiGHS finds good prices; they are rounded to whole grains, and that sum is counted in whole numbers. Wrong prices prove
less, never something wrong. (Neumaier and Shcherbina 2004, with whole numbers in place of directed rounding.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import highspy
import numpy as np
import numpy.typing as npt

from broadstreet.optimiser.compiled import Ints

GRAIN_MAX: Final = 2**20
SUM_MAX: Final = 2.0**61
STEPS_MAX: Final = 2000
"""Of the simplex method, between two looks at the clock."""
NONE: Final = 2**62
"""A row's bound that is none; negative, below."""


class Proved(NamedTuple):
    """value: of each column, as HiGHS has it; empty where it found nothing. total: no answer costs less, in grains.
    short: by column, what it costs beyond the prices of its rows, in grains. grain: so many cost 1; 0 where nothing is
    proved."""

    value: npt.NDArray[np.float64]
    total: int
    short: Ints
    grain: int


class Program:
    """Built column by column and row by row; then solved, with other bounds each time."""

    def __init__(self) -> None:
        self._cost: list[int] = []
        self._top: list[int] = []
        self._low: list[int] = []
        self._high: list[int] = []
        self._start: list[int] = [0]
        self._at: list[int] = []
        self._by: list[int] = []

    def columns(self, cost: Iterable[int], top: int) -> Ints:
        """Columns between 0 and `top`, one for each cost. Their numbers."""
        first = len(self._cost)
        self._cost += [int(each) for each in cost]
        self._top += [top] * (len(self._cost) - first)
        return np.arange(first, len(self._cost))

    def row(self, low: int, parts: Iterable[tuple[int, int]], high: int) -> None:
        """low ≤ the sum of (column, factor) ≤ high; a column comes once."""
        self._low.append(low)
        self._high.append(high)
        for column, factor in parts:
            self._at.append(int(column))
            self._by.append(int(factor))
        self._start.append(len(self._at))

    def ready(self) -> None:
        """All rows are there."""
        self.cost, self.top = np.array(self._cost, np.int64), np.array(self._top, np.int64)
        self._lows, self._highs = np.array(self._low, np.int64), np.array(self._high, np.int64)
        self._column, self._factor = np.array(self._at, np.int64), np.array(self._by, np.int64)
        self._row = np.repeat(np.arange(len(self._low)), np.diff(self._start))
        self.scale = 1000.0 / max(1, int(self.cost.max()))
        """HiGHS sees costs of this size: its tolerances are absolute."""
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(self.cost), len(self._lows)
        lp.col_cost_ = (self.cost * self.scale).astype(np.float64)
        lp.col_lower_, lp.col_upper_ = np.zeros(len(self.cost)), self.top.astype(np.float64)
        lp.row_lower_ = np.where(self._lows == -NONE, -highspy.kHighsInf, self._lows).astype(np.float64)
        lp.row_upper_ = np.where(self._highs == NONE, highspy.kHighsInf, self._highs).astype(np.float64)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(self._start, np.int32)
        lp.a_matrix_.index_ = self._column.astype(np.int32)
        lp.a_matrix_.value_ = self._factor.astype(np.float64)
        self._highs_solver = highspy.Highs()
        for option, value in (("output_flag", False), ("presolve", "off"), ("solver", "simplex"), ("threads", 1)):
            self._highs_solver.setOptionValue(option, value)
        self._highs_solver.setOptionValue("simplex_iteration_limit", STEPS_MAX)
        self._highs_solver.passModel(lp)

    def solve(self, low: Ints, high: Ints, is_late: Callable[[], bool]) -> Proved:
        """The program with columns between these bounds; nothing, where it takes until it is late."""
        count = len(self.cost)
        solver = self._highs_solver
        solver.changeColsBounds(
            count, np.arange(count, dtype=np.int32), low.astype(np.float64), high.astype(np.float64)
        )
        solver.run()
        while (status := solver.getModelStatus()) == highspy.HighsModelStatus.kIterationLimit and not is_late():
            solver.run()
        if status == highspy.HighsModelStatus.kOptimal:
            answer = solver.getSolution()
            prices = np.array(answer.row_dual) / self.scale
            return self._proved(np.array(answer.col_value), prices, self.cost, low, high)
        if status == highspy.HighsModelStatus.kInfeasible:
            _, has_ray, ray = solver.getDualRay()  # type: ignore[attr-defined]  # its stubs do not have it
            if has_ray:
                return self._impossible(np.array(ray), low, high)
        return Proved(np.empty(0), 0, np.zeros(count, np.int64), 0)

    def _impossible(self, ray: npt.NDArray[np.float64], low: Ints, high: Ints) -> Proved:
        """Prices by which even columns that cost nothing cost more than nothing: then there is no answer."""
        nothing = np.zeros_like(self.cost)
        for way in (ray, -ray):
            proved = self._proved(np.empty(0), way / max(1e-9, float(np.abs(way).max())), nothing, low, high)
            if proved.grain and proved.total > 0:
                return proved._replace(total=NONE, grain=1, short=nothing)
        return Proved(np.empty(0), 0, nothing, 0)

    def _proved(
        self, value: npt.NDArray[np.float64], prices: npt.NDArray[np.float64], cost: Ints, low: Ints, high: Ints
    ) -> Proved:
        least, most = self._lows.astype(np.float64), self._highs.astype(np.float64)
        reach = np.maximum(
            np.where(self._lows == -NONE, 0, np.abs(least)), np.where(self._highs == NONE, 0, np.abs(most))
        )
        widest = float(np.maximum(1, high).max())
        size = float((cost * np.maximum(1, high)).sum(dtype=np.float64)) + float(np.abs(prices) @ np.abs(reach))
        size += widest * float(np.abs(prices[self._row]) @ np.abs(self._factor)) + widest * (
            float(np.abs(self._factor).sum()) + len(cost) + 1
        )
        grain = GRAIN_MAX
        while grain and grain * size >= SUM_MAX:
            grain //= 2
        whole = np.rint(prices * grain).astype(np.int64)
        whole[(whole > 0) & (self._lows == -NONE)] = 0
        whole[(whole < 0) & (self._highs == NONE)] = 0
        paid = np.where(whole > 0, self._lows, np.where(whole < 0, self._highs, 0))
        short = cost * grain
        np.subtract.at(short, self._column, whole[self._row] * self._factor)
        total = int((whole * paid).sum()) + int(np.where(short > 0, short * low, short * high).sum())
        return Proved(value, total, short, grain)
