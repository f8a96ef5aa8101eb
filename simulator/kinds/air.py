"""Air quality stations: what traffic gives off, thinned by wind, washed out by rain, gathered on still cold nights."""

from __future__ import annotations

import numpy as np

from simulator.moment import Moment, Traits
from simulator.noise import Floats, drift, key_of, normal


def sense(moment: Moment, traits: Traits) -> dict[str, Floats]:
    """no2, pm10, pm25: micrograms per cubic metre."""
    air = moment.weather
    still = 1 / (0.55 + 0.16 * air.wind_m_s)
    inversion = 1 + 0.35 * np.clip(-air.elevation_deg / 30, 0, 1) * np.clip(2.5 - air.wind_m_s, 0, 2)
    washed = 1 - 0.35 * np.clip(air.rain_mm_h / 3, 0, 1)
    local = 1 + 0.12 * drift(traits.stream("no2"), moment.times_us, 3600.0)
    fumes = (8 + 46 * traits.rank) * moment.driving * still * inversion * local
    no2 = (5 + fumes) * (0.85 + 0.15 * washed) + 0.8 * normal(traits.stream("no2 grain"), moment.times_us)
    from_afar = 7 + 2.5 * drift(key_of(moment.scene.seed, "from afar"), moment.times_us, 2 * 86_400.0)
    dust = 3 * traits.rank * moment.driving * np.clip(air.wind_m_s / 4, 0.3, 2)
    fine = (np.clip(from_afar, 2, None) + 0.10 * fumes) * washed
    pm25 = fine + 0.5 * normal(traits.stream("pm25 grain"), moment.times_us)
    pm10 = pm25 + (5 + dust + 2 * local) * washed + 0.6 * normal(traits.stream("pm10 grain"), moment.times_us)
    return {"no2": np.clip(no2, 0.5, None), "pm10": np.clip(pm10, 1, None), "pm25": np.clip(pm25, 0.5, None)}
