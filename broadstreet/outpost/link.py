"""What every way to the house has in common: how a conversation ends, and how long it is waited then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NoReturn, Protocol

import msgspec

from broadstreet.model.clock import parse_rfc3339
from broadstreet.outpost.clock import DeviceClock
from broadstreet.outpost.memory import Known, Memory

FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 120.0
REFUSED_PAUSE_S, LONGEST_REFUSED_S = 30.0, 600.0
"""After a refusal of the credential: somebody has to mend it first."""


class Retry(Exception):
    """The house cannot be spoken to now. after_s: how long it asks to be left alone; None: it does not say."""

    def __init__(self, words: str, after_s: float | None = None) -> None:
        super().__init__(words)
        self.after_s = after_s


class Refused(Exception):
    """The house does not let this device in."""


class Link(Protocol):
    """One way to the house."""

    async def speak(self, memory: Memory, clock: DeviceClock, met: Callable[[], None]) -> NoReturn:
        """
        Send what waits and take commands, until the conversation ends; cancelled, it says goodbye.

        met: called each time the house has answered well. Raises Retry, Refused.
        """


class Pauses:
    """How long to wait before the next try: twice as long each time, and never all devices at the same moment.

    chance: gives numbers from 0 to 1.
    """

    def __init__(self, first_s: float, longest_s: float, chance: Callable[[], float]) -> None:
        self._first_s = self._next_s = first_s
        self._longest_s = longest_s
        self._chance = chance

    def begin_anew(self) -> None:
        """It went well: the next pause is a short one."""
        self._next_s = self._first_s

    def next_s(self, at_least_s: float | None = None) -> float:
        """The next pause, from half as long to half as long again; never shorter than what was asked for."""
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, self._longest_s)
        return (at_least_s or 0.0) + pause_s * (0.5 + self._chance())


class _Offer(msgspec.Struct):
    """A command as the house offers it."""

    id: str
    name: str
    expires_at: str
    body: Any = None


_offers: Final = msgspec.json.Decoder(_Offer)


def read_offer(payload: bytes) -> Known:
    """A command from what the house sent. Raises msgspec.DecodeError, InvalidInput."""
    offer = _offers.decode(payload)
    return Known(offer.id, offer.name, offer.body, parse_rfc3339(offer.expires_at))
