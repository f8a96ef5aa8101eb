"""What becomes current: the columns say what a plain reading of the rules says, one reading after the other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.model.change import Flag
from broadstreet.recorder.batch import Batch, Gathered
from broadstreet.recorder.settling import NEVER_US, Currents, settle


class Stood(NamedTuple):
    """An attribute before the batch."""

    version: int
    as_of_us: int
    deleted_us: int | None
    value: Any


_values = st.integers(-3, 3).map(float) | st.sampled_from(["a", "b", True])
_readings = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 8), st.integers(0, 1), _values), min_size=1)
_stood = st.dictionaries(
    st.integers(1, 4),
    st.builds(
        lambda version, as_of_us, is_deleted, value: Stood(version, as_of_us, as_of_us if is_deleted else None, value),
        st.integers(1, 9),
        st.integers(0, 8),
        st.booleans(),
        _values,
    ),
)


def gathered(readings: list[tuple[int, int, int, Any]]) -> Gathered:
    found = Gathered()
    for message, (series, at_us, n, value) in enumerate(readings):
        if not isinstance(value, float):
            found.values[len(found.series)] = value
        found.series.append(series)
        found.at_us.append(at_us)
        found.n.append(n)
        found.number.append(value if isinstance(value, float) else float("nan"))
        found.meta.append(0)
        found.message.append(message)
    return found


def currents_of(batch: Batch, stood: dict[int, Stood]) -> Currents:
    currents = Currents.unknown(len(batch.starts))
    for place, series in enumerate(batch.series[batch.starts].tolist()):
        if series in stood:
            one = stood[series]
            currents.known[place] = True
            currents.version[place], currents.as_of_us[place] = one.version, one.as_of_us
            currents.deleted_us[place] = NEVER_US if one.deleted_us is None else one.deleted_us
            if isinstance(one.value, float):
                currents.number[place] = one.value
            else:
                currents.values[place] = one.value
    return currents


@given(_readings)
def test_a_batch_keeps_what_was_said_last_of_each_moment(readings: list[tuple[int, int, int, Any]]) -> None:
    batch = Batch.of(gathered(readings))
    last = {(series, at_us, n): (value, message) for message, (series, at_us, n, value) in enumerate(readings)}
    keys = list(zip(batch.series.tolist(), batch.at_us.tolist(), batch.n.tolist(), strict=True))
    assert keys == sorted(last)
    rows = np.arange(len(batch))
    assert list(zip(batch.value_list(rows), batch.entry.tolist(), strict=True)) == [last[key] for key in keys]
    assert batch.repeated == len(readings) - len(last)


@given(_readings, _stood, st.data())
def test_versions_flags_and_old_values_follow_the_rules(
    readings: list[tuple[int, int, int, Any]], stood: dict[int, Stood], data: st.DataObject
) -> None:
    batch = Batch.of(gathered(readings))
    length = len(batch)
    applied = data.draw(st.lists(st.booleans(), min_size=length, max_size=length))
    corrected = [a and data.draw(st.booleans()) for a in applied]
    settled = settle(batch, currents_of(batch, stood), np.array(applied), np.array(corrected))

    expected: list[tuple[int, int, int, Any]] = []
    versions = {series: stood[series].version if series in stood else 0 for series in batch.series.tolist()}
    newest: dict[int, int] = {}
    values = batch.value_list(np.arange(length))
    for row, series in enumerate(batch.series.tolist()):
        if not applied[row]:
            continue
        before = stood.get(series)
        versions[series] += 1
        flags, old = (Flag.CORRECTED if corrected[row] else 0), None
        at_us = int(batch.at_us[row])
        is_late = before is not None and at_us < before.as_of_us
        is_behind_deletion = before is not None and before.deleted_us is not None and at_us <= before.deleted_us
        if not is_late and not is_behind_deletion:
            flags |= Flag.CURRENT
            if series in newest:
                old = values[newest[series]]
            elif before is None or before.deleted_us is not None:
                flags |= Flag.CREATED
            else:
                old = before.value
            newest[series] = row
        expected.append((row, versions[series], int(flags), old))
    assert (
        list(zip(settled.rows.tolist(), settled.version.tolist(), settled.flags.tolist(), settled.old, strict=True))
        == expected
    )
    series = batch.series[batch.starts].tolist()
    assert settled.newest.tolist() == [newest.get(one, -1) for one in series]
    assert settled.versions.tolist() == [versions[one] for one in series]
    changed = {int(batch.series[row]) for row in range(length) if applied[row]}
    assert settled.touched.tolist() == [one in changed for one in series]
