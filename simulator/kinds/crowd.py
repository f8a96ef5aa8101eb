"""Pedestrian counters: how many passed in five minutes."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulator.moment import Moment, Traits
from simulator.noise import Floats, drift, normal

_PEAK: Final = 190.0
"""People in five minutes on the busiest street at a workday's peak."""


def sense(moment: Moment, traits: Traits) -> dict[str, Floats]:
    """people: in five minutes."""
    local = 1 + 0.15 * drift(traits.stream("people"), moment.times_us, 2400.0)
    expected = _PEAK * (0.08 + 0.92 * traits.rank**1.5) * moment.walking * np.clip(local, 0.2, 2)
    grain = normal(traits.stream("people grain"), moment.times_us)
    people: Floats = np.rint(np.clip(expected + np.sqrt(expected) * grain, 0, None))
    return {"people": people}
