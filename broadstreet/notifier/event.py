"""What happened to one entity at one moment: the changes of one request, or of one message of a device, together."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

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


@dataclass(eq=False, slots=True)
class Event:
    """An entity's changes. operation: whether it came or went itself."""

    entity_key: int
    at_us: int
    operation: str = ""
    changes: list[Change] = field(default_factory=list)


def events_of(batch: ChangeBatch, entity_of: Callable[[int], int | None], wanted: Container[int]) -> list[Event]:
    """A record's events about entities that somebody wants to hear of, in their order.

    entity_of: an attribute's entity by its series; None where nobody wants to hear of it. wanted: entities themselves.
    """
    operations = {event.key: event.operation for event in batch.entities if event.key in wanted}
    events: dict[tuple[int, int, int], Event] = {}
    has_messages = bool(batch.pack)
    # Of most changes nobody wants to hear, and there may be a hundred thousand a second.
    for at, entity_key in [(at, key) for at, key in enumerate(map(entity_of, batch.series)) if key is not None]:
        if not batch.flags[at] & _CURRENT:
            continue
        place = (entity_key, batch.pack[at], batch.entry[at]) if has_messages else (entity_key, 0, 0)
        event = events.get(place)
        if event is None:
            event = events[place] = Event(entity_key, batch.at_us, operations.pop(entity_key, ""))
        said = (batch.series, batch.version, batch.as_of_us, batch.value, batch.old, batch.flags)
        event.changes.append(Change(*(column[at] for column in said)))
    bare = [Event(key, batch.at_us, operation) for key, operation in operations.items()]
    # A device's messages in the order of its own clock, by which its readings become current.
    ordered = (
        sorted(events.items(), key=lambda item: (item[1].changes[0].as_of_us, item[0][1:])) if has_messages else ()
    )
    return [*([event for _, event in ordered] or events.values()), *bare]
