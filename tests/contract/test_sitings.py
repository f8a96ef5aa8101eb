"""Where sensors go, over HTTP: asked, answered as a job, stopped with the best, and held against today's sensors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.context import CORE, parse_entity
from tests.contract.planning import Desk, open_desk
from tests.quarter import grid

LAMPS = b"id,lon,lat,label\n" + b"".join(b"l%d,%.4f,60.17,Lamp %d\n" % (n, 24.9405 + n * 0.0005, n) for n in range(10))
FIRST = {"type": "CameraSensor", "q": "isOn==true"}


@pytest.fixture
async def desk(services: Services, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(services, tmp_path) as opened:
        yield opened


async def cameras(desk: Desk) -> None:
    """Three of the registry, of which one is off."""
    engineer = Principal.account("eve", "Eve", "city", ["engineer"])
    for n in range(3):
        entity = {
            "id": f"urn:ngsi-ld:CameraSensor:{n}",
            "type": "CameraSensor",
            "isOn": {"type": "Property", "value": n > 0},
            "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [24.941 + n * 0.001, 60.17]}},
        }
        await desk.services.broker.create(engineer, desk.services.clock(), parse_entity(entity, CORE))


async def asked(desk: Desk, project: str, name: str, **wish: Any) -> dict[str, Any]:
    found: dict[str, Any] = await desk.post(f"/projects/{project}/sitings", {"name": name, "wish": wish}, 202)
    return found


async def test_sites_are_chosen_beside_those_of_a_layer_and_of_the_registry(desk: Desk) -> None:
    project = await desk.town()
    await refuses_what_cannot_be_asked(desk, project)
    await cameras(desk)
    await desk.put(f"/projects/{project}/sources/lamps.csv", LAMPS)
    await desk.put(f"/projects/{project}/sources/old.csv", b"id,lon,lat\nold,24.9458,60.1711\n")
    wish = {"count": 2, "radius_m": 60, "candidates": {"file": "lamps.csv"}, "today": {"file": "old.csv"}, "seconds": 5}
    begun = await asked(desk, project, "Two", **wish, registry=FIRST)
    assert begun["state"] == "waiting"
    assert (await desk.get(f"/sitings/{begun['id']}/statement", 409))["detail"].endswith("has no answer")
    assert await desk.work()
    found = await desk.get(f"/sitings/{begun['id']}")
    figures = found["figures"]
    assert (found["state"], figures["standing"], figures["candidates"], figures["sites"]) == ("chosen", 3, 10, 2)
    assert figures["is_optimal"] and figures["greedy"] <= figures["value"] == figures["bound"]
    assert figures["today"] < figures["value"] <= figures["audience_total"]

    statement = await desk.get(f"/sitings/{begun['id']}/statement")
    gains = [site["gain"] for site in statement["sites"]]
    assert gains == sorted(gains, reverse=True)
    assert figures["today"] + sum(gains) == figures["value"]
    assert sum(site["cents"] for site in statement["sites"]) == figures["cost_cents"]
    assert {site["connection"]["means"] for site in statement["sites"]} <= {"fibre", "mobile"}
    sites = (await desk.get(f"/sitings/{begun['id']}/layers/sites"))["features"]
    assert {one["properties"]["today"] for one in sites if "today" in one["properties"]} == {
        "old",
        "urn:ngsi-ld:CameraSensor:1",
        "urn:ngsi-ld:CameraSensor:2",
    }
    assert len((await desk.get(f"/sitings/{begun['id']}/layers/candidates"))["features"]) == 10
    table = await desk.ask("GET", f"/sitings/{begun['id']}/csv")
    assert table.body.decode().splitlines()[0].startswith("order,place,lon,lat")
    assert len(table.body.decode().splitlines()) == 3

    assert (await desk.post(f"/sitings/{begun['id']}/stop", status=409))["status"] == 409
    waiting = await asked(desk, project, "Later", **wish)
    assert (await desk.post(f"/sitings/{waiting['id']}/cancel", status=200))["state"] == "cancelled"
    assert not await desk.work(), "its job is not done any more"
    assert [one["name"] for one in await desk.get(f"/projects/{project}/sitings")] == ["Two", "Later"]
    folder = desk.services.data_path / "plans" / "city" / project / "sitings"
    assert len(list(folder.iterdir())) == 1
    assert (await desk.ask("DELETE", f"/sitings/{begun['id']}")).status == 204
    assert not list(folder.iterdir())
    assert (await desk.ask("GET", f"/sitings/{begun['id']}")).status == 404
    done = [line.removeprefix("siting.") for line in await desk.audited() if line.startswith("siting")]
    assert done == ["begin", "remove", "begin", "begin", "cancel", "remove"]


async def refuses_what_cannot_be_asked(desk: Desk, project: str) -> None:
    """Each with its place, before anything is begun; what only the process finds is its trouble."""
    at = f"/projects/{project}/sitings"
    for wish, status, said in (
        ({}, 400, "nothing bounds"),
        ({"count": 1, "budget": 5}, 400, "has no budget"),
        ({"count": 1, "candidates": {"file": "none.csv"}}, 400, "no source 'none.csv'"),
        ({"count": 1, "today": {"file": "../x.csv"}}, 400, "is no source"),
        ({"count": 1, "scenario": "x"}, 404, "no scenario"),
        ({"count": 0}, 400, ">= 1"),
    ):
        refused = await desk.ask("POST", at, {"name": "x", "wish": wish})
        assert refused.status == status and said in refused.json["detail"], refused.json
    assert await desk.get(at) == []
    failed = await asked(desk, project, "Post", count=1, kind="balloon")
    assert await desk.work()
    found = await desk.get(f"/sitings/{failed['id']}")
    assert found["state"] == "failed" and "'balloon' is no kind of place" in found["trouble"]["detail"]
    assert (await desk.ask("DELETE", f"/sitings/{failed['id']}")).status == 204


async def test_a_search_that_is_stopped_keeps_its_best_on_the_ground_of_a_plan(desk: Desk) -> None:
    streets, homes, _ = grid()
    project = await desk.town(streets=streets, homes=homes)
    plan = await desk.planned(project, "Plan")
    wish = {"aim": "map", "count": 20, "spread": 300, "map_step_m": 60, "scenario": plan["id"], "seconds": 600}
    begun = await asked(desk, project, "Map", **wish, covariance={"range_m": 150})
    working = asyncio.create_task(desk.work())
    while (await desk.get(f"/sitings/{begun['id']}"))["stage"] != "planning":  # noqa: ASYNC110 another process tells nobody
        await asyncio.sleep(0.05)
    assert (await desk.post(f"/sitings/{begun['id']}/stop", status=202))["is_stopping"]
    assert await working
    found = await desk.get(f"/sitings/{begun['id']}")
    assert found["state"] == "chosen" and found["figures"]["was_stopped"], found["trouble"]
    assert found["figures"]["objective"] == "variance" and found["figures"]["sites"] == 20
    means = [site["connection"]["means"] for site in (await desk.get(f"/sitings/{begun['id']}/statement"))["sites"]]
    assert set(means) <= {"fibre", "mobile"}
