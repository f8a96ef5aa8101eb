"""Purging (5.6.21): all that a query means goes, or some of its attributes, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.context import purging
from tests.conformance.conftest import Client


async def made(client: Client, count: int = 3, **members: Any) -> str:
    """A new type with entities numbered from 0."""
    kind = client.name()
    entities = [{"id": f"urn:{kind}:{n}", "type": kind, "n": n, **members} for n in range(count)]
    assert (await client.ask("POST", "entityOperations/create", entities)).status == 201
    return kind


async def purge(client: Client, query: str) -> int:
    return (await client.ask("DELETE", f"entities?{query}")).status


async def left(client: Client, kind: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await client.get(f"entities?type={kind}&options=keyValues&omit=type,id&limit=1000")
    return found


async def test_what_a_query_means_is_deleted(client: Client) -> None:
    kind, other = await made(client), await made(client)
    assert await purge(client, f"type={kind}&q=n>0") == 204
    assert await left(client, kind) == [{"n": 0}]
    assert await purge(client, f"type={kind}&id=urn:{kind}:7") == 204
    assert await purge(client, f"type={kind}&id=urn:{kind}:0") == 204
    assert await left(client, kind) == []
    assert len(await left(client, other)) == 3
    assert await client.problem("GET", f"entities/urn:{kind}:1") == (404, "ResourceNotFound")
    past = await client.get(f"temporal/entities/urn:{kind}:1")
    assert past["n"][0]["value"] == 1, "its past stays"


async def test_what_is_here_may_all_be_deleted_at_once(client: Client) -> None:
    kind = await made(client)
    assert await purge(client, "local=true&drop=n") == 204
    assert await client.get(f"entities/urn:{kind}:1") == {"id": f"urn:{kind}:1", "type": kind}
    assert await purge(client, "local=true") == 204
    assert await client.get("entities?local=true") == []


async def test_some_attributes_go_or_stay(client: Client) -> None:
    kind = await made(client, 1, a=1, b=2, c=3)
    assert await purge(client, f"type={kind}&drop=a,zzz") == 204
    assert await left(client, kind) == [{"n": 0, "b": 2, "c": 3}]
    assert await purge(client, f"type={kind}&keep=c,n") == 204
    assert await left(client, kind) == [{"n": 0, "c": 3}]
    assert await purge(client, f"type={kind}&keep=zzz") == 204
    assert await client.get(f"entities/urn:{kind}:0") == {"id": f"urn:{kind}:0", "type": kind}, "it stays itself"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "id=urn:a:b",
        "idPattern=.*",
        "attrs=createdAt",
        'q=modifiedAt>"2020-01-01T00:00:00Z"',
        "scopeQ=/a",
        "type=T&keep=a&drop=b",
        "type=T&q=owner{name}==1",
        "type=T&attrs=owner{name}",
        "type=T&drop=1a",
    ],
)
async def test_what_is_too_wide_or_wrong_is_refused(client: Client, query: str) -> None:
    kind = await made(client, 1)
    assert await client.problem("DELETE", f"entities?{query}") == (400, "BadRequestData")
    assert len(await left(client, kind)) == 1


async def test_more_than_a_bound_is_refused_and_less_is_done_in_portions(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = await made(client, 5)
    monkeypatch.setattr(purging, "MAX_BATCH", 2)
    monkeypatch.setattr(purging, "MAX_PURGE", 4)
    assert (await client.problem("DELETE", f"entities?type={kind}"))[0] in (403, 429)
    assert len(await left(client, kind)) == 5
    monkeypatch.setattr(purging, "MAX_PURGE", 5)
    assert await purge(client, f"type={kind}") == 204
    assert await left(client, kind) == []
