"""Entities over time (4.5.7 to 4.5.9, 5.7.3 and 5.7.4 of the standard): instances of their attributes within a stretch
of time, or what those amount to per period.

Every attribute instance is filed under its observedAt, or under the moment it was written where none was given, which
is then shown as its observedAt. The past of what was deleted stays. A query selects entities as they are now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.context.bounds import DEFAULT_LAST_N
from broadstreet.context.instance import InstanceName, instance_id, mark_of, no_such_instance
from broadstreet.context.meta import Metas
from broadstreet.context.representation import AttributeRow, EntityRow, Projection
from broadstreet.context.stored import StoredAttribute
from broadstreet.history import Aggregate, Method, Observation, Period, Span, aggregate, firsts, is_filed, read
from broadstreet.model.clock import MAX_US, MIN_US
from broadstreet.model.entity import Kind
from broadstreet.model.errors import NotFound
from broadstreet.store import Database, Terms, load_queries

if TYPE_CHECKING:
    import asyncpg

_SQL = load_queries("evolution")
_encode: Final = msgspec.json.Encoder().encode


class TimeProperty(StrEnum):
    """Which time of an instance counts."""

    OBSERVED = "observedAt"
    CREATED = "createdAt"
    MODIFIED = "modifiedAt"


@dataclass(frozen=True)
class TemporalQuery:
    """A stretch of time, [from_us, to_us), and how much of it. None: without that end."""

    from_us: int | None = None
    to_us: int | None = None
    property: TimeProperty = TimeProperty.OBSERVED
    last_n: int | None = None
    """How many of the newest instances of each attribute; None: the oldest, as many as are shown at once."""
    with_times: bool = False
    """Whether each instance's createdAt and modifiedAt are wanted."""


@dataclass(frozen=True)
class Summary:
    """Values summed up by methods and periods."""

    methods: tuple[Method, ...]
    period: Period


class Evolution(msgspec.Struct):
    """An entity over time. `entity` has a row for each instance, or none where it is summed up."""

    entity: EntityRow
    summaries: list[SeriesSummary]
    is_cut: bool
    """Whether there are more instances than are shown at once."""


class SeriesSummary(msgspec.Struct):
    """One attribute instance's series, summed up."""

    name: str
    dataset_id: str
    kind: Kind
    periods: list[Aggregate]


class _Series(msgspec.Struct, frozen=True):
    entity_key: int
    key: int
    name: str
    dataset_id: str
    kind: Kind


_Instances = dict[int, list[tuple[int, AttributeRow]]]
"""By series; which of the observations of its moment each is, and the instance."""


class Historian:
    """Reads the past of one tenant's entities."""

    def __init__(self, database: Database, terms: Terms, metas: Metas) -> None:
        self._database = database
        self._terms = terms
        self._metas = metas

    async def entity(
        self, entity_id: str, query: TemporalQuery, projection: Projection, summary: Summary | None
    ) -> Evolution:
        """An entity's evolution, be it deleted. Raises NotFound, also where its past was erased."""
        row = await self._row_of(entity_id)
        (evolution,) = await self._evolutions([row], query, projection, summary)
        if not evolution.entity.attributes and not evolution.summaries and not await self._has_past(row["key"]):
            raise NotFound(f"the past of {entity_id[:200]} was erased", where="id")
        return evolution

    async def is_known(self, entity_id: str) -> bool:
        """Whether there is anything of an entity over time."""
        row = await self._database.fetchrow(_SQL["entity"], entity_id)
        return row is not None and await self._has_past(row["key"])

    async def span(self, entity_id: str, name: str | None = None, dataset_id: str | None = None) -> Span:
        """All that was observed of an entity, of one attribute (name), or of one instance of it. Raises NotFound."""
        row = await self._row_of(entity_id)
        names = None if name is None else frozenset({name})
        series = await self._series([row["key"]], Projection(attributes=names))
        return Span([one.key for one in series if dataset_id is None or one.dataset_id == dataset_id])

    async def span_of(self, entity_id: str, name: str, wanted: InstanceName) -> Span:
        """One observation by its name. Raises NotFound."""
        series = await self._series_of(entity_id, name, wanted)
        return Span([series.key], wanted.observed_at_us, wanted.observed_at_us + 1, wanted.n)

    async def instance(self, entity_id: str, name: str, wanted: InstanceName) -> StoredAttribute:
        """One observation by its name, as an attribute that stood then. Raises NotFound."""
        series = await self._series_of(entity_id, name, wanted)
        at_us = wanted.observed_at_us
        found = [one for one in await read(self._database, [series.key], at_us, at_us + 1) if one.n == wanted.n]
        if not found:
            raise no_such_instance()
        (one,) = found
        await self._metas.learn(self._database, [one.meta_key])
        return StoredAttribute(
            series_key=series.key,
            name=series.name,
            dataset_id=series.dataset_id,
            kind=series.kind,
            version=0,
            as_of_us=at_us,
            observed_at_us=at_us,
            created_at_us=at_us,
            deleted_at_us=None,
            value=one.value,
            meta=self._metas.body(one.meta_key) or {},
        )

    async def _row_of(self, entity_id: str) -> asyncpg.Record:
        row = await self._database.fetchrow(_SQL["entity"], entity_id)
        if row is None:
            raise NotFound(f"there is no entity {entity_id[:200]}", where="id")
        return row

    async def _has_past(self, entity_key: int) -> bool:
        """Whether anything was observed of an entity, or there is nothing of it that could be."""
        series = await self._series([entity_key], Projection())
        return not series or bool(await firsts(self._database, [one.key for one in series]))

    async def _series_of(self, entity_id: str, name: str, wanted: InstanceName) -> _Series:
        row = await self._row_of(entity_id)
        for one in await self._series([row["key"]], Projection(attributes=frozenset({name}))):
            if mark_of(entity_id, one.name, one.dataset_id) == wanted.mark:
                return one
        raise no_such_instance()

    async def entities(
        self, keys: Sequence[int], query: TemporalQuery, projection: Projection, summary: Summary | None
    ) -> list[Evolution]:
        """The evolutions of entities, in the order of their keys."""
        rows = await self._database.fetch(_SQL["entities"], list(keys))
        return await self._evolutions(rows, query, projection, summary)

    async def _evolutions(
        self,
        rows: Sequence[asyncpg.Record],
        query: TemporalQuery,
        projection: Projection,
        summary: Summary | None,
    ) -> list[Evolution]:
        series = await self._series([row["key"] for row in rows], projection)
        evolutions = {row["key"]: Evolution(await self._header(row), [], False) for row in rows}
        if summary is None:
            await self._read_instances(evolutions, series, query)
        else:
            for key, evolution in evolutions.items():
                own = [one for one in series if one.entity_key == key]
                evolution.summaries = await self._summaries(own, query, summary)
        return list(evolutions.values())

    async def _header(self, row: asyncpg.Record) -> EntityRow:
        types = await self._terms.iris(row["types"])
        return EntityRow(
            id=row["id"],
            types=[types[key] for key in row["types"]],
            scopes=row["scopes"],
            created_at_us=row["created_at"],
            modified_at_us=row["modified_at"],
            attributes=[],
        )

    async def _series(self, entity_keys: Sequence[int], projection: Projection) -> list[_Series]:
        wanted = None
        if projection.attributes is not None:
            wanted = list((await self._terms.find(projection.attributes)).values())
        rows = await self._database.fetch(_SQL["series"], list(entity_keys), wanted)
        names = await self._terms.iris({row["term_key"] for row in rows})
        found = [
            _Series(row["entity_key"], row["key"], names[row["term_key"]], row["dataset_id"], Kind(row["kind"]))
            for row in rows
        ]
        return [one for one in found if projection.shows(one.name, one.dataset_id)]

    async def _read_instances(
        self, evolutions: dict[int, Evolution], series: Sequence[_Series], query: TemporalQuery
    ) -> None:
        limit = query.last_n or DEFAULT_LAST_N
        instances = await self._instances([one.key for one in series], query, limit + 1)
        for one in series:
            own = instances.get(one.key, [])
            evolution = evolutions[one.entity_key]
            if len(own) > limit:
                evolution.is_cut |= query.last_n is None
                own = own[:limit] if query.last_n is None else own[-limit:]
            mark = mark_of(evolution.entity.id, one.name, one.dataset_id)
            for n, row in own:
                row.name, row.dataset_id, row.kind = one.name, one.dataset_id, one.kind
                assert row.observed_at_us is not None
                row.instance_id = instance_id(mark, row.observed_at_us, n)
            evolution.entity.attributes.extend(row for _, row in own)

    async def _instances(self, keys: Sequence[int], query: TemporalQuery, limit: int) -> _Instances:
        """Instances by series, oldest first."""
        from_us = MIN_US if query.from_us is None else query.from_us
        to_us = MAX_US if query.to_us is None else query.to_us
        if query.property is not TimeProperty.OBSERVED:
            return await self._recorded(keys, from_us, to_us, query.property, limit)
        newest_first = query.last_n is not None
        found = await read(self._database, keys, from_us, to_us, limit=limit, newest_first=newest_first)
        if newest_first:
            found.reverse()
        await self._metas.learn(self._database, {one.meta_key for one in found})
        written = await self._written(found) if query.with_times else {}
        instances: _Instances = {}
        for one in found:
            created_at_us = written.get(one.origin_key, one.observed_at_us)
            row = self._row(one.value, one.meta_key, one.observed_at_us, created_at_us, one.modified_at_us)
            instances.setdefault(one.series_key, []).append((one.n, row))
        return instances

    async def _recorded(
        self, keys: Sequence[int], from_us: int, to_us: int, which: TimeProperty, limit: int
    ) -> _Instances:
        by_creation = which is TimeProperty.CREATED
        if await is_filed(self._database, MIN_US, MAX_US):
            return await self._recorded_and_filed(keys, from_us, to_us, limit, by_creation=by_creation)
        rows = await self._database.fetch(_SQL["recorded"], list(keys), from_us, to_us, limit, by_creation)
        await self._metas.learn(self._database, {row["meta_key"] for row in rows})
        instances: _Instances = {}
        for row in rows:
            value = row["value"] if row["number"] is None else row["number"]
            shown = self._row(value, row["meta_key"], row["observed_at"], row["recorded_at"], row["modified_at"])
            instances.setdefault(row["series_key"], []).append((row["n"], shown))
        return instances

    async def _recorded_and_filed(
        self, keys: Sequence[int], from_us: int, to_us: int, limit: int, *, by_creation: bool
    ) -> _Instances:
        """The same where some of the past has moved to files, which are not ordered by when they were written."""
        instances: _Instances = {}
        for key in keys:
            found = await read(self._database, [key], MIN_US, MAX_US)
            written = await self._written(found)
            await self._metas.learn(self._database, {one.meta_key for one in found})
            rows = [
                (
                    one.n,
                    self._row(one.value, one.meta_key, one.observed_at_us, written[one.origin_key], one.modified_at_us),
                )
                for one in found
                if one.origin_key in written
            ]
            times = ((row.created_at_us if by_creation else row.modified_at_us) for _, row in rows)
            chosen = [row for row, at_us in zip(rows, times, strict=True) if from_us <= at_us < to_us]
            if chosen:
                instances[key] = chosen[-limit:]
        return instances

    async def _written(self, found: Iterable[Observation]) -> dict[int, int]:
        rows = await self._database.fetch(_SQL["origins"], list({one.origin_key for one in found}))
        return {row["key"]: row["at"] for row in rows}

    def _row(
        self, value: Any, meta_key: int | None, observed_at_us: int, created_at_us: int, modified_at_us: int | None
    ) -> AttributeRow:
        """An instance; its series says the rest."""
        return AttributeRow(
            name="",
            dataset_id="",
            kind=Kind.PROPERTY,
            number=value if isinstance(value, float) else None,
            value=None if value is None or isinstance(value, float) else _encode(value).decode(),
            meta=self._metas.body(meta_key) or {},
            observed_at_us=observed_at_us,
            created_at_us=created_at_us,
            modified_at_us=created_at_us if modified_at_us is None else modified_at_us,
        )

    async def _summaries(
        self, series: Sequence[_Series], query: TemporalQuery, summary: Summary
    ) -> list[SeriesSummary]:
        keys = [one.key for one in series]
        found = await aggregate(self._database, keys, query.from_us, query.to_us, summary.period, summary.methods)
        periods: dict[int, list[Aggregate]] = {}
        for one in found:
            periods.setdefault(one.series_key, []).append(one)
        return [
            SeriesSummary(one.name, one.dataset_id, one.kind, periods[one.key]) for one in series if one.key in periods
        ]
