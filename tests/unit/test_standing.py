"""A plan that has been built, given back as plant by the Open Fibre Data Standard: what stands is used, and not dug."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from broadstreet.network.design import What
from broadstreet.network.ground import FaultKind, WayKind
from broadstreet.network.ground.sources import Inputs
from broadstreet.network.papers import Dossier, Format, write_papers
from broadstreet.network.scenarios import PlanWish
from broadstreet.network.scenarios.handing import imprint_of
from broadstreet.network.scenarios.making import Planned, Stopping, plan
from broadstreet.network.scenarios.reading import read
from broadstreet.network.scenarios.task import StandingNetwork, Task
from tests.quarter import HOMES, INPUTS, STREETS


def task(*networks: str | StandingNetwork) -> Task:
    return Task(inputs=msgspec.convert(INPUTS, Inputs), networks=networks, wish=PlanWish(seconds=1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("town")
    (made / "streets.geojson").write_bytes(STREETS)
    (made / "homes.csv").write_bytes(HOMES)
    return made


@pytest.fixture(scope="module")
def first(folder: Path) -> Planned:
    """A plan where nothing stands; `planned.json` and, as it is once it is built, `built.json` are its exports."""
    ground = read(task(), folder)
    planned = plan(task(), ground, Stopping(), lambda better: None)
    sheets, imprint = planned.sheets, imprint_of("Town", "2026-11-23", task())
    dossier = Dossier.of(planned.statement, ground, sheets.architecture, sheets.optics, imprint)
    write_papers(Format.OFDS, dossier, folder / "planned.json")
    package: dict[str, Any] = json.loads((folder / "planned.json").read_bytes())
    for span in package["networks"][0]["spans"]:
        span["status"] = "operational"
    (folder / "built.json").write_text(json.dumps(package), encoding="utf-8")
    return planned


def test_every_span_of_a_plan_has_a_route_and_no_two_nodes_are_at_one_place(first: Planned, folder: Path) -> None:
    [network] = json.loads((folder / "planned.json").read_bytes())["networks"]
    assert first.statement.design.cables and all(len(span["route"]["coordinates"]) > 1 for span in network["spans"])
    places = [tuple(node["location"]["coordinates"]) for node in network["nodes"]]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("given", ["built.json", StandingNetwork(file="planned.json", built=("planned",))])
def test_what_stands_is_used_and_not_dug_again(given: str | StandingNetwork, first: Planned, folder: Path) -> None:
    wanted = task(given)
    ground = read(wanted, folder)
    again = plan(wanted, ground, Stopping(), lambda better: None)
    assert again.findings == ()
    bought = {(item.what, item.key): item for item in again.statement.bill.items}
    opened = np.asarray(again.statement.design.opened)
    ducts_m = ground.ways.length_m[opened[ground.ways.kind[opened] == WayKind.DUCT]].sum()
    assert bought[What.PLANT, "duct"].quantity == pytest.approx(ducts_m, abs=0.01) and ducts_m > 300
    assert again.outcome.trench_m < first.outcome.trench_m - 300
    # A bound that took the ducts for trenches would be near the first plan's cost.
    assert again.outcome.bound_cents <= again.outcome.cost_cents < 0.7 * first.outcome.cost_cents
    [told] = [fault for fault in ground.faults if fault.kind is FaultKind.ASSUMED_PLANT]
    assert "say nothing of room" in told.what


def test_what_is_not_built_and_what_has_no_room_is_told_and_not_used(first: Planned, folder: Path) -> None:
    assert first.outcome.trench_m
    ground = read(task("planned.json"), folder)
    [told] = [fault for fault in ground.faults if fault.kind is FaultKind.UNUSED_PLANT]
    assert "are planned, and so not built: not used" in told.what and "built = ['planned']" in told.remedy
    assert not (ground.ways.kind == WayKind.DUCT).any()
    full = read(task(StandingNetwork(file="built.json", room=False)), folder)
    said = [fault.what for fault in full.faults if fault.kind is FaultKind.UNUSED_PLANT]
    assert len(said) == 1 and "are full, or of which no room is said" in said[0]
