"""What happened to one entity at one moment: the changes of one request, or of one message of a device, together."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from broadstreet.model.change import ChangeBatch, Flag

_CURRENT: Final = int(Flag.CURRENT)
_CREATED: Final = int(Flag.CREATED)
_DELETED: Final = int(Flag.DELETED)
CAME, WENT, RETYPED = "created", "deleted", "types"
"""What may happen to an entity itself, as a record of changes has it."""


class Change(NamedTuple):
    """What became of one attribute instance."""

    series_key: int
    version: int
    as_of_us: int
    value: Any
    old: Any
    flags: int

    @property
    def is_created(self) -> bool:
        """Whether there was none before."""
        return bool(self.flags & _CREATED)

    @property
    def is_deleted(self) -> bool:
        """Whether there is none any more."""
        return bool(self.flags & _DELETED)


Place = tuple[int, int, int]
"""An entity, with the pack and the message that its changes came in; 0 where they came in none."""


@dataclass(eq=False, slots=True)
class Event:
    """An entity's changes. operation: whether it came or went itself."""

    entity_key: int
    at_us: int
    operation: str = ""
    changes: list[Change] = field(default_factory=list)


class Interest(Protocol):
    """Knows what somebody wants to hear of."""

    @property
    def entity_of(self) -> Callable[[int], int | None]:
        """Answers whose a series is; None where nobody wants to hear of it."""

    def may_mean(self, series_key: int, value: Any) -> bool:
        """Whether an update of a series to a value may mean something to somebody."""

    def __contains__(self, entity_key: object, /) -> bool:
        """Whether somebody wants to hear of an entity."""


def events_of(batch: ChangeBatch, interest: Interest) -> list[Event]:
    """A record's events that may mean something to somebody, in their order."""
    operations = {event.key: event.operation for event in batch.entities if event.key in interest}
    has_messages = bool(batch.pack)
    events: dict[Place, Event] = {}
    for at, place in _relevant(batch, interest, operations):
        event = events.get(place)
        if event is None:
            event = events[place] = Event(place[0], batch.at_us, operations.pop(place[0], ""))
        said = (batch.series, batch.version, batch.as_of_us, batch.value, batch.old, batch.flags)
        event.changes.append(Change(*(column[at] for column in said)))
    bare = [Event(key, batch.at_us, operation) for key, operation in operations.items()]
    if not has_messages:
        return [*events.values(), *bare]
    # A device's messages in the order of its own clock, by which its readings become current.
    ordered = sorted(events.items(), key=lambda item: (item[1].changes[0].as_of_us, item[0][1:]))
    return [*(event for _, event in ordered), *bare]


def _relevant(batch: ChangeBatch, interest: Interest, operations: Container[int]) -> list[tuple[int, Place]]:
    """Where in its columns a record has changes of events that matter, with the place of each.

    Of most changes nobody wants to hear, and there may be a hundred thousand a second.
    """
    watched = [
        (at, key)
        for at, key in enumerate(map(interest.entity_of, batch.series))
        if key is not None and batch.flags[at] & _CURRENT
    ]
    if not watched:
        return []
    has_messages = bool(batch.pack)
    placed = [(at, (key, batch.pack[at], batch.entry[at]) if has_messages else (key, 0, 0)) for at, key in watched]
    matters = {
        place
        for at, place in placed
        if batch.flags[at] != _CURRENT or place[0] in operations or interest.may_mean(batch.series[at], batch.value[at])
    }
    return [(at, place) for at, place in placed if place in matters] if matters else []
