"""Time in the domain: UTC, microseconds since 1970 on the hot path, RFC 3339 at the edges.

The model has no clock of its own: whoever needs "now" is given it. Integers named `_us` are microseconds since
1970-01-01T00:00:00Z, which is also the resolution PostgreSQL keeps.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from broadstreet.model.errors import InvalidInput

US_PER_S = 1_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_US = -62_135_596_800 * US_PER_S
"""0001-01-01T00:00:00Z, the first moment Python's datetime can say."""
MAX_US = 253_402_300_799 * US_PER_S
"""9999-12-31T23:59:59Z."""

_RFC3339 = re.compile(r"(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:[.,](\d{1,9}))?([Zz]|[+-]\d{2}:?\d{2})")


def to_datetime(at_us: int) -> datetime:
    """Microseconds since 1970 as an aware datetime in UTC."""
    return EPOCH + timedelta(microseconds=at_us)


def to_us(at: datetime) -> int:
    """An aware datetime as microseconds since 1970. Raises InvalidInput for a naive one."""
    if at.tzinfo is None:
        raise InvalidInput(f"the time {at.isoformat()} has no zone", remedy="Add Z or an offset such as +02:00.")
    delta = at - EPOCH
    return (delta.days * 86_400 + delta.seconds) * US_PER_S + delta.microseconds


def parse_rfc3339(text: str, where: str | None = None) -> int:
    """An RFC 3339 date-time (a zone is required; digits past microseconds are cut) as microseconds since 1970."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise InvalidInput(
            f"{text[:80]!r} is not an RFC 3339 time", where=where, remedy="Write it as 2026-03-01T12:00:00Z."
        )
    year, month, day, hour, minute, second = (int(match[i]) for i in range(1, 7))
    fraction = (match[7] or "")[:6].ljust(6, "0")
    zone = match[8].upper().replace(":", "")
    offset_s = 0 if zone == "Z" else (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60)
    try:
        # A leap second (…:60) is read as the second after, as PostgreSQL does.
        at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError as error:
        raise InvalidInput(f"{text[:80]!r} is not a real time: {error}", where=where) from None
    if second > 60:
        raise InvalidInput(f"{text[:80]!r} is not a real time: second is over 60", where=where)
    at_us = to_us(at) + (US_PER_S if second == 60 else 0) + int(fraction) - offset_s * US_PER_S
    if not MIN_US <= at_us <= MAX_US:
        raise InvalidInput(f"{text[:80]!r} lies outside the years 1 to 9999 in UTC", where=where)
    return at_us


def format_rfc3339(at_us: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC, with as many decimals as are needed (none, three or six)."""
    seconds, rest_us = divmod(at_us, US_PER_S)
    text = _to_the_second(seconds)
    if rest_us == 0:
        return text + "Z"
    if rest_us % 1000 == 0:
        return f"{text}.{rest_us // 1000:03d}Z"
    return f"{text}.{rest_us:06d}Z"


@lru_cache(maxsize=16_384)
def _to_the_second(seconds: int) -> str:
    """The date and time of a whole second. Readings of one moment share it, hence the cache."""
    return to_datetime(seconds * US_PER_S).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
