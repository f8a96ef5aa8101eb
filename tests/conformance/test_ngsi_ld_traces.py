"""What changes leave behind over time: deletions are instances (4.5.7), scopes are valid until the next (4.18)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.conftest import Client

DAY = "2026-02-01T"
NULL = "urn:ngsi-ld:null"
KINDS: dict[str, Any] = {
    "p": {"type": "Property", "value": 1},
    "g": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [0, 0]}},
    "r": {"type": "Relationship", "object": "urn:x:y"},
    "l": {"type": "LanguageProperty", "languageMap": {"fi": "a"}},
    "v": {"type": "VocabProperty", "vocab": "a"},
    "j": {"type": "JsonProperty", "json": {"a": 1}},
    "vl": {"type": "ListProperty", "valueList": [1]},
    "ol": {"type": "ListRelationship", "objectList": ["urn:x:y"]},
}


def at(time: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value, "observedAt": f"{DAY}{time}:00Z", **more}


async def gone(client: Client, entity_id: str, more: str = "") -> Any:
    return await client.get(f"temporal/entities/{entity_id}?timeproperty=deletedAt&omit=id,type{more}")


async def test_a_deletion_is_an_instance_of_its_attribute(client: Client) -> None:
    entity_id = await client.make(**KINDS)
    assert sorted(await client.get(f"temporal/entities/{entity_id}?timeproperty=deletedAt")) == ["id", "type"]
    assert (await client.ask("DELETE", f"entities/{entity_id}")).status == 204
    shown = await gone(client, entity_id)
    told = {name: {key: value for key, value in one.items() if key != "type"} for name, (one,) in shown.items()}
    times = {one.pop("deletedAt") for one in told.values()}
    names = {one.pop("instanceId") for one in told.values()}
    assert (len(times), len(names)) == (1, len(KINDS))
    assert told == {
        **{name: {"value": NULL} for name in "pg"},
        "r": {"object": NULL},
        "l": {"languageMap": {"@none": NULL}},
        "v": {"vocab": NULL},
        "j": {"json": NULL},
        "vl": {"valueList": [NULL]},
        "ol": {"objectList": [{"object": NULL}]},
    }
    values = await gone(client, entity_id, "&options=temporalValues")
    assert values["p"] == {"type": "Property", "values": [[NULL, *times]]}
    assert NULL not in str(await client.get(f"temporal/entities/{entity_id}"))


async def test_deletions_are_found_by_when_they_were(client: Client) -> None:
    kind = client.name()
    first, second, third = [await client.make(kind, a=1, b={"value": 1, "datasetId": "urn:d:1"}) for _ in range(3)]
    await client.ask("DELETE", f"entities/{first}/attrs/a")
    (time,) = {one["deletedAt"] for one in (await gone(client, first))["a"]}
    await client.ask("DELETE", f"entities/{second}")
    await client.ask("PATCH", f"entities/{third}", {"a": NULL})
    await client.ask("POST", f"entities/{third}/attrs", {"a": 2})
    await client.ask("DELETE", f"entities/{third}/attrs/a")
    query = f"temporal/entities?type={kind}&timeproperty=deletedAt"
    found = await client.get(f"{query}&timerel=after&timeAt={time}")
    assert {one["id"]: sorted(one) for one in found} == {
        first: ["a", "id", "type"],
        second: ["a", "b", "id", "type"],
        third: ["a", "id", "type"],
    }
    assert [len(one["a"]) for one in found] == [1, 1, 2]
    assert await client.get(f"{query}&timerel=before&timeAt={time}") == []
    assert [one["id"] for one in await client.get(f"{query}&timerel=after&timeAt={time}&attrs=b")] == [second]
    (last,) = (await gone(client, third, "&lastN=1"))["a"]
    assert last["deletedAt"] == (await gone(client, third))["a"][-1]["deletedAt"]


async def test_a_deletion_may_be_told_of_the_past(client: Client) -> None:
    car: dict[str, Any] = {"id": "urn:ngsi-ld:Car:told", "type": "Car", "speed": [at("12:00", 1), at("14:00", 3)]}
    assert (await client.ask("POST", "temporal/entities", car)).status == 201
    told = {**car, "type": ["Car", "Truck"], "speed": [at("13:00", NULL), at("15:00", 4)]}
    assert (await client.ask("POST", "temporal/entities", told)).status == 204
    shown = await client.get(f"temporal/entities/{car['id']}")
    assert (shown["type"], [one["value"] for one in shown["speed"]]) == (["Car", "Truck"], [1, NULL, 3, 4])
    assert (shown["speed"][1]["observedAt"], shown["speed"][1]["deletedAt"]) == (f"{DAY}13:00:00Z",) * 2
    before = f"temporal/entities/{car['id']}?timerel=before&timeAt={DAY}13:00:00Z"
    assert [one["value"] for one in (await client.get(before))["speed"]] == [1]
    assert [one["value"] for one in (await gone(client, car["id"]))["speed"]] == [NULL]
    assert (await client.get(f"entities/{car['id']}"))["speed"]["value"] == 4
    never = {**car, "other": [at("13:00", NULL)]}
    assert await client.problem("POST", "temporal/entities", never) == (400, "BadRequestData")


async def test_what_is_erased_was_never_deleted(client: Client) -> None:
    entity_id = await client.make(a=1, b=2, scope="/A")
    await client.ask("PATCH", f"entities/{entity_id}", {"scope": "/B"})
    for name in "ab":
        await client.ask("DELETE", f"entities/{entity_id}/attrs/{name}")
    assert sorted(await gone(client, entity_id)) == ["a", "b"]
    assert (await client.ask("DELETE", f"temporal/entities/{entity_id}/attrs/a")).status == 204
    assert sorted(await gone(client, entity_id)) == ["b"]
    assert (await client.ask("DELETE", f"temporal/entities/{entity_id}")).status == 204
    left = "SELECT s.scopes FROM scoped s JOIN entity e ON e.key = s.entity_key WHERE e.id = $1"
    assert [row["scopes"] for row in await client.database.fetch(left, entity_id)] == [["/B"]]


async def test_a_scope_over_time_is_a_property(client: Client) -> None:
    entity_id = await client.make(scope=["/Old/A", "/Old/B"], a=1)
    await client.ask("PATCH", f"entities/{entity_id}", {"scope": "/New"})
    shown = await client.get(f"temporal/entities/{entity_id}?options=sysAttrs&pick=scope")
    assert [one["value"] for one in shown["scope"]] == [["/Old/A", "/Old/B"], "/New"]
    assert all(one["observedAt"] == one["modifiedAt"] == one["createdAt"] for one in shown["scope"])
    values = await client.get(f"temporal/entities/{entity_id}?options=temporalValues&pick=scope&lastN=1")
    assert values["scope"]["values"] == [["/New", shown["scope"][1]["observedAt"]]]
    since = f"timerel=after&timeAt={shown['scope'][1]['observedAt']}"
    for asked in (since, f"{since}&timeproperty=createdAt"):
        later = await client.get(f"temporal/entities/{entity_id}?{asked}&pick=scope,id")
        assert [one["value"] for one in later["scope"]] == ["/New"]
    assert "scope" not in await client.get(f"temporal/entities/{entity_id}?omit=scope")
    assert (await client.ask("DELETE", f"entities/{entity_id}/attrs/scope")).status == 204
    (deleted,) = (await gone(client, entity_id))["scope"]
    assert (deleted["value"], sorted(deleted)) == ([], ["deletedAt", "type", "value"])


@pytest.fixture(scope="module")
async def cars(client: Client) -> str:
    """Cars with scopes of different times, told as instances."""
    kind = client.name()
    speeds = [at("12:05", 1), at("12:15", 2), at("12:45", 3)]
    told: dict[str, list[dict[str, Any]]] = {
        "before": [at("10:00", "/A/B")],
        "both": [at("10:00", ["/A/B", "/C"])],
        "turns": [at("10:00", "/A"), at("12:30", "/C")],
        "comes": [at("12:10", "/M")],
        "goes": [at("10:00", "/M"), at("12:10", NULL)],
        "late": [at("14:00", "/A")],
    }
    for name, scopes in told.items():
        body = {"id": f"urn:ngsi-ld:{kind}:{name}", "type": kind, "scope": scopes, "speed": speeds}
        assert (await client.ask("POST", "temporal/entities", body)).status == 201
    assert (
        await client.ask("POST", "temporal/entities", {**body, "id": f"urn:ngsi-ld:{kind}:none", "scope": []})
    ).status == 201
    return kind


@pytest.mark.parametrize(
    ("scopes", "expected"),
    [
        ("/A/B", {"before": [1, 2, 3], "both": [1, 2, 3]}),
        ("/A/%23", {"before": [1, 2, 3], "both": [1, 2, 3], "turns": [1, 2]}),
        ("/C", {"both": [1, 2, 3], "turns": [3]}),
        ("(/A/B;/C)", {"both": [1, 2, 3]}),
        ("/A;/C", {}),
        ("/A|/C", {"both": [1, 2, 3], "turns": [1, 2, 3]}),
        ("/M", {"comes": [2, 3], "goes": [1]}),
        ("/Z", {}),
        ("/%23", {"before": [1, 2, 3], "both": [1, 2, 3], "turns": [1, 2, 3], "comes": [2, 3], "goes": [1]}),
    ],
)
async def test_a_scope_counts_while_it_is_valid(
    client: Client, cars: str, scopes: str, expected: dict[str, list[int]]
) -> None:
    within = f"timerel=between&timeAt={DAY}12:00:00Z&endTimeAt={DAY}13:00:00Z"
    answer = await client.ask("GET", f"temporal/entities?type={cars}&scopeQ={scopes}&{within}&count=true")
    found = {one["id"].rpartition(":")[2]: [row["value"] for row in one["speed"]] for one in answer.json}
    assert found == expected
    assert answer.headers["ngsild-results-count"] == str(len(expected))


async def test_the_newest_scopes_that_were_told_are_those_that_are(client: Client, cars: str) -> None:
    path = f"entities/urn:ngsi-ld:{cars}"
    assert (await client.get(f"{path}:turns"))["scope"] == "/C"
    assert "scope" not in await client.get(f"{path}:goes")
    old = {"id": f"urn:ngsi-ld:{cars}:turns", "type": cars, "scope": [at("09:00", "/Older")]}
    assert (await client.ask("POST", "temporal/entities", old)).status == 204
    assert (await client.get(f"{path}:turns"))["scope"] == "/C"
