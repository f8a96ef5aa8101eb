"""Where a refusal is about, for the map: what a project says of its own places, where the refusal names none.

Handlers ask for the project that they are about as `found`, or for the scenario as `of`. Both are there before the
body of a call is understood, so that a value of it that does not fit is drawn, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from broadstreet.apis.problem import draw_about
from broadstreet.apis.services import Call
from broadstreet.network.scenarios import Project, Scenario
from broadstreet.network.scenarios.about import about


@dataclass(frozen=True, slots=True)
class Found:
    """A scenario, and the project it is of."""

    scenario: Scenario
    project: Project


async def _about(request: Request[Any, Any, Any], call: Call, project: Project) -> Project:
    draw_about(request, await about(call.services.plans, call.database, project))
    return project


async def project_of(request: Request[Any, Any, Any], call: NamedDependency[Call], project: FromPath[str]) -> Project:
    """The project of the path. Raises NotFound."""
    return await _about(request, call, await call.services.plans.projects.find(call.database, project))


async def scenario_of(request: Request[Any, Any, Any], call: NamedDependency[Call], scenario: FromPath[str]) -> Found:
    """The scenario of the path, with its project. Raises NotFound."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    return Found(found, await _about(request, call, await plans.projects.find(call.database, found.project)))


ABOUT = {"found": Provide(project_of), "of": Provide(scenario_of)}
