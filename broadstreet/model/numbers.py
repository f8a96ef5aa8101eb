"""Numbers of any size, as JSON has them, beside doubles."""

from __future__ import annotations

import math


def nearest_double(value: float) -> float:
    """The nearest double; without end where that is beyond the largest."""
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
