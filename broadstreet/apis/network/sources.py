"""`/v1/network/projects/…/sources`: the files that a project is made from."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, delete, get, put
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.model.clock import format_rfc3339
from broadstreet.network.scenarios import BASE_EXTRACT, Project, Source, base_extract

AnyRequest = Request[Any, Any, Any]


class SourceView(msgspec.Struct, frozen=True, kw_only=True):
    """A source. `form` is what it is by its name and its first bytes; `is_own` false: it comes with the house."""

    name: str
    form: str
    bytes: int
    sha256: str | None
    added_by: str | None
    added_at: str | None
    is_own: bool


class _Given(Operation):
    """How `PUT …/sources/{file}` is described."""

    def __post_init__(self) -> None:
        content = {
            "application/octet-stream": OpenAPIMediaType(
                schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
            )
        }
        self.request_body = RequestBody(content=content, description="The file.", required=True)


def view(source: Source) -> SourceView:
    """A source as it is told."""
    return SourceView(
        name=source.name,
        form=source.form,
        bytes=source.bytes,
        sha256=source.sha256,
        added_by=source.added_by,
        added_at=format_rfc3339(source.added_us),
        is_own=True,
    )


@get("/projects/{project:str}/sources", opt=requires("plan:read"))
async def list_of_sources(call: NamedDependency[Call], project: FromPath[str]) -> list[SourceView]:
    """A project's files, by name; and the extract that comes with the house, which every project may name."""
    plans = call.services.plans
    found = await plans.projects.find(call.database, project)
    own = [view(source) for source in await plans.sources(call.database, found)]
    base = base_extract()
    if base is None:
        return own
    comes = SourceView(
        name=BASE_EXTRACT,
        form="OpenStreetMap",
        bytes=base.stat().st_size,
        sha256=None,
        added_by=None,
        added_at=None,
        is_own=False,
    )
    return [*own, comes]


@put(
    "/projects/{project:str}/sources/{file:str}",
    opt=requires("plan:write"),
    status_code=HTTP_200_OK,
    request_max_body_size=None,
    operation_class=_Given,
)
async def put_source(
    call: NamedDependency[Call], request: AnyRequest, found: NamedDependency[Project], file: FromPath[str]
) -> SourceView:
    """Give a file, in place of the one of its name. It is known by its first bytes, and bounded by its form."""
    plans = call.services.plans
    told = request.headers.get("content-length", "")
    size = int(told) if told.isascii() and told.isdecimal() else None
    source = await plans.put_source(call.database, found, file, size, request.stream(), call.principal.name)
    await call.audit("project.source", found.id, {"name": found.name, "file": source.name, "sha256": source.sha256})
    return view(source)


@delete("/projects/{project:str}/sources/{file:str}", opt=requires("plan:write"))
async def remove_source(call: NamedDependency[Call], project: FromPath[str], file: FromPath[str]) -> None:
    """Remove a file. Inputs that name it cannot be read until it is there again."""
    plans = call.services.plans
    found = await plans.projects.find(call.database, project)
    await plans.remove_source(call.database, found, file)
    await call.audit("project.source.remove", found.id, {"name": found.name, "file": file})


def sources_router() -> Router:
    """`/projects/…/sources`, to stand below `/v1/network`."""
    return Router("/", route_handlers=[list_of_sources, put_source, remove_source], tags=["Planning"])
