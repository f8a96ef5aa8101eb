"""Columns as PostgreSQL sends them: `array_send(array_agg(…))`, one value for all rows of a series.

A year of one series, 105,120 rows, takes 21 ms so: 27 ms by COPY, which costs a message a row on both sides, and 105 ms
as records. The format is that of `array_send`: int32 dimensions, flags, element type, and for the one dimension its
length and lower bound; then for each element its int32 length and its bytes, big-endian. No element may be null.
"""

from __future__ import annotations

from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from broadstreet.history.observations import Bools, Floats, Int64s
from broadstreet.store.database import POSTGRES_EPOCH_US

HEAD_BYTES: Final = 20

MINUS_INFINITY: Final = np.iinfo(np.int64).min

Whole = TypeVar("Whole", np.int16, np.int32, np.int64)


def times_of(data: bytes) -> Int64s:
    """An array of timestamptz as microseconds since 1970."""
    return whole_of(data, np.int64) + POSTGRES_EPOCH_US


def moments_of(data: bytes) -> tuple[Int64s, Bools]:
    """As `times_of`, and which of them are moments: not so -infinity, whose time means nothing."""
    sent = whole_of(data, np.int64)
    return sent + POSTGRES_EPOCH_US, sent != MINUS_INFINITY


def numbers_of(data: bytes) -> Floats:
    """An array of double precision."""
    return np.frombuffer(data, _element(np.float64), offset=HEAD_BYTES)["value"].astype(np.float64)


def whole_of(data: bytes, kind: type[Whole]) -> npt.NDArray[Whole]:
    """An array of smallint, integer or bigint."""
    return np.frombuffer(data, _element(kind), offset=HEAD_BYTES)["value"].astype(kind)


def _element(kind: type[np.generic]) -> np.dtype[np.void]:
    return np.dtype([("length", ">i4"), ("value", np.dtype(kind).newbyteorder(">").str)])
