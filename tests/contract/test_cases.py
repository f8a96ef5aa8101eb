"""What a scenario is worth, over HTTP: reckoned by a sheet, kept under a name, compared; of one plan, and said so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from anyio import to_thread
from typer.testing import CliRunner

from broadstreet.apis import Services
from broadstreet.cli.entry import app
from broadstreet.network.investment import business_sheet
from broadstreet.network.scenarios import cases
from tests.contract.planning import Desk, open_desk

SHEET = business_sheet().decode()


@pytest.fixture
async def desk(services: Services, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(services, tmp_path) as opened:
        yield opened


@pytest.fixture
def environment(services_dsn: str, nats_url: str, data_dir: Path) -> dict[str, str]:
    """The house of the tests, to a command."""
    return {
        "BROADSTREET_DATA_DIR": str(data_dir),
        "BROADSTREET_ENGINES_POSTGRES_URL": services_dsn,
        "BROADSTREET_ENGINES_NATS_URL": nats_url,
    }


async def said_on_the_terminal(environment: dict[str, str], scenario: str) -> Any:
    """What `broadstreet plan invest` says of a scenario as JSON."""
    words = ["plan", "invest", scenario, "--json", "--draws", "0"]
    result = await to_thread.run_sync(lambda: CliRunner(env=environment).invoke(app, words))
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


async def test_a_scenario_is_worth_something_by_a_sheet(
    desk: Desk, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = await desk.town()
    draft = await desk.post(f"/projects/{project}/scenarios", {"name": "Later"})
    refused = await desk.ask("POST", f"/scenarios/{draft['id']}/investment", {"name": "A"})
    assert refused.status == 409 and "has no plan" in refused.json["detail"]

    plan = await desk.planned(project, "All")
    at = f"/scenarios/{plan['id']}/investment"
    await refuses_what_cannot_be_reckoned(desk, plan["id"])
    plain = await desk.post(at, {"name": "Plain", "draws": 200})
    assert plain["sheet"] == SHEET and plain["is_current"] and plain["made_by"] == "ann"
    assert plain["case"]["bill_cents"] == plan["outcome"]["cost_cents"]
    assert plain["chance"]["draws"] == 200
    assert plain["tornado"]["npv_cents"] == pytest.approx(plain["case"]["npv_cents"], abs=500)
    take_up, cost = plain["grid"]["row_values"].index(0), plain["grid"]["column_values"].index(0)
    assert plain["grid"]["npv_cents"][take_up][cost] == plain["tornado"]["npv_cents"]
    assert {"low_payback_years", "high_rate"} <= plain["tornado"]["bars"][0].keys()
    assert await desk.get(f"{at}/Plain") == plain
    assert (await desk.ask("GET", "/sheets/business")).body.decode() == SHEET

    said = await said_on_the_terminal(environment, plan["id"])
    assert said["cases"][0]["case"]["npv_cents"] == plain["case"]["npv_cents"]

    dear = SHEET.replace("monthly_price = 29.00", "monthly_price = 79.00")
    other = await desk.post(at, {"name": "Dear", "sheet": dear, "draws": 0})
    assert other["chance"] is None and other["case"]["npv_cents"] > plain["case"]["npv_cents"]
    listed = await desk.get(at)
    assert [one["name"] for one in listed] == ["Dear", "Plain"]
    assert listed[0]["figures"]["npv_cents"] == other["case"]["npv_cents"]
    both = f"case={plan['id']}:Plain&case={plan['id']}:Dear"
    compared = await desk.get(f"/investment/compare?{both}")
    assert compared["names"] == ["Plain", "Dear"]
    assert [one["place"] for one in compared["inputs"]] == ["customer.household.monthly_price"]
    assert compared["said"][0].startswith("Dear costs the same and earns ")

    again = await desk.post(at, {"name": "Dear", "draws": 0})
    assert len(await desk.get(at)) == 2 and again["case"]["npv_cents"] == plain["case"]["npv_cents"]
    monkeypatch.setattr(cases, "MAX_CASES", 2)
    assert (await desk.ask("POST", at, {"name": "Third"})).status == 429
    assert (await desk.ask("DELETE", f"{at}/Dear")).status == 204
    assert (await desk.ask("DELETE", f"{at}/Dear")).status == 404
    assert [line for line in await desk.audited() if line.startswith("scenario.case")] == [
        *["scenario.case"] * 3,
        "scenario.case.remove",
    ]

    await desk.post(f"/scenarios/{plan['id']}/begin", status=202)
    assert [one["is_current"] for one in await desk.get(at)] == [False]
    assert (await desk.ask("DELETE", f"/scenarios/{plan['id']}")).status == 204
    assert (await desk.ask("GET", at)).status == 404


async def refuses_what_cannot_be_reckoned(desk: Desk, plan: str) -> None:
    """Each fault is told with its place, and nothing is kept."""
    at = f"/scenarios/{plan}/investment"
    for body, status, said in (
        ({"name": "A", "sheet": SHEET.replace("years = 20", "years = 99")}, 400, "time.years"),
        ({"name": "A", "sheet": SHEET.replace('"EUR"', '"SEK"')}, 400, "reckons in SEK"),
        ({"name": "A", "sheet": "#" * 1_000_001}, 413, "1,000,000 bytes"),
        ({"name": "A", "draws": 1}, 400, "1 draws"),
        ({"name": "A/B"}, 400, "regex"),
        ({"name": "A", "draws": 10**6}, 400, "20,000"),
    ):
        refused = await desk.ask("POST", at, body)
        assert refused.status == status and said in refused.json["detail"], refused.json
    assert await desk.get(at) == []
    for asked, status in (("case=x:A&case=y:B", 404), ("case=x", 400), (f"case={plan}:A", 404)):
        assert (await desk.ask("GET", f"/investment/compare?{asked}")).status == status
