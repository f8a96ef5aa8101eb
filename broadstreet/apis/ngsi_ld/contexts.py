"""`/jsonldContexts`: the @contexts that are kept here (6.29 and 6.30 of the standard, 5.13)."""

from __future__ import annotations

from typing import Any, Final, get_args
from urllib.parse import quote, unquote

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response.base import ASGIResponse
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from broadstreet.access import Principal, public, requires
from broadstreet.apis.guard import TENANT_HEADER
from broadstreet.apis.ngsi_ld.answers import CONTEXT, CONTEXTS, Answer
from broadstreet.apis.ngsi_ld.exchange import JSON, LD_JSON, NgsiRequest, empty, encode
from broadstreet.apis.ngsi_ld.parameters import Query
from broadstreet.apis.router import Router
from broadstreet.apis.services import Call, Services
from broadstreet.context import ContextKind, KeptContext
from broadstreet.context.contexts import PATH
from broadstreet.model.clock import format_rfc3339
from broadstreet.model.errors import InvalidInput, InvalidRequest, OperationNotSupported
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.model.terms import CORE_CONTEXT_PATTERN, CORE_CONTEXT_URI, core_context

_LIST: Final = Query("details", "kind", answers={200: Answer("Where each stands.", CONTEXTS)})
_ONE: Final = Query("details", answers={200: Answer("The @context.", CONTEXT)})
_ADD: Final = Query(body='A document such as {"@context": …}.', answers={201: "Kept; Location says where it stands."})
_DELETE: Final = Query("reload", answers={204: "Gone, or fetched anew."})
_OPEN: Final = public("whoever reads JSON-LD follows the link to its @context, which tells what names mean and no more")
_CORE: Final = encode(core_context())


@get("/jsonldContexts", opt=requires("entity:read"), operation_class=_LIST.operation)
async def list_contexts(
    request: NgsiRequest, services: NamedDependency[Services], principal: NamedDependency[Principal]
) -> ASGIResponse:
    """The @contexts that are kept here, the core's first (5.13.3); of a tenant that is not there, the core's alone."""
    parameters = _LIST.read(request.scope)
    kind = parameters.text("kind")
    if kind is not None and kind not in get_args(ContextKind):
        raise InvalidInput(f"kind is one of {', '.join(get_args(ContextKind))}", where="kind")
    kept = await services.contexts.list(principal.tenant, kind)
    shown: list[Any] = []
    details = parameters.flag("details")
    if kind in (None, "Cached"):
        shown.append(_core_details(request) if details else _place(request, CORE_CONTEXT_URI))
    shown += [_details(request, one) if details else _place(request, one.url or one.id) for one in kept]
    return ASGIResponse(body=encode(shown), media_type=JSON)


@get("/jsonldContexts/{context_id:str}", opt=_OPEN, operation_class=_ONE.operation)
async def one_context(
    request: NgsiRequest, services: NamedDependency[Services], context_id: FromPath[str]
) -> ASGIResponse:
    """An @context by its id here or by its own address, percent-encoded; `details=true` tells of it (5.13.4).

    A copy is not served in place of its source: only told of.
    """
    details = _ONE.read(request.scope).flag("details")
    name = unquote(context_id)
    if CORE_CONTEXT_PATTERN.fullmatch(name) is not None:
        if details:
            return ASGIResponse(body=encode(_core_details(request)), media_type=JSON)
        return ASGIResponse(body=_CORE, media_type=LD_JSON)
    kept = await services.contexts.find(request.headers.get(TENANT_HEADER) or DEFAULT_TENANT, name)
    if details:
        return ASGIResponse(body=encode(_details(request, kept)), media_type=JSON)
    if kept.url is not None:
        raise OperationNotSupported(
            "this @context is a copy, and is served by its source", where="contextId", remedy=f"Ask {kept.url}."
        )
    return ASGIResponse(body=encode(kept.body), media_type=JSON)


@post("/jsonldContexts", opt=requires("entity:write", makes_tenant=True), operation_class=_ADD.operation)
async def add_context(request: NgsiRequest, call: NamedDependency[Call]) -> ASGIResponse:
    """Put an @context here, to be named by where it stands then (5.13.2)."""
    _ADD.read(request.scope)
    try:
        document = msgspec.json.decode(await request.body())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is no JSON: {error}", where="body") from None
    if not isinstance(document, dict) or "@context" not in document:
        raise InvalidRequest("the body is an object with the member @context", where="body")
    made = await call.services.contexts.add(call.principal.tenant, document)
    await call.audit("context.create", made)
    return empty(HTTP_201_CREATED, {"Location": PATH + made})


@delete(
    "/jsonldContexts/{context_id:str}",
    opt=requires("entity:write"),
    operation_class=_DELETE.operation,
    status_code=HTTP_200_OK,
)
async def delete_context(request: NgsiRequest, call: NamedDependency[Call], context_id: FromPath[str]) -> ASGIResponse:
    """Keep an @context no longer; with `reload=true` fetch a copy anew (5.13.5)."""
    reload = _DELETE.read(request.scope).flag("reload")
    name = unquote(context_id)
    if CORE_CONTEXT_PATTERN.fullmatch(name) is not None:
        if reload:
            return empty()  # it is part of the house, and always what it was
        raise InvalidInput("the core @context stays", where="contextId")
    contexts = call.services.contexts
    if reload:
        await contexts.reload(call.principal.tenant, name)
    else:
        await contexts.delete(call.principal.tenant, name)
    await call.audit("context.reload" if reload else "context.delete", name)
    return empty()


def _place(request: NgsiRequest, name: str) -> str:
    return f"{str(request.base_url).rstrip('/')}{PATH}{quote(name, safe='')}"


def _details(request: NgsiRequest, kept: KeptContext) -> dict[str, Any]:
    """As 5.13.3 tells of a context."""
    told = {
        "URL": kept.url or _place(request, kept.id),
        "localId": kept.id,
        "kind": kept.kind,
        "createdAt": format_rfc3339(kept.created_at_us),
        "numberOfHits": kept.hits,
    }
    if kept.used_at_us is not None:
        told["lastUsage"] = format_rfc3339(kept.used_at_us)
    return told


def _core_details(request: NgsiRequest) -> dict[str, Any]:
    return {"URL": _place(request, CORE_CONTEXT_URI), "localId": CORE_CONTEXT_URI, "kind": "Cached"}


def contexts_router() -> Router:
    """`/jsonldContexts`."""
    return Router(
        "/", route_handlers=[list_contexts, one_context, add_context, delete_context], tags=["JSON-LD contexts"]
    )
