"""Layers as GeoJSON (RFC 7946): a FeatureCollection each, a feature a line, all of them in one archive."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import IO

import msgspec

from broadstreet.network.papers.layers import Layer
from broadstreet.network.papers.lines import archive, member

_encode = msgspec.json.encode


def write_features(layer: Layer, file: IO[bytes]) -> None:
    """One layer."""
    file.write(b'{"type":"FeatureCollection","name":' + _encode(layer.name) + b',"features":[')
    names = [name for name, _ in layer.columns]
    for number, (shape, row) in enumerate(zip(layer.shapes, layer.rows, strict=True)):
        feature = {
            "type": "Feature",
            "geometry": {"type": layer.shape, "coordinates": shape},
            "properties": {name: _plain(value) for name, value in zip(names, row, strict=True)},
        }
        file.write((b",\n" if number else b"\n") + _encode(feature))
    file.write(b"\n]}\n")


def _plain(value: object) -> object:
    """Lengths to the millimetre, losses to the thousandth."""
    return round(value, 3) if isinstance(value, float) else value


def write_feature_archive(layers: Iterable[Layer], out: Path) -> None:
    """A file for each layer."""
    with archive(out) as found:
        for layer in layers:
            with found.open(member(f"{layer.name}.geojson"), "w") as file:
                write_features(layer, file)
