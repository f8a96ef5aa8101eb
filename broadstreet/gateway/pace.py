"""How fast one device may send: what comes faster waits in its sockets, and holds up nobody else.

Each message and each byte takes a piece of time, one after another; a device that was quiet has a second's worth to
spare. Whoever is ahead of the time is read no further until it has come. What comes is counted as it comes, and looked
at by the hundredth of a second's worth, so that it costs nothing to speak of.
"""

from __future__ import annotations

import sys

from broadstreet.gateway.bounds import SPARE_S
from broadstreet.gateway.limits import Limits

LOOKS_PER_S = 100


class Pace:
    """Of one device, for all its connections: whoever counts up looks where it is `…_at_once`. A rate of 0 is none."""

    __slots__ = (
        "__weakref__",
        "_byte_s",
        "_bytes_until_s",
        "_message_s",
        "_messages_until_s",
        "bytes",
        "bytes_at_once",
        "messages",
        "messages_at_once",
    )

    def __init__(self, limits: Limits) -> None:
        self.messages = self.bytes = 0
        """That came and were not looked at."""
        self.messages_at_once, self._message_s = _steps(limits.messages_per_s)
        self.bytes_at_once, self._byte_s = _steps(limits.bytes_per_s)
        self._messages_until_s = self._bytes_until_s = float("-inf")

    def look_at_messages(self, now_s: float) -> float:
        """For how many seconds no more messages are to be read; 0 or less for none."""
        count, self.messages = self.messages, 0
        self._messages_until_s = max(self._messages_until_s, now_s - SPARE_S) + count * self._message_s
        return self._messages_until_s - now_s

    def look_at_bytes(self, now_s: float) -> float:
        """The same for bytes."""
        count, self.bytes = self.bytes, 0
        self._bytes_until_s = max(self._bytes_until_s, now_s - SPARE_S) + count * self._byte_s
        return self._bytes_until_s - now_s


def _steps(per_s: float) -> tuple[int, float]:
    """How many are looked at together, and the time that each takes."""
    return (max(1, int(per_s / LOOKS_PER_S)), 1 / per_s) if per_s else (sys.maxsize, 0.0)
