"""Layers of a city's own: what is read of each form, and what is refused, with the place and what to do."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely
from pyproj import Transformer
from shapely import LineString, MultiLineString, Point

from broadstreet.model.errors import BroadstreetError, InvalidInput, NotFound, TooLarge
from broadstreet.model.geometry import Box
from broadstreet.network.ground import layer as layers
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import Surface, default_catalogue
from broadstreet.network.ground.columns import (
    DemandColumns,
    OfficeColumns,
    PlantColumns,
    StreetColumns,
    chamber_layer,
    demand_layer,
    office_layer,
    plant_layer,
    site_layer,
    street_layer,
)
from broadstreet.network.ground.fault import FaultKind, Misplaced
from broadstreet.network.ground.layer import Layer, read_layer
from broadstreet.network.ground.plant import plant_of
from broadstreet.network.ground.premises import Demand, Needs, PremisesKind
from broadstreet.network.ground.projection import likely
from broadstreet.network.ground.streets import WayKind
from tests.ground import at, line

HELSINKI = Box(24.93, 60.16, 24.96, 60.18)
CITY_GRID = Transformer.from_crs("EPSG:4326", "EPSG:3879", always_xy=True)
STREETS = [line((0, 0), (400, 0)), line((200, 0), (200, 600)), line((200, 600), (900, 600))]
FORMS = {".gpkg": "GPKG", ".geojson": "GeoJSON", ".shp": "ESRI Shapefile"}


def in_grid(shape: Any) -> Any:
    """A shape in the metres of Helsinki's own projection."""
    return shapely.transform(shape, lambda p: np.column_stack(CITY_GRID.transform(p[:, 0], p[:, 1])))


def write(path: Path, shapes: list[Any], crs: str | None, **columns: list[Any]) -> Path:
    """A layer as any program would write it."""
    kind = shapes[0].geom_type if len({shape.geom_type for shape in shapes}) == 1 else "Unknown"
    names, values = list(columns), [np.array(column) for column in columns.values()]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "'crs' was not provided", UserWarning)
        wkb = np.array(shapely.to_wkb(shapes), dtype=object)
        pyogrio.raw.write(path, wkb, values, names, driver=FORMS[path.suffix], geometry_type=kind, crs=crs)
    return path


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city's own streets, in its own projection."""
    path = tmp_path_factory.mktemp("layers") / "streets.gpkg"
    columns: dict[str, list[Any]] = {
        "ref": [7, 8, 9],
        "street": ["High", "Cross", "Side"],
        "pave": ["asf", "sett", "mud"],
        "dig": ["yes", "yes", "no"],
    }
    return write(path, [in_grid(street) for street in STREETS], "EPSG:3879", **columns)


def refused(error: type[BroadstreetError], path: Path, **how: Any) -> BroadstreetError:
    with pytest.raises(error) as caught:
        read_layer(path, **how)
    assert caught.value.where
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("suffix", sorted(FORMS))
def test_every_form_is_read_in_its_own_projection(tmp_path: Path, suffix: str) -> None:
    own = suffix != ".geojson"
    shapes = [in_grid(street) for street in STREETS] if own else STREETS
    path = write(tmp_path / f"a{suffix}", shapes, "EPSG:3879" if own else "EPSG:4326", ref=[1, 2, 3])
    found = read_layer(path, expected=HELSINKI)
    assert found.numbers == (1, 2, 3)
    assert found.columns["ref"].tolist() == [1, 2, 3]
    for drawn, read in zip(STREETS, found.shapes, strict=True):
        assert np.allclose(shapely.get_coordinates(drawn), shapely.get_coordinates(read), atol=1e-7)


def test_a_table_is_read_by_its_longitudes(tmp_path: Path) -> None:
    path = tmp_path / "homes.csv"
    path.write_text("id,lon,lat,people,jobs\nh1,24.94,60.17,220,\nh2,24.95,60.171,0,30\nh3,24.95,60.172,0,0\n")
    found = read_layer(path, expected=HELSINKI)
    rows = demand_layer(found, DemandColumns(id="id", persons="people", jobs="jobs"), Needs())
    assert [(row.id, row.kind, row.households, row.jobs, row.fibres) for row in rows] == [
        ("h1", PremisesKind.AREA, pytest.approx(100), 0.0, 100),
        ("h2", PremisesKind.AREA, 0.0, 30.0, 3),
        ("h3", PremisesKind.AREA, 0.0, 0.0, 0),
    ]
    assert (rows[0].lon, rows[0].lat) == (24.94, 60.17)
    assert rows[1].weight == pytest.approx(6.0)
    assert len(read_layer(path, within=Box(24.945, 60.1705, 24.955, 60.1715))) == 1
    path.write_text("id,east,north\nh1,24.94,60.17\n")
    assert "columns named lon and lat" in str(refused(InvalidInput, path).remedy)


def test_streets_of_a_layer(grid: Path) -> None:
    names = StreetColumns(
        id="ref",
        name="street",
        surface="pave",
        surfaces={"asf": Surface.ASPHALT},
        may_dig="dig",
        surface_otherwise=Surface.UNPAVED,
    )
    streets, faults = street_layer(read_layer(grid), names)
    assert not faults
    found = [streets.traits[number] for number in streets.trait.tolist()]
    assert [(trait.name, trait.surface, trait.may_dig) for trait in found] == [
        ("High", Surface.ASPHALT, True),
        ("Cross", Surface.SETT, True),
        ("Side", Surface.UNPAVED, False),
    ]
    assert streets.sources == ("7", "8", "9")
    ground = put_together(streets, Demand.of(()), default_catalogue())
    # The lane ends on the middle of the high street, which has no point there.
    assert len(ground.ways) == 4


def test_only_a_part_is_read_where_one_is_given(grid: Path) -> None:
    (west, south), (east, north) = at(300, 500), at(500, 700)
    assert read_layer(grid, within=Box(west, south, east, north)).columns["street"].tolist() == ["Side"]


def test_plant_chambers_sites_and_offices_of_layers(tmp_path: Path) -> None:
    ducts = [line((0, 3), (200, 3)), MultiLineString([line((0, 9), (9, 9)), line((20, 9), (30, 9))])]
    path = write(tmp_path / "d.gpkg", ducts, "EPSG:4326", ref=["a", "b"], free=[3, 0], what=["duct", "pole_line"])
    lines, faults = plant_layer(read_layer(path), PlantColumns(id="ref", kind_column="what", room="free"))
    assert not faults
    assert [(one.id, one.kind, one.room) for one in lines] == [
        ("a", WayKind.DUCT, 3),
        ("b", WayKind.POLE_LINE, 0),
        ("b.1", WayKind.POLE_LINE, 0),
    ]
    points = write(
        tmp_path / "p.geojson", [Point(at(100, 3)), Point(at(150, 3))], "EPSG:4326", name=["A", "B"], up=["no", "yes"]
    )
    found = read_layer(points)
    chambers = chamber_layer(found)
    assert len(plant_of(lines, chambers).pieces.a) == 5
    assert [(site.id, site.label, site.is_critical) for site in site_layer(found, DemandColumns(label="name"))] == [
        ("1", "A", False),
        ("2", "B", False),
    ]
    assert [site.is_critical for site in site_layer(found, DemandColumns(critical="up"))] == [False, True]
    assert all(site.is_critical for site in site_layer(found, DemandColumns(all_critical=True)))
    offices = office_layer(found, OfficeColumns(id="name", given="up"))
    assert [(office.id, office.given) for office in offices] == [("A", False), ("B", True)]


def test_premises_of_a_layer_without_counts_are_households(tmp_path: Path) -> None:
    shapes = [Point(at(1, 1)), shapely.box(*at(0, 0), *at(50, 50))]
    path = write(tmp_path / "p.gpkg", shapes, "EPSG:4326", n=[1.0, 12.0], seen=[True, False])
    rows = demand_layer(read_layer(path), DemandColumns(), Needs())
    assert [(row.id, row.kind, row.fibres) for row in rows] == [
        ("1", PremisesKind.ADDRESS, 1),
        ("2", PremisesKind.AREA, 1),
    ]
    rows = demand_layer(
        read_layer(path),
        DemandColumns(households="n", fibres="n", kind=PremisesKind.BUSINESS, critical="seen"),
        Needs(),
    )
    assert [(row.kind, row.fibres, row.is_critical) for row in rows] == [
        (PremisesKind.BUSINESS, 1, True),
        (PremisesKind.BUSINESS, 12, False),
    ]


def test_a_layer_without_a_projection_is_refused_and_told_which_would_fit(tmp_path: Path) -> None:
    path = write(tmp_path / "a.shp", [in_grid(street) for street in STREETS], None, n=[1, 2, 3])
    error = refused(InvalidInput, path, expected=HELSINKI)
    assert error.message == "this layer states no projection"
    assert error.where is not None
    assert error.where.startswith(f"{path}, at x 254")
    assert "look like metres: EPSG:3879 (ETRS89 / GK25FIN) " in str(error.remedy)
    assert "would put it here" in str(error.remedy)
    assert "such as EPSG:3879" in str(refused(InvalidInput, path).remedy)
    assert len(read_layer(path, crs="EPSG:3879", expected=HELSINKI)) == 3
    degrees = write(tmp_path / "b.shp", STREETS, None, n=[1, 2, 3])
    assert "look like degrees: state EPSG:4326" in str(refused(InvalidInput, degrees).remedy)
    assert "no projection that is known" in refused(InvalidInput, degrees, crs="EPSG:1").message


def test_metres_that_call_themselves_degrees_are_refused_with_the_feature(tmp_path: Path) -> None:
    """GeoJSON has degrees by its standard; many files have not."""
    path = tmp_path / "a.geojson"
    shapes = [STREETS[0], in_grid(STREETS[1])]
    features = [{"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shape)} for shape in shapes]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    error = refused(InvalidInput, path, expected=HELSINKI)
    assert error.message == "this layer says that it is in degrees (EPSG:4326), and is not"
    assert error.where is not None
    assert error.where.startswith(f"{path}, feature 2, at x 254")
    assert "EPSG:3879 (ETRS89 / GK25FIN)" in str(error.remedy)
    assert isinstance(error, Misplaced)
    meant, streets = error.faults
    assert (meant.what, streets.what) == (
        "in EPSG:3879 (ETRS89 / GK25FIN) the layer's points would lie here",
        "the streets lie here",
    )
    assert HELSINKI.west < meant.lon < HELSINKI.east and HELSINKI.south < meant.lat < HELSINKI.north


def test_a_layer_far_from_where_it_is_expected_is_refused(grid: Path, tmp_path: Path) -> None:
    error = refused(InvalidInput, grid, crs="EPSG:25833", expected=HELSINKI)
    assert error.message == "this coordinate cannot be in EPSG:25833, as is stated"
    assert "EPSG:3879" in str(error.remedy)
    national = write(tmp_path / "n.gpkg", [Point(385_600, 6_671_900)], "EPSG:32633", n=[1])
    error = refused(InvalidInput, national, expected=HELSINKI)
    assert error.message.startswith("in EPSG:32633 this layer lies")
    assert error.message.endswith("km from the streets")
    assert "EPSG:3067" in str(error.remedy)
    swapped = [LineString([(y, x) for x, y in street.coords]) for street in STREETS]
    path = write(tmp_path / "s.geojson", swapped, "EPSG:4326", n=[1, 2, 3])
    error = refused(InvalidInput, path, expected=HELSINKI)
    assert "latitude before longitude" in error.message
    assert error.remedy == "Put longitude first."
    assert isinstance(error, Misplaced)
    lies, *meant, _ = error.faults
    assert lies.lat < 30 < 60 < min(fault.lat for fault in meant)
    away = write(tmp_path / "w.geojson", [LineString([(0, 0), (1, 1)])], "EPSG:4326", n=[1])
    assert "Give the layer of this place" in str(refused(InvalidInput, away, expected=HELSINKI).remedy)


def test_projections_that_fit_come_first_for_the_smallest_areas() -> None:
    x, y = CITY_GRID.transform(24.94, 60.17)
    assert likely(x, y, HELSINKI)[0].startswith("EPSG:3879")
    assert likely(2776288, 8437512, HELSINKI)[-1].startswith("EPSG:3857")
    assert likely(1.0, 2.0, HELSINKI) == []


def test_features_without_a_shape_or_of_another_kind_are_faults(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    shapes = [STREETS[0], None, Point(at(50, 50)), STREETS[1]]
    features = [
        {"type": "Feature", "properties": {}, "geometry": shape and shapely.geometry.mapping(shape)} for shape in shapes
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    streets, faults = street_layer(read_layer(path), StreetColumns())
    assert streets.sources == ("1", "4")
    assert [fault.kind for fault in faults] == [FaultKind.BAD_GEOMETRY] * 2
    assert faults[0].what == f"feature 2 of {path} has no shape"
    assert faults[1].what == f"feature 3 of {path} is a Point, not a line"
    assert (faults[1].lon, faults[1].lat) == at(50, 50)
    ground = put_together(streets, Demand.of(()), default_catalogue(), faults=faults)
    assert set(faults) <= set(ground.faults)


@pytest.mark.parametrize(
    ("read", "words", "column"),
    [
        (lambda layer: street_layer(layer, StreetColumns(name="nme")), "there is no column 'nme'", ""),
        (lambda layer: street_layer(layer, StreetColumns(may_dig="street")), "yes or no is expected", "street"),
        (lambda layer: street_layer(layer, StreetColumns(level="street")), "a whole number is expected", "street"),
        (lambda layer: demand_layer(layer, DemandColumns(jobs="street"), Needs()), "a number is expected", "street"),
        (lambda layer: plant_layer(layer, PlantColumns(kind="drain")), "'drain' is none of duct, fibre", "kind"),
    ],
)
def test_a_column_that_cannot_be_used_is_refused_with_its_place(grid: Path, read: Any, words: str, column: str) -> None:
    layer = read_layer(grid)
    with pytest.raises(InvalidInput) as caught:
        read(layer)
    assert words in caught.value.message
    where = str(caught.value.where)
    assert where == str(grid) if not column else where.startswith(f"{grid}, feature 1, {column} (lon 24.9")
    assert caught.value.remedy


def test_an_amount_is_not_negative(tmp_path: Path) -> None:
    path = write(tmp_path / "p.gpkg", [Point(at(1, 1))], "EPSG:4326", n=[-3.0])
    with pytest.raises(InvalidInput, match="a number of 0 or more is expected, not -3"):
        demand_layer(read_layer(path), DemandColumns(persons="n"), Needs())


def test_what_is_no_layer_is_not_opened(tmp_path: Path) -> None:
    refused(NotFound, tmp_path / "none.gpkg")
    for name, content in (
        ("a.gpkg", b"<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>"),
        ("a.csv", b"<OGRVRTDataSource><OGRVRTLayer/></OGRVRTDataSource>"),
        ("a.geojson", b"SQLite format 3\x00"),
        ("a.shp", b"{}"),
        ("a.kml", b"<kml/>"),
        ("empty.gpkg", b""),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert refused(InvalidInput, path).message.startswith("this is not ")
    broken = tmp_path / "b.geojson"
    broken.write_text('{"type": "FeatureCollection", "features": [{"type": "Fea')
    assert "cannot be read" in refused(InvalidInput, broken).message
    broken.write_text('{"type": "FeatureCollection", "features": "none"}')
    assert "cannot be read" in refused(InvalidInput, broken).message
    broken.write_text('{"type": "Feature", "geometry": null}')
    (fault,) = read_layer(broken, expected=HELSINKI).faults
    assert (fault.lon, fault.lat) == pytest.approx((24.945, 60.17))


def test_a_layer_is_named(grid: Path) -> None:
    assert len(read_layer(grid, layer="streets")) == 3
    error = refused(InvalidInput, grid, layer="roads")
    assert (error.message, error.remedy) == ("there is no layer 'roads'", "It has: streets.")


def test_a_file_of_200_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    with path.open("wb") as file:
        file.write(b'{"type": "FeatureCollection", "features": [')
        file.truncate(200_000_000)
    error = refused(TooLarge, path)
    assert error.message == "GeoJSON of 200 MB is over the bound of 100 MB"
    assert "GeoPackage" in str(error.remedy)


def test_more_features_than_the_bound_are_refused(grid: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "MAX_FEATURES", 2)
    error = refused(TooLarge, grid)
    assert error.message == "this layer has more than 2 features"
    assert "only that part is read" in str(error.remedy)
    monkeypatch.setattr(layers, "MAX_FEATURES", 3)
    found: Layer = read_layer(grid)
    assert len(found) == 3
