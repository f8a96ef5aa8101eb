"""The ground put together: who hangs where, what it costs, what rules say, and what is wrong, with its place."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from shapely import box

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.assembly import Limits, put_together
from broadstreet.network.ground.catalogue import SURFACES, Surface, default_catalogue
from broadstreet.network.ground.drawing import faults_geojson, offices_geojson, premises_geojson, ways_geojson
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.obstacles import Obstacle, Obstacles
from broadstreet.network.ground.office import Office, spread_offices
from broadstreet.network.ground.plant import PlantLine, plant_of
from broadstreet.network.ground.premises import NOBODY, Demand, Needs, PremisesKind, Site, sites
from broadstreet.network.ground.rules import Rules
from broadstreet.network.ground.streets import Streets, Trait, WayKind
from tests.ground import Metres, at, line, metres, premises, streets, trait

CATALOGUE = default_catalogue()
HIGH, CROSS, SIDE = line((0, 0), (400, 0)), line((200, 0), (200, 300)), line((200, 300), (500, 300))
TOWN = streets(
    [HIGH, CROSS, SIDE],
    traits=[trait("High Street"), trait("Cross Lane", surface=Surface.SETT), trait("Side Way", category="service")],
)


def together(places: Sequence[Metres] = (), town: Streets = TOWN, *, rules: Rules | None = None, **more: Any) -> Ground:
    return put_together(town, premises(places), CATALOGUE, rules=rules, **more)


def node_place(ground: Ground, premises_number: int) -> Metres:
    node = ground.premises.node[premises_number]
    return metres(ground.lon[node], ground.lat[node])


def found(ground: Ground, kind: FaultKind) -> list[Fault]:
    return [fault for fault in ground.faults if fault.kind is kind]


def usable_names(ground: Ground) -> set[str]:
    ways = ground.ways
    return {ground.streets[street] for street in ways.street[ways.usable].tolist()}


def test_premises_hang_on_the_nearest_point_of_a_street_in_their_order() -> None:
    ground = together([(300, 20), (100, -30), (150, 10), (230, 150)])
    assert [node_place(ground, i) for i in range(4)] == [(300, 0), (100, 0), (150, 0), (200, 150)]
    assert ground.premises.drop_m == pytest.approx([20, 30, 10, 30], abs=0.01)
    assert ground.premises.side.tolist() == [1, -1, 1, -1]
    ways = ground.ways
    assert len(ways) == 4 + 4
    assert ways.length_m.sum() == pytest.approx(1000, abs=0.05)
    names = [ground.streets[street] for street in ways.street.tolist()]
    assert sorted(names) == ["Cross Lane"] * 2 + ["High Street"] * 5 + ["Side Way"]
    assert {ground.way_ids[way] for way in ground.premises.way.tolist()} <= set(ground.way_ids)
    starts = ways.courses.starts
    for i in range(len(ways)):
        first, last = starts[i], starts[i + 1] - 1
        assert (ground.lon[ways.a[i]], ground.lat[ways.a[i]]) == (ways.courses.lon[first], ways.courses.lat[first])
        assert (ground.lon[ways.b[i]], ground.lat[ways.b[i]]) == (ways.courses.lon[last], ways.courses.lat[last])


def test_premises_at_the_same_point_share_a_node_and_those_at_a_corner_take_it() -> None:
    ground = together([(100, 20), (100.2, -30), (200.1, -20), (101, 5)])
    nodes = ground.premises.node.tolist()
    assert nodes[0] == nodes[1] != nodes[3]
    assert node_place(ground, 2) == (200, 0)
    assert len(ground.ways) == 4 + 2
    assert ground.premises.drop_m[1] == pytest.approx(30, abs=0.01)


def test_what_no_street_reaches_is_a_fault_with_its_place() -> None:
    ground = together([(100, 20), (95, 160), (90_000, 0)])
    assert ground.premises.demand.ids == ("p000",)
    assert ground.counts.unreached == 2
    (far,) = found(ground, FaultKind.UNREACHED)
    assert (far.lon, far.lat) == at(95, 160)
    assert far.what == "House 1 (p001) is reached by no street: the nearest that may be dug is 105 m away"
    (outside,) = found(ground, FaultKind.OUTSIDE)
    assert "outside the map: the nearest street is 89 km away" in outside.what
    assert together([(95, 160)], limits=Limits(drop_m=110)).counts.unreached == 0


def test_areas_may_lie_farther_off_and_whoever_needs_nothing_is_counted() -> None:
    areas = premises([(100, 300), (100, -300)], kind=PremisesKind.AREA)
    assert put_together(TOWN, areas, CATALOGUE).counts.unreached == 0
    nobody = put_together(TOWN, premises([(1, 1), (2, 2)], fibres=0), CATALOGUE)
    assert (nobody.counts.demand, nobody.counts.without_need, len(nobody.premises)) == (2, 2, 0)
    assert put_together(TOWN, NOBODY, CATALOGUE).premises.demand.ids == ()


def test_ways_cost_what_the_catalogue_says() -> None:
    ways = together().ways
    per_m = {SURFACES[surface]: cents for surface, cents in zip(ways.surface, ways.cents_per_m, strict=True)}
    assert per_m == {Surface.ASPHALT: 8500 + 120, Surface.SETT: 9200 + 120}
    assert ways.fixed_cents.tolist() == [0] * 4
    lane = int(np.flatnonzero(ways.surface == SURFACES.index(Surface.SETT))[0])
    assert ways.open_cents[lane] == round(ways.length_m[lane] * 9320)
    assert ways.open_cents.dtype == np.int64


def test_what_lies_across_a_way_costs_once_unless_the_way_is_a_bridge() -> None:
    tracks = [(Obstacle.RAILWAY, line((300 + i, -50), (300 + i, 50))) for i in range(5)]
    water = box(*at(210, 280), *at(260, 320))
    across = Obstacles.of([*tracks, (Obstacle.WATER, water), (Obstacle.TRAM, line((100, -9), (100, 9)))])
    ways = together(obstacles=across).ways
    crossing = CATALOGUE.crossing
    assert sorted(ways.fixed_cents.tolist()) == sorted(
        [0, crossing.tram.each_cents, crossing.railway.each_cents, crossing.water.each_cents]
    )
    assert ways.crossings.sum(axis=0).tolist() == [1, 1, 1]
    # Premises to both sides of a crossing: it stays with the piece that crosses.
    assert sum(together([(250, 9), (350, 9)], obstacles=across).ways.fixed_cents > 0) == 3
    bridge = streets([HIGH], traits=[trait(surface=Surface.BRIDGE)])
    assert together(town=bridge, obstacles=across).ways.fixed_cents.tolist() == [0]
    footway = Trait(WayKind.CROSSING, Surface.ASPHALT, True, "", "footway")
    assert together(town=streets([HIGH], traits=[footway])).ways.fixed_cents[0] == crossing.street.each_cents


def test_streets_are_closed_by_name_id_category_and_area() -> None:
    everything = {"High Street", "Cross Lane", "Side Way"}
    assert usable_names(together()) == everything
    assert usable_names(together(rules=Rules(closed=("high street",)))) == everything - {"High Street"}
    assert usable_names(together(rules=Rules(closed=("way/1",)))) == everything - {"Cross Lane"}
    way = together().way_ids[0]
    assert len(usable_names(together(rules=Rules(closed=(way,))))) < 4
    assert usable_names(together(rules=Rules(closed_categories=("service",)))) == everything - {"Side Way"}
    area = {
        "type": "Polygon",
        "coordinates": [[list(at(*p)) for p in ((300, 250), (350, 250), (320, 310), (300, 250))]],
    }
    assert usable_names(together(rules=Rules(closed_areas=(area,)))) == everything - {"Side Way"}
    # A premises then hangs on the next street that may be dug.
    ground = together([(190, 20)], rules=Rules(closed=("Cross Lane",)))
    assert node_place(ground, 0) == (190, 0)


def test_motorways_are_not_dug_along_unless_opened_and_crossings_may_be_forbidden() -> None:
    town = streets([HIGH, CROSS], traits=[trait("A 1", category="motorway"), trait("B")])
    assert usable_names(together(town=town)) == {"B"}
    assert usable_names(together(town=town, rules=Rules(opened=("A 1",)))) == {"A 1", "B"}
    private = streets([HIGH, CROSS], traits=[trait("Yard", may_dig=False), trait("B")])
    assert usable_names(together(town=private)) == {"B"}
    assert usable_names(together(town=private, rules=Rules(opened=("way/0",)))) == {"Yard", "B"}
    rail = Obstacles.of([(Obstacle.RAILWAY, line((300, -50), (300, 50)))])
    forbidden = Rules(closed_crossings=(Obstacle.RAILWAY,))
    assert together(obstacles=rail).ways.usable.all()
    assert not together(obstacles=rail, rules=forbidden).ways.usable.all()


def test_locked_ways_are_locked_piece_by_piece() -> None:
    ground = together([(100, 10)], rules=Rules(locked=("High Street",)))
    high = ground.ways.street == ground.streets.index("High Street")
    assert (ground.ways.locked == high).all()


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (Rules(closed=("Cross Lane",), locked=("way/1",)), "Cross Lane (way {id}) is locked, and closed as well"),
        (Rules(closed=("Cross Lane",), opened=("way/1",)), "Cross Lane (way {id}) is opened, and closed as well"),
        (
            Rules(
                locked=("Cross Lane",),
                closed_areas=({"type": "Polygon", "coordinates": [[[24, 60], [25, 60], [25, 61], [24, 60]]]},),
            ),
            "Cross Lane (way {id}) is locked, and closed as well",
        ),
        (
            Rules(locked=("Cross Lane",), closed_crossings=(Obstacle.TRAM,)),
            "Cross Lane (way {id}) is locked, and crosses what may not be crossed (tram)",
        ),
    ],
)
def test_rules_that_contradict_each_other_are_refused_with_the_place(rules: Rules, words: str) -> None:
    tram = Obstacles.of([(Obstacle.TRAM, line((150, 100), (250, 100)))])
    open_ground = together()
    lane = int(np.flatnonzero(open_ground.ways.street == open_ground.streets.index("Cross Lane"))[0])
    id = open_ground.way_ids[open_ground.ways.way[lane]]
    with pytest.raises(BadGround) as caught:
        together(rules=rules, obstacles=tram)
    assert caught.value.where == "rules"
    assert words.format(id=id) in caught.value.message
    (fault,) = caught.value.faults
    assert fault.kind is FaultKind.CONTRADICTION
    assert metres(fault.lon, fault.lat)[0] == 200
    assert fault.place in caught.value.message


@pytest.mark.parametrize(
    ("rules", "where", "remedy"),
    [
        (Rules(closed=("Hihg Street",)), "rules, closed", "Did you mean High Street?"),
        (Rules(locked=("way/9",)), "rules, locked", "Look for it on the map"),
        (
            Rules(closed_areas=({"type": "Polygon", "coordinates": [[[4, 6], [5, 6], [5, 7], [4, 6]]]},)),
            "closed_areas[0], lon 4.",
            "Longitude comes first",
        ),
        (Rules(closed_areas=({"type": "Point", "coordinates": [24, 60]},)), "closed_areas[0]", "Draw a polygon"),
    ],
)
def test_a_rule_that_names_nothing_is_refused(rules: Rules, where: str, remedy: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        together(rules=rules)
    assert str(caught.value.where).startswith(where)
    assert remedy in str(caught.value.remedy)


def test_a_ground_where_nothing_may_be_dug_is_refused() -> None:
    with pytest.raises(BadGround, match="none of the streets may be dug"):
        together(rules=Rules(closed_categories=("residential", "service")))
    with pytest.raises(BadGround, match="there is no street at all"):
        together(town=streets([]))


def test_nothing_hangs_on_an_island_and_its_place_is_told() -> None:
    town = streets([HIGH, CROSS, line((60, 60), (120, 60), (130, 90))])
    ground = together([(100, 55)], town)
    assert node_place(ground, 0) == (100, 0)
    (fault,) = found(ground, FaultKind.ISLAND)
    assert fault.what == "92 m of ways hang together here, and with no other"
    assert (fault.lon, fault.lat) == at(120, 60)
    assert (ground.counts.islands, round(ground.counts.island_m)) == (1, 92)
    assert node_place(together([(100, 55)], town, limits=Limits(island_m=50)), 0) == (100, 60)


def test_offices_hang_too_and_premises_that_none_reaches_are_faults() -> None:
    town = streets([HIGH, CROSS, line((0, 900), (700, 900))])
    alone = [Office("b", "North", *at(350, 910), given=False), Office("a", "South", *at(10, -20))]
    ground = together([(100, 10), (100, 890)], town, offices=alone)
    assert ground.offices.ids == ("a", "b")
    assert ground.offices.lead_m == pytest.approx([20, 10], abs=0.01)
    assert ground.offices.given.tolist() == [True, False]
    assert ground.offices.cents.tolist() == [0, CATALOGUE.central_office.each_cents]
    assert sorted(ground.part.tolist()) == [0] * 6 + [1] * 4
    cut_off = together([(100, 10), (100, 890)], town, offices=alone[1:])
    assert cut_off.premises.demand.ids == ("p000",)
    (fault,) = found(cut_off, FaultKind.UNREACHED)
    assert "lies on streets from which no central office can be reached" in fault.what
    assert len(together([(100, 10), (100, 890)], town).premises) == 2
    lost = together(offices=[Office("x", "Nowhere", *at(5000, 0), cents=7)])
    assert found(lost, FaultKind.UNREACHED_OFFICE)[0].what.startswith("the central office Nowhere (x) is reached by no")
    with pytest.raises(InvalidInput, match="two central offices have the id a"):
        together(offices=[alone[1], alone[1]])


def test_candidates_are_spread_by_where_fibres_are_needed() -> None:
    around = [(x + 10 * i, y + 7 * i) for x, y in ((0, 0), (5000, 0), (0, 5000)) for i in range(9)]
    found = spread_offices(premises(around), 3)
    assert {office.label for office in found} == {"House 4", "House 13", "House 22"}
    assert [office.id for office in found] == ["candidate-1", "candidate-2", "candidate-3"]
    assert not any(office.given for office in found)
    assert spread_offices(premises(around), 3) == found
    assert len(spread_offices(premises([(1, 1), (1, 1), (9, 9)]), 10)) == 2
    assert spread_offices(premises(around, fibres=0), 3) == spread_offices(NOBODY, 3) == []
    many = [(float(i % 40) ** 2, float(i // 40) ** 3) for i in range(400)]
    assert len({(office.lon, office.lat) for office in spread_offices(premises(many), 30)}) > 20


def test_ducts_are_ways_of_their_own_that_cost_little() -> None:
    duct = PlantLine("d1", WayKind.DUCT, line((100, 5), (300, 5)), room=2, label="Duct 1")
    poles = PlantLine("p1", WayKind.POLE_LINE, line((200, 300), (400, 0)))
    full = PlantLine("d2", WayKind.DUCT, line((100, 8), (300, 8)), room=0)
    far = PlantLine("d3", WayKind.DUCT, line((100, 5000), (300, 5000)), room=1)
    ground = together(plant=plant_of([duct, poles, full, far]))
    ways = ground.ways
    kinds = [WayKind(kind) for kind in ways.kind.tolist()]
    assert kinds.count(WayKind.DUCT) == 3
    assert kinds.count(WayKind.LINK) == 4
    mine = kinds.index(WayKind.DUCT)
    assert ways.length_m[mine] == pytest.approx(200, abs=0.01)
    assert ground.way_ids[ways.way[mine]] == "d1"
    assert ways.room[mine] == 2
    assert ways.cents_per_m[mine] == 300
    assert ways.usable[mine]
    second = ways.way.tolist().index(ground.way_ids.index("d2"))
    assert not ways.usable[second]
    pole = kinds.index(WayKind.POLE_LINE)
    assert ways.cents_per_m[pole] == 590
    links = ways.kind == WayKind.LINK
    assert sorted(np.round(ways.length_m[links]).tolist()) == [5, 5, 8, 8]
    assert set(ways.cents_per_m[links].tolist()) == {8620}
    (fault,) = found(ground, FaultKind.UNCONNECTED_PLANT)
    assert fault.what == "the plant d3 ends nowhere near a street that may be dug"
    # The pole line ends on the streets' own corners: there its nodes are theirs.
    assert {ways.a[pole], ways.b[pole]} <= set(ways.a[ways.kind == WayKind.STREET]) | set(
        ways.b[ways.kind == WayKind.STREET]
    )


def test_chambers_are_where_a_duct_can_be_reached() -> None:
    lon, lat = (np.array([axis]) for axis in at(150, 6))
    duct = PlantLine("d1", WayKind.DUCT, line((100, 5), (300, 5)))
    ground = together(plant=plant_of([duct], (lon, lat)))
    kinds = ground.ways.kind.tolist()
    assert (kinds.count(WayKind.DUCT), kinds.count(WayKind.LINK)) == (2, 3)


def test_a_duct_joins_an_island_to_the_rest() -> None:
    town = streets([HIGH, CROSS, line((0, 60), (120, 60))])
    duct = PlantLine("d1", WayKind.DUCT, line((100, 1), (100, 59)))
    ground = together([(50, 65)], town, plant=plant_of([duct]), offices=[Office("a", "A", *at(300, 5))])
    assert len(ground.premises) == 1
    assert not ground.faults


def test_plant_is_named_once_and_is_plant() -> None:
    duct = PlantLine("d1", WayKind.DUCT, HIGH)
    with pytest.raises(InvalidInput, match="two pieces of plant have the id d1"):
        plant_of([duct, duct])
    with pytest.raises(InvalidInput, match="street is no kind of plant") as caught:
        plant_of([PlantLine("s", WayKind.STREET, HIGH)])
    assert caught.value.where == "plant s"


def test_the_same_inputs_give_the_same_bytes_and_others_do_not() -> None:
    places = [(100.0, 20.0), (230.0, 150.0)]
    digest = together(places).digest
    assert together(places).digest == digest
    turned = streets(
        [SIDE, CROSS, HIGH],
        traits=[trait("Side Way", category="service"), trait("Cross Lane", surface=Surface.SETT), trait("High Street")],
    )
    assert together(places, turned).ways.length_m.tolist() == together(places).ways.length_m.tolist()
    assert together(places[:1]).digest != digest
    assert together(places, rules=Rules(locked=("Side Way",))).digest != digest


def test_the_ground_cannot_be_written_to() -> None:
    ground = together([(100, 20)])
    for part in (ground.ways.cents_per_m, ground.lon, ground.premises.drop_m, ground.ways.courses.lon):
        with pytest.raises(ValueError, match="read-only"):
            part[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        ground.part = ground.part  # type: ignore[misc]  # that it cannot be done is what is tried


def test_the_ground_is_drawn() -> None:
    site = sites([Site("s1", "Traffic lights", *at(190, 40), is_critical=True)], Needs())
    office = Office("a", "A", *at(300, 5))
    ground = put_together(TOWN, Demand.of(site), CATALOGUE, offices=[office])
    ways = json.loads(ways_geojson(ground))["features"]
    assert len(ways) == len(ground.ways)
    lane = next(way["properties"] for way in ways if way["properties"]["street"] == "Cross Lane")
    assert (lane["kind"], lane["surface"], lane["usable"]) == ("street", "sett", True)
    (drop,) = json.loads(premises_geojson(ground))["features"]
    assert drop["geometry"]["coordinates"] == [list(at(190, 40)), pytest.approx(list(at(200, 40)))]
    assert drop["properties"]["critical"] is True
    assert json.loads(offices_geojson(ground))["features"][0]["properties"]["id"] == "a"
    fault = Fault(FaultKind.UNREACHED, 24.0, 60.0, "what", "do")
    (drawn,) = json.loads(faults_geojson([fault]))["features"]
    assert drawn["properties"] == {"kind": "unreached", "what": "what", "remedy": "do"}
