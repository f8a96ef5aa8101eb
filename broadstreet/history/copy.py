"""Observations into PostgreSQL through its binary COPY, as columns."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from broadstreet.history.observations import NO_META, Observations
from broadstreet.store.copy import encode_copy
from broadstreet.store.database import POSTGRES_EPOCH_US

OBSERVATION_COLUMNS: Final = ("series_key", "observed_at", "origin_key", "number", "meta_key")
"""The columns of `encode_observations`; without sub-attributes the last is left out."""


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
