"""What a partition remembers of its attributes between transactions, so that it need not read and lock them each time.

A memory may be out of date: an API may have written meanwhile. So every statement that moves an attribute names the
version it goes out from, and where that is not the one that stands, nothing is applied: the memory is dropped, and the
batch is applied again from what is read under lock. Only committed values enter it.
"""

from __future__ import annotations

from itertools import repeat
from typing import Final

import numpy as np

from broadstreet.recorder.batch import Batch, Int32s, Int64s
from broadstreet.recorder.settling import NEVER_US, Currents, Settled

MAX_SERIES: Final = 1_000_000
"""Series remembered at most; with more, it begins anew. About 60 bytes each, beside a text or an object."""
_FIRST_SIZE = 1024


class Memory:
    """Attributes by series. One for each partition."""

    def __init__(self, max_series: int = MAX_SERIES) -> None:
        self._max_series = max_series
        self._place: dict[int, int] = {}
        self._held = Currents.unknown(_FIRST_SIZE)

    def __len__(self) -> int:
        return len(self._place)

    def forget(self) -> None:
        """Remember nothing."""
        self._place.clear()
        self._held = Currents.unknown(_FIRST_SIZE)

    def missing(self, series: Int32s) -> Int32s:
        """Those of these series that are not remembered; room for them is made."""
        missing = series[self._places(series) < 0]
        if len(missing) and len(self._place) + len(missing) > self._max_series:
            self.forget()
            return series
        return missing

    def learn(self, series: Int32s, currents: Currents) -> None:
        """Remember what was read of series that were missing."""
        first = len(self._place)
        self._grow(first + len(series))
        self._place.update(zip(series.tolist(), range(first, first + len(series)), strict=True))
        self._write(np.arange(first, first + len(series)), currents)

    def recall(self, series: Int32s) -> Currents:
        """What is remembered of series, none of which is missing."""
        places, held = self._places(series), self._held
        values = (
            {at: held.values[place] for at, place in enumerate(places.tolist()) if place in held.values}
            if held.values
            else {}
        )
        return Currents(
            held.known[places],
            held.version[places],
            held.as_of_us[places],
            held.deleted_us[places],
            held.number[places],
            values,
        )

    def keep(self, batch: Batch, currents: Currents, settled: Settled) -> None:
        """Remember what a batch made of its attributes, once that is committed."""
        became = settled.newest >= 0
        rows = settled.newest[became]
        series = batch.series[batch.starts]
        currents.version[:] = settled.versions
        currents.known[became] = True
        currents.as_of_us[became] = batch.at_us[rows]
        currents.deleted_us[became] = NEVER_US
        currents.number[became] = batch.number[rows]
        if currents.values or batch.values:
            for place, row in zip(np.flatnonzero(became).tolist(), rows.tolist(), strict=True):
                currents.values.pop(place, None)
                if row in batch.values:
                    currents.values[place] = batch.values[row]
        self._write(self._places(series), currents)

    def _places(self, series: Int32s) -> Int64s:
        return np.fromiter(map(self._place.get, series.tolist(), repeat(-1)), np.int64, len(series))

    def _grow(self, size: int) -> None:
        held = self._held
        if size > len(held.known):
            grown = Currents.unknown(max(size, 2 * len(held.known)))
            for column in ("known", "version", "as_of_us", "deleted_us", "number"):
                getattr(grown, column)[: len(held.known)] = getattr(held, column)
            grown.values.update(held.values)
            self._held = grown

    def _write(self, places: Int64s, currents: Currents) -> None:
        held = self._held
        for column in ("known", "version", "as_of_us", "deleted_us", "number"):
            getattr(held, column)[places] = getattr(currents, column)
        if held.values or currents.values:
            for at, place in enumerate(places.tolist()):
                held.values.pop(place, None)
                if at in currents.values:
                    held.values[place] = currents.values[at]
