"""The pages on HTTP, NGSI-LD and planning describe every route outside the portal with its demand, and no other."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from broadstreet.access import demand_of
from broadstreet.apis import Services, create_app
from broadstreet.apis.guard import handlers_of
from broadstreet.apis.openapi import describe
from broadstreet.gateway import readings_router
from tests.docs.pages import reference

UNUSED = cast(Any, SimpleNamespace(ping=None))
"""Stands where engines would: a table of routes asks none."""


def _rows() -> dict[str, str]:
    """The rows of all routes."""
    planning = {name: row for name, row in reference("planning").rows().items() if " /v1/" in name}
    return reference("http-api").rows() | reference("ngsi-ld").rows() | planning


def test_every_route_is_described_with_its_permission() -> None:
    app = create_app(Services(UNUSED, UNUSED, UNUSED, UNUSED, UNUSED), [readings_router(UNUSED)])
    there = {}
    for path, handler in handlers_of(app):
        demand = demand_of(handler.opt)
        assert demand is not None, path
        asked = demand.permission or ("none" if demand.is_public else "any")
        if not path.startswith("/docs"):
            there.update({f"{method} {path}": asked for method in handler.http_methods})
    told = {route: row.split("|")[0].strip(" `") for route, row in _rows().items()}
    assert told == there


def test_every_operation_of_the_openapi_document_is_in_the_reference() -> None:
    app = create_app(Services(UNUSED, UNUSED, UNUSED, UNUSED, UNUSED), [readings_router(UNUSED)])
    operations = {
        f"{method.upper()} {path}"
        for path, item in describe(app)["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    }
    told = set(_rows())
    assert len(operations) > 40
    assert operations <= told
    assert told - operations == {"GET /openapi.json"}, "the document does not describe itself, and all else is in it"
