"""Appending: the one way observations of a load enter the past, with exact meaning however often it is said.

    nothing there at (series, time)      inserted
    the same value is there              repeated: not applied again, nothing changes
    another value is there               corrected: the newer write stays, `modified_at` says when
    said again later in the same batch   superseded: within a batch the last one counts (a repetition if it is the same)

The newest applied row of each series becomes its current value by the rule of `as_of`: if it is not older than what is
current, and newer than a deletion. Where only the past of a series changed, its version rises all the same, as it does
for a recorder's late reading: whoever keeps something of a series sees by its version that it is not what it was.

What has moved to files (`past`) is not compared here: a row for such a time stands in the table, over what the file
says, until it is merged.

Where no row can meet another, COPY does it; else an upsert. Which one is found out by asking the index, and a race lost
to another writer falls back to the upsert: the result is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import asyncpg
import msgspec
import numpy as np

from broadstreet.history.copy import can_encode, columns_of, encode_observations
from broadstreet.history.observations import NO_META, Int32s, Int64s, Observations
from broadstreet.history.past import is_filed
from broadstreet.store import json_array, load_queries

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from broadstreet.store.database import Connection, Database

COPY_FROM_ROWS: Final = 500
"""Fewer rows than this go through the upsert at once: asking first costs more than it saves."""
UPSERT_ROWS: Final = 20_000
"""Rows a statement: bounds the memory of its arrays."""

_SQL = load_queries("observation")
_json = msgspec.json.Encoder(order="deterministic").encode


class CurrentChange(msgspec.Struct, frozen=True):
    """A series has a new current value. created: it had none before, or was deleted."""

    series_key: int
    version: int
    as_of_us: int
    value: Any
    old: Any
    created: bool


class Appended(msgspec.Struct, frozen=True):
    """What became of a batch; the four counts add up to its rows."""

    inserted: int
    corrected: int
    repeated: int
    superseded: int
    changes: list[CurrentChange]
    """New current values, by series."""


async def append(
    connection: Connection, observations: Observations, *, origin_key: int, written_at_us: int
) -> Appended:
    """Append a batch inside the caller's transaction, under an origin it wrote.

    The changes are the caller's to leave in the outbox. Any size is right; some ten thousand rows at a time, sorted by
    series, go fastest. Raises asyncpg's ForeignKeyViolationError for a series that does not exist.
    """
    if len(observations) == 0:
        return Appended(0, 0, 0, 0, [])
    batch, repeated, superseded = _deduplicated(observations)
    starts = _series_starts(batch)
    keys = batch.series_keys[starts].tolist()
    await connection.execute(_SQL["lock_current"], keys)
    if await _copied(connection, batch, origin_key):
        inserted, corrected = len(batch), 0
        newest = np.append(starts[1:], len(batch)) - 1
    else:
        inserted, corrected, newest = await _upserted(connection, batch, origin_key, written_at_us)
    changes = await _make_current(connection, batch.take(newest), origin_key, written_at_us)
    past_only = np.setdiff1d(batch.series_keys[newest], [change.series_key for change in changes])
    if len(past_only):
        await connection.execute(_SQL["raise_versions"], past_only.tolist())
    repeated += len(batch) - inserted - corrected
    return Appended(inserted, corrected, repeated, superseded, changes)


def _deduplicated(observations: Observations) -> tuple[Observations, int, int]:
    """The batch in order of (series, time), one row for each; how many said the same again; how many something else."""
    keys, times = observations.series_keys, observations.observed_at_us
    order = np.lexsort((times, keys))
    same = (keys[order][1:] == keys[order][:-1]) & (times[order][1:] == times[order][:-1])
    if not same.any():
        return observations.take(order), 0, 0
    is_last = np.append(~same, True)
    last = order[is_last]
    standing = last[np.cumsum(np.append(True, is_last[:-1])) - 1]
    dropped, winners = order[~is_last], standing[~is_last]
    pairs = zip(dropped.tolist(), winners.tolist(), strict=True)
    repeated = sum(_json(observations.value(row)) == _json(observations.value(winner)) for row, winner in pairs)
    return observations.take(last), repeated, len(dropped) - repeated


def _series_starts(batch: Observations) -> Int64s:
    """The first row of each series in a sorted batch."""
    return np.flatnonzero(np.append(True, batch.series_keys[1:] != batch.series_keys[:-1])).astype(np.int64)


async def is_free(database: Database, connection: Connection, series_keys: Int32s, observed_at_us: Int64s) -> bool:
    """Whether nothing stands yet between the first and the last of these moments of each series.

    What has moved to files is not looked into: where a file holds anything of these days, something may stand.
    """
    if len(series_keys) == 0:
        return True
    if await is_filed(database, int(observed_at_us.min()), int(observed_at_us.max()) + 1):
        return False
    return await _is_free(connection, series_keys, observed_at_us)


async def _is_free(connection: Connection, series_keys: Int32s, observed_at_us: Int64s) -> bool:
    """The same of the table alone."""
    order = np.lexsort((observed_at_us, series_keys))
    keys, times = series_keys[order], observed_at_us[order]
    first = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
    last = np.append(first[1:], len(keys)) - 1
    return not await connection.fetchval(
        _SQL["overlaps"], keys[first].tolist(), times[first].tolist(), times[last].tolist()
    )


async def _copied(connection: Connection, batch: Observations, origin_key: int) -> bool:
    """Whether COPY could take the batch: nothing stands in the spans it covers."""
    if len(batch) < COPY_FROM_ROWS or not can_encode(batch):
        return False
    if not await _is_free(connection, batch.series_keys, batch.observed_at_us):
        return False

    async def source() -> AsyncIterator[bytes]:
        yield encode_observations(batch, origin_key)

    try:
        async with connection.transaction():
            await connection.copy_to_table("observation", source=source(), columns=columns_of(batch), format="binary")
    except asyncpg.UniqueViolationError:
        return False
    return True


async def _upserted(
    connection: Connection, batch: Observations, origin_key: int, written_at_us: int
) -> tuple[int, int, Int64s]:
    """Inserted, corrected, and for each series that changed the row of its newest change."""
    inserted = corrected = 0
    newest: dict[int, int] = {}
    for start in range(0, len(batch), UPSERT_ROWS):
        part = batch.take(np.arange(start, min(start + UPSERT_ROWS, len(batch))))
        for row in await connection.fetch(_SQL["upsert"], *_arrays(part), origin_key, written_at_us):
            inserted += row["inserted"]
            corrected += row["corrected"]
            newest[row["series_key"]] = row["newest"]
    rows = [_find(batch, key, at_us) for key, at_us in sorted(newest.items())]
    return inserted, corrected, np.array(rows, np.int64)


def _find(batch: Observations, series_key: int, at_us: int) -> int:
    """The row of a sorted batch at (series, time)."""
    first, end = np.searchsorted(batch.series_keys, [series_key, series_key + 1])
    return int(first + np.searchsorted(batch.observed_at_us[first:end], at_us))


async def _make_current(
    connection: Connection, newest: Observations, origin_key: int, written_at_us: int
) -> list[CurrentChange]:
    if len(newest) == 0:
        return []
    rows = await connection.fetch(_SQL["make_current"], *_arrays(newest), origin_key, written_at_us)
    return [
        CurrentChange(
            series_key=row["series_key"],
            version=row["version"],
            as_of_us=row["as_of"],
            value=row["value"] if row["number"] is None else row["number"],
            old=row["old_value"] if row["old_number"] is None else row["old_number"],
            created=row["created"],
        )
        for row in rows
    ]


def _arrays(part: Observations) -> tuple[list[Any], ...]:
    """A part as the arrays its statements unnest: keys, times, numbers, values, metas."""
    count = len(part)
    if part.values is None:
        numbers: list[float | None] = part.numbers.tolist()
        values: list[msgspec.Raw | None] = [None] * count
    else:
        numbers = [None if number != number else number for number in part.numbers.tolist()]
        pairs = zip(numbers, part.values, strict=True)
        values = json_array(value if number is None else None for number, value in pairs)
    metas: list[int | None] = [None] * count
    if part.meta_keys is not None:
        metas = [None if key == NO_META else key for key in part.meta_keys.tolist()]
    return part.series_keys.tolist(), part.observed_at_us.tolist(), numbers, values, metas
