"""PostgreSQL's binary COPY format, built and read with numpy: no Python object a row.

The format is in the manual under COPY, "Binary Format": a signature, two int32 (flags, extension length), then for each
row an int16 field count and, for each field, its int32 length and its bytes, big-endian; an int16 of -1 ends it.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from broadstreet.history.observations import NO_META, Observations
from broadstreet.store.database import POSTGRES_EPOCH_US

_SIGNATURE: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)

OBSERVATION_COLUMNS: Final = ("series_key", "observed_at", "origin_key", "number", "meta_key")
"""The columns of `encode_observations`; without sub-attributes the last is left out."""

POINT: Final = np.dtype([("fields", ">i2"), ("len0", ">i4"), ("at", ">i8"), ("len1", ">i4"), ("number", ">f8")])
"""A row of `SELECT observed_at, number` where neither is null."""

NO_POINTS: Final = (np.empty(0, np.int64), np.empty(0, np.float64))


def _row_type(*fields: tuple[str, str]) -> np.dtype[np.void]:
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in fields:
        layout += [(f"{name}_len", ">i4"), (name, kind)]
    return np.dtype(layout)


_NUMBERS: Final = (("series_key", ">i4"), ("observed_at", ">i8"), ("origin_key", ">i8"), ("number", ">f8"))
_PLAIN: Final = _row_type(*_NUMBERS)
_WITH_META: Final = _row_type(*_NUMBERS, ("meta_key", ">i4"))


def columns_of(observations: Observations) -> tuple[str, ...]:
    """The columns `encode_observations` writes for these."""
    return OBSERVATION_COLUMNS if observations.meta_keys is not None else OBSERVATION_COLUMNS[:-1]


def can_encode(observations: Observations) -> bool:
    """Whether every row has the same fields: numbers only, and sub-attributes for all or for none."""
    metas = observations.meta_keys
    return observations.values is None and (metas is None or bool((metas != NO_META).all()))


def encode_observations(observations: Observations, origin_key: int) -> bytes:
    """Rows of numbers as one binary COPY file."""
    row_type = _PLAIN if observations.meta_keys is None else _WITH_META
    rows = np.empty(len(observations), row_type)
    names = [name for name in row_type.names or () if name != "fields" and not name.endswith("_len")]
    rows["fields"] = len(names)
    for name in names:
        rows[f"{name}_len"] = row_type[name].itemsize
    rows["series_key"] = observations.series_keys
    rows["observed_at"] = observations.observed_at_us - POSTGRES_EPOCH_US
    rows["origin_key"] = origin_key
    rows["number"] = observations.numbers
    if observations.meta_keys is not None:
        rows["meta_key"] = observations.meta_keys
    return _SIGNATURE + rows.tobytes() + _TRAILER


class PointDecoder:
    """Reads `SELECT observed_at, number` as it streams in; pieces may end anywhere within a row."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False

    def feed(self, piece: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The whole rows that have come by now: microseconds since 1970, numbers."""
        data = self._rest + piece
        start = 0
        if not self._begun:
            if len(data) < len(_SIGNATURE):
                self._rest = data
                return NO_POINTS
            start, self._begun = len(_SIGNATURE), True
        count = (len(data) - start) // POINT.itemsize
        end = start + count * POINT.itemsize
        self._rest = data[end:]
        if count == 0:
            return NO_POINTS
        rows = np.frombuffer(data, POINT, count, start)
        return rows["at"].astype(np.int64) + POSTGRES_EPOCH_US, rows["number"].astype(np.float64)
