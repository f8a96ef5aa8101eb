"""Chance without a generator: noise that is a pure function of seed, stream and time.

A generator has a state, and the reading at noon would depend on which readings were asked for before. Here every
number is a hash of what it belongs to, so that any moment of any device can be worked out alone, in any order, by the
past as by the live city, and always comes out the same. The hash is the finalizer of SplitMix64 (Steele, Lea and
Flood, 2014).
"""

from __future__ import annotations

import hashlib
from typing import Final

import numpy as np
import numpy.typing as npt

US_PER_S: Final = 1_000_000

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Keys = npt.NDArray[np.uint64]

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST: Final = np.uint64(0xBF58476D1CE4E5B9)
_SECOND: Final = np.uint64(0x94D049BB133111EB)


def key_of(*parts: object) -> np.uint64:
    """The stream of noise that belongs to these words and numbers."""
    text = "\x1f".join(str(part) for part in parts)
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))


def mix(keys: Keys | np.uint64, numbers: Int64s | int) -> Keys:
    """One key of two: of a stream and a number in it. Shapes broadcast."""
    with np.errstate(over="ignore"):
        mixed = np.asarray(keys, np.uint64) + np.asarray(numbers, np.int64).astype(np.uint64) * _GOLDEN
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
        return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def uniform(keys: Keys | np.uint64, numbers: Int64s | int = 0) -> Floats:
    """For each key and number, evenly between 0 and 1 (1 left out)."""
    return np.asarray((mix(keys, numbers) >> np.uint64(11)) * 2.0**-53, np.float64)


def normal(keys: Keys | np.uint64, numbers: Int64s | int = 0) -> Floats:
    """For each key and number, normally distributed, mean 0, deviation 1 (Box and Muller, 1958)."""
    mixed = mix(keys, numbers)
    radius = np.sqrt(-2 * np.log1p(-uniform(mixed)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(mixed, 1)))


def drift(keys: Keys | np.uint64, times_us: Int64s, period_s: float) -> Floats:
    """Noise that wanders: normal at every moment, alike within a period, unrelated beyond two.

    keys: shape (n, 1) or a single one; times_us: shape (m,). The result has shape (n, m) or (m,).
    """
    period_us = int(period_s * US_PER_S)
    steps, fractions = np.divmod(times_us, period_us)
    marks, where = np.unique(steps, return_inverse=True)
    share = fractions / period_us
    share = share * share * (3 - 2 * share)
    before, after = normal(keys, marks)[..., where], normal(keys, marks + 1)[..., where]
    return np.asarray((before * (1 - share) + after * share) / np.hypot(1 - share, share))
