"""A walk of every route: what each is asked for, by its address or with a body, so that a test can go through all.

A route with a parameter that nobody knows fails the walk; so does a writing route of which `WRITES` says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Final
from urllib.parse import quote

from litestar.handlers import HTTPRouteHandler

from broadstreet.context.instance import instance_id, mark_of
from broadstreet.model.terms import expand
from tests.contract.canaries import Filled

ENDLESS: Final = {"/portal/api/live"}
"""Answers that have no end of their own."""
FROM, TO = "2026-02-01T00:00:00Z", "2026-04-01T00:00:00Z"
WIDE = "timerel=after&timeAt=2026-01-01T00:00:00Z"
QUERIES: Final = {
    "/ngsi-ld/v1/entities": (
        "?type=AirQualityObserved,{name}",
        "?id={entity}",
        "?idPattern=.*&options=sysAttrs",
        "?attrs={name}",
        "?attrs=NO2&q=NO2>0&count=true",
        "?type=AirQualityObserved&georel=near;maxDistance==9000&geometry=Point&coordinates=[24.9,60.2]",
        "?georel=near;maxDistance==9000&geometry=Point&coordinates=[24.9,60.2]&count=true",
        "?scopeQ=/{name}",
        "?type={name}&join=flat",
        "?type=AirQualityObserved&orderBy=NO2;desc,NO2.observedAt,{name}.note,type,createdAt,modifiedAt,id",
        "?type=AirQualityObserved&orderBy=location;dist-asc&orderFrom=[24.9,60.2]",
        "?idPattern=((",
    ),
    "/ngsi-ld/v1/entities/{entity_id}": ("", "?options=keyValues", "?attrs={name}", "?join=inline&joinLevel=2"),
    "/ngsi-ld/v1/temporal/entities": (
        f"?type=AirQualityObserved,{{name}}&{WIDE}",
        f"?attrs={{name}}&{WIDE}",
        f"?id={{entity}}&{WIDE}",
        f"?type=AirQualityObserved&q=NO2>1;{{name}}.unitCode&orderBy=id;desc&{WIDE}",
        f"?type=AirQualityObserved&q=NO2.createdAt>{FROM}&timeproperty=modifiedAt&{WIDE}",
        f"?type=AirQualityObserved&georel=near;maxDistance==9&geometry=Point&coordinates=[24.9,60.2]&{WIDE}",
        f"?type=AirQualityObserved&scopeQ=/{{name}}/#&{WIDE}",
        f"?type={{name}}&timeproperty=deletedAt&{WIDE}",
    ),
    "/ngsi-ld/v1/temporal/entities/{entity_id}": (
        f"?{WIDE}",
        f"?{WIDE}&options=temporalValues",
        f"?{WIDE}&timeproperty=createdAt",
        f"?{WIDE}&lastN=2&options=sysAttrs",
        f"?{WIDE}&options=aggregatedValues&aggrMethods=avg,max,distinctCount&aggrPeriodDuration=P1D",
    ),
    "/ngsi-ld/v1/types": ("", "?details=true"),
    "/ngsi-ld/v1/attributes": ("", "?details=true"),
    "/v1/export": (
        "",
        *(f"?format={form}&id={{entity}}&from={FROM}&to={TO}" for form in ("csv", "ndjson", "parquet", "arrow")),
        f"?attrs={{name}}&from={FROM}&to={TO}",
        f"?street={{name}}&from={FROM}&to={TO}",
        f"?dataset=urn:{{name}}&from={FROM}&to={TO}",
        f"?id={{entity}}&every=PT1H&methods=avg,max&from={FROM}&to={TO}",
        "?what=entities&near=24.9,60.2,1000",
        "?what=entities&format=geojson&box=24,60,25,61",
        "?what=entities&format=ndjson&type={name}",
    ),
    "/portal/api/ranking": ("", *(f"?stat={stat}&from={FROM}&to={TO}" for stat in ("max", "min", "mean", "last"))),
    "/portal/api/search": ("?q=1", "?q={name}", "?q={device}"),
    "/portal/api/city": ("", "?type=AirQualityObserved", "?street={name}"),
}
"""What is asked beside a route's required parameters; a route that is not here is asked plainly."""

POSTED: Final[dict[str, tuple[object, ...]]] = {
    "/ngsi-ld/v1/entityOperations/query": (
        {"type": "Query", "entities": [{"idPattern": ".*", "type": "AirQualityObserved"}]},
        {"type": "Query", "entities": [{"id": "urn:ngsi-ld:AirQualityObserved:harbour-17", "type": "*"}]},
    ),
    "/ngsi-ld/v1/temporal/entityOperations/query": (
        {
            "type": "Query",
            "entities": [{"type": "AirQualityObserved"}],
            "temporalQ": {"timerel": "after", "timeAt": "2026-01-01T00:00:00Z"},
        },
    ),
}


def names(tenant: Filled) -> dict[str, list[str]]:
    """What may stand for a parameter of each name."""
    return {
        "device": [tenant.device],
        "entity_id": [tenant.entity, tenant.own_entity],
        "id": [tenant.entity],
        "name": [tenant.name],
        "letter": [tenant.letter],
        "command": ["x"],
        "fingerprint": ["aa"],
        "export": ["x"],
        "token": ["x"],
        "passkey": ["1"],
        "type_name": ["AirQualityObserved", tenant.name],
        "attribute_id": ["NO2", tenant.name],
        "attribute": ["NO2", tenant.name],
        "context_id": ["x"],
        "subscription_id": [f"urn:ngsi-ld:Subscription:{tenant.name}"],
        "instance_id": ["x"],
        "secret": ["x"],
        "file": [f"{tenant.tenant}.pmtiles"],
        "path": ["x"],
        "layer": ["ways"],
        "sheet": ["catalogue"],
        "cable": ["x"],
        "format": ["csv"],
        "premises": ["x"],
        "case": ["x"],
        "project": [f"tenant_{tenant.tenant}-project"],
        "scenario": [f"tenant_{tenant.tenant}-scenario"],
        "siting": [f"tenant_{tenant.tenant}-siting"],
    }


DOORS = ("portal", "town", "client", "metrics", "holds", "checks")
GIVEN = {*DOORS, "request", "services", "call", "principal", "data", "pages", "wanted"}
"""What a handler is given whatever its address says."""


def targets(path: str, handler: HTTPRouteHandler, tenant: Filled) -> Iterator[str]:
    """The addresses by which a route is asked for what a tenant has. A parameter nobody knows is an error here."""
    known = names(tenant)
    in_path = re.findall(r"\{(\w+)", path)
    signature = handler.parsed_fn_signature.parameters
    asked = [n for n, p in signature.items() if n in known and n not in in_path and not p.has_default]
    strange = {n for n, p in signature.items() if not p.has_default} | set(in_path)
    assert strange <= set(known) | GIVEN, f"say in names() what {path} is to be asked for"
    for values in product(*(known[name] for name in (*in_path, *asked))):
        filled = path
        for name, value in zip(in_path, values[: len(in_path)], strict=True):
            filled = re.sub(rf"\{{{name}[^}}]*\}}", quote(value, safe=""), filled)
        query = "&".join(f"{n}={quote(v, safe='')}" for n, v in zip(asked, values[len(in_path) :], strict=True))
        for more in QUERIES.get(path, ("",)):
            said = more.format(name=tenant.name, entity=tenant.entity, device=tenant.device)
            yield filled + (said or "?") + (f"&{query}" if said and query else query)


@dataclass(frozen=True)
class Write:
    """One writing call. path: with its parameters filled in; body: bytes, or a value that is sent as JSON."""

    route: str
    path: str
    body: bytes | object = b""
    kind: str = "application/json"


ENTITY: Final = {"id": "urn:ngsi-ld:Bench:1", "type": "Bench", "name": {"type": "Property", "value": "By the pond"}}
GREEN: Final = {"type": "Property", "value": "green"}
COLOUR: Final = {"colour": GREEN}
PLACE: Final = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [24.9, 60.2]}}
PAINTED: Final = {**ENTITY, "location": PLACE, "colour": {"type": "Property", "value": "red"}}
BENCH: Final = "/ngsi-ld/v1/entities/urn:ngsi-ld:Bench:1"
PAINT: Final = f"{BENCH}/attrs/colour"
BATCH: Final = "/ngsi-ld/v1/entityOperations"
SUBSCRIPTIONS: Final = "/ngsi-ld/v1/subscriptions"
WATCH: Final = {
    "id": "urn:watch",
    "type": "Subscription",
    "entities": [{"type": "Bench"}],
    "notification": {"endpoint": {"uri": "https://example.org/told"}},
}
BUS: Final = "/ngsi-ld/v1/temporal/entities/urn:ngsi-ld:Bus:1"
RIDERS: Final = {"riders": [{"type": "Property", "value": 7, "observedAt": "2026-02-01T12:00:00Z"}]}
LINES: Final = {"scope": [{"type": "Property", "value": "/Lines/Seven", "observedAt": "2026-02-01T00:00:00Z"}]}
RIDDEN: Final = {"id": "urn:ngsi-ld:Bus:1", "type": "Bus", **RIDERS, **LINES}
LATER_RIDERS: Final = {"riders": {"type": "Property", "value": 8, "observedAt": "2026-02-01T13:00:00Z"}}
ONCE: Final = instance_id(mark_of("urn:ngsi-ld:Bus:1", expand("riders"), ""), 1_769_947_200_000_000, 0)
PROFILE: Final = b'[profile]\nname = "bench"\ntype = "Bench"\n[attributes.load]\nfield = "l"\nunit = "KGM"\n'
LATER: Final = PROFILE + b'[attributes.humidity]\nfield = "h"\nunit = "P1"\n'
SPEC: Final = {
    "id": "bench-1",
    "title": "Bench",
    "profile": "bench",
    "lon": 24.9,
    "lat": 60.2,
    "dataset": "urn:benches",
}
ANYONES: Final = {"title": "Benches", "licence": "CC0-1.0", "types": ["Bench"], "attributes": ["load"]}
NDJSON = b'{"id": "bench-2", "title": "Bench", "profile": "bench", "lon": 24.9, "lat": 60.2}\n'

WRITES: Final = (
    Write("POST /v1/profiles", "/v1/profiles", PROFILE, "application/toml"),
    Write("POST /v1/exports", "/v1/exports", {"type": "Bench", "last": "P1D"}),
    Write("PUT /v1/datasets", "/v1/datasets", {"id": "urn:benches", "title": "Benches"}),
    Write("POST /v1/network/projects", "/v1/network/projects", {"name": "Benches"}),
    Write("PUT /v1/public-view", "/v1/public-view", {"version": 0, "items": [ANYONES]}),
    Write("POST /v1/devices", "/v1/devices", SPEC),
    Write("POST /v1/devices/bulk", "/v1/devices/bulk", NDJSON, "application/x-ndjson"),
    Write("POST /v1/devices/table", "/v1/devices/table", b"id,profile,lon,lat\nbench-3,bench,24.9,60.2\n", "text/csv"),
    Write("POST /v1/prepared-devices", "/v1/prepared-devices", [{"id": "bench-4", "profile": "bench"}]),
    Write("DELETE /v1/prepared-devices/{device}", "/v1/prepared-devices/bench-4"),
    Write("POST /v1/provisioning-keys", "/v1/provisioning-keys", {"name": "k", "profile": "bench", "max_devices": 1}),
    Write("DELETE /v1/provisioning-keys/{name}", "/v1/provisioning-keys/k"),
    Write("POST /v1/webhooks", "/v1/webhooks", {"name": "bench", "device": "bench-1"}),
    Write("DELETE /v1/webhooks/{name}", "/v1/webhooks/bench"),
    Write("POST /v1/commands", "/v1/commands", {"name": "light", "devices": ["bench-1"], "why": "it is dark"}),
    Write("POST /v1/profiles", "/v1/profiles", LATER, "application/toml"),
    Write("PATCH /v1/devices/{device}", "/v1/devices/bench-1", {"title": "The bench"}),
    Write("POST /v1/devices/{device}/secret", "/v1/devices/bench-1/secret"),
    Write("POST /v1/devices/{device}/certificates", "/v1/devices/bench-1/certificates", {"days": 30}),
    Write("DELETE /v1/devices/{device}", "/v1/devices/bench-1"),
    Write("POST /v1/devices/{device}/enable", "/v1/devices/bench-1/enable"),
    Write(
        "POST /portal/api/devices",
        "/portal/api/devices",
        {"title": "A bench", "profile": "bench", "lon": 24.9, "lat": 60.2},
    ),
    Write("POST /portal/api/devices/{device}/secret", "/portal/api/devices/bench-2/secret"),
    Write("POST /portal/api/queries", "/portal/api/queries", {"name": "Benches", "query": "type=Bench"}),
    Write("DELETE /portal/api/queries/{saved}", "/portal/api/queries/1"),
    Write("POST /v1/webhooks", "/v1/webhooks", {"name": "bench-hook", "device": "bench-2"}),
    Write("DELETE /v1/webhooks/{name}", "/v1/webhooks/bench-hook"),
    Write("POST /v1/accounts", "/v1/accounts", {"name": "anna", "title": "Anna", "roles": ["viewer"]}),
    Write("PUT /v1/accounts/{name}/roles/{role}", "/v1/accounts/anna/roles/analyst"),
    Write("DELETE /v1/accounts/{name}/roles/{role}", "/v1/accounts/anna/roles/analyst"),
    Write("POST /portal/api/account/tokens", "/portal/api/account/tokens", {"title": "for a script"}),
    Write("POST /ngsi-ld/v1/entities", "/ngsi-ld/v1/entities", ENTITY),
    Write("POST /ngsi-ld/v1/entities/{entity_id}/attrs", f"{BENCH}/attrs", COLOUR),
    Write(
        "PATCH /ngsi-ld/v1/entities/{entity_id}/attrs", f"{BENCH}/attrs", {"colour": {"type": "Property", "value": 1}}
    ),
    Write(
        "PUT /ngsi-ld/v1/entities/{entity_id}/attrs/{attribute_id}",
        PAINT,
        {"type": "Property", "value": 2},
    ),
    Write("PATCH /ngsi-ld/v1/entities/{entity_id}/attrs/{attribute_id}", PAINT, {"value": 3}),
    Write("PATCH /ngsi-ld/v1/entities/{entity_id}", BENCH, COLOUR),
    Write("PUT /ngsi-ld/v1/entities/{entity_id}", BENCH, PAINTED),
    Write("DELETE /ngsi-ld/v1/entities/{entity_id}/attrs/{attribute_id}", PAINT),
    Write("DELETE /ngsi-ld/v1/entities/{entity_id}", BENCH),
    Write("POST /ngsi-ld/v1/temporal/entities", "/ngsi-ld/v1/temporal/entities", RIDDEN),
    Write("POST /ngsi-ld/v1/temporal/entities/{entity_id}/attrs", f"{BUS}/attrs", LATER_RIDERS),
    Write(
        "PATCH /ngsi-ld/v1/temporal/entities/{entity_id}/attrs/{attribute_id}/{instance_id}",
        f"{BUS}/attrs/riders/{ONCE}",
        {"value": 9},
    ),
    Write(
        "DELETE /ngsi-ld/v1/temporal/entities/{entity_id}/attrs/{attribute_id}/{instance_id}",
        f"{BUS}/attrs/riders/{ONCE}",
    ),
    Write("DELETE /ngsi-ld/v1/temporal/entities/{entity_id}/attrs/{attribute_id}", f"{BUS}/attrs/riders"),
    Write("POST /ngsi-ld/v1/temporal/entities", "/ngsi-ld/v1/temporal/entities", RIDDEN),
    Write("DELETE /ngsi-ld/v1/temporal/entities/{entity_id}", BUS),
    Write("POST /ngsi-ld/v1/jsonldContexts", "/ngsi-ld/v1/jsonldContexts", {"@context": {"a": "urn:a"}}),
    Write("POST /ngsi-ld/v1/subscriptions", SUBSCRIPTIONS, WATCH),
    Write("PATCH /ngsi-ld/v1/subscriptions/{subscription_id}", f"{SUBSCRIPTIONS}/urn:watch", {"isActive": False}),
    Write("DELETE /ngsi-ld/v1/subscriptions/{subscription_id}", f"{SUBSCRIPTIONS}/urn:watch"),
    Write("POST /ngsi-ld/v1/entityOperations/create", f"{BATCH}/create", [ENTITY]),
    Write("POST /ngsi-ld/v1/entityOperations/upsert", f"{BATCH}/upsert", [PAINTED]),
    Write("POST /ngsi-ld/v1/entityOperations/update", f"{BATCH}/update", [{**PAINTED, **COLOUR}]),
    Write("DELETE /ngsi-ld/v1/entities", "/ngsi-ld/v1/entities?type=Bench&drop=colour"),
    Write("POST /ngsi-ld/v1/entityOperations/merge", f"{BATCH}/merge", [PAINTED]),
    Write("POST /ngsi-ld/v1/entityOperations/delete", f"{BATCH}/delete", [ENTITY["id"]]),
)
"""In an order in which each finds what it needs: made by an administrator, each changes something."""
