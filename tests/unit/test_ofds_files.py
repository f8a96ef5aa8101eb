"""Files of the Open Fibre Data Standard: their forms, others' GeoJSON, what is refused, the commands."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from broadstreet.cli.entry import app
from broadstreet.model.errors import BroadstreetError, InvalidInput, NotFound, TooLarge
from broadstreet.network.ofds import (
    Fault,
    Faults,
    Kind,
    Target,
    convert,
    document,
    read_package,
    report,
    write_package,
)
from broadstreet.network.ofds.gathering import gather
from tests.harbour import GOOD, ID, features, with_, write


def test_a_pair_from_elsewhere_gives_its_organisations_and_phases() -> None:
    faults = Faults()
    package = gather([features()], faults)
    assert not faults.counts
    assert package["networks"] == [
        {
            **GOOD,
            "spans": [{**GOOD["spans"][0], "phase": {"id": "p", "name": "First"}}],
            "phases": [{"id": "p", "name": "First", "funders": [{"id": "f", "name": "Bank"}]}],
            "organisations": [
                {"id": "o", "name": "City", "roles": ["funder"]},
                {"id": "f", "name": "Bank", "country": "FI"},
            ],
        }
    ]


def test_a_pair_from_elsewhere_gives_what_contracts_and_carriers_name() -> None:
    given = features()
    phase = {"id": "q", "name": "Second", "funders": [{"id": "g", "name": "State", "country": "FI"}]}
    contracts = [{"id": "c", "relatedPhases": [phase]}]
    for feature in given["features"]:
        feature["properties"]["network"] |= {"contracts": contracts, "phases": [{"id": "z"}]}
    duct = {"type": "duct", "owner": {"id": "d", "name": "Ducts", "website": "https://example.org"}}
    given["features"][2]["properties"] |= {"supportingInfrastructure": duct, "networkProviders": [{"id": "o"}]}
    [network] = gather([given], Faults())["networks"]
    assert network["contracts"] == [{"id": "c", "relatedPhases": [{"id": "q", "name": "Second"}]}]
    assert [one["id"] for one in network["phases"]] == ["z", "q", "p"]
    assert network["phases"][1]["funders"] == [{"id": "g", "name": "State"}]
    assert {one["id"] for one in network["organisations"]} == {"o", "d", "f", "g"}
    assert network["spans"][0]["supportingInfrastructure"] == {"type": "duct", "owner": {"id": "d", "name": "Ducts"}}


def test_what_fits_nowhere_in_geojson_is_kept() -> None:
    given = features()
    given["features"][2]["properties"]["start"] = {**GOOD["nodes"][0], "power": True}
    given["features"][2]["id"] = 7
    given["features"].append("stray")
    given |= {"name": "layer", "links": {"next": "https://example.org/2"}}
    del given["features"][2]["properties"]["featureType"]
    faults = Faults()
    package = gather([given], faults)
    assert faults.counts == {Kind.OTHER_COPY: 1, Kind.WRONG_TYPE: 1}
    assert faults.of(Kind.OTHER_COPY)[0].path == "/networks/0/spans/0/start"
    [span] = package["networks"][0]["spans"]
    assert span["start"] == "a"
    assert span["startAsGiven"] == {**GOOD["nodes"][0], "power": True}
    assert span["asFeature"] == {"id": 7}
    assert package["strayFeatures"] == ["stray"]
    assert package["collections"] == [{"name": "layer"}]
    assert package["links"] == {"next": "https://example.org/2"}


def test_what_features_say_otherwise_of_their_network_is_kept() -> None:
    given = features()
    first, second, third = (feature["properties"] for feature in given["features"])
    second["network"] = first["network"] | {"name": "Docks"}
    second |= {"featureType": "manhole", "location": "by the crane"}
    faults = Faults()
    [network] = gather([given], faults)["networks"]
    assert network["otherCopies"] == [second["network"]]
    assert faults.of(Kind.OTHER_COPY)[0].path == "/networks/0"
    assert network["nodes"][1]["asFeature"] == {"featureType": "manhole", "location": "by the crane"}
    assert network["nodes"][1]["location"] == GOOD["nodes"][1]["location"]
    for properties in (first, second, third):
        properties["network"] = "Harbour"
    [network] = gather([given], Faults())["networks"]
    assert network["network"] == "Harbour"
    assert len(network["nodes"]) == 2


def test_each_form_is_told_from_the_others(tmp_path: Path) -> None:
    other = {**GOOD, "id": str(uuid.UUID(int=7))}
    assert report(write(tmp_path / "a", {"networks": [GOOD, other]})).form == "network package"
    assert report(write(tmp_path / "a", GOOD)).form == "network"
    lines = report(write(tmp_path / "a", GOOD, {**other, "id": "x"}))
    assert (lines.form, lines.networks) == ("JSON Lines", 2)
    assert [found.path for found in lines.faults if found.kind is Kind.WRONG_FORM] == ["line 2:/id"]
    assert report(write(tmp_path / "a", features())).form == "GeoJSON"
    by_lines = report(write(tmp_path / "a", *features()["features"]))
    assert (by_lines.form, by_lines.networks, by_lines.violations) == ("GeoJSON", 1, 0)
    (tmp_path / "a").write_text("\ufeff" + json.dumps({"networks": [GOOD]}, indent=2))
    assert report(tmp_path / "a").violations == 0


REFUSED = {
    "no JSON": (b'{"networks": [\n{"id": }]}', InvalidInput, "line 2, column 8"),
    "no UTF-8": (b'{"networks": "\xff"}', InvalidInput, "byte 14"),
    "a list": (b"[1, 2]", InvalidInput, "any"),
    "nothing": (b"", InvalidInput, "line 1"),
    "no number": (b'{"networks": [{"accuracy": NaN}]}', InvalidInput, "any"),
    "a number too large": (b'{"networks": [{"accuracy": 1e999}]}', InvalidInput, "any"),
    "too deep": (b'{"networks": ' + b"[" * 5000 + b"]" * 5000 + b"}", InvalidInput, "any"),
    "deep": (b'{"x": ' + b"[" * 100 + b"]" * 100 + b', "networks": []}', InvalidInput, "/x"),
    "a broken line": (b'{"id": "a"}\n{"id": "b"\n', InvalidInput, "line 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read_is_refused_with_words(case: str, tmp_path: Path) -> None:
    raw, kind, where = REFUSED[case]
    (tmp_path / "any").write_bytes(raw)
    with pytest.raises(kind) as refused:
        report(tmp_path / "any")
    assert where in (refused.value.where or "")
    assert refused.value.remedy


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        read_package(tmp_path / "none")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_package(tmp_path)
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_package(
            tmp_path / "none" / "a.json",
            (),
            lambda: msgspec.structs.replace(read_package(write(tmp_path / "a", {"networks": [GOOD]}))[0]),
        )


def test_a_file_over_the_bound_is_refused_and_lines_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = document.dump(GOOD)
    lines, package, pretty = tmp_path / "l.jsonl", tmp_path / "p.json", tmp_path / "i.json"
    lines.write_bytes(b"\n".join([line] * 20))
    package.write_bytes(b'{"networks":[' + b",".join([line] * 20) + b"]}")
    pretty.write_text(json.dumps({"networks": [GOOD] * 20}, indent=1))
    monkeypatch.setattr(document, "MAX_DOCUMENT_BYTES", 4 * len(line))
    monkeypatch.setattr("broadstreet.network.ofds.source.MAX_DOCUMENT_BYTES", 4 * len(line))
    monkeypatch.setattr("broadstreet.network.ofds.reporting.MAX_DOCUMENT_BYTES", 4 * len(line))
    assert report(lines).networks == 20
    for path in (package, pretty, write(tmp_path / "f.jsonl", *features()["features"] * 9)):
        with pytest.raises(TooLarge, match="MB") as refused:
            report(path)
        assert "JSON Lines" in (refused.value.remedy or "")
    with pytest.raises(TooLarge):
        convert((lines,), Target.GEOJSON, tmp_path / "out", is_as_it_is=False)
    made = convert((lines,), Target.JSON, tmp_path / "out.json", is_as_it_is=False)
    assert made.networks == len(json.loads((tmp_path / "out.json").read_bytes())["networks"]) == 20


def test_a_package_is_no_half_of_a_pair(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="each is GeoJSON"):
        read_package(write(tmp_path / "a", features()), write(tmp_path / "b", {"networks": [GOOD]}))


def test_a_member_given_twice_is_said(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"networks": [{"id": "a", "id": "b"}]}')
    package, faults = read_package(tmp_path / "a")
    assert package.networks[0].id == "b"
    assert faults.counts[Kind.MEMBER_TWICE] == 1


def test_half_a_surrogate_pair_goes_out_as_it_came_in(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"networks": [{"name": "\\ud83d"}]}')
    package, _ = read_package(tmp_path / "a")
    write_package(tmp_path / "b", package.networks, lambda: package)
    assert json.loads((tmp_path / "b").read_bytes())["networks"] == [{"name": "\ud83d"}]


def test_a_conversion_that_fails_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(document.dump(GOOD) + b"\n{broken\n")
    with pytest.raises(InvalidInput):
        convert((tmp_path / "a.jsonl",), Target.JSONL, tmp_path / "b.jsonl", is_as_it_is=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def run(*words: str) -> tuple[int, str]:
    said = CliRunner().invoke(app, ["network", "ofds", *words])
    if isinstance(said.exception, BroadstreetError):
        raise said.exception
    return said.exit_code, said.output


def test_the_command_checks(tmp_path: Path) -> None:
    good = write(tmp_path / "good.json", {"networks": [GOOD]})
    status, words = run("check", str(good))
    assert status == 0
    assert "Harbour: 2 nodes, 1 span, 1 phase, 1 organisation, 0 contracts" in words
    assert "0.6 km operational" in words
    bad = write(
        tmp_path / "bad.json", {"networks": [with_("/nodes/1/location/coordinates", [24.96, 60.17]) | {"id": "x"}]}
    )
    status, words = run("check", str(bad), "--map", str(tmp_path / "map.geojson"))
    assert status == 1
    assert "/networks/0/id: 'x' is not a UUID" in words
    drawn = json.loads((tmp_path / "map.geojson").read_bytes())["features"]
    [far] = [one for one in drawn if one["properties"]["kind"] == "far-end"]
    assert far["geometry"] == {"type": "Point", "coordinates": [24.95, 60.17]}
    status, words = run("check", str(bad), "--json")
    found = json.loads(words)
    assert (status, found["violations"], found["counts"]["far-end"]) == (1, 1, 1)


def test_the_command_lists_few_faults_or_all(tmp_path: Path) -> None:
    raw = with_("/spans", [{"id": str(n), "colour": n, "start": "a", "end": "b"} for n in range(9)])
    path = write(tmp_path / "many.jsonl", *[raw] * 12)
    few, all_ = run("check", str(path))[1], run("check", str(path), "--all")[1]
    assert "and 105 more" in few
    assert "and 2 more networks" in few
    assert "9 spans without a route, drawn straight" in few
    assert "line 12:/spans/8/colour" in all_


def test_the_command_converts(tmp_path: Path) -> None:
    raw = with_("/id", "home")
    source = write(tmp_path / "in.json", {"networks": [raw], "links": {"next": "https://example.org"}, "x": 1})
    status, words = run("convert", str(source), str(tmp_path / "out.geojson"), "--to", "geojson")
    assert status == 0
    assert "'home' is no UUID" in words
    pair = [str(tmp_path / f"out-{name}.geojson") for name in ("nodes", "spans")]
    status, words = run("convert", pair[0], str(tmp_path / "back.json"), "--to", "json", "--with", pair[1])
    assert status == 0
    back = json.loads((tmp_path / "back.json").read_bytes())
    assert (back["x"], back["networks"][0]["identifier"]) == (1, "home")
    assert {**back["networks"][0], "id": ID, "identifier": None} == {**GOOD, "identifier": None}
    status, words = run("convert", str(source), str(tmp_path / "out.jsonl"), "--to", "jsonl", "--as-it-is")
    assert status == 1
    assert "the package's links" in words
    assert "is not a UUID" in words
    assert json.loads((tmp_path / "out.jsonl").read_bytes()) == raw


def test_a_fault_is_a_feature() -> None:
    found = Fault(Kind.EMPTY, "/x", "nothing", "Fill it.")
    assert found.feature()["geometry"] is None
