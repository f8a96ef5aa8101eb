"""Street lights: on from dusk to dawn, dimmed while the city sleeps, now and then a lamp that has failed."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulator.clock import DAY_US
from simulator.moment import Moment, Traits
from simulator.noise import Floats, normal, uniform

_DUSK_DEG: Final = -1.5
"""The sun's elevation at which the mean light switches."""
_DIM_PERCENT: Final = 50.0
_DIM_HOURS: Final = (0.5, 5.0)
_FAILED_SHARE: Final = 0.004
"""The share of lamps that is dark on a given night."""


def sense(moment: Moment, traits: Traits) -> dict[str, Floats]:
    """level: percent of full light."""
    dusk_deg = _DUSK_DEG + 0.4 * normal(traits.stream("dusk"))
    from_hour, to_hour = _DIM_HOURS
    dimmed = (moment.clock.hour >= from_hour) & (moment.clock.hour < to_hour)
    level = np.where(dimmed, _DIM_PERCENT, 100.0)
    night = (moment.times_us + round(moment.scene.lon / 360 * DAY_US) - DAY_US // 2) // DAY_US  # from noon to noon
    burns = uniform(traits.stream("lamp"), night) >= _FAILED_SHARE
    return {"level": np.where(burns & (moment.weather.elevation_deg < dusk_deg), level, 0.0)}
