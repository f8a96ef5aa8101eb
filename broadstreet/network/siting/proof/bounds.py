"""Whether bounds follow from their certificates, reckoned from what each kind of certificate means.

No variance is less than nothing, whatever a certificate proves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.siting.case import Map, SitingCase
from broadstreet.network.siting.proof.audience import Flags
from broadstreet.network.siting.proof.kriging import laid, left_between, map_points, matern
from broadstreet.network.siting.statement import Bound

GRAIN: Final = 10**9
"""Prices of targets are whole parts of a unit: so many."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What may be chosen: what each candidate costs, which can be connected, how many, for how much."""

    cents: I8
    usable: Flags
    count: int | None
    budget_cents: int | None

    def most(self) -> int:
        """No choice has more sites than this."""
        cheapest = np.cumsum(np.sort(self.cents[self.usable]))
        affordable = len(cheapest) if self.budget_cents is None else int((cheapest <= self.budget_cents).sum())
        return affordable if self.count is None else min(affordable, self.count)

    def greatest(self, worth: F8) -> float:
        """The most that shares of sites are worth together: under the count, and under the budget; the lesser of
        both."""
        worth = np.where(self.usable, np.maximum(worth, 0), 0)
        found = [float(worth.sum())]
        if self.count is not None:
            found.append(float(np.sort(worth)[len(worth) - min(self.count, len(worth)) :].sum()))
        if self.budget_cents is not None:
            left, total = float(self.budget_cents), 0.0
            for site in sorted(range(len(worth)), key=lambda site: -worth[site] / max(float(self.cents[site]), 1e-9)):
                part = min(1.0, left / max(float(self.cents[site]), 1e-9))
                total += part * float(worth[site])
                left -= part * float(self.cents[site])
            found.append(total)
        return min(found)


def by_prices(bound: Bound, choice: Choice, weight: I8, by: Flags, already: Flags) -> float | None:
    """What these prices prove that no choice covers more than; None where they are none. by: whether each target (row)
    may be covered by each candidate; already: those that surely are not open any more."""
    prices = np.array([round(price) for price in bound.certificate], dtype=np.int64)
    if len(prices) != len(weight) or (prices < 0).any() or bound.cent < 0 or not len(prices):
        return None
    is_open = ~already
    own = [
        int(prices[by[:, site] & is_open].sum()) - bound.cent * int(choice.cents[site]) for site in range(by.shape[1])
    ]
    worth = sorted((max(0, value) for value, usable in zip(own, choice.usable, strict=True) if usable), reverse=True)
    over = int(np.maximum(weight * GRAIN - prices, 0)[is_open].sum())
    total = over + bound.cent * (choice.budget_cents or 0) + sum(worth[: choice.count])
    return float(int(weight[already].sum()) + total // GRAIN)


def by_shares(case: SitingCase, map_: Map, bound: Bound, choice: Choice) -> float | None:
    """What no choice leaves less than, by what is left at these shares of the candidates and its slope there."""
    shares = np.array(bound.certificate, dtype=np.float64)
    if len(shares) != len(case.candidates) or not ((shares >= 0) & (shares <= 1)).all():
        return None
    nugget = map_.covariance.nugget
    used = np.flatnonzero(shares > 0)
    candidates, points, today = laid(case, case.candidates), map_points(case, map_), laid(case, case.today)
    known = np.concatenate((today, candidates[used]))
    noise = np.concatenate((np.full(len(today), nugget), nugget / shares[used]))
    across = left_between(map_, candidates, points, known, noise)
    left = _mean_left(map_, points, known, noise)
    slope = (across**2).mean(axis=1) / nugget
    return max(0.0, left + float((slope * shares).sum()) - choice.greatest(slope))


def _mean_left(map_: Map, points: F8, known: F8, noise: F8) -> float:
    if not len(known):
        return map_.covariance.sill
    system = matern(map_, known, known) + np.diag(noise)
    towards = matern(map_, known, points)
    return map_.covariance.sill - float((towards * np.linalg.solve(system, towards)).sum(axis=0).mean())


def by_directions(case: SitingCase, map_: Map, bound: Bound, choice: Choice) -> float | None:
    """What no choice leaves less than, by how much so many readings can know of the map's own directions."""
    if len(bound.certificate) != 1 or not bound.certificate[0] >= 0:
        return None
    (price,) = bound.certificate
    nugget, most = map_.covariance.nugget, choice.most()
    usable = [place for place, may in zip(case.candidates, choice.usable.tolist(), strict=True) if may]
    points, places, today = map_points(case, map_), laid(case, usable), laid(case, case.today)
    noise = np.full(len(today), nugget)
    among = left_between(map_, points, points, today, noise)
    own = left_between(map_, places, places, today, noise)
    values = np.sort(np.linalg.eigvalsh(among))[::-1][:most] / len(points)
    caps = np.sort(np.linalg.eigvalsh(own))[::-1][:most]
    total = float(np.sort(np.diag(own))[::-1][:most].sum())
    gained = price * total
    for value, cap in zip(values.tolist(), caps.tolist(), strict=False):
        # λ s / (s + nugget) − price · s is concave in s: its best is where its slope is nothing, or at an end.
        inner = (max(0.0, value) * nugget / price) ** 0.5 - nugget if price > 0 else cap
        s = min(max(inner, 0.0), max(cap, 0.0))
        gained += max(0.0, value) * s / (s + nugget) - price * s
    return max(0.0, float(np.trace(among)) / len(points) - gained)
