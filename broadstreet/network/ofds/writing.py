"""Networks as files: a package, JSON Lines, a pair of GeoJSON collections, or a GeoPackage.

A file is there whole or not at all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ofds.document import dump
from broadstreet.network.ofds.features import scatter
from broadstreet.network.ofds.geopackage import write_geopackage
from broadstreet.network.ofds.network import Network, Package
from broadstreet.network.ofds.part import give


def write_package(path: Path, networks: Iterable[Network], envelope: Callable[[], Package]) -> None:
    """Write a package, network by network. envelope: what it holds beside them; asked for when those are written."""
    with _whole(path) as file:
        count = 0
        for network in networks:
            file.write((b",\n" if count else b'{"networks":[\n') + dump(give(network)))
            count += 1
        rest = dump(give(envelope()))[1:-1]
        file.write((b"\n]" if count else b"{") + (b"," if count and rest else b"") + rest + b"}\n")


def write_lines(path: Path, networks: Iterable[Network]) -> None:
    """Write JSON Lines: a network on each."""
    with _whole(path) as file:
        for network in networks:
            file.write(dump(give(network)) + b"\n")


def write_pair(stem: Path, package: Package) -> tuple[Path, Path]:
    """Write the nodes and the spans of a package as GeoJSON: stem-nodes.geojson and stem-spans.geojson, returned."""
    paths = stem.with_name(f"{stem.name}-nodes.geojson"), stem.with_name(f"{stem.name}-spans.geojson")
    for path, collection in zip(paths, scatter(give(package)), strict=True):
        write_json(path, collection)
    return paths


def write_json(path: Path, value: object) -> None:
    """Write a JSON value, such as a layer."""
    with _whole(path) as file:
        file.write(dump(value) + b"\n")


def write_base(path: Path, package: Package, moment: str) -> None:
    """Write a GeoPackage. moment: of its making, as RFC 3339."""
    try:
        with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
            made = Path(folder) / "made.gpkg"
            write_geopackage(made, package, moment)
            made.replace(path)
    except OSError as error:
        remedy = "Name a folder that is there, that you may write to, and on whose disk there is room."
        raise InvalidInput(f"it cannot be written: {error.strerror}", where=str(path), remedy=remedy) from None


@contextmanager
def _whole(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes its name when it is written to its end."""
    part = path.with_name(f".{path.name}.part")
    try:
        file = part.open("wb")
    except OSError as error:
        remedy = "Name a folder that is there, and that you may write to."
        raise InvalidInput(f"it cannot be written: {error.strerror}", where=str(path), remedy=remedy) from None
    try:
        with file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
