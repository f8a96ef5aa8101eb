"""How fast one device may send: what comes faster waits in its sockets, and holds up nobody else.

Each message and each byte takes a piece of time, one after another; a device that was quiet has a second's worth to
spare. Whoever is ahead of the time is read no further until it has come.
"""

from __future__ import annotations

from broadstreet.gateway.bounds import SPARE_S
from broadstreet.gateway.limits import Limits


class Pace:
    """Of one device, for all its connections. A rate of 0 is none."""

    __slots__ = ("__weakref__", "_byte_s", "_bytes_until_s", "_message_s", "_messages_until_s")

    def __init__(self, limits: Limits) -> None:
        self._message_s = 1 / limits.messages_per_s if limits.messages_per_s else 0.0
        self._byte_s = 1 / limits.bytes_per_s if limits.bytes_per_s else 0.0
        self._messages_until_s = self._bytes_until_s = float("-inf")

    def messages(self, count: int, now_s: float) -> float:
        """So many came; answers for how many seconds no more are to be read, 0 or less for none."""
        self._messages_until_s = max(self._messages_until_s, now_s - SPARE_S) + count * self._message_s
        return self._messages_until_s - now_s

    def bytes(self, count: int, now_s: float) -> float:
        """The same for bytes."""
        self._bytes_until_s = max(self._bytes_until_s, now_s - SPARE_S) + count * self._byte_s
        return self._bytes_until_s - now_s
