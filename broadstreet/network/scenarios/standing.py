"""What stands of networks by the Open Fibre Data Standard: read from a project's sources, as plant of a ground."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from broadstreet.model.geometry import Box
from broadstreet.network.ground import Fault
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.plant import PlantLine, Standing
from broadstreet.network.ofds import Usable, read_package, unused_faults
from broadstreet.network.scenarios.task import StandingNetwork, Task


def standing_of(task: Task, folder: Path, streets: Box) -> Standing:
    """Lines of plant, places where ducts can be reached, and what is not used. Raises what reading a network raises."""
    lines, chambers, faults = list[PlantLine](), list[tuple[F8, F8]](), list[Fault]()
    for given in map(StandingNetwork.of, task.networks):
        package, _ = read_package(folder / given.file)
        for number, network in enumerate(package.networks):
            usable = Usable(network, given, streets)
            lines += [replace(line, id=f"{given.file}/{number}/{line.id}") for line in usable.lines]
            chambers.append(usable.chambers)
            faults += unused_faults(usable, given.file, streets)
    return Standing(tuple(lines), tuple(chambers), tuple(faults))
