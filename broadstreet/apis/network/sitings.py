"""`/v1/network/sitings`: where sensors go: questions of a project, how far each answer is, and what came of it."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from broadstreet.access import requires
from broadstreet.apis.network.layers import file_answer
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339
from broadstreet.network.scenarios import NewSiting, Project, Siting, SitingFigures, SitingState, Trouble
from broadstreet.network.scenarios.project import Name
from broadstreet.network.scenarios.siting import siting_wish
from broadstreet.network.scenarios.sitings import begin_siting, cancel_siting, remove_siting, sited, siting_layer

NOT_ITS_OWN: Final = ("inputs", "budget")
"""Of a question on the terminal: here the ground is the project's, and money is cents."""


class SitingBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A question to ask. wish: what is asked of the project."""

    name: Name
    wish: dict[str, Any]


class SitingView(msgspec.Struct, frozen=True, kw_only=True):
    """A question. `stage` is what is being done while it is `running`: `reading`, `planning`, `checking`. `figures` are
    there once it is `chosen`, `trouble` once it has `failed`."""

    id: str
    project: str
    name: str
    wish: dict[str, Any]
    state: SitingState
    stage: str
    is_stopping: bool
    figures: SitingFigures | None
    trouble: Trouble | None
    created_by: str
    created_at: str
    ended_at: str | None


def view(siting: Siting) -> SitingView:
    """A question as it is told."""
    wish = msgspec.to_builtins(siting.wish)
    return SitingView(
        id=siting.id,
        project=siting.project,
        name=siting.name,
        wish={name: value for name, value in wish.items() if name not in NOT_ITS_OWN},
        state=siting.state,
        stage=siting.stage,
        is_stopping=siting.is_stopping,
        figures=siting.figures,
        trouble=siting.trouble,
        created_by=siting.created_by,
        created_at=format_rfc3339(siting.created_us),
        ended_at=None if siting.ended_us is None else format_rfc3339(siting.ended_us),
    )


@get("/projects/{project:str}/sitings", opt=requires("plan:read"))
async def list_of_sitings(call: NamedDependency[Call], project: FromPath[str]) -> list[SitingView]:
    """A project's questions where sensors go, the oldest first."""
    plans = call.services.plans
    found = await plans.projects.find(call.database, project)
    return [view(siting) for siting in await plans.sitings.list(call.database, found)]


@post("/projects/{project:str}/sitings", opt=requires("plan:write"), status_code=HTTP_202_ACCEPTED)
async def ask_where(
    call: NamedDependency[Call], found: NamedDependency[Project], data: JSONBody[SitingBody]
) -> SitingView:
    """Ask where sensors go. It begins at once; ask for it to see how far it is."""
    plans, store = call.services.plans, call.services.store
    wanted = NewSiting(name=data.name, wish=siting_wish(data.wish))
    begun = await begin_siting(plans, store, call.database, call.principal, found, wanted)
    await call.audit("siting.begin", begun.id, {"project": found.id, "name": begun.name})
    return view(begun)


@get("/sitings/{siting:str}", opt=requires("plan:read"))
async def one_siting(call: NamedDependency[Call], siting: FromPath[str]) -> SitingView:
    """A question: how far its answer is, and its figures."""
    return view(await call.services.plans.sitings.find(call.database, siting))


@get("/sitings/{siting:str}/statement", opt=requires("plan:read"))
async def statement_of(call: NamedDependency[Call], siting: FromPath[str]) -> Response[bytes]:
    """All that is claimed of an answer: the sites in their order, each with what it gains, costs and why it is
    connected as it is; the bounds with their certificates; what stands today, greed and chance come to."""
    plans = call.services.plans
    folder = sited(plans, call.database, await plans.sitings.find(call.database, siting))
    data = await asyncio.to_thread(plans.files.read, folder, "statement.json")
    return Response(data, media_type="application/json")


@get("/sitings/{siting:str}/layers/{layer:str}", opt=requires("plan:read"))
async def layer_of(call: NamedDependency[Call], siting: FromPath[str], layer: FromPath[str]) -> Stream:
    """A layer of an answer, as GeoJSON: `sites` (with today's sensors and the gateways), `candidates`."""
    plans = call.services.plans
    return file_answer(siting_layer(plans, call.database, await plans.sitings.find(call.database, siting), layer))


@get("/sitings/{siting:str}/csv", opt=requires("plan:read"))
async def table_of(call: NamedDependency[Call], siting: FromPath[str]) -> Stream:
    """The sites of an answer as a table."""
    plans = call.services.plans
    folder = sited(plans, call.database, await plans.sitings.find(call.database, siting))
    return file_answer(folder / "sites.csv", "text/csv; charset=utf-8", "sites.csv")


@post("/sitings/{siting:str}/stop", opt=requires("plan:write"), status_code=HTTP_202_ACCEPTED)
async def stop_siting(call: NamedDependency[Call], siting: FromPath[str]) -> SitingView:
    """End the search now with the best sites there are; it is `chosen` in a moment, once it has been checked."""
    plans = call.services.plans
    found = await plans.sitings.find(call.database, siting)
    await plans.sitings.stop(call.database, found)
    await call.audit("siting.stop", found.id, {"project": found.project, "name": found.name})
    return view(await plans.sitings.find(call.database, siting))


@post("/sitings/{siting:str}/cancel", opt=requires("plan:write"), status_code=HTTP_200_OK)
async def end_siting(call: NamedDependency[Call], siting: FromPath[str]) -> SitingView:
    """End the search with nothing."""
    plans = call.services.plans
    cancelled = await cancel_siting(plans, call.database, await plans.sitings.find(call.database, siting))
    await call.audit("siting.cancel", cancelled.id, {"project": cancelled.project, "name": cancelled.name})
    return view(cancelled)


@delete("/sitings/{siting:str}", opt=requires("plan:write"))
async def forget_siting(call: NamedDependency[Call], siting: FromPath[str]) -> None:
    """Remove a question and its answer; one that is being answered is cancelled."""
    plans = call.services.plans
    found = await plans.sitings.find(call.database, siting)
    await remove_siting(plans, call.database, found)
    await call.audit("siting.remove", found.id, {"project": found.project, "name": found.name})


def sitings_router() -> Router:
    """`/projects/…/sitings` and `/sitings`, to stand below `/v1/network`."""
    reads = [list_of_sitings, one_siting, statement_of, layer_of, table_of]
    return Router("/", route_handlers=[*reads, ask_where, stop_siting, end_siting, forget_siting], tags=["Planning"])
