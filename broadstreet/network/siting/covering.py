"""Sites that cover most, one by one: greedy, with each gain reckoned again only when its turn may have come.

What is covered is submodular: a site never gains more later than it does now. So a site whose gain was reckoned anew
and still is the greatest, is (Minoux 1978). Under a count alone what is found is at least 1 − 1/e of the best there is
(Nemhauser, Wolsey, Fisher 1978); under a budget alone, the better of this by price and the best single site is at least
half of that (Khuller, Moss, Naor 1999).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import I8
from broadstreet.network.siting.limits import Limits

BY_COUNT: Final = 1 - 1 / math.e
BY_BUDGET: Final = (1 - 1 / math.e) / 2


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """by: for each candidate the rows of the targets it covers; weight: of each target; and those covered already."""

    by: tuple[I8, ...]
    weight: I8
    already: np.ndarray[tuple[int], np.dtype[np.bool_]]

    def covered(self, chosen: list[int]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which targets are covered with these chosen."""
        found = self.already.copy()
        for site in chosen:
            found[self.by[site]] = True
        return found

    def total(self, chosen: list[int]) -> int:
        """How much is covered with these chosen."""
        return int(self.weight[self.covered(chosen)].sum())


def guarantee(limits: Limits) -> float | None:
    """Which share of the best `greedily` is sure to find; None where nothing is promised."""
    if limits.budget_cents is None:
        return BY_COUNT
    return BY_BUDGET if limits.count is None else None


def greedily(cover: Cover, limits: Limits) -> list[int]:
    """The sites that greed finds: by gain, and under a budget by gain for the price too, and the best alone."""
    if limits.budget_cents is None:
        return _one_by_one(cover, limits, by_price=False)
    alone = [[site] for site in np.flatnonzero(limits.fits([])).tolist()]
    best_alone = max(alone, key=cover.total, default=[])
    tried = (_one_by_one(cover, limits, by_price=False), _one_by_one(cover, limits, by_price=True), best_alone)
    return max(tried, key=cover.total)


def _one_by_one(cover: Cover, limits: Limits, *, by_price: bool) -> list[int]:
    price = np.maximum(limits.cents, 1).astype(np.float64) if by_price else np.ones(len(cover.by))
    weight = np.where(cover.already, 0, cover.weight)
    heap = [
        (-float(weight[cover.by[site]].sum()) / price[site], site) for site in np.flatnonzero(limits.usable).tolist()
    ]
    heapify(heap)
    chosen: list[int] = []
    spent = 0
    while heap and (limits.count is None or len(chosen) < limits.count):
        _, site = heappop(heap)
        cents = int(limits.cents[site])
        if limits.budget_cents is not None and spent + cents > limits.budget_cents:
            continue
        gain = float(weight[cover.by[site]].sum()) / price[site]
        if gain <= 0:
            continue
        if heap and (-gain, site) > heap[0]:
            heappush(heap, (-gain, site))
            continue
        chosen.append(site)
        spent += cents
        weight[cover.by[site]] = 0
    return chosen
