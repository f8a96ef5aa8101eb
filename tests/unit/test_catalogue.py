"""What things cost, how premises are reached, how much light is lost: the sheets, and what is wrong with bad ones."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.network.ground.architecture import (
    Architecture,
    Kind,
    check_architecture,
    default_architecture,
    read_architecture,
)
from broadstreet.network.ground.catalogue import (
    SURFACES,
    Catalogue,
    Surface,
    default_catalogue,
    default_sheet,
    read_catalogue,
)
from broadstreet.network.ground.optics import Optics, default_optics, read_optics
from broadstreet.network.ground.sheet import MAX_SHEET_BYTES, parse_sheet

CATALOGUE = default_sheet("catalogue.toml").decode()


def refused(text: str, kind: type[Catalogue] | type[Architecture] | type[Optics] = Catalogue) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_sheet(text.encode(), kind, "prices.toml")
    assert caught.value.where == "prices.toml"
    assert caught.value.remedy
    return caught.value.message


def without(table: str) -> str:
    """The catalogue without one of its tables."""
    parts = CATALOGUE.split(f"[{table}]")
    rest = parts[1].split("\n[", 1)
    return parts[0] + "[" + rest[1]


def test_prices_are_whole_cents_labour_and_material_apart() -> None:
    catalogue = default_catalogue()
    assert catalogue.currency == "EUR"
    assert catalogue.trench.asphalt.labour_per_m == 6200
    assert catalogue.trench.of(Surface.ASPHALT).per_m_cents == 8500
    assert catalogue.dig_cents_per_m(Surface.GRASS) == 2900 + 120
    assert catalogue.drop.cents(10.0) == 21300 + 22400
    assert {type(price) for price in (catalogue.splice.each_cents, catalogue.crossing.railway.labour_each)} == {int}
    assert all(catalogue.trench.of(surface).per_m_cents > 0 for surface in SURFACES)
    assert sorted(catalogue.cable) == [4, 12, 24, 48, 72, 96, 144, 288, 432]


def test_every_price_of_the_catalogue_that_comes_along_is_explained() -> None:
    """Each table has a comment, beside it or above its family."""
    assert tomllib.loads(CATALOGUE)
    paragraphs = CATALOGUE.split("\n\n")
    families = {"cable", "duct", "splitter", "closure", "cabinet", "splice"}
    for paragraph in paragraphs:
        head = paragraph.splitlines()[0]
        if head.startswith("["):
            family = head[1:].split(".")[0].rstrip("]")
            assert "#" in paragraph or any(f"# {family.capitalize()}s" in other for other in paragraphs), head
            assert family in families or "#" in paragraph, head


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            CATALOGUE.replace("labour_per_m = 62.00 ", "# "),
            "trench.asphalt.labour_per_m: is missing",
        ),
        (without("trench.sett"), "trench.sett: is missing: a table with labour_per_m, material_per_m"),
        (
            CATALOGUE.replace("= 62.00", "= -62.00"),
            "trench.asphalt.labour_per_m: a price is not negative; found -62.00",
        ),
        (
            CATALOGUE.replace("= 62.00", "= 62.001"),
            "trench.asphalt.labour_per_m: a price has whole cents; found 62.001",
        ),
        (CATALOGUE.replace("= 62.00", '= "62 EUR/m"'), "a price is a number alone, such as 62.50; found '62 EUR/m'"),
        (CATALOGUE.replace("= 62.00", "= true"), "a price is a number alone, such as 62.50; found True"),
        (CATALOGUE.replace("= 62.00", "= inf"), "a price is a number alone"),
        (CATALOGUE.replace("= 62.00", "= nan"), "a price is a number alone"),
        (CATALOGUE.replace("= 62.00", "= 62000.00"), "62000.00 is over the bound of 20000 for each metre"),
        (
            CATALOGUE.replace("labour_per_m = 62.00", "labour_per_km = 62.00"),
            "trench.asphalt.labour_per_km: there is no such entry; did you mean labour_per_m?",
        ),
        (CATALOGUE.replace("[splice]", "[splicing]"), "splicing: there is no such entry; did you mean splice?"),
        (CATALOGUE.replace('"EUR"', '"euro"'), "currency: "),
        (CATALOGUE.replace("[cable.4]", "[cable.four]"), "cable.four: the name of an entry here"),
        (CATALOGUE.replace("cables = 7", "cables = 0"), "duct.7 x 14.cables: "),
        (CATALOGUE.replace("cables = 7", "cables = 7.5"), "found 7.5"),
        (CATALOGUE.split("[trench.asphalt]")[0], "cable: is missing"),
        (CATALOGUE.split("[trench.asphalt]")[0] + "trench = 5\n", "trench: a table is expected here, not 5"),
        ("title = ", "this is not TOML"),
    ],
)
def test_a_bad_catalogue_is_refused_with_the_place(text: str, words: str) -> None:
    assert words in refused(text)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = refused(CATALOGUE.replace("= 62.00", "= -62.00").replace("each_street = 240.00", "each_stret = 240.00"))
    assert told.startswith("3 of its lines cannot be used: ")
    for place in ("trench.asphalt.labour_per_m", "permit.each_stret", "permit.each_street: is missing"):
        assert place in told
    nothing = refused('title = "none"\ncurrency = "EUR"\n')
    assert "trench: is missing" in nothing
    assert "splice: is missing" in nothing
    assert refused("\n".join(f"wrong-{n} = 1" for n in range(30))).endswith("; and 25 more")


def test_ducts_take_a_cable() -> None:
    text = CATALOGUE
    for fibres in (432, 144, 72, 24):
        text = text.replace(f"largest_cable_fibres = {fibres}\n", "largest_cable_fibres = 2\n")
        text = text.replace(f"largest_cable_fibres = {fibres} ", "largest_cable_fibres = 2 ")
    assert "no duct takes a cable" in refused(text)


def test_a_sheet_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(CATALOGUE.replace("= 62.00", "= 65"))
    assert read_catalogue(path).trench.asphalt.labour_per_m == 6500
    path.write_bytes(b'title = "\xff"')
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_catalogue(path)
    path.write_bytes(b" " * (MAX_SHEET_BYTES + 1))
    with pytest.raises(TooLarge, match="over the bound"):
        read_catalogue(path)
    with pytest.raises(NotFound, match="no such file"):
        read_catalogue(tmp_path / "none.toml")


def test_an_architecture_says_how_many_share_a_fibre(tmp_path: Path) -> None:
    sheet = default_sheet("architecture.toml").decode()
    assert default_architecture().split == 32
    path = tmp_path / "own.toml"
    path.write_text(sheet.replace("splitters = [32] ", "splitters = [4, 8] "))
    assert read_architecture(path).split == 32
    path.write_text(sheet.replace("splitters = [32] ", "splitters = [] ").replace('"pon" ', '"point_to_point" '))
    assert (read_architecture(path).split, read_architecture(path).kind) == (1, Kind.POINT_TO_POINT)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("splitters = [32]", "splitters = []", "a PON has one or two stages"),
        ('kind = "pon"', 'kind = "point_to_point"', "has none: write []"),
        ("splitters = [32]", "splitters = [16, 16]", "256 premises on one fibre are over the bound of 128"),
        ("splitters = [32]", "splitters = [2, 2, 2]", "splitters: "),
        ("spare_feeder = 0.25", "spare_feeder = -0.25", "spare_feeder: "),
        ('kind = "pon"', 'kind = "pan"', "kind: "),
    ],
)
def test_a_bad_architecture_is_refused(old: str, new: str, words: str) -> None:
    assert words in refused(default_sheet("architecture.toml").decode().replace(old, new), Architecture)


def test_optics_know_the_classes_of_the_standards(tmp_path: Path) -> None:
    optics = default_optics()
    bounds = {name: (of.least_loss_db, of.most_loss_db) for name, of in optics.classes.items()}
    assert bounds == {
        "B+": (13, 28),
        "C+": (17, 32),
        "N1": (14, 29),
        "N2": (16, 31),
        "E1": (18, 33),
        "E2": (20, 35),
        "10GBASE-LR": (0, 6.2),
    }
    assert optics.worst_db_per_km("B+") == 0.40
    assert optics.worst_db_per_km("N1") == 0.47
    assert [optics.splitter[ratio].loss_db for ratio in (2, 32)] == [4.2, 17.8]
    path = tmp_path / "optics.toml"
    path.write_bytes(default_sheet("optics.toml"))
    assert read_optics(path) == optics


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("least_loss_db = 13.0", "least_loss_db = 29.0", "classes.B+: least_loss_db (29.0) is not under most_loss_db"),
        ("[fibre.1490]", "[fibre.1491]", "classes.B+: fibre.1490 is missing"),
        ("[fibre.1490]", "[fibre.149]", "fibre.149: the name of an entry here"),
    ],
)
def test_bad_optics_are_refused(old: str, new: str, words: str) -> None:
    assert words in refused(default_sheet("optics.toml").decode().replace(old, new), Optics)


def test_an_architecture_asks_only_for_what_has_a_price_a_loss_and_a_class() -> None:
    catalogue, optics = default_catalogue(), default_optics()
    check_architecture(default_architecture(), catalogue, optics)
    sheet = default_sheet("architecture.toml").decode()
    for old, new, words in (
        ("[32]", "[3]", "a splitter of 3 has no price"),
        ('"B+"', '"Z"', "there is no optical class Z"),
    ):
        asked = parse_sheet(sheet.replace(old, new).encode(), Architecture, "own")
        with pytest.raises(InvalidInput, match=words):
            check_architecture(asked, catalogue, optics)
