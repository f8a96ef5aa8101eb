"""Traffic counters: vehicles in five minutes, their mean speed, and how much of the time the loop is covered."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulator.moment import Moment, Traits
from simulator.noise import Floats, drift, normal

_COUNT_S: Final = 300.0
_VEHICLE_M: Final = 6.5
"""Length of a mean vehicle and its loop: occupancy = flow x length / speed."""
_LANE_VEHICLES_PER_H: Final = 900.0
"""What a lane between traffic lights takes."""


def sense(moment: Moment, traits: Traits) -> dict[str, Floats]:
    """vehicles: in five minutes; speed: km/h; occupancy: percent, per lane."""
    lanes = 1 + np.round(2 * traits.rank)
    peak_per_h = _LANE_VEHICLES_PER_H * lanes * (0.25 + 0.6 * traits.rank)
    local = 1 + 0.10 * drift(traits.stream("traffic"), moment.times_us, 3600.0)
    flow_per_h = peak_per_h * moment.driving * np.clip(local, 0.3, 1.6)
    expected = flow_per_h * _COUNT_S / 3600
    grain = normal(traits.stream("vehicles"), moment.times_us)
    vehicles: Floats = np.rint(np.clip(expected + np.sqrt(expected) * grain, 0, None))
    load = np.clip(flow_per_h / (_LANE_VEHICLES_PER_H * lanes), 0, 1)
    free_kmh = 28 + 18 * traits.rank
    wet = np.clip(moment.weather.rain_mm_h / 4, 0, 1)
    speed = free_kmh * (1 - 0.45 * load**2) * (1 - 0.08 * wet) + 1.5 * normal(traits.stream("speed"), moment.times_us)
    speed = np.clip(speed, 5, None)
    occupancy = np.clip(100 * vehicles * 3600 / _COUNT_S / lanes * _VEHICLE_M / 1000 / speed, 0, 100)
    return {"vehicles": vehicles, "speed": speed, "occupancy": occupancy}
