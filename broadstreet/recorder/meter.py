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
    """For each partition that is applying packs, when the oldest of them was received."""
    worst_lag_us: int = 0
    """The longest that a reading applied since the last announcement had waited."""
    at_us: int = 0

    def begin(self, partition: str, received_us: int) -> None:
        """A partition begins to apply packs, the oldest received at this time."""
        self.behind_since_us[partition] = received_us

    def finish(self, partition: str, now_us: int) -> None:
        """A partition has applied what it began."""
        received_us = self.behind_since_us.pop(partition, now_us)
        self.worst_lag_us = max(self.worst_lag_us, now_us - received_us)

    def lag_s(self, now_us: int) -> float:
        """How long the slowest reading waited, applied lately or just now, in seconds; 0 when nothing came."""
        waiting_us = max((now_us - at_us for at_us in self.behind_since_us.values()), default=0)
        return max(waiting_us, self.worst_lag_us) / 1_000_000


class MeterReport(msgspec.Struct):
    """A meter as it is announced on `metrics.recorder.<name>`."""

    name: str
    pid: int
    lag_s: float
    meter: Meter
