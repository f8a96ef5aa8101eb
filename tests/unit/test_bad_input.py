"""Bad input at the command line: what is said, where, and what to do; and the map of where. Nothing goes in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from broadstreet.cli.entry import app
from broadstreet.model.errors import BroadstreetError, InvalidInput, TooLarge
from broadstreet.model.misfit import misfit
from tests.wrong_inputs import Wrong, wrongs

SHEETS = ("catalogue", "optics")


def toml(value: Any) -> str:
    """A value as TOML has it on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {toml(part)}" for key, part in value.items()) + " }"
    return "[" + ", ".join(map(toml, value)) + "]" if isinstance(value, list) else json.dumps(value)


def scenario(folder: Path, wrong: Wrong) -> Path:
    """A folder with a scenario in it, and its path."""
    wish = {"seconds": 1, **wrong.wish}
    for name, content in wrong.all_files().items():
        (folder / name).write_bytes(content)
    for sheet in SHEETS:
        if sheet in wish:
            (folder / f"own-{sheet}.toml").write_text(wish[sheet], encoding="utf-8")
            wish[sheet] = f"own-{sheet}.toml"
    tables = {"inputs": wrong.all_inputs(), "wish": wish}
    lines = ['name = "T"']
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {toml(value)}" for key, value in table.items())]
    path = folder / "town.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def fibre(*words: object) -> Any:
    return CliRunner().invoke(app, ["plan", "fibre", *map(str, words)])


@pytest.mark.parametrize("wrong", wrongs(), ids=lambda wrong: wrong.name)
def test_what_is_wrong_is_told_and_drawn(wrong: Wrong, tmp_path: Path) -> None:
    places = tmp_path / "places.geojson"
    ended = fibre(scenario(tmp_path, wrong), "--map", places)
    drawn = json.loads(places.read_bytes())["features"]
    assert {one["properties"]["kind"] for one in drawn} == wrong.kinds
    for one in drawn:
        lon, lat = one["geometry"]["coordinates"]
        assert abs(lon) <= 180 and abs(lat) <= 90 and one["properties"]["what"]
        assert str(tmp_path) not in one["properties"]["what"]
    if not wrong.said:
        assert ended.exit_code == 0, (ended.output, ended.exception)
        assert all(one["properties"]["what"] in ended.output for one in drawn)
        return
    error = ended.exception
    assert isinstance(error, BroadstreetError), (ended.output, error)
    assert wrong.said in error.message and wrong.remedy in str(error.remedy) and error.where and error.remedy
    assert not drawn or f"{places} shows where" in ended.output


@pytest.mark.parametrize(
    ("name", "content", "places"),
    [
        ("large.geojson", b'{"features": [{"coordinates": [[24.94, 60.17], [24.95, 60.17]]}', 2),
        ("large.csv", b"id,lon,lat\na,24.94,60.17\nb,east,60.18\nc,24.95,60.18\n" + b"d,24.95,60.18\n" * 9, 2),
    ],
)
def test_a_file_that_is_too_large_says_its_limit_and_is_not_read(
    tmp_path: Path, name: str, content: bytes, places: int
) -> None:
    wrong = Wrong(name, files={name: content}, inputs={"demand": [{"file": name}]})
    sheet, drawn = scenario(tmp_path, wrong), tmp_path / "places.geojson"
    with (tmp_path / name).open("ab") as file:
        file.truncate(201_000_000)  # no disk is taken by what was never written
    ended = fibre(sheet, "--map", drawn)
    assert isinstance(ended.exception, TooLarge) and "201 MB is over the bound" in str(ended.exception)
    features = json.loads(drawn.read_bytes())["features"]
    assert [one["properties"]["kind"] for one in features] == ["too_large"] * places


@pytest.mark.parametrize(
    "words",
    [
        ("--budget", "nan"),
        ("--budget", "inf"),
        ("--budget", "-1"),
        ("--phase-budget", "nan"),
        ("--seconds", "nan"),
        ("--office", "nan,60.17"),
        ("--office", "500,60.17"),
    ],
)
def test_an_option_that_is_no_number_is_refused(words: tuple[str, str], tmp_path: Path) -> None:
    error = fibre(scenario(tmp_path, Wrong("")), *words).exception
    assert isinstance(error, InvalidInput) and error.where and error.remedy, error


@pytest.mark.parametrize(
    ("said", "words", "place"),
    [
        ("Expected `int` >= 0 - at `$.wish.budget`", "a whole number of 0 or more is expected", "wish.budget"),
        ("Expected `float` > 0.5", "a number over 0.5 is expected", None),
        ("Expected `str | null`, got `int` - at `$.a[0]`", "text is expected, not a whole number", "a[0]"),
        ("Expected `array` of length <= 5", "a list of 5 or fewer is expected", None),
        ("Object contains unknown field `x` - at `$.b`", "there is no field 'x'", "b"),
        ("Object missing required field `x`", "the field 'x' is missing", None),
        ("Invalid date", "Invalid date", None),
    ],
)
def test_a_value_that_does_not_fit_is_told_in_words(said: str, words: str, place: str | None) -> None:
    assert misfit(said) == (words, place)
