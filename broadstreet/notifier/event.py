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
    """An entity's changes. operation: whether it came or went itself. may_mean: whether anybody may be told of it, or
    it happened to an entity of which others are told. place: among all events at hand."""

    entity_key: int
    at_us: int
    operation: str = ""
    may_mean: bool = True
    changes: list[Change] = field(default_factory=list)
    place: int = 0


class Interest(Protocol):
    """Knows what somebody wants to hear of."""

    @property
    def entity_of(self) -> Callable[[int], int | None]:
        """Answers whose a series is; None where nobody wants to hear of it."""

    @property
    def place_of(self) -> Callable[[int], tuple[int, str] | None]:
        """Answers whose a series is, and which attribute, whoever wants to hear of it."""

    def may_mean(self, series_key: int, value: Any) -> bool:
        """Whether an update of a series to a value may mean something to somebody."""

    def __contains__(self, entity_key: object, /) -> bool:
        """Whether somebody wants to hear of an entity."""


class Relevant(NamedTuple):
    """What of a record may mean something to somebody: events by their places, entities that came or went."""

    places: set[Place]
    operations: dict[int, str]

    @property
    def entities(self) -> set[int]:
        """Whose it is."""
        return {place[0] for place in self.places} | self.operations.keys()


def relevant(batch: ChangeBatch, interest: Interest) -> Relevant:
    """What of a record may mean something to somebody.

    Of most changes nobody wants to hear, and there may be a hundred thousand a second.
    """
    operations = {event.key: event.operation for event in batch.entities if event.key in interest}
    watched = [
        (at, key)
        for at, key in enumerate(map(interest.entity_of, batch.series))
        if key is not None and batch.flags[at] & _CURRENT
    ]
    if not watched:
        return Relevant(set(), operations)
    placed = [(at, _place(batch, at, key)) for at, key in watched]
    places = {
        place
        for at, place in placed
        if batch.flags[at] != _CURRENT or place[0] in operations or interest.may_mean(batch.series[at], batch.value[at])
    }
    return Relevant(places, operations)


def events_of(batch: ChangeBatch, found: Relevant, interest: Interest, entities: Container[int]) -> list[Event]:
    """A record's events about entities, in their order: also those that mean nothing to anybody, and changes that
    nobody watches, so that whoever is told of another event sees the entity as it was then.

    found: what of the record may mean something.
    """
    operations = dict(found.operations)
    events: dict[Place, Event] = {}
    for at, place_of in enumerate(map(interest.place_of, batch.series)):
        if place_of is None or place_of[0] not in entities or not batch.flags[at] & _CURRENT:
            continue
        place = _place(batch, at, place_of[0])
        event = events.get(place)
        if event is None:
            operation = operations.pop(place[0], "")
            event = events[place] = Event(place[0], batch.at_us, operation, place in found.places or bool(operation))
        said = (batch.series, batch.version, batch.as_of_us, batch.value, batch.old, batch.flags)
        event.changes.append(Change(*(column[at] for column in said)))
    bare = [Event(key, batch.at_us, operation) for key, operation in operations.items()]
    if not batch.pack:
        return [*events.values(), *bare]
    # A device's messages in the order of its own clock, by which its readings become current.
    ordered = sorted(events.items(), key=lambda item: (item[1].changes[0].as_of_us, item[0][1:]))
    return [*(event for _, event in ordered), *bare]


def _place(batch: ChangeBatch, at: int, entity_key: int) -> Place:
    return (entity_key, batch.pack[at], batch.entry[at]) if batch.pack else (entity_key, 0, 0)
