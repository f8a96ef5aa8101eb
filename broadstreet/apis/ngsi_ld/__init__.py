"""NGSI-LD over HTTP (ETSI GS CIM 009 V1.8.1, clause 6), below `/ngsi-ld/v1`.

A handler reads the headers (`Exchange`), the query parameters (`Query`) and the body (context/'s parsers), asks the
`Broker`, and answers. What an operation means stands in context/; here is only how it is said.

What must always hold: an unknown parameter is refused, not passed over; an answer's names are those of the @context it
carries; an error is a problem of the standard's own types; every route says which permission it needs.
"""

from __future__ import annotations

from broadstreet.apis.ngsi_ld.attributes import attributes_router
from broadstreet.apis.ngsi_ld.batch import batch_router
from broadstreet.apis.ngsi_ld.contexts import contexts_router
from broadstreet.apis.ngsi_ld.discovery import discovery_router
from broadstreet.apis.ngsi_ld.entities import entities_router
from broadstreet.apis.ngsi_ld.identity import identity_router
from broadstreet.apis.ngsi_ld.problem import PROBLEMS
from broadstreet.apis.ngsi_ld.purge import purge_router
from broadstreet.apis.ngsi_ld.subscriptions import subscriptions_router
from broadstreet.apis.ngsi_ld.temporal import temporal_router
from broadstreet.apis.router import Router

__all__ = ["ngsi_ld_router"]


def ngsi_ld_router() -> Router:
    """Everything below `/ngsi-ld/v1`."""
    return Router(
        "/ngsi-ld/v1",
        route_handlers=[
            entities_router(),
            purge_router(),
            attributes_router(),
            batch_router(),
            discovery_router(),
            contexts_router(),
            identity_router(),
            temporal_router(),
            subscriptions_router(),
        ],
        exception_handlers=PROBLEMS,
    )
