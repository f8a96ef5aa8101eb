"""Bad input over HTTP: at each door the same words as at the command line, and the places as GeoJSON; never a 500."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broadstreet.apis import Services
from tests.contract.planning import Desk, open_desk
from tests.quarter import INPUTS, OFFICE
from tests.wrong_inputs import HEAD, Wrong, wrongs

WRONG = {wrong.name: wrong for wrong in wrongs()}
AT_THE_DOOR = {
    "a web page": "streets.geojson",
    "a workbook": "homes.csv",
    "cut short": "homes.gpkg",
    "an archive": "l.zip",
}
"""Files that are refused as they come."""
WISHED = ("no prices wished", "negative price", "budget under 0", "phase under 0")
"""Wishes that are refused as they come."""


@pytest.fixture
async def desk(services: Services, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(services, tmp_path) as opened:
        yield opened


def kinds(told: dict[str, Any]) -> frozenset[str]:
    faults = told.get("faults") or {"features": []}
    return frozenset(one["properties"]["kind"] for one in faults["features"])


async def project_of(desk: Desk, wrong: Wrong) -> str:
    """A project of wrong inputs, with its files."""
    body = {"name": wrong.name, "inputs": wrong.all_inputs()}
    identifier: str = (await desk.post("/projects", body))["id"]
    for name, content in wrong.all_files().items():
        await desk.put(f"/projects/{identifier}/sources/{name}", content)
    return identifier


async def test_what_comes_in_wrong_is_refused_at_the_door(desk: Desk) -> None:
    project = await desk.town()
    at = f"/projects/{project}"
    for name, file in AT_THE_DOOR.items():
        wrong = WRONG[name]
        told = await desk.put(f"{at}/sources/{file}", wrong.files[file], 400)
        said = "no form of file" if file.endswith(".zip") else wrong.said
        assert said in told["detail"] and told["where"] == file and wrong.remedy in told["remedy"], told
        assert kinds(told) == {"input"}, "it is drawn where the project's plans begin"
    names = [one["name"] for one in await desk.get(f"{at}/sources")]
    assert names == ["homes.csv", "streets.geojson", "central-helsinki.osm.pbf"], "nothing of it is kept"
    # Its length is told, and no more of it is read than shows where it begins.
    for beginning, drawn in ((b'{"coordinates": [[24.94, 60.17], [24.95, 60.17]]', "too_large"), (b"{", "input")):
        large = await desk.ask("PUT", f"{at}/sources/a.geojson", beginning, **{"content-length": "200000000"})
        assert large.status == 413 and large.json["detail"] == "GeoJSON of more than 100 MB is not taken"
        assert (large.json["where"], bool(large.json["remedy"])) == ("a.geojson", True)
        assert kinds(large.json) == {drawn}
    for name in WISHED:
        wrong = WRONG[name]
        refused = await desk.ask("POST", f"{at}/scenarios", {"name": name, "wish": wrong.wish})
        assert refused.status == 400 and wrong.said in refused.json["detail"] and refused.json["where"], refused.body
        assert kinds(refused.json) == {"input"} and refused.json["remedy"]
    for inputs, where in (
        ({"offices": [{**OFFICE, "lat": 95.0}]}, "offices"),
        ({"limits": {"drop_m": -1}}, "inputs.limits.drop_m"),
    ):
        wrongly = await desk.ask("PATCH", at, {"inputs": {**INPUTS, **inputs}})
        assert (wrongly.status, wrongly.json["where"]) == (400, where) and wrongly.json["remedy"]
        assert kinds(wrongly.json) == {"input"}
        new = await desk.ask("POST", "/projects", {"name": "New", "inputs": {**INPUTS, **inputs}})
        assert new.status == 400 and kinds(new.json) == ({"input"} if "limits" in inputs else set()), new.body
    # A project that says of no place itself is where its extract says that it lies.
    body = {"name": "All", "inputs": {"extract": "central-helsinki.osm.pbf"}}
    whole = (await desk.post("/projects", body))["id"]
    refused = await desk.ask(
        "POST", f"/projects/{whole}/scenarios", {"name": "x", "wish": WRONG["no prices wished"].wish}
    )
    assert refused.status == 400 and kinds(refused.json) == {"input"}


@pytest.mark.parametrize("name", ["two layers", "no prices"])
async def test_what_is_found_when_the_ground_is_read_says_where(desk: Desk, name: str) -> None:
    wrong = WRONG[name]
    project = await project_of(desk, wrong)
    await desk.post(f"/projects/{project}/ground", status=202)
    assert await desk.work()
    seen = await desk.get(f"/projects/{project}/ground")
    trouble = seen["trouble"]
    assert seen["state"] == "failed" and wrong.said in trouble["detail"] and wrong.remedy in trouble["remedy"]
    assert (kinds(trouble), trouble["status"]) == (wrong.kinds, 400)
    assert str(desk.services.data_path) not in msgspec.json.encode(seen).decode()


async def test_what_only_a_plan_shows_is_drawn_with_it(desk: Desk) -> None:
    wrong = WRONG["critical, one way"]
    lost = HEAD + b"far,24.9435,60.1755,2\n"
    project = await project_of(desk, wrong)
    planned = await desk.planned(project, "x", **wrong.wish)
    assert (planned["state"], planned["outcome"]["faults"]) == ("planned", 1), planned["trouble"]
    faults = await desk.get(f"/scenarios/{planned['id']}/layers/faults")
    assert kinds({"faults": faults}) == wrong.kinds
    await desk.put(f"/projects/{project}/sources/homes.csv", lost)
    failed = await desk.planned(project, "y", closed=["Spur"])
    assert failed["state"] == "failed" and kinds(failed["trouble"]) == {"critical"}
