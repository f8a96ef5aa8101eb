"""What kind of simulated city is wanted, and how its making is told: words that cost nothing to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, NamedTuple

DEVICES: Final = 520
HISTORY_DAYS: Final = 30

Say = Callable[[str], None]
"""Takes what has come of a step so far; the last word counts."""
Step = Callable[[str], AbstractContextManager[Say]]
"""Opens a step of some work by its name; the step is done when the block is left."""


class Wish(NamedTuple):
    """What kind of city is wanted. title, time_zone: None: as the settings or the map have it."""

    title: str | None = None
    time_zone: str | None = None
    devices: int = DEVICES
    history_days: int = HISTORY_DAYS
    seed: int = 1


@contextmanager
def untold(title: str) -> Iterator[Say]:
    """A step that nobody is told of."""
    yield lambda words: None
