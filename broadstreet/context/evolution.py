"""Entities over time (4.5.7 to 4.5.9, 5.7.3 and 5.7.4 of the standard): instances of their attributes within a stretch
of time, or what those amount to per period.

Every attribute instance is filed under its observedAt, or under the moment it was written where none was given, which
is then shown as its observedAt. The past of what was deleted stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from broadstreet.context.instance import InstanceName, instance_id, mark_of, no_such_instance
from broadstreet.context.instances import InstanceReader, Instances, TemporalQuery, TimeProperty, end_of, shown
from broadstreet.context.meta import Metas
from broadstreet.context.representation import AttributeRow, EntityRow, Projection
from broadstreet.context.stored import StoredAttribute
from broadstreet.context.traces import Scoped, Validity, add_deletions, scopes_of
from broadstreet.context.transience import END, lasting
from broadstreet.history import Aggregate, Method, Period, Span, aggregate, firsts, read
from broadstreet.model.entity import Kind
from broadstreet.model.errors import NotFound
from broadstreet.store import Database, Terms, load_queries

if TYPE_CHECKING:
    import asyncpg

_SQL = load_queries("evolution")


@dataclass(frozen=True)
class Summary:
    """Values summed up by methods and periods."""

    methods: tuple[Method, ...]
    period: Period


class Evolution(msgspec.Struct):
    """An entity over time, `entity` without attributes. It has `series`, or `summaries` where it is summed up."""

    entity: EntityRow
    series: list[SeriesInstances] = []
    summaries: list[SeriesSummary] = []
    scopes: list[Scoped] = []
    """Those of its time, oldest first."""

    @property
    def tells(self) -> bool:
        """Whether it tells anything of its attributes."""
        return bool(self.series or self.summaries)


class Portion(msgspec.Struct, frozen=True):
    """How far an answer goes that does not hold all that was asked for. size: of lastN."""

    start_us: int
    end_us: int
    size: int | None


class Told(msgspec.Struct):
    """Evolutions of one answer. portion: how far they go; None: they are whole."""

    evolutions: list[Evolution]
    portion: Portion | None = None


class SeriesInstances(msgspec.Struct):
    """One attribute instance's series, oldest first; none of it where all of it lies beyond what the answer holds."""

    name: str
    dataset_id: str
    kind: Kind
    rows: list[AttributeRow]


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
    version: int


class Historian:
    """Reads the past of one tenant's entities."""

    def __init__(self, database: Database, terms: Terms, metas: Metas, now_us: int | None = None) -> None:
        """now_us: by which instances may have ended, which are left out then."""
        self._database = database
        self._terms = terms
        self._metas = metas
        self._now_us = now_us

    async def entity(
        self, entity_id: str, query: TemporalQuery, projection: Projection, summary: Summary | None
    ) -> Told:
        """An entity's evolution, be it deleted. Raises NotFound, also where its past was erased."""
        row = await self._row_of(entity_id)
        told = await self._told([row], query, projection, summary)
        if not told.evolutions[0].tells and not await self._has_past(row["key"]):
            raise NotFound(f"the past of {entity_id[:200]} was erased", where="id")
        return told

    async def key(self, entity_id: str) -> int:
        """An entity's key. Raises NotFound."""
        return int((await self._row_of(entity_id))["key"])

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
        """One observation by its name, as an attribute that stood then; if it is of this version, it is as it was when
        this was asked. Raises NotFound."""
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
            version=series.version,
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
        self,
        keys: Sequence[int],
        query: TemporalQuery,
        projection: Projection,
        summary: Summary | None,
        validity: Validity | None = None,
    ) -> Told:
        """The evolutions of entities, in the order given. validity: when what was told of each counts; None: always."""
        rows = await self._database.fetch(_SQL["entities"], list(keys))
        return await self._told(rows, query, projection, summary, validity)

    async def _told(
        self,
        rows: Sequence[asyncpg.Record],
        query: TemporalQuery,
        projection: Projection,
        summary: Summary | None,
        validity: Validity | None = None,
    ) -> Told:
        series = await self._series([row["key"] for row in rows], projection)
        evolutions = {row["key"]: Evolution(await self._header(row)) for row in rows}
        told = Told(list(evolutions.values()))
        if summary is None:
            told.portion = await self._read_instances(evolutions, series, query, validity)
            await self._read_scopes(evolutions, query, projection)
            return told
        for key, evolution in evolutions.items():
            own = [one for one in series if one.entity_key == key]
            evolution.summaries = await self._summaries(own, query, summary)
        return told

    async def _header(self, row: asyncpg.Record) -> EntityRow:
        types = await self._terms.iris(row["types"])
        return EntityRow(
            id=row["id"],
            types=[types[key] for key in row["types"]],
            scopes=[],
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
            _Series(
                row["entity_key"],
                row["key"],
                names[row["term_key"]],
                row["dataset_id"],
                Kind(row["kind"]),
                row["version"],
            )
            for row in rows
        ]
        return [one for one in found if projection.shows(one.name, one.dataset_id)]

    async def _read_scopes(
        self, evolutions: dict[int, Evolution], query: TemporalQuery, projection: Projection
    ) -> None:
        """Put scopes to their entities."""
        if projection.shows_member("scope"):
            for key, scopes in (await scopes_of(self._database, list(evolutions))).items():
                own = [one for one in scopes if one.is_within(query)]
                evolutions[key].scopes = own if query.last_n is None else own[-query.last_n :]

    async def _read_instances(
        self,
        evolutions: dict[int, Evolution],
        series: Sequence[_Series],
        query: TemporalQuery,
        validity: Validity | None,
    ) -> Portion | None:
        """Put instances to their entities; answers how far they go, where there are more."""
        reader = InstanceReader(self._database, self._metas)
        instances = await reader.read([one.key for one in series], query)
        await add_deletions(self._database, instances, {one.key: one.kind for one in series}, query)
        end_us = end_of(instances, query)
        instances = self._lasting(instances)
        for one in series:
            found = _valid(instances.get(one.key, []), None if validity is None else validity.get(one.entity_key, ()))
            if not found:
                continue
            evolution = evolutions[one.entity_key]
            mark = mark_of(evolution.entity.id, one.name, one.dataset_id)
            own = SeriesInstances(one.name, one.dataset_id, one.kind, [])
            for n, row in shown(found, query, end_us):
                row.name, row.dataset_id, row.kind = one.name, one.dataset_id, one.kind
                row.instance_id = instance_id(mark, TimeProperty.OBSERVED.of(row), n)
                own.rows.append(row)
            evolution.series.append(own)
        if end_us is None:
            return None
        times = [end_us]
        times += [query.time.of(row) for one in evolutions.values() for own in one.series for row in own.rows]
        if query.goes_back:
            return Portion(max(times) if query.to_us is None else query.to_us, end_us, query.last_n)
        return Portion(min(times) if query.from_us is None else query.from_us, end_us, None)

    def _lasting(self, instances: Instances) -> Instances:
        """Those that have not ended."""
        at_us = self._now_us
        if at_us is None or not any(END in row.meta for rows in instances.values() for _, row in rows):
            return instances
        return {
            key: [(n, row) for n, row in rows if lasting(row.meta, at_us) is not None]
            for key, rows in instances.items()
        }

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


def _valid(
    instances: list[tuple[int, AttributeRow]], stretches: Sequence[tuple[int, int]] | None
) -> list[tuple[int, AttributeRow]]:
    """Instances observed within some stretches; None: all."""
    if stretches is None:
        return instances
    time = TimeProperty.OBSERVED.of
    return [one for one in instances if any(from_us <= time(one[1]) < to_us for from_us, to_us in stretches)]
