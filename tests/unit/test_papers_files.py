"""Papers written, and read again by others: CSV, workbook, GeoJSON, GeoPackage, OFDS; each says what the plan says."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyogrio
import pytest
import shapely

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Role, SiteKind
from broadstreet.network.ground.courses import GEOD
from broadstreet.network.ofds import read_package, survey
from broadstreet.network.papers import LAYERS, TABLES, Dossier, Format, layers, write_papers
from broadstreet.network.papers.styles import STYLES
from tests.fibre import rule_errors, schema_errors
from tests.papers import FORMULA, town_dossier, wicked_dossier

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def town() -> Dossier:
    return town_dossier()


def read_csv(found: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(found.decode("utf-8-sig"), newline="")))


def test_csv_sums_to_the_bill(town: Dossier, tmp_path: Path) -> None:
    write_papers(Format.CSV, town, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as found:
        read = {name: read_csv(found.read(f"{name}.csv")) for name in TABLES}
    for name in ("bill", "phases", "areas", "street_costs"):
        assert sum(round(100 * float(row["cost"])) for row in read[name]) == town.statement.cost_cents
    assert len(read["splices"]) == len(town.design.joints)
    write_papers(Format.CSV, town, tmp_path / "bill.csv", part="bill")
    assert read_csv((tmp_path / "bill.csv").read_bytes()) == read["bill"]


def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path) -> None:
    write_papers(Format.CSV, wicked_dossier(), tmp_path / "x.zip")
    met = set()
    with zipfile.ZipFile(tmp_path / "x.zip") as found:
        for name in found.namelist():
            for row in csv.reader(io.StringIO(found.read(name).decode("utf-8-sig"), newline="")):
                met.update(row)
                assert not any(text[:1] in "=+@\t\r" for text in row if text), (name, row)
    assert "'" + FORMULA in met


def sheets(path: Path) -> dict[str, tuple[list[list[Any]], list[str]]]:
    """Every sheet's rows, values as they are kept, and its formulas."""
    with zipfile.ZipFile(path) as found:
        book = ElementTree.fromstring(found.read("xl/workbook.xml"))
        names = [sheet.attrib["name"] for sheet in book.iter(f"{SHEET}sheet")]
        read = {}
        for number, name in enumerate(names, start=1):
            page = ElementTree.fromstring(found.read(f"xl/worksheets/sheet{number}.xml"))
            formulas = [node.text or "" for node in page.iter(f"{SHEET}f")]
            rows = [
                [
                    "".join(cell.itertext())
                    if cell.get("t") == "inlineStr"
                    else float(cell.findtext(f"{SHEET}v") or "")
                    for cell in row
                    if len(cell)
                ]
                for row in page.iter(f"{SHEET}row")
            ]
            read[name] = rows, formulas
        return read


def test_a_workbook_sums_to_the_bill_and_reckons_by_itself(town: Dossier, tmp_path: Path) -> None:
    write_papers(Format.XLSX, town, tmp_path / "x.xlsx")
    read = sheets(tmp_path / "x.xlsx")
    assert len(read) == len(TABLES)
    rows, formulas = read["Bill of materials and work"]
    assert rows[-1][0] == "In all"
    assert round(100 * rows[-1][-1]) == town.statement.cost_cents
    assert round(100 * sum(row[-1] for row in rows[3:-1])) == town.statement.cost_cents
    assert all(formula.startswith("SUM(") for formula in formulas)
    assert len(read["Splice plan"][0]) - 3 == len(town.design.joints)


def test_the_only_formulas_of_a_workbook_are_sums(tmp_path: Path) -> None:
    write_papers(Format.XLSX, wicked_dossier(), tmp_path / "x.xlsx")
    read = sheets(tmp_path / "x.xlsx")
    told = [value for rows, _ in read.values() for row in rows for value in row]
    assert FORMULA in told
    assert all(formula.startswith("SUM(") for _, formulas in read.values() for formula in formulas)
    with zipfile.ZipFile(tmp_path / "x.xlsx") as found:
        assert not [name for name in found.namelist() if "rels/sheet" in name]  # no link of any sheet


def test_layers_are_as_long_as_they_say_and_lead_from_site_to_site(town: Dossier) -> None:
    drawn = {layer.name: layer for layer in layers(town)}
    assert list(drawn) == list(LAYERS)
    places = {site.id: list(town.site_place(site)) for site in town.design.sites}
    for name in ("ways", "ducts", "cables", "drops"):
        layer = drawn[name]
        at = [column for column, _ in layer.columns].index("length_m")
        for shape, row in zip(layer.shapes, layer.rows, strict=True):
            length_m = GEOD.geometry_length(shapely.LineString(shape))  # type: ignore[arg-type]  # a line's points
            assert length_m == pytest.approx(row[at], abs=0.1), (name, row)
    cables = drawn["cables"]
    for shape, row in zip(cables.shapes, cables.rows, strict=True):
        assert isinstance(shape, list)
        assert (shape[0], shape[-1]) == (places[str(row[3])], places[str(row[4])])
    opening = [column for column, _ in drawn["ways"].columns].index("opening_cents")
    said = sum(int(str(row[opening])) for row in drawn["ways"].rows)
    assert said == int(town.ground.ways.open_cents[list(town.design.opened)].sum())
    assert sum(int(str(row[2])) for row in drawn["phases"].rows) == town.statement.cost_cents


def test_geojson_and_geopackage_say_the_same(town: Dossier, tmp_path: Path) -> None:
    write_papers(Format.GPKG, town, tmp_path / "x.gpkg")
    listed = {str(name): shape for name, shape in pyogrio.list_layers(tmp_path / "x.gpkg")}
    assert set(listed) == {*LAYERS, "layer_styles"}
    for name in LAYERS:
        write_papers(Format.GEOJSON, town, tmp_path / "x.geojson", part=name)
        features = json.loads((tmp_path / "x.geojson").read_bytes())["features"]
        meta, _, shapes, columns = pyogrio.raw.read(tmp_path / "x.gpkg", layer=name)
        assert meta["crs"] == "EPSG:4326"
        assert len(features) == len(shapes) > 0
        for number, feature in enumerate(features):
            assert shapely.equals(shapely.from_wkb(shapes[number]), shapely.geometry.shape(feature["geometry"]))
            for field, values in zip(meta["fields"], columns, strict=True):
                said, kept = feature["properties"][field], values[number]
                is_none = kept is None or kept != kept
                assert (None if is_none else kept) == (
                    pytest.approx(said, abs=1e-3) if isinstance(said, float) else said
                )


def test_a_geopackage_brings_its_styles(town: Dossier, tmp_path: Path) -> None:
    write_papers(Format.GPKG, town, tmp_path / "x.gpkg")
    meta, _, _, columns = pyogrio.raw.read(tmp_path / "x.gpkg", layer="layer_styles", read_geometry=False)
    rows = [dict(zip(meta["fields"], values, strict=True)) for values in zip(*columns, strict=True)]
    assert [row["f_table_name"] for row in rows] == list(LAYERS)
    values = {
        name: {column for column, _ in layer.columns} for name, layer in ((one.name, one) for one in layers(town))
    }
    for row in rows:
        assert row["useAsDefault"]
        style = ElementTree.fromstring(row["styleQML"])
        symbols = {symbol.get("name") for symbol in style.iter("symbol")}
        by = style.find("renderer-v2")
        assert by is not None
        if by.get("type") == "categorizedSymbol":
            assert by.get("attr") in values[row["f_table_name"]]
            assert {category.get("symbol") for category in style.iter("category")} == symbols
        assert len(symbols) == len(STYLES[row["f_table_name"]][1])


def test_the_judge_finds_no_error_in_a_plan_by_the_standard(town: Dossier, tmp_path: Path) -> None:
    for dossier in (town, wicked_dossier()):
        write_papers(Format.OFDS, dossier, tmp_path / "x.json")
        package = json.loads((tmp_path / "x.json").read_bytes())
        assert schema_errors(package) == []
        assert rule_errors(package) == []
        found, faults = read_package(tmp_path / "x.json")
        assert faults.violations == 0
        told = survey(found.networks[0])
        sites = [site for site in dossier.design.sites if site.kind is not SiteKind.PREMISES]
        assert told.nodes == len({dossier.site_place(site) for site in sites})
        laid = [cable for cable in dossier.design.cables if cable.role is not Role.DROP]
        laid_m = [dossier.stretch_m(cable, n) for cable in laid for n in range(len(cable.ways))]
        assert (told.spans, told.straight) == (sum(length_m > 0 for length_m in laid_m), 0)
        assert told.length_m["planned"] == pytest.approx(sum(laid_m), abs=1.0)
    assert told.phases == 0


def unlaid(tables: dict[str, list[dict[str, str]]]) -> list[dict[str, Any]]:
    """Networks put together again from their tables."""
    objects: dict[tuple[str, ...], dict[str, Any]] = {}
    networks = []
    for table in sorted(tables, key=lambda name: name.count("_") + (name != "networks")):
        for row in tables[table]:
            names = table.split("_") if table != "networks" else []
            pointers = ["".join(f"{name}/0/" for name in names[:depth]) for depth in range(len(names) + 1)]
            keys = tuple(row.get(f"{pointer}id", "") for pointer in pointers)
            made: dict[str, Any] = {}
            for column, told in row.items():
                if told and column.startswith(pointers[-1]):
                    *outer, last = column.removeprefix(pointers[-1]).split("/")
                    place = made
                    for name in outer:
                        place = place.setdefault(name, {})
                    place[last] = told
            objects[keys] = made
            if names:
                objects[keys[:-1]].setdefault(names[-1], []).append(made)
            else:
                networks.append(made)
    return networks


def as_told(value: Any) -> Any:
    """A JSON value as CSV tells it: geometries and lists of codes as texts, and everything else as a text."""
    match value:
        case {"type": kind, "coordinates": points}:
            pairs = [points] if kind == "Point" else points
            return f"{kind.upper()} ({', '.join(f'{lon!r} {lat!r}' for lon, lat in pairs)})"
        case dict():
            return {name: as_told(member) for name, member in value.items()}
        case [dict(), *_]:
            return [as_told(item) for item in value]
        case list():
            return ";".join(value)
        case bool():
            return "true" if value else "false"
    return str(value)


def test_the_tables_of_the_standard_hold_all_of_its_package(town: Dossier, tmp_path: Path) -> None:
    write_papers(Format.OFDS, town, tmp_path / "x.json")
    package = json.loads((tmp_path / "x.json").read_bytes())
    write_papers(Format.OFDS_CSV, town, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as found:
        read = {name.removesuffix(".csv"): read_csv(found.read(name)) for name in found.namelist()}
    assert list(read["spans"][0])[:2] == ["id", "spans/0/id"]
    assert {"networks", "nodes", "spans", "phases", "links"} == set(read)
    assert unlaid(read) == as_told(package["networks"])


def test_the_geopackage_of_the_standard_is_its_package_and_two_layers(town: Dossier, tmp_path: Path) -> None:
    write_papers(Format.OFDS, town, tmp_path / "x.json")
    write_papers(Format.OFDS_GPKG, town, tmp_path / "x.gpkg")
    package = read_package(tmp_path / "x.json")[0]
    assert read_package(tmp_path / "x.gpkg")[0] == package
    [network] = package.networks
    layers = dict(pyogrio.list_layers(tmp_path / "x.gpkg").tolist())
    assert (layers["nodes"], layers["spans"], layers["organisations"]) == ("Point", "LineString", None)
    for layer, things in (("nodes", network.nodes), ("spans", network.spans)):
        meta, _, shapes, columns = pyogrio.raw.read(tmp_path / "x.gpkg", layer=layer)
        told = dict(zip(meta["fields"], columns, strict=True))
        assert meta["crs"] == "EPSG:4326" and told["ofds_id"].tolist() == [thing.id for thing in things]
        assert all(shapely.from_wkb(shape).is_valid for shape in shapes)
    # Others' files have the standard's tables alone.
    with closing(sqlite3.connect(tmp_path / "x.gpkg")) as base:
        base.execute("DROP TABLE kept")
    others, faults = read_package(tmp_path / "x.gpkg")
    assert others == package and not faults.violations
    (tmp_path / "other.gpkg").write_bytes((tmp_path / "x.gpkg").read_bytes()[:9000])
    with pytest.raises(InvalidInput, match="no GeoPackage by the Open Fibre Data Standard"):
        read_package(tmp_path / "other.gpkg")
