"""A question about sensors' sites as a sheet, with its files, and the command that answers it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import shapely
from typer.testing import CliRunner

from broadstreet.cli.entry import app
from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.network import siting
from broadstreet.network.design import SiteKind
from broadstreet.network.ground.layer import read_layer
from broadstreet.network.siting import Audience, Covariance, Objective, SitingCase, SitingStatement
from broadstreet.network.siting import reading as reading_file
from broadstreet.network.siting.kernel import covariances
from broadstreet.network.siting.prices import sensor_sheet
from broadstreet.network.siting.question import Aim, read_case, read_question
from broadstreet.network.siting.reach import reaches
from broadstreet.network.siting.reading import gateways_of, places_of, readings_of
from tests.ground import at, line
from tests.siting import HOMES, town_case
from tests.town import planned

SHEET = """
aim = "people"
count = 3
radius_m = 120
today = { file = "today.geojson" }
candidates = { file = "posts.csv" }
gateway_layer = { file = "roofs.geojson" }
prices = "sensors.toml"

[inputs]
streets = { file = "streets.geojson" }
demand = [{ file = "homes.geojson", columns = { households = "flats" } }]
offices = [{ id = "co", label = "Office", lon = 24.9436, lat = 60.1714 }]
"""


def collection(shapes: Sequence[tuple[shapely.Geometry, Mapping[str, Any]]]) -> str:
    features = [
        {"type": "Feature", "geometry": json.loads(shapely.to_geojson(shape)), "properties": properties}
        for shape, properties in shapes
    ]
    return json.dumps({"type": "FeatureCollection", "features": features})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with everything that the sheet names."""
    lines = [line((0, y), (400, y)) for y in (0, 100, 200, 300)] + [line((x, 0), (x, 300)) for x in (0, 200, 400)]
    homes = [(shapely.Point(at(*spot)), {"flats": count}) for spot, count in HOMES]
    stands = [(shapely.Point(at(30 + 70 * i, 20 + 50 * (i % 4))), {"id": f"old-{i}"}) for i in range(6)]
    roofs = [(shapely.Point(at(350, 250)), {"id": "roof", "height_m": 30}), (shapely.Point(at(0, 0)), {})]
    (tmp_path / "streets.geojson").write_text(collection([(one, {}) for one in lines]))
    (tmp_path / "homes.geojson").write_text(collection(homes))
    (tmp_path / "today.geojson").write_text(collection(stands))
    (tmp_path / "roofs.geojson").write_text(collection(roofs))
    posts = [(f"post {i}", *at(20 * i, 100.0 * (i % 4)), "mast" if i == 7 else "") for i in range(20)]
    rows = "".join(f"{id},{lon},{lat},{kind}\n" for id, lon, lat, kind in posts)
    (tmp_path / "posts.csv").write_text(f"id,lon,lat,kind\n{rows}")
    (tmp_path / "sensors.toml").write_bytes(sensor_sheet().replace(b"years = 10 ", b"years = 5 "))
    (tmp_path / "question.toml").write_text(SHEET)
    return tmp_path


def asked(folder: Path, **changes: Any) -> SitingCase:
    question = read_question(folder / "question.toml")
    return read_case(msgspec.structs.replace(question, **changes), folder)


def test_a_question_is_read_with_its_files(folder: Path) -> None:
    case = asked(folder)
    assert (len(case.candidates), len(case.today), len(case.gateways)) == (20, 6, 2)
    assert case.candidates[1].id == "post 1"
    assert [one.kind for one in case.candidates[6:9]] == ["lamp_post", "mast", "lamp_post"]
    assert [(one.id, one.height_m) for one in case.gateways] == [("roof", 30.0), ("2", 25.0)]
    assert case.prices.years == 5
    assert (case.objective, case.audience, case.count) == (Objective.COVERAGE, Audience.PEOPLE, 3)
    assert case.fibre_nodes == tuple(case.ground.offices.node.tolist())
    assert case.map is not None
    assert case.map.covariance == Covariance(range_m=300.0)
    assert len(asked(folder, candidates=None, spread=12).candidates) == 12


def test_a_covariance_is_fitted_by_what_todays_sensors_read(folder: Path) -> None:
    chance = np.random.default_rng(3)
    case = asked(folder)
    true = Covariance(range_m=150.0, sill=3.0, nugget=0.1)
    points = np.array([[70.0 * i, 50.0 * (i % 4)] for i in range(6)])
    lower = np.linalg.cholesky(covariances(true, points, points))
    rows = ["entity,from,avg"]
    for moment in range(40):
        drawn = 10 + lower @ chance.normal(size=6)
        rows += [f"old-{i},2026-01-01T{moment:02}:00Z,{value:.3f}" for i, value in enumerate(drawn.tolist())]
    rows += ["old-0,2026-02-01T00:00Z,9.0", "stranger,2026-01-01T00:00Z,1.0", "old-1,2026-02-02T00:00Z,?"]
    (folder / "history.csv").write_text("\n".join(rows))
    fitted = asked(folder, readings="history.csv", aim=Aim.MAP)
    assert fitted.objective is Objective.VARIANCE
    assert fitted.map is not None
    assert fitted.map.covariance.source == "restricted maximum likelihood, 40 moments of 6 sensors"
    assert 0.5 < fitted.map.covariance.sill < 15
    sensors, readings = readings_of(folder / "history.csv", [place.id for place in case.today])
    assert sensors == [f"old-{i}" for i in range(6)]
    assert readings.shape == (40, 6)


def test_a_table_that_is_none_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        readings_of(folder / "nothing.csv", ["a"])
    (folder / "empty.csv").write_text("")
    with pytest.raises(InvalidInput, match="no table"):
        readings_of(folder / "empty.csv", ["a"])
    (folder / "other.csv").write_text("entity,from\na,b\n")
    with pytest.raises(InvalidInput, match="no column avg or value"):
        readings_of(folder / "other.csv", ["a"])
    monkeypatch.setattr(reading_file, "MAX_READINGS_BYTES", 3)
    with pytest.raises(TooLarge):
        readings_of(folder / "other.csv", ["a"])


@pytest.mark.parametrize("height", ["-3", '"tall"', "900"])
def test_a_height_that_is_none_is_refused(tmp_path: Path, height: str) -> None:
    feature = '{"type":"Feature","geometry":{"type":"Point","coordinates":[24.9,60.1]},"properties":{"height_m":%s}}'
    (tmp_path / "g.geojson").write_text('{"type":"FeatureCollection","features":[%s]}' % (feature % height))
    layer = read_layer(tmp_path / "g.geojson")
    with pytest.raises(InvalidInput, match="a gateway's height"):
        gateways_of(layer)
    assert places_of(layer, "wall")[0].kind == "wall"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("count = ", "not TOML"),
        ("count = 0\n[inputs]", "count"),
        ("colour = 1\n[inputs]", "colour"),
        ('aim = "cats"\n[inputs]', "aim"),
    ],
)
def test_a_sheet_that_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "q.toml").write_text(text)
    with pytest.raises(InvalidInput, match=said):
        read_question(tmp_path / "q.toml")


def test_a_sheet_that_is_not_there_or_too_long_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(NotFound):
        read_question(tmp_path / "nothing.toml")
    (tmp_path / "long.toml").write_text("#" * 1_000_001)
    with pytest.raises(TooLarge):
        read_question(tmp_path / "long.toml")
    with pytest.raises(InvalidInput, match="lies outside the folder"):
        asked(folder, prices="../prices.toml")


def test_fibre_comes_from_where_a_plan_opens_a_cable() -> None:
    ground, statement = planned()
    case = town_case(ground)
    planned_case = case.with_plan(statement.design)
    where = {site.node for site in statement.design.sites if site.kind is not SiteKind.PREMISES}
    assert set(planned_case.fibre_nodes) == where
    assert planned_case.opened == statement.design.opened

    def cheapest(one: SitingCase) -> list[int]:
        return [reach.offers[0].cents or 0 for reach in reaches(one)]

    # What is opened already is not dug again: fibre is nowhere dearer than from the office alone.
    before, after = cheapest(case), cheapest(planned_case)
    assert all(new <= old for old, new in zip(before, after, strict=True))
    assert sum(after) < sum(before)
    with pytest.raises(InvalidInput, match="another ground"):
        case.with_plan(msgspec.structs.replace(statement.design, ground="0"))


def test_the_command_chooses_checks_and_writes(folder: Path) -> None:
    out, drawn, table = folder / "s.json", folder / "s.geojson", folder / "s.csv"
    words = ["plan", "sensors", str(folder / "question.toml"), "--seconds", "5", "--out", str(out)]
    ended = CliRunner().invoke(app, [*words, "--geojson", str(drawn), "--csv", str(table)])
    assert ended.exit_code == 0, ended.output
    said = msgspec.json.decode(out.read_bytes(), type=SitingStatement)
    assert f"3 sites cover {said.outcome.covered:,} of " in ended.output
    assert "proved the best" in ended.output
    assert "today's 6" in ended.output
    assert "nothing found" in ended.output
    assert len(json.loads(drawn.read_bytes())["features"]) == 3 + 6 + 2
    assert len(table.read_text().splitlines()) == 4
    again = CliRunner().invoke(app, [*words[:3], "--for", "map", "--budget", "5000", "--count", "2", "--seconds", "2"])
    assert again.exit_code == 0, again.output
    assert "2 sites leave a mean variance of" in again.output


def test_the_command_refuses_what_it_cannot_ask(folder: Path, tmp_path: Path) -> None:
    for words, said in (
        ([], "nothing says where the streets are"),
        ([str(folder / "question.toml"), "--extract", "/elsewhere/x.osm.pbf"], "in another folder"),
    ):
        ended = CliRunner().invoke(app, ["plan", "sensors", *words])
        assert isinstance(ended.exception, InvalidInput)
        assert said in str(ended.exception)


def test_a_wrong_choice_ends_with_status_1(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = siting.choose_sites

    def wrong(case: SitingCase, **more: Any) -> SitingStatement:
        return msgspec.structs.replace(true(case, **more), reachable=1)

    monkeypatch.setattr(siting, "choose_sites", wrong)
    ended = CliRunner().invoke(
        app, ["plan", "sensors", str(folder / "question.toml"), "--out", str(folder / "no.json")]
    )
    assert ended.exit_code == 1
    assert "how many can be connected" in ended.output
    assert "19 of 20 candidates cannot be connected" in ended.output
    assert not (folder / "no.json").exists()
