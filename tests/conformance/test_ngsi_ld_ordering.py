"""The order of entities (4.23): by members, attributes, what stands within them, and distance."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.conftest import Client

HERE = {"type": "Point", "coordinates": [8, 40]}


def place(lon: float, lat: float) -> dict[str, Any]:
    return {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [lon, lat]}}


ENTITIES: dict[str, dict[str, Any]] = {
    "a": {"rank": 10, "name": "Zebra", "location": place(9, 41), "address": {"value": {"city": "Berlin", "no": 2}}},
    "b": {
        "rank": 9,
        "name": "apple",
        "location": place(8.01, 40.01),
        "address": {"value": {"city": "Berlin", "no": 10}},
    },
    "c": {"rank": "x", "name": "Ähre", "note": {"value": 1, "depth": {"value": 3}}},
    "d": {"rank": True, "name": "Apple", "location": place(10, 45), "note": {"value": 1, "depth": {"value": -3}}},
    "e": {"rank": {"type": "Property", "value": -1.5, "observedAt": "2020-01-01T00:00:00Z"}, "name": "Zebra"},
}


@pytest.fixture(scope="module")
async def kind(client: Client) -> str:
    """A type of entities named by letters, made in this order."""
    made = client.name()
    for name, members in ENTITIES.items():
        entity = {"id": f"urn:{made}:{name}", "type": [made, f"{made}{name}"] if name < "c" else made, **members}
        assert (await client.ask("POST", "entities", entity)).status == 201
    return made


async def names(client: Client, kind: str, query: str) -> str:
    found = await client.get(f"entities?type={kind}&options=keyValues&{query}")
    return "".join(one["id"].rpartition(":")[2] for one in found)


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("id", "abcde"),
        ("id;desc", "edcba"),
        ("createdAt;desc", "edcba"),
        ("modifiedAt", "abcde"),
        ("rank", "ebacd"),
        ("rank;desc", "dcabe"),
        ("name", "daebc"),
        ("name;desc,id;desc", "cbead"),
        ("name,rank", "deabc"),
        ("address[no]", "abcde"),
        ("address[no];desc", "bacde"),
        ("address[city],address[no];desc", "bacde"),
        ("note.depth", "dcabe"),
        ("note.depth;desc", "cdabe"),
        ("rank.observedAt", "eabcd"),
        ("rank.createdAt;desc", "edcba"),
        ("nobodyHasThis", "abcde"),
        ("type,id;desc", "edcba"),
        ("location;dist-asc&orderFrom=[8,40]", "badce"),
        ("location;dist-desc&orderFrom=[8,40]", "dabce"),
        ("location;dist-asc,id;desc&orderFrom=[8,40]", "badec"),
        ("rank&q=rank>0", "ba"),
        ("rank&georel=near;maxDistance==400000&geometry=Point&coordinates=[8,40]", "ba"),
        ("rank&limit=2&offset=1", "ba"),
    ],
)
async def test_entities_come_in_the_order_asked_for(client: Client, kind: str, order: str, expected: str) -> None:
    assert await names(client, kind, f"orderBy={order}") == expected


async def test_a_query_in_a_body_says_its_order(client: Client, kind: str) -> None:
    body = {"type": "Query", "entities": [{"type": kind}]}
    for ordering, expected in (
        ({"orderBy": ["rank;desc"]}, "dcabe"),
        ({"orderBy": ["location;dist-asc"], **HERE, "geometry": "Point"}, "badce"),
    ):
        asked = {**body, "ordering": {name: value for name, value in ordering.items() if name != "type"}}
        answer = await client.ask("POST", "entityOperations/query?options=keyValues", asked)
        assert "".join(one["id"].rpartition(":")[2] for one in answer.json) == expected, answer.body


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("orderBy=", 400),
        ("orderBy=rank;up", 400),
        ("orderBy=1a", 400),
        ("orderBy=a..b", 400),
        ("orderBy=location;dist-asc", 400),
        ("orderBy=location;dist-asc&orderFrom=8,40", 400),
        ("orderBy=rank&collation=!!nope", 400),
        ("orderBy=rank&collation=de", 422),
        ("orderBy=rank,location;dist-asc&orderFrom=[8,40]", 422),
        (f"orderBy={','.join('abcdefghi')}", 429),
    ],
)
async def test_an_order_that_cannot_be_is_refused(client: Client, kind: str, query: str, status: int) -> None:
    answer = await client.ask("GET", f"entities?type={kind}&{query}")
    assert answer.status == status, answer.body
