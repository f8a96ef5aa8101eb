"""What stands of networks by the Open Fibre Data Standard: read from a project's sources, as plant of a ground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from broadstreet.model.geometry import Box
from broadstreet.network.ground import Fault
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.plant import PlantLine, Standing
from broadstreet.network.ofds import Network, Usable, layers_of, read_package, unused_faults
from broadstreet.network.scenarios.task import StandingNetwork, Task


def standing_of(task: Task, folder: Path, streets: Box) -> Standing:
    """Lines of plant, places where ducts can be reached, and what is not used. Raises what reading a network raises."""
    lines, chambers, faults = list[PlantLine](), list[tuple[F8, F8]](), list[Fault]()
    for given, number, network in _networks(task, folder):
        usable = Usable(network, given, streets)
        lines += [replace(line, id=f"{given.file}/{number}/{line.id}") for line in usable.lines]
        chambers.append(usable.chambers)
        faults += unused_faults(usable, given.file, streets)
    return Standing(tuple(lines), tuple(chambers), tuple(faults))


def standing_layers(task: Task, folder: Path) -> Mapping[str, bytes]:
    """All that has a place in the networks that stand, used or not, as two layers of GeoJSON: `nodes` and `spans`. Each
    feature says of which file it is."""
    features: dict[str, list[dict[str, Any]]] = {"nodes": [], "spans": []}
    for given, _, network in _networks(task, folder):
        layers = layers_of(network)
        for name, layer in (("nodes", layers.nodes), ("spans", layers.spans)):
            for feature in layer["features"]:
                feature["properties"]["file"] = given.file
                features[name].append(feature)
    return {
        name: msgspec.json.encode({"type": "FeatureCollection", "features": found}) for name, found in features.items()
    }


def _networks(task: Task, folder: Path) -> Iterator[tuple[StandingNetwork, int, Network]]:
    for given in map(StandingNetwork.of, task.networks):
        package, _ = read_package(folder / given.file)
        for number, network in enumerate(package.networks):
            yield given, number, network
