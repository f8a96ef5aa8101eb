"""A device's clock: its own, set right by the house's where it is off, and never the same moment twice.

Cheap clocks run wrong, and begin in 1970 after a power cut. So a device asks whom it reports to for the time, which
both CONNACK and the Date of an HTTP answer say, and adds the difference to its own. A reading is known by its time: no
two may have the same one, so that the clock only goes forward, over a restart too.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from broadstreet.model.clock import US_PER_S
from broadstreet.outpost.memory import Memory

TOLERATED_US: Final = 2 * US_PER_S
"""A clock that is this near is left alone: the way of an answer, and whole seconds in it, are not a fault."""
AHEAD_US: Final = 60 * US_PER_S
"""How far the last reading may lie ahead of the clock before it is taken for a mistake of then."""
OFFSET: Final = "clock.offset_us"
LAST: Final = "clock.last_us"
logger = logging.getLogger(__name__)


class DeviceClock:
    """own: the device's clock, in microseconds since 1970, right or wrong."""

    def __init__(self, memory: Memory, own: Callable[[], int]) -> None:
        self._memory = memory
        self._own = own
        self.offset_us: int = memory.fact(OFFSET, 0)
        self._last_us: int = memory.fact(LAST, 0)

    def now_us(self) -> int:
        """What time it is, as near as is known."""
        return self._own() + self.offset_us

    def stamp_us(self) -> int:
        """A time for a reading, later than every one before. Keep `facts` with the reading."""
        now_us = self.now_us()
        if now_us <= self._last_us < now_us + AHEAD_US:
            now_us = self._last_us + 1
        self._last_us = now_us
        return now_us

    @property
    def facts(self) -> dict[str, int]:
        """What a restart has to know."""
        return {LAST: self._last_us}

    def hear(self, house_us: int) -> None:
        """The house says what time it is, now."""
        off_us = house_us - self._own()
        if abs(off_us) <= TOLERATED_US:
            off_us = 0
        if abs(off_us - self.offset_us) > TOLERATED_US:
            logger.warning("the clock is off by %.1f s; readings are dated by the house's", off_us / US_PER_S)
            self.offset_us = off_us
            self._memory.set_fact(OFFSET, off_us)
