"""A layer of a city's own: GeoPackage, GeoJSON, Shapefile, or a table (CSV) with longitudes and latitudes.

The file is known by its first bytes before anything else looks at it, so that nothing but these forms is opened. It is
bounded in bytes and in features: over them it is refused, and says how to read a part. Shapes come in WGS 84 degrees.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.model.geometry import Box
from broadstreet.network.ground.courses import Lines
from broadstreet.network.ground.fault import Fault, FaultKind
from broadstreet.network.ground.forms import MAX_BYTES as MAX_BYTES
from broadstreet.network.ground.forms import SUFFIXES, form_of
from broadstreet.network.ground.projection import WGS84, to_degrees

MAX_FEATURES: Final = 1_000_000
"""The most features of a layer that are read."""
_CSV_OPTIONS: Final = {
    "X_POSSIBLE_NAMES": "lon,longitude,lng,x",
    "Y_POSSIBLE_NAMES": "lat,latitude,y",
    "AUTODETECT_TYPE": "YES",
}


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Features with a shape: each one's number in the file (from 1), its shape in WGS 84 degrees, and its columns.
    `faults`: features that have none."""

    where: str
    numbers: tuple[int, ...]
    shapes: Lines
    columns: dict[str, Any]
    faults: tuple[Fault, ...]

    def __len__(self) -> int:
        return len(self.shapes)


def read_layer(
    path: Path,
    *,
    layer: str | None = None,
    crs: str | None = None,
    within: Box | None = None,
    expected: Box | None = None,
) -> Layer:
    """Reads a layer, the file's first if none is named.

    crs: what it is in, for one that does not say so, or says it wrongly. within: only features that touch this box.
    expected: where it ought to lie, such as the streets' own bounds; far from there it is refused.

    Raises NotFound, TooLarge over MAX_BYTES or MAX_FEATURES, and InvalidInput with the place.
    """
    form = _form(path)
    options: dict[str, Any] = dict(_CSV_OPTIONS) if form == "CSV" else {}
    where = f"{path}, layer {layer}" if layer else str(path)
    try:
        with warnings.catch_warnings():
            # GDAL's remarks on what it mends by itself; what it cannot mend it refuses.
            warnings.simplefilter("ignore", RuntimeWarning)
            if within is not None and form != "CSV":
                options["bbox"] = _box_in(within, crs or pyogrio.read_info(path, layer=layer)["crs"])
            meta, _, found, values = pyogrio.raw.read(
                path, layer=layer, max_features=MAX_FEATURES + 1, force_2d=True, datetime_as_string=True, **options
            )
    except DataLayerError as error:
        if layer is None:
            raise InvalidInput(
                "this file holds no layer that can be read",
                where=where,
                remedy="Write it again from the program it is from.",
            ) from error
        names = ", ".join(str(name) for name, _ in pyogrio.list_layers(path))
        raise InvalidInput(f"there is no layer {layer!r}", where=str(path), remedy=f"It has: {names}.") from error
    except DataSourceError as error:
        raise InvalidInput(
            f"this file cannot be read: {str(error).partition(';')[0]}",
            where=where,
            remedy="Write it again from the program it is from.",
        ) from error
    if len(values[0] if values else found if found is not None else ()) > MAX_FEATURES:
        raise TooLarge(
            f"this layer has more than {MAX_FEATURES} features",
            where=where,
            remedy="Give the area that is planned: only that part is read.",
        )
    if found is None:
        raise InvalidInput(
            "this layer has no shapes", where=where, remedy="A table needs columns named lon and lat, in degrees."
        )
    stated = crs or meta["crs"] or ("EPSG:4326" if form == "CSV" else None)
    made = _made(
        where,
        shapely.from_wkb(found, on_invalid="ignore"),
        dict(zip(meta["fields"], values, strict=True)),
        stated,
        expected,
    )
    return _cut(made, within) if within is not None and form == "CSV" else made


def _form(path: Path) -> str:
    """Which of the known forms a file has. Raises InvalidInput for any other, and TooLarge over the form's bound."""
    if not path.is_file():
        raise NotFound("there is no such file", where=str(path), remedy="Give the path of a layer.")
    with path.open("rb") as file:
        form = form_of(path.name, file.read(64))
    if form is None:
        names = ", ".join(sorted(SUFFIXES))
        raise InvalidInput(
            "this is not a layer in a form that is read here",
            where=str(path),
            remedy=f"Give one of {names}, written as its name says.",
        )
    beside = [path.with_suffix(suffix) for suffix in (".dbf", ".shx")] if form == "ESRI Shapefile" else []
    size = sum(part.stat().st_size for part in (path, *beside) if part.is_file())
    if size > MAX_BYTES[form]:
        raise TooLarge(
            f"{form} of {size / 1e6:.0f} MB is over the bound of {MAX_BYTES[form] / 1e6:.0f} MB",
            where=str(path),
            remedy="Write it as GeoPackage, which is read in parts."
            if form == "GeoJSON"
            else "Cut the city out first.",
        )
    return form


def _box_in(box: Box, crs: str | None) -> tuple[float, float, float, float]:
    """A box in the layer's own projection, wide enough to hold it all."""
    if crs is None:
        return (box.west, box.south, box.east, box.north)
    transformer = Transformer.from_crs(WGS84, CRS.from_user_input(crs), always_xy=True)
    west, south, east, north = transformer.transform_bounds(box.west, box.south, box.east, box.north)
    return (float(west), float(south), float(east), float(north))


def _made(where: str, shapes: Lines, columns: dict[str, Any], stated: str | None, expected: Box | None) -> Layer:
    """The layer of what was read: features without a shape are faults, in the midst of the others or of where the layer
    is expected."""
    kept = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    lost = np.setdiff1d(np.arange(len(shapes)), kept)
    found = to_degrees(shapes[kept], stated, expected, where) if len(kept) else shapes[kept]
    # An outline that crosses itself has no middle; a line that does is a line.
    found = np.where(shapely.get_dimensions(found) == 2, shapely.make_valid(found), found)
    box = Box(*(float(edge) for edge in shapely.total_bounds(found))) if len(kept) else expected or Box(0, 0, 0, 0)
    lon, lat = (box.west + box.east) / 2, (box.south + box.north) / 2
    faults = tuple(
        Fault(FaultKind.BAD_GEOMETRY, lon, lat, f"feature {i + 1} of {where} has no shape", "Draw it, or take it out.")
        for i in lost.tolist()
    )
    numbers = tuple(int(i) + 1 for i in kept)
    return Layer(where, numbers, found, {name: values[kept] for name, values in columns.items()}, faults)


def _cut(layer: Layer, box: Box) -> Layer:
    touched = np.flatnonzero(shapely.intersects(layer.shapes, shapely.box(box.west, box.south, box.east, box.north)))
    columns = {name: values[touched] for name, values in layer.columns.items()}
    return Layer(layer.where, tuple(layer.numbers[i] for i in touched), layer.shapes[touched], columns, layer.faults)
