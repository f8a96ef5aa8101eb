"""What a recorder has done and how far behind it is, for metrics and the portal."""

from __future__ import annotations

import msgspec


class Meter(msgspec.Struct):
    """Counters since the process started, and gauges. Times are microseconds since 1970."""

    messages: int = 0
    readings: int = 0
    repeated: int = 0
    corrected: int = 0
    dead: int = 0
    packs: int = 0
    transactions: int = 0
    retries: int = 0
    failures: int = 0
    published: int = 0
    behind_since_us: dict[str, int] = {}
    """For each partition that is behind, when the oldest pack not yet applied was received."""
    at_us: int = 0

    def lag_s(self, now_us: int) -> float:
        """How old the oldest reading is that is not yet applied, in seconds; 0 when all are."""
        return max((now_us - at_us for at_us in self.behind_since_us.values()), default=0) / 1_000_000


class MeterReport(msgspec.Struct):
    """A meter as it is announced on `metrics.recorder.<name>`."""

    name: str
    pid: int
    lag_s: float
    meter: Meter
