"""Real operators' networks by the Open Fibre Data Standard: read, written in each form, and judged by libcoveofds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from broadstreet.network.ofds import (
    Kind,
    Target,
    convert,
    layers_of,
    plant_of,
    read_package,
    survey,
    write_base,
    write_lines,
    write_package,
    write_pair,
)
from broadstreet.network.ofds.part import give
from broadstreet.network.papers.plant import map_page
from tests.absence import absent
from tests.fibre import canonical, rule_errors, schema_errors

# Kilometres of spans, and of ways along which they run: Botswana has each of its 57 spans twice.
NETWORKS = {
    "new-zealand-chorus.json": (45, 56, 6_061, 6_061),
    "botswana-bofinet.json": (61, 114, 9_767, 4_883),
    "costa-rica-ufinet.json": (39, 42, 1_958, 1_958),
}
FAULTS = {
    "new-zealand-chorus.json": {Kind.NO_CRS: 1, Kind.SAME_NAME: 29, Kind.FAR_END: 8},
    "botswana-bofinet.json": {
        Kind.NO_CRS: 1,
        Kind.UNKNOWN_MEMBER: 114,
        Kind.SAME_NAME: 118,
        Kind.FAR_END: 4,
        Kind.SAME_COURSE: 57,
    },
    "costa-rica-ufinet.json": {Kind.WRONG_FORM: 1, Kind.NO_CRS: 1, Kind.SAME_NAME: 37, Kind.FAR_END: 8},
}
KENYA = "kenya-nofbi-spans.geojson"


@pytest.fixture
def fibre(shared_data: Path) -> Path:
    """The folder of real fibre networks."""
    folder = shared_data / "fibre-ofds"
    if not folder.is_dir():
        pytest.skip(absent(f"the fibre networks are not at {folder}"))
    return folder


def said(path: Path) -> Any:
    return json.loads(path.read_bytes())


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_lost_in_any_form(name: str, fibre: Path, tmp_path: Path) -> None:
    package, faults = read_package(fibre / name)
    assert faults.counts == FAULTS[name]
    assert all(fault.place for kind in (Kind.FAR_END, Kind.SAME_COURSE) for fault in faults.of(kind))
    before = canonical(said(fibre / name))
    write_package(tmp_path / "a.json", package.networks, lambda: package)
    write_lines(tmp_path / "a.jsonl", package.networks)
    write_base(tmp_path / "a.gpkg", package, "2026-11-23T00:00:00.000Z")
    assert canonical(said(tmp_path / "a.json")) == before
    for paths in ((tmp_path / "a.jsonl",), (tmp_path / "a.gpkg",), write_pair(tmp_path / "a", package)):
        again, faults = read_package(*paths)
        assert canonical(give(again)) == before
        assert faults.counts == FAULTS[name]


@pytest.mark.parametrize("name", [*NETWORKS, KENYA])
def test_the_judge_finds_no_error_in_what_is_exported(name: str, fibre: Path, tmp_path: Path) -> None:
    assert convert((fibre / name,), Target.JSON, tmp_path / "out.json", is_as_it_is=False).violations == 0
    package = said(tmp_path / "out.json")
    assert schema_errors(package) == []
    assert rule_errors(package) == []
    [network] = package["networks"]
    if name in NETWORKS:  # but for what was mended, it says what it said
        [given] = said(fibre / name)["networks"]
        was = network["identifier"] if name.startswith("costa") else network["id"]
        kept = {k: v for k, v in network.items() if k not in ("crs", "identifier")} | {"id": was}
        assert canonical(kept) == canonical(given)
    again, _ = read_package(tmp_path / "out.json")
    assert canonical(give(again)) == canonical(package)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_and_span_is_drawn_and_measured(name: str, fibre: Path) -> None:
    network = read_package(fibre / name)[0].networks[0]
    nodes, spans, length_km, ways_km = NETWORKS[name]
    found, layers, plant = survey(network), layers_of(network), plant_of(network)
    assert (found.nodes, found.spans, found.straight, found.without_course) == (nodes, spans, 0, 0)
    assert round(sum(found.length_m.values()) / 1000) == length_km
    assert round(found.ways_m / 1000) == ways_km
    assert (len(layers.nodes["features"]), len(layers.spans["features"])) == (nodes, spans)
    assert (layers.undrawn_nodes, layers.undrawn_spans) == (0, 0)
    assert sum(stretch.same_as is None for stretch in plant.stretches) == (57 if spans == 114 else spans)
    page = ElementTree.fromstring(re.sub("<meta[^>]*>|<!doctype html>", "", map_page([network], name)))
    drawn = page.find(".//svg")
    assert drawn is not None
    assert (len(drawn.findall("circle")), len(drawn.findall("path")) - 1) == (nodes, spans)  # one path is the scale
    assert [len(table.findall("./tbody/tr")) for table in page.iter("table")][1:] == [spans, nodes]


def test_spans_alone_bring_their_nodes_phases_and_suppliers(fibre: Path, tmp_path: Path) -> None:
    package, faults = read_package(fibre / KENYA)
    [network] = package.networks
    assert (len(network.nodes), len(network.spans), len(network.phases)) == (102, 112, 11)
    assert {one.name for one in network.organisations} == {"ZTE", "TLK", "Huawei", "Sagem", "No data"}
    assert {kind for kind in faults.counts if kind.severity == "violation"} == {Kind.WRONG_VALUE, Kind.NO_CRS}
    given = said(fibre / KENYA)["features"]
    for span, feature in zip(network.spans, given, strict=True):
        properties = feature["properties"]
        assert give(span) == {
            **{k: v for k, v in properties.items() if k != "network"},
            "start": properties["start"]["id"],
            "end": properties["end"]["id"],
            "route": feature["geometry"],
        }
    nodes = {node.id: give(node) for node in network.nodes}
    for feature in given:
        for end in ("start", "end"):
            assert nodes[feature["properties"][end]["id"]] == feature["properties"][end]
    again, _ = read_package(*write_pair(tmp_path / "kenya", package))
    assert canonical(give(again)) == canonical(give(package))
