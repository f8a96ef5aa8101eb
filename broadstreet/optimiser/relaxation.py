"""The best weights of cuts, by a linear program: HiGHS weighs the cuts it knows, those that its answer does not cross
are added, and so on.

Nothing that is proved rests on its floating numbers: weights are rounded to whole numbers, and the bound is counted
from these (`bound_of`). What a run of HiGHS may take is given as steps of the simplex method, so that the clock is
asked between runs alone, and equal problems go equal ways.
"""

from __future__ import annotations

from typing import Final

import highspy
import numpy as np
import numpy.typing as npt

from broadstreet.optimiser.compiled import Flags, Ints
from broadstreet.optimiser.cuts import FREE, IN, OUT, Cuts, bound_of, loads
from broadstreet.optimiser.flow import WHOLE, separate
from broadstreet.optimiser.kernel import Kernel
from broadstreet.optimiser.rising import rise

STEPS_MAX: Final = 2000
"""Of the simplex method, between two looks at the clock."""
SUM_MAX: Final = 2**58
GRAIN_MAX: Final = 2**16
SLACK: Final = 0.01
"""By how much a cut is more than crossed before it may be forgotten."""
PURGE_EVERY: Final = 3
HAIR: Final = 1e-6
CUTS_MAX: Final = 1000
"""Of a kind, in one round."""


class Relaxation:
    """A linear program that grows. `bound` is the best that was proved for what is not decided; `value` what it takes
    of each arc; `used` which arcs a network that is better than the best known may use."""

    def __init__(self, kernel: Kernel, random: np.random.Generator) -> None:
        self.kernel, self.graph, self.rows = kernel, kernel.graph, kernel.graph.rows
        self.random = random
        self.edges, self.arcs = self.graph.edges, len(self.rows.head)
        self.first: Ints = np.empty(self.edges, np.int64)
        """One arc of each edge."""
        self.first[self.rows.edge] = np.minimum(np.arange(self.arcs), self.rows.mate)
        whole = int(self.graph.cost.sum()) + 1
        self.grain = max(1, min(GRAIN_MAX, SUM_MAX // (4 * whole)))
        self.fine = self.graph.cost * self.grain
        self.scale = 100.0 * max(1, self.edges) / whole
        self.bound = 0
        self.used: Flags = np.ones(self.arcs, np.bool_)
        self.state: Ints = np.full(self.edges, FREE, np.int64)
        self.value = np.zeros(self.arcs)
        self.rounds = 0
        self.cuts = Cuts(np.zeros(1, np.int64), np.empty(0, np.int64))
        self.of_row: Ints = np.empty(0, np.int64)
        """For each row of the program the edge whose arcs it pairs, -1 where it is a cut."""
        self._begin()

    def _begin(self) -> None:
        """The program without tolls, and the cuts of a dual ascent."""
        self.highs = highspy.Highs()
        for option, value in (("output_flag", False), ("presolve", "off"), ("solver", "simplex"), ("threads", 1)):
            self.highs.setOptionValue(option, value)
        # The last column crosses every cut, for more than any network costs: so there is always an answer.
        count = self.arcs + 1
        self.highs.addVars(count, np.zeros(count), np.append(np.ones(self.arcs), 4.0))
        cost = np.append(self.graph.cost[self.rows.edge], 4 * (int(self.graph.cost.sum()) + 1)) * self.scale
        self.highs.changeColsCost(count, np.arange(count, dtype=np.int32), cost.astype(np.float64))
        left = self.fine[self.rows.edge]
        weights = []
        for out in (False, True):
            ends = self.kernel.critical if out else self.kernel.terminal
            start, place, weight = rise(self.rows, left, self.kernel.root, ends, out)
            weights.append(weight)
            self._add_cuts(Cuts(start, place))
        self._prove(np.concatenate(weights))

    @property
    def is_used(self) -> Flags:
        """Which arcs may be used as edges are decided now."""
        usable: Flags = self.used & (self.state[self.rows.edge] != OUT)
        return usable

    @property
    def taken(self) -> npt.NDArray[np.float64]:
        """How much of each edge is taken, in one direction or the other."""
        return np.bincount(self.rows.edge, weights=self.value, minlength=self.edges).astype(np.float64)

    def decide(self, state: Ints) -> None:
        """Look at networks alone that hold the edges that are IN, and not those that are OUT."""
        changed = np.flatnonzero(state != self.state)
        self._add_pairs(changed[state[changed] == IN])
        self.state = state.copy()
        if changed.size:
            arcs = np.flatnonzero(np.isin(self.rows.edge, changed)).astype(np.int32)
            self.highs.changeColsBounds(len(arcs), arcs, np.zeros(len(arcs)), self.is_used[arcs].astype(np.float64))
            for row in np.flatnonzero(np.isin(self.of_row, changed)).tolist():
                least = 1.0 if state[self.of_row[row]] == IN else -highspy.kHighsInf
                self.highs.changeRowBounds(row, least, 1.0)
        self.bound = 0

    def round(self, best: int) -> bool:
        """Let HiGHS work, count the bound, add what its answer does not cross. best: what the best network costs; arcs
        that no better one uses go, where nothing is decided. Whether anything is left to be done."""
        self.highs.setOptionValue("simplex_iteration_limit", STEPS_MAX)
        self.highs.run()
        status = self.highs.getModelStatus()
        answer = self.highs.getSolution()
        self.value = np.clip(np.array(answer.col_value[: self.arcs]), 0.0, 1.0)
        weight = np.array(answer.row_dual)[self.of_row < 0] * (self.grain / self.scale)
        short = self._prove(np.floor(np.maximum(weight, 0.0)).astype(np.int64))
        if not self.state.any():
            self._close(short, best)
        if status != highspy.HighsModelStatus.kOptimal:
            return True
        self.rounds += 1
        if self.rounds % PURGE_EVERY == 0:
            self._purge(np.array(answer.row_value))
        return self._separate()

    def _prove(self, weight: Ints) -> Ints:
        """Count what weights prove. What each arc is short of, in grains, beyond the bound."""
        load = loads(self.cuts.start, self.cuts.place, weight, self.arcs)
        arc = np.where(self.used, FREE, OUT)
        total, short = bound_of(self.rows, self.fine, load, weight, arc, self.state)
        self.bound = max(self.bound, -(-total // self.grain))
        return short + total

    def _close(self, beyond: Ints, best: int) -> None:
        closed = np.flatnonzero(self.used & (beyond > (best - 1) * self.grain)).astype(np.int32)
        if closed.size:
            self.used[closed] = False
            self.highs.changeColsBounds(len(closed), closed, np.zeros(len(closed)), np.zeros(len(closed)))

    def _separate(self) -> bool:
        """Add what the answer does not cross, and pairs of arcs that are both used. Whether there is any."""
        taken = self.taken
        self._add_pairs(np.setdiff1d(np.flatnonzero(taken > 1 + HAIR), self.of_row))
        value = np.rint(self.value * WHOLE).astype(np.int64)
        found = Cuts(np.zeros(1, np.int64), np.empty(0, np.int64))
        for out in (False, True):
            ends = np.flatnonzero(self.kernel.critical if out else self.kernel.terminal)
            start, place = separate(
                self.rows, value, self.used, self.kernel.root, self.random.permutation(ends), out, CUTS_MAX
            )
            found = found.add(Cuts(start, place))
        self._add_cuts(found)
        return len(found) > 0 or bool((taken > 1 + HAIR).any())

    def _add_cuts(self, cuts: Cuts) -> None:
        if count := len(cuts):
            one, any_more = np.ones(count), np.full(count, highspy.kHighsInf)
            place = np.insert(cuts.place, cuts.start[1:], self.arcs).astype(np.int32)
            start = (cuts.start[:-1] + np.arange(count)).astype(np.int32)
            self.highs.addRows(count, one, any_more, len(place), start, place, np.ones(len(place)))
            self.cuts = self.cuts.add(cuts)
            self.of_row = np.concatenate([self.of_row, np.full(count, -1, np.int64)])

    def _add_pairs(self, edges: Ints) -> None:
        """Rows that let one arc of each of these edges be used at the most, where there are none yet."""
        edges = np.setdiff1d(edges, self.of_row)
        if count := len(edges):
            one = self.first[edges]
            arcs = np.column_stack([one, self.rows.mate[one]]).ravel().astype(np.int32)
            least = np.full(count, -highspy.kHighsInf)
            start = np.arange(0, 2 * count, 2, dtype=np.int32)
            self.highs.addRows(count, least, np.ones(count), 2 * count, start, arcs, np.ones(2 * count))
            self.of_row = np.concatenate([self.of_row, edges])

    def _purge(self, crossed: npt.NDArray[np.float64]) -> None:
        """Forget cuts that are crossed more than enough."""
        loose = np.flatnonzero((self.of_row < 0) & (crossed > 1 + SLACK))
        if loose.size:
            self.highs.deleteRows(len(loose), loose.astype(np.int32))
            kept = np.ones(len(self.of_row), np.bool_)
            kept[loose] = False
            self.cuts = self.cuts.take(np.flatnonzero(kept[self.of_row < 0]))
            self.of_row = self.of_row[kept]
