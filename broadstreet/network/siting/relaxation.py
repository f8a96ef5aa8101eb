"""What no choice of sites can leave less of: two lower bounds on a map's mean variance, each with its certificate.

**Shares of sites.** A site may be measured in part: a share x of it is a reading with the nugget over x. The mean
variance left is convex in the shares (it is the trace of the inverse of a matrix that is linear in them), and at 0 and
1 it is the true one; so what it is at any shares, less what its slope there promises at most, bounds every choice
(Frank and Wolfe 1956). Shares are moved by Silvey's, Titterington's and Torsney's rule (1978): each times the root of
its slope. The certificate is the shares.

**Directions.** k readings know k directions of the field. With λ the eigenvalues of the map's covariances and s those
of the sites', what is lowered is at most Σ λ s / (s + nugget), both in falling order (von Neumann's trace inequality);
the s sum to no more than the k greatest variances of candidates, and each is no more than that of all candidates
together. The certificate is the price of a unit of that sum. It leaves open where sites stand, and is the better where
they are few.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import F8
from broadstreet.network.siting.field import Field
from broadstreet.network.siting.limits import Limits
from broadstreet.network.siting.statement import Bound, BoundKind

ROUNDS: Final = 80
ENOUGH: Final = 1e-3
"""Shares are good enough where their bound lacks less than this share of what they leave."""
_SAFE: Final = 1e-9
"""What a bound gives way by, as a share of the variance there is: more than its reckoning rounds."""


def shares_bound(field: Field, limits: Limits, may_go_on: Callable[[], bool]) -> Bound:
    """The bound by shares of sites."""
    most = max(1, limits.most)
    rate = np.full(len(limits.cents), 1.0 / most)
    if limits.count is None and limits.budget_cents is not None:
        rate = np.maximum(limits.cents, 1) / max(1, limits.budget_cents)
    shares = np.where(limits.usable, 1.0, 0.0)
    shares = _scaled(shares, rate)
    best, certificate = 0.0, shares
    scale = float(field.variance.mean())
    map_square = field.across @ field.across.T / field.across.shape[1]
    for _ in range(ROUNDS):
        left, slope = _left_and_slope(field, map_square, shares)
        bound = left + float((slope * shares).sum()) - limits.most_gained(slope) - _SAFE * scale
        if bound > best:
            best, certificate = bound, shares
        if left - best < ENOUGH * left or not may_go_on():
            break
        shares = _scaled(np.where(limits.usable, shares * np.sqrt(slope / rate), 0.0), rate)
    return Bound(BoundKind.SHARES, best, tuple(float(share) for share in certificate))


def directions_bound(field: Field, limits: Limits) -> Bound:
    """The bound by directions."""
    most = limits.most
    mean = float(field.variance.mean())
    if most == 0:
        return Bound(BoundKind.DIRECTIONS, mean * (1 - _SAFE), (0.0,))
    usable = np.flatnonzero(limits.usable)
    points = field.among.shape[0]
    values = np.maximum(np.linalg.eigvalsh(field.among)[::-1][:most] / points, 0.0)
    caps = np.maximum(np.linalg.eigvalsh(field.own[np.ix_(usable, usable)])[::-1][: len(values)], 0.0)
    values = values[: len(caps)]
    total = float(np.sort(np.diag(field.own)[usable])[::-1][:most].sum())
    low, high = 0.0, float(values[0]) / field.nugget
    for _ in range(100):
        price = (low + high) / 2
        low, high = (price, high) if _bought(values, caps, field.nugget, price).sum() > total else (low, price)
    bought = _bought(values, caps, field.nugget, high)
    gained = float((values * bought / (bought + field.nugget) - high * bought).sum()) + high * total
    return Bound(BoundKind.DIRECTIONS, max(0.0, mean - gained - _SAFE * mean), (high,))


def _bought(values: F8, caps: F8, nugget: float, price: float) -> F8:
    """How much of each direction is worth its price: where the slope of λ s / (s + nugget) comes down to it."""
    if price <= 0:
        return caps
    return np.clip(np.sqrt(values * nugget / price) - nugget, 0.0, caps)


def _left_and_slope(field: Field, map_square: F8, shares: F8) -> tuple[float, F8]:
    """The mean variance that shares of sites leave, and by how much it falls for a share more of each."""
    root = np.sqrt(shares)
    inner = root[:, None] * field.own * root + field.nugget * np.eye(len(shares))
    weights = root[:, None] * np.linalg.inv(inner) * root
    left = float(field.variance.mean() - (map_square * weights).sum())
    rest = np.eye(len(shares)) - field.own @ weights
    slope: F8 = np.maximum(0.0, np.einsum("ij,ij->i", rest @ map_square, rest) / field.nugget)
    return left, slope


def _scaled(shares: F8, rate: F8) -> F8:
    """Shares times one factor, none over 1, so that they spend all there is."""
    if not shares.any() or (np.where(shares > 0, rate, 0.0)).sum() <= 1:
        return np.where(shares > 0, 1.0, 0.0)
    low, high = 0.0, 1.0
    while (np.minimum(1.0, shares * high) * rate).sum() < 1:
        high *= 2
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if (np.minimum(1.0, shares * middle) * rate).sum() < 1 else (low, middle)
    return np.minimum(1.0, shares * low)
