"""Places, gateways and readings out of files: layers of points, and a table of what sensors have read.

A layer's columns are `id`, `label`, `kind`, and for gateways `height_m`; a house's own GeoJSON of entities is one. The
table is CSV with a line for each reading, as the house exports history summed up: `entity` (or `id`), `from` (or
`observed_at`, `time`), `avg` (or `value`). Only moments at which every sensor was read can be used, so periods are
better than readings as they came.
"""

from __future__ import annotations

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
import shapely
from polars.exceptions import PolarsError

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.layer import Layer
from broadstreet.network.siting.place import Gateway, Place

MAX_READINGS_BYTES: Final = 200_000_000
USUAL_HEIGHT_M: Final = 25.0
"""How high a gateway is taken to be that does not say."""
ENOUGH_READ: Final = 0.5
"""A sensor that was read in less than this share of the moments is left out, rather than the moments it lacks."""
_NAMES: Final = {"id": ("entity", "id", "sensor"), "time": ("from", "observed_at", "time"), "value": ("avg", "value")}


def places_of(layer: Layer, kind: str) -> tuple[Place, ...]:
    """A place for each feature, where its middle is. kind: of those that say none."""
    return tuple(
        Place(
            id=_text(layer, "id", at) or str(layer.numbers[at]),
            lon=lon,
            lat=lat,
            label=_text(layer, "label", at) or _text(layer, "title", at),
            kind=_text(layer, "kind", at) or kind,
        )
        for at, (lon, lat) in enumerate(_points(layer))
    )


def gateways_of(layer: Layer) -> tuple[Gateway, ...]:
    """A gateway for each feature. Raises InvalidInput for a height that is none."""
    return tuple(
        Gateway(id=_text(layer, "id", at) or str(layer.numbers[at]), lon=lon, lat=lat, height_m=_height(layer, at))
        for at, (lon, lat) in enumerate(_points(layer))
    )


def readings_of(path: Path, sensors: Collection[str]) -> tuple[list[str], F8]:
    """Which of the sensors were read, and a row for each moment at which all of these were.

    Raises NotFound, TooLarge over MAX_READINGS_BYTES, and InvalidInput where it is no such table.
    """
    if not path.is_file():
        raise NotFound("there is no such file", where=str(path), remedy="Give the path of a table of readings.")
    if path.stat().st_size > MAX_READINGS_BYTES:
        raise TooLarge(
            "a table of readings is over the bound of 200 MB", where=str(path), remedy="Take longer periods."
        )
    try:
        table = pl.read_csv(path, infer_schema=False)
    except PolarsError as error:
        raise InvalidInput(f"this is no table: {error}", where=str(path), remedy="Give CSV with a header.") from error
    columns = {}
    for what, names in _NAMES.items():
        found = [name for name in names if name in table.columns]
        if not found:
            raise InvalidInput(f"no column {' or '.join(names)}", where=str(path), remedy="Export history as CSV.")
        columns[what] = found[0]
    rows = table.select(
        pl.col(columns["id"]).alias("id"),
        pl.col(columns["time"]).alias("time"),
        pl.col(columns["value"]).cast(pl.Float64, strict=False).alias("value"),
    ).filter(pl.col("id").is_in(list(sensors)) & pl.col("value").is_finite())
    wide = rows.pivot(on="id", index="time", values="value", aggregate_function="mean").sort("time")
    kept = [name for name in wide.columns[1:] if wide[name].count() >= ENOUGH_READ * len(wide)]
    whole = wide.select(sorted(kept)).drop_nulls()
    return sorted(kept), whole.to_numpy().astype(np.float64).reshape(len(whole), len(kept))


def _points(layer: Layer) -> list[tuple[float, float]]:
    points = shapely.point_on_surface(layer.shapes)
    return [(round(float(point.x), 7), round(float(point.y), 7)) for point in points.tolist()]


def _value(layer: Layer, column: str, at: int) -> Any:
    if column not in layer.columns:
        return None
    value = layer.columns[column][at]
    value = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(value, float) and math.isnan(value) else value


def _text(layer: Layer, column: str, at: int) -> str:
    value = _value(layer, column, at)
    return "" if value is None else str(int(value) if isinstance(value, float) and value.is_integer() else value)


def _height(layer: Layer, at: int) -> float:
    value = _value(layer, "height_m", at)
    try:
        height_m = USUAL_HEIGHT_M if value in (None, "") else float(value)
    except (TypeError, ValueError):
        height_m = math.nan
    if not 0 < height_m <= 500:
        raise InvalidInput(
            f"a gateway's height is metres above 0 and at most 500, not {value!r}",
            where=f"{layer.where}, feature {layer.numbers[at]}, height_m",
            remedy="Mend the value, or leave the column out.",
        )
    return height_m
