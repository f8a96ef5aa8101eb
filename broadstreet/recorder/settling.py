"""What becomes current: a batch's applied readings beside what stood there, by the rules of versions and time.

    every applied reading       gives its attribute one version more
    one that is not older       than what was current, and newer than a deletion, becomes current
    one that came after another of the same batch has that one as its old value

No I/O: columns in, columns out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from broadstreet.model.change import Flag
from broadstreet.recorder.batch import Batch, Floats, Int64s

NEVER_US: Final = -(2**63)
"""Before all times: when an attribute that is not known was current, and one that is not deleted was deleted."""
# Plain integers: the arithmetic of IntFlag costs a tenth of the whole.
_CURRENT, _CREATED, _CORRECTED = int(Flag.CURRENT), int(Flag.CREATED), int(Flag.CORRECTED)

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Currents:
    """The attributes of a batch's series as they stand, in the batch's order of series.

    An unknown one has version 0. number: NaN where `values`, by place, has the value.
    """

    known: Bools
    version: Int64s
    as_of_us: Int64s
    deleted_us: Int64s
    number: Floats
    values: dict[int, Any]

    @classmethod
    def unknown(cls, count: int) -> Self:
        """None of them is known; to be filled in."""
        return cls(
            np.zeros(count, np.bool_),
            np.zeros(count, np.int64),
            np.full(count, NEVER_US, np.int64),
            np.full(count, NEVER_US, np.int64),
            np.full(count, np.nan),
            {},
        )


@dataclass(frozen=True, slots=True, eq=False)
class Settled:
    """rows, version, flags, old: of each applied reading, in the batch's order.

    newest: for each series the row that is current now, -1 where none became so. versions: for each series its version
    now. touched: whether anything of it was applied.
    """

    rows: Int64s
    version: Int64s
    flags: Int64s
    old: list[Any]
    newest: Int64s
    versions: Int64s
    touched: Bools


def settle(batch: Batch, currents: Currents, applied: Bools, corrected: Bools) -> Settled:
    """Apply the rules. applied, corrected: by row; what was corrected was applied."""
    starts = batch.starts
    rows = np.arange(len(batch))
    lengths = np.diff(np.append(starts, len(batch)))
    group = np.repeat(np.arange(len(starts)), lengths)
    counts = np.cumsum(applied)
    rank: Int64s = counts - (counts[starts] - applied[starts])[group]
    is_current = applied & (batch.at_us > currents.deleted_us[group]) & (batch.at_us >= currents.as_of_us[group])
    current_row = np.where(is_current, rows, -1)
    before = np.maximum.accumulate(np.append(-1, current_row[:-1]))
    has_before = before >= starts[group]
    stood = currents.known & (currents.deleted_us == NEVER_US)
    is_created = is_current & ~has_before & ~stood[group]
    flags = is_current * _CURRENT + is_created * _CREATED + corrected * _CORRECTED
    chosen = np.flatnonzero(applied)
    return Settled(
        rows=chosen,
        version=(currents.version[group] + rank)[chosen],
        flags=flags[chosen],
        old=_old(batch, currents, chosen, group, np.where(has_before, before, -1), is_current & ~is_created),
        newest=np.maximum.reduceat(current_row, starts),
        versions=currents.version + np.add.reduceat(applied.astype(np.int64), starts),
        touched=np.logical_or.reduceat(applied, starts),
    )


def _old(batch: Batch, currents: Currents, rows: Int64s, group: Int64s, before: Int64s, has_old: Bools) -> list[Any]:
    """What each of these rows replaced: the row before it, or else what was current; None where it replaced nothing."""
    by_row = before[rows]
    number = np.where(by_row >= 0, batch.number[by_row], currents.number[group[rows]])
    found: list[Any] = number.tolist()
    for place in np.flatnonzero(np.isnan(number) | ~has_old[rows]).tolist():
        row = int(rows[place])
        if not has_old[row]:
            found[place] = None
        elif by_row[place] >= 0:
            found[place] = batch.values[int(by_row[place])]
        else:
            found[place] = currents.values.get(int(group[row]))
    return found
