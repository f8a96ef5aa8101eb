"""What a partition remembers of its attributes is what was learned and kept last, however much comes and goes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.recorder.batch import Batch, Gathered
from broadstreet.recorder.memory import Memory
from broadstreet.recorder.settling import Currents, settle

MAX_SERIES = 6
_values = st.integers(-3, 3).map(float) | st.sampled_from(["a", True])
_batches = st.lists(st.lists(st.tuples(st.integers(1, 9), _values), min_size=1, max_size=8), max_size=12)


@given(_batches)
def test_it_remembers_what_was_kept_last_of_each_series(batches: list[list[tuple[int, float | str | bool]]]) -> None:
    memory = Memory(MAX_SERIES)
    told: dict[int, tuple[int, int, object]] = {}
    """(version, as of, value) of each series, as the database would have it."""
    most = MAX_SERIES
    for at_us, readings in enumerate(batches):
        gathered = Gathered()
        for series, value in readings:
            if not isinstance(value, float):
                gathered.values[len(gathered.series)] = value
            gathered.series.append(series)
            gathered.at_us.append(at_us)
            gathered.n.append(0)
            gathered.number.append(value if isinstance(value, float) else float("nan"))
            gathered.meta.append(0)
            gathered.message.append(0)
        batch = Batch.of(gathered)
        series_keys = batch.series[batch.starts]
        missing = memory.missing(series_keys)
        read = Currents.unknown(len(missing))
        for place, series in enumerate(missing.tolist()):
            if series in told:
                read.known[place] = True
                read.version[place], read.as_of_us[place], stood = told[series]
                if isinstance(stood, float):
                    read.number[place] = stood
                else:
                    read.values[place] = stood
        memory.learn(missing, read)
        currents = memory.recall(series_keys)
        for place, series in enumerate(series_keys.tolist()):
            assert currents.known[place] == (series in told)
            if series in told:
                recalled = currents.values.get(place, float(currents.number[place]))
                assert (currents.version[place], currents.as_of_us[place], recalled) == told[series]
        everything = np.ones(len(batch), np.bool_)
        memory.keep(batch, currents, settle(batch, currents, everything, ~everything))
        for series, value in readings:
            version = told[series][0] if series in told and told[series][1] == at_us else told.get(series, (0,))[0] + 1
            told[series] = (version, at_us, value)
        # A batch with more series than the bound is remembered whole; another adds nothing beyond it.
        most = max(most, len(series_keys))
        assert len(memory) <= most
