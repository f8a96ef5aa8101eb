"""Files of networks: a package, JSON Lines, a network, GeoJSON, GeoPackage; read network by network, each checked.

JSON Lines are read a line at a time, so that a file of any size needs no more memory than its longest line. All else
is held whole, and bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ofds.checking import check
from broadstreet.network.ofds.document import MAX_DOCUMENT_BYTES, Lines
from broadstreet.network.ofds.fault import Faults
from broadstreet.network.ofds.features import Json
from broadstreet.network.ofds.gathering import gather
from broadstreet.network.ofds.geopackage import is_geopackage, read_geopackage
from broadstreet.network.ofds.network import Network, Package
from broadstreet.network.ofds.part import take


class Form(StrEnum):
    """What a file turned out to be."""

    PACKAGE = "network package"
    NETWORK = "network"
    LINES = "JSON Lines"
    GEOJSON = "GeoJSON"
    GEOPACKAGE = "GeoPackage"


class Source:
    """One file of networks, or the two of a GeoJSON pair, to be gone through once.

    form, envelope: known when it has been gone through; the package without its networks.
    """

    def __init__(self, *paths: Path, faults: Faults) -> None:
        self.form = Form.PACKAGE
        self.envelope = Package()
        self._paths = paths
        self._faults = faults

    def __iter__(self) -> Iterator[tuple[str, Network]]:
        """Each network, with its path. Raises InvalidInput where a file is no JSON or none of these, and TooLarge."""
        collections: list[Json] = []
        features: list[Any] = []
        for path in self._paths:
            if is_geopackage(path):
                self.form = Form.GEOPACKAGE
                yield from self._package(read_geopackage(path), "")
                continue
            for at, value in Lines(path, self._faults):
                if not isinstance(value, dict):
                    raise _no_network(path, at)
                if value.get("type") == "FeatureCollection":
                    collections.append(value)
                elif value.get("type") == "Feature" and "properties" in value:
                    _bounded(path)
                    features.append(value)
                elif len(self._paths) > 1:
                    what = "of two files that belong together each is GeoJSON, and this is not"
                    raise InvalidInput(what, where=str(path), remedy="Give it by itself.")
                else:
                    yield from self._networks(value, at)
        if features:
            collections.append({"type": "FeatureCollection", "features": features})
        if collections:
            self.form = Form.GEOJSON
            yield from self._package(gather(collections, self._faults), "")

    def _networks(self, value: Json, at: str) -> Iterator[tuple[str, Network]]:
        if "networks" in value:
            yield from self._package(value, at)
        else:
            self.form = Form.LINES if at else Form.NETWORK
            network = take(Network, value, at, self._faults)
            check(network, at, self._faults)
            yield at, network

    def _package(self, value: Json, at: str) -> Iterator[tuple[str, Network]]:
        package = take(Package, value, at, self._faults)
        self.envelope = Package(links=package.links, other=package.other)
        for n, network in enumerate(package.networks):
            check(network, f"{at}/networks/{n}", self._faults)
            yield f"{at}/networks/{n}", network


def read_package(*paths: Path) -> tuple[Package, Faults]:
    """All networks of a file or GeoJSON pair, and what is wrong with them. Raises InvalidInput, NotFound, TooLarge."""
    faults = Faults()
    source = Source(*paths, faults=faults)
    networks = tuple(network for _, network in source)
    return Package(networks=networks, links=source.envelope.links, other=source.envelope.other), faults


def _no_network(path: Path, at: str) -> InvalidInput:
    return InvalidInput(
        "this is neither a network package, nor networks line by line, nor a GeoJSON collection",
        where=f"{path} {at}".rstrip(" :"),
        remedy="Give a file by the Open Fibre Data Standard: an object with 'networks', or with 'features'.",
    )


def _bounded(path: Path) -> None:
    if path.stat().st_size > MAX_DOCUMENT_BYTES:
        what = f"GeoJSON features of over {MAX_DOCUMENT_BYTES // (1024 * 1024)} MB are not read"
        raise TooLarge(what, where=str(path), remedy="Publish the networks as JSON Lines, one on each line.")
