"""Batch operations (5.6.7 to 5.6.10 and 5.6.20 of the standard): each entity for itself, all that succeed in one
transaction.

An entity that comes twice in one batch is written twice, in the order it came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

import msgspec

from broadstreet.context import decision
from broadstreet.context.decision import Decision, Fate
from broadstreet.context.fragment import EntityFragment
from broadstreet.context.stored import StoredEntity
from broadstreet.model.errors import BroadstreetError, NotFound

Operation = Callable[[StoredEntity | None, EntityFragment], Decision]


class BatchOperation(Enum):
    """What a batch asks of each of its entities."""

    CREATE = "create"
    UPSERT_REPLACE = "upsert, replacing"
    UPSERT_UPDATE = "upsert, updating"
    UPDATE = "update"
    UPDATE_NO_OVERWRITE = "update, without overwriting"
    MERGE = "merge"
    DELETE = "delete"


class BatchError(msgspec.Struct, frozen=True):
    """Why one entity of a batch failed."""

    entity_id: str
    error: BroadstreetError


class BatchOutcome(msgspec.Struct):
    """What became of a batch: ids of the entities created, of those changed otherwise, and what failed."""

    created: list[str] = []
    changed: list[str] = []
    errors: list[BatchError] = []

    @property
    def succeeded(self) -> list[str]:
        """All that did not fail."""
        return self.created + self.changed


def rounds(fragments: Sequence[EntityFragment]) -> list[list[EntityFragment]]:
    """The fragments in rounds, in each of which an entity comes once."""
    seen: dict[str | None, int] = {}
    result: list[list[EntityFragment]] = []
    for fragment in fragments:
        place = seen.get(fragment.id, 0)
        seen[fragment.id] = place + 1
        if place == len(result):
            result.append([])
        result[place].append(fragment)
    return result


def decide_batch(
    operation: BatchOperation, fragments: Sequence[EntityFragment], stored: Mapping[str, StoredEntity]
) -> tuple[list[Decision], BatchOutcome]:
    """The decisions of those entities that can be carried out, and the outcome once they are."""
    decisions: list[Decision] = []
    outcome = BatchOutcome()
    for fragment in fragments:
        assert fragment.id is not None
        try:
            decided = _OPERATIONS[operation](stored.get(fragment.id), fragment)
        except BroadstreetError as error:
            outcome.errors.append(BatchError(fragment.id, error))
            continue
        decisions.append(decided)
        (outcome.created if decided.fate is Fate.CREATED else outcome.changed).append(fragment.id)
        if decided.untouched:
            names = ", ".join(one.name for one in decided.untouched)
            reason = decided.untouched[0].reason
            outcome.errors.append(BatchError(fragment.id, NotFound(f"left as they were: {names} ({reason})")))
    return decisions, outcome


def _upsert_replacing(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    is_there = stored is not None and stored.is_there
    return decision.replace(stored, fragment) if is_there else decision.create(stored, fragment)


def _upsert_updating(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    is_there = stored is not None and stored.is_there
    return decision.append(stored, fragment) if is_there else decision.create(stored, fragment)


def _update_no_overwrite(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    return decision.append(stored, fragment, may_overwrite=False)


def _delete(stored: StoredEntity | None, fragment: EntityFragment) -> Decision:
    return decision.delete(stored, fragment.id or "")


_OPERATIONS: dict[BatchOperation, Operation] = {
    BatchOperation.CREATE: decision.create,
    BatchOperation.UPSERT_REPLACE: _upsert_replacing,
    BatchOperation.UPSERT_UPDATE: _upsert_updating,
    BatchOperation.UPDATE: decision.append,
    BatchOperation.UPDATE_NO_OVERWRITE: _update_no_overwrite,
    BatchOperation.MERGE: decision.merge,
    BatchOperation.DELETE: _delete,
}
