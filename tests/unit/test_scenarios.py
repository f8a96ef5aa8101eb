"""Plans without a house: a scenario as TOML, a plan as one file, and what is refused and where."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

from broadstreet.cli.entry import app
from broadstreet.cli.plan_compare import told_apart
from broadstreet.model.errors import BroadstreetError, Conflict, CorruptData, InvalidInput, NotFound, TooLarge
from broadstreet.network.design import Statement
from broadstreet.network.ground import Ground, read_architecture, read_catalogue, read_optics, read_worth
from broadstreet.network.ground.beside import NO_STREET, StreetBy
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.investment import read_business
from broadstreet.network.scenarios import PlanWish, Shelf, check_count, compare_bills, format_of, trouble_of
from broadstreet.network.scenarios import __main__ as child
from broadstreet.network.scenarios.drawing import layers_of
from broadstreet.network.scenarios.files import PlanFiles
from broadstreet.network.scenarios.handing import Order, imprint_of
from broadstreet.network.scenarios.making import MAX_BETTER, Planned, Progress, Stopping, plan
from broadstreet.network.scenarios.packed import (
    GROUND_FORM,
    OLDER_GROUND_FORM,
    pack_ground,
    pack_statement,
    unpack_ground,
    unpack_statement,
)
from broadstreet.network.scenarios.planfile import PlanFile, read_plan
from broadstreet.network.scenarios.planner import Line, Result
from broadstreet.network.scenarios.reading import read
from broadstreet.network.scenarios.scenario import Better
from broadstreet.network.scenarios.task import Task
from broadstreet.network.serviceability import Answer
from broadstreet.network.siting.prices import read_sensor_prices
from tests.quarter import HOMES, INPUTS, STREETS

SHEET = """
name = "The town"
[inputs]
streets = { file = "streets.geojson", columns = { name = "name", surface = "surface" } }
demand = [{ file = "homes.csv", columns = { id = "id", households = "flats" } }]
offices = [{ id = "co", label = "Exchange", lon = 24.94, lat = 60.17 }]
[wish]
seconds = 1
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the town's files."""
    made = tmp_path_factory.mktemp("town")
    (made / "streets.geojson").write_bytes(STREETS)
    (made / "homes.csv").write_bytes(HOMES)
    (made / "town.toml").write_text(SHEET, encoding="utf-8")
    return made


class RulesSheet(msgspec.Struct, forbid_unknown_fields=True):
    """What `broadstreet plan sheet rules` prints."""

    wish: PlanWish


def task(wish: PlanWish | None = None, **inputs: Any) -> Task:
    return Task(inputs=msgspec.convert({**INPUTS, **inputs}, Inputs), wish=wish or PlanWish(seconds=1))


@pytest.fixture(scope="module")
def town(folder: Path) -> Ground:
    return read(task(), folder)


@pytest.fixture(scope="module")
def planned(town: Ground) -> Planned:
    return plan(task(), town, Stopping(), lambda better: None)


@pytest.fixture(scope="module")
def plan_file(folder: Path) -> Path:
    """A plan made by the command."""
    out = folder / "plan.json"
    ended = CliRunner().invoke(app, ["plan", "fibre", str(folder / "town.toml"), "--out", str(out)])
    assert ended.exit_code == 0, ended.output
    assert "16 of 16 premises with 26 fibres" in ended.output and "checked: nothing found" in ended.output
    return out


def run(*words: object) -> str:
    ended = CliRunner().invoke(app, [str(word) for word in words])
    assert ended.exit_code == 0, (ended.output, ended.exception)
    return ended.output


def refused(*words: object) -> BroadstreetError:
    error = CliRunner().invoke(app, [str(word) for word in words]).exception
    assert isinstance(error, BroadstreetError), error
    return error


def test_a_ground_and_a_statement_come_back_as_they_were(town: Ground, planned: Planned) -> None:
    again = unpack_ground(pack_ground(town))
    assert again.digest == town.digest
    assert not again.lon.flags.writeable and again.ways.courses.lon.dtype == np.float64
    assert unpack_statement(pack_statement(planned.statement)) == planned.statement
    with pytest.raises(CorruptData):
        unpack_ground(pack_ground(town)[:-9])
    with pytest.raises(Conflict):
        unpack_statement(b"something else")


def test_a_ground_that_was_kept_before_pavements_had_streets_is_what_it_was(town: Ground) -> None:
    kept = msgspec.msgpack.decode(pack_ground(town).removeprefix(GROUND_FORM))
    del kept["ways"]["street_by"]
    older = OLDER_GROUND_FORM + msgspec.msgpack.encode(kept)
    again = unpack_ground(older)
    assert again.digest == town.digest
    named = again.ways.street != NO_STREET
    assert (again.ways.street_by == np.where(named, StreetBy.NAME, StreetBy.NONE)).all() and named.any()
    del kept["ways"]["street"]
    for broken in (older[:-9], OLDER_GROUND_FORM + msgspec.msgpack.encode(kept)):
        with pytest.raises(CorruptData):
            unpack_ground(broken)


def test_progress_is_thinned_out_and_keeps_its_ends() -> None:
    seconds, told = iter(range(2 * MAX_BETTER)), list[Better]()
    progress = Progress(lambda: float(next(seconds)), told.append)
    statement = msgspec.convert(
        {
            "design": {"ground": "", **dict.fromkeys(("opened", "served", "second", "sites", "ducts", "cables"), ())}
            | {"splitters": (), "joints": ()},
            "bill": {"currency": "EUR", "items": ()},
            "terms": (),
            "paths": (),
            "optical_class": "B+",
        },
        Statement,
    )
    for _ in range(MAX_BETTER + 1):
        progress.note(statement)
    assert len(told) == MAX_BETTER + 1 and len(progress.found) < MAX_BETTER
    assert (progress.found[0], progress.found[-1]) == (told[0], told[-1])


def test_a_clock_that_is_stopped_ends_the_search_with_a_plan(town: Ground) -> None:
    stopping = Stopping()
    stopping.stop()
    found = plan(task(PlanWish(seconds=3_000)), town, stopping, lambda better: None)
    assert found.outcome.served == 16 and found.outcome.was_stopped and not found.findings


@pytest.mark.parametrize(
    ("inputs", "wish", "said", "has_places"),
    [
        ({"rules": {"locked": ["Lane"]}}, {"closed": ["Lane"]}, "is locked, and closed as well", True),
        ({}, {"closed": ["Lene"]}, "no way has the id or the street's name 'Lene'", True),
        ({}, {"offices": ["hq"]}, "no central office has the id 'hq'", False),
        ({}, {"served": ["b11"]}, "no premises has the id 'b11'", True),
        ({}, {"budget_cents": 100}, "nothing fits the budget", True),
        ({"offices": []}, {}, "no central office to plan from", True),
        (
            {"offices": [{"id": "co", "label": "Far", "lon": 25.9, "lat": 60.17}]},
            {},
            "the central office Far (co) is reached by no street: the nearest that may be dug is 5",
            True,
        ),
        ({}, {"closed": ["Lane"], "locked": ["Lane"]}, "is locked, and closed as well", True),
        (
            {"streets": {"file": "streets.geojson", "crs": "EPSG:3067"}},
            {},
            "6676 km from the central offices and sites",
            True,
        ),
        ({"streets": {"file": "../streets.geojson"}}, {}, "outside the folder", False),
    ],
)
def test_what_cannot_be_planned_says_what_where_and_what_to_do(
    folder: Path, inputs: dict[str, Any], wish: dict[str, Any], said: str, has_places: bool
) -> None:
    wanted = task(msgspec.convert({"seconds": 1, **wish}, PlanWish), **inputs)
    with pytest.raises(BroadstreetError) as error:
        plan(wanted, read(wanted, folder), Stopping(), lambda better: None)
    trouble = trouble_of(error.value, folder)
    assert said in trouble.detail and trouble.remedy and str(folder) not in f"{trouble.detail}{trouble.where}", trouble
    assert (trouble.faults is not None) == has_places


def test_a_catalogue_without_prices_is_refused_line_by_line() -> None:
    with pytest.raises(InvalidInput) as error:
        PlanWish(catalogue='title = "None"\ncurrency = "EUR"').check()
    assert "trench: is missing" in error.value.message and error.value.where == "catalogue"


def test_a_plan_in_a_file_is_shown_followed_compared_and_exported(plan_file: Path, folder: Path) -> None:
    shown = run("plan", "show", plan_file)
    assert "The town" in shown and "in all" in shown and "over the least that any plan costs" in shown
    house = json.loads(run("plan", "show", plan_file, "--premises", "b3", "--json"))
    assert house["served"] and house["paths"][0]["steps"][0]["kind"] == "port"
    assert "socket 1" in run("plan", "show", plan_file, "--premises", "b3")
    cables = json.loads(run("plan", "show", plan_file, "--layer", "cables"))["features"]
    cable = max((one["properties"] for one in cables), key=lambda one: one["lit"])["id"]
    assert f"{cable}: " in run("plan", "show", plan_file, "--cable", cable)
    other, places = folder / "locked.json", folder / "differences.geojson"
    run("plan", "fibre", folder / "town.toml", "--lock", "Lane", "--seed", "4", "--out", other)
    side = json.loads(run("plan", "compare", plan_file, other, "--json", "--map", places))
    for number, one in enumerate(side["plans"]):
        assert sum(item["cents"][number] for item in side["items"]) == one["outcome"]["cost_cents"]
    assert all(len(one["properties"]["in"]) == 1 for one in json.loads(places.read_bytes())["features"])
    said = run("plan", "compare", plan_file, other)
    assert "trench, km" in said and plan_file.name in said and other.name in said
    assert told_apart([Path("a/p.json"), Path("b/p.json"), Path("b/q.json")]) == ["a/p.json", "b/p.json", "q.json"]
    out = folder / "report.html"
    run("plan", "export", plan_file, "--format", "html", "--out", out)
    assert out.read_bytes().startswith(b"<!doctype html>")


@pytest.mark.parametrize("name", ["catalogue", "architecture", "optics", "worth", "business", "sensors", "rules"])
def test_sheets_are_printed_as_they_are_read(name: str, tmp_path: Path) -> None:
    sheet = tmp_path / f"{name}.toml"
    sheet.write_text(run("plan", "sheet", name), encoding="utf-8")
    readers: dict[str, Callable[[Path], object]] = {
        "catalogue": read_catalogue,
        "architecture": read_architecture,
        "optics": read_optics,
        "worth": read_worth,
        "business": read_business,
        "sensors": read_sensor_prices,
        "rules": lambda path: msgspec.toml.decode(path.read_bytes(), type=RulesSheet),
    }
    assert readers[name](sheet)
    assert "There are: catalogue" in str(refused("plan", "sheet", "no such sheet").remedy)


def test_what_a_command_is_not_told_rightly_it_refuses(plan_file: Path, folder: Path) -> None:
    assert "where the streets are" in str(refused("plan", "fibre"))
    sheet = folder / "town.toml"
    assert "no place" in str(refused("plan", "fibre", sheet, "--office", "Station"))
    assert "nothing fits the budget" in str(
        refused("plan", "fibre", sheet, "--budget", "1", "--map", folder / "places.geojson")
    )
    assert json.loads((folder / "places.geojson").read_bytes())["features"][0]["properties"]["kind"] == "over_budget"
    lost = folder / "lost" / "plan.json"
    assert "there is no such folder" in str(refused("plan", "fibre", sheet, "--out", lost))
    wrong = folder / "unpriced.toml"
    (folder / "unpriced.prices.toml").write_text('title = "None"', encoding="utf-8")
    wrong.write_text(SHEET + 'catalogue = "unpriced.prices.toml"\n', encoding="utf-8")
    error = refused("plan", "fibre", wrong, "--map", folder / "places.geojson")
    assert "unpriced.prices.toml" in str(error.where)
    assert json.loads((folder / "places.geojson").read_bytes())["features"][0]["properties"]["kind"] == "no_price"
    assert "there is no format" in str(refused("plan", "export", plan_file, "--format", "doc"))
    assert "stand side by side" in str(refused("plan", "compare", plan_file))
    wrong = folder / "wrong.toml"
    wrong.write_text(SHEET.replace("seconds", "minutes"), encoding="utf-8")
    assert "minutes" in str(refused("plan", "fibre", wrong))
    (folder / "no.json").write_text("{}", encoding="utf-8")
    assert "no plan" in str(refused("plan", "show", folder / "no.json"))


def test_what_can_be_had_is_told_by_address_and_place(plan_file: Path) -> None:
    kept = read_plan(plan_file).kept()
    demand = kept.ground.premises.demand
    said = run("plan", "serviceability", plan_file, demand.ids[0])
    assert "2.49 Gbit/s down and 1.24 up on the line (B+), shared by 32 at most" in said
    assert (
        "a fibre shared by 32 at most, once the plan is built, for" in said
        and "a fibre of its own, once the plan is built, for" in said
    )
    assert "today" in run("plan", "serviceability", plan_file, demand.ids[0], "--built", 1)
    at = f"--at={demand.lon[0]},{demand.lat[0]}"
    told = msgspec.json.decode(run("plan", "serviceability", plan_file, at, "--json"), type=Answer)
    assert told.premises == demand.ids[0] and told.offers[0].cents == sum(item.cents for item in told.offers[0].items)
    away = CliRunner().invoke(app, ["plan", "serviceability", str(plan_file), "--at=24.9,60.1"])
    assert away.exit_code == 1 and "a way must be opened nearer to it" in away.output
    for words in ([], ["Nowhere"], ["Nowhere", "--at=24.9,60.1"], ["--at=here"]):
        assert isinstance(refused("plan", "serviceability", plan_file, *words), InvalidInput | NotFound)


def test_a_plan_file_that_was_changed_is_not_shown(plan_file: Path, folder: Path) -> None:
    kept = read_plan(plan_file)
    path = kept.statement.paths[0]
    wrong = msgspec.structs.replace(path, loss_db=path.loss_db - 1)
    statement = msgspec.structs.replace(kept.statement, paths=(wrong, *kept.statement.paths[1:]))
    changed = folder / "changed.json"
    changed.write_bytes(msgspec.json.encode(msgspec.structs.replace(kept, statement=statement)))
    assert isinstance(kept, PlanFile)
    assert "the checker finds 1 things wrong" in str(refused("plan", "show", changed))


def test_ctrl_c_keeps_the_best_and_comes_back_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)

    def pressed(wanted: Task, ground: Ground, stopping: Stopping, tell: Any) -> Planned:
        signal.raise_signal(signal.SIGINT)
        assert stopping.is_stopped
        return plan(wanted, ground, stopping, tell)

    monkeypatch.setattr("broadstreet.network.scenarios.making.plan", pressed)
    said = run("plan", "fibre", folder / "town.toml", "--seconds", "3000")
    assert "16 of 16 premises" in said and signal.getsignal(signal.SIGINT) is before


def test_plans_are_compared_by_twos_to_sixes(planned: Planned) -> None:
    for count in (1, 7):
        with pytest.raises(InvalidInput):
            check_count(count)
    items = compare_bills([planned.statement, planned.statement])
    assert sum(item.cents[0] for item in items) == planned.statement.cost_cents
    assert all(item.cents[0] == item.cents[1] and item.quantity[0] == item.quantity[1] for item in items)


def test_a_sheet_over_its_bound_is_refused(folder: Path) -> None:
    large = folder / "large.toml"
    large.write_text(SHEET + "#" * 1_000_001, encoding="utf-8")
    assert isinstance(refused("plan", "fibre", large), TooLarge)


def test_a_plan_is_built_in_phases_each_within_its_budget(folder: Path, planned: Planned) -> None:
    half = planned.outcome.cost_cents * 6 // 1000
    said = run("plan", "fibre", folder / "town.toml", *("--phase-budget", half) * 2, "--out", folder / "phased.json")
    assert "point-years" in said and "checked: nothing found" in said
    found = read_plan(folder / "phased.json")
    kept, outcome = found.kept(), found.outcome
    layers = layers_of(kept.statement, kept.ground, kept.sheets, ())
    premises = [feature["properties"] for feature in json.loads(layers["premises"])["features"]]
    years = sum((3 - one["phase"]) * one["points"] for one in premises if one["served"])
    assert {one["phase"] for one in premises} == {1, 2} and years == outcome.point_years
    assert outcome.phase_cents is not None and len(outcome.phase_cents) == 2
    assert max(outcome.phase_cents) <= half * 100 and sum(outcome.phase_cents) == outcome.cost_cents
    assert 0 < (outcome.point_years or 0) <= (outcome.bound_point_years or 0)
    assert "they lack" in str(refused("plan", "fibre", folder / "town.toml", "--phase-budget", "1"))


def test_whom_no_street_reaches_is_counted_beside_who_is_planned_for(folder: Path) -> None:
    far = {"id": "mast", "label": "Mast", "lon": 24.944, "lat": 60.1725, "is_critical": False}
    wished = task(PlanWish(seconds=1), sites=[far])
    found = plan(wished, read(wished, folder), Stopping(), lambda better: None).outcome
    assert (found.premises, found.served, found.lone) == (16, 16, 1)
    assert found.most_m == 20_000 and 0 < found.longest_m < found.most_m


def test_sensors_get_fibre_from_where_a_plan_lies(plan_file: Path) -> None:
    out = plan_file.with_name("sites.json")
    words = ("plan", "sensors", "--plan", plan_file, "--for", "streets", "--count", 2, "--seconds", 5, "--out", out)
    assert "2 sites cover" in run(*words)
    offers = [
        offer for site in json.loads(out.read_bytes())["sites"] for offer in (site["connection"], *site["others"])
    ]
    assert all(offer["cents"] for offer in offers if offer["means"] == "fibre")
    assert "streets of its own" in str(refused(*words, "--extract", "x.osm.pbf"))


def test_a_folder_of_work_is_done_as_a_process_does_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    score = Path("/proc/self/oom_score_adj")
    monkeypatch.setattr(os, "nice", lambda by: by)
    monkeypatch.setattr(child, "OOM_SCORE", score.read_text(encoding="ascii") if score.exists() else "")
    files = PlanFiles(tmp_path / "plans", tmp_path / "work", 10**9)
    sources = {name: folder / name for name in ("streets.geojson", "homes.csv")}
    before = signal.getsignal(signal.SIGINT)

    def do(what: str, work: Path) -> Result:
        try:
            child.main([str(work), what])
        finally:
            signal.signal(signal.SIGINT, before)
        return msgspec.json.decode((work / "result.json").read_bytes(), type=Result)

    work = files.lay_out(tmp_path / "work" / "a", sources)
    (work / "task.json").write_bytes(msgspec.json.encode(task()))
    assert do("ground", work) == Result()
    assert msgspec.json.decode((work / "out" / "look.json").read_bytes())["premises"] == 16
    (work / "out" / "ground").replace(work / "ground")
    made = do("plan", work)
    assert made.outcome is not None and made.outcome.served == 16 and not made.findings
    lines = [msgspec.json.decode(line, type=Line) for line in (work / "progress").read_bytes().splitlines()]
    assert [line.stage for line in lines if line.better is None] == ["reading", "preparing", "planning", "checking"]
    files.keep(work / "out", files.design("city", "p", "j"))
    kept = files.design("city", "p", "j")
    imprint = imprint_of("Town", "2026-11-23", task())
    order = Order(design=str(kept), format=format_of("csv"), part="bill", imprint=imprint)
    (work / "order.json").write_bytes(msgspec.json.encode(order))
    assert do("papers", work) == Result() and (work / "out" / "papers").read_bytes()
    wrong = files.lay_out(tmp_path / "work" / "b", {"homes.csv": folder / "homes.csv"})
    (wrong / "task.json").write_bytes(msgspec.json.encode(task()))
    told = do("plan", wrong).trouble
    assert told is not None and (told.where, told.status) == ("streets.geojson", 404)
    assert Shelf(files).read(kept).statement.cost_cents == made.outcome.cost_cents
