"""An import from beginning to end.

look the file through, check the mapping against it          nothing is written before this holds
find the run, lock it, cut the reject file to its length     a run that was cut off goes on where it was
for each batch, in one transaction:                          readings, changes, counts, all or nothing
say what became of it
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from broadstreet.access import Principal
from broadstreet.history.observations import Int32s
from broadstreet.importer.checking import check_columns, parse_mapping
from broadstreet.importer.mapping import Mapping
from broadstreet.importer.places import Places, mapping_hash, read_places
from broadstreet.importer.readings import Batch, RowReader
from broadstreet.importer.rejects import RejectFile
from broadstreet.importer.run import Run, Totals
from broadstreet.importer.sensors import NO_SENSOR, Sensors
from broadstreet.importer.source import Source, inspect
from broadstreet.importer.table import Table, open_table
from broadstreet.importer.writing import BatchWriter, Verdict, counted
from broadstreet.store import Store

if TYPE_CHECKING:
    from broadstreet.store import Database

Progress = Callable[[Totals, int], None]
"""Told after each batch: the totals, and how many rows the table has, about."""


class Prepared(msgspec.Struct, frozen=True):
    """A table, a mapping and places that fit each other."""

    source: Source
    mapping: Mapping
    mapping_text: str
    places: Places
    table: Table


class ImportReport(msgspec.Struct, frozen=True):
    """
    What became of a file.

    resumed_at: how many rows an earlier, interrupted start had done; 0 for a first one.
    is_repeat:  the file had been imported by this mapping before, and nothing was done.
    rejects:    the reject file; None where nothing was rejected. reasons: how many readings each reason rejected.
    without_place: sensors the table of locations does not know.
    """

    file_name: str
    totals: Totals
    sensors: int
    resumed_at: int
    is_repeat: bool
    rejects: Path | None
    reasons: dict[str, int]
    without_place: list[str]


def prepare(data: Path, mapping_text: str, locations: Path | None = None) -> Prepared:
    """Check a mapping and a file, and each against the other.

    locations: where the table of locations is, if not where the mapping says. Raises InvalidInput, NotFound or
    TooLarge that say what, where and what to do.
    """
    mapping = parse_mapping(mapping_text)
    source = inspect(data, mapping.file.encoding)
    table = open_table(source, mapping.file.encoding, mapping.file.delimiter, mapping.file.columns)
    check_columns(mapping, table.columns, str(data))
    places = read_places(mapping, data, locations)
    return Prepared(source, mapping, mapping_text, places, table)


class Import:
    """One import."""

    def __init__(
        self, store: Store, database: Database, prepared: Prepared, *, principal: Principal, clock: Callable[[], int]
    ) -> None:
        """principal: who imports, with the permission to. clock: microseconds since 1970, now."""
        principal.require("entity:write")
        principal.require("reading:write")
        if prepared.mapping.sensor.device is not None:
            principal.require("device:write")
        self._database = database
        self._store = store
        self._prepared = prepared
        self._principal = principal
        self._clock = clock
        self._sensors = Sensors(store, database, prepared.mapping, prepared.places, principal=principal, clock=clock)

    async def run(self, rejects_folder: Path, on_progress: Progress = lambda totals, rows: None) -> ImportReport:
        """Import what is not imported yet. Killed at any moment, it goes on there when it is run again.

        Raises Conflict where the same import runs already.
        """
        source = self._prepared.source
        digest = mapping_hash(self._prepared.mapping_text, self._prepared.places)
        async with self._database.acquire() as guard:
            run = await self._open(digest)
            await run.lock(guard)
            try:
                # Only now it is certain that nobody else is at it.
                run = await self._open(digest)
                rejects = RejectFile(
                    rejects_folder / f"{run.file_name}.{run.key}.rejects.csv", run.totals.rejects_bytes
                )
                resumed_at, is_repeat = run.totals.rows_done, run.finished_at_us is not None
                if not is_repeat:
                    await self._run(run, rejects, on_progress)
            finally:
                await run.unlock(guard)
        return ImportReport(
            file_name=source.path.name,
            totals=run.totals,
            sensors=len(self._sensors),
            resumed_at=resumed_at,
            is_repeat=is_repeat,
            rejects=rejects.path if run.totals.rejected else None,
            reasons=dict(rejects.reasons.most_common()),
            without_place=self._sensors.without_place,
        )

    async def _open(self, digest: bytes) -> Run:
        return await Run.open(
            self._database, self._prepared.source, digest, principal=self._principal.name, at_us=self._clock()
        )

    async def _run(self, run: Run, rejects: RejectFile, on_progress: Progress) -> None:
        await self._sensors.prepare()
        reader = RowReader(self._prepared.mapping, self._prepared.table)
        writer = BatchWriter(run, self._store.terms(self._database), self._database, self._principal.name)
        if run.totals.repeated:
            await self._read_again(run, reader, writer)
        on_progress(run.totals, self._prepared.table.rows)
        async with aclosing(_ahead(reader.batches(run.totals.rows_done))) as batches:
            async for batch in batches:
                await self._write(run, batch, writer, rejects)
                on_progress(run.totals, self._prepared.table.rows)
        async with self._database.acquire() as connection:
            await run.finish(connection, self._clock())

    async def _read_again(self, run: Run, reader: RowReader, writer: BatchWriter) -> None:
        """Learn again which moments the lines done had said that others had said before."""
        for batch in reader.batches(end=run.totals.rows_done):
            found, series_keys = await self._with_sensors(batch)
            async with self._database.acquire() as connection:
                await writer.compare(connection, found, series_keys)

    async def _write(self, run: Run, batch: Batch, writer: BatchWriter, rejects: RejectFile) -> None:
        batch, series_keys = await self._with_sensors(batch)
        meta_keys = self._sensors.meta_keys(batch.attribute)
        async with self._database.transaction() as connection:
            verdicts = await writer.compare(connection, batch, series_keys)
            new = verdicts == Verdict.APPEND
            appended = await writer.append(
                connection, batch.chosen(new), series_keys[new], meta_keys[new], self._clock()
            )
            totals = counted(run.totals, batch, verdicts, appended)
            rejects.append(sorted(batch.rejects))
            totals.rejects_bytes = rejects.length_bytes
            await run.advance(connection, totals)
        run.totals = totals

    async def _with_sensors(self, batch: Batch) -> tuple[Batch, Int32s]:
        """The batch without readings of sensors that are none, and each reading's series."""
        used = np.unique(batch.sensor)
        sensors = await self._sensors.ensure([batch.sensors[index] for index in used.tolist()])
        width = len(self._prepared.mapping.attributes)
        series = np.zeros((len(batch.sensors), width), np.int32)
        for index, sensor in zip(used.tolist(), sensors, strict=True):
            if sensor.fault is None:
                series[index] = sensor.series
                continue
            for reading in np.flatnonzero(batch.sensor == index).tolist():
                batch.reject(reading, "", NO_SENSOR, f"{sensor.name[:60]!r}: {sensor.fault}")
        keys = series[batch.sensor, batch.attribute]
        good = keys > 0
        return batch.chosen(good), keys[good]


async def _ahead(batches: Iterator[Batch]) -> AsyncGenerator[Batch]:
    """Batches, the next of which is read in a thread while one is worked on."""
    coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
    try:
        while (batch := await coming) is not None:
            coming = asyncio.create_task(asyncio.to_thread(next, batches, None))
            yield batch
    finally:
        await asyncio.wait((coming,))
