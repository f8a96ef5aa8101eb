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
import shapely
from pyproj import Transformer

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.model.geometry import Box
from broadstreet.network.ground.courses import Lines
from broadstreet.network.ground.fault import Fault, FaultKind, LargeFile
from broadstreet.network.ground.forms import BEGINNING_BYTES, SUFFIXES, check_whole, form_of, not_as_named
from broadstreet.network.ground.forms import MAX_BYTES as MAX_BYTES
from broadstreet.network.ground.glancing import GLANCED_BYTES, LAT_NAMES, LON_NAMES, begins
from broadstreet.network.ground.projection import STREETS, WGS84, crs_of, to_degrees

MAX_FEATURES: Final = 1_000_000
"""The most features of a layer that are read."""
_CSV_OPTIONS: Final = {
    "X_POSSIBLE_NAMES": LON_NAMES,
    "Y_POSSIBLE_NAMES": LAT_NAMES,
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
    by: str = STREETS,
    most: int | None = None,
) -> Layer:
    """Reads a layer, the file's first if none is named.

    crs: what it is in, for one that does not say so, or says it wrongly. within: only features that touch this box.
    expected: where it ought to lie, such as the streets' own bounds; far from there it is refused. by: what lies there.
    most: no more features are read.

    Raises NotFound, TooLarge over MAX_BYTES or MAX_FEATURES, and InvalidInput with the place.
    """
    # Loaded by who reads a file: with it come pandas and geopandas, where they are installed, for half a second.
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    form = _form(path)
    options: dict[str, Any] = dict(_CSV_OPTIONS) if form == "CSV" else {}
    where = f"{path}, layer {layer}" if layer else str(path)
    try:
        with warnings.catch_warnings():
            # GDAL's remarks on what it mends by itself; what it cannot mend it refuses.
            warnings.simplefilter("ignore", RuntimeWarning)
            if form == "GPKG" and layer is None:
                _check_one_layer(path)
            if within is not None and form != "CSV":
                options["bbox"] = _box_in(within, crs or pyogrio.read_info(path, layer=layer)["crs"], where)
            bound = MAX_FEATURES + 1 if most is None else most
            meta, _, found, values = pyogrio.raw.read(
                path, layer=layer, max_features=bound, force_2d=True, datetime_as_string=True, **options
            )
    except (DataLayerError, DataSourceError, UnicodeDecodeError) as error:
        raise _unreadable(error, path, layer, where) from error
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
    with np.errstate(invalid="ignore"):  # what is no number is told with its feature, below
        shapes = shapely.from_wkb(found, on_invalid="ignore")
    made = _made(
        where,
        shapes,
        dict(zip(meta["fields"], values, strict=True)),
        stated,
        expected,
        by,
    )
    return _cut(made, within) if within is not None and form == "CSV" else made


def _unreadable(error: Exception, path: Path, layer: str | None, where: str) -> InvalidInput:
    """What is said of a file that could not be read."""
    import pyogrio
    from pyogrio.errors import DataLayerError

    if isinstance(error, UnicodeDecodeError):
        remedy = "Save it as text in UTF-8; what is no table of text is written again from the program it is from."
        return InvalidInput("the words in this file are not in UTF-8", where=where, remedy=remedy)
    if isinstance(error, DataLayerError) and layer is not None:
        names = ", ".join(str(name) for name, _ in pyogrio.list_layers(path))
        return InvalidInput(f"there is no layer {layer!r}", where=str(path), remedy=f"It has: {names}.")
    said = str(error).partition(";")[0]
    if "malformed" in said or "SQL" in said:
        said = "the database in it is damaged"
    return InvalidInput(
        "this file holds no layer that can be read"
        if isinstance(error, DataLayerError)
        else f"this file cannot be read: {said}",
        where=where,
        remedy="Write it again from the program it is from.",
    )


def _check_one_layer(path: Path) -> None:
    """Raises InvalidInput where nobody says which of several layers is meant: the first alone would be read."""
    import pyogrio

    names = [str(name) for name, geometry in pyogrio.list_layers(path) if geometry is not None]
    if len(names) > 1:
        raise InvalidInput(
            f"this file has {len(names)} layers, and none is named: {', '.join(names)}",
            where=str(path),
            remedy="Name the one that is meant (layer), once for each; or write each to a file of its own.",
        )


def _form(path: Path) -> str:
    """Which of the known forms a file has. Raises InvalidInput for any other and for one that is not whole, and
    TooLarge over the form's bound."""
    if not path.is_file():
        raise NotFound("there is no such file", where=str(path), remedy="Give the path of a layer.")
    with path.open("rb") as file:
        beginning = file.read(BEGINNING_BYTES)
    named = next((form for suffix, form in SUFFIXES.items() if path.name.lower().endswith(suffix)), None)
    form = form_of(path.name, beginning)
    if form is None:
        raise not_as_named(path.name, named, beginning, str(path))
    beside = [path.with_suffix(suffix) for suffix in (".dbf", ".shx")] if form == "ESRI Shapefile" else []
    for part in beside:
        if not part.is_file():
            raise InvalidInput(
                f"a Shapefile is several files, and {part.name} is not beside this one",
                where=str(path),
                remedy="Give its .shp, .shx, .dbf and .prj together, all of one name.",
            )
    size = sum(part.stat().st_size for part in (path, *beside))
    if size > MAX_BYTES[form]:
        message = f"{form} of {size / 1e6:.0f} MB is over the bound of {MAX_BYTES[form] / 1e6:.0f} MB"
        remedy = "Write it as GeoPackage, which is read in parts." if form == "GeoJSON" else "Cut the city out first."
        with path.open("rb") as file:
            places = begins(path.name, file.read(GLANCED_BYTES), message, remedy)
        raise LargeFile(message, places, where=str(path), remedy=remedy)
    check_whole(form, beginning, path.stat().st_size, str(path))
    return form


def _box_in(box: Box, crs: str | None, where: str) -> tuple[float, float, float, float] | None:
    """A box in the layer's own projection, wide enough to hold it all; None where the projection has no such place."""
    if crs is None:
        return (box.west, box.south, box.east, box.north)
    transformer = Transformer.from_crs(WGS84, crs_of(crs, where), always_xy=True)
    edges = transformer.transform_bounds(box.west, box.south, box.east, box.north, errcheck=False)
    west, south, east, north = (float(edge) for edge in edges)
    return (west, south, east, north) if np.isfinite(edges).all() else None


def _made(
    where: str, shapes: Lines, columns: dict[str, Any], stated: str | None, expected: Box | None, by: str
) -> Layer:
    """The layer of what was read: features without a shape are faults, in the midst of the others or of where the layer
    is expected."""
    kept = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    lost = np.setdiff1d(np.arange(len(shapes)), kept)
    found = to_degrees(shapes[kept], stated, expected, where, by) if len(kept) else shapes[kept]
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
