"""Weather stations: the city's weather as one place has it."""

from __future__ import annotations

import numpy as np

from simulator.moment import Moment, Traits
from simulator.noise import Floats, drift, normal


def sense(moment: Moment, traits: Traits) -> dict[str, Floats]:
    """temperature: °C; humidity: percent; wind: m/s; rain: mm/h; pressure: hPa; sun: W/m²."""
    air = moment.weather
    warmer = 0.5 * normal(traits.stream("warmer")) + 0.2 * drift(traits.stream("air"), moment.times_us, 1800.0)
    sheltered = 0.8 + 0.3 * np.clip(0.5 + 0.3 * normal(traits.stream("shelter")), 0, 1)
    gust = 1 + 0.15 * drift(traits.stream("gust"), moment.times_us, 600.0)
    passing = np.clip(1 - 0.25 * air.cloud * np.abs(drift(traits.stream("cloud"), moment.times_us, 900.0)), 0.2, 1)
    nothing = np.zeros_like(warmer)
    return {
        "temperature": air.temperature_c + warmer,
        "humidity": np.clip(100 * air.humidity - warmer, 10, 100),
        "wind": np.clip(air.wind_m_s * sheltered * gust, 0, None),
        "rain": air.rain_mm_h + nothing,
        "pressure": air.pressure_hpa + nothing,
        "sun": air.irradiance_w_m2 * passing + nothing,
    }
