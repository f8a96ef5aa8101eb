"""How often a series is heard."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

from broadstreet.history.reading import firsts, read
from broadstreet.model.clock import MAX_US, MIN_US, US_PER_S

if TYPE_CHECKING:
    from broadstreet.store.database import Database


class Pace(msgspec.Struct, frozen=True):
    """When a series begins, and how far its newest observations lie apart: the median; None where there is one only."""

    first_us: int
    step_s: float | None


async def paces(database: Database, series_keys: Sequence[int], steps: int) -> dict[int, Pace]:
    """The pace of each series that has any observation, by its `steps` newest steps."""
    times: dict[int, list[int]] = {}
    for one in await read(database, series_keys, MIN_US, MAX_US, limit=steps + 1, newest_first=True):
        times.setdefault(one.series_key, []).append(one.observed_at_us)
    began = await firsts(database, series_keys)
    return {key: Pace(first_us, _step_s(times.get(key, []))) for key, first_us in began.items()}


def _step_s(newest_first_us: Sequence[int]) -> float | None:
    steps = [later - earlier for later, earlier in pairwise(newest_first_us)]
    return statistics.median(steps) / US_PER_S if steps else None
