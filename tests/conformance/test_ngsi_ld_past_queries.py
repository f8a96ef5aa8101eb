"""Queries over time (5.7.4): entities by what was told of them within a stretch, and answers that end at one moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from broadstreet.apis import create_app
from broadstreet.history import moving
from tests.conformance.conftest import BEGIN_US, Client

DAY = "2026-02-01T"
DAY_US = 86_400_000_000
WITHIN = f"timerel=between&timeAt={DAY}00:00:00Z&endTimeAt={DAY}23:00:00Z"


def at(time: str, value: Any, kind: str = "Property", **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": value, "observedAt": f"2026-{time}:00Z", **more}


def place(time: str, lon: float) -> dict[str, Any]:
    return at(time, {"type": "Point", "coordinates": [lon, 60]}, "GeoProperty")


FAST = [at("01-05T12:00", 10), at("02-01T12:00", 30, unitCode="KMH"), at("02-01T13:00", 40), at("02-05T12:00", 20)]
SLOW = [at("01-05T12:00", 80), at("02-01T12:00", 10), at("02-05T12:00", 90)]


@pytest.fixture(scope="module")
async def cars(client: Client) -> str:
    """Three cars, of a type of their own: fast and slow on that day, and one of which nothing was told on it."""
    kind = client.name()
    told: dict[str, dict[str, Any]] = {
        "fast": {"speed": FAST, "line": [at("02-01T12:00", "550"), at("02-05T12:00", "7")]},
        "slow": {
            "speed": [*SLOW, at("02-01T12:00", 60, datasetId="urn:d:1")],
            "tags": [at("02-01T12:00", ["a", "b"])],
            "location": [place("02-01T12:00", 24.0), place("02-05T12:00", 30.0)],
        },
        "idle": {"speed": [at("01-05T12:00", 99)], "location": [place("01-05T12:00", 24.0)]},
    }
    for name, attributes in told.items():
        body = {"id": f"urn:ngsi-ld:{kind}:{name}", "type": kind, **attributes}
        assert (await client.ask("POST", "temporal/entities", body)).status == 201
    return kind


async def found(client: Client, kind: str, asked: str, within: str = WITHIN) -> list[str]:
    shown = await client.get(f"temporal/entities?type={kind}&{within}{asked}")
    return [entity["id"].rpartition(":")[2] for entity in shown]


QUERIES = [
    ("", ["fast", "slow"]),
    ("&q=speed>25", ["fast", "slow"]),
    ("&q=speed==40", ["fast"]),
    ("&q=speed==20..35", ["fast"]),
    ("&q=speed==80", []),
    ("&q=speed==60", ["slow"]),
    ("&q=speed!=10", ["fast", "slow"]),
    ('&q=line=="550"', ["fast"]),
    ('&q=line=="7"', []),
    ('&q=line~="^5"', ["fast"]),
    ('&q=tags=="b"', ["slow"]),
    ("&q=tags|line", ["fast", "slow"]),
    ("&q=tags;speed<20", ["slow"]),
    ('&q=speed.unitCode=="KMH"', ["fast"]),
    (f"&q=speed.observedAt=={DAY}13:00:00Z", ["fast"]),
    ("&attrs=line", ["fast"]),
    ("&attrs=tags,location", ["slow"]),
    ("&datasetId=urn:d:1", ["slow"]),
    ("&datasetId=urn:d:2", []),
    ("&georel=near;maxDistance==100&geometry=Point&coordinates=[24,60]", ["slow"]),
    ("&georel=near;maxDistance==100&geometry=Point&coordinates=[30,60]", []),
    ("&georel=disjoint&geometry=Point&coordinates=[30,60]", ["slow"]),
    ("&orderBy=id;desc", ["slow", "fast"]),
    ("&idPattern=slow$", ["slow"]),
]


@pytest.mark.parametrize(("asked", "names"), QUERIES)
async def test_a_query_asks_what_was_told_within_a_time(
    client: Client, cars: str, asked: str, names: list[str]
) -> None:
    assert await found(client, cars, asked) == names


async def test_pages_and_counts_are_of_what_was_told_within_a_time(client: Client, cars: str) -> None:
    pages = [await found(client, cars, f"&limit=1&offset={offset}") for offset in range(3)]
    assert pages == [["fast"], ["slow"], []]
    for asked, count in (("", "2"), ("&q=speed==40", "1"), ("&q=speed==80", "0")):
        answer = await client.ask("GET", f"temporal/entities?type={cars}&{WITHIN}&count=true&limit=0{asked}")
        assert (answer.json, answer.headers["ngsild-results-count"]) == ([], count)
    answer = await client.ask("GET", f"temporal/entities?type={cars}&{WITHIN}&limit=1")
    assert 'rel="next"' in answer.headers["link"]
    answer = await client.ask("GET", f"temporal/entities?type={cars}&{WITHIN}&limit=1&offset=1")
    assert 'rel="next"' not in answer.headers["link"]


async def test_a_query_by_when_things_came(client: Client, cars: str) -> None:
    for which in ("createdAt", "modifiedAt"):
        since = f"timerel=after&timeAt=2026-03-01T00:00:00Z&timeproperty={which}"
        assert await found(client, cars, "", since) == ["fast", "slow", "idle"]
        assert await found(client, cars, "&q=speed==99", since) == ["idle"]
        before = f"timerel=before&timeAt=2026-03-01T00:00:00Z&timeproperty={which}"
        assert await found(client, cars, "", before) == []


Page = tuple[str, dict[str, list[int]]]
"""A Content-Range, and the values of each attribute."""


async def pages(client: Client, target: str, when: str, on: str) -> list[Page]:
    """Every page of one entity over time. on: how to ask on from the end of one that is not the last."""
    told: list[Page] = []
    while len(told) < 10:
        answer = await client.ask("GET", f"{target}?omit=id,type&{when}")
        extent = answer.headers.get("content-range", "")
        told.append((extent, {name: [one["value"] for one in instances] for name, instances in answer.json.items()}))
        if answer.status == 200:
            break
        assert answer.status == 206
        when = on.format(end=extent.partition("/")[0][-20:])
    return told


@pytest.fixture(scope="module")
def small(client: Client) -> Client:
    """The same house, whose answers hold three instances of an attribute."""
    return replace(client, app=create_app(replace(client.services, temporal_instances=3)))


@pytest.fixture(scope="module")
async def bus(client: Client) -> str:
    """A bus with eight riders and three stops, in turn with them."""
    riders = [at(f"02-01T12:{minute:02}", minute) for minute in range(8)]
    stops = [at(f"02-01T12:{minute:02}", minute) for minute in (1, 5, 30)]
    body = {"id": "urn:ngsi-ld:Bus:paged", "type": "Bus", "riders": riders, "stops": stops}
    assert (await client.ask("POST", "temporal/entities", body)).status == 201
    return "temporal/entities/urn:ngsi-ld:Bus:paged"


async def test_an_answer_ends_at_one_moment_for_all_attributes(small: Client, bus: str) -> None:
    told = await pages(small, bus, f"timerel=after&timeAt={DAY}12:00:00Z", "timerel=after&timeAt={end}")
    assert told[0] == (
        f"date-time {DAY}12:00:00Z-{DAY}12:02:00Z/*",
        {"riders": [0, 1, 2], "stops": [1]},
    )
    assert told[1] == (f"date-time {DAY}12:02:00Z-{DAY}12:04:00Z/*", {"riders": [2, 3, 4], "stops": []})
    assert [shown["riders"] for _, shown in told] == [[0, 1, 2], [2, 3, 4], [4, 5, 6], [6, 7]]
    assert told[-1] == ("", {"riders": [6, 7], "stops": [30]})
    (first, *_) = await pages(small, bus, "", "timerel=after&timeAt={end}")
    assert first[0] == f"date-time {DAY}12:00:00Z-{DAY}12:02:00Z/*"


async def test_the_newest_come_first_where_they_are_asked_for(small: Client, bus: str) -> None:
    told = await pages(small, bus, "lastN=6", "lastN=6&timerel=before&timeAt={end}")
    assert told[0] == (f"date-time {DAY}12:30:00Z-{DAY}12:05:00Z/6", {"riders": [5, 6, 7], "stops": [5, 30]})
    assert told[1] == (f"date-time {DAY}12:05:00Z-{DAY}12:02:00Z/6", {"riders": [2, 3, 4], "stops": []})
    assert told[2] == ("", {"riders": [0, 1], "stops": [1]})
    few = await small.ask("GET", f"{bus}?lastN=2&omit=id,type")
    assert (few.status, [one["value"] for one in few.json["riders"]]) == (200, [6, 7])
    between = f"{bus}?lastN=9&timerel=between&timeAt={DAY}00:00:00Z&endTimeAt={DAY}14:00:00Z"
    answer = await small.ask("GET", f"{between}&options=temporalValues&omit=id,type")
    assert answer.headers["content-range"] == f"date-time {DAY}14:00:00Z-{DAY}12:05:00Z/9"
    values = {name: [value for value, _ in told["values"]] for name, told in answer.json.items()}
    assert values == {"riders": [5, 6, 7], "stops": [5, 30]}


async def test_what_came_at_one_moment_is_not_torn_apart(small: Client, bus: str) -> None:
    for more in ("", "&lastN=5"):
        answer = await small.ask("GET", f"{bus}?timeproperty=createdAt{more}")
        assert answer.status == 206
        assert [one["value"] for one in answer.json["riders"]] == list(range(8))


async def test_several_entities_end_at_the_same_moment(small: Client, bus: str) -> None:
    late = {"id": "urn:ngsi-ld:Bus:late", "type": "Bus", "riders": [at("02-01T18:00", 1)]}
    assert (await small.ask("POST", "temporal/entities", late)).status == 201
    answer = await small.ask("GET", f"temporal/entities?type=Bus&{WITHIN}&options=temporalValues&count=true")
    assert (answer.status, answer.headers["ngsild-results-count"]) == (206, "2")
    assert [len(entity["riders"]["values"]) for entity in answer.json] == [3, 0]
    summed = await small.ask("GET", f"temporal/entities?type=Bus&{WITHIN}&aggrMethods=totalCount")
    assert [entity["riders"]["totalCount"][0][0] for entity in summed.json] == [8, 1]


async def test_a_query_in_a_body_sums_up(client: Client, cars: str) -> None:
    day = {"timerel": "between", "timeAt": f"{DAY}00:00:00Z", "endTimeAt": f"{DAY}23:00:00Z"}
    query = {"type": "Query", "entities": [{"type": cars}], "temporalQ": day, "q": "speed>25", "attrs": ["speed"]}
    body = {**query, "aggrParams": {"aggrMethods": ["avg", "max"], "aggrPeriodDuration": "PT1H"}}
    answer = await client.ask("POST", "temporal/entityOperations/query", body)
    assert [value for value, *_ in answer.json[0]["speed"]["max"]] == [30, 40]
    ordered = {**query, "ordering": {"orderBy": ["id;desc"]}}
    answer = await client.ask("POST", "temporal/entityOperations/query", ordered)
    assert [entity["id"].rpartition(":")[2] for entity in answer.json] == ["slow", "fast"]
    wrong = {**query, "aggrParams": {"aggrMethods": "median"}}
    assert await client.problem("POST", "temporal/entityOperations/query", wrong) == (400, "BadRequestData")


@pytest.mark.parametrize("asked", ["q=speed>1", f"{WITHIN}&orderBy=speed", f"{WITHIN}&csf=))", f"{WITHIN}&pick=a{{b}}"])
async def test_what_is_no_query_over_time_is_refused(client: Client, cars: str, asked: str) -> None:
    assert await client.problem("GET", f"temporal/entities?type={cars}&{asked}") == (400, "BadRequestData")


@pytest.fixture(scope="module")
async def filed(client: Client, cars: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    """The same house, where what was observed until February has moved to files."""
    client.database.files = tmp_path_factory.mktemp("past")
    names_of = iter(range(100))
    async with moving(client.database, lambda: f"file-{next(names_of)}", client.services.clock) as mover:
        while await mover.move_some(BEGIN_US - 20 * DAY_US) is not None:
            pass
    assert await client.database.fetchval("SELECT count(*) FROM past_file") > 0
    return client


async def test_files_are_asked_the_same(filed: Client, cars: str) -> None:
    for asked, names in QUERIES:
        assert (asked, await found(filed, cars, asked)) == (asked, names)
    assert await found(filed, cars, f"&id=urn:ngsi-ld:{cars}:slow,urn:ngsi-ld:{cars}:idle&q=speed>1") == ["slow"]
    assert await found(filed, cars, "&id=urn:nobody:1") == []
    for which in ("createdAt", "modifiedAt"):
        since = f"timerel=after&timeAt=2026-03-01T00:00:00Z&timeproperty={which}"
        assert await found(filed, cars, "&q=speed==99", since) == ["idle"]
        assert await found(filed, cars, "&q=speed==99", since.replace("after", "before")) == []
    path = f"temporal/entities/urn:ngsi-ld:{cars}:fast"
    (instance,) = [one for one in (await filed.get(path))["speed"] if one["value"] == 40]
    assert (await filed.ask("PATCH", f"{path}/attrs/speed/{instance['instanceId']}", {"value": 41})).status == 204
    assert await found(filed, cars, "&q=speed==40") == []
    assert await found(filed, cars, "&q=speed==41") == ["fast"]


async def test_what_is_too_much_of_the_files_is_refused(
    filed: Client, cars: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("broadstreet.history.stretch.MAX_ROWS", 2)
    monkeypatch.setattr("broadstreet.history.stretch.MAX_WRITINGS", 2)
    asked = f"temporal/entities?type={cars}&{WITHIN}"
    assert await found(filed, cars, "") == ["fast", "slow"]
    assert await filed.problem("GET", f"{asked}&q=speed>1") == (429, "TooManyResults")
    assert await filed.problem("GET", f"{asked}&timeproperty=createdAt") == (429, "TooManyResults")
