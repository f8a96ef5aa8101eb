"""Entities over time (5.7.3, 5.7.4): instances, values with their times, aggregates; the past of what was deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.conftest import Client

DAY = "2026-02-01T"
SPEEDS = [(120, "12:03:00Z"), (80, "12:05:00Z"), (100, "12:07:00Z"), (90, "13:10:00Z")]


@pytest.fixture(scope="module")
async def car(client: Client) -> str:
    """A car with four speeds and a place that moves, each written by its own call, not in order."""
    place = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [0, 0]}, "observedAt": DAY + "12:00:00Z"}
    entity_id = await client.make("TimedCar", location=place)
    for value, at in (SPEEDS[0], SPEEDS[2], SPEEDS[1], SPEEDS[3]):
        speed = {"value": value, "unitCode": "KMH", "observedAt": DAY + at}
        assert (await client.ask("POST", f"entities/{entity_id}/attrs", {"speed": speed})).status == 204
    return entity_id


def speeds(entity: Any) -> list[int]:
    return [instance["value"] for instance in entity.get("speed", [])]


async def test_instances_come_oldest_first(client: Client, car: str) -> None:
    shown = await client.get(f"temporal/entities/{car}")
    assert (shown["id"], shown["type"], speeds(shown)) == (car, "TimedCar", [120, 80, 100, 90])
    assert shown["speed"][0] == {
        "type": "Property",
        "value": 120,
        "unitCode": "KMH",
        "observedAt": DAY + "12:03:00Z",
        "instanceId": shown["speed"][0]["instanceId"],
    }
    assert len({one["instanceId"] for one in shown["speed"]}) == 4
    assert shown["location"][0]["value"] == {"type": "Point", "coordinates": [0, 0]}


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (f"timerel=after&timeAt={DAY}12:05:00Z", [80, 100, 90]),
        (f"timerel=before&timeAt={DAY}12:05:00Z", [120]),
        (f"timerel=between&timeAt={DAY}12:05:00Z&endTimeAt={DAY}13:10:00Z", [80, 100]),
        ("lastN=2", [100, 90]),
        (f"lastN=1&timerel=before&timeAt={DAY}13:00:00Z", [100]),
        (f"timerel=after&timeAt={DAY}14:00:00Z", []),
        ("timeproperty=createdAt&timerel=before&timeAt=2026-03-01T00:00:00Z", []),
        ("timeproperty=createdAt&timerel=after&timeAt=2026-03-01T00:00:00Z", [120, 100, 80, 90]),
        ("timeproperty=modifiedAt&lastN=1", [90]),
    ],
)
async def test_a_stretch_of_time(client: Client, car: str, when: str, expected: list[int]) -> None:
    assert speeds(await client.get(f"temporal/entities/{car}?{when}")) == expected


async def test_values_with_their_times(client: Client, car: str) -> None:
    shown = await client.get(f"temporal/entities/{car}?options=temporalValues&attrs=speed")
    pairs = [[value, DAY + at] for value, at in SPEEDS]
    assert shown == {"id": car, "type": "TimedCar", "speed": {"type": "Property", "values": pairs}}


async def test_other_kinds_over_time(client: Client) -> None:
    at = {"observedAt": DAY + "12:00:00Z"}
    entity_id = await client.make(
        r={"object": "urn:x:y", **at},
        l={"languageMap": {"fi": "a"}, **at},
        v={"vocab": "a", **at},
        j={"json": {"a": 1}, **at},
        vl={"valueList": [1], **at},
        ol={"objectList": ["urn:x:y"], **at},
        several=[{"value": 1, **at}, {"value": 2, "datasetId": "urn:d:1", **at}],
    )
    shown = await client.get(f"temporal/entities/{entity_id}?options=temporalValues&omit=id,type")
    time = DAY + "12:00:00Z"
    assert shown == {
        "r": {"type": "Relationship", "objects": [["urn:x:y", time]]},
        "l": {"type": "LanguageProperty", "languageMaps": [[{"languageMap": {"fi": "a"}}, time]]},
        "v": {"type": "VocabProperty", "vocabs": [[{"vocab": "a"}, time]]},
        "j": {"type": "JsonProperty", "jsons": [[{"json": {"a": 1}}, time]]},
        "vl": {"type": "ListProperty", "valueLists": [[[1], time]]},
        "ol": {"type": "ListRelationship", "objectLists": [[["urn:x:y"], time]]},
        "several": [
            {"type": "Property", "values": [[1, time]]},
            {"type": "Property", "values": [[2, time]], "datasetId": "urn:d:1"},
        ],
    }


async def test_aggregates(client: Client, car: str) -> None:
    asked = "options=aggregatedValues&attrs=speed&aggrMethods=avg,max,min,sum,totalCount,distinctCount"
    shown = await client.get(f"temporal/entities/{car}?{asked}&aggrPeriodDuration=PT1H")
    first = [DAY + "12:03:00Z", DAY + "13:03:00Z"]
    second = [DAY + "13:03:00Z", DAY + "14:03:00Z"]
    assert shown["speed"] == {
        "type": "Property",
        "avg": [[100, *first], [90, *second]],
        "max": [[120, *first], [90, *second]],
        "min": [[80, *first], [90, *second]],
        "sum": [[300, *first], [90, *second]],
        "totalCount": [[3, *first], [1, *second]],
        "distinctCount": [[3, *first], [1, *second]],
    }
    whole = await client.get(f"temporal/entities/{car}?aggrMethods=avg&attrs=speed")
    assert [value for value, *_ in whole["speed"]["avg"]] == [97.5]


async def test_a_query_over_time(client: Client, car: str) -> None:
    after = f"timerel=after&timeAt={DAY}00:00:00Z"
    (shown,) = await client.get(f"temporal/entities?type=TimedCar&q=speed==90&{after}&attrs=speed")
    assert (shown["id"], speeds(shown)) == (car, [120, 80, 100, 90])
    assert await client.get(f"temporal/entities?type=TimedCar&timerel=before&timeAt={DAY}00:00:00Z") == []
    counted = await client.ask("GET", f"temporal/entities?type=TimedCar&count=true&limit=0&{after}")
    assert (counted.json, counted.headers["ngsild-results-count"]) == ([], "1")
    body = {
        "type": "Query",
        "entities": [{"type": "TimedCar"}],
        "temporalQ": {"timerel": "after", "timeAt": DAY + "13:00:00Z", "lastN": 1},
    }
    answer = await client.ask("POST", "temporal/entityOperations/query?options=temporalValues", body)
    assert answer.json[0]["speed"]["values"] == [[90, DAY + "13:10:00Z"]]


async def test_what_was_written_without_a_time_has_that_of_its_writing(client: Client) -> None:
    entity_id = await client.make(a=1)
    await client.ask("PATCH", f"entities/{entity_id}/attrs/a", {"value": 2})
    shown = (await client.get(f"temporal/entities/{entity_id}?options=sysAttrs"))["a"]
    assert [one["value"] for one in shown] == [1, 2]
    assert [one["observedAt"] for one in shown] == [one["createdAt"] for one in shown]
    assert "observedAt" not in (await client.get(f"entities/{entity_id}"))["a"]


async def test_a_second_write_for_the_same_time_corrects_the_first(client: Client) -> None:
    entity_id = await client.make(a={"value": 1, "observedAt": DAY + "12:00:00Z"})
    fixed = {"value": 2, "observedAt": DAY + "12:00:00Z"}
    await client.ask("PATCH", f"entities/{entity_id}/attrs/a", fixed)
    (shown,) = (await client.get(f"temporal/entities/{entity_id}?options=sysAttrs"))["a"]
    assert shown["value"] == 2
    assert shown["modifiedAt"] >= shown["createdAt"]


async def test_the_past_outlives_a_deletion(client: Client) -> None:
    entity_id = await client.make("Gone", a={"value": 1, "observedAt": DAY + "12:00:00Z"})
    await client.ask("DELETE", f"entities/{entity_id}")
    assert (await client.get(f"temporal/entities/{entity_id}"))["a"][0]["value"] == 1
    assert await client.get(f"temporal/entities?type=Gone&timerel=after&timeAt={DAY}00:00:00Z") == []


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("timerel=after", (400, "BadRequestData")),
        ("timeAt=2026-01-01T00:00:00Z", (400, "BadRequestData")),
        ("timerel=during&timeAt=2026-01-01T00:00:00Z", (400, "BadRequestData")),
        ("timerel=between&timeAt=2026-01-01T00:00:00Z", (400, "BadRequestData")),
        ("timerel=between&timeAt=2026-01-02T00:00:00Z&endTimeAt=2026-01-01T00:00:00Z", (400, "BadRequestData")),
        ("timerel=after&timeAt=yesterday", (400, "BadRequestData")),
        ("timeproperty=expiresAt", (400, "BadRequestData")),
        ("timeproperty=createdAt&aggrMethods=avg", (422, "OperationNotSupported")),
        ("lastN=0", (400, "BadRequestData")),
        ("lastN=many", (400, "BadRequestData")),
        ("options=aggregatedValues", (400, "BadRequestData")),
        ("aggrMethods=median", (400, "BadRequestData")),
        ("aggrMethods=avg&aggrPeriodDuration=hourly", (400, "BadRequestData")),
        ("aggrMethods=avg&aggrPeriodDuration=PT0.000001S", (429, "TooManyResults")),
        ("options=nonsense", (400, "InvalidRequest")),
        ("attrs=nothing", (404, "ResourceNotFound")),
    ],
)
async def test_what_is_no_temporal_query_is_refused(
    client: Client, car: str, query: str, problem: tuple[int, str]
) -> None:
    assert await client.problem("GET", f"temporal/entities/{car}?{query}") == problem


async def test_too_much_at_once_is_refused(client: Client) -> None:
    after = f"timerel=after&timeAt={DAY}00:00:00Z"
    assert await client.problem("GET", f"temporal/entities?type=TimedCar&{after}&limit=1000") == (429, "TooManyResults")
    assert await client.problem("GET", "temporal/entities/urn:nobody:1") == (404, "ResourceNotFound")
    bad = {"type": "Query", "entities": [{"type": "T"}], "temporalQ": {"nonsense": 1}}
    assert await client.problem("POST", "temporal/entityOperations/query", bad) == (400, "InvalidRequest")
