"""How much may be chosen: a count, a budget, or both; what fits, and the most that fractions of sites could gain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import F8, I8

_NOTHING: Final = 1e-9
"""Cents in place of none where one divides by them."""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """cents: what each candidate costs; usable: whether it can be chosen at all."""

    cents: I8
    usable: np.ndarray[tuple[int], np.dtype[np.bool_]]
    count: int | None
    budget_cents: int | None

    @property
    def most(self) -> int:
        """No more sites than these can be chosen: as many as the cheapest leave money for."""
        cheapest = np.sort(self.cents[self.usable])
        most = len(cheapest) if self.count is None else min(self.count, len(cheapest))
        if self.budget_cents is not None:
            most = min(most, int(np.searchsorted(np.cumsum(cheapest), self.budget_cents, side="right")))
        return most

    def fits(self, chosen: list[int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which candidates may be added to those chosen."""
        may = self.usable.copy()
        may[chosen] = False
        if self.count is not None and len(chosen) >= self.count:
            may[:] = False
        if self.budget_cents is not None:
            may &= self.cents <= self.budget_cents - int(self.cents[chosen].sum())
        return may

    def holds(self, chosen: list[int]) -> bool:
        """Whether these may be chosen together."""
        is_few = self.count is None or len(chosen) <= self.count
        return is_few and (self.budget_cents is None or int(self.cents[chosen].sum()) <= self.budget_cents)

    def most_gained(self, gains: F8) -> float:
        """No choice gains more than this where each site gains its own, and none is less than nothing: the best that
        shares of sites could, under the count alone or the budget alone, whichever is less."""
        best = np.inf
        gains = np.where(self.usable, np.maximum(gains, 0.0), 0.0)
        if self.count is not None:
            best = float(np.sort(gains)[::-1][: self.count].sum())
        if self.budget_cents is not None:
            order = np.argsort(-gains / np.maximum(self.cents, _NOTHING), kind="stable")
            cents = self.cents[order]
            room = np.maximum(0, self.budget_cents - (np.cumsum(cents) - cents))
            part = np.where(cents == 0, 1.0, np.minimum(1.0, room / np.maximum(cents, _NOTHING)))
            best = min(best, float((gains[order] * part).sum()))
        return best
