"""A covariance from what sensors have read: the most likely range, sill and nugget.

Each moment's readings are a draw of the same field about a mean of that moment's own. The mean is no parameter: what is
looked at are contrasts of the readings, which have none (restricted likelihood, Patterson and Thompson 1971). For a
given range and share of the nugget the most likely sill is known in closed form; the other two are sought on a grid
that is narrowed about its best.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ground.courses import F8
from broadstreet.network.siting.covariance import Covariance
from broadstreet.network.siting.kernel import covariances

MIN_SENSORS: Final = 5
MIN_MOMENTS: Final = 10
MAX_SENSORS: Final = 500
"""Beyond it the grid takes minutes; a part of the sensors says as much."""
GRID: Final = 9
ROUNDS: Final = 4
_GRAIN: Final = 1e-12
"""Readings that vary by less than this share of their square are the same but for rounding."""
_SHARES: Final = (1e-3, 10.0)
"""The nugget beside the sill, from hardly any to ten times as much."""


def fit(points: F8, readings: F8) -> Covariance:
    """The most likely covariance. points: where the sensors stand, in metres; readings: a row a moment, a column a
    sensor, without gaps.

    Raises InvalidInput where too little was read, or nothing varies, and TooLarge over MAX_SENSORS.
    """
    moments, sensors = readings.shape
    if sensors > MAX_SENSORS:
        raise TooLarge(f"{sensors} sensors are over the bound of {MAX_SENSORS}", where="readings", remedy="Take fewer.")
    if sensors < MIN_SENSORS or moments < MIN_MOMENTS:
        raise InvalidInput(
            f"{moments} moments of {sensors} sensors are too little to fit a covariance by",
            where="readings",
            remedy=f"Give {MIN_MOMENTS} moments at which {MIN_SENSORS} sensors were read, or state the covariance.",
        )
    contrasts = _contrasts(sensors)
    turned = readings @ contrasts.T
    scatter: F8 = turned.T @ turned / moments
    if not (np.isfinite(scatter).all() and np.trace(scatter) > _GRAIN * float((readings**2).mean())):
        raise InvalidInput(
            "the readings do not vary from place to place", where="readings", remedy="State a covariance."
        )
    away = np.sqrt(((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2))
    span = float(away.max())
    if span <= 0:
        raise InvalidInput("all sensors stand at one place", where="readings", remedy="State a covariance.")
    low, high = np.log([span / 200, _SHARES[0]]), np.log([span * 3, _SHARES[1]])
    best: tuple[float, float, float] = (math.inf, 0.0, 0.0)
    sill = 1.0
    for _ in range(ROUNDS):
        for log_range in np.linspace(low[0], high[0], GRID):
            shape = covariances(Covariance(range_m=math.exp(log_range)), points, points)
            inner = contrasts @ shape @ contrasts.T
            for log_share in np.linspace(low[1], high[1], GRID):
                loss, most_likely = _loss(inner + math.exp(log_share) * np.eye(sensors - 1), scatter)
                if loss < best[0]:
                    best, sill = (loss, float(log_range), float(log_share)), most_likely
        step = (high - low) / (GRID - 1)
        middle = np.array(best[1:])
        low, high = middle - step, middle + step
    return Covariance(
        range_m=math.exp(best[1]),
        sill=sill,
        nugget=sill * math.exp(best[2]),
        source=f"restricted maximum likelihood, {moments} moments of {sensors} sensors",
    )


def _contrasts(count: int) -> F8:
    """Rows that are orthonormal and sum to nothing each: Helmert's."""
    rows = np.tril(np.ones((count, count)))[:-1]
    number = np.arange(1, count)
    rows[number - 1, number] = -number.astype(np.float64)
    scaled: F8 = rows / np.sqrt(number * (number + 1))[:, None]
    return scaled


def _loss(matrix: F8, scatter: F8) -> tuple[float, float]:
    """Twice the negative log likelihood of a moment at the most likely sill, but for a constant; and that sill."""
    lower = np.linalg.cholesky(matrix)
    size = len(matrix)
    half = np.linalg.solve(lower, scatter)
    sill = float(np.trace(np.linalg.solve(lower, half.T))) / size
    return size * math.log(sill) + 2 * float(np.log(np.diag(lower)).sum()), sill
