"""Who changed an entity: people, programs, imports and devices, newest first."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from broadstreet.model.clock import format_rfc3339
from broadstreet.model.terms import compact
from broadstreet.portal.snapshot import time_of
from broadstreet.portal.town import Town
from broadstreet.portal.words import attribute_label
from broadstreet.store import Store, load_queries

MAX_CHANGES: Final = 500
_SQL = load_queries("portal")


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an entity. attribute: what it is called, null where the whole entity is meant."""

    at: str
    kind: str
    principal: str
    attribute: str | None
    value: Any
    observed_at: str | None
    note: str | None


async def changes_view(store: Store, town: Town, entity_id: str, limit: int) -> list[ChangeView]:
    """Who changed an entity, newest first; what its device sends is told by the newest reading of each attribute."""
    rows = await town.database.fetch(_SQL["changes"], entity_id, min(limit, MAX_CHANGES))
    iris = await store.terms(town.database).iris({row["term_key"] for row in rows})
    return [
        ChangeView(
            at=format_rfc3339(row["at"]),
            kind=row["kind"],
            principal=row["principal"],
            attribute=attribute_label(compact(iris[row["term_key"]])),
            value=None if row["is_deletion"] else row["value"] if row["number"] is None else row["number"],
            observed_at=time_of(row["observed_at"]),
            note="deleted" if row["is_deletion"] else row["note"],
        )
        for row in rows
    ]
