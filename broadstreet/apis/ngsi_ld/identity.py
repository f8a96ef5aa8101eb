"""`/info/sourceIdentity`: who this broker is to others that ask it (5.15 and 6.33 of the standard)."""

from __future__ import annotations

from typing import Final
from uuid import NAMESPACE_URL, uuid5

from litestar import get
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from broadstreet.access import requires
from broadstreet.apis.guard import TENANT_HEADER
from broadstreet.apis.ngsi_ld.answers import IDENTITY, Answer
from broadstreet.apis.ngsi_ld.exchange import JSON, LD_JSON, NgsiRequest, encode, negotiate
from broadstreet.apis.ngsi_ld.parameters import Query
from broadstreet.apis.router import Router
from broadstreet.apis.services import Services
from broadstreet.model.clock import US_PER_S, format_rfc3339
from broadstreet.model.identifiers import DEFAULT_TENANT
from broadstreet.model.terms import CORE_CONTEXT_URI

_IDENTITY: Final = Query(answers={200: Answer("The identity.", IDENTITY)})


@get("/info/sourceIdentity", opt=requires("entity:read"), operation_class=_IDENTITY.operation)
async def source_identity(request: NgsiRequest, services: NamedDependency[Services]) -> ASGIResponse:
    """Who answers here, and since when (5.15.1). Each tenant has an alias of its own, by which loops are found."""
    _IDENTITY.read(request.scope)
    media_type = negotiate(request.headers.get("accept") or "*/*", (JSON, LD_JSON))
    tenant = request.headers.get(TENANT_HEADER) or DEFAULT_TENANT
    alias = uuid5(NAMESPACE_URL, f"{await services.store.identity()}/{tenant}")
    now_us = services.clock()
    body = {
        "id": f"urn:ngsi-ld:ContextSourceIdentity:{alias}",
        "type": "ContextSourceIdentity",
        "contextSourceAlias": str(alias),
        "contextSourceUptime": f"PT{(now_us - services.began_us) // US_PER_S}S",
        "contextSourceTimeAt": format_rfc3339(now_us),
    }
    if media_type == LD_JSON:
        body["@context"] = CORE_CONTEXT_URI
    return ASGIResponse(body=encode(body), media_type=media_type)


def identity_router() -> Router:
    """`/info`."""
    return Router("/", route_handlers=[source_identity], tags=["JSON-LD contexts"])
