"""Writes of the past (5.6.11 to 5.6.16): what entities were is told, mended, erased; what they are follows by time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from broadstreet.context.evolution import Historian
from broadstreet.context.stored import StoredAttribute
from broadstreet.history import moving
from broadstreet.model.change import Flag, decode_changes
from tests.conformance.conftest import BEGIN_US, Client

DAY = "2026-02-01T"
DAY_US = 86_400_000_000


def at(time: str, value: Any, **members: Any) -> dict[str, Any]:
    """A Property's instance of a time on the day."""
    return {"type": "Property", "value": value, "observedAt": f"{DAY}{time}Z", **members}


async def provide(client: Client, **members: Any) -> str:
    """An entity begun by its past; its id."""
    kind = client.name()
    entity_id = f"urn:ngsi-ld:{kind}:1"
    answer = await client.ask("POST", "temporal/entities", {"id": entity_id, "type": kind, **members})
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["location"] == f"/ngsi-ld/v1/temporal/entities/{entity_id}"
    return entity_id


@pytest.fixture
async def car(client: Client) -> str:
    speeds = [at("12:05:00", 80), at("12:03:00", 120), at("12:04:00", 9, datasetId="urn:d:1")]
    return await provide(client, speed=speeds, fuel=at("12:00:00", 67))


async def values(client: Client, entity_id: str, name: str = "speed", more: str = "") -> list[Any]:
    shown = await client.get(f"temporal/entities/{entity_id}{more}")
    return [one["value"] for one in shown.get(name, [])]


async def value(client: Client, entity_id: str, name: str = "speed") -> Any:
    return (await client.get(f"entities/{entity_id}?datasetId=@none"))[name]["value"]


async def names(client: Client, entity_id: str, name: str = "speed") -> list[str]:
    """The instanceIds of an attribute, oldest first within a datasetId."""
    return [one["instanceId"] for one in (await client.get(f"temporal/entities/{entity_id}"))[name]]


async def changes(client: Client) -> list[tuple[Any, int]]:
    """What the newest change tells: values and flags."""
    body = await client.database.fetchval("SELECT body FROM outbox WHERE kind = 'changes' ORDER BY key DESC LIMIT 1")
    batch = decode_changes(body)
    assert len(set(zip(batch.series, batch.version, strict=True))) == len(batch.series)
    return list(zip(batch.value, batch.flags, strict=True))


async def test_what_is_told_of_the_past_is_an_entity_with_a_present(client: Client, car: str) -> None:
    current, created = int(Flag.CURRENT), int(Flag.CURRENT | Flag.CREATED)
    assert sorted(await changes(client), key=str) == [(120, 0), (67, created), (80, created), (9, created)]
    assert await values(client, car) == [120, 80, 9]
    shown = await client.get(f"entities/{car}?datasetId=@none")
    assert shown["speed"] == at("12:05:00", 80)
    assert shown["fuel"] == at("12:00:00", 67)
    more = {"id": car, "type": "Another", "speed": [at("12:04:00", 7), at("12:06:00", 8), at("12:03:00", 121)]}
    assert (await client.ask("POST", "temporal/entities", more)).status == 204
    assert await changes(client) == [(121, 0), (7, 0), (8, current)]
    assert await values(client, car) == [121, 7, 80, 8, 9]
    assert await value(client, car) == 8
    assert len((await client.get(f"entities/{car}"))["type"]) == 2


async def test_an_older_instance_does_not_become_current(client: Client) -> None:
    entity_id = await client.make(speed={"value": 1})
    document = {"speed": [at("12:00:00", 5), at("12:01:00", 6)]}
    assert (await client.ask("POST", f"temporal/entities/{entity_id}/attrs", document)).status == 204
    assert await changes(client) == [(5, 0), (6, 0)]
    assert await value(client, entity_id) == 1
    assert await values(client, entity_id) == [5, 6, 1]
    assert (await client.ask("DELETE", f"entities/{entity_id}/attrs/speed")).status == 204
    late = {"speed": at("13:00:00", 7)}
    assert (await client.ask("POST", f"temporal/entities/{entity_id}/attrs", late)).status == 204
    assert "speed" not in await client.get(f"entities/{entity_id}"), "a tombstone is not crossed"
    assert await values(client, entity_id) == [5, 6, 7, 1]


async def test_a_deleted_entity_comes_back_by_what_is_newer_alone(client: Client, car: str) -> None:
    assert (await client.ask("DELETE", f"entities/{car}")).status == 204
    old = {"id": car, "type": "Car", "speed": at("12:30:00", 1)}
    assert (await client.ask("POST", "temporal/entities", old)).status == 204
    assert (await client.problem("GET", f"entities/{car}"))[0] == 404
    assert await values(client, car) == [120, 80, 1, 9]
    new = {"id": car, "type": "Car", "speed": {"type": "Property", "value": 2}}
    assert (await client.ask("POST", "temporal/entities", new)).status == 204
    assert await value(client, car) == 2
    assert "fuel" not in await client.get(f"entities/{car}")


async def test_instances_without_a_time_keep_their_order(client: Client) -> None:
    entity_id = await provide(client, speed=[{"value": 1}, {"value": 2}, {"value": 3}])
    assert await values(client, entity_id) == [1, 2, 3]
    assert await value(client, entity_id) == 3


async def test_other_kinds_stand_where_they_were(client: Client) -> None:
    place = [
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [x, 0]}, "observedAt": f"{DAY}1{x}:00:00Z"}
        for x in (2, 1)
    ]
    entity_id = await provide(client, location=place, owner={"object": "urn:a:b", "observedAt": f"{DAY}12:00:00Z"})
    shown = await client.get(f"temporal/entities/{entity_id}")
    assert [one["value"]["coordinates"] for one in shown["location"]] == [[1, 0], [2, 0]]
    assert shown["owner"][0]["object"] == "urn:a:b"
    near = f"entities?id={entity_id}&georel=near;maxDistance==9&geometry=Point&coordinates="
    assert len(await client.get(f"{near}[2,0]")) == 1
    assert await client.get(f"{near}[1,0]") == []


async def test_scope_is_the_newest_that_is_told(client: Client) -> None:
    scope = [
        {"type": "Property", "value": one, "observedAt": f"{DAY}{hour}:00:00Z"}
        for one, hour in (("/b", 13), ("/a", 12))
    ]
    entity_id = await provide(client, scope=scope)
    assert (await client.get(f"entities/{entity_id}"))["scope"] == "/b"


@pytest.mark.parametrize(
    "speed",
    [
        [],
        [1, 2],
        [at("12:00:00", "urn:ngsi-ld:null")],
        [{"type": "Property", "observedAt": f"{DAY}12:00:00Z"}],
        [at("12:00:00", 1), {"type": "Relationship", "object": "urn:a:b", "observedAt": f"{DAY}13:00:00Z"}],
        [{"type": "Property", "value": 1, "observedAt": "2026-02-01T12:00:00+02:00"}],
    ],
)
async def test_what_is_no_past_is_refused_whole(client: Client, speed: Any) -> None:
    body = {"id": "urn:ngsi-ld:Refused:1", "type": "Refused", "speed": speed}
    assert await client.problem("POST", "temporal/entities", body) == (400, "BadRequestData")
    assert await client.problem("GET", "temporal/entities/urn:ngsi-ld:Refused:1") == (404, "ResourceNotFound")


async def test_too_much_of_the_past_at_once_is_refused(client: Client) -> None:
    body = {"id": "urn:ngsi-ld:Long:1", "type": "Long", "speed": [at("12:00:00", 1)] * 10_001}
    assert (await client.problem("POST", "temporal/entities", body))[0] == 429


async def test_nothing_is_appended_to_what_is_not_there(client: Client) -> None:
    path = "temporal/entities/urn:ngsi-ld:No:1/attrs"
    assert await client.problem("POST", path, {"speed": at("12:00:00", 1)}) == (404, "ResourceNotFound")


async def test_an_instance_is_modified_in_its_place(client: Client, car: str) -> None:
    first, newest, other = await names(client, car)
    path = f"temporal/entities/{car}/attrs/speed"
    assert (await client.ask("PATCH", f"{path}/{first}", {"value": 129, "unitCode": "KMH"})).status == 204
    assert await changes(client) == [(129, 0)]
    assert (await client.ask("PATCH", f"{path}/{other}", {"value": 10})).status == 204
    assert (await client.ask("PATCH", f"{path}/{first}", {"note": {"type": "Property", "value": "a"}})).status == 204
    shown = (await client.get(f"temporal/entities/{car}?options=sysAttrs"))["speed"]
    assert [one["value"] for one in shown] == [129, 80, 10]
    assert (shown[0]["unitCode"], shown[0]["note"]["value"]) == ("KMH", "a")
    assert shown[0]["modifiedAt"] > shown[1]["modifiedAt"]
    assert await names(client, car) == [first, newest, other]
    assert await value(client, car) == 80
    assert (await client.ask("PATCH", f"{path}/{newest}", {"value": 81})).status == 204
    assert await value(client, car) == 81, "the newest is what is current"


@pytest.mark.parametrize(
    "part",
    [
        {"observedAt": f"{DAY}12:09:00Z"},
        {"type": "Relationship", "object": "urn:a:b"},
        {"value": "urn:ngsi-ld:null"},
    ],
)
async def test_an_instance_stays_what_it_is(client: Client, car: str, part: dict[str, Any]) -> None:
    first, *_ = await names(client, car)
    path = f"temporal/entities/{car}/attrs/speed/{first}"
    assert await client.problem("PATCH", path, part) == (400, "BadRequestData")


async def test_one_instance_is_erased_and_the_present_stays(client: Client, car: str) -> None:
    first, newest, other = await names(client, car)
    path = f"temporal/entities/{car}/attrs/speed"
    assert (await client.ask("DELETE", f"{path}/{newest}")).status == 204
    assert await changes(client) == [(None, int(Flag.ERASED))]
    assert await names(client, car) == [first, other]
    assert await value(client, car) == 80
    assert await client.problem("DELETE", f"{path}/{newest}") == (404, "ResourceNotFound")
    assert await client.problem("PATCH", f"{path}/{newest}", {"value": 1}) == (404, "ResourceNotFound")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_a_name_that_no_instance_has(client: Client, car: str, method: str) -> None:
    first, *_ = await names(client, car)
    another = await provide(client, speed=at("12:03:00", 1))
    body = {"value": 1} if method == "PATCH" else b""
    for path, status in (
        (f"{another}/attrs/speed/{first}", 404),
        (f"{car}/attrs/fuel/{first}", 404),
        (f"urn:ngsi-ld:No:1/attrs/speed/{first}", 404),
        (f"{car}/attrs/speed/urn:ngsi-ld:other:1", 404),
        (f"{car}/attrs/speed/{first[:-1]}", 404),
        (f"{car}/attrs/speed/{first[:-1]}g", 404),
        (f"{car}/attrs/speed/none", 400),
    ):
        assert (await client.problem(method, f"temporal/entities/{path}", body))[0] == status, path


@pytest.mark.parametrize(
    ("asked", "left"),
    [("", [9]), ("?datasetId=urn:d:1", [120, 80]), ("?deleteAll=true", []), ("?datasetId=@none", [9])],
)
async def test_the_past_of_an_attribute_is_erased(client: Client, car: str, asked: str, left: list[int]) -> None:
    path = f"temporal/entities/{car}/attrs/speed"
    assert (await client.ask("DELETE", path + asked)).status == 204
    assert await values(client, car) == left
    assert await values(client, car, "fuel") == [67]
    assert await value(client, car) == 80
    assert await client.problem("DELETE", path + asked) == (404, "ResourceNotFound")


async def test_the_whole_past_is_erased_and_begins_anew(client: Client, car: str) -> None:
    before = await client.get(f"entities/{car}")
    assert (await client.ask("DELETE", f"temporal/entities/{car}")).status == 204
    assert await client.problem("GET", f"temporal/entities/{car}") == (404, "ResourceNotFound")
    assert await client.problem("DELETE", f"temporal/entities/{car}") == (404, "ResourceNotFound")
    kind = car.split(":")[2]
    assert await client.get(f"temporal/entities?type={kind}&timerel=after&timeAt=2020-01-01T00:00:00Z") == []
    assert await client.get(f"entities/{car}") == before
    again = {"id": car, "type": "Car", "speed": at("12:00:00", 1)}
    assert (await client.ask("POST", "temporal/entities", again)).status == 201
    assert await values(client, car) == [1]
    assert await value(client, car) == 80


async def test_two_who_modify_an_instance_at_once_lose_nothing(
    client: Client, car: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = await names(client, car)
    path = f"temporal/entities/{car}/attrs/speed/{first}"
    both_read, read = asyncio.Barrier(2), Historian.instance
    meetings = count()

    async def instance(historian: Historian, *asked: Any) -> StoredAttribute:
        found = await read(historian, *asked)
        if next(meetings) < 2:
            await both_read.wait()
        return found

    monkeypatch.setattr(Historian, "instance", instance)
    parts: list[dict[str, Any]] = [{"unitCode": "KMH"}, {"by": {"type": "Property", "value": "radar"}}]
    answers = await asyncio.gather(*(client.ask("PATCH", path, part) for part in parts))
    assert [answer.status for answer in answers] == [204, 204]
    assert next(meetings) == 3
    (shown, *_) = (await client.get(f"temporal/entities/{car}"))["speed"]
    assert (shown["unitCode"], shown["by"]["value"]) == ("KMH", "radar")


@pytest.fixture
async def filed(client: Client, car: str, tmp_path: Path) -> AsyncIterator[Client]:
    """The same house, where all that was observed before now has moved to files."""
    client.database.files = tmp_path / "past"
    names_of = iter(range(100))
    async with moving(client.database, lambda: f"file-{next(names_of)}", client.services.clock) as mover:
        while await mover.move_some(BEGIN_US - 10 * DAY_US) is not None:
            pass
    assert await client.database.fetchval("SELECT count(*) FROM past_file") > 0
    yield client


async def test_what_lies_in_files_is_modified_and_erased(filed: Client, car: str) -> None:
    first, newest, other = await names(filed, car)
    path = f"temporal/entities/{car}/attrs/speed"
    assert await values(filed, car) == [120, 80, 9]
    assert (await filed.ask("PATCH", f"{path}/{first}", {"value": 129})).status == 204
    assert await values(filed, car) == [129, 80, 9]
    assert (await filed.ask("DELETE", f"{path}/{first}")).status == 204
    assert await values(filed, car) == [80, 9]
    assert await names(filed, car) == [newest, other]
    origins = "SELECT count(*) FROM origin WHERE kind = 'api'"
    before = await filed.database.fetchval(origins)
    assert (await filed.ask("DELETE", f"temporal/entities/{car}")).status == 204
    assert await filed.database.fetchval(origins) == before + 1
    assert await changes(filed) == [(None, int(Flag.ERASED))] * 3
    assert await filed.problem("GET", f"temporal/entities/{car}") == (404, "ResourceNotFound")
    assert await filed.problem("DELETE", f"temporal/entities/{car}") == (404, "ResourceNotFound")
    assert await value(filed, car) == 80
