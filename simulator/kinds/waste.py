"""Waste containers: filled while people are about, emptied on two mornings a week, unless the lorry missed them."""

from __future__ import annotations

from typing import Final

import numpy as np

from simulator.moment import Moment, Traits
from simulator.noise import Floats, normal, uniform

_ROUNDS: Final = np.array([[0, 3], [1, 4]])
"""The weekdays of collection: Monday and Thursday, or Tuesday and Friday."""
_MISSED_SHARE: Final = 0.03
_BUSY_HOURS: Final = (7.0, 22.0)


def sense(moment: Moment, traits: Traits) -> dict[str, Floats]:
    """filling: percent."""
    day, hour = moment.clock.day, moment.clock.hour
    collected_at = 5.5 + 4 * uniform(traits.stream("round hour"))
    days = _ROUNDS[(uniform(traits.stream("round")) < 0.5).astype(np.int64)[:, 0]]
    # How many days ago each of the two rounds was: one of today counts once the lorry has come.
    ago = (moment.clock.weekday[None, None, :] - days[:, :, None]) % 7
    not_yet = (ago == 0) & (hour < collected_at)[:, None, :]
    ago = np.sort(np.where(not_yet, 7, ago), axis=1)
    missed = uniform(traits.stream("missed"), day - ago[:, 0]) < _MISSED_SHARE
    last = day - np.where(missed, ago[:, 1], ago[:, 0])
    per_day = np.clip(19 + 5 * normal(traits.stream("filling")) + 6 * traits.rank, 5, None)
    per_day = per_day * (1 + 0.15 * normal(traits.stream("filling then"), last))
    filling = per_day * (day + _done(hour) - last - _done(collected_at))
    return {"filling": np.clip(filling, 0, 100)}


def _done(hour: Floats) -> Floats:
    """How much of a day's waste has come by an hour."""
    begin, end = _BUSY_HOURS
    share = np.clip((hour - begin) / (end - begin), 0, 1)
    return np.asarray(share * share * (3 - 2 * share))
