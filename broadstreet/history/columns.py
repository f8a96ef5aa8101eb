"""Observations whole, as columns: how they stand in the files of the long past, and how the table gives them.

A frame of them has the columns of COLUMNS. `value` is JSON as text where `number` is null, and null for the JSON null.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
import polars as pl

from broadstreet.history.arrays import moments_of, numbers_of, times_of, whole_of
from broadstreet.history.observations import NO_META
from broadstreet.store.queries import load_queries

if TYPE_CHECKING:
    from broadstreet.store.database import Connection

TIME: Final = pl.Datetime("us", "UTC")
COLUMNS: Final = {
    "series_key": pl.Int32(),
    "observed_at": TIME,
    "n": pl.Int16(),
    "number": pl.Float64(),
    "value": pl.String(),
    "meta_key": pl.Int32(),
    "origin_key": pl.Int64(),
    "modified_at": TIME,
}
KEY: Final = ("series_key", "observed_at", "n")

_SQL = load_queries("past")
_json = msgspec.json.Encoder(order="deterministic").encode


async def read_columns(
    connection: Connection, series_keys: Sequence[int], from_us: int, to_us: int, most: int | None = None
) -> pl.DataFrame:
    """What the table holds of series in [from_us, to_us), by key, `most` rows of it; inside a transaction that sees
    one moment."""
    rows = await connection.fetch(_SQL["columns"], list(series_keys), from_us, to_us, most)
    if not rows:
        return pl.DataFrame(schema=COLUMNS)
    times = [times_of(row["times"]) for row in rows]
    modified = [moments_of(row["modified"]) for row in rows]
    frame = pl.DataFrame(
        {
            "series_key": np.repeat(np.array([row["series_key"] for row in rows], np.int32), [len(at) for at in times]),
            "observed_at": pl.Series(np.concatenate(times)).cast(TIME),
            "n": np.concatenate([whole_of(row["n"], np.int16) for row in rows]),
            "number": pl.Series(np.concatenate([numbers_of(row["numbers"]) for row in rows])).fill_nan(None),
            "meta_key": np.concatenate([whole_of(row["metas"], np.int32) for row in rows]),
            "origin_key": np.concatenate([whole_of(row["origins"], np.int64) for row in rows]),
            "modified_at": pl.Series(np.concatenate([at for at, _ in modified])).cast(TIME),
            "is_modified": np.concatenate([known for _, known in modified]),
        }
    )
    return frame.with_columns(
        _values(frame["number"], [value for row in rows for value in row["others"] or ()]),
        pl.when(pl.col("meta_key") != NO_META).then(pl.col("meta_key")),
        pl.when("is_modified").then(pl.col("modified_at")),
    ).select(list(COLUMNS))


def _values(numbers: pl.Series, others: Sequence[Any]) -> pl.Series:
    """What is no number, as JSON, beside the numbers it stands between."""
    values: list[str | None] = [None] * len(numbers)
    if others:
        places = np.flatnonzero(numbers.is_null().to_numpy()).tolist()
        for place, value in zip(places, others, strict=True):
            values[place] = None if value is None else _json(value).decode()
    return pl.Series("value", values, pl.String)


def value_of(number: float | None, value: str | None) -> Any:
    """A row's value: a float, or a JSON value."""
    if number is not None:
        return number
    return None if value is None else msgspec.json.decode(value)
