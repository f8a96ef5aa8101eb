"""`/v1/network/projects`: what plans are made from."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from litestar import Request, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import UNSET, UnsetType

from broadstreet.access import requires
from broadstreet.apis.problem import draw_about
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339
from broadstreet.network.scenarios import NewProject, Project, ProjectChange, RegistrySites, around, inputs_of
from broadstreet.network.scenarios.project import Name, Networks
from broadstreet.network.scenarios.task import StandingNetwork

AnyRequest = Request[Any, Any, Any]


class ProjectBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A project to make. inputs: what a plan is made from. networks: its sources by
    the Open Fibre Data Standard. registry: which entities are sites."""

    name: Name
    inputs: dict[str, Any] | None = None
    networks: Networks = ()
    registry: RegistrySites | None = None


class ProjectChangeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise of a project; what is left out stays."""

    name: Name | UnsetType = UNSET
    inputs: dict[str, Any] | UnsetType = UNSET
    networks: Networks | UnsetType = UNSET
    registry: RegistrySites | UnsetType | None = UNSET


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """A project. `inputs` and `networks` name its sources; `scenarios` and `sources` say how many it has."""

    id: str
    name: str
    inputs: dict[str, Any]
    networks: tuple[str | StandingNetwork, ...]
    registry: RegistrySites | None
    owner: str
    created_at: str
    changed_at: str
    scenarios: int
    sources: int


def view(project: Project) -> ProjectView:
    """A project as it is told."""
    return ProjectView(
        id=project.id,
        name=project.name,
        inputs=msgspec.to_builtins(project.inputs),
        networks=project.networks,
        registry=project.registry,
        owner=project.owner,
        created_at=format_rfc3339(project.created_us),
        changed_at=format_rfc3339(project.changed_us),
        scenarios=project.scenarios,
        sources=project.sources,
    )


@get("/projects", opt=requires("plan:read"))
async def list_of_projects(call: NamedDependency[Call]) -> list[ProjectView]:
    """The tenant's projects, by name."""
    return [view(project) for project in await call.services.plans.projects.list(call.database)]


@post("/projects", opt=requires("plan:write"))
async def create_project(call: NamedDependency[Call], request: AnyRequest, data: JSONBody[ProjectBody]) -> ProjectView:
    """Make a project. Its `inputs` name files that are given as its sources, now or later."""
    draw_about(request, partial(around, data.inputs or {}))
    wanted = NewProject(
        name=data.name, inputs=inputs_of(data.inputs or {}), networks=data.networks, registry=data.registry
    )
    project = await call.services.plans.projects.create(call.database, wanted, call.principal.name)
    await call.audit("project.create", project.id, {"name": project.name})
    return view(project)


@get("/projects/{project:str}", opt=requires("plan:read"))
async def one_project(call: NamedDependency[Call], project: FromPath[str]) -> ProjectView:
    """A project, with what its plans are made from."""
    return view(await call.services.plans.projects.find(call.database, project))


@patch("/projects/{project:str}", opt=requires("plan:write"))
async def change_project(
    call: NamedDependency[Call], found: NamedDependency[Project], data: JSONBody[ProjectChangeBody]
) -> ProjectView:
    """Rename a project, or make its plans from something else. Scenarios that are planned stay as they were planned."""
    projects = call.services.plans.projects
    inputs = UNSET if data.inputs is UNSET else inputs_of(data.inputs)
    change = ProjectChange(name=data.name, inputs=inputs, networks=data.networks, registry=data.registry)
    changed = await projects.change(call.database, found, change)
    fields = [name for name in ("name", "inputs", "networks", "registry") if getattr(data, name) is not UNSET]
    await call.audit("project.change", changed.id, {"name": changed.name, "changed": fields})
    return view(changed)


@delete("/projects/{project:str}", opt=requires("plan:write"))
async def remove_project(call: NamedDependency[Call], project: FromPath[str]) -> None:
    """Remove a project with its sources and scenarios."""
    plans = call.services.plans
    found = await plans.projects.find(call.database, project)
    await plans.remove_project(call.database, found)
    await call.audit("project.remove", found.id, {"name": found.name})


def projects_router() -> Router:
    """`/projects`, to stand below `/v1/network`."""
    return Router(
        "/",
        route_handlers=[list_of_projects, create_project, one_project, change_project, remove_project],
        tags=["Planning"],
    )
