"""Applying a batch: one transaction, exactly once.

The order within it is what makes it right: the partition's cursor is locked and compared first; pack ids are accepted
once; current values are locked in series order; observations go in (by COPY where they are newer than anything known,
by upsert where they may be there already); current values move forward only; changes and dead letters are left in the
outbox; the cursor advances. Then it commits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import asyncpg

from broadstreet.log import Pack, encode_dead_list
from broadstreet.model.change import ChangeBatch, EntityEvent, Flag, encode_changes
from broadstreet.model.errors import Conflict
from broadstreet.recorder.batch import Batch
from broadstreet.store import OutboxKind, json_array, load_queries, write_outbox

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

_SQL = load_queries("recorder")
# Plain integers: the arithmetic of IntFlag costs a tenth of the whole.
_CURRENT, _CREATED, _CORRECTED = int(Flag.CURRENT), int(Flag.CREATED), int(Flag.CORRECTED)
_OBSERVATION_COLUMNS = ("series_key", "observed_at", "n", "number", "value", "meta_key", "origin_key")


class CursorMoved(Conflict):
    """Another recorder applies this partition; start again from its cursor."""


class RegistryMoved(Conflict):
    """Devices or profiles changed since the batch was decoded; decode it again."""


class PacksRepeated(Conflict):
    """Some packs were applied before; take them out and apply the rest."""

    def __init__(self, ids: set[bytes]) -> None:
        super().__init__()
        self.ids = ids


class AlreadyThere(Conflict):
    """A reading thought to be new is there already; apply the batch with more care."""


class Place(NamedTuple):
    """Where the batch stands: its partition, the log's incarnation, the cursor before and after."""

    partition: int
    stream: str
    before: tuple[str, int]
    after: int


class Applied(NamedTuple):
    """What a batch came to, in readings."""

    applied: int
    repeated: int
    corrected: int
    dead: int


class _Current(NamedTuple):
    version: int
    as_of_us: int
    deleted_us: int | None
    value: Any


class Applying:
    """One transaction's work. Make one for each attempt."""

    def __init__(self, connection: Connection, tenant: str, now_us: int) -> None:
        self._connection = connection
        self._tenant = tenant
        self._now_us = now_us
        self._current: dict[int, _Current] = {}
        self._flags: dict[int, int] = {}
        """Rows of the batch that were applied, with their flags."""
        self._old: dict[int, Any] = {}
        self._version: dict[int, int] = {}
        """The version each applied row of the batch gave its attribute."""
        self._origins: list[int] = []

    async def apply(
        self,
        place: Place,
        packs: list[tuple[int, Pack]],
        batch: Batch,
        registry_version: int,
        *,
        carefully: bool,
    ) -> Applied:
        """Apply the batch inside the connection's transaction.

        carefully: expect readings to be there already, wherever they stand. Raises CursorMoved, RegistryMoved,
        PacksRepeated or AlreadyThere; the caller rolls back and tries again accordingly.
        """
        await self._lock(place, registry_version)
        await self._accept(place, packs)
        if len(batch):
            await self._lock_attributes(sorted(set(batch.series)))
            await self._write_observations(batch, carefully=carefully)
            await self._write_attributes(batch)
            await self._write_changes(batch, packs, await self._revive(batch))
        await self._write_heard(batch)
        if batch.dead:
            await write_outbox(self._connection, OutboxKind.DEAD, encode_dead_list(batch.dead))
        await self._connection.execute(_SQL["advance_cursor"], place.partition, place.stream, place.after)
        corrected = sum(bool(flags & _CORRECTED) for flags in self._flags.values())
        applied = len(self._flags)
        return Applied(applied, len(batch) - applied + batch.repeated, corrected, len(batch.dead))

    async def _lock(self, place: Place, registry_version: int) -> None:
        row = await self._connection.fetchrow(_SQL["lock_cursor"], place.partition)
        if row is None or (row["stream"], row["sequence"]) != place.before:
            raise CursorMoved
        if row["registry_version"] != registry_version:
            raise RegistryMoved

    async def _accept(self, place: Place, packs: list[tuple[int, Pack]]) -> None:
        if not packs:
            return
        ids = [UUID(bytes=pack.id) for _, pack in packs]
        rows = await self._connection.fetch(
            _SQL["insert_packs"],
            ids,
            [pack.gateway for _, pack in packs],
            [sequence for sequence, _ in packs],
            self._now_us,
            place.stream,
            place.partition,
        )
        keys = {row["pack_id"]: int(row["key"]) for row in rows}
        if len(keys) < len(ids):
            raise PacksRepeated({pack_id.bytes for pack_id in ids if pack_id not in keys})
        self._origins = [keys[pack_id] for pack_id in ids]

    async def _lock_attributes(self, series: list[int]) -> None:
        for row in await self._connection.fetch(_SQL["lock_attributes"], series):
            value = row["value"] if row["number"] is None else row["number"]
            self._current[row["series_key"]] = _Current(row["version"], row["as_of"], row["deleted_at"], value)

    async def _write_observations(self, batch: Batch, *, carefully: bool) -> None:
        current = self._current
        new: list[int] = []
        doubtful: list[int] = []
        for row in range(len(batch)):
            known = current.get(batch.series[row])
            if not carefully and (known is None or batch.at_us[row] > known.as_of_us):
                new.append(row)
            else:
                doubtful.append(row)
        if new:
            new.sort(key=lambda row: (batch.series[row], batch.at_us[row]))
            try:
                await self._connection.copy_records_to_table(
                    "observation",
                    records=[self._observation(batch, row) for row in new],
                    columns=list(_OBSERVATION_COLUMNS),
                )
            except asyncpg.UniqueViolationError as error:
                raise AlreadyThere from error
            self._flags.update(dict.fromkeys(new, 0))
        if doubtful:
            await self._upsert(batch, doubtful)

    def _observation(self, batch: Batch, row: int) -> tuple[Any, ...]:
        return (
            batch.series[row],
            batch.at_us[row],
            batch.n[row],
            batch.number[row],
            batch.value[row],
            batch.meta[row],
            self._origins[batch.pack[row]],
        )

    async def _upsert(self, batch: Batch, rows: list[int]) -> None:
        columns = [list(column) for column in zip(*(self._observation(batch, row) for row in rows), strict=True)]
        columns[_OBSERVATION_COLUMNS.index("value")] = list(json_array(batch.value[row] for row in rows))
        written = await self._connection.fetch(_SQL["upsert_observations"], *columns, self._now_us)
        for done in written:
            row = batch.rows[done["series_key"], done["observed_at"], done["n"]]
            self._flags[row] = _CORRECTED if done["corrected"] else 0

    async def _write_attributes(self, batch: Batch) -> None:
        """Move current values forward, give every applied change its version, and note what the old value was."""
        newest: dict[int, int] = {}
        versions: dict[int, int] = {}
        for row in sorted(self._flags, key=lambda row: (batch.at_us[row], batch.n[row])):
            series = batch.series[row]
            known = self._current.get(series)
            versions[series] = versions.get(series, 0 if known is None else known.version) + 1
            self._version[row] = versions[series]
            if known is not None and known.deleted_us is not None and batch.at_us[row] <= known.deleted_us:
                continue
            if known is None or batch.at_us[row] >= known.as_of_us:
                before = newest.get(series)
                self._flags[row] |= _CURRENT
                if before is not None:
                    self._old[row] = batch.value[before] if batch.number[before] is None else batch.number[before]
                elif known is None or known.deleted_us is not None:
                    self._flags[row] |= _CREATED
                else:
                    self._old[row] = known.value
                newest[series] = row
        created = sorted(newest.keys() - self._current.keys())
        updated = sorted(newest.keys() & self._current.keys())
        if updated:
            await self._connection.execute(
                _SQL["update_attributes"], *self._attributes(batch, updated, newest, versions), self._now_us
            )
        if created:
            made = await self._connection.fetch(
                _SQL["insert_attributes"], *self._attributes(batch, created, newest, versions), self._now_us
            )
            if len(made) != len(created):
                raise AlreadyThere  # an API wrote the attribute in this moment
        past_only = sorted(versions.keys() - newest.keys())
        if past_only:
            await self._connection.execute(_SQL["update_versions"], past_only, [versions[s] for s in past_only])

    def _attributes(
        self, batch: Batch, series: list[int], newest: dict[int, int], versions: dict[int, int]
    ) -> tuple[list[Any], ...]:
        rows = [newest[key] for key in series]
        return (
            series,
            [versions[key] for key in series],
            [batch.at_us[row] for row in rows],
            [batch.number[row] for row in rows],
            json_array(batch.value[row] for row in rows),
            [batch.meta[row] for row in rows],
            [self._origins[batch.pack[row]] for row in rows],
        )

    async def _revive(self, batch: Batch) -> list[EntityEvent]:
        """Bring back the entities whose deleted attributes a newer reading revived."""
        revived = {
            batch.entities[batch.series[row]]
            for row, flags in self._flags.items()
            if flags & _CREATED and batch.series[row] in self._current
        }
        if not revived:
            return []
        rows = await self._connection.fetch(_SQL["revive_entities"], sorted(revived))
        return [EntityEvent(row["key"], row["id"], [], "created") for row in rows]

    async def _write_heard(self, batch: Batch) -> None:
        if not batch.heard:
            return
        keys = sorted(batch.heard)
        heard = [batch.heard[key] for key in keys]
        await self._connection.execute(
            _SQL["upsert_heard"],
            keys,
            [one.first_us for one in heard],
            [one.last_us for one in heard],
            [one.messages for one in heard],
        )

    async def _write_changes(self, batch: Batch, packs: list[tuple[int, Pack]], events: list[EntityEvent]) -> None:
        if not self._flags:
            return
        rows = list(self._version)
        changes = ChangeBatch(
            tenant=self._tenant,
            origin_key=self._origins[0],
            kind="pack",
            principal=packs[0][1].gateway,
            at_us=self._now_us,
            series=[batch.series[row] for row in rows],
            version=list(self._version.values()),
            as_of_us=[batch.at_us[row] for row in rows],
            value=[batch.value[row] if batch.number[row] is None else batch.number[row] for row in rows],
            old=[self._old.get(row) for row in rows],
            flags=[self._flags[row] for row in rows],
            packs=[pack.id for _, pack in packs],
            pack=[batch.pack[row] for row in rows],
            entry=[batch.entry[row] for row in rows],
            entities=events,
        )
        await write_outbox(self._connection, OutboxKind.CHANGES, encode_changes(changes))
