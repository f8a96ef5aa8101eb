"""Entities as they were last written out, remembered for as long as they stay as they are.

What tells one state of an entity from every other is its stamp, which the database makes of the versions of its
attributes, its types and its scopes. To ask for stamps costs a third of asking for entities; where hardly any is known,
it is the dearer way, and so the shelf says which one has paid of late.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import Final

MAX_BYTES: Final = 64 * 1024**2
"""Of texts that a process remembers: those of some 25,000 entities of twelve attributes."""
WORTH: Final = 0.5
"""The share of known entities from which on stamps are asked for first."""
_ROUND: Final = 256
"""Entities by which the share moves half way."""

Key = tuple[int, int]
"""A rendering's number, an entity's key."""


class Shelf:
    """Texts of all tenants, @contexts and forms of one process; what was asked for longest ago goes first."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._texts: OrderedDict[Key, tuple[int, str]] = OrderedDict()
        self._known_share = 0.0

    @property
    def is_worth_asking(self) -> bool:
        """Whether most of what was asked for of late was known."""
        return self._known_share >= WORTH

    def get(self, key: Key, stamp: int) -> str | None:
        """The entity as it is in the state of this stamp, if it is known."""
        kept = self._texts.get(key)
        if kept is None or kept[0] != stamp:
            return None
        self._texts.move_to_end(key)
        return kept[1]

    def put(self, key: Key, stamp: int, text: str) -> None:
        """Keep a text, and forget what has no room beside it."""
        before = self._texts.pop(key, None)
        if before is not None:
            self._bytes -= sys.getsizeof(before[1])
        self._texts[key] = stamp, text
        self._bytes += sys.getsizeof(text)
        while self._bytes > self._max_bytes:
            _, (_, gone) = self._texts.popitem(last=False)
            self._bytes -= sys.getsizeof(gone)

    def learn(self, known: int, asked: int) -> None:
        """Of an answer: how many entities were known."""
        if asked:
            weight = asked / (asked + _ROUND)
            self._known_share += (known / asked - self._known_share) * weight
