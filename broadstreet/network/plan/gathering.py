"""Where what hangs on a tree is gathered: a dynamic programme from the leaves to the root, exact.

Units (fibres) begin at positions of the tree and go up, until they are taken: at a position either all that has come
there is taken, or all of it goes on. Carrying costs by the edge, by how many go up it and how many lie below it in all
(where fewer go up than lie below, some were taken there); taking costs by the position and the number.

A unit may not go farther than `limit_m` from where it begins, its tail there included. So the state at a position is
how many units are open, and how deep the deepest of them begins, told from the root, since then it does not change on
the way up. Depths are rounded up to levels: each depth its own while they are few, and otherwise to a share of the
limit, so that a unit may be taken a little earlier than it must, and never later. At a position only the levels
between its own depth and the limit beyond it can be open, and the table is that narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.plan.rooted import Rooted

EXACT_LEVELS: Final = 48
"""So many different depths are told apart exactly."""
LEVELS_PER_LIMIT: Final = 16
"""And otherwise as many parts of the limit."""

_HAIR_M: Final = 1e-6

Carry = Callable[[int, int, int], F8]
"""For a position, how many of 0 … n may be open, and how many lie below: cents for each n of going up from there."""


Joining = Callable[[int, I8, bool], F8]
"""Cents for a number of open units of one side and each number of the other; whether the one side is ours."""


@dataclass(frozen=True, slots=True)
class Branching:
    """What it costs where what was taken below comes on from two sides, and is parted by splices: by each unit of the
    smaller side, or a part of one, and the closure once, unless something is taken right there."""

    splice_cents: float
    closure_cents: float

    def cents(self, passing: int, others: I8, is_taking: bool) -> F8:
        """passing: how many units go on to one side; others: how many to the other."""
        joined = np.minimum(others, passing)
        cents: F8 = joined * self.splice_cents + (joined > 0) * (0.0 if is_taking else self.closure_cents)
        return cents


@dataclass(frozen=True, slots=True, eq=False)
class Gathering:
    """units: how many begin at each position. tail_m: how far they have come when they get there. forced: they are
    taken right there. most: how many may be open on an edge. take_cents: for a position and 0 … n, what taking n costs;
    what cannot be costs infinitely much.
    """

    tree: Rooted
    units: Sequence[int]
    tail_m: Sequence[float]
    forced: Sequence[bool]
    limit_m: float
    most: int
    carry_cents: Carry
    take_cents: Callable[[int, int], F8]
    branching: Branching | None = None


@dataclass(frozen=True, slots=True)
class Gathered:
    """Where units are taken, and what it costs in all by the programme's prices."""

    taken: list[bool]
    cents: float


Splits = list[tuple[int, NDArray[np.int32]]]
"""By child, for each number of open units and level how many of them come from those before it."""


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """What the way back needs of a position. low, columns: its levels. passing_cents: what it costs when nothing is
    open and nothing taken here; closed_cents: when all is taken, and closed_open how many that are then. splits: when
    nothing is taken here; taken_splits: when it is."""

    low: int
    columns: int
    splits: Splits
    taken_splits: Splits
    passing_cents: float
    closed_cents: float
    closed_open: int


def gather(problem: Gathering) -> Gathered:
    """The cheapest places. Everything is taken at the root at the latest; it is far enough from nothing, or units are
    `forced` where their tail alone is over the limit."""
    return _Programme(problem).run()


class _Programme:
    def __init__(self, problem: Gathering) -> None:
        self.problem = problem
        tree = problem.tree
        self.depth = np.array(tree.depth_m)
        begins = self.depth + np.array(problem.tail_m)
        self.levels = _levels(begins[np.array(problem.units) > 0], problem.limit_m)
        self.level = np.searchsorted(self.levels, begins, side="left")
        self.total = np.array(problem.units, dtype=np.int64)
        for position in range(len(tree) - 1, 0, -1):
            self.total[tree.up[position]] += self.total[position]
        self.tables: dict[int, _Table] = {}
        self.exits: dict[int, tuple[F8, int]] = {}

    def run(self) -> Gathered:
        for position in range(len(self.problem.tree) - 1, -1, -1):
            self._at(position)
        root = self.tables[0]
        return Gathered(self._back(), min(root.passing_cents, root.closed_cents))

    def _at(self, position: int) -> None:
        problem = self.problem
        low, high = self._window(position)
        columns = max(1, high - low)
        own = int(problem.units[position])
        # Where a depth was rounded up over the limit, what begins there is taken there.
        forced = own > 0 and (problem.forced[position] or int(self.level[position]) >= high)
        cents = np.full((own + 1, columns), np.inf)
        cents[own, 0 if forced or not own else int(self.level[position]) - low :] = 0.0
        exits = [(child, _moved(*self.exits.pop(child), low, columns)) for child in problem.tree.below[position]]
        for _, theirs in exits:
            if high == low:
                theirs[1:] = np.inf
        most = problem.most + own * forced
        closing, taken_splits = self._together(cents, own, exits, most, True)
        cents, splits = self._together(cents, own, exits, most, False) if problem.branching else (closing, taken_splits)
        taking = closing[:, -1] + problem.take_cents(position, len(closing) - 1)
        taking[0] = np.inf
        best = int(np.argmin(taking))
        closed_cents = float(taking[best])
        self.tables[position] = _Table(low, columns, splits, taken_splits, float(cents[0, -1]), closed_cents, best)
        if position:
            carried = min(len(cents) - 1, problem.most)
            leaving = np.full((carried + 1, columns), np.inf) if forced else cents[: carried + 1].copy()
            leaving[0] = np.minimum(leaving[0], closed_cents)
            leaving += problem.carry_cents(position, carried, int(self.total[position]))[:, None]
            self.exits[position] = leaving, low

    def _together(
        self, cents: F8, own: int, exits: list[tuple[int, F8]], most: int, is_taking: bool
    ) -> tuple[F8, Splits]:
        """All children with what begins here, one after another."""
        splits: Splits = []
        below = own
        for child, theirs in exits:
            total = int(self.total[child])
            cents, split = _merged(cents, theirs, most, self._joining(below, total, is_taking))
            splits.append((child, split))
            below += total
        return cents, splits

    def _joining(self, ours: int, theirs: int, is_taking: bool) -> Joining | None:
        """What it costs that so many go on to each side, of those that lie there."""
        branching = self.problem.branching
        if branching is None:
            return None
        return lambda one, others, is_ours: branching.cents(
            (ours if is_ours else theirs) - one, (theirs if is_ours else ours) - others, is_taking
        )

    def _window(self, position: int) -> tuple[int, int]:
        """The levels that may be open here: from the first, up to before the second."""
        depth = self.depth[position]
        low = int(np.searchsorted(self.levels, depth - _HAIR_M, side="left"))
        high = int(np.searchsorted(self.levels, depth + self.problem.limit_m + _HAIR_M, side="right"))
        return low, max(low, high)

    def _back(self) -> list[bool]:
        """Which positions take, by the way the cheapest value came about."""
        taken = [False] * len(self.problem.tree)
        waiting = [(0, 0, len(self.levels))]
        while waiting:
            position, count, level = waiting.pop()
            table = self.tables[position]
            column = min(max(0, level - table.low), table.columns - 1)
            splits = table.splits
            if count == 0 and table.closed_cents < table.passing_cents:
                taken[position] = True
                count, column, splits = table.closed_open, table.columns - 1, table.taken_splits
            for child, split in reversed(splits):
                before = int(split[count, column])
                waiting.append((child, count - before, table.low + column))
                count = before
        return taken


def _levels(begins: F8, limit_m: float) -> F8:
    """The depths that are told apart, ascending; the deepest is among them."""
    distinct = np.unique(begins)
    if not len(distinct):
        return np.zeros(1)
    if distinct[-1] <= limit_m:
        return distinct[-1:]
    if len(distinct) <= EXACT_LEVELS:
        return distinct
    part = np.floor(distinct / (limit_m / LEVELS_PER_LIMIT))
    last: F8 = distinct[np.append(part[1:] != part[:-1], True)]
    return last


def _moved(cents: F8, low: int, to_low: int, columns: int) -> F8:
    """A child's table by the levels of the position above it: levels above its own hold nothing that is open."""
    moved = np.full((len(cents), columns), np.inf)
    above = min(columns, max(0, low - to_low))
    # Nothing open: what is below was all taken, whatever the level.
    moved[0] = cents[0, 0]
    kept = min(columns - above, cents.shape[1])
    if kept > 0:
        moved[:, above : above + kept] = cents[:, :kept]
        moved[:, above + kept :] = cents[:, kept - 1 : kept]
    moved[0, :above] = cents[0, 0]
    return moved


def _merged(ours: F8, theirs: F8, most: int, joining: Joining | None) -> tuple[F8, NDArray[np.int32]]:
    """Both together: for each number of open ones and level the least cents, and how many of them are ours."""
    rows = min(len(ours) + len(theirs) - 2, most) + 1
    cents = np.full((rows, ours.shape[1]), np.inf)
    split = np.zeros((rows, ours.shape[1]), dtype=np.int32)
    swap = np.isfinite(theirs).any(axis=1).sum() < np.isfinite(ours).any(axis=1).sum()
    few, many = (theirs, ours) if swap else (ours, theirs)
    for count in np.flatnonzero(np.isfinite(few).any(axis=1)).tolist():
        end = min(rows, count + len(many))
        if end <= count:
            break
        found = few[count] + many[: end - count]
        if joining is not None:
            found += joining(count, np.arange(end - count), not swap)[:, None]
        better = found < cents[count:end]
        cents[count:end][better] = found[better]
        own = np.arange(end - count, dtype=np.int32)[:, None] if swap else np.int32(count)
        split[count:end] = np.where(better, own, split[count:end])
    return cents, split


def owners(tree: Rooted, taken: Sequence[bool]) -> list[int]:
    """For each position where what begins there is taken: there, or at the next one above that takes; -1 for none."""
    owner: list[int] = []
    for position in range(len(tree)):
        above = tree.up[position]
        owner.append(position if taken[position] else owner[above] if above >= 0 else -1)
    return owner
