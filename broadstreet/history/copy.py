"""Observations through PostgreSQL's binary COPY, in and out, as columns."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from broadstreet.history.observations import NO_META, Observations
from broadstreet.store.copy import COPY_SIGNATURE, copy_row_type, encode_copy
from broadstreet.store.database import POSTGRES_EPOCH_US

OBSERVATION_COLUMNS: Final = ("series_key", "observed_at", "origin_key", "number", "meta_key")
"""The columns of `encode_observations`; without sub-attributes the last is left out."""

POINT: Final = copy_row_type([np.dtype(np.int64), np.dtype(np.float64)])
"""A row of `SELECT observed_at, number` where neither is null."""

SERIES_POINT: Final = copy_row_type([np.dtype(np.int32), np.dtype(np.int64), np.dtype(np.float64)])
"""A row of `SELECT series_key, observed_at, number` where none is null."""

NO_POINTS: Final = (np.empty(0, np.int64), np.empty(0, np.float64))


def columns_of(observations: Observations) -> tuple[str, ...]:
    """The columns `encode_observations` writes for these."""
    return OBSERVATION_COLUMNS if observations.meta_keys is not None else OBSERVATION_COLUMNS[:-1]


def can_encode(observations: Observations) -> bool:
    """Whether every row has the same fields: numbers only, and sub-attributes for all or for none."""
    metas = observations.meta_keys
    return observations.values is None and (metas is None or bool((metas != NO_META).all()))


def encode_observations(observations: Observations, origin_key: int) -> bytes:
    """Rows of numbers as one binary COPY file."""
    columns: list[npt.NDArray[np.generic]] = [
        observations.series_keys,
        observations.observed_at_us - POSTGRES_EPOCH_US,
        np.full(len(observations), origin_key, np.int64),
        observations.numbers,
    ]
    if observations.meta_keys is not None:
        columns.append(observations.meta_keys)
    return encode_copy(columns)


class RowDecoder:
    """Reads a binary COPY of rows of fixed width as it streams in; pieces may end anywhere within a row."""

    def __init__(self, row: np.dtype[np.void]) -> None:
        self._row = row
        self._rest = b""
        self._begun = False

    def feed(self, piece: bytes) -> npt.NDArray[np.void]:
        """The whole rows that have come by now, as `copy_row_type` names their fields."""
        data = self._rest + piece
        start = 0
        if not self._begun:
            if len(data) < len(COPY_SIGNATURE):
                self._rest = data
                return np.empty(0, self._row)
            start, self._begun = len(COPY_SIGNATURE), True
        count = (len(data) - start) // self._row.itemsize
        self._rest = data[start + count * self._row.itemsize :]
        return np.frombuffer(data, self._row, count, start)


class PointDecoder:
    """Reads `SELECT observed_at, number` as it streams in."""

    def __init__(self) -> None:
        self._rows = RowDecoder(POINT)

    def feed(self, piece: bytes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
        """The whole rows that have come by now: microseconds since 1970, numbers."""
        rows = self._rows.feed(piece)
        return rows["field0"].astype(np.int64) + POSTGRES_EPOCH_US, rows["field1"].astype(np.float64)
