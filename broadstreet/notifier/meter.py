"""What a notifier has done and what waits, for metrics and the portal."""

from __future__ import annotations

import msgspec


class Meter(msgspec.Struct):
    """Counters since the process started, and gauges. Times are microseconds since 1970."""

    changes: int = 0
    """Changes that were read, whoever was interested."""
    told: int = 0
    """Entities that were found to be told to somebody."""
    sent: int = 0
    """Entities that receivers have taken."""
    notifications: int = 0
    failed: int = 0
    """Notifications that receivers have not taken."""
    dropped: int = 0
    """Entities that were given up."""
    waiting: int = 0
    at_us: int = 0


class MeterReport(msgspec.Struct):
    """A meter as it is announced on `metrics.notifier.<name>`."""

    name: str
    pid: int
    meter: Meter
