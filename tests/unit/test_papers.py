"""What papers say: of a small town with a ring in two phases, row by row; and what no name can make of them."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import msgspec
import pytest

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.design import Choice, SiteKind
from broadstreet.network.ground import Demand, default_architecture, default_catalogue, default_optics, put_together
from broadstreet.network.ground.worth import default_worth
from broadstreet.network.papers import (
    TABLES,
    ColourCode,
    Dossier,
    Format,
    Table,
    answer,
    file_name,
    media_type,
    parts_of_format,
    write_papers,
)
from broadstreet.network.papers.chart import histogram
from broadstreet.network.papers.colours import marking
from broadstreet.network.papers.drawing import nice
from broadstreet.network.papers.lines import cell, money
from broadstreet.network.papers.markup import element
from broadstreet.network.papers.naming import Naming
from broadstreet.network.papers.page import amount
from broadstreet.network.papers.table import Column, Sort
from broadstreet.network.papers.workbook import write_workbook
from tests.ground import line, premises, streets, trait
from tests.papers import FORMULA, IMPRINT, SCRIPT, town_dossier, wicked_dossier
from tests.town import CRITICAL, planned


@pytest.fixture(scope="module")
def town() -> Dossier:
    return town_dossier()


def table(dossier: Dossier, name: str) -> list[dict[str, object]]:
    made = TABLES[name](dossier)
    return [dict(zip([column.name for column in made.columns], row, strict=True)) for row in made.rows]


def test_a_plan_that_the_checker_finds_wrong_is_not_handed_out() -> None:
    ground, statement = planned()
    wrong = msgspec.structs.replace(statement, paths=statement.paths[1:])
    with pytest.raises(InvalidInput, match="path nothing is said of"):
        Dossier.of(wrong, ground, default_architecture(), default_optics(), IMPRINT)


def test_the_digger_is_told_each_street_from_where_to_where(town: Dossier) -> None:
    runs = table(town, "runs")
    back = [run for run in runs if run["kind"] == "duct"]
    assert [(run["street"], run["surface"], run["ducts"], run["phase"]) for run in back] == [
        ("by Back Street", "", "", 2)
    ]
    crossing = [run for run in runs if "carriageway" in str(run["crosses"])]
    assert [(run["kind"], run["cables_most"]) for run in crossing] == [("crossing", 0)]  # locked
    assert any("tram" in str(run["crosses"]) for run in runs)
    high = [run for run in runs if run["street"] == "High Street" and run["kind"] == "street"]
    assert [(run["to"], run["cables_least"], run["cables_most"]) for run in high] == [("by House 2", 1, 1)]
    dug = {row["street"]: row for row in table(town, "streets")}
    assert dug["High Street"]["permits"] == 1
    assert dug["Cross Lane"]["sett_m"] == dug["Cross Lane"]["length_m"]


def test_the_splicer_is_told_every_joint_with_its_colours(town: Dossier) -> None:
    rows = table(town, "splices")
    assert len(rows) == len(town.design.joints)
    office = [row for row in rows if row["from"] == "port"]
    assert [(row["from_fibre"], row["to_fibre"], row["to_colour"]) for row in office[:1]] == [(1, 1, "blue")]
    assert all(row["leads_to"] and row["leads_to"] != "dark" for row in rows)
    assert [row["kind"] for row in rows].count("splice") == sum(not joint.is_connector for joint in town.design.joints)
    places = [(row["site"], row["place"]) for row in rows]
    assert len(set(places)) == len(places)
    last = [row for row in rows if row["to"] == "socket"]
    assert {row["where"] for row in last} == {f"House {n}" for n in range(4)}


def test_splitters_have_every_leg_and_ports_everyone(town: Dossier) -> None:
    legs = table(town, "splitters")
    assert len(legs) == sum(splitter.ratio + 1 for splitter in town.design.splitters)
    taken = [row for row in legs if row["side"] == "out" and row["leads_to"] != "free"]
    assert len(taken) == len(town.paths)
    ports = table(town, "ports")
    assert sum(int(str(row["customers"])) for row in ports) == len(town.paths)
    assert sum(int(str(row["free"])) for row in ports) == 32 * len(ports) - len(town.paths)


def test_premises_have_their_way_and_their_light(town: Dossier) -> None:
    rows = {row["premises"]: row for row in table(town, "premises")}
    critical = rows["House 3"]
    assert (critical["critical"], critical["second_way"], critical["phase"], critical["sockets"]) == (True, True, 1, 2)
    assert rows["House 0"]["sockets"] == 2
    for row in rows.values():
        assert float(str(row["loss_db_max"])) + float(str(row["left_db_min"])) == pytest.approx(27)
    assert len(table(town, "sockets")) == len(town.paths)


def test_every_table_of_costs_sums_to_the_bill(town: Dossier) -> None:
    for name in ("bill", "phases", "areas", "street_costs"):
        made = TABLES[name](town)
        cost = made.sums()[[column.name for column in made.columns].index("cost")]
        assert cost == town.statement.cost_cents, name
    bound = TABLES["bound"](town)
    assert bound.sums()[1:4] == (
        town.statement.cost_cents,
        town.statement.bound_cents,
        town.statement.cost_cents - town.statement.bound_cents,
    )
    areas = TABLES["areas"](town)
    assert sum(int(str(count)) for count in areas.of("premises")) == 4  # who has a second way is counted once
    phases = table(town, "phases")
    assert [row["phase"] for row in phases] == [1, 2]
    assert [row["premises"] for row in phases] == [4, 0]
    assert [row["customers"] for row in phases] == [5, 1]


def test_cables_tell_what_is_lit_and_what_is_spare(town: Dossier) -> None:
    for row in table(town, "cables"):
        assert int(str(row["used"])) + int(str(row["spare"])) == row["fibres"]
        assert float(str(row["laid_m"])) + float(str(row["drop_m"])) == pytest.approx(float(str(row["length_m"])))
    ducts = {row["duct"]: row for row in table(town, "ducts")}
    assert set(ducts) == {duct.id for duct in town.design.ducts}
    assert all(row["cable_ids"] for row in ducts.values())


def test_ways_without_a_name_are_in_the_street_they_run_beside() -> None:
    drawn = streets(
        [line((0, 0), (100, 0)), line((0, 8), (100, 8)), line((0, 300), (100, 300)), line((100, 0), (100, 300))],
        traits=[trait("Long Street"), trait(""), trait(""), trait("Side Lane")],
    )
    naming = Naming(put_together(drawn, premises([(50, 2), (98, 290)]), default_catalogue()))
    named = {naming.street(way) for way in range(len(naming.ground.ways))}
    assert named == {"Long Street", "Side Lane", ""}
    assert naming.where(int(naming.ground.premises.node[0]), "Long Street") == "by House 0"
    corner = next(node for node in range(len(naming.ground.lon)) if naming.where(node) == "Long Street and Side Lane")
    assert naming.street_at(corner) == "Long Street"
    far = next(n for n, lat in enumerate(naming.ground.lat) if lat == max(naming.ground.lat))
    assert re.fullmatch(r"(near House 1|[\d.]+ N [\d.]+ E)", naming.where(far))


def test_premises_of_which_only_a_number_is_known_are_told_by_their_street() -> None:
    town = streets([line((0, 0), (100, 0))], traits=[trait("Long Street")])
    rows = premises([(50, 2), (60, 2)])
    demand = Demand(rows.ids, ("12", "house"), *(getattr(rows, name) for name in list(rows.__dataclass_fields__)[2:]))
    naming = Naming(put_together(town, demand, default_catalogue()))
    assert [naming.premises(row) for row in range(2)] == ["12 (Long Street)", "house (Long Street)"]
    nameless = Naming(put_together(streets([line((0, 0), (100, 0))]), demand, default_catalogue()))
    assert re.fullmatch(r"12 \([\d.]+ N [\d.]+ E\)", nameless.premises(0))


def test_colours_are_those_of_the_code() -> None:
    tia = [marking(ColourCode.TIA, fibre) for fibre in (1, 12, 13, 145, 240, 432)]
    assert [(mark.tube, mark.tube_colour, mark.place, mark.colour) for mark in tia] == [
        (1, "blue", 1, "blue"),
        (1, "blue", 12, "aqua"),
        (2, "orange", 1, "blue"),
        (13, "blue with a black tracer", 1, "blue"),
        (20, "black with a yellow tracer", 12, "aqua"),
        (36, "aqua with 2 black tracers", 12, "aqua"),
    ]
    din = [marking(ColourCode.DIN, fibre) for fibre in (1, 14, 36)]
    assert [(mark.tube_colour, mark.colour) for mark in din] == [("red", "red"), ("green", "green"), ("white", "pink")]


def test_cells_say_numbers_plainly_and_never_a_formula() -> None:
    assert [money(cents) for cents in (0, 5, 123456, -250)] == ["0.00", "0.05", "1234.56", "-2.50"]
    assert cell(Column("a", "A"), FORMULA) == "'" + FORMULA
    assert [cell(Column("a", "A"), text) for text in ("+1", "-1", "@x", "\tx", "x=1")] == [
        "'+1",
        "'-1",
        "'@x",
        "'\tx",
        "x=1",
    ]
    assert cell(Column("a", "A", Sort.FLAG), True) == "yes"
    assert cell(Column("a", "A", Sort.METRES), 1234.5) == "1234.50"
    assert amount(-250_00, "EUR") == "EUR\u00a0-250"
    assert amount(1_234_567_89, cents=True) == "1,234,567.89"
    assert amount(-5, cents=True) == "-0.05"


def test_markup_escapes_whatever_it_is_given() -> None:
    assert element("p", SCRIPT, title=f'"{SCRIPT}') == (
        '<p title="&quot;&lt;script&gt;alert(1)&lt;/script&gt;">&lt;script&gt;alert(1)&lt;/script&gt;</p>'
    )


def test_a_drawing_has_round_steps() -> None:
    assert [nice(metres) for metres in (0.5, 1, 4.9, 5, 99, 100, 7_000)] == [1, 1, 2, 5, 50, 100, 5_000]
    assert histogram([]) == []
    steps = histogram([19.04, 19.06, 19.21])
    assert [count for _, _, count in steps] == [2, 0, 1]
    assert sum(count for _, _, count in histogram([float(n) for n in range(400)])) == 400


def test_the_answer_is_a_sentence_made_from_the_plan(town: Dossier) -> None:
    told = answer(town)
    assert told.startswith("4 premises with 6 fibres to customers are reached for EUR\u00a0")
    assert f"{100 * town.statement.gap:.1f} per cent" in told
    terms = tuple(msgspec.structs.replace(term, bound_cents=term.spent_cents) for term in town.statement.terms)
    closed = msgspec.structs.replace(town.statement, terms=terms)
    best = Dossier.of(closed, town.ground, town.architecture, town.optics, IMPRINT)
    assert "No plan of this ground costs less; that is proved." in answer(best)


def test_a_budget_is_told_with_what_it_buys_at_most(town: Dossier, tmp_path: Path) -> None:
    cost_cents = town.statement.cost_cents
    choice = Choice(cost_cents + 100_00, default_worth(), 400, (CRITICAL,), 500, "an upper bound", ("who hangs where",))
    for bound_points, told in (
        (500, "no choice is worth over 25.0 per cent more"),
        (400, "Nobody chooses better"),
    ):
        chosen = msgspec.structs.replace(choice, bound_points=bound_points)
        statement = msgspec.structs.replace(town.statement, choice=chosen)
        dossier = Dossier.of(statement, town.ground, town.architecture, town.optics, IMPRINT)
        assert told in answer(dossier)
        assert "No plan that serves the same costs less than" in answer(dossier)
        write_papers(Format.HTML, dossier, tmp_path / "x.html")
        page = (tmp_path / "x.html").read_text(encoding="utf-8")
        assert "EUR\u00a0100" in page and "who hangs where" in page and f"{bound_points} points" in page


@pytest.mark.parametrize("format", [Format.HTML, Format.SPLICES])
def test_no_name_becomes_markup_on_a_page(format: Format, tmp_path: Path) -> None:
    write_papers(format, wicked_dossier(), tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "http" not in page.replace("http://example.org", "")
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for labels in re.findall(r'aria-labelledby="([^"]+)"', page):
        assert set(labels.split()) <= set(ids)


def test_the_splice_plan_has_a_page_for_each_site(town: Dossier, tmp_path: Path) -> None:
    write_papers(Format.SPLICES, town, tmp_path / "splices.html")
    page = (tmp_path / "splices.html").read_text(encoding="utf-8")
    standing = [site for site in town.design.sites if site.kind is not SiteKind.PREMISES]
    assert page.count('class="sheet"') == len(standing)
    for site in standing:
        assert f">{site.id}: " in page
        assert f'<th scope="col">At {site.id}</th>' in page  # what a further page of it is known by


@pytest.mark.parametrize("format", [format for format in Format if format is not Format.GPKG])
def test_equal_plans_give_equal_bytes(format: Format, town: Dossier, tmp_path: Path) -> None:
    again = Dossier.of(town.statement, town.ground, town.architecture, town.optics, IMPRINT)
    for name, dossier in (("a", town), ("b", again)):
        write_papers(format, dossier, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_files_have_names_and_types_and_known_parts(tmp_path: Path, town: Dossier) -> None:
    assert file_name(Format.HTML, "Ääkköset & Söhne, 1:32") == "aakkoset-sohne-1-32-report.html"
    assert file_name(Format.CSV, "東京", "bill") == "plan-bill.csv"
    assert media_type(Format.CSV).startswith("application/zip")
    assert media_type(Format.GEOJSON, "ways") == "application/geo+json"
    assert parts_of_format(Format.HTML) == ()
    for format, part in ((Format.HTML, "bill"), (Format.CSV, "ways"), (Format.GEOJSON, "bill")):
        with pytest.raises(InvalidInput, match="has no part"):
            write_papers(format, town, tmp_path / "x", part=part)
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_papers(Format.CSV, town, tmp_path / "nowhere" / "x")
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_no_sheet_holds_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("broadstreet.network.papers.workbook.MAX_ROWS", 6)
    long = Table("long", "Long", "", (Column("a", "A"),), [("x",)] * 3)
    with pytest.raises(TooLarge, match="3 rows"):
        write_workbook([long], tmp_path / "x.xlsx", title="t", date="2026-11-23", currency="EUR")


def test_archives_hold_what_they_say(town: Dossier, tmp_path: Path) -> None:
    held = {
        Format.CSV: {f"{name}.csv" for name in TABLES},
        Format.GEOJSON: {f"{name}.geojson" for name in parts_of_format(Format.GEOJSON)},
        Format.OFDS_GEOJSON: {"nodes.geojson", "spans.geojson"},
    }
    for format, names in held.items():
        write_papers(format, town, tmp_path / "x.zip")
        with zipfile.ZipFile(tmp_path / "x.zip") as found:
            assert set(found.namelist()) == names
            assert found.testzip() is None
