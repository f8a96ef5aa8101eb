"""The crowd: how many are connected, by address and by device, how often an address was refused, and what is too much.

Whatever goes over a limit is counted by the limit's name, for the metrics, and logged in words, a line a minute for
each limit. An address that is often refused at sign-in waits longer for each answer; whoever else comes from there,
and is let in, waits for nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from broadstreet.gateway.bounds import (
    FAILURES_WITHIN_S,
    LONGEST_PAUSE_S,
    MAX_HANDSHAKES_PER_ADDRESS,
    MAX_PLACES,
    SAY_EVERY_S,
)
from broadstreet.gateway.counters import Counters
from broadstreet.gateway.limits import Limits
from broadstreet.gateway.pace import Pace
from broadstreet.gateway.peer import Peer

FIRST_PAUSE_S: Final = 0.25
T = TypeVar("T")
logger = logging.getLogger(__name__)


class Crowd:
    """Of one gateway, over all its ports. clock_s: seconds that only rise, such as the event loop's."""

    def __init__(self, limits: Limits, counters: Counters, clock_s: Callable[[], float]) -> None:
        self.limits = limits
        self._counters = counters
        self._clock_s = clock_s
        self._connections = 0
        self._places: Counter[str] = Counter()
        self._shaking: Counter[str] = Counter()
        self._peers: Counter[tuple[str, str, str]] = Counter()
        self._paces: WeakValueDictionary[tuple[str, str, str], Pace] = WeakValueDictionary()
        self._failures: dict[str, tuple[float, int]] = {}
        self._said: dict[str, tuple[float, int]] = {}

    # Connections, by address.

    def fault_of(self, place: str) -> str | None:
        """Why nobody else may come from a place, in words; None where somebody may. A fault is counted and logged."""
        if self._connections >= self.limits.connections:
            return self.over("connections", f"there are {self._connections:,} connections; {place} is refused")
        if self._places[place] >= self.limits.connections_per_address:
            return self.over("connections_per_address", f"{place} has {self._places[place]:,} connections")
        return None

    def came(self, place: str) -> None:
        """A connection from a place is open."""
        self._connections += 1
        self._places[place] += 1

    def went(self, place: str) -> None:
        """It is gone."""
        self._connections -= 1
        _take(self._places, place)

    def may_shake(self, place: str) -> bool:
        """Whether a place may begin one more handshake; it has begun one then."""
        if self.fault_of(place) is not None:
            return False
        if self._shaking[place] >= MAX_HANDSHAKES_PER_ADDRESS:
            self.over("handshakes", f"{place} has {self._shaking[place]} TLS handshakes under way")
            return False
        self._shaking[place] += 1
        return True

    def shook(self, place: str) -> None:
        """A handshake is over, however."""
        _take(self._shaking, place)

    # Connections, by device or account.

    def has_room_for(self, peer: Peer) -> bool:
        """Whether a peer may have one more connection."""
        return self._peers[_whose(peer)] < self.limits.connections_per_device

    def joined(self, peer: Peer) -> None:
        """A peer has signed in on one."""
        self._peers[_whose(peer)] += 1

    def left(self, peer: Peer) -> None:
        """It has one less."""
        _take(self._peers, _whose(peer))

    def pace(self, peer: Peer) -> Pace | None:
        """How fast a peer may send; None for a guest of a test suite."""
        if peer.kind == "guest":
            return None
        whose = _whose(peer)
        found = self._paces.get(whose)
        if found is None:
            found = self._paces[whose] = Pace(self.limits)
        return found

    # What is too much.

    def failed(self, place: str) -> float:
        """A sign-in from a place was refused; answers for how many seconds it is to wait for the answer."""
        now_s = self._clock_s()
        began_s, count = self._failures.pop(place, (now_s, 0))
        if now_s > began_s + FAILURES_WITHIN_S:
            began_s, count = now_s, 0
        if len(self._failures) >= MAX_PLACES:
            del self._failures[next(iter(self._failures))]  # whoever failed longest ago
        count += 1
        self._failures[place] = began_s, count
        if count <= self.limits.sign_in_failures:
            return 0.0
        self.over("sign_in_failures", f"{place} was refused {count} times")
        return min(FIRST_PAUSE_S * 2.0 ** min(count - self.limits.sign_in_failures - 1, 16), LONGEST_PAUSE_S)

    def over(self, limit: str, words: str) -> str:
        """Something goes over a limit: count it, and say so now and then. Answers the words."""
        limited = self._counters.limited
        limited[limit] = limited.get(limit, 0) + 1
        now_s = self._clock_s()
        said_s, unsaid = self._said.get(limit, (float("-inf"), 0))
        if now_s < said_s + SAY_EVERY_S:
            self._said[limit] = said_s, unsaid + 1
        else:
            before = f" (and {unsaid:,} times before)" if unsaid else ""
            logger.warning("over the limit %s: %s%s", limit, words, before)
            self._said[limit] = now_s, 0
        return words


def _whose(peer: Peer) -> tuple[str, str, str]:
    return peer.tenant, peer.kind, peer.name


def _take(counted: Counter[T], one: T) -> None:
    """One less; nothing is kept of whoever has none."""
    counted[one] -= 1
    if not counted[one]:
        del counted[one]
