"""What NGSI-LD asks of every request, before any operation: lengths, tenants, parts of paths; and who answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from broadstreet.apis import Services
from tests.asgi import ask
from tests.contract.conftest import Clock
from tests.contract.test_api import Api, open_api

ENTITIES = "/ngsi-ld/v1/entities"
IDENTITY = "/ngsi-ld/v1/info/sourceIdentity"


@pytest.fixture
async def api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    async with open_api(services, data_dir) as opened:
        yield opened


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
async def test_a_write_says_how_long_it_is(api: Api, method: str) -> None:
    chunked = {"transfer-encoding": "chunked"}
    answer = await ask(api.app, method, ENTITIES, headers=chunked, body=b"", without_length=True)
    assert (answer.status, answer.body, answer.headers.get("content-type")) == (411, b"", None)
    elsewhere = await ask(api.app, method, "/v1/devices", headers=chunked, body=b"", without_length=True)
    assert elsewhere.status != 411, "this is NGSI-LD's own rule"
    assert (await ask(api.app, "GET", ENTITIES, headers=chunked)).status != 411


async def test_an_answer_says_of_which_tenant_it_is(api: Api) -> None:
    for tenant, status in (("city", 200), ("harbour", 403), ("atlantis", 404)):
        answer = await api.ask("GET", f"{ENTITIES}?type=Car", **{"ngsild-tenant": tenant})
        assert (answer.status, answer.headers["ngsild-tenant"]) == (status, tenant)
    assert "ngsild-tenant" not in (await api.ask("GET", f"{ENTITIES}?type=Car")).headers


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("PATCH", f"{ENTITIES}/"),
        ("PUT", f"{ENTITIES}/"),
        ("POST", f"{ENTITIES}//attrs"),
        ("PATCH", f"{ENTITIES}//attrs/speed"),
        ("DELETE", f"{ENTITIES}//attrs/speed"),
    ],
)
async def test_a_part_of_a_path_that_is_left_out_is_named(api: Api, method: str, target: str) -> None:
    answer = await api.ask(method, target, {"speed": 3} if method != "DELETE" else b"")
    assert (answer.status, answer.json["where"]) == (400, "entityId"), answer.body


async def test_each_tenant_is_a_source_of_its_own(api: Api, clock: Clock) -> None:
    first = await api.get(IDENTITY)
    assert first["type"] == "ContextSourceIdentity"
    assert first["id"] == f"urn:ngsi-ld:ContextSourceIdentity:{first['contextSourceAlias']}"
    assert first["contextSourceTimeAt"] == "2026-03-01T12:00:00Z"
    clock.forward(90)
    again = await api.get(IDENTITY)
    assert again["contextSourceAlias"] == first["contextSourceAlias"]
    since = [int(one["contextSourceUptime"].removeprefix("PT").removesuffix("S")) for one in (first, again)]
    assert since[1] - since[0] == 90
    await api.services.access.accounts.grant("root", "viewer", tenant="harbour", by="test")
    api.services.access.tokens.forget()
    other = await api.ask("GET", IDENTITY, accept="application/ld+json", **{"ngsild-tenant": "harbour"})
    assert other.json["contextSourceAlias"] != first["contextSourceAlias"]
    assert other.headers["content-type"].startswith("application/ld+json")
    assert "@context" in other.json
    assert (await api.ask("GET", IDENTITY, accept="text/html")).status == 406
