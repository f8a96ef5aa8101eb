"""What `broadstreet plan invest` prints: a case in words and tables, several side by side, all of it as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from broadstreet.cli.entry import app
from broadstreet.cli.plan_case import money
from broadstreet.cli.plan_invest import as_one, businesses, say
from broadstreet.model.errors import CorruptData, InvalidInput
from broadstreet.network.ground import default_architecture, default_catalogue, default_optics
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.investment import Venture, business_sheet, case_of, case_of_venture
from broadstreet.network.investment.business import Order, Phases
from broadstreet.network.scenarios.making import outcome_of
from broadstreet.network.scenarios.packed import pack_ground
from broadstreet.network.scenarios.planfile import FORM, PlanFile, write_plan
from broadstreet.network.scenarios.task import Task
from broadstreet.network.scenarios.wish import Sheets
from tests.lanes import PLAIN, drawn_lanes, two_lanes


@pytest.fixture(scope="module")
def ventures() -> dict[str, Venture]:
    ground = two_lanes()
    statement = drawn_lanes(ground)
    chosen = msgspec.structs.replace(PLAIN, phases=Phases(order=Order.BY_WORTH, only_worth=True))
    return {"all": Venture.of(statement, ground, PLAIN), "worth it": Venture.of(statement, ground, chosen)}


def test_a_case_is_told_in_words_and_tables(ventures: dict[str, Venture], capsys: pytest.CaptureFixture[str]) -> None:
    case = case_of_venture(ventures["all"], "all")
    say(ventures, draws=50, seed=1)
    told = capsys.readouterr().out
    assert f"net present value     {money(case.npv_cents)} EUR, at 6.08%" in told
    assert "payback               not within the years reckoned; discounted not within the years reckoned" in told
    rows = [line.split() for line in told.splitlines()]
    last = next(row for row in rows if row[:1] == ["2046"])
    assert last[-2] == money(case.cumulative_cents[-1]) and last[-3] == money(case.net_cents[-1])
    for area in case.areas:
        assert area.label in told
    assert told.count("█") > 100
    assert "By chance (50 draws, seed 1)" in told
    assert "phases.only_worth" in told and "worth it costs" in told and "(against all)." in told


def test_all_of_it_is_told_as_json(ventures: dict[str, Venture]) -> None:
    told = json.loads(as_one(ventures, draws=0, seed=0))
    assert [one["case"]["name"] for one in told["cases"]] == told["comparison"]["names"] == ["all", "worth it"]
    assert told["cases"][0]["chance"] is None
    assert json.loads(as_one({"all": ventures["all"]}, draws=10, seed=0))["comparison"] is None


def test_sheets_are_named_by_their_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "own.toml").write_bytes(business_sheet())
    assert list(businesses([tmp_path / "a" / "own.toml"])) == ["own"]
    assert list(businesses([])) == ["plan"]
    with pytest.raises(InvalidInput, match="two sheets have one name"):
        businesses([tmp_path / "a" / "own.toml", tmp_path / "b" / "own.toml"])


def test_the_sheet_is_printed_as_it_stands() -> None:
    printed = CliRunner().invoke(app, ["plan", "invest", "--sheet"])
    assert printed.stdout == business_sheet().decode()
    without = CliRunner().invoke(app, ["plan", "invest"])
    assert isinstance(without.exception, InvalidInput)


def test_a_plan_in_a_file_is_reckoned_by_each_sheet_and_refused_where_it_was_changed(tmp_path: Path) -> None:
    ground = two_lanes()
    statement = drawn_lanes(ground)
    sheets = Sheets(default_catalogue(), default_architecture(), default_optics())
    plan = PlanFile(
        form=FORM,
        name="Two lanes",
        made_at="2026-03-03T12:00:00Z",
        task=Task(inputs=Inputs()),
        outcome=outcome_of(statement, ground, sheets, 1.0, 0, was_stopped=False),
        progress=(),
        findings=(),
        sheets=sheets,
        statement=statement,
        ground=pack_ground(ground),
    )
    write_plan(tmp_path / "plan.json", plan)
    dear = business_sheet().replace(b"monthly_price = 29.00", b"monthly_price = 79.00")
    (tmp_path / "as-it-is.toml").write_bytes(business_sheet())
    (tmp_path / "dear.toml").write_bytes(dear)
    both = [word for name in ("as-it-is", "dear") for word in ("--business", str(tmp_path / f"{name}.toml"))]
    words = ["plan", "invest", str(tmp_path / "plan.json"), *both, "--draws", "0"]
    told = json.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert told["comparison"]["names"] == ["as-it-is", "dear"]
    assert told["cases"][0]["case"]["npv_cents"] == case_of(statement, ground, PLAIN, "x").npv_cents
    assert told["cases"][0]["case"]["npv_cents"] < told["cases"][1]["case"]["npv_cents"]
    assert "dear costs the same and earns" in " ".join(CliRunner().invoke(app, words).stdout.split())

    items = [msgspec.structs.replace(item, labour_cents=1) for item in statement.bill.items]
    bill = msgspec.structs.replace(statement.bill, items=tuple(items))
    write_plan(
        tmp_path / "plan.json", msgspec.structs.replace(plan, statement=msgspec.structs.replace(statement, bill=bill))
    )
    changed = CliRunner().invoke(app, words).exception
    assert isinstance(changed, CorruptData) and changed.where == "Two lanes"
    (tmp_path / "plan.json").write_text('{"form": "something else"}')
    assert isinstance(CliRunner().invoke(app, words).exception, InvalidInput)
