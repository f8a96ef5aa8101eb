"""`/jsonldContexts`: the @contexts that are kept here, which is the core's (6.29 and 6.30 of the standard)."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote, unquote

from litestar import Router, get
from litestar.params import FromPath
from litestar.response.base import ASGIResponse

from broadstreet.access import public
from broadstreet.apis.ngsi_ld.exchange import JSON, LD_JSON, NgsiRequest, encode
from broadstreet.apis.ngsi_ld.parameters import Query
from broadstreet.model.errors import NotFound
from broadstreet.model.terms import CORE_CONTEXT_PATTERN, CORE_CONTEXT_URI, core_context

_LIST: Final = Query("details", answers={200: "Where each stands."})
_ONE: Final = Query("details", answers={200: "The @context."})
_OPEN: Final = public("the core @context is a published standard, and whoever reads JSON-LD follows its link")
_CORE: Final = encode(core_context())


@get("/jsonldContexts", opt=_OPEN, operation_class=_LIST.operation)
async def list_contexts(request: NgsiRequest) -> ASGIResponse:
    """The @contexts that are kept here (5.13.3)."""
    if not _LIST.read(request.scope).flag("details"):
        return ASGIResponse(body=encode([_place(request)]), media_type=JSON)
    return ASGIResponse(body=encode([_details(request)]), media_type=JSON)


@get("/jsonldContexts/{context_id:str}", opt=_OPEN, operation_class=_ONE.operation)
async def one_context(request: NgsiRequest, context_id: FromPath[str]) -> ASGIResponse:
    """An @context by its URI, percent-encoded; `details=true` tells of it instead (5.13.4)."""
    details = _ONE.read(request.scope).flag("details")
    if CORE_CONTEXT_PATTERN.fullmatch(unquote(context_id)) is None:
        raise NotFound(
            "this @context is not kept here", where="contextId", remedy="The core's is; others are sent inline."
        )
    if details:
        return ASGIResponse(body=encode(_details(request)), media_type=JSON)
    return ASGIResponse(body=_CORE, media_type=LD_JSON)


def _place(request: NgsiRequest) -> str:
    base = str(request.base_url).rstrip("/")
    return f"{base}/ngsi-ld/v1/jsonldContexts/{quote(CORE_CONTEXT_URI, safe='')}"


def _details(request: NgsiRequest) -> dict[str, Any]:
    return {"URL": _place(request), "localId": CORE_CONTEXT_URI, "kind": "Cached"}


def contexts_router() -> Router:
    """`/jsonldContexts`."""
    return Router("/", route_handlers=[list_contexts, one_context], tags=["Entities"])
