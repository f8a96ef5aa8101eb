"""What changes leave behind that is no value (4.5.6 to 4.5.8 and 4.18 of the standard): when attributes were deleted,
and since when an entity had its scopes.

A deletion is an instance of its attribute, NGSI-LD Null, that has a deletedAt; an observedAt only where it was told of
the past with one. A scope is valid until the next one: an entity that lost its scopes has one more, which is empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.context.decision import Decision, Fate
from broadstreet.context.fragment import NULL
from broadstreet.context.instances import Instances, TemporalQuery, TimeProperty
from broadstreet.context.representation import AttributeRow
from broadstreet.model.clock import MAX_US
from broadstreet.model.entity import Kind
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

MAX_SCOPES_TOLD: Final = 1_000
"""How many changes of an entity's scopes are told, the newest."""
DELETED: Final = -1
"""What stands in an instance's name for which of its moment's observations it is, where it is a deletion."""

_SQL = load_queries("traces")
_NULLS: Final = {
    Kind.LANGUAGE_PROPERTY: f'{{"@none":"{NULL}"}}',
    Kind.LIST_PROPERTY: f'["{NULL}"]',
    Kind.LIST_RELATIONSHIP: f'["{NULL}"]',
}
Validity = Mapping[int, Sequence[tuple[int, int]]]
"""By entity, stretches of time within which what was told of it counts."""


class Scoped(msgspec.Struct, frozen=True):
    """An entity's scopes in [observed_at_us, until_us)."""

    observed_at_us: int
    until_us: int
    recorded_at_us: int
    scopes: list[str]
    holds: bool = True
    """Whether they are asked for."""

    def time(self, which: TimeProperty) -> int:
        """The time of this instance that counts."""
        return self.observed_at_us if which in (TimeProperty.OBSERVED, TimeProperty.DELETED) else self.recorded_at_us

    def is_within(self, query: TemporalQuery) -> bool:
        """Whether a query over time shows it."""
        stretch = query.stretch
        if query.time is TimeProperty.OBSERVED and self.scopes:
            return self.observed_at_us < stretch.to_us and self.until_us > stretch.from_us
        if bool(self.scopes) is (query.time is TimeProperty.DELETED):
            return False
        return stretch.from_us <= self.time(query.time) < stretch.to_us


async def keep_traces(
    connection: Connection,
    decisions: Sequence[Decision],
    entity_keys: Mapping[str, int],
    series_keys: Mapping[tuple[int, tuple[str, str]], int],
    at_us: int,
    origin_key: int,
) -> None:
    """Write them down. entity_keys: by id; series_keys: of attributes that are new, by entity and identity."""
    deletions: list[tuple[int, int, int | None]] = []
    scopes: list[tuple[int, int, str]] = []
    told: list[int] = []
    for decision in decisions:
        key = entity_keys[decision.id]
        deletions += [(one.series_key, at_us, None) for one in decision.deletes]
        known = {} if decision.stored is None else decision.stored.attributes
        for identity, moment_us in decision.told_deletions:
            series = known[identity].series_key if identity in known else series_keys[key, identity]
            deletions.append((series, moment_us, moment_us))
        scopes += [(key, moment_us, text_array(given)) for moment_us, given in decision.told_scopes]
        told += [key] if decision.told_scopes else []
        before = decision.stored.scopes if decision.stored is not None and decision.stored.is_there else []
        after = [] if decision.fate is Fate.DELETED else decision.scopes
        if before != after:
            scopes.append((key, at_us, text_array(after)))
    if deletions:
        await connection.execute(_SQL["keep_deletions"], *map(list, zip(*deletions, strict=True)), origin_key)
    if scopes:
        unique = {(key, moment_us): text for key, moment_us, text in scopes}
        rows = [(key, moment_us, text) for (key, moment_us), text in unique.items()]
        await connection.execute(_SQL["keep_scopes"], *map(list, zip(*rows, strict=True)), at_us)
    if told:
        await connection.execute(_SQL["settle_scopes"], told)


async def add_deletions(
    database: Database, instances: Instances, kinds: Mapping[int, Kind], query: TemporalQuery
) -> None:
    """Put deletions among the instances of their series. kinds: of all series that are asked for."""
    if query.time in (TimeProperty.CREATED, TimeProperty.MODIFIED) or not kinds:
        return
    stretch, limit, is_told = query.stretch, query.wanted + 1, query.time is TimeProperty.OBSERVED
    asked = (list(kinds), stretch.from_us, stretch.to_us, is_told, limit, query.goes_back)
    touched = set()
    for row in await database.fetch(_SQL["deletions"], *asked):
        series = row["series_key"]
        instances.setdefault(series, []).append(
            (DELETED, _deletion(kinds[series], row["deleted_at"], row["observed_at"]))
        )
        touched.add(series)
    for series in touched:
        instances[series].sort(key=lambda one: query.time.of(one[1]))


async def scopes_of(database: Database, keys: Sequence[int]) -> dict[int, list[Scoped]]:
    """Scopes of entities, oldest first."""
    found: dict[int, list[Scoped]] = {}
    for row in await database.fetch(_SQL["scopes"], list(keys), MAX_SCOPES_TOLD):
        found.setdefault(row["entity_key"], []).append(scoped_of(row))
    return found


def scoped_of(row: Any) -> Scoped:
    """A row of `scopes`."""
    until_us = MAX_US if row["until"] is None else row["until"]
    return Scoped(row["observed_at"], until_us, row["recorded_at"], row["scopes"], row["holds"])


async def forget(connection: Connection, series_keys: Sequence[int], entity_key: int | None) -> None:
    """Erase when attributes were deleted, and what scopes an entity had; None: its scopes stay."""
    await connection.execute(_SQL["forget_deletions"], list(series_keys))
    if entity_key is not None:
        await connection.execute(_SQL["forget_scopes"], entity_key)


def text_array(texts: Sequence[str]) -> str:
    """A PostgreSQL array's text; scopes hold nothing that would need more than quotes."""
    return "{" + ",".join(f'"{text}"' for text in texts) + "}"


def _deletion(kind: Kind, deleted_at_us: int, observed_at_us: int | None) -> AttributeRow:
    return AttributeRow(
        name="",
        dataset_id="",
        kind=kind,
        number=None,
        value=_NULLS.get(kind, f'"{NULL}"'),
        meta={},
        observed_at_us=observed_at_us,
        created_at_us=deleted_at_us,
        modified_at_us=deleted_at_us,
        deleted_at_us=deleted_at_us,
    )
