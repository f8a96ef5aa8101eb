"""When devices say nothing: never installed right, cut off for a known time, or by chance for some hours; and single
readings that are lost on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from simulator.clock import HOUR_US
from simulator.fleet import Device, Fault
from simulator.moment import Traits
from simulator.noise import Int64s, uniform

Bools = npt.NDArray[np.bool_]

_WINDOW_US: Final = 72 * HOUR_US
"""In each window of three days a device drops out at most once."""
_DROPOUT_SHARE: Final = 0.05
_LONGEST_US: Final = 9 * HOUR_US
_SHORTEST_US: Final = HOUR_US // 2
_LOST_SHARE: Final = 0.002


def silent(devices: Sequence[Device], traits: Traits, times_us: Int64s) -> Bools:
    """Whether each device is cut off at each moment; shape (n, m)."""
    window, within_us = np.divmod(times_us, _WINDOW_US)
    drops = uniform(traits.stream("drops out"), window) < _DROPOUT_SHARE
    span_us = _SHORTEST_US + uniform(traits.stream("for how long"), window) * (_LONGEST_US - _SHORTEST_US)
    begin_us = uniform(traits.stream("from when"), window) * (_WINDOW_US - _LONGEST_US)
    off = drops & (within_us >= begin_us) & (within_us < begin_us + span_us)
    for row, device in enumerate(devices):
        if device.fault is not Fault.NONE:
            off[row] = True
        for from_us, to_us in device.silences:
            off[row] |= (times_us >= from_us) & (times_us < to_us)
    return off


def lost(traits: Traits, times_us: Int64s) -> Bools:
    """Which single readings do not arrive; shape (n, m)."""
    return uniform(traits.stream("lost"), times_us) < _LOST_SHARE
