"""Tenants begin with what is first created in them, for those who may; and a house that is open to its machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from broadstreet.access import Permission, tenancy
from broadstreet.access.token import TokenScope
from broadstreet.apis import Services
from broadstreet.app.settings import load
from broadstreet.model.errors import InvalidInput
from tests.asgi import Answer, ask
from tests.contract.test_api import Api, open_api

ENTITY = {"id": "urn:ngsi-ld:Bin:1", "type": "Bin", "level": {"type": "Property", "value": 3}}
WHERE = "/ngsi-ld/v1/entities"
ONE = f"{WHERE}/urn:ngsi-ld:Bin:1"
UNKNOWN = "https://uri.etsi.org/ngsi-ld/errors/NonexistentTenant"


@pytest.fixture
async def api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    async with open_api(services, data_dir) as opened:
        yield opened


@pytest.fixture
async def open_house(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    """A house that is open to its machine; its `ask` is nobody's."""
    async with open_api(replace(services, is_open=True), data_dir) as opened:
        yield opened


async def unnamed(house: Api, method: str, target: str, body: object = b"", **headers: str) -> Answer:
    return await ask(house.app, method, target, headers={"content-type": "application/json", **headers}, body=body)


async def test_an_administrator_begins_a_tenant_by_creating_in_it(api: Api) -> None:
    missing = await api.ask("GET", ONE, **{"ngsild-tenant": "suburb"})
    assert (missing.status, missing.json["type"]) == (404, UNKNOWN)
    created = await api.ask("POST", WHERE, ENTITY, **{"ngsild-tenant": "suburb", "content-type": "application/json"})
    assert created.status == 201, created.body
    assert (await api.ask("GET", ONE, **{"ngsild-tenant": "suburb"})).json["level"]["value"] == 3
    assert (await api.ask("GET", ONE)).status == 404, "it is in that tenant alone"
    answer = await api.ask("GET", "/v1/audit", **{"ngsild-tenant": "suburb"})
    assert {line["action"] for line in answer.json} >= {"tenant.create", "account.grant"}


async def test_nobody_else_begins_one(api: Api) -> None:
    access = api.services.access
    await access.accounts.create("eng", "Engineer", tenant="city", roles=["engineer"], by="test")
    await access.accounts.create("far", "Far", tenant="harbour", roles=["administrator"], by="test")
    limits: frozenset[Permission] = frozenset({"entity:read", "entity:write"})
    tokens = [
        await access.tokens.issue("eng", "api", "test", 60, by="test"),
        await access.tokens.issue("far", "api", "test", 60, by="test"),
        await access.tokens.issue("root", "api", "test", 60, by="test", limits=limits),
        await access.tokens.issue("root", "api", "test", 60, by="test", scope=TokenScope(types=("urn:t",))),
    ]
    for token in tokens:
        headers = {"authorization": f"Bearer {token.secret}", "ngsild-tenant": "suburb"}
        answer = await unnamed(api, "POST", WHERE, ENTITY, **headers)
        assert (answer.status, answer.json["type"]) == (404, UNKNOWN), (token.account, answer.body)
    answer = await unnamed(api, "POST", WHERE, ENTITY, **{"ngsild-tenant": "suburb"})
    assert answer.status == 401
    assert "suburb" not in await api.services.store.tenants()


async def test_what_creates_nothing_by_itself_begins_none(api: Api) -> None:
    for method, target in (("PATCH", ONE), ("PUT", ONE), ("DELETE", ONE), ("POST", f"{ONE}/attrs")):
        headers = {"ngsild-tenant": "suburb", "content-type": "application/json"}
        answer = await api.ask(method, target, ENTITY, **headers)
        assert (answer.status, answer.json["type"]) == (404, UNKNOWN), (method, target)


async def test_tenants_are_bounded_and_named(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"content-type": "application/json"}
    wrong = await api.ask("POST", WHERE, ENTITY, **headers, **{"ngsild-tenant": "1; DROP"})
    assert (wrong.status, wrong.json["where"]) == (400, "tenant")
    monkeypatch.setattr(tenancy, "MAX_TENANTS", 2)
    many = await api.ask("POST", WHERE, ENTITY, **headers, **{"ngsild-tenant": "suburb"})
    assert (many.status, many.json["where"]) == (429, "NGSILD-Tenant"), many.body


async def test_an_open_house_lets_anyone_read_and_write_entities_alone(open_house: Api) -> None:
    assert (await unnamed(open_house, "POST", WHERE, ENTITY)).status == 201
    assert (await unnamed(open_house, "GET", ONE)).json["level"]["value"] == 3
    assert (await unnamed(open_house, "GET", f"/ngsi-ld/v1/temporal/entities/{ENTITY['id']}")).status == 200
    in_new = {"ngsild-tenant": "suburb"}
    assert (await unnamed(open_house, "GET", ONE, **in_new)).json["type"] == UNKNOWN
    batch = "/ngsi-ld/v1/entityOperations/upsert"
    assert (await unnamed(open_house, "POST", batch, [ENTITY], **in_new)).status == 201
    assert (await unnamed(open_house, "GET", ONE, **in_new)).status == 200
    assert (await unnamed(open_house, "GET", "/v1/devices")).status == 403
    assert (await unnamed(open_house, "POST", "/v1/accounts", {})).status == 403
    assert (await unnamed(open_house, "GET", "/portal/api/account")).status in (401, 403)
    foreign = await unnamed(open_house, "DELETE", ONE, origin="https://elsewhere.example")
    assert foreign.status == 403, "a page of another site cannot use an open house"
    assert (await unnamed(open_house, "DELETE", ONE)).status == 204


def test_a_house_is_open_to_its_machine_alone() -> None:
    assert load({"BROADSTREET_HTTP_ANONYMOUS_WRITES": "true"}).http.anonymous_writes
    with pytest.raises(InvalidInput, match=r"http\.host has to be an address of this machine alone"):
        load({"BROADSTREET_HTTP_ANONYMOUS_WRITES": "true", "BROADSTREET_HTTP_HOST": "0.0.0.0"})
