"""The clock of this machine: the one that `app/` hands to every room that asks for one."""

from __future__ import annotations

import time


def now_us() -> int:
    """Now, in microseconds since 1970."""
    return time.time_ns() // 1000
