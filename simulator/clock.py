"""What the city's clocks show: people keep local time, also over a change of daylight saving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from simulator.noise import US_PER_S, Floats, Int64s

HOUR_US: Final = 3600 * US_PER_S
DAY_US: Final = 24 * HOUR_US
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_THURSDAY: Final = 3
"""1970-01-01 was one; Monday is 0."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """Local time at some moments: `day` counts days since 1970-01-01, `hour` runs from 0 to 24, Monday is weekday 0."""

    day: Int64s
    hour: Floats
    weekday: Int64s


def local_time(times_us: Int64s, zone: ZoneInfo) -> LocalTime:
    """What clocks of a zone show at moments given in microseconds since 1970 in UTC.

    The offset is looked up once a quarter of an hour, since no zone changes it at other times.
    """
    quarters, where = np.unique(times_us // (HOUR_US // 4), return_inverse=True)
    offsets_us = np.array([_offset_us(int(quarter), zone) for quarter in quarters], np.int64)[where]
    day, within_us = np.divmod(times_us + offsets_us, DAY_US)
    return LocalTime(day, within_us / HOUR_US, (day + _THURSDAY) % 7)


def _offset_us(quarter: int, zone: ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(minutes=15 * quarter)).astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds()) * US_PER_S
