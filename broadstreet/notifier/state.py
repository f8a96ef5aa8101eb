"""Entities as they were at each of their events.

They are read once for everything that is at hand, as they stand by then, and played back: what an attribute was before
its first change at hand is known from that change, and each event takes the entity on to what it left. So two quick
changes are told as two, each with its own value, though the database has long forgotten the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.context import EntityRow
from broadstreet.context.meta import Metas
from broadstreet.context.representation import AttributeRow
from broadstreet.model.entity import Kind
from broadstreet.notifier.event import CAME, WENT, Change, Event
from broadstreet.store import Database, Terms, load_queries

if TYPE_CHECKING:
    import asyncpg

_SQL = load_queries("notifier")
_KINDS: Final = {int(kind): kind for kind in Kind}
_EXACT: Final = 2**53
_encode: Final = msgspec.json.Encoder().encode


@dataclass(eq=False, slots=True)
class _Held:
    """An attribute instance, or its tombstone, as the database has it."""

    row: AttributeRow
    version: int
    deleted_at_us: int | None


@dataclass(eq=False, slots=True)
class Moment:
    """An entity right after an event, with what was taken from it."""

    event: Event
    entity: EntityRow
    changed: dict[int, AttributeRow]
    """What was created or updated, by its series."""
    gone: dict[int, AttributeRow]
    """What was deleted, as it was, by its series."""

    def previous(self) -> list[AttributeRow]:
        """What was updated or deleted, as it was before."""
        changes = {change.series_key: change for change in self.event.changes if not change.is_created}
        updated = [_with_value(row, changes[key].old) for key, row in self.changed.items() if key in changes]
        return [*updated, *self.gone.values()]

    def before(self) -> EntityRow:
        """The entity with what was deleted still there: what a question about a deletion is asked of."""
        if not self.gone:
            return self.entity
        return self.entity.with_attributes([*self.entity.attributes, *self.gone.values()])


@dataclass(eq=False)
class State:
    """One entity on its way through its events, which are to be given in their order."""

    entity: EntityRow
    deleted_at_us: int | None
    held: dict[int, _Held]
    rows: dict[int, AttributeRow] = field(default_factory=dict)

    def rewind(self, events: Sequence[Event]) -> None:
        """Go back to before the first event."""
        first: dict[int, Change] = {}
        for event in events:
            for change in event.changes:
                first.setdefault(change.series_key, change)
        last_us = max(event.at_us for event in events)
        for key, held in self.held.items():
            if key in first:
                if not first[key].is_created:
                    self.rows[key] = _with_value(held.row, first[key].old)
            elif held.row.created_at_us <= last_us and (held.deleted_at_us is None or held.deleted_at_us > last_us):
                self.rows[key] = held.row  # what was deleted after all this was there all along
        self.entity.modified_at_us = min(self.entity.modified_at_us, events[0].at_us)

    def play(self, event: Event) -> Moment:
        """The entity right after an event."""
        changed, gone = {}, {}
        for change in event.changes:
            held = self.held.get(change.series_key)
            if held is None:
                continue  # erased since
            if change.is_deleted:
                self.rows.pop(change.series_key, None)
                gone[change.series_key] = _with_value(held.row, change.old)
                continue
            row = held.row if held.version == change.version else _earlier(held.row, change, event.at_us)
            self.rows[change.series_key] = changed[change.series_key] = row
        self.entity.modified_at_us = max(self.entity.modified_at_us, event.at_us)
        if event.operation == CAME:
            self.entity.created_at_us = event.at_us
        entity = self.entity.with_attributes(list(self.rows.values()))
        if event.operation == WENT:
            entity.attributes = []
        return Moment(event, entity, changed, gone)


class States:
    """Reads entities of one tenant."""

    def __init__(self, database: Database, terms: Terms) -> None:
        self._database = database
        self._terms = terms
        self._metas = Metas()

    async def read(self, keys: Iterable[int]) -> dict[int, State]:
        """Entities, deleted ones as well, by their keys."""
        wanted = sorted(keys)
        if not wanted:
            return {}
        rows = await self._database.fetch(_SQL["states"], wanted)
        await self._metas.learn(self._database, {row["meta_key"] for row in rows})
        terms = {row["term_key"] for row in rows if row["term_key"] is not None}
        iris = await self._terms.iris(terms.union(*(row["types"] for row in rows)))
        states: dict[int, State] = {}
        for row in rows:
            state = states.get(row["key"])
            if state is None:
                types = [iris[key] for key in row["types"]]
                entity = EntityRow(row["id"], types, row["scopes"], row["created_at"], row["modified_at"], [])
                entity.expires_at_us = row["expires_at"]
                state = states[row["key"]] = State(entity, row["deleted_at"], {})
            if row["series_key"] is not None:
                held = _Held(self._attribute(row, iris), row["version"], row["attribute_deleted_at"])
                state.held[row["series_key"]] = held
        return states

    def _attribute(self, row: asyncpg.Record, iris: dict[int, str]) -> AttributeRow:
        return AttributeRow(
            iris[row["term_key"]],
            row["dataset_id"],
            _KINDS[row["kind"]],
            row["number"],
            row["value"],
            self._metas.body(row["meta_key"]) or {},
            row["observed_at"],
            row["attribute_created_at"],
            row["attribute_modified_at"],
        )


def _with_value(row: AttributeRow, value: Any) -> AttributeRow:
    """The same instance with another value."""
    if type(value) is float or (type(value) is int and abs(value) <= _EXACT):
        return msgspec.structs.replace(row, number=float(value), value=None)
    return msgspec.structs.replace(row, number=None, value=None if value is None else _encode(value).decode())


def _earlier(row: AttributeRow, change: Change, at_us: int) -> AttributeRow:
    """What an instance was after a change that another has followed: its value and times were its own, and what goes
    with them is taken to be what it is now."""
    earlier = _with_value(row, change.value)
    earlier.modified_at_us = at_us
    if row.observed_at_us is not None:
        earlier.observed_at_us = change.as_of_us
    return earlier
