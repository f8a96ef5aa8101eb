"""Writing one batch: what is new goes in, what is there is compared, what contradicts its own file is rejected.

the moment is free                               inserted
another origin said the same                     repeated
another origin said something else               corrected: the newer word stays
this file said the same                          repeated
this file said something else, or the moment     rejected: of two rows of one file nobody knows which is right,
is contested between two local times             and two readings are never merged in silence
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np
import numpy.typing as npt

from broadstreet.history import NO_META, Appended, CurrentChange, Observations, append, existing, is_free
from broadstreet.history.observations import Bools, Int32s, Int64s
from broadstreet.importer.readings import Batch, same_moment, values_of
from broadstreet.importer.run import Run, Totals
from broadstreet.importer.times import Decided
from broadstreet.model.change import ChangeBatch, EntityEvent, Flag, encode_changes
from broadstreet.store import OutboxKind, Terms, load_queries, write_outbox

if TYPE_CHECKING:
    from broadstreet.store.database import Connection, Database

NUMBERS_A_ROW: Final = 20_000
TEXTS_A_ROW: Final = 200
"""Changes in one row of the outbox, which leaves as one message: a text may have 16 kB, and what it was before too."""

Verdicts = npt.NDArray[np.int8]
SECOND_VALUE = "a second value for one moment"
TWO_TIMES = "two local times for one moment"

_SQL = load_queries("import_run")
_json = msgspec.json.Encoder(order="deterministic").encode


class Seen:
    """Moments this run has read, of which the store's row carries another origin: the store cannot say it was us."""

    def __init__(self) -> None:
        self._times: dict[int, Int64s] = {}

    def add(self, series_keys: Int32s, at_us: Int64s) -> None:
        """Remember moments."""
        for key in np.unique(series_keys).tolist():
            known = self._times.get(key, np.empty(0, np.int64))
            self._times[key] = np.union1d(known, at_us[series_keys == key])

    def holds(self, series_keys: Int32s, at_us: Int64s) -> Bools:
        """Which of these moments are remembered."""
        found = np.zeros(len(series_keys), np.bool_)
        if self._times:
            for key in np.unique(series_keys).tolist():
                if key in self._times:
                    of_key = series_keys == key
                    found[of_key] = np.isin(at_us[of_key], self._times[key])
        return found


class Verdict(IntEnum):
    """What is to become of a reading."""

    APPEND = 0
    REPEATED = 1
    REJECTED = 2


class BatchWriter:
    """Writes the batches of one run."""

    def __init__(self, run: Run, terms: Terms, database: Database, principal: str) -> None:
        self._run = run
        self._terms = terms
        self._database = database
        self._principal = principal
        self._seen = Seen()

    async def compare(self, connection: Connection, batch: Batch, series_keys: Int32s) -> Verdicts:
        """What is to become of each reading; what is rejected is noted down in the batch."""
        verdicts = np.full(len(batch), Verdict.APPEND, np.int8)
        self._compare_within(batch, verdicts)
        if not await is_free(self._database, connection, series_keys, batch.at_us):
            await self._compare_with_store(connection, batch, series_keys, verdicts)
        return verdicts

    def _compare_within(self, batch: Batch, verdicts: Verdicts) -> None:
        """Readings of one batch at one moment: the first stands."""
        later, first = same_moment(batch)
        values, standing = values_of(batch, later.tolist()), values_of(batch, first.tolist())
        contested = batch.contested
        for index, other, value, stood in zip(later.tolist(), first.tolist(), values, standing, strict=True):
            is_same, line = _json(value) == _json(stood), batch.records[batch.row[other]].line
            verdicts[index] = Verdict.REPEATED if is_same and not contested[index] else Verdict.REJECTED
            if contested[index]:
                batch.reject(index, "", TWO_TIMES, f"line {line} has it already")
            elif not is_same:
                batch.reject(index, "", SECOND_VALUE, f"{value}, where line {line} says {stood}")

    async def _compare_with_store(
        self, connection: Connection, batch: Batch, series_keys: Int32s, verdicts: Verdicts
    ) -> None:
        asked = np.flatnonzero(verdicts == Verdict.APPEND)
        found = await existing(self._database, connection, series_keys[asked], batch.at_us[asked])
        indices = asked[list(found)].tolist()
        said_before, contested = self._seen.holds(series_keys, batch.at_us), batch.contested
        from_elsewhere = []
        for index, value, stood in zip(indices, values_of(batch, indices), found.values(), strict=True):
            is_ours = stood.origin_key == self._run.origin_key or said_before[index]
            is_same = _json(value) == _json(stood.value)
            if is_ours and (contested[index] or not is_same):
                verdicts[index] = Verdict.REJECTED
                reason = TWO_TIMES if contested[index] else SECOND_VALUE
                batch.reject(index, "", reason, f"{value}, where an earlier line says {stood.value}")
            elif is_same:
                verdicts[index] = Verdict.REPEATED
                if not is_ours:
                    from_elsewhere.append(index)
        if from_elsewhere:
            self._seen.add(series_keys[from_elsewhere], batch.at_us[from_elsewhere])

    async def append(
        self, connection: Connection, batch: Batch, series_keys: Int32s, meta_keys: Int32s, at_us: int
    ) -> Appended:
        """Append a batch, and leave its changes in the outbox."""
        metas = meta_keys if bool((meta_keys != NO_META).any()) else None
        observations = Observations(series_keys, batch.at_us, batch.numbers, batch.values, metas)
        done = await append(connection, observations, origin_key=self._run.origin_key, written_at_us=at_us)
        if done.changes:
            revived = await connection.fetch(_SQL["revive"], [change.series_key for change in done.changes])
            events = []
            for row in revived:
                iris = await self._terms.iris(row["types"], connection)
                events.append(EntityEvent(row["key"], row["id"], [iris[key] for key in row["types"]], "created"))
            are_numbers = all(isinstance(change.value, float) for change in done.changes)
            step = NUMBERS_A_ROW if are_numbers else TEXTS_A_ROW
            for start in range(0, len(done.changes), step):
                changes = self._changes(done.changes[start : start + step], events if start == 0 else [], at_us)
                await write_outbox(connection, OutboxKind.CHANGES, encode_changes(changes))
        return done

    def _changes(self, changes: list[CurrentChange], events: list[EntityEvent], at_us: int) -> ChangeBatch:
        """New current values only: a loaded past is no event of the present."""
        return ChangeBatch(
            tenant=self._database.name,
            origin_key=self._run.origin_key,
            kind="import",
            principal=self._principal,
            at_us=at_us,
            series=[change.series_key for change in changes],
            version=[change.version for change in changes],
            as_of_us=[change.as_of_us for change in changes],
            value=[change.value for change in changes],
            old=[change.old for change in changes],
            flags=[int(Flag.CURRENT | (Flag.CREATED if change.created else 0)) for change in changes],
            entities=events,
        )


def counted(totals: Totals, batch: Batch, verdicts: Verdicts, appended: Appended) -> Totals:
    """The totals with a batch added."""
    is_accepted = verdicts != Verdict.REJECTED
    decided = batch.decided[is_accepted]
    return Totals(
        rows_done=totals.rows_done + batch.lines,
        accepted=totals.accepted + int(is_accepted.sum()),
        rejected=totals.rejected + sum(reject.readings for reject in batch.rejects),
        skipped=totals.skipped + batch.empty,
        repeated=totals.repeated + int((verdicts == Verdict.REPEATED).sum()) + appended.repeated,
        corrected=totals.corrected + appended.corrected,
        ambiguous=totals.ambiguous + int(((decided & Decided.AMBIGUOUS) > 0).sum()),
        shifted=totals.shifted + int(((decided & Decided.SHIFTED) > 0).sum()),
        rejects_bytes=totals.rejects_bytes,
    )
