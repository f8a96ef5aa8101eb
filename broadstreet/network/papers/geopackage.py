"""Layers as a GeoPackage, drawn as the portal draws them: with the table `layer_styles` that QGIS reads on opening.

GDAL writes it, by pyogrio of the `city` extra. The time of writing that the format demands is the plan's date, so that
equal plans give equal layers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from broadstreet.model.errors import InvalidInput
from broadstreet.network.papers.layers import Layer
from broadstreet.network.papers.styles import style_of

CRS: Final = "EPSG:4326"
_MAKE: Final = {
    "Point": shapely.Point,
    "LineString": shapely.LineString,
    "MultiLineString": shapely.MultiLineString,
}
_STYLE_COLUMNS: Final = (
    "f_table_catalog",
    "f_table_schema",
    "f_table_name",
    "f_geometry_column",
    "styleName",
    "styleQML",
    "styleSLD",
    "useAsDefault",
    "description",
    "owner",
    "ui",
    "update_time",
)


def write_geopackage(layers: Iterable[Layer], out: Path, date: str) -> None:
    """A table of features for each layer, and their styles. Raises InvalidInput where the `city` extra is missing."""
    try:
        from pyogrio import set_gdal_config_options
        from pyogrio.raw import write
    except ImportError:
        remedy = "Install it: pip install 'broadstreet[city]'. GeoJSON holds the same layers."
        raise InvalidInput("a GeoPackage is written by the city extra", where="the export", remedy=remedy) from None
    out.unlink(missing_ok=True)
    moment = f"{date}T00:00:00.000Z"
    set_gdal_config_options({"OGR_CURRENT_DATE": moment})
    try:
        styles: list[tuple[Any, ...]] = []
        for number, layer in enumerate(layers):
            shapes = np.array([_MAKE[layer.shape](shape) for shape in layer.shapes], dtype=object)
            columns, masks = _columns(layer)
            write(
                out,
                shapely.to_wkb(shapes) if len(shapes) else np.zeros(0, dtype=object),
                columns,
                np.array([name for name, _ in layer.columns], dtype=object),
                field_mask=masks,
                layer=layer.name,
                driver="GPKG",
                geometry_type=layer.shape,
                crs=CRS,
                append=bool(number),
                layer_options={"DESCRIPTION": layer.title, "GEOMETRY_NAME": "geom"},
            )
            style = style_of(layer)
            row = ("", "", layer.name, "geom", layer.title, style, "", True, layer.title, "", "", moment)
            styles.append(row)
        _write_styles(write, out, styles)
    finally:
        set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _columns(layer: Layer) -> tuple[list[Any], list[Any]]:
    """A layer's values column by column, and where there are none."""
    values, masks = list[Any](), list[Any]()
    for place, (_, kind) in enumerate(layer.columns):
        cells = [row[place] for row in layer.rows]
        blank: object = "" if kind is str else kind()
        masks.append(np.array([cell is None for cell in cells], dtype=np.bool_))
        sort = object if kind is str else {int: np.int64, float: np.float64, bool: np.bool_}[kind]
        values.append(np.array([blank if cell is None else cell for cell in cells], dtype=sort))
    return values, masks


def _write_styles(write: Any, out: Path, styles: Sequence[tuple[Any, ...]]) -> None:
    sorts = [np.bool_ if name == "useAsDefault" else object for name in _STYLE_COLUMNS]
    write(
        out,
        None,
        [np.array([row[n] for row in styles], dtype=sort) for n, sort in enumerate(sorts)],
        np.array(_STYLE_COLUMNS, dtype=object),
        layer="layer_styles",
        driver="GPKG",
        geometry_type=None,
        crs=None,
        append=True,
        layer_options={"FID": "id"},
    )
