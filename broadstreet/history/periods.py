"""Periods of aggregation: an ISO 8601 duration, laid end to end from a start.

Years, months, weeks and days are the calendar's in a time zone, so that a day of 23 or 25 hours is one day; hours,
minutes and seconds are always as long as they say. The k-th edge is counted from the start itself, not from the edge
before it, so that months from the 31st do not wander: 31 January, 28 February, 31 March.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, timedelta, tzinfo
from typing import Final, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np

from broadstreet.history.observations import Int64s
from broadstreet.model.clock import MAX_US, US_PER_S, to_datetime, to_us
from broadstreet.model.errors import InvalidInput, TooMany

MAX_PERIODS: Final = 100_000
"""The most periods one aggregation is cut into."""

_DURATION = re.compile(
    r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
    r"(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,](\d{1,6}))?S)?)?"
)
_MAX_COUNT: Final = 1_000_000_000
_LAST_YEAR: Final = 9999


def time_zone(name: str) -> tzinfo:
    """A time zone by its IANA name. Raises InvalidInput."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(
            f"there is no time zone {name[:80]!r}", remedy="Use an IANA name such as Europe/Helsinki, or UTC."
        ) from error


class Period(msgspec.Struct, frozen=True):
    """A length of time: calendar months and days, and microseconds. All zero: the whole range."""

    months: int = 0
    days: int = 0
    us: int = 0

    @classmethod
    def parse(cls, text: str, where: str | None = None) -> Self:
        """An ISO 8601 duration such as PT15M, P1D, P1M or P1DT12H; only seconds may have decimals."""
        match = _DURATION.fullmatch(text)
        parts = [int(part or 0) for part in match.groups()[:7]] if match else []
        if match is None or max(parts) > _MAX_COUNT:
            raise InvalidInput(
                f"{text[:80]!r} is not a duration",
                where=where,
                remedy="Write it as PT15M, P1D or P1M (ISO 8601).",
            )
        years, months, weeks, days, hours, minutes, seconds = parts
        us = (hours * 3600 + minutes * 60 + seconds) * US_PER_S + int((match[8] or "").ljust(6, "0"))
        return cls(years * 12 + months, weeks * 7 + days, us)

    @property
    def is_whole_range(self) -> bool:
        """A duration of zero stands for the whole range (ETSI GS CIM 009, 4.5.19)."""
        return self.months == self.days == self.us == 0

    def edges(self, from_us: int, to_us: int, zone: tzinfo = UTC) -> Int64s:
        """The starts of the periods that cover [from_us, to_us), and the end of the last, which may lie beyond to_us.

        Raises TooMany over MAX_PERIODS.
        """
        if to_us <= from_us:
            return np.array([from_us], np.int64)
        if self.is_whole_range:
            return np.array([from_us, to_us], np.int64)
        if self.months == self.days == 0:
            count = -(-(to_us - from_us) // self.us)
            self._check(count)
            return from_us + np.arange(count + 1, dtype=np.int64) * self.us
        edges = [from_us]
        while edges[-1] < to_us:
            self._check(len(edges))
            edges.append(max(self.after(from_us, len(edges), zone), edges[-1] + 1))
        return np.array(edges, np.int64)

    def _check(self, count: int) -> None:
        if count > MAX_PERIODS:
            raise TooMany(
                f"the range holds more than {MAX_PERIODS} periods", remedy="Ask for longer periods or a shorter range."
            )

    def after(self, from_us: int, k: int, zone: tzinfo = UTC) -> int:
        """The moment k periods after another; MAX_US where that is beyond the year 9999."""
        start = to_datetime(from_us).astimezone(zone)
        month = start.year * 12 + start.month - 1 + self.months * k
        year, month = divmod(month, 12)
        if year > _LAST_YEAR:
            return MAX_US
        day = min(start.day, calendar.monthrange(year, month + 1)[1])
        try:
            # Wall-clock arithmetic: a time that does not exist moves on with the gap, an ambiguous one is the first.
            local = start.replace(year=year, month=month + 1, day=day, fold=0) + timedelta(days=self.days * k)
            return min(to_us(local.astimezone(UTC)) + self.us * k, MAX_US)
        except OverflowError:
            return MAX_US
