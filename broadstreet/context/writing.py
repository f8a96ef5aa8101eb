"""One writing transaction.

    load     the entities and their attributes, locked; those attributes in series order, as every writer does
    decide   what becomes of each (decision.py), on nothing but what was loaded
    open     entities, series and rows for what is new, so that there is a row to lock before its version is chosen
    write    origin, attributes, observations and outbox in one statement; places and headers where they changed

A reading that races an API write waits at the attribute's row, and whichever comes second finds the other's version
and time. What is written becomes current at once (docs/decisions/0001-first-light.md, "What wins").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec

from broadstreet.access import Principal
from broadstreet.context.decision import AttributeWrite, Decision, Fate
from broadstreet.context.meta import Metas
from broadstreet.context.stored import StoredAttribute, StoredEntity
from broadstreet.context.traces import keep_traces, text_array
from broadstreet.context.transience import end_of, keep_ends
from broadstreet.model.change import ChangeBatch, EntityEvent, Flag, encode_changes
from broadstreet.model.entity import Kind, meta_hash
from broadstreet.model.geometry import parse_geometry
from broadstreet.store import Terms, load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

Decide = Callable[[Mapping[str, StoredEntity]], Sequence[Decision]]
"""From entities as they stand, by id, to what becomes of them. It may be asked more than once."""

_SQL = load_queries("entity_write")
_encode: Final = msgspec.json.Encoder().encode
_EXACT: Final = 2**53
_CURRENT, _CREATED, _DELETED = int(Flag.CURRENT), int(Flag.CREATED), int(Flag.DELETED)


class RaceLost(Exception):
    """Somebody else created the entity meanwhile: look again, decide again."""


class _Row(msgspec.Struct):
    """An attribute instance on its way into its row."""

    write: AttributeWrite
    entity_key: int
    stored: StoredAttribute
    step: int = 1
    """The how many-th change of its series in this transaction."""

    @property
    def version(self) -> int:
        return self.stored.version + self.step


class Writing:
    """One transaction's work. Make one for each attempt."""

    def __init__(
        self,
        connection: Connection,
        terms: Terms,
        metas: Metas,
        keys: Mapping[str, int],
        at_us: int,
        *,
        reaps: bool = False,
    ) -> None:
        """keys: of every name and type that may come in. reaps: whether what has ended is taken as there."""
        self._connection = connection
        self._terms = terms
        self._metas = metas
        self._keys = dict(keys)
        self._at_us = at_us
        self._origin_key: int | None = None
        self._entity_keys: dict[str, int] = {}
        self._new_entities: set[int] = set()
        self._reaps = reaps
        self.next_end_us: int | None = None
        """When the first thing ends that was written."""

    async def run(
        self, principal: Principal, ids: Sequence[str], names: Sequence[int] | None, decide: Decide
    ) -> Sequence[Decision]:
        """All four steps. names: term keys of the attributes to load, or None for all. Raises RaceLost."""
        stored = await self._load(ids, names)
        decisions = decide(stored)
        changing = [decision for decision in decisions if decision.changes_anything]
        if changing:
            await self._write_headers(changing)
            rows = await self._open(changing)
            await self._write(principal, changing, rows, self._past_rows(changing, rows))
        return decisions

    async def _load(self, ids: Sequence[str], names: Sequence[int] | None) -> dict[str, StoredEntity]:
        rows = await self._connection.fetch(_SQL["load"], list(ids), None if names is None else list(names))
        if rows:
            self._origin_key = rows[0]["origin_key"]
        await self._metas.learn(self._connection, (row["meta_key"] for row in rows))
        terms = {row["term_key"] for row in rows if row["term_key"] is not None}
        iris = await self._terms.iris(terms.union(*(row["types"] for row in rows)), self._connection)
        self._keys.update((iri, key) for key, iri in iris.items())
        entities: dict[str, StoredEntity] = {}
        for row in rows:
            entity = entities.get(row["id"])
            if entity is None:
                types, ends = [iris[key] for key in row["types"]], row["expires_at"]
                entity = entities[row["id"]] = StoredEntity(
                    *(row["key"], row["id"], types, row["scopes"], row["entity_created_at"]),
                    deleted_at_us=self._deleted_at_us(row["entity_deleted_at"], ends),
                    attributes={},
                    expires_at_us=ends,
                )
                self._entity_keys[entity.id] = entity.key
            if row["series_key"] is not None:
                attribute = self._stored(row, row["series_key"], iris[row["term_key"]], row["dataset_id"])
                entity.attributes[attribute.identity] = attribute
        return entities

    def _deleted_at_us(self, deleted_at_us: int | None, ends_us: int | None) -> int | None:
        """When something was deleted, or ended without having been deleted yet."""
        has_ended = ends_us is not None and ends_us <= self._at_us and not self._reaps
        return ends_us if deleted_at_us is None and has_ended else deleted_at_us

    def _stored(self, row: Any, series_key: int, name: str, dataset_id: str) -> StoredAttribute:
        meta = self._metas.body(row["meta_key"]) or {}
        return StoredAttribute(
            series_key=series_key,
            name=name,
            dataset_id=dataset_id,
            kind=Kind(row["kind"]),
            version=row["version"],
            as_of_us=row["as_of"],
            observed_at_us=row["observed_at"],
            created_at_us=row["created_at"],
            deleted_at_us=self._deleted_at_us(row["deleted_at"], end_of(meta)) if meta else row["deleted_at"],
            value=row["value"] if row["number"] is None else row["number"],
            meta=meta,
        )

    async def _write_headers(self, changing: Sequence[Decision]) -> None:
        """Entities themselves: created, brought back, changed, deleted."""
        created = sorted((one for one in changing if one.fate is Fate.CREATED), key=lambda one: one.id)
        if created:
            rows = await self._connection.fetch(
                _SQL["insert_entities"],
                [one.id for one in created],
                [self._type_array(one.types) for one in created],
                [text_array(one.scopes) for one in created],
                self._at_us,
                [self._expected(one.expires_at_us) for one in created],
            )
            if len(rows) < len(created):
                raise RaceLost
            self._entity_keys.update({row["id"]: row["key"] for row in rows})
            self._new_entities = {row["key"] for row in rows if row["is_new"]}
        changed = [(one, one.stored) for one in changing if one.fate in (Fate.CHANGED, Fate.DELETED) and one.stored]
        if changed:
            await self._connection.execute(
                _SQL["update_entities"],
                [stored.key for _, stored in changed],
                [self._type_array(one.types) for one, _ in changed],
                [text_array(one.scopes) for one, _ in changed],
                [stored.created_at_us for _, stored in changed],
                [self._at_us if one.fate is Fate.DELETED else None for one, _ in changed],
                self._at_us,
                [None if one.fate is Fate.DELETED else self._expected(one.expires_at_us) for one, _ in changed],
            )

    def _expected(self, end_us: int | None) -> int | None:
        """An end, which is looked out for."""
        if end_us is not None:
            self.next_end_us = end_us if self.next_end_us is None else min(end_us, self.next_end_us)
        return end_us

    def _type_array(self, types: Sequence[str]) -> str:
        return "{" + ",".join(map(str, sorted(self._keys[iri] for iri in types))) + "}"

    async def _open(self, changing: Sequence[Decision]) -> list[_Row]:
        """A row for each attribute to be set, in series order: those that are there, and fresh ones for the others."""
        rows: list[_Row] = []
        missing: dict[tuple[int, int, str], AttributeWrite] = {}
        for decision in changing:
            entity_key = self._entity_keys[decision.id]
            known = decision.stored.attributes if decision.stored is not None else {}
            for write in decision.sets:
                stored = known.get(write.identity)
                if stored is not None:
                    rows.append(_Row(write, entity_key, stored))
                else:
                    missing[entity_key, self._keys[write.name], write.dataset_id] = write
        if missing:
            rows.extend(await self._open_missing(missing))
        rows.sort(key=lambda row: row.stored.series_key)
        return rows

    async def _open_missing(self, missing: Mapping[tuple[int, int, str], AttributeWrite]) -> list[_Row]:
        identities = sorted(missing)
        columns = [list(column) for column in zip(*identities, strict=True)]
        await self._connection.execute(_SQL["open_series"], *columns)
        opened = await self._connection.fetch(_SQL["open_attributes"], *columns, self._at_us)
        doubtful = [row["key"] for row in opened if row["entity_key"] not in self._new_entities]
        locked = {row["series_key"]: row for row in await self._lock(doubtful)}
        rows = []
        for row in opened:
            write = missing[row["entity_key"], row["term_key"], row["dataset_id"]]
            state = locked.get(row["key"])
            if state is None:
                stored = _fresh(row["key"], write, self._at_us)
            elif write.gives_way and state["version"] > 0:
                raise RaceLost
            else:
                stored = self._stored(state, row["key"], write.name, write.dataset_id)
            rows.append(_Row(write, row["entity_key"], stored))
        return rows

    def _past_rows(self, changing: Sequence[Decision], rows: Sequence[_Row]) -> list[_Row]:
        """A row for each observation that goes into the past alone; the current values of its series come after it."""
        opened = {(row.entity_key, row.write.identity): row for row in rows}
        past: list[_Row] = []
        steps: dict[int, int] = {}
        for decision in changing:
            entity_key = self._entity_keys[decision.id]
            for write in decision.past:
                row = opened.get((entity_key, write.identity))
                if row is not None:
                    stored = row.stored
                else:
                    assert decision.stored is not None
                    stored = decision.stored.attributes[write.identity]
                step = steps[stored.series_key] = steps.get(stored.series_key, 0) + 1
                past.append(_Row(write, entity_key, stored, step))
                if row is not None:
                    row.step = step + 1
        return past

    async def _lock(self, series: Sequence[int]) -> Sequence[Any]:
        if not series:
            return ()
        rows = await self._connection.fetch(_SQL["lock_attributes"], list(series))
        await self._metas.learn(self._connection, (row["meta_key"] for row in rows))
        return rows

    async def _write(
        self, principal: Principal, changing: Sequence[Decision], rows: Sequence[_Row], past: Sequence[_Row]
    ) -> None:
        origin_key = self._origin_key or int(await self._connection.fetchval(_SQL["next_origin"]))
        metas = await self._metas.intern(self._connection, (row.write.meta for row in (*rows, *past)))
        deletes = [one for decision in changing for one in decision.deletes]
        values = [_columns_of(row.write) for row in rows]
        await self._connection.execute(
            _SQL["write"],
            origin_key,
            self._at_us,
            principal.name,
            [row.stored.series_key for row in rows],
            [int(row.write.kind) for row in rows],
            [row.version for row in rows],
            [self._as_of_us(row) for row in rows],
            [row.write.observed_at_us for row in rows],
            [row.stored.created_at_us if row.stored.is_there else self._at_us for row in rows],
            [metas[meta_hash(row.write.meta)] if row.write.meta else None for row in rows],
            [number for number, _ in values],
            [value for _, value in values],
            [self._filed_at_us(row) for row in rows],
            [one.series_key for one in deletes],
            [one.version + 1 for one in deletes],
            encode_changes(self._change(principal, origin_key, changing, rows, deletes, past)),
            principal.via,
            [row.write.n for row in rows],
        )
        if past:
            await self._write_past(origin_key, metas, rows, past)
        await self._write_places(rows, deletes)
        series = {(row.entity_key, row.write.identity): row.stored.series_key for row in rows}
        await keep_traces(self._connection, changing, self._entity_keys, series, self._at_us, origin_key)
        written = [(row.stored.series_key, row.entity_key, row.write.meta) for row in rows if row.write.meta]
        before = [(one.series_key, one.meta) for one in (*(row.stored for row in rows), *deletes) if one.meta]
        self._expected(await keep_ends(self._connection, written, before))

    async def _write_past(
        self, origin_key: int, metas: Mapping[bytes, int], rows: Sequence[_Row], past: Sequence[_Row]
    ) -> None:
        values = [_columns_of(row.write) for row in past]
        versions = {row.stored.series_key: row.version for row in past}
        for row in rows:
            versions.pop(row.stored.series_key, None)
        await self._connection.execute(
            _SQL["write_past"],
            origin_key,
            self._at_us,
            [row.stored.series_key for row in past],
            [self._filed_at_us(row) for row in past],
            [row.write.n for row in past],
            [metas[meta_hash(row.write.meta)] if row.write.meta else None for row in past],
            [number for number, _ in values],
            [value for _, value in values],
            list(versions),
            list(versions.values()),
        )

    def _filed_at_us(self, row: _Row) -> int:
        filed_at_us = row.write.filed_at_us
        return self._at_us if filed_at_us is None else filed_at_us

    def _as_of_us(self, row: _Row) -> int:
        """What later readings are compared with: never ahead of now, or none would count until then."""
        return min(self._filed_at_us(row), self._at_us)

    async def _write_places(self, rows: Sequence[_Row], deletes: Sequence[StoredAttribute]) -> None:
        placed = [row for row in rows if row.write.kind is Kind.GEO_PROPERTY]
        others = [row.stored for row in rows if row.write.kind is not Kind.GEO_PROPERTY]
        gone = [one.series_key for one in (*others, *deletes) if one.kind is Kind.GEO_PROPERTY]
        if gone:
            await self._connection.execute(_SQL["displace"], gone)
        if placed:
            boxes = [parse_geometry(row.write.value).bounds for row in placed]
            await self._connection.execute(
                _SQL["place"],
                [row.stored.series_key for row in placed],
                [row.entity_key for row in placed],
                [self._keys[row.write.name] for row in placed],
                [box.west for box in boxes],
                [box.south for box in boxes],
                [box.east for box in boxes],
                [box.north for box in boxes],
                [row.write.value for row in placed],
            )

    def _change(
        self,
        principal: Principal,
        origin_key: int,
        changing: Sequence[Decision],
        rows: Sequence[_Row],
        deletes: Sequence[StoredAttribute],
        past: Sequence[_Row],
    ) -> ChangeBatch:
        count = len(deletes)
        both = [*past, *rows]
        became = [_CURRENT if row.stored.is_there else _CURRENT | _CREATED for row in rows]
        return ChangeBatch(
            tenant=principal.tenant,
            origin_key=origin_key,
            kind="api",
            principal=principal.name,
            at_us=self._at_us,
            series=[row.stored.series_key for row in both] + [one.series_key for one in deletes],
            version=[row.version for row in both] + [one.version + 1 for one in deletes],
            as_of_us=[self._as_of_us(row) for row in both] + [self._at_us] * count,
            value=[row.write.value for row in both] + [None] * count,
            old=[None] * len(past)
            + [row.stored.value if row.stored.is_there else None for row in rows]
            + [one.value for one in deletes],
            flags=[0] * len(past) + became + [_CURRENT | _DELETED] * count,
            entities=[event for decision in changing if (event := self._event(decision)) is not None],
        )

    def _event(self, decision: Decision) -> EntityEvent | None:
        if decision.fate is Fate.CREATED:
            operation = "created"
        elif decision.fate is Fate.DELETED:
            operation = "deleted"
        elif decision.stored is not None and decision.types != decision.stored.types:
            operation = "types"
        else:
            return None
        return EntityEvent(self._entity_keys[decision.id], decision.id, decision.types, operation)


def _fresh(series_key: int, write: AttributeWrite, at_us: int) -> StoredAttribute:
    """The row that `open_attributes` made in this transaction."""
    return StoredAttribute(
        series_key, write.name, write.dataset_id, Kind.PROPERTY, 0, at_us, None, at_us, at_us, None, {}
    )


def _columns_of(write: AttributeWrite) -> tuple[float | None, msgspec.Raw | None]:
    """A value as the columns number and value: a number that a double holds exactly, or anything else as JSON."""
    value = write.value
    if write.kind is Kind.PROPERTY and _is_exact(value):
        return float(value), None
    return None, None if value is None else msgspec.Raw(_encode(value))


def _is_exact(value: object) -> bool:
    return isinstance(value, float) or (type(value) is int and abs(value) <= _EXACT)
