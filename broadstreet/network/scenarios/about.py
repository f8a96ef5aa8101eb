"""Where a project's plans lie, for refusals that have no place of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from broadstreet.city.stated import stated_bounds
from broadstreet.model.geometry import Box
from broadstreet.network.ground import Fault
from broadstreet.network.scenarios.looks import find_look
from broadstreet.network.scenarios.plans import Plans, base_extract
from broadstreet.network.scenarios.project import BASE_EXTRACT, Project
from broadstreet.network.scenarios.source import list_sources
from broadstreet.network.scenarios.trouble import around

if TYPE_CHECKING:
    from broadstreet.store import Database


async def about(plans: Plans, database: Database, project: Project) -> Callable[[], list[Fault]]:
    """What answers where a project's plans lie: as its inputs say, else as its ground was last seen, else as its
    extract states."""
    inputs, whole = project.inputs, None
    if not inputs.offices and inputs.area is None and not inputs.sites:
        look = (await find_look(database, project)).look
        whole = await _stated(plans, database, project) if look is None else Box(*look.bounds)
    return lambda: around(msgspec.to_builtins(inputs), whole)


async def _stated(plans: Plans, database: Database, project: Project) -> Box | None:
    path = base_extract() if project.inputs.extract == BASE_EXTRACT else None
    for one in await list_sources(database, project) if path is None else ():
        if one.name == project.inputs.extract:
            path = plans.files.source(database.name, project.id, one.sha256)
    return None if path is None else await asyncio.to_thread(stated_bounds, path)
