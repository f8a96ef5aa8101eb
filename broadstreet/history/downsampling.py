"""Fewer points with the same shape, for a line chart.

The method is M4: U. Jugel, Z. Jerzak, G. Hackenbroich, V. Markl, "M4: A Visualization-Oriented Time Series Data
Aggregation", PVLDB 7(10), 2014. The range is cut into equal stretches of time, and of each the first, the last, the
least and the greatest point stay, at their own times. Drawn with one stretch a column of pixels, the line is the same
to the pixel as one through all points; no peak is lost at any size, which largest-triangle methods do not promise.

Points are read as columns and reduced with numpy: 105,120 of them to 800 took 25 ms here, of which 2 ms are the
reduction; the same in SQL took 35 ms without the gaps, which need every point anyway.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from broadstreet.history.observations import Bools, Floats, Int64s
from broadstreet.history.reading import MAX_POINTS, Points, read_range
from broadstreet.model.errors import InvalidQuery, TooLarge

if TYPE_CHECKING:
    from broadstreet.store.database import Database

DEFAULT_CHART_POINTS: Final = 800
MAX_CHART_POINTS: Final = 4_000
POINTS_A_STRETCH: Final = 4
GAP_STEPS: Final = 2.5
"""Without a word for longer than this many usual steps is a gap."""


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """
    at_us, values: the points that stay, oldest first.
    low, high:     for each of them the extremes of its stretch; empty where every point stayed.
    gaps_us:       (last before, first after) of each gap.
    count:         how many points the range holds.
    """

    at_us: Int64s
    values: Floats
    low: Floats
    high: Floats
    gaps_us: list[tuple[int, int]]
    count: int

    @property
    def is_raw(self) -> bool:
        """Whether every point stayed."""
        return len(self.at_us) == self.count


async def downsample(
    database: Database, series_key: int, from_us: int, to_us: int, points: int = DEFAULT_CHART_POINTS
) -> Chart:
    """A series in [from_us, to_us) as at most `points` points, with its gaps.

    points: 4 to MAX_CHART_POINTS. Raises InvalidQuery, and TooLarge where the range holds over MAX_POINTS.
    """
    if not POINTS_A_STRETCH <= points <= MAX_CHART_POINTS:
        raise InvalidQuery(f"a chart has {POINTS_A_STRETCH} to {MAX_CHART_POINTS} points", where="points")
    found = await read_range(database, series_key, from_us, to_us, MAX_POINTS + 1)
    if len(found) > MAX_POINTS:
        raise TooLarge(
            f"the range holds more than {MAX_POINTS} observations", remedy="Ask for a shorter range, or for aggregates."
        )
    return await asyncio.to_thread(chart, found, from_us, to_us, points)


def chart(found: Points, from_us: int, to_us: int, points: int) -> Chart:
    """The same from points in hand, sorted by time and within [from_us, to_us)."""
    gaps_us = gaps(found.at_us)
    if len(found) <= points:
        nothing = np.empty(0, np.float64)
        return Chart(found.at_us, found.values, nothing, nothing, gaps_us, len(found))
    stretches = points // POINTS_A_STRETCH
    stretch_us = max(-(-(to_us - from_us) // stretches), 1)
    stretch = (found.at_us - from_us) // stretch_us
    first = np.flatnonzero(np.append(True, stretch[1:] != stretch[:-1]))
    last = np.append(first[1:], len(found)) - 1
    low, high = np.minimum.reduceat(found.values, first), np.maximum.reduceat(found.values, first)
    # For each point the ordinal of its stretch among those that hold any.
    ordinal = np.repeat(np.arange(len(first)), last - first + 1)
    lowest = _first_in_each(found.values == low[ordinal], ordinal)
    highest = _first_in_each(found.values == high[ordinal], ordinal)
    stays = np.unique(np.concatenate([first, last, lowest, highest]))
    return Chart(
        found.at_us[stays], found.values[stays], low[ordinal[stays]], high[ordinal[stays]], gaps_us, len(found)
    )


def _first_in_each(wanted: Bools, ordinal: Int64s) -> Int64s:
    """The first wanted position of each group."""
    positions = np.flatnonzero(wanted)
    _, first = np.unique(ordinal[positions], return_index=True)
    return positions[first]


def gaps(at_us: Int64s) -> list[tuple[int, int]]:
    """Where a series fell silent: neighbours further apart than GAP_STEPS times the median step."""
    steps = np.diff(at_us)
    steps_forward = steps[steps > 0]
    if len(steps_forward) < 2:
        return []
    limit = float(np.median(steps_forward)) * GAP_STEPS
    silent = np.flatnonzero(steps > limit)
    return [(int(at_us[i]), int(at_us[i + 1])) for i in silent.tolist()]
