"""What the whole city shares at some moments: the clock, the weather, how many drive and how many walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulator.clock import LocalTime, local_time
from simulator.fleet import Device, Scene
from simulator.noise import Floats, Int64s, Keys, drift, key_of
from simulator.weather import Weather, weather

_HOUR_S: Final = 3600.0


def _table(text: str) -> Floats:
    return np.array([row.split() for row in text.strip().splitlines()], np.float64) / 100


# Activity by the hour of the day, from midnight: workdays, Saturdays, Sundays. 100 is a workday's peak.
_DRIVING: Final = _table("""
    13 9 6 6 10 26 58 93 100 80 70 72 76 76 80 91 100 98 79 60 48 39 29 20
    20 15 11 9 9 12 18 25 36 48 60 68 72 72 70 66 63 60 55 48 42 37 33 28
    23 18 13 10 8 9 11 14 20 31 43 53 60 62 62 61 60 57 52 44 36 28 22 16
""")
_WALKING: Final = _table("""
    5 3 2 2 3 8 24 55 72 50 52 70 94 84 72 78 97 100 80 58 42 30 20 11
    20 16 12 8 5 4 7 12 22 42 68 88 105 116 120 112 100 88 74 62 54 50 46 38
    30 22 15 9 5 3 5 8 14 26 45 64 80 88 88 80 68 54 42 32 25 18 12 8
""")


@dataclass(frozen=True, slots=True)
class Traits:
    """What tells devices apart, one row each: shape (n, 1), so that they meet moments of shape (m,)."""

    keys: Keys
    rank: Floats
    capacity: Floats

    def stream(self, name: str) -> Keys:
        """A stream of noise for each device."""
        return self.keys ^ key_of(name)


@dataclass(frozen=True, slots=True)
class Moment:
    """The shared state at `times_us`; all arrays are (m,). driving, walking: 1 on a workday's peak."""

    scene: Scene
    times_us: Int64s
    clock: LocalTime
    weather: Weather
    driving: Floats
    walking: Floats


def traits_of(scene: Scene, devices: Sequence[Device]) -> Traits:
    """The traits of some devices in a scene."""
    return Traits(
        keys=np.array([[key_of(scene.seed, device.id)] for device in devices], np.uint64),
        rank=np.array([[device.rank] for device in devices], np.float64),
        capacity=np.array([[device.capacity] for device in devices], np.float64),
    )


def moment_of(scene: Scene, times_us: Int64s) -> Moment:
    """What the city shares at these moments."""
    clock = local_time(times_us, scene.zone)
    air = weather(scene.seed, scene.lon, scene.lat, times_us)
    wet = np.clip(air.rain_mm_h / 2, 0, 1)
    day = drift(key_of(scene.seed, "bustle"), times_us, 24 * _HOUR_S)
    driving = _by_hour(_DRIVING, clock) * (1 + 0.05 * day) * (1 + 0.06 * wet)
    warm = np.clip(0.75 + 0.02 * air.temperature_c, 0.55, 1.1)
    walking = _by_hour(_WALKING, clock) * (1 + 0.08 * day) * (1 - 0.5 * wet) * warm
    return Moment(scene, times_us, clock, air, driving, walking)


def _by_hour(table: Floats, clock: LocalTime) -> Floats:
    """Activity at a time of day and week, straight from hour to hour and over midnight into the next day's kind."""
    hour = clock.hour.astype(np.int64) % 24
    share = clock.hour - hour
    today = np.clip(clock.weekday - 4, 0, 2)
    tomorrow = np.clip((clock.weekday + 1) % 7 - 4, 0, 2)
    after = np.where(hour == 23, table[tomorrow, 0], table[today, (hour + 1) % 24])
    return np.asarray(table[today, hour] * (1 - share) + after * share)
