"""Columns as PostgreSQL sends them: `array_send(array_agg(…))`, one value for all rows of a series.

A year of one series, 105,120 rows, takes 21 ms so: 27 ms by COPY, which costs a message a row on both sides, and 105 ms
as records. The format is that of `array_send`: int32 dimensions, flags, element type, and for the one dimension its
length and lower bound; then for each element its int32 length and its bytes, big-endian. No element may be null.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.history.observations import Floats, Int64s
from broadstreet.store.database import POSTGRES_EPOCH_US

HEAD_BYTES: Final = 20
TIME: Final = np.dtype([("length", ">i4"), ("value", ">i8")])
NUMBER: Final = np.dtype([("length", ">i4"), ("value", ">f8")])


def times_of(data: bytes) -> Int64s:
    """An array of timestamptz as microseconds since 1970."""
    return np.frombuffer(data, TIME, offset=HEAD_BYTES)["value"].astype(np.int64) + POSTGRES_EPOCH_US


def numbers_of(data: bytes) -> Floats:
    """An array of double precision."""
    return np.frombuffer(data, NUMBER, offset=HEAD_BYTES)["value"].astype(np.float64)
