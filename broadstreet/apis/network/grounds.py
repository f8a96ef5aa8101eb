"""`/v1/network/projects/…/ground`: a look at what a project is made from, before anything is planned."""

from __future__ import annotations

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream
from litestar.status_codes import HTTP_202_ACCEPTED

from broadstreet.access import requires
from broadstreet.apis.network.layers import GEOJSON, file_answer
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339
from broadstreet.network.scenarios import GROUND_LAYERS, Look, LookedAt, Project, Trouble, find_look, ground_layer


class GroundView(msgspec.Struct, frozen=True, kw_only=True):
    """How a project's ground looks. `state` is `none`, `waiting`, `reading`, `ready` or `failed`; `look` is what was
    there last, `trouble` why nothing came of it. It is of the project as it was at `looked_at`."""

    state: str
    look: Look | None
    trouble: Trouble | None
    looked_at: str | None
    layers: tuple[str, ...]


def view(found: LookedAt) -> GroundView:
    """A look as it is told."""
    return GroundView(
        state=found.state,
        look=found.look,
        trouble=found.trouble,
        looked_at=None if found.looked_us is None else format_rfc3339(found.looked_us),
        layers=GROUND_LAYERS if found.look is not None else (),
    )


@get("/projects/{project:str}/ground", opt=requires("plan:read"))
async def one_ground(call: NamedDependency[Call], project: FromPath[str]) -> GroundView:
    """How a project's ground looked last: streets, premises, offices, and what is wrong with it."""
    found = await call.services.plans.projects.find(call.database, project)
    return view(await find_look(call.database, found))


@post("/projects/{project:str}/ground", opt=requires("plan:write"), status_code=HTTP_202_ACCEPTED)
async def look_at_ground(call: NamedDependency[Call], found: NamedDependency[Project]) -> GroundView:
    """Have a project's ground read and put together, without planning anything; ask for it until it is `ready`."""
    return view(await call.services.plans.look(call.database, call.principal, found))


@get("/projects/{project:str}/ground/{layer:str}", opt=requires("plan:read"), media_type=GEOJSON)
async def one_ground_layer(call: NamedDependency[Call], project: FromPath[str], layer: FromPath[str]) -> Stream:
    """A layer of a project's ground as GeoJSON: `ways`, `premises`, `offices`, `faults`; and of networks that stand
    there, used or not, the `nodes` and `spans`."""
    plans = call.services.plans
    found = await plans.projects.find(call.database, project)
    seen = await find_look(call.database, found)
    return file_answer(ground_layer(plans.files, call.database.name, found.id, seen, layer))


def grounds_router() -> Router:
    """`/projects/…/ground`, to stand below `/v1/network`."""
    return Router("/", route_handlers=[one_ground, look_at_ground, one_ground_layer], tags=["Planning"])
