"""`/v1/export` and `/v1/exports`: taking history and entities away, at once or as a job whose file is fetched later.

The query of `GET /v1/export` is the whole description of what is wanted: the address can be handed on, and runs with
the rights of whoever opens it. `POST /v1/exports` takes the same description, as JSON or in its query.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.openapi.spec import OpenAPIResponse, Operation, Parameter, RequestBody
from litestar.openapi.spec.enums import OpenAPIType
from litestar.openapi.spec.media_type import OpenAPIMediaType
from litestar.openapi.spec.schema import Schema
from litestar.params import FromPath
from litestar.response import Stream
from litestar.status_codes import (
    HTTP_200_OK,
    HTTP_202_ACCEPTED,
    HTTP_206_PARTIAL_CONTENT,
    HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE,
)

from broadstreet.access import requires
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call
from broadstreet.exports import KIND, MEDIA_TYPES, PERMISSION, Wish, parse_wish
from broadstreet.exports.wish import wish_of
from broadstreet.history import Method
from broadstreet.jobs import Job, JobState, part_of
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput, NotFound, TooLarge

MAX_QUERY_BYTES: Final = 64 * 1024
AnyRequest = Request[Any, Any, Any]

_TEXT: Final = Schema(type=OpenAPIType.STRING)
_PARAMETERS: Final[dict[str, tuple[str, Schema]]] = {
    "what": (
        "`history`: what was observed; `entities`: their newest values.",
        Schema(type=OpenAPIType.STRING, enum=["history", "entities"], default="history"),
    ),
    "format": (
        "`geojson` is for entities.",
        Schema(type=OpenAPIType.STRING, enum=list(MEDIA_TYPES), default="csv"),
    ),
    "id": ("An entity; may be repeated.", Schema(type=OpenAPIType.ARRAY, items=_TEXT)),
    "type": ("Entity types: names joined by `,` or `|` (any) and `;` (all).", _TEXT),
    "q": ("An NGSI-LD query over attributes, such as `NO2>40`.", _TEXT),
    "street": ("The street of the entities' address.", _TEXT),
    "near": ("Entities near a place: longitude, latitude and metres.", _TEXT),
    "box": ("Entities in a box: west, south, east, north in degrees.", _TEXT),
    "dataset": ("The dataset that series belong to.", _TEXT),
    "attrs": ("Names of attributes, joined by commas; left out: all.", _TEXT),
    "from": ("From this time on.", _TEXT),
    "to": ("Before this time.", _TEXT),
    "last": ("The time that ends now, as P7D, which is what is taken where nothing is said.", _TEXT),
    "every": ("The length of a period, as PT1H, by which history is summed up.", _TEXT),
    "methods": (f"How values become one, joined by commas: {', '.join(Method)}.", _TEXT),
    "zone": ("The time zone of periods, as Europe/Helsinki.", _TEXT),
    "verbatim": (
        "In CSV, leave texts as they are that a spreadsheet would take for formulas.",
        Schema(type=OpenAPIType.BOOLEAN, default=False),
    ),
}
_ASKED: Final = [
    Parameter(name=name, param_in="query", description=told, schema=schema)
    for name, (told, schema) in _PARAMETERS.items()
]


@dataclass
class _Streamed(Operation):
    """How `GET /v1/export` is described."""

    def __post_init__(self) -> None:
        self.parameters = list(_ASKED)
        content = {kind.partition(";")[0]: OpenAPIMediaType(schema=Schema()) for kind in MEDIA_TYPES.values()}
        self.responses = {"200": OpenAPIResponse(description="The file.", content=content)}


@dataclass
class _Begun(Operation):
    """How `POST /v1/exports` is described."""

    def __post_init__(self) -> None:
        self.parameters = list(_ASKED)
        told = "The same as the query says, as one JSON object; lists are arrays."
        body = {"application/json": OpenAPIMediaType(schema=Schema(type=OpenAPIType.OBJECT))}
        self.request_body = RequestBody(content=body, description=told, required=False)


class ExportView(msgspec.Struct, frozen=True, kw_only=True):
    """An export that is made as a job. `share` is 0 to 1; `url` makes the same anew; `file` is there once it is done.

    `expires_at` is when a file that is there goes.
    """

    id: str
    state: JobState
    title: str
    url: str
    file: str | None
    share: float
    rows: int
    bytes: int
    error: str | None
    begun_at: str
    ended_at: str | None
    expires_at: str | None


def _view(call: Call, job: Job) -> ExportView:
    ended_us = job.ended_us
    keep_us = call.services.exports.jobs.limits.keep_us
    return ExportView(
        id=job.id,
        state=job.state,
        title=job.title,
        url=f"/v1/export?{wish_of(job.wish['wish']).query}",
        file=f"/v1/exports/{job.id}/file" if job.state == "done" else None,
        share=round(job.share, 4),
        rows=job.rows,
        bytes=job.bytes,
        error=job.error,
        begun_at=format_rfc3339(job.created_us),
        ended_at=None if ended_us is None else format_rfc3339(ended_us),
        expires_at=None if ended_us is None else format_rfc3339(ended_us + keep_us),
    )


def _wish_in(request: AnyRequest) -> Wish:
    """What the query asks for. Raises InvalidInput, InvalidQuery, TooLarge."""
    raw = request.scope["query_string"]
    if len(raw) > MAX_QUERY_BYTES:
        raise TooLarge(f"a query is at most {MAX_QUERY_BYTES:,} bytes long", remedy="Send it as a body.")
    return parse_wish(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, errors="replace"))


@get("/export", opt=requires(PERMISSION), operation_class=_Streamed)
async def stream_export(call: NamedDependency[Call], request: AnyRequest) -> Stream:
    """What the query describes, as a file that is made as it is read: of one moment, with the caller's rights."""
    wish = _wish_in(request)
    pieces = call.services.exports.stream(call.database, call.principal, wish, call.at_us)
    # What is wrong with it is said before the answer begins.
    first = await anext(pieces)

    async def data() -> AsyncGenerator[bytes, None]:
        async with aclosing(pieces):
            yield first.data
            async for piece in pieces:
                yield piece.data

    return Stream(data(), media_type=MEDIA_TYPES[wish.format], headers=_saved_as(wish.file_name))


def _saved_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}


@post("/exports", opt=requires(PERMISSION), status_code=HTTP_202_ACCEPTED, operation_class=_Begun)
async def begin_export(call: NamedDependency[Call], request: AnyRequest) -> ExportView:
    """Make the same as a job: its file is fetched once it is done, whatever happens to the connection meanwhile."""
    body = await request.body()
    if not body:
        wish = _wish_in(request)
    else:
        try:
            described = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise InvalidInput(f"the body is no JSON object: {error}") from None
        wish = wish_of(described)
    return _view(call, await call.services.exports.begin(call.database, call.principal, wish, call.at_us))


@get("/exports", opt=requires(PERMISSION))
async def list_of_exports(call: NamedDependency[Call]) -> list[ExportView]:
    """The caller's own exports, newest first."""
    jobs = call.services.exports.jobs
    return [_view(call, job) for job in await jobs.list(call.database, call.principal.name, KIND)]


@get("/exports/{export:str}", opt=requires(PERMISSION))
async def one_export(call: NamedDependency[Call], export: FromPath[str]) -> ExportView:
    """How far one of the caller's own exports has come."""
    return _view(call, await call.services.exports.jobs.find(call.database, call.principal.name, export, KIND))


@delete("/exports/{export:str}", opt=requires(PERMISSION))
async def end_export(call: NamedDependency[Call], export: FromPath[str]) -> None:
    """Cancel an export; one that has ended is removed, with its file."""
    jobs = call.services.exports.jobs
    job = await jobs.find(call.database, call.principal.name, export, KIND)
    await jobs.end(call.database, job)
    await call.audit("export.end", job.id)


@get("/exports/{export:str}/file", opt=requires(PERMISSION))
async def export_file(
    call: NamedDependency[Call], request: AnyRequest, export: FromPath[str]
) -> Response[bytes] | Stream:
    """The file of an export, or the part of it that a Range header asks for."""
    exports = call.services.exports
    job = await exports.jobs.find(call.database, call.principal.name, export, KIND)
    try:
        part = part_of(exports.jobs.finished_file(job), request.headers.get("range"), request.headers.get("if-range"))
    except FileNotFoundError:
        raise NotFound("the file went away just now") from None
    if part.is_empty:
        return Response(b"", status_code=HTTP_416_REQUESTED_RANGE_NOT_SATISFIABLE, headers=part.headers)
    if part.start == 0:
        await exports.note_fetched(call.principal, job, call.at_us)
    return Stream(
        part.read(),
        media_type=job.media_type,
        status_code=HTTP_206_PARTIAL_CONTENT if part.is_partial else HTTP_200_OK,
        headers={**part.headers, **_saved_as(job.title)},
    )


def exports_router() -> Router:
    """`/export` and `/exports`, to stand below `/v1`."""
    return Router(
        "/",
        route_handlers=[stream_export, begin_export, list_of_exports, one_export, end_export, export_file],
        tags=["Data"],
    )
