"""Who changed an entity: people, programs, imports and devices, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from broadstreet.access import Access
from broadstreet.history import is_filed, read, written_by
from broadstreet.model.clock import MAX_US, MIN_US, format_rfc3339
from broadstreet.model.terms import compact
from broadstreet.portal.snapshot import time_of
from broadstreet.portal.town import Town
from broadstreet.portal.values import in_words
from broadstreet.portal.words import attribute_label
from broadstreet.store import Database, Store, json_array, load_queries

MAX_CHANGES: Final = 500
TOLD_ONE_BY_ONE: Final = ("api", "registry")
"""The kinds of origin whose every observation is told."""
_SQL = load_queries("portal")


class ChangeView(msgspec.Struct, frozen=True, kw_only=True):
    """One change of an attribute.

    who:       whom people would name: a person or program by its title, the device, the import.
    token:     the title of the API token it was written with; null for any other way.
    principal: the account or gateway that wrote it down.
    text, old: the value, and the one that stood there before, in words; null where there was none.
    """

    at: str
    kind: str
    who: str
    token: str | None
    principal: str
    attribute: str
    value: Any
    text: str | None
    old: str | None
    observed_at: str | None
    note: str | None


async def changes_view(store: Store, access: Access, town: Town, entity_id: str, limit: int) -> list[ChangeView]:
    """Who changed an entity, newest first; what its device sends is told by the newest reading of each attribute."""
    rows = await _changes(town.database, entity_id, min(limit, MAX_CHANGES))
    iris = await store.terms(town.database).iris({row["term_key"] for row in rows})
    titles = await access.accounts.titles(row["principal"] for row in rows)
    sensor = (await town.roster()).sensors.get(entity_id)
    device = sensor.title if sensor is not None and sensor.device is not None else None
    return [_change(row, compact(iris[row["term_key"]]), titles, device) for row in rows]


async def _changes(database: Database, entity_id: str, limit: int) -> list[Mapping[str, Any]]:
    """The changes as the database tells them, newest first, with the value that stood there before."""
    keys = [row["key"] for row in await database.fetch(_SQL["series_of"], entity_id)]
    told = await written_by(database, keys, TOLD_ONE_BY_ONE)
    numbers = [one.value if isinstance(one.value, float) else None for one in told]
    rows = await database.fetch(
        _SQL["changes"],
        entity_id,
        limit,
        [one.series_key for one in told],
        [one.observed_at_us for one in told],
        numbers,
        json_array(None if isinstance(one.value, float) else one.value for one in told),
        [one.meta_key for one in told],
        [one.origin_key for one in told],
    )
    if not await is_filed(database, MIN_US, MAX_US):
        return [dict(row) for row in rows]
    return [await _with_old(database, dict(row)) for row in rows]


async def _with_old(database: Database, row: dict[str, Any]) -> dict[str, Any]:
    """A change with what stood there before, where that has moved out of the table."""
    is_known = row["is_deletion"] or row["observed_at"] is None or row["has_old"]
    before = (
        [] if is_known else await read(database, [row["key"]], MIN_US, row["observed_at"], limit=1, newest_first=True)
    )
    for one in before:
        is_number = isinstance(one.value, float)
        unit = await database.fetchval(_SQL["unit"], one.meta_key)
        row |= {"old_number": one.value if is_number else None, "old_value": None if is_number else one.value}
        row["old_unit"] = unit
    return row


def _change(row: Mapping[str, Any], name: str, titles: Mapping[str, str], device: str | None) -> ChangeView:
    value = row["value"] if row["number"] is None else row["number"]
    old = row["old_value"] if row["old_number"] is None else row["old_number"]
    is_deletion, by = row["is_deletion"], titles.get(row["principal"], row["principal"])
    told = in_words(value, row["unit"])
    return ChangeView(
        at=format_rfc3339(row["at"]),
        kind=row["kind"],
        who=_who(row, by, device),
        token=row["note"] if row["kind"] == "api" else None,
        principal=row["principal"],
        attribute=attribute_label(name),
        value=None if is_deletion else value,
        text=None if is_deletion else told,
        old=told if is_deletion else None if old is None else in_words(old, row["old_unit"]),
        observed_at=time_of(row["observed_at"]),
        note=_note(row, by),
    )


def _who(row: Mapping[str, Any], by: str, device: str | None) -> str:
    match row["kind"]:
        case "pack":
            return device or "Its device"
        case "import":
            return _sentence(row["note"] or "an import")
        case "simulated":
            return "City simulator"
    return by


def _note(row: Mapping[str, Any], by: str) -> str | None:
    """What else there is to say: by whom an import was made, in which registration, that it was a deletion."""
    told = {"api": None, "import": f"by {by}", "pack": f"through {row['principal']}"}.get(row["kind"], row["note"])
    return "deleted" if row["is_deletion"] else told


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
