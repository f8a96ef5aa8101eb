"""Sites that leave a map least uncertain: picked one by one, then exchanged while that helps.

What is lowered is the mean of the map's kriging variances. Picking the site that lowers it most (or most for its price)
is quick, and mean variance is not submodular, so no share of the best is promised. Exchanges mend what was picked too
early: every pair of a site that goes and one that comes is weighed at once. For each site chosen, what is left without
it differs from what is left by one rank: with Q the inverse of the sites' covariances and q its column, by
(Q k)(Q k)ᵀ over q's own entry. A search that rests is disturbed, and begun again from there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import F8
from broadstreet.network.siting.field import Field, Left
from broadstreet.network.siting.limits import Limits

LEAST_SHARE: Final = 1e-9
"""An exchange that lowers the mean variance by less than this share of it is none."""
KICKS: Final = 30
"""How often a search that rests is disturbed."""
KICKED: Final = 3
"""How many sites are replaced at random then."""


def picked(field: Field, limits: Limits, *, by_price: bool) -> list[int]:
    """The sites that lower most, one by one; by_price: most for what each costs."""
    left = Left.of(field)
    chosen: list[int] = []
    while (may := limits.fits(chosen)).any():
        gains = left.gains()
        if by_price:
            gains = gains / np.maximum(limits.cents, 1)
        site = int(np.where(may, gains, -np.inf).argmax())
        chosen.append(site)
        left.take(site)
    return chosen


def mean_variance(field: Field, chosen: list[int]) -> float:
    return float(field.variances(np.array(chosen, dtype=np.int64)).mean())


def lowered(
    field: Field, limits: Limits, seed: int, may_go_on: Callable[[], bool], kicks: int = KICKS
) -> tuple[list[int], list[int]]:
    """The best sites found, and those that were picked one by one. may_go_on: asked before each further start."""
    ways = (False,) if limits.budget_cents is None else (False, True)
    greedy = min((picked(field, limits, by_price=by_price) for by_price in ways), key=lambda s: mean_variance(field, s))
    best = exchanged(field, limits, greedy)
    least = mean_variance(field, best)
    chance = np.random.default_rng(seed)
    for _ in range(kicks):
        if not best or not may_go_on():
            break
        tried = exchanged(field, limits, _kicked(best, limits, chance))
        if (value := mean_variance(field, tried)) < least * (1 - LEAST_SHARE):
            best, least = tried, value
    return best, greedy


def exchanged(field: Field, limits: Limits, chosen: list[int]) -> list[int]:
    """The sites after every exchange that helps, the best one first; and filled up where there is room for more."""
    chosen = list(chosen)
    while chosen:
        gains = _exchange_gains(field, chosen)
        if limits.budget_cents is not None:
            left = limits.budget_cents - int(limits.cents[chosen].sum())
            gains[limits.cents[:, None] > left + limits.cents[chosen][None, :]] = -np.inf
        gains[~limits.usable] = -np.inf
        gains[chosen] = -np.inf
        comes, goes = np.unravel_index(int(gains.argmax()), gains.shape)
        if not gains[comes, goes] > LEAST_SHARE * float(field.variance.mean()):
            if not (may := limits.fits(chosen)).any():
                break
            chosen.append(int(np.where(may, field.known(np.array(chosen)).gains(), -np.inf).argmax()))
            continue
        chosen[int(goes)] = int(comes)
    return chosen


def _exchange_gains(field: Field, chosen: list[int]) -> F8:
    """By how much the mean variance falls when a candidate (row) takes the place of a site (column)."""
    inverse = np.linalg.inv(field.own[np.ix_(chosen, chosen)] + field.nugget * np.eye(len(chosen)))
    to_own, to_map = field.own[chosen], field.across[chosen]
    across = field.across - to_own.T @ (inverse @ to_map)
    own = np.diag(field.own) - np.einsum("si,st,ti->i", to_own, inverse, to_own, optimize=True)
    scale = np.sqrt(np.diag(inverse))[:, None]
    at_map, at_own = (inverse @ to_map) / scale, ((inverse @ to_own) / scale).T
    points = across.shape[1]
    lost = (at_map**2).mean(axis=1)
    square = (across**2).mean(axis=1)[:, None] + 2 * at_own * (across @ at_map.T / points) + at_own**2 * lost
    gains: F8 = square / (own[:, None] + at_own**2 + field.nugget) - lost
    return gains


def _kicked(chosen: list[int], limits: Limits, chance: np.random.Generator) -> list[int]:
    """Some sites replaced by others that fit."""
    kept = list(chosen)
    for _ in range(min(KICKED, len(kept))):
        kept.pop(int(chance.integers(len(kept))))
    for _ in range(len(chosen) - len(kept)):
        may = np.flatnonzero(limits.fits(kept))
        if not len(may):
            break
        kept.append(int(chance.choice(may)))
    return kept
