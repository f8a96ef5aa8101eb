"""How often an address asks without signing in: a bucket each, in this process's memory, that fills by the minute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from broadstreet.access.attempts import place_of
from broadstreet.model.clock import US_PER_S
from broadstreet.model.errors import TooMany

DEFAULT_PER_MINUTE: Final = 600
MAX_ADDRESSES: Final = 50_000
MINUTE_US: Final = 60 * US_PER_S


def address_of(forwarded: str | None, host: str, *, is_behind_proxy: bool) -> str:
    """Where a caller is; behind a proxy, what the proxy itself added last to X-Forwarded-For."""
    return forwarded.rsplit(",", 1)[-1].strip() if is_behind_proxy and forwarded else host


class Visits:
    """A full bucket is a minute's worth of questions: a page may ask for all it needs at once."""

    def __init__(self, clock: Callable[[], int], per_minute: int) -> None:
        self._clock = clock
        self._step_us = MINUTE_US // per_minute
        self._full_at_us: dict[str, int] = {}

    def count(self, address: str) -> None:
        """Count one question. Raises TooMany."""
        now_us = self._clock()
        place = place_of(address)
        if len(self._full_at_us) >= MAX_ADDRESSES:
            self._full_at_us = {own: at_us for own, at_us in self._full_at_us.items() if at_us > now_us}
        full_at_us = max(self._full_at_us.get(place, now_us), now_us) + self._step_us
        wait_us = full_at_us - now_us - MINUTE_US
        if wait_us > 0 or len(self._full_at_us) >= MAX_ADDRESSES:
            raise TooMany(
                "this address asks more than anyone may without signing in",
                remedy="Wait a moment, or ask with a token.",
                retry_after_s=max(-(-wait_us // US_PER_S), 1),
            )
        self._full_at_us[place] = full_at_us
