"""From rows to readings: columns that can be stored, and whatever cannot, with its reason.

A reading is a cell of a value column. Of every cell one of three things becomes: it is accepted, it is rejected, or it
is empty and the mapping skips such. A row that is wrong as a whole rejects all its cells. Nothing here knows the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from operator import itemgetter
from typing import Final, NamedTuple, Self

import numpy as np

from broadstreet.history.observations import Bools, Floats, Int32s, Int64s
from broadstreet.importer.cells import EMPTY, GOOD, WRONG, CellReader, Cells
from broadstreet.importer.mapping import Form, Mapping, OnEmpty
from broadstreet.importer.table import BLANK, Record, Table
from broadstreet.importer.times import Decided, NoMoment, TimeReader

BATCH_READINGS: Final = 50_000
"""Cells a batch, and so a transaction."""


class Reject(NamedTuple):
    """Readings that were not taken. column: which cell it was; empty where it is the row as a whole."""

    line: int
    column: str
    readings: int
    reason: str
    detail: str
    original: str


@dataclass(slots=True)
class Batch:
    """
    Some rows' worth of readings, in columns, by row and then by column.

    lines:     how many lines of the file it took, those that are no rows among them.
    records:   its rows; `row` points into them.
    sensors:   the sensors' ids; `sensor` points into them. `attribute` counts as the mapping does.
    decided:   what the policy had to say about each moment (times.Decided).
    """

    lines: int
    records: list[Record]
    sensors: list[str]
    row: Int32s
    sensor: Int32s
    attribute: Int32s
    at_us: Int64s
    numbers: Floats
    values: list[object] | None
    decided: Int32s
    rejects: list[Reject] = field(default_factory=list)
    empty: int = 0

    def __len__(self) -> int:
        return len(self.row)

    @property
    def contested(self) -> Bools:
        """Whether another local time may mean the same moment."""
        return (self.decided & Decided.CONTESTED) > 0

    def reject(self, index: int, column: str, reason: str, detail: str) -> None:
        """Note one of the readings down as rejected; it stays in its place until others are `chosen`."""
        record = self.records[self.row[index]]
        self.rejects.append(Reject(record.line, column, 1, reason, detail, record.text))

    def chosen(self, which: Bools) -> Self:
        """A batch of these readings alone."""
        values = None
        if self.values is not None:
            values = [value for value, stays in zip(self.values, which.tolist(), strict=True) if stays]
        columns = ("row", "sensor", "attribute", "at_us", "numbers", "decided")
        return replace(self, values=values, **{name: getattr(self, name)[which] for name in columns})


class RowReader:
    """Reads a table by a mapping."""

    def __init__(self, mapping: Mapping, table: Table, *, unscaled: bool = False) -> None:
        """unscaled: numbers as the table has them, as a device would send them for its profile to scale."""
        self._mapping = mapping
        self._table = table
        self._times = TimeReader(mapping)
        place = {name: index for index, name in enumerate(table.columns)}
        self._time = None if mapping.time.column is None else place[mapping.time.column]
        attributes = mapping.attributes.values()
        self._cells = [CellReader(attribute, mapping.file, unscaled=unscaled) for attribute in attributes]
        self._wide = mapping.file.form is Form.WIDE
        if self._wide:
            self._columns = mapping.sensor_columns(table.columns)
        else:
            self._columns = [attribute.column or "" for attribute in attributes]
        self._take = itemgetter(*(place[name] for name in self._columns))
        self._sensor = None if mapping.sensor.column is None else place[mapping.sensor.column]

    @property
    def width(self) -> int:
        """Readings a row."""
        return len(self._columns)

    def batches(self, skip: int = 0, end: int | None = None) -> Iterator[Batch]:
        """The lines below the header from behind the first `skip` to the `end`-th, batch by batch."""
        records = islice(self._table.records(skip), None if end is None else max(end - skip, 0))
        rows = max(BATCH_READINGS // self.width, 1)
        done = skip
        while taken := list(islice(records, rows)):
            yield self._batch(taken, done)
            done += len(taken)

    def _batch(self, taken: list[Record], done: int) -> Batch:
        rejects: list[Reject] = []
        records, moments, decided = [], [], []
        for number, record in enumerate(taken, done):
            if record.fault is not None:
                if self._time is None or record.fault != BLANK:
                    rejects.append(self._whole(record, "not a row", record.fault))
                continue
            moment = self._times.of_row(number) if self._time is None else self._times.read(record.cells[self._time])
            if isinstance(moment, NoMoment):
                rejects.append(self._whole(record, *moment))
                continue
            records.append(record)
            moments.append(moment.at_us)
            decided.append(moment.decided)
        batch = self._columned(records, np.array(moments, np.int64), np.array(decided, np.int32))
        batch.lines = len(taken)
        batch.rejects += rejects
        return batch

    def _whole(self, record: Record, reason: str, detail: str) -> Reject:
        return Reject(record.line, "", self.width, reason, detail, record.text)

    def _columned(self, records: list[Record], at_us: Int64s, decided: Int32s) -> Batch:
        count, width = len(records), self.width
        sensors, sensor = self._sensors(records)
        attribute = np.zeros(width, np.int32) if self._wide else np.arange(width, dtype=np.int32)
        row = np.repeat(np.arange(count, dtype=np.int32), width)
        found = self._read_cells(records)
        batch = Batch(
            lines=0,
            records=records,
            sensors=sensors,
            row=row,
            sensor=sensor,
            attribute=np.tile(attribute, count),
            at_us=at_us[row] if count else np.empty(0, np.int64),
            numbers=found.numbers,
            values=found.values,
            decided=decided[row] if count else np.empty(0, np.int32),
        )
        return batch.chosen(self._judged(batch, found))

    def _sensors(self, records: list[Record]) -> tuple[list[str], Int32s]:
        """The sensors' ids, and which of them each reading is of."""
        if self._wide:
            return self._columns, np.tile(np.arange(self.width, dtype=np.int32), len(records))
        place: dict[str, int] = {}
        if self._sensor is None:
            place[self._mapping.sensor.id or ""] = 0
            of_row = np.zeros(len(records), np.int32)
        else:
            column = self._sensor
            names = [record.cells[column].strip() for record in records]
            of_row = np.array([place.setdefault(name, len(place)) for name in names], np.int32)
        return list(place), np.repeat(of_row, self.width)

    def _read_cells(self, records: list[Record]) -> Cells:
        """All cells, by row and then by column."""
        if self._wide or self.width == 1:
            rows = [self._take(record.cells) for record in records]
            texts = rows if self.width == 1 else [cell for row in rows for cell in row]
            return self._cells[0].read(texts)
        columns = list(zip(*(self._take(record.cells) for record in records), strict=True))
        columns = columns or [()] * self.width
        return Cells.interleaved([reader.read(list(c)) for reader, c in zip(self._cells, columns, strict=True)])

    def _judged(self, batch: Batch, found: Cells) -> Bools:
        """Which readings are good; the others are noted down as rejected, or as empty."""
        good: Bools = found.state == GOOD
        skip_empty = self._mapping.on_empty is OnEmpty.SKIP
        for index in np.flatnonzero(~good).tolist():
            column = self._columns[index % self.width]
            if found.state[index] == WRONG:
                batch.reject(index, column, *found.faults[index])
            elif found.state[index] == EMPTY and skip_empty:
                batch.empty += 1
            else:
                batch.reject(index, column, "empty", "")
        return good


def same_moment(batch: Batch) -> tuple[Int64s, Int64s]:
    """(later, first): of readings at one moment of one series, each but the first, and the first of them."""
    order = np.lexsort((np.arange(len(batch)), batch.at_us, batch.attribute, batch.sensor))
    same = np.ones(max(len(batch) - 1, 0), np.bool_)
    for column in (batch.sensor, batch.attribute, batch.at_us):
        same &= column[order][1:] == column[order][:-1]
    later = np.flatnonzero(np.append(False, same)) if len(batch) else np.empty(0, np.int64)
    group = np.flatnonzero(np.append(True, ~same)) if len(batch) else np.empty(0, np.int64)
    first = group[np.searchsorted(group, later, side="right") - 1] if len(later) else later
    return order[later], order[first]


def values_of(batch: Batch, indices: Sequence[int]) -> list[object]:
    """The readings' values: floats, or what else was read."""
    if batch.values is None:
        return [float(batch.numbers[index]) for index in indices]
    return [float(batch.numbers[index]) if batch.values[index] is None else batch.values[index] for index in indices]
