"""A task's ground, read: for whoever looks at it or plans on it.

It is not in `making`, whose solvers take a process half a second to load: who keeps and shows plans needs none."""

from __future__ import annotations

from pathlib import Path

import msgspec

from broadstreet.network.ground import Ground
from broadstreet.network.ground.inputs import read_ground
from broadstreet.network.scenarios.standing import standing_of
from broadstreet.network.scenarios.task import Task


def read(task: Task, folder: Path) -> Ground:
    """The ground of a task; its files are within the folder. Raises what reading and putting together raise."""
    inputs = task.wish.inputs(task.inputs)
    inputs = msgspec.structs.replace(inputs, sites=(*inputs.sites, *task.sites))
    prices = task.wish.prices if task.wish.catalogue else None
    return read_ground(inputs, folder, prices=prices, standing=lambda streets: standing_of(task, folder, streets))
