"""A table of devices is registered line by line: what cannot be stands beside, and the same again completes it."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.apis import Services
from broadstreet.devices.table import PORTION
from tests.contract.conftest import Clock
from tests.contract.test_api import Api, device, open_api

TABLE = "/v1/devices/table"
HEADER = "id,title,profile,lon,lat,street,dataset,secret\n"


@pytest.fixture
async def api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    async with open_api(services, data_dir) as opened:
        yield opened


async def register(api: Api, text: str, query: str = "", accept: str = "application/json") -> Any:
    answer = await api.ask("POST", TABLE + query, text.encode(), accept=accept, **{"content-type": "text/csv"})
    assert answer.status == 200, answer.body
    return answer.json if accept == "application/json" else answer.body.decode()


async def test_what_can_be_is_registered_and_what_cannot_stands_beside(api: Api) -> None:
    await api.ask("POST", "/v1/devices", device("a-0"))
    text = (
        HEADER
        + 'a-0,Other,air,24.9,60.2,,,\na-1,"Air, north",air,24.9,60.2,Aleksanterinkatu,,\n'
        + "a 2,,air,24.9,60.2,,,\na-3,,none,24.9,60.2,,,\na-4,,air,999,60.2,,,\na-5,,air,east,60.2,,,\n"
        + "a-1,,air,24.9,60.2,,,\na-6,,air,24.9,60.2,,urn:none,\na-7,,air,24.9,60.2,,,short\n,,air,1,1,,,\n"
        + "a-8,,air,24.9\n\n"
    )
    report = await register(api, text)
    assert (report["registered"], report["there"], report["rejected"]) == (1, 1, 9)
    by_line = {line["line"]: line for line in report["lines"]}
    assert by_line[2]["outcome"] == "there" and by_line[2]["secret"] is None
    assert by_line[3]["outcome"] == "registered" and by_line[3]["secret"]
    reasons = [by_line[n]["reason"] for n in range(4, 13)]
    for word, reason in zip(
        (
            "name a device",
            "no profile 'none'",
            "beyond 180",
            "no number",
            "line 3",
            "dataset",
            "20",
            "name a device",
            "no lat",
        ),
        reasons,
        strict=True,
    ):
        assert word in reason
    assert (await api.get("/v1/devices/a-1"))["title"] == "Air, north"
    assert (await api.get("/v1/devices/a-0"))["title"] == "Air a-0"
    assert ("root", "device.create", "1 devices") in await api.audited()


async def test_a_dry_run_says_the_same_and_writes_nothing(api: Api) -> None:
    text = "id;lon;lat\na-1;24,95;60,17\na-2;24,95;\n"
    report = await register(api, text, "?dry_run=true&profile=air")
    assert (report["registered"], report["rejected"]) == (1, 1)
    assert {line["secret"] for line in report["lines"]} == {None}
    assert await api.get("/v1/devices") == []
    assert not [line for line in await api.audited() if line[1] == "device.create"]


async def test_the_credentials_come_once_as_a_table(api: Api) -> None:
    text = "id,lon,lat\na-1,24.9,60.2\na-2,24.9,60.2\n"
    first = list(csv.DictReader(io.StringIO(await register(api, text, "?profile=air", "text/csv"))))
    assert [(row["line"], row["id"], row["outcome"]) for row in first] == [
        ("2", "a-1", "registered"),
        ("3", "a-2", "registered"),
    ]
    identity = await api.services.registry.authenticate("a-1", first[0]["secret"], at_us=api.services.clock())
    assert identity is not None
    again = list(csv.DictReader(io.StringIO(await register(api, text, "?profile=air", "text/csv"))))
    assert {(row["outcome"], row["secret"]) for row in again} == {("there", "")}


async def test_lines_are_registered_by_portions_each_wholly_or_not_at_all(api: Api, clock: Clock) -> None:
    count = PORTION + 5
    lines = [f"b-{n},24.9,60.2,urn:ngsi-ld:X:{n}\n" for n in range(count)]
    text = "id,lon,lat,entity_id\n" + "".join(lines)
    report = await register(api, text, "?profile=air")
    assert report["registered"] == count
    assert len({line["secret"] for line in report["lines"]}) == count


async def test_what_is_no_such_table_is_refused(api: Api) -> None:
    for text in (
        "",
        "id,lon,lat\n",
        "id,lon\na,1\n",
        "id,lon,lat,colour\na,1,1,red\n",
        "id,id,lon,lat\na,a,1,1\n",
        '"a\nb',
    ):
        answer = await api.ask("POST", TABLE, text.encode(), **{"content-type": "text/csv"})
        assert answer.status == 400, (text, answer.body)
