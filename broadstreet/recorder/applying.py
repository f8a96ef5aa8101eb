"""Applying a batch: one transaction, exactly once.

The order within it is what makes it right: the partition's cursor is locked and compared first; pack ids are accepted
once, and of their messages those that count once; current values are remembered or read; observations go in (by COPY
where they are newer than anything known, by upsert where they may be there already); current values move forward only,
each from the version it was remembered at; changes and dead letters are left in the outbox; the cursor advances. Then
it commits. Where a memory was wrong, it starts again with care: current values read and locked in series order, every
observation by upsert.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

import asyncpg
import numpy as np
import numpy.typing as npt

from broadstreet.devices import Answer, apply_answers
from broadstreet.log import DeadLetter, Pack, encode_dead_list
from broadstreet.model.change import ChangeBatch, EntityEvent, encode_changes
from broadstreet.model.errors import Conflict
from broadstreet.recorder.batch import Batch, Heard, Int32s, Int64s
from broadstreet.recorder.memory import Memory
from broadstreet.recorder.once import Repeated, open_once
from broadstreet.recorder.plan import NO_META
from broadstreet.recorder.settling import NEVER_US, Bools, Currents, Settled, settle
from broadstreet.store import OutboxKind, json_array, load_queries, write_outbox
from broadstreet.store.copy import encode_copy
from broadstreet.store.database import POSTGRES_EPOCH_US

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

_SQL = load_queries("recorder")
_COPIED = ("series_key", "observed_at", "n", "number", "origin_key", "meta_key")
"""The columns of readings that are numbers; without sub-attributes the last is left out."""


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
    """A reading thought to be new is there already, or an attribute is not as remembered; apply with more care."""


class Place(NamedTuple):
    """Where the batch stands: its partition, the log's incarnation, the cursor before and after; what was left out."""

    partition: int
    stream: str
    before: tuple[str, int]
    after: int
    left_out: Repeated


class Applied(NamedTuple):
    """What a batch came to, in readings."""

    applied: int
    repeated: int
    corrected: int
    dead: int


class Applying:
    """One transaction's work. Make one for each attempt."""

    def __init__(self, connection: Connection, memory: Memory, tenant: str, now_us: int) -> None:
        self._connection = connection
        self._memory = memory
        self._tenant = tenant
        self._now_us = now_us
        self._origins: Int64s = np.empty(0, np.int64)
        """The key of each pack's origin."""
        self._remember: Callable[[], None] = _nothing

    async def apply(
        self,
        place: Place,
        packs: list[tuple[int, Pack]],
        batch: Batch,
        heard: Heard,
        dead: list[DeadLetter],
        answers: list[Answer],
        registry_version: int,
        *,
        carefully: bool,
    ) -> Applied:
        """Apply the batch inside the connection's transaction.

        carefully: trust no memory, and expect readings to be there already, wherever they stand. Raises CursorMoved,
        RegistryMoved, PacksRepeated, MessagesRepeated or AlreadyThere; the caller rolls back and tries again
        accordingly.
        """
        await self._lock(place, registry_version)
        await self._accept(place, packs)
        await open_once(self._connection, [pack for _, pack in packs], place.left_out, self._now_us)
        applied = corrected = np.empty(0, np.bool_)
        if len(batch):
            currents = await self._currents(batch.series[batch.starts], carefully=carefully)
            applied, corrected = await self._write_observations(batch, currents, carefully=carefully)
            settled = settle(batch, currents, applied, corrected)
            await self._write_attributes(batch, currents, settled)
            await self._write_changes(batch, packs, settled, await self._revive(batch, currents, settled))
            self._remember = partial(self._memory.keep, batch, currents, settled)
        await self._write_heard(heard)
        if answers:
            await apply_answers(self._connection, answers)
        if dead:
            await write_outbox(self._connection, OutboxKind.DEAD, encode_dead_list(dead))
        await self._connection.execute(_SQL["advance_cursor"], place.partition, place.stream, place.after)
        count = int(applied.sum())
        return Applied(count, len(batch) - count + batch.repeated, int(corrected.sum()), len(dead))

    def committed(self) -> None:
        """The transaction is committed: what it made of the attributes may be remembered."""
        self._remember()

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
        self._origins = np.array([keys[pack_id] for pack_id in ids], np.int64)

    async def _currents(self, series: Int32s, *, carefully: bool) -> Currents:
        """The attributes as they are remembered, what is not remembered being read; carefully: read and locked."""
        if carefully:
            self._memory.forget()
        missing = self._memory.missing(series)
        if len(missing):
            self._memory.learn(
                missing, await self._read("lock_attributes" if carefully else "read_attributes", missing)
            )
        return self._memory.recall(series)

    async def _read(self, query: str, series: Int32s) -> Currents:
        currents = Currents.unknown(len(series))
        rows = await self._connection.fetch(_SQL[query], series.tolist())
        if rows:
            keys, version, as_of_us, deleted_us, number, value = zip(*rows, strict=True)
            places = np.searchsorted(series, np.array(keys, np.int32))
            currents.known[places] = True
            currents.version[places] = version
            currents.as_of_us[places] = as_of_us
            currents.deleted_us[places] = [NEVER_US if at_us is None else at_us for at_us in deleted_us]
            currents.number[places] = np.array(number, np.float64)  # None becomes NaN
            currents.values.update(
                (place, one) for place, one in zip(places.tolist(), value, strict=True) if one is not None
            )
        return currents

    async def _write_observations(self, batch: Batch, currents: Currents, *, carefully: bool) -> tuple[Bools, Bools]:
        """Which readings were applied, and which of them corrected another."""
        newer_than = np.repeat(currents.as_of_us, np.diff(np.append(batch.starts, len(batch))))
        applied = np.zeros(len(batch), np.bool_) if carefully else batch.at_us > newer_than
        corrected = np.zeros(len(batch), np.bool_)
        doubtful = np.flatnonzero(~applied)
        await self._copy(batch, applied)
        if len(doubtful):
            columns = self._columns(batch, doubtful)
            for row in await self._connection.fetch(_SQL["upsert_observations"], *columns, self._now_us):
                applied[doubtful[row["position"] - 1]] = True
                corrected[doubtful[row["position"] - 1]] = row["corrected"]
        return applied, corrected

    async def _copy(self, batch: Batch, chosen: Bools) -> None:
        """Write readings that are newer than anything known. Raises AlreadyThere."""
        is_number = ~np.isnan(batch.number)
        has_meta = batch.meta != NO_META
        try:
            for part, names in ((has_meta, _COPIED), (~has_meta, _COPIED[:-1])):
                rows = np.flatnonzero(chosen & is_number & part)
                if len(rows):
                    columns: list[npt.NDArray[Any]] = [
                        batch.series[rows],
                        batch.at_us[rows] - POSTGRES_EPOCH_US,
                        batch.n[rows],
                        batch.number[rows],
                        self._origins[batch.pack[rows]],
                        batch.meta[rows],
                    ]
                    await self._connection.copy_to_table(
                        "observation", source=_once(encode_copy(columns[: len(names)])), columns=names, format="binary"
                    )
            others = np.flatnonzero(chosen & ~is_number)
            if len(others):
                await self._connection.execute(_SQL["insert_observations"], *self._columns(batch, others))
        except asyncpg.UniqueViolationError as error:
            raise AlreadyThere from error

    def _columns(self, batch: Batch, rows: Int64s) -> tuple[list[Any], ...]:
        """Rows as the arrays that statements unnest: series, times, n, numbers, values, metas, origins."""
        return (
            batch.series[rows].tolist(),
            batch.at_us[rows].tolist(),
            batch.n[rows].tolist(),
            [None if number != number else number for number in batch.number[rows].tolist()],
            json_array(map(batch.values.get, rows.tolist())),
            [None if key == NO_META else key for key in batch.meta[rows].tolist()],
            self._origins[batch.pack[rows]].tolist(),
        )

    async def _write_attributes(self, batch: Batch, currents: Currents, settled: Settled) -> None:
        """Move current values forward, and give every changed attribute its version."""
        became = settled.newest >= 0
        for places, name in (
            (became & currents.known, "update_attributes"),
            (became & ~currents.known, "insert_attributes"),
        ):
            chosen = np.flatnonzero(places)
            if len(chosen):
                series, at_us, _, numbers, values, metas, origins = self._columns(batch, settled.newest[chosen])
                arguments = [series, settled.versions[chosen].tolist(), at_us, numbers, values, metas, origins]
                before = [currents.version[chosen].tolist()] if name == "update_attributes" else []
                await self._move(name, len(chosen), *arguments, self._now_us, *before)
        past_only = np.flatnonzero(settled.touched & ~became)
        if len(past_only):
            series = batch.series[batch.starts[past_only]].tolist()
            versions, before = settled.versions[past_only].tolist(), currents.version[past_only].tolist()
            await self._move("update_versions", len(past_only), series, versions, before)

    async def _move(self, query: str, count: int, *arguments: Any) -> None:
        """Write attributes, all of them. Raises AlreadyThere where someone else wrote one in the meantime."""
        written = await self._connection.execute(_SQL[query], *arguments)
        if written.rpartition(" ")[2] != str(count):
            raise AlreadyThere

    async def _revive(self, batch: Batch, currents: Currents, settled: Settled) -> list[EntityEvent]:
        """Bring back the entities whose deleted attributes a newer reading revived."""
        revived = (settled.newest >= 0) & currents.known & (currents.deleted_us != NEVER_US)
        if not revived.any():
            return []
        rows = await self._connection.fetch(_SQL["revive_entities"], batch.series[batch.starts[revived]].tolist())
        return [EntityEvent(row["key"], row["id"], [], "created") for row in rows]

    async def _write_heard(self, heard: Heard) -> None:
        if heard.device:
            await self._connection.execute(
                _SQL["upsert_heard"], heard.device, heard.first_us, heard.last_us, heard.messages
            )

    async def _write_changes(
        self, batch: Batch, packs: list[tuple[int, Pack]], settled: Settled, events: list[EntityEvent]
    ) -> None:
        rows = settled.rows
        if not len(rows):
            return
        changes = ChangeBatch(
            tenant=self._tenant,
            origin_key=int(self._origins[0]),
            kind="pack",
            principal=packs[0][1].gateway,
            at_us=self._now_us,
            series=batch.series[rows].tolist(),
            version=settled.version.tolist(),
            as_of_us=batch.at_us[rows].tolist(),
            value=batch.value_list(rows),
            old=settled.old,
            flags=settled.flags.tolist(),
            packs=[pack.id for _, pack in packs],
            pack=batch.pack[rows].tolist(),
            entry=batch.entry[rows].tolist(),
            entities=events,
        )
        await write_outbox(self._connection, OutboxKind.CHANGES, encode_changes(changes))


def _nothing() -> None:
    """Nothing was made of any attribute."""


async def _once(piece: bytes) -> AsyncIterator[bytes]:
    yield piece
