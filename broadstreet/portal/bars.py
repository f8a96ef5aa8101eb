"""The last 24 hours as bars: hourly means of each sensor's main attribute, and the scale all sensors of it share.

Read once a minute for the whole city and kept between, since an hour's mean moves slowly; the client draws the newest
value itself into the last bar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from broadstreet.history import hourly_bars
from broadstreet.model.clock import US_PER_S
from broadstreet.portal.roster import Roster
from broadstreet.store import Database

BARS: Final = 24
HOUR_US: Final = 3600 * US_PER_S
KEPT_US: Final = 60 * US_PER_S
DECIMALS: Final = 3
_STEPS: Final = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_RARE: Final = 0.01
_MANY: Final = 12
"""Among so many values one may be wild; among fewer, who knows which."""
_FAR: Final = 3.0
"""So many times as far from the middle as the rest, a rare value is drawn as high as the scale goes."""
_NARROW: Final = 0.5
"""Values that stay above this share of the greatest are drawn from their least, not from zero."""


@dataclass(frozen=True, slots=True)
class Bars:
    """levels: 24 numbers of 0 to 1 by entity id, None for an hour without a word; scales: by attribute name."""

    levels: dict[str, list[float | None]] = field(default_factory=dict)
    scales: dict[str, tuple[float, float]] = field(default_factory=dict)
    from_us: int = 0
    read_us: int = 0

    def is_fresh(self, now_us: int) -> bool:
        """Whether they may still be shown: read within a minute, and no hour has turned."""
        return now_us - self.read_us < KEPT_US and first_hour_us(now_us) == self.from_us

    def of(self, entity_id: str) -> list[float | None]:
        """A sensor's bars; empty hours for one that was not there when they were read."""
        return self.levels.get(entity_id) or [None] * BARS


def first_hour_us(now_us: int) -> int:
    """When the first of the bars' hours begins; the last is the hour that runs."""
    return (now_us // HOUR_US + 1 - BARS) * HOUR_US


async def read_bars(database: Database, roster: Roster, now_us: int) -> Bars:
    """The bars of every sensor with numbers."""
    mains = [
        (sensor, sensor.values[sensor.main])
        for sensor in roster.sensors.values()
        if sensor.main is not None and sensor.main in sensor.values
    ]
    means = await hourly_bars(database, [value.series_key for _, value in mains], now_us)
    rows: dict[str, list[int]] = {}
    for row, (_, value) in enumerate(mains):
        rows.setdefault(value.name, []).append(row)
    scales: dict[str, tuple[float, float]] = {}
    levels: dict[str, list[float | None]] = {}
    for name, members in rows.items():
        block = means[members]
        scales[name] = low, high = scale_of(block)
        scaled = np.clip((block - low) / (high - low), 0, 1).round(DECIMALS)
        for row, values in zip(members, scaled.tolist(), strict=True):
            levels[mains[row][0].id] = [None if value != value else value for value in values]
    return Bars(levels, scales, first_hour_us(now_us), now_us)


def scale_of(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    """A round range that holds all values but a few wild ones: from zero, unless they are negative or far from it."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    least, greatest = _usual(known)
    if least >= 0 and least < _NARROW * greatest:
        return 0.0, round_up(greatest)
    if least == greatest == 0:
        return 0.0, 1.0
    step = round_up((greatest - least) / 4 or abs(greatest) / 4)
    return math.floor(least / step) * step, (math.floor(greatest / step) + 1) * step


def _usual(known: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    """The least and the greatest, but for a hundredth, or one, that lies far beyond all others and flattens them."""
    ordered = np.sort(known)
    few = max(int(len(ordered) * _RARE), int(len(ordered) >= _MANY))
    low, high = float(ordered[few]), float(ordered[-1 - few])
    middle = float(np.median(ordered))
    least, greatest = float(ordered[0]), float(ordered[-1])
    if 0 < _FAR * (high - middle) < greatest - middle:
        greatest = high
    if 0 < _FAR * (middle - low) < middle - least:
        least = low
    return least, greatest


def round_up(value: float) -> float:
    """The next round number: 1, 1.2, 1.5, 2, … times a power of ten."""
    size = 10.0 ** math.floor(math.log10(value))
    return next(step * size for step in (*_STEPS, 12.0) if step * size >= value * (1 - 1e-9))
