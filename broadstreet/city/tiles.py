"""Mapbox vector tiles (specification 2.1) of a city's map, from an extract.

Shapes are laid onto the square Web Mercator world once, with y down as tiles have it. A zoom scales the world to
tile units (4,096 to a tile's edge), leaves out what is too small or too minor to be seen there, and thins lines to
what a screen can show. A tile then takes what lies within its edges and a margin; shapes with the same properties
become one feature. The highest zoom keeps finer detail, since a viewer enlarges it for every closer look.
"""

from __future__ import annotations

import gzip
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import mapbox_vector_tile
import numpy as np
import numpy.typing as npt
import shapely

from broadstreet.city.extract import Extract
from broadstreet.model.geometry import Box

MIN_ZOOM: Final = 11
MAX_ZOOM: Final = 16
EXTENT: Final = 4096
"""Tile units along a tile's edge."""

_MARGIN: Final = 128
"""How far a tile reaches beyond its edges, in tile units, so that strokes meet across them."""
_PIXEL: Final = 8
"""Tile units in one pixel of a tile drawn 512 pixels wide."""
_FINEST: Final = 2
"""What lines are thinned to at the highest zoom, in tile units."""
_SMALLEST_AREA: Final = 4 * _PIXEL * _PIXEL
"""Areas below this are left out but at the highest zoom, in square tile units."""

_STREET_CLASSES: Final = {
    "motorway": ("motorway", 11),
    "trunk": ("motorway", 11),
    "primary": ("primary", 11),
    "secondary": ("secondary", 11),
    "tertiary": ("tertiary", 12),
    "pedestrian": ("pedestrian", 13),
    "service": ("service", 15),
    "footway": ("path", 15),
    "path": ("path", 15),
    "steps": ("path", 15),
    "cycleway": ("path", 15),
    "track": ("path", 14),
    "bridleway": ("path", 15),
}
_MINOR: Final = ("minor", 13)

Properties = tuple[tuple[str, str | bool], ...]
Address = tuple[int, int, int]
"""A tile's zoom, x and y."""
Shapes = npt.NDArray[Any]
"""An array of shapely geometries."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: shapes on the world square, with what each says and the zoom from which it shows."""

    name: str
    shapes: Shapes
    properties: Sequence[Properties]
    min_zooms: npt.NDArray[np.int64]

    @property
    def min_zoom(self) -> int:
        """The zoom from which anything of it shows."""
        return int(self.min_zooms.min())


def layers_of(extract: Extract) -> list[Layer]:
    """The layers of a city's map, bottom first, those that are empty left out."""
    classes = [_STREET_CLASSES.get(street.kind, _MINOR) for street in extract.streets]
    streets: list[Properties] = [
        (
            ("class", name),
            *((("name", street.name),) if street.name else ()),
            *((("tunnel", True),) if street.tunnel else ()),
        )
        for street, (name, _) in zip(extract.streets, classes, strict=True)
    ]
    plain: tuple[tuple[str, Sequence[Any], int], ...] = (
        ("water", extract.water, MIN_ZOOM),
        ("green", extract.green, MIN_ZOOM),
        ("squares", extract.squares, 14),
        ("buildings", extract.buildings, 13),
        ("rails", extract.rails, 12),
    )
    layers = [_layer(name, shapes, [()] * len(shapes), [zoom] * len(shapes)) for name, shapes, zoom in plain]
    lines = [street.line for street in extract.streets]
    layers.append(_layer("streets", lines, streets, [zoom for _, zoom in classes]))
    return [layer for layer in layers if len(layer.shapes)]


def _layer(name: str, shapes: Sequence[Any], properties: Sequence[Properties], min_zooms: Sequence[int]) -> Layer:
    return Layer(name, shapely.transform(np.array(shapes, dtype=object), _to_world), properties, np.array(min_zooms))


def _to_world(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Longitude and latitude on the Web Mercator square: 0 to 1, x to the east, y to the south."""
    x = (degrees[:, 0] + 180) / 360
    y = (1 - np.arcsinh(np.tan(np.radians(degrees[:, 1]))) / math.pi) / 2
    return np.column_stack((x, y))


def tile_addresses(bounds: Box) -> Sequence[Address]:
    """Every tile that the bounds touch, zoom by zoom."""
    corners = _to_world(np.array([[bounds.west, bounds.north], [bounds.east, bounds.south]]))
    addresses: list[Address] = []
    for zoom in range(MIN_ZOOM, MAX_ZOOM + 1):
        (left, top), (right, bottom) = np.floor(corners * 2**zoom).astype(int).tolist()
        addresses += [(zoom, x, y) for x in range(left, right + 1) for y in range(top, bottom + 1)]
    return addresses


def tiles(layers: Sequence[Layer], addresses: Iterable[Address]) -> Iterator[tuple[Address, bytes]]:
    """The tiles that hold anything, compressed with gzip. Addresses come zoom by zoom."""
    for zoom, group in groupby(addresses, key=lambda address: address[0]):
        seen = [(layer.name, *_seen_at(layer, zoom)) for layer in layers]
        trees = [(name, shapes, properties, shapely.STRtree(shapes)) for name, shapes, properties in seen]
        for address in group:
            content = [
                {"name": name, "features": features}
                for name, shapes, properties, tree in trees
                if (features := _cut(shapes, properties, tree, address))
            ]
            if content:
                yield address, _encode(content)


def _seen_at(layer: Layer, zoom: int) -> tuple[Shapes, list[Properties]]:
    """What of a layer shows at a zoom, in the world's tile units, thinned."""
    kept = np.flatnonzero(layer.min_zooms <= zoom)
    shapes = shapely.transform(layer.shapes[kept], lambda world: world * (EXTENT * 2.0**zoom))
    is_area = shapely.get_dimensions(shapes) == 2
    finest = zoom == MAX_ZOOM
    if not finest:
        large = ~is_area | (shapely.area(shapes) >= _SMALLEST_AREA)
        kept, shapes = kept[large], shapes[large]
    shapes = shapely.simplify(shapes, _FINEST if finest else _PIXEL / 2)
    return shapes, [layer.properties[index] for index in kept.tolist()]


def _cut(
    shapes: Shapes, properties: Sequence[Properties], tree: shapely.STRtree, address: Address
) -> list[dict[str, Any]]:
    """The features of one layer in one tile, in its own units."""
    left, top = address[1] * EXTENT, address[2] * EXTENT
    edges = (left - _MARGIN, top - _MARGIN, left + EXTENT + _MARGIN, top + EXTENT + _MARGIN)
    found = np.sort(tree.query(shapely.box(*edges)))
    if not len(found):
        return []
    cut = shapely.transform(shapely.clip_by_rect(shapes[found], *edges), lambda units: units - (left, top))
    by_properties: defaultdict[Properties, list[Any]] = defaultdict(list)
    for index, shape in zip(found.tolist(), cut.tolist(), strict=True):
        by_properties[properties[index]].append(shape)
    features = []
    for said, group in by_properties.items():
        shape = _on_grid(np.array(group, dtype=object))
        if shape is not None:
            features.append({"geometry": shape, "properties": dict(said)})
    return features


def _on_grid(shapes: Shapes) -> Any | None:
    """Shapes of one kind as one, on whole tile units: lines without repeated points, areas valid and wound as the
    specification asks. None if nothing is left."""
    parts = shapely.get_parts(shapely.get_parts(shapes))
    dimensions = shapely.get_dimensions(parts)
    if (dimensions == 2).any():
        areas = shapely.get_parts(shapely.set_precision(parts[dimensions == 2], 1.0))
        areas = areas[(shapely.get_dimensions(areas) == 2) & ~shapely.is_empty(areas)]
        return shapely.multipolygons(shapely.orient_polygons(areas)) if len(areas) else None
    lines = shapely.transform(parts[dimensions == 1], np.rint)
    lines = lines[shapely.length(lines) > 0]
    return shapely.multilinestrings(shapely.remove_repeated_points(lines, 0)) if len(lines) else None


def _encode(content: list[dict[str, Any]]) -> bytes:
    """A tile as bytes. gzip's own time is left at 0, so that the same map is the same bytes."""
    tile: bytes = mapbox_vector_tile.encode(
        content, default_options={"extents": EXTENT, "y_coord_down": True, "check_winding_order": False}
    )
    return gzip.compress(tile, mtime=0)
