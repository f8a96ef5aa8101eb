"""`/v1/network/scenarios`: what is wished of a project, how far its plan has come, and what came of it."""

from __future__ import annotations

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from broadstreet.access import requires
from broadstreet.apis.network.places import Found
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339
from broadstreet.network.proof import Finding
from broadstreet.network.scenarios import (
    Better,
    NewScenario,
    Outcome,
    PlanWish,
    Project,
    Scenario,
    ScenarioChange,
    ScenarioState,
    Trouble,
)


class ScenarioView(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario. `stage` is what is being done while it is `running`: `reading`, `planning`, `checking`; `progress`
    has a line for each better plan. `outcome` is there once it is `planned`, `trouble` or `findings` once it has
    `failed`."""

    id: str
    project: str
    name: str
    wish: PlanWish
    derived_from: str | None
    state: ScenarioState
    stage: str
    is_stopping: bool
    progress: tuple[Better, ...]
    outcome: Outcome | None
    findings: tuple[Finding, ...]
    trouble: Trouble | None
    created_by: str
    created_at: str
    changed_at: str
    begun_at: str | None
    ended_at: str | None


def view(scenario: Scenario) -> ScenarioView:
    """A scenario as it is told."""
    begun_us, ended_us = scenario.begun_us, scenario.ended_us
    return ScenarioView(
        id=scenario.id,
        project=scenario.project,
        name=scenario.name,
        wish=scenario.wish,
        derived_from=scenario.derived_from,
        state=scenario.state,
        stage=scenario.stage,
        is_stopping=scenario.is_stopping,
        progress=scenario.progress,
        outcome=scenario.outcome,
        findings=scenario.findings,
        trouble=scenario.trouble,
        created_by=scenario.created_by,
        created_at=format_rfc3339(scenario.created_us),
        changed_at=format_rfc3339(scenario.changed_us),
        begun_at=None if begun_us is None else format_rfc3339(begun_us),
        ended_at=None if ended_us is None else format_rfc3339(ended_us),
    )


@get("/projects/{project:str}/scenarios", opt=requires("plan:read"))
async def list_of_scenarios(call: NamedDependency[Call], project: FromPath[str]) -> list[ScenarioView]:
    """A project's scenarios, the oldest first."""
    found = await call.services.plans.projects.find(call.database, project)
    return [view(scenario) for scenario in await call.services.plans.scenarios.list(call.database, found)]


@post("/projects/{project:str}/scenarios", opt=requires("plan:write"))
async def create_scenario(
    call: NamedDependency[Call], found: NamedDependency[Project], data: JSONBody[NewScenario]
) -> ScenarioView:
    """Make a scenario, a wish beside what the project says. `derived_from` has another's wish where none is given."""
    scenarios = call.services.plans.scenarios
    scenario = await scenarios.create(call.database, found, data, call.principal.name)
    await call.audit("scenario.create", scenario.id, {"project": found.id, "name": scenario.name})
    if data.begin:
        scenario = await _begun(call, found, scenario)
    return view(scenario)


async def _begun(call: Call, project: Project, scenario: Scenario) -> Scenario:
    begun = await call.services.plans.begin(call.database, call.principal, project, scenario)
    await call.audit("scenario.begin", begun.id, {"project": project.id, "name": begun.name})
    return begun


@get("/scenarios/{scenario:str}", opt=requires("plan:read"))
async def one_scenario(call: NamedDependency[Call], scenario: FromPath[str]) -> ScenarioView:
    """A scenario: how far its plan has come, and what came of it."""
    return view(await call.services.plans.scenarios.find(call.database, scenario))


@patch("/scenarios/{scenario:str}", opt=requires("plan:write"))
async def change_scenario(
    call: NamedDependency[Call], of: NamedDependency[Found], data: JSONBody[ScenarioChange]
) -> ScenarioView:
    """Rename a scenario; or wish something else of it, while nothing came of it."""
    changed = await call.services.plans.scenarios.change(call.database, of.project, of.scenario, data)
    await call.audit("scenario.change", changed.id, {"project": of.project.id, "name": changed.name})
    return view(changed)


@delete("/scenarios/{scenario:str}", opt=requires("plan:write"))
async def remove_scenario(call: NamedDependency[Call], scenario: FromPath[str]) -> None:
    """Remove a scenario and what came of it; one that is being planned is cancelled."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    await plans.remove(call.database, found)
    await call.audit("scenario.remove", found.id, {"project": found.project, "name": found.name})


@post("/scenarios/{scenario:str}/begin", opt=requires("plan:write"), status_code=HTTP_202_ACCEPTED)
async def begin_scenario(call: NamedDependency[Call], of: NamedDependency[Found]) -> ScenarioView:
    """Have a scenario planned; what came of it before is forgotten. Ask for it to see how far it is."""
    return view(await _begun(call, of.project, of.scenario))


@post("/scenarios/{scenario:str}/stop", opt=requires("plan:write"), status_code=HTTP_202_ACCEPTED)
async def stop_scenario(call: NamedDependency[Call], scenario: FromPath[str]) -> ScenarioView:
    """End the search now with the best plan there is; it is `planned` in a moment, once it has been checked."""
    plans = call.services.plans
    found = await plans.scenarios.find(call.database, scenario)
    await plans.scenarios.stop(call.database, found)
    await call.audit("scenario.stop", found.id, {"project": found.project, "name": found.name})
    return view(await plans.scenarios.find(call.database, scenario))


@post("/scenarios/{scenario:str}/cancel", opt=requires("plan:write"), status_code=HTTP_200_OK)
async def cancel_scenario(call: NamedDependency[Call], scenario: FromPath[str]) -> ScenarioView:
    """End the planning of a scenario with nothing."""
    plans = call.services.plans
    cancelled = await plans.cancel(call.database, await plans.scenarios.find(call.database, scenario))
    await call.audit("scenario.cancel", cancelled.id, {"project": cancelled.project, "name": cancelled.name})
    return view(cancelled)


def scenarios_router() -> Router:
    """`/projects/…/scenarios` and `/scenarios`, to stand below `/v1/network`."""
    return Router(
        "/",
        route_handlers=[
            list_of_scenarios,
            create_scenario,
            one_scenario,
            change_scenario,
            remove_scenario,
            begin_scenario,
            stop_scenario,
            cancel_scenario,
        ],
        tags=["Planning"],
    )
