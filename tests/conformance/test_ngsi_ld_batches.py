"""Batch operations (5.6.7 to 5.6.10, 5.6.20): each entity for itself, with a result that names what failed."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.context.bounds import MAX_BATCH
from tests.conformance.conftest import ERRORS, Client

OPERATIONS = ("create", "upsert", "update", "merge", "delete")


async def run(client: Client, operation: str, body: object, **headers: str) -> tuple[int, Any]:
    answer = await client.ask("POST", f"entityOperations/{operation}", body, **headers)
    return answer.status, answer.json if answer.body else None


def failures(result: Any) -> dict[str, str]:
    return {one["entityId"]: one["error"]["type"].removeprefix(ERRORS) for one in result["errors"]}


def entities(kind: str, *names: str, **members: Any) -> list[dict[str, Any]]:
    return [{"id": f"urn:{kind}:{name}", "type": kind, **members} for name in names]


async def simplified(client: Client, kind: str) -> dict[str, Any]:
    found = await client.get(f"entities?type={kind}&options=keyValues&omit=type")
    return {one.pop("id").rsplit(":", 1)[-1]: one for one in found}


async def test_create(client: Client) -> None:
    kind = client.name()
    assert await run(client, "create", entities(kind, "a", "b", x=1)) == (201, [f"urn:{kind}:a", f"urn:{kind}:b"])
    mixed = [*entities(kind, "b", "c", x=2), {"id": "nonsense", "type": kind}, 7]
    status, result = await run(client, "create", mixed)
    assert (status, result["success"]) == (207, [f"urn:{kind}:c"])
    assert failures(result) == {f"urn:{kind}:b": "AlreadyExists", "nonsense": "BadRequestData", "": "BadRequestData"}
    assert await simplified(client, kind) == {"a": {"x": 1}, "b": {"x": 1}, "c": {"x": 2}}


async def test_upsert_replaces_or_updates(client: Client) -> None:
    kind = client.name()
    assert await run(client, "upsert", entities(kind, "a", x=1, y=1)) == (201, [f"urn:{kind}:a"])
    assert await run(client, "upsert", entities(kind, "a", y=2)) == (204, None)
    assert await simplified(client, kind) == {"a": {"y": 2}}
    status, created = await run(client, "upsert?options=update", entities(kind, "a", "b", z=3))
    assert (status, created) == (201, [f"urn:{kind}:b"])
    assert await simplified(client, kind) == {"a": {"y": 2, "z": 3}, "b": {"z": 3}}


async def test_update(client: Client) -> None:
    kind = client.name()
    await run(client, "create", entities(kind, "a", x=1))
    assert await run(client, "update", entities(kind, "a", x=2, y=2)) == (204, None)
    status, result = await run(client, "update?options=noOverwrite", entities(kind, "a", "b", x=3, z=3))
    assert status == 207
    assert failures(result) == {f"urn:{kind}:a": "ResourceNotFound", f"urn:{kind}:b": "ResourceNotFound"}
    assert await simplified(client, kind) == {"a": {"x": 2, "y": 2, "z": 3}}


async def test_merge_and_delete(client: Client) -> None:
    kind = client.name()
    await run(client, "create", entities(kind, "a", "b", x={"value": {"p": 1, "q": 2}}))
    null = {"value": {"p": "urn:ngsi-ld:null"}}
    assert await run(client, "merge", entities(kind, "a", x=null)) == (204, None)
    assert await simplified(client, kind) == {"a": {"x": {"q": 2}}, "b": {"x": {"p": 1, "q": 2}}}
    status, result = await run(client, "delete", [f"urn:{kind}:a", f"urn:{kind}:nobody"])
    assert (status, result["success"]) == (207, [f"urn:{kind}:a"])
    assert failures(result) == {f"urn:{kind}:nobody": "ResourceNotFound"}
    assert await run(client, "delete", [f"urn:{kind}:b"]) == (204, None)
    assert await simplified(client, kind) == {}


async def test_an_entity_that_comes_twice_is_written_twice(client: Client) -> None:
    kind = client.name()
    twice = [*entities(kind, "a", x=1), *entities(kind, "b", x=2), *entities(kind, "a", y=3)]
    assert await run(client, "upsert?options=update", twice) == (201, [f"urn:{kind}:a", f"urn:{kind}:b"])
    assert await simplified(client, kind) == {"a": {"x": 1, "y": 3}, "b": {"x": 2}}
    status, result = await run(client, "create", entities(kind, "c", "c"))
    assert (status, failures(result)) == (207, {f"urn:{kind}:c": "AlreadyExists"})


async def test_each_document_has_its_own_context(client: Client) -> None:
    kind = client.name()
    documents = [
        {"id": f"urn:{kind}:a", "type": kind, "v": 1, "@context": {"v": "https://example.org/v"}},
        {"id": f"urn:{kind}:b", "type": kind, "v": 1, "@context": {}},
        {"id": f"urn:{kind}:c", "type": kind, "v": 1, "@context": "https://elsewhere.org/c.jsonld"},
        {"id": f"urn:{kind}:d", "type": kind, "v": 1},
    ]
    status, result = await run(client, "create", documents, content_type="application/ld+json")
    assert status == 207
    assert failures(result) == {f"urn:{kind}:c": "LdContextNotAvailable", f"urn:{kind}:d": "BadRequestData"}
    assert await simplified(client, kind) == {"a": {"https://example.org/v": 1}, "b": {"v": 1}}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("body", [{}, [], [None], "text"])
async def test_a_body_that_is_no_list_is_refused(client: Client, operation: str, body: object) -> None:
    assert await client.problem("POST", f"entityOperations/{operation}", body) == (400, "BadRequestData")


async def test_a_batch_has_a_bound(client: Client) -> None:
    body = entities("T", *map(str, range(MAX_BATCH + 1)))
    assert await client.problem("POST", "entityOperations/upsert", body) == (429, "TooManyResults")


async def test_a_thousand_at_once(client: Client) -> None:
    kind = client.name()
    body = entities(kind, *map(str, range(MAX_BATCH)), x=1, y={"value": 2, "unitCode": "CEL"})
    status, created = await run(client, "upsert", body)
    assert (status, len(created)) == (201, MAX_BATCH)
    answer = await client.ask("GET", f"entities?type={kind}&count=true&limit=1000")
    assert (len(answer.json), answer.headers["ngsild-results-count"]) == (MAX_BATCH, str(MAX_BATCH))


@pytest.mark.parametrize(
    "target", ["create?options=update", "upsert?options=nonsense", "update?options=update,replace"]
)
async def test_options_that_are_none(client: Client, target: str) -> None:
    status, _ = await client.problem("POST", f"entityOperations/{target}", entities("T", "a"))
    assert status == 400
