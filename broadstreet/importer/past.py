"""A past for devices that have none: a city begins to be watched, and its charts are not empty.

In comes, profile by profile, what devices would have said at some moments, in columns. Of each device only what lies
before the first observation it has is taken, so that nothing known is touched and doing it again changes nothing. It
goes in by COPY, some devices a transaction, in series order, over two connections; each transaction is whole:
observations, current values, when the devices were heard, and the changes for whoever listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
import numpy as np

from broadstreet.devices import ProfileVersion, Registry
from broadstreet.history import Observations, append, read
from broadstreet.history.observations import Bools, Floats, Int64s
from broadstreet.model.change import ChangeBatch, Flag, encode_changes
from broadstreet.model.entity import meta_hash
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.store import OutboxKind, Store, load_queries, write_origin, write_outbox

if TYPE_CHECKING:
    from broadstreet.history import Appended
    from broadstreet.store import Database
    from broadstreet.store.database import Connection

KIND: Final = "simulated"
"""The kind of origin that a made-up past has."""
BATCH_OBSERVATIONS: Final = 100_000
"""About how many observations a transaction takes."""
CONNECTIONS: Final = 2

_DEVICE_SQL = load_queries("device")
_HEARD_SQL = load_queries("recorder")


class Past(Protocol):
    """What n devices of one profile said at m moments; fields and `said` have the shape (n, m)."""

    @property
    def profile(self) -> str: ...
    @property
    def device_ids(self) -> Sequence[str]: ...
    @property
    def times_us(self) -> Int64s: ...
    @property
    def fields(self) -> Mapping[str, Floats]: ...
    @property
    def said(self) -> Bools: ...


class Loaded(msgspec.Struct, frozen=True):
    """What became of a past. untouched: devices that had one already, or said nothing."""

    observations: int
    devices: int
    untouched: int


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one profile's fields become observations: for each its series by entity, its unit's meta key, its scale."""

    profile: ProfileVersion
    terms: Mapping[str, int]
    metas: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class _Device:
    """One row of a past: the device, its series in the order of the profile's attributes, the moments it has to say."""

    key: int
    series: Sequence[int]
    row: int
    said: Bools


class PastLoader:
    """Gives devices of one tenant a past."""

    def __init__(self, store: Store, database: Database, *, principal: str, at_us: int, note: str) -> None:
        """principal: who does it. at_us: when. note: what the origin says of it."""
        self._store = store
        self._database = database
        self._registry = Registry(store)
        self._principal = principal
        self._at_us = at_us
        self._note = note

    async def load(self, pasts: Iterable[Past], on_progress: Callable[[int], None] = lambda count: None) -> Loaded:
        """
        Load what is missing of these pasts.

        on_progress: told how many observations went in, transaction by transaction.
        Raises NotFound for a profile or device that is not registered, InvalidInput for a field that the profile does
        not know or that does not hold numbers.
        """
        observations = devices = untouched = 0
        for past in pasts:
            plan = await self._plan(past.profile, past.fields)
            found = await self._devices(past, plan)
            untouched += len(past.device_ids) - len(found)
            devices += len(found)
            batches = iter(_batches(found))

            async def work(past: Past = past, plan: _Plan = plan, batches: Iterator[list[_Device]] = batches) -> int:
                loaded = 0
                for batch in batches:
                    count = await self._apply(past, plan, batch)
                    on_progress(count)
                    loaded += count
                return loaded

            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(work()) for _ in range(CONNECTIONS)]
            observations += sum(worker.result() for worker in workers)
        return Loaded(observations, devices, untouched)

    async def _plan(self, name: str, fields: Iterable[str]) -> _Plan:
        version = await self._registry.profile(self._database, name)
        attributes = version.profile.attributes
        for attribute, mapping in attributes.items():
            if mapping.field not in fields or mapping.type != "number":
                raise InvalidInput(
                    f"the past has no numbers for the field {mapping.field!r}",
                    where=f"attributes.{attribute} of the profile {name}",
                    remedy="Give a past whose fields are those of the profile.",
                )
        terms = await self._store.terms(self._database).intern(version.profile.iris)
        units = {mapping.unit for mapping in attributes.values() if mapping.unit is not None}
        return _Plan(version, terms, await self._unit_keys(sorted(units)))

    async def _unit_keys(self, units: Sequence[str]) -> dict[str, int]:
        bodies = [{"unitCode": unit} for unit in units]
        hashes = [meta_hash(body) for body in bodies]
        async with self._database.transaction() as connection:
            await connection.execute(_DEVICE_SQL["upsert_meta"], bodies, hashes)
            rows = await connection.fetch(_DEVICE_SQL["meta_keys"], hashes)
        keys = {bytes(row["hash"]): int(row["key"]) for row in rows}
        return {unit: keys[digest] for unit, digest in zip(units, hashes, strict=True)}

    async def _devices(self, past: Past, plan: _Plan) -> list[_Device]:
        """The devices of a past that have something to say before the first that is known of them, by series."""
        rows = await self._database.fetch(_DEVICE_SQL["existing_devices"], list(past.device_ids))
        keys = {row["id"]: int(row["key"]) for row in rows}
        if missing := [name for name in past.device_ids if name not in keys]:
            raise NotFound(f"there is no device {missing[0]!r}", remedy="Register the devices first.")
        plans = await self._database.fetch(_DEVICE_SQL["plans"], list(keys.values()))
        entities = {int(row["key"]): int(row["entity_key"]) for row in plans}
        iris = plan.profile.profile.iris
        terms = [plan.terms[iri] for iri in iris]
        series_rows = await self._database.fetch(_DEVICE_SQL["series_keys"], list(entities.values()), terms)
        series = {(row["entity_key"], row["term_key"]): int(row["key"]) for row in series_rows}
        known = await self._first_known(past, sorted(series.values()))
        devices = []
        for row, name in enumerate(past.device_ids):
            own = [series[entities[keys[name]], term] for term in terms]
            first_us = min((known[key] for key in own if key in known), default=None)
            said = past.said[row] if first_us is None else past.said[row] & (past.times_us < first_us)
            if said.any():
                devices.append(_Device(keys[name], own, row, said))
        return sorted(devices, key=lambda device: device.series[0])

    async def _first_known(self, past: Past, series_keys: Sequence[int]) -> dict[int, int]:
        """When the first observation of each series stands, from the past's beginning on."""
        if not len(past.times_us):
            return {}
        begin_us, end_us = int(past.times_us.min()), int(past.times_us.max()) + 1
        rows = await read(self._database, series_keys, begin_us, end_us, limit=1)
        return {row.series_key: row.observed_at_us for row in rows}

    async def _apply(self, past: Past, plan: _Plan, devices: Sequence[_Device]) -> int:
        """One transaction: some devices' past."""
        observations = _observations(past, plan, devices)
        async with self._database.transaction() as connection:
            origin_key = await write_origin(connection, KIND, self._principal, self._at_us, self._note)
            appended = await append(connection, observations, origin_key=origin_key, written_at_us=self._at_us)
            await connection.execute(_HEARD_SQL["upsert_heard"], *_heard(past, devices))
            await self._write_changes(connection, origin_key, appended)
        return appended.inserted

    async def _write_changes(self, connection: Connection, origin_key: int, appended: Appended) -> None:
        current = int(Flag.CURRENT)
        changes = ChangeBatch(
            tenant=self._database.name,
            origin_key=origin_key,
            kind=KIND,
            principal=self._principal,
            at_us=self._at_us,
            series=[change.series_key for change in appended.changes],
            version=[change.version for change in appended.changes],
            as_of_us=[change.as_of_us for change in appended.changes],
            value=[change.value for change in appended.changes],
            old=[change.old for change in appended.changes],
            flags=[current | (int(Flag.CREATED) if change.created else 0) for change in appended.changes],
        )
        await write_outbox(connection, OutboxKind.CHANGES, encode_changes(changes))


def _batches(devices: Sequence[_Device]) -> Iterator[list[_Device]]:
    """Devices in portions of about BATCH_OBSERVATIONS."""
    batch: list[_Device] = []
    count = 0
    for device in devices:
        batch.append(device)
        count += int(device.said.sum()) * len(device.series)
        if count >= BATCH_OBSERVATIONS:
            yield batch
            batch, count = [], 0
    if batch:
        yield batch


def _observations(past: Past, plan: _Plan, devices: Sequence[_Device]) -> Observations:
    """Some devices' past as observations, series by series."""
    mappings = list(plan.profile.profile.attributes.values())
    keys, times, numbers, metas = [], [], [], []
    for device in devices:
        at_us = past.times_us[device.said]
        for series_key, mapping in zip(device.series, mappings, strict=True):
            keys.append(np.full(len(at_us), series_key, np.int32))
            times.append(at_us)
            numbers.append(past.fields[mapping.field][device.row][device.said] * mapping.scale + mapping.offset)
            metas.append(np.full(len(at_us), plan.metas[mapping.unit] if mapping.unit else 0, np.int32))
    return Observations(
        np.concatenate(keys), np.concatenate(times), np.concatenate(numbers), None, np.concatenate(metas)
    )


def _heard(past: Past, devices: Sequence[_Device]) -> tuple[list[int], list[int], list[int], list[int]]:
    """Device keys, first and last times, and messages, as the heard table takes them."""
    times = [past.times_us[device.said] for device in devices]
    return (
        [device.key for device in devices],
        [int(said[0]) for said in times],
        [int(said[-1]) for said in times],
        [len(said) for said in times],
    )
