"""Projects and scenarios over HTTP: kept, planned, looked at; told in the audit, and seen by their own tenant alone."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from broadstreet.access import Principal
from broadstreet.apis import Services
from broadstreet.context import CORE, parse_entity
from broadstreet.network.proof import Finding, FindingKind
from broadstreet.network.scenarios import PlanLimits, planner
from tests.contract.doors import issue
from tests.contract.planning import Desk, open_desk
from tests.harbour import GOOD
from tests.quarter import HOMES, OFFICE, STREETS


@pytest.fixture
async def desk(services: Services, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(services, tmp_path) as opened:
        yield opened


async def test_a_project_is_made_changed_and_removed(desk: Desk) -> None:
    made = await desk.post("/projects", {"name": "Harbour", "inputs": {"extract": "h.osm.pbf", "offices": [OFFICE]}})
    assert made["inputs"]["offices"][0]["id"] == "co" and made["owner"] == "ann"
    assert await desk.get("/projects") == [made]
    again = await desk.ask("POST", "/projects", {"name": "Harbour"})
    assert again.status == 409 and "Harbour" in again.json["detail"]
    registry = {"type": "School", "critical": "isShelter==true"}
    changed = await desk.ask("PATCH", f"/projects/{made['id']}", {"name": "Old harbour", "registry": registry})
    assert changed.json == {**made, "name": "Old harbour", "registry": {**registry, "q": None, "fibres": 1}}
    standing = {"networks": ["city.json", {"file": "ours.json", "built": ["planned"], "room": False}]}
    assert (await desk.ask("PATCH", f"/projects/{made['id']}", standing)).json == {**changed.json, **standing}
    for networks in ([{"file": "a.json", "built": ["soon"]}], ["a.json", {"file": "a.json"}]):
        refused = await desk.ask("PATCH", f"/projects/{made['id']}", {"networks": networks})
        assert refused.status == 400, refused.body
    wrong = await desk.ask("PATCH", f"/projects/{made['id']}", {"inputs": {"extrakt": "h.osm.pbf"}})
    assert wrong.status == 400 and "extrakt" in wrong.json["detail"]
    assert (await desk.ask("DELETE", f"/projects/{made['id']}")).status == 204
    assert (await desk.get(f"/projects/{made['id']}", 404))["detail"].startswith("there is no project")
    assert [line for line in await desk.audited() if line.startswith("project")] == [
        "project.create",
        "project.change",
        "project.change",
        "project.remove",
    ]


async def test_a_scenario_is_derived_changed_and_removed(desk: Desk) -> None:
    project = (await desk.post("/projects", {"name": "Harbour"}))["id"]
    other = (await desk.post("/projects", {"name": "Hill"}))["id"]
    first = await desk.post(f"/projects/{project}/scenarios", {"name": "All", "wish": {"closed": ["Quay"], "seed": 7}})
    assert (first["state"], first["progress"], first["wish"]["closed"]) == ("draft", [], ["Quay"])
    second = await desk.post(f"/projects/{project}/scenarios", {"name": "Again", "derived_from": first["id"]})
    assert second["wish"] == first["wish"] and second["derived_from"] == first["id"]
    assert [one["name"] for one in await desk.get(f"/projects/{project}/scenarios")] == ["All", "Again"]
    astray = await desk.ask("POST", f"/projects/{other}/scenarios", {"name": "x", "derived_from": first["id"]})
    assert astray.status == 404
    taken = await desk.ask("PATCH", f"/scenarios/{second['id']}", {"name": "All"})
    assert taken.status == 409
    changed = await desk.ask("PATCH", f"/scenarios/{second['id']}", {"wish": {"locked": ["Quay"]}})
    assert changed.json["wish"]["locked"] == ["Quay"] and changed.json["name"] == "Again"
    assert (await desk.ask("DELETE", f"/scenarios/{first['id']}")).status == 204
    assert [one["name"] for one in await desk.get(f"/projects/{project}/scenarios")] == ["Again"]
    assert (await desk.get(f"/projects/{project}"))["scenarios"] == 1
    assert [line for line in await desk.audited() if line.startswith("scenario")] == [
        "scenario.create",
        "scenario.create",
        "scenario.change",
        "scenario.remove",
    ]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"catalogue": 'title = "x"'}, "trench: is missing"),
        ({"architecture": "splitters = ["}, "this is not TOML"),
        ({"seconds": 1e9}, "a number of 3,600 or less is expected"),
        ({"budget": 5}, "budget"),
    ],
)
async def test_a_wish_that_cannot_be_is_refused_with_its_place(desk: Desk, wish: dict[str, Any], said: str) -> None:
    project = (await desk.post("/projects", {"name": "Harbour"}))["id"]
    refused = await desk.ask("POST", f"/projects/{project}/scenarios", {"name": "x", "wish": wish})
    assert refused.status == 400 and said in refused.json["detail"], refused.json
    assert await desk.get(f"/projects/{project}/scenarios") == []


async def test_a_town_is_looked_at_planned_and_followed_to_its_fibres(desk: Desk) -> None:
    project = await desk.town()
    assert (await desk.get(f"/projects/{project}/ground"))["state"] == "none"
    assert (await desk.post(f"/projects/{project}/ground", status=202))["state"] == "waiting"
    assert await desk.work()
    seen = await desk.get(f"/projects/{project}/ground")
    assert (seen["state"], seen["look"]["premises"], seen["look"]["fibres"]) == ("ready", 16, 26)
    assert len((await desk.get(f"/projects/{project}/ground/ways"))["features"]) == seen["look"]["ways"]

    plan = await desk.planned(project, "All")
    outcome = plan["outcome"]
    assert (plan["state"], plan["findings"], plan["trouble"]) == ("planned", [], None)
    assert (outcome["served"], outcome["fibres"], outcome["ground"]) == (16, 26, seen["look"]["digest"])
    assert outcome["bound_cents"] <= outcome["cost_cents"] == plan["progress"][-1]["cost_cents"]
    at = f"/scenarios/{plan['id']}"
    ways, cables, sites, premises = [
        (await desk.get(f"{at}/layers/{layer}"))["features"] for layer in ("ways", "cables", "sites", "premises")
    ]
    assert round(sum(way["properties"]["length_m"] for way in ways)) == round(outcome["opened_m"])
    longer = {one["properties"]["id"] for one in cables if one["properties"]["length_m"] > 1}
    assert {cable for way in ways for cable in way["properties"]["cables"]} >= longer
    assert sorted(site["properties"]["kind"] for site in sites).count("office") == 1
    assert all(house["properties"]["served"] for house in premises)

    cable = max((one["properties"] for one in cables), key=lambda one: one["lit"])
    strands = (await desk.get(f"{at}/cables/{cable['id']}"))["strands"]
    assert len(strands) == cable["fibres"] and sum(bool(strand["premises"]) for strand in strands) == cable["lit"] > 0
    house = await desk.get(f"{at}/path?premises=b3")
    assert house["served"] and len(house["paths"]) == 2
    for path in house["paths"]:
        assert path["steps"][0]["kind"] == "port" and path["steps"][-1]["kind"] == "socket"
        assert sum(step["loss_db"] for step in path["steps"]) == pytest.approx(path["loss_db"], abs=0.005)
        assert sum(step["length_m"] for step in path["steps"]) == pytest.approx(path["length_m"], abs=0.1)
        assert path["loss_db"] <= path["most_loss_db"]
    had = await desk.get(f"{at}/serviceability?address=b3")
    offer = had["offers"][0]
    assert (offer["how"], offer["is_today"], had["currency"]) == ("planned", False, outcome["currency"])
    assert (await desk.get(f"{at}/serviceability?address=b3&built=1"))["offers"][0]["is_today"]
    beside = await desk.get(f"{at}/serviceability?lon=24.9445&lat=60.1712")
    assert beside["street"] == "Quay" and beside["offers"] and not beside["refusal"]
    assert (await desk.get(f"{at}/serviceability?lon=24.94", 400))["where"] == "address"
    assert (await desk.get(f"{at}/serviceability?address=Nowhere+1", 404))["detail"]
    bill = await desk.get(f"{at}/bill")
    assert sum(item["labour_cents"] + item["material_cents"] for item in bill["items"]) == outcome["cost_cents"]
    assert sum(term["spent_cents"] for term in bill["terms"]) == outcome["cost_cents"]
    papers = await desk.ask("GET", f"{at}/export?format=csv&part=bill")
    assert papers.status == 200 and papers.headers["content-type"].startswith("text/csv"), papers.body
    assert 'filename="town-all-bill.csv"' in papers.headers["content-disposition"]
    assert (await desk.ask("GET", f"{at}/export?format=csv&part=bill")).body == papers.body
    assert (await desk.get(f"{at}/export?format=doc", 400))["where"] == "format"
    assert (await desk.get(f"{at}/cables/nothing", 404))["where"] == "cable"
    assert (await desk.get(f"{at}/layers/nothing", 404))["remedy"].startswith("There are: ways")


async def test_a_network_that_stands_is_drawn_and_told_of(desk: Desk) -> None:
    project = await desk.town()
    span = {**GOOD["spans"][0], "supportingInfrastructure": {"type": "duct"}}
    far = {**span, "id": "far", "route": {"type": "LineString", "coordinates": [[174.0, -41.0], [174.1, -41.0]]}}
    given = msgspec.json.encode({"networks": [{**GOOD, "spans": [span, far, {**span, "id": "u", "route": None}]}]})
    await desk.put(f"/projects/{project}/sources/harbour.json", given)
    assert (await desk.ask("PATCH", f"/projects/{project}", {"networks": ["harbour.json"]})).status == 200
    await desk.post(f"/projects/{project}/ground", status=202)
    assert await desk.work()
    seen = await desk.get(f"/projects/{project}/ground")
    assert seen["look"]["faults"] == {"assumed_plant": 1, "outside": 1, "unused_plant": 1}, seen
    nodes, spans, faults = [
        [one["properties"] for one in (await desk.get(f"/projects/{project}/ground/{layer}"))["features"]]
        for layer in ("nodes", "spans", "faults")
    ]
    assert {node["name"] for node in nodes} == {"Exchange", "Pier"}
    assert [(one["id"], one["file"], one.get("straight")) for one in spans] == [
        ("s", "harbour.json", None),
        ("far", "harbour.json", None),
        ("u", "harbour.json", True),
    ]
    assert "km away: not used" in next(one["what"] for one in faults if one["kind"] == "outside")
    assert seen["look"]["length_m"]["duct"] > 500


async def test_a_street_is_forbidden_and_the_plans_stand_side_by_side(desk: Desk) -> None:
    project = await desk.town()
    first = await desk.planned(project, "By the lane", locked=["Lane"])
    body = {"name": "Without the lane", "derived_from": first["id"], "wish": {"seconds": 1, "closed": ["Lane"]}}
    second = (await desk.post(f"/projects/{project}/scenarios", body))["id"]
    await desk.post(f"/scenarios/{second}/begin", status=202)
    assert await desk.work()
    both = f"scenario={second}&scenario={first['id']}"
    side = await desk.get(f"/compare?{both}")
    assert [one["name"] for one in side["scenarios"]] == ["Without the lane", "By the lane"]
    for number, one in enumerate(side["scenarios"]):
        assert sum(item["cents"][number] for item in side["items"]) == one["outcome"]["cost_cents"]
        assert sum(term["spent_cents"][number] for term in side["terms"]) == one["outcome"]["cost_cents"]
    differing = (await desk.get(f"/compare/ways?{both}"))["features"]
    lane = [one["properties"]["in"] for one in differing if one["properties"]["street"] == "Lane"]
    assert lane and all(ids == [first["id"]] for ids in lane)
    assert (await desk.get(f"/compare?scenario={second}", 400))["where"] == "scenario"
    refused = await desk.ask("PATCH", f"/scenarios/{first['id']}", {"wish": {"seed": 3}})
    assert refused.status == 409 and "Derive" in refused.json["remedy"]


async def test_a_scenario_that_waits_is_cancelled(desk: Desk) -> None:
    project = await desk.town()
    other = await desk.scenario(project, "Other", seconds=600)
    again = await desk.ask("POST", f"/scenarios/{other}/begin")
    assert again.status == 409
    assert (await desk.post(f"/scenarios/{other}/cancel", status=200))["state"] == "cancelled"
    assert not await desk.work(), "its job is not done any more"
    assert (await desk.get(f"/scenarios/{other}/bill", 409))["detail"].startswith("the scenario is cancelled")


async def test_what_cannot_be_planned_says_why_and_where(desk: Desk) -> None:
    project = await desk.town(rules={"locked": ["Lane"]})
    failed = await desk.planned(project, "x", closed=["Lane"])
    trouble = failed["trouble"]
    assert failed["state"] == "failed" and "is locked, and closed as well" in trouble["detail"], trouble
    assert (trouble["where"], trouble["remedy"]) == ("rules", "Take it out of one of the two rules.")
    assert trouble["faults"]["features"][0]["geometry"]["coordinates"] == pytest.approx([24.946, 60.1705], abs=0.001)


async def test_a_plan_in_which_the_checker_finds_anything_is_not_shown(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await desk.town()

    async def planted(work: Path, *_: object) -> planner.Result:
        (work / "out").mkdir()
        return planner.Result(findings=(Finding(FindingKind.LOSS, "b3", "1", "2"),))

    monkeypatch.setattr("broadstreet.network.scenarios.plans.carry_out", planted)
    failed = await desk.planned(project, "Wrong")
    assert failed["state"] == "failed" and failed["findings"][0]["where"] == "b3"
    assert (await desk.get(f"/scenarios/{failed['id']}/layers/ways", 409))["status"] == 409


async def test_sources_are_known_by_their_first_bytes_and_bounded(services: Services, tmp_path: Path) -> None:
    limited = msgspec.structs.replace(PlanLimits(), max_source_bytes=2_000)
    services = Services(
        services.store,
        services.log,
        services.access,
        services.registry,
        services.clock,
        data_path=services.data_path,
        plan_limits=limited,
    )
    async with open_desk(services, tmp_path) as desk:
        project = await desk.town()
        at = f"/projects/{project}/sources"
        names = [one["name"] for one in await desk.get(at)]
        assert names == ["homes.csv", "streets.geojson", "central-helsinki.osm.pbf"]
        digest = hashlib.sha256(STREETS).hexdigest()
        folder = services.data_path / "plans" / "city" / project / "sources"
        assert digest in {path.name for path in folder.iterdir()}
        for name, body, status, said in (
            ("ducts.gpkg", b"<html>", 400, "this is not GPKG, as its name says"),
            ("city.osm.pbf", b"PK" + b"x" * 90, 400, "this is not OpenStreetMap"),
            ("notes.docx", b"x", 400, "no form of file"),
            ("..%2Fx.csv", b"a,b", 400, "a source is called by"),
            ("central-helsinki.osm.pbf", b"x", 400, "comes with the house"),
            ("large.csv", b"id,lon,lat\n" + b"a,1,2\n" * 500, 413, "is not taken"),
        ):
            assert said in (await desk.put(f"{at}/{name}", body, status))["detail"], name
        assert {path.name for path in folder.iterdir()} == {digest, hashlib.sha256(HOMES).hexdigest()}
        assert (await desk.ask("DELETE", f"{at}/streets.geojson")).status == 204
        assert {path.name for path in folder.iterdir()} == {hashlib.sha256(HOMES).hexdigest()}
        missing = await desk.ask("POST", f"/projects/{project}/ground")
        assert missing.status == 400 and "no source 'streets.geojson'" in missing.json["detail"]
        assert (await desk.ask("DELETE", f"/projects/{project}")).status == 204
        assert not folder.exists()


async def test_a_process_that_ends_without_a_word_is_told_of(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def say(following: planner.Following) -> bool:
        return False

    monkeypatch.setattr(planner, "PROGRAM", "tests.nothing")
    ended = await planner.carry_out(tmp_path, "plan", say)
    assert ended.trouble is not None and "ended with 1: " in ended.trouble.detail
    assert "No module named tests.nothing" in ended.trouble.detail and not ended.was_killed
    sheet = await desk.ask("GET", "/sheets/catalogue")
    assert sheet.status == 200 and b"[trench.asphalt]" in sheet.body
    assert (await desk.get("/sheets/nothing", 404))["remedy"].startswith("There are: catalogue")


async def test_another_tenant_sees_nothing_of_it(desk: Desk) -> None:
    project = await desk.town()
    scenario = await desk.scenario(project, "All")
    desk.token = await issue(desk.services, "bob", ["administrator"], "harbour")
    assert await desk.get("/projects") == []
    for path in (f"/projects/{project}", f"/projects/{project}/sources", f"/scenarios/{scenario}"):
        assert (await desk.get(path, 404))["status"] == 404


async def test_entities_of_the_registry_are_sites_and_critical_by_a_query(desk: Desk) -> None:
    def school(n: int, shelter: bool) -> dict[str, Any]:
        place = {"type": "Point", "coordinates": [24.943 + n * 0.001, 60.1699]}
        return {
            "id": f"urn:ngsi-ld:School:{n}",
            "type": "School",
            "name": {"type": "Property", "value": f"School {n}"},
            "isShelter": {"type": "Property", "value": shelter},
            "location": {"type": "GeoProperty", "value": place},
        }

    engineer = Principal.account("eve", "Eve", "city", ["engineer"])
    for n in range(3):
        await desk.services.broker.create(engineer, desk.services.clock(), parse_entity(school(n, n == 1), CORE))
    project = await desk.town()
    registry = {"type": "School", "critical": "isShelter==true", "fibres": 4}
    assert (await desk.ask("PATCH", f"/projects/{project}", {"registry": registry})).status == 200
    await desk.post(f"/projects/{project}/ground", status=202)
    assert await desk.work()
    look = (await desk.get(f"/projects/{project}/ground"))["look"]
    assert (look["premises_by_kind"]["site"], look["critical"], look["fibres"]) == (3, 1, 26 + 12)
    premises = (await desk.get(f"/projects/{project}/ground/premises"))["features"]
    assert {"School 0", "School 1", "School 2"} <= {one["properties"]["label"] for one in premises}
