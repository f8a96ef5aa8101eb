"""The description of every API, made from its routes: OpenAPI 3.1 at `/openapi.json`, a page of it at `/docs`.

Litestar describes paths, parameters and bodies from types and docstrings; here each operation also learns what it
demands of its caller, from the same declaration that the guard reads, and which problems it may answer with.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from litestar import Litestar, MediaType, Request, Response, get
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import OpenAPIRenderPlugin
from litestar.openapi.spec import Components, License, SecurityScheme, Tag

from broadstreet.access import Demand, demand_of, public
from broadstreet.access.route import SESSION_COOKIE
from broadstreet.apis.guard import handlers_of
from broadstreet.apis.problem import PROBLEM_JSON, Problem
from broadstreet.apis.router import Router

MEDIA_TYPE: Final = "application/vnd.oai.openapi+json;version=3.1"
DOCS_PATH: Final = "/docs"
_OPEN: Final = public("a description of the door is not the key")
_DESCRIPTION: Final = """\
A city's readings, devices and entities. Applications speak NGSI-LD (ETSI GS CIM 009) under `/ngsi-ld/v1`; devices are
registered and managed under `/v1`. Sign in with an API token: `Authorization: Bearer bst_…`. The header
`NGSILD-Tenant` names the tenant where an account has several. Errors are problem details (RFC 9457).
"""
_TAGS: Final = (
    Tag("Entities", "NGSI-LD: things of the city, their attributes now."),
    Tag("Temporal", "NGSI-LD: attributes over time, with aggregates."),
    Tag("Devices", "What sends readings: registration, credentials, profiles."),
    Tag("Commands", "What devices are ordered to do, by whom and why, and what they said of it."),
    Tag("Readings", "Readings over HTTP, for devices that do not speak MQTT."),
    Tag("Letters", "Messages that could not be applied: looked through, replayed, discarded."),
    Tag("Data", "Datasets: who answers for data, what it is for, how long it stays."),
    Tag("Planning", "Plans of the operator's network: projects, what they are made from, scenarios and their designs."),
    Tag("People", "Accounts, their roles, and the audit of who changed what."),
    Tag("Operation", "Whether the house is well."),
)
_PROBLEMS: Final = {
    "400": "The request cannot be carried out as it stands.",
    "401": "No credential came with the request, or it does not hold.",
    "403": "The caller's roles do not allow this.",
}
_NGSI_LD: Final = "/ngsi-ld/"
_NGSI_LD_PROBLEMS: Final = {
    **_PROBLEMS,
    "404": "There is no such thing here.",
    "406": "The answer does not come as any media type that is accepted.",
    "409": "It is there already, or others keep changing it.",
    "411": "A body comes with its length.",
    "413": "Something is larger than its bound.",
    "415": "A body comes as JSON or JSON-LD.",
    "422": "The standard has it, and this house does not offer it.",
    "429": "There is more of something than its bound.",
    "503": "The database cannot be reached.",
    "504": "An @context cannot be fetched.",
}
"""What any operation of NGSI-LD may answer (5.5.2 of the standard), as plain JSON."""
_STYLE: Final = """\
:root{color-scheme:light dark;--paper:light-dark(#fbfaf5,#11151a);--ink:light-dark(#1a1d21,#ece9e0);
--muted:light-dark(#5b626b,#a3abb5);--line:light-dark(#d9d6cc,#2c343d);--fibre:light-dark(#0b6e75,#4fc4c9)}
body{max-width:62rem;margin:0 auto;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--ink);
font:15px/1.5 'Segoe UI',system-ui,sans-serif;overflow-wrap:anywhere}
h1,h2{font-family:'Iowan Old Style','Palatino Linotype',Georgia,serif;font-weight:400;line-height:1.25}
h1{margin:1.5rem 0 .5rem;font-size:32px}h2{margin:3rem 0 .25rem;border-bottom:1px solid;font-size:24px}
a{color:var(--fibre);text-underline-offset:.2em}:focus-visible{outline:2px solid var(--fibre);outline-offset:2px}
code{font:14px/1.5 ui-monospace,'DejaVu Sans Mono',monospace}nav,.lead{color:var(--muted)}
nav a{display:inline-block;margin-right:1.5rem;line-height:32px}
article{padding:.75rem 0;border-bottom:1px solid var(--line)}h3{margin:0;font-size:15px;font-weight:400}
h3 b{display:inline-block;min-width:4.5em;font-weight:600}p{max-width:72ch;margin:.25rem 0}
dl{display:grid;grid-template-columns:minmax(9rem,16rem) 1fr;gap:.25rem 1rem;margin:.5rem 0 0}
dt,dd{margin:0}dd{color:var(--muted)}@media(max-width:640px){dl{grid-template-columns:1fr}dd{margin-bottom:.25rem}}
"""
"""The portal's ink and paper, by day and by night (webapp/src/style/tokens.css), in fonts the reader has."""
_CODE = re.compile("`([^`]+)`")
_METHODS: Final = ("get", "post", "put", "patch", "delete")


class _Page(OpenAPIRenderPlugin):
    """The description as a page, without a script and without anybody else's host."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        return _page(describe(request.app)).encode()


def openapi_config(version: str) -> OpenAPIConfig:
    """What Litestar needs to know to describe the routes."""
    return OpenAPIConfig(
        title="Broadstreet",
        version=version,
        description=_DESCRIPTION,
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        tags=list(_TAGS),
        use_handler_docstrings=True,
        components=Components(
            security_schemes={
                "token": SecurityScheme(
                    type="http", scheme="bearer", description="An account's API token: `broadstreet token create`."
                ),
                "session": SecurityScheme(
                    type="apiKey",
                    name=SESSION_COOKIE,
                    security_scheme_in="cookie",
                    description="A session of the portal.",
                ),
                "device": SecurityScheme(type="http", scheme="basic", description="A device's id and secret."),
            }
        ),
        openapi_router=Router(DOCS_PATH, route_handlers=[], opt=_OPEN, include_in_schema=False),
        render_plugins=[_Page(path="/")],
    )


def describe(app: Litestar) -> dict[str, Any]:
    """The whole description as JSON values."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = msgspec.json.schema_components([Problem], ref_template="#/components/schemas/{name}")[1][
        "Problem"
    ]
    for path, handler in handlers_of(app):
        demand = demand_of(handler.opt)
        operations = document["paths"].get(path or "/", {})
        for method in handler.http_methods:
            operation = operations.get(method.lower())
            if operation is not None and demand is not None:
                _complete(operation, demand, is_ngsi_ld=path.startswith(_NGSI_LD))
    return document


def _complete(operation: dict[str, Any], demand: Demand, *, is_ngsi_ld: bool) -> None:
    """Add to an operation what it demands, and the problems it may answer with."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    problem = {MediaType.JSON if is_ngsi_ld else PROBLEM_JSON: schema}
    responses = operation.setdefault("responses", {})
    if is_ngsi_ld:
        responses |= {status: {"description": text, "content": problem} for status, text in _NGSI_LD_PROBLEMS.items()}
        responses["411"].pop("content")
    # The framework describes its own shape for a request that does not fit; ours is another.
    responses["400"] = {"description": _PROBLEMS["400"], "content": problem}
    if demand.is_public:
        operation["security"] = []
        return
    schemes = ["token", "session", *(["device"] if demand.permission == "reading:write" else [])]
    operation["security"] = [{scheme: []} for scheme in schemes]
    needs = f"Needs the permission `{demand.permission}`." if demand.permission else "Needs any account signed in."
    operation["description"] = f"{operation.get('description', '').strip()}\n\n{needs}".strip()
    for status in ("401", "403"):
        responses[status] = {"description": _PROBLEMS[status], "content": problem}


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in sorted(document["paths"].items()):
        for method in _METHODS:
            operation = operations.get(method)
            if operation is not None and tag in operation.get("tags", ()):
                yield method.upper(), path, operation


def _page(document: dict[str, Any]) -> str:
    parts = [
        "<!doctype html><html lang=en><head><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>{html.escape(document['info']['title'])}: the APIs</title>",
        f"<link rel=icon href=/icon.svg><style>{_STYLE}</style></head><body>",
        "<nav aria-label=Pages><a href=/>The portal</a><a href=/openapi.json>openapi.json</a></nav><main>",
        f"<h1>{html.escape(document['info']['title'])} {html.escape(document['info']['version'])}: the APIs</h1>",
        f"<p>{_told(document['info']['description'])}</p><nav aria-label=Sections>",
        *(f"<a href=#{html.escape(tag['name'])}>{html.escape(tag['name'])}</a>" for tag in document.get("tags", ())),
        "</nav>",
    ]
    for tag in document.get("tags", ()):
        name = html.escape(tag["name"])
        parts.append(f"<section aria-labelledby='{name}'><h2 id='{name}'>{name}</h2>")
        parts.append(f"<p class=lead>{_told(tag.get('description', ''))}</p>")
        parts.extend(_article(*found) for found in _operations(document, tag["name"]))
        parts.append("</section>")
    return "".join([*parts, "</main></body></html>"])


def _article(method: str, path: str, operation: dict[str, Any]) -> str:
    """One operation."""
    parts = [
        f"<article><h3><code><b>{method}</b> {html.escape(path)}</code></h3>",
        f"<p>{_told(operation.get('description', ''))}</p>",
    ]
    if parameters := operation.get("parameters", ()):
        told = (
            f"<dt><code>{html.escape(one['name'])}</code> <small>{one['in']}</small></dt>"
            f"<dd>{_told(one.get('description', ''))}</dd>"
            for one in parameters
        )
        parts.append(f"<dl>{''.join(told)}</dl>")
    return "".join([*parts, "</article>"])


def _told(text: str) -> str:
    """A description as HTML: what stands in backticks is code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(text))


@get("/openapi.json", opt=_OPEN, include_in_schema=False, sync_to_thread=False)
def openapi_json(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The description as OpenAPI 3.1."""
    return Response(msgspec.json.encode(describe(request.app)), media_type=MEDIA_TYPE)
