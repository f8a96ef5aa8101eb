"""The weather over the city: one for all devices, from the sun's place, the season and passing fronts.

A front is slow noise; above a level it brings cloud, then rain and wind, and lowers the pressure. Temperature is the
season's mean, a daily wave that clouds flatten, and an anomaly of days. It is plausible, not a forecast: no number
here was fitted to a place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.clock import DAY_US
from simulator.noise import Floats, Int64s, drift, key_of

_HOUR_S: Final = 3600.0
_DAY_S: Final = 24 * _HOUR_S
_TROPICAL_YEAR_DAYS: Final = 365.2422
_RAIN_FROM: Final = 0.9
"""The strength of a front from which it rains: about a fifth of the time."""


@dataclass(frozen=True, slots=True)
class Weather:
    """At some moments: sun's elevation, cloud (0 to 1), temperature, rain, wind, humidity (0 to 1), pressure,
    irradiance on the ground."""

    elevation_deg: Floats
    cloud: Floats
    temperature_c: Floats
    rain_mm_h: Floats
    wind_m_s: Floats
    humidity: Floats
    pressure_hpa: Floats
    irradiance_w_m2: Floats


def sun_elevation_deg(lon: float, lat: float, times_us: Int64s) -> Floats:
    """The sun's elevation above the horizon, to about half a degree, without refraction.

    The Astronomical Almanac's low-precision formulas for the sun, as in Michalsky, Solar Energy 40 (1988).
    """
    days = times_us / DAY_US - 10_957.5  # since 2000-01-01T12:00Z
    anomaly = np.radians((357.528 + 0.9856003 * days) % 360)
    ecliptic = np.radians((280.460 + 0.9856474 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)) % 360)
    obliquity = np.radians(23.439 - 4e-7 * days)
    ascension = np.arctan2(np.cos(obliquity) * np.sin(ecliptic), np.cos(ecliptic))
    declination = np.arcsin(np.sin(obliquity) * np.sin(ecliptic))
    sidereal = np.radians((280.46062 + 360.98564737 * days + lon) % 360)
    latitude = np.radians(lat)
    sine = np.sin(latitude) * np.sin(declination)
    sine = sine + np.cos(latitude) * np.cos(declination) * np.cos(sidereal - ascension)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1, 1))))


def weather(seed: int, lon: float, lat: float, times_us: Int64s) -> Weather:
    """The weather of a seed's city at moments in microseconds since 1970."""

    def noise(name: str, period_s: float) -> Floats:
        return drift(key_of(seed, "weather", name), times_us, period_s)

    elevation_deg = sun_elevation_deg(lon, lat, times_us)
    front = noise("front", 20 * _HOUR_S)
    cloud = 1 / (1 + np.exp(-2.2 * (front + 0.3 * noise("cloud", _HOUR_S))))
    shower = np.clip(1 + 0.6 * noise("shower", _HOUR_S / 2), 0, None)
    rain_mm_h = np.clip(front - _RAIN_FROM, 0, None) * 4 * shower
    warmth = noise("air", 4 * _DAY_S)
    temperature_c = _seasonal_mean_c(lon, lat, times_us) + 3 * warmth + 0.6 * noise("breeze", 3 * _HOUR_S)
    # The ground warms and cools with a lag: the sun of two hours ago counts.
    lagged_deg = sun_elevation_deg(lon, lat, times_us - 2 * DAY_US // 24)
    temperature_c = (
        temperature_c + 5 * (1 - 0.6 * cloud) * (np.sin(np.radians(lagged_deg)) - 0.2) - 0.8 * (rain_mm_h > 0)
    )
    wind_m_s = np.clip(
        3.6 + 1.4 * noise("wind", 12 * _HOUR_S) + 1.2 * front + 0.5 * noise("gust", _HOUR_S / 3), 0.2, None
    )
    humidity = 0.68 + 0.14 * cloud + 0.12 * (rain_mm_h > 0) - 0.006 * (np.clip(elevation_deg, -10, 50) - 10)
    sine = np.clip(np.sin(np.radians(elevation_deg)), 1e-3, None)
    # Clear sky after Haurwitz (1945), clouds after Kasten and Czeplak (1980).
    clear_w_m2 = np.where(elevation_deg > 0, 1098 * sine * np.exp(-0.057 / sine), 0)
    return Weather(
        elevation_deg=elevation_deg,
        cloud=cloud,
        temperature_c=temperature_c,
        rain_mm_h=rain_mm_h,
        wind_m_s=wind_m_s,
        humidity=np.clip(humidity + 0.04 * noise("damp", 6 * _HOUR_S), 0.15, 1),
        pressure_hpa=1013 + 8 * noise("pressure", 3 * _DAY_S) - 5 * front,
        irradiance_w_m2=clear_w_m2 * (1 - 0.75 * cloud**3.4),
    )


def _seasonal_mean_c(lon: float, lat: float, times_us: Int64s) -> Floats:
    """The mean temperature of the time of year: colder and more seasonal towards the poles, coldest a month after the
    shortest day."""
    year = (times_us / (DAY_US * _TROPICAL_YEAR_DAYS)) % 1  # 0 at about New Year
    coldest = 0.07 if lat >= 0 else 0.57
    return np.asarray(27 - 0.0062 * lat * lat - 0.21 * abs(lat) * np.cos(2 * np.pi * (year - coldest)))
