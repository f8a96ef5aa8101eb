"""Matérn's covariances between points."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import F8
from broadstreet.network.siting.covariance import Covariance

_ROOT: Final = math.sqrt(3.0)


def covariances(covariance: Covariance, one: F8, other: F8) -> F8:
    """Between each of some points and each of others (pairs of metres)."""
    away = np.sqrt(np.maximum(0.0, ((one[:, None, :] - other[None, :, :]) ** 2).sum(axis=2)))
    scaled = _ROOT / covariance.range_m * away
    found: F8 = covariance.sill * (1.0 + scaled) * np.exp(-scaled)
    return found
