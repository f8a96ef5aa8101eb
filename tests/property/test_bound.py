"""No design that the checker takes costs less than a bound of any plan: designs no planner makes, on small streets."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator, Mapping

import msgspec
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Cable, Design, End, Fibre, Joint, Role, SiteKind
from broadstreet.network.ground import PlantLine, WayKind, plant_of
from broadstreet.network.ground.architecture import Architecture, default_architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import Catalogue, Each
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.premises import Demand, PremisesKind, Row
from broadstreet.network.plan import plan_fibre, plan_tree
from broadstreet.network.plan.pricing import bill_of
from broadstreet.network.proof import prove
from tests.adversary import Adversary, stated
from tests.designs import Drawn, plain
from tests.ground import at, line, streets, trait
from tests.odd_towns import CATALOGUE, EDGES, any_architecture, any_loss, any_town, architecture
from tests.sketches import tree

OPTICS = any_loss()
BARE = msgspec.structs.replace(CATALOGUE.cabinet[min(CATALOGUE.cabinet)], labour_each=100, material_each=0, splitters=0)
ODD = msgspec.structs.replace(
    CATALOGUE,
    # A box with no room for splitters, cheaper than any closure; a cable dearer than a larger one, none over 24.
    cabinet={**CATALOGUE.cabinet, 500: BARE},
    cable={size: CATALOGUE.cable[48 if size == 4 else size] for size in (4, 12, 24)},
    splice=msgspec.structs.replace(CATALOGUE.splice, labour_each=5_000),
)
SECONDS = 2.0
TRIES = 80


def ground_of(
    catalogue: Catalogue,
    places: list[tuple[int, int, int]],
    offices: int,
    plant: list[tuple[int, WayKind]],
    left_out: int | None = None,
) -> Ground:
    """A grid of six corners. places: east and north of the premises, and their fibres. plant: beside which edges what
    lies, from corner to corner. left_out: an edge that is no street."""
    demand = Demand.of(
        Row(f"p{i}", f"House {i}", PremisesKind.ADDRESS, *at(east, north), 1.0, 0.0, fibres, 1.0, False)
        for i, (east, north, fibres) in enumerate(places)
    )
    lying = [PlantLine(f"x{n}", kind, line(*EDGES[edge])) for n, (edge, kind) in enumerate(plant)]
    given = [Office("co", "Office", *at(0, -2)), Office("far", "Far office", *at(120, 62), given=False, cents=90_000)]
    kept = [edge for number, edge in enumerate(EDGES) if number != left_out]
    return put_together(
        streets([line(*edge) for edge in kept], traits=[trait(f"{n % 3}") for n in range(len(kept))]),
        demand,
        catalogue,
        offices=given[:offices],
        plant=plant_of(lying),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Ground, Architecture, list[list[int]]]:
    """A ground, an architecture, and for each of some trees the order in which ways are taken into it."""
    place = st.tuples(st.integers(0, 12).map(lambda tens: 10 * tens), st.sampled_from([-8, 8, 52, 68]))
    places = draw(st.lists(place, min_size=2, max_size=4, unique=True))
    fibres = st.sampled_from([1, 1, 2, 40])
    kinds = st.sampled_from([WayKind.DUCT, WayKind.POLE_LINE, WayKind.TRENCH, WayKind.FIBRE])
    plant = draw(st.lists(st.tuples(st.integers(0, len(EDGES) - 1), kinds), max_size=3, unique_by=lambda p: p[0]))
    ground = ground_of(
        draw(st.sampled_from([CATALOGUE, ODD])),
        [(*place, draw(fibres)) for place in places],
        draw(st.integers(1, 2)),
        plant,
    )
    orders = [draw(st.permutations(range(len(ground.ways)))) for _ in range(2)]
    return ground, architecture(draw(st.sampled_from([[32], [4, 8], []]))), orders


def _dug(ground: Ground, order: list[int]) -> list[int]:
    """A spanning tree in which spare fibres of others' cables are for none."""
    return tree(ground, [way for way in order if ground.ways.kind[way] != WayKind.FIBRE])


def merged(design: Design, gone: str, kept: str, size: int | None) -> Design:
    """All that was at one site is at another, which is of this size; what can be a connector there is one."""
    sites = tuple(
        msgspec.structs.replace(site, size=size) if site.id == kept else site
        for site in design.sites
        if site.id != gone
    )
    closures = {site.id for site in sites if site.kind is SiteKind.CLOSURE}

    def there(id: str) -> str:
        return kept if id == gone else id

    def joined(joint: Joint) -> Joint:
        ends = [
            msgspec.structs.replace(end, site=there(end.site)) if isinstance(end, Fibre) else end
            for end in (joint.a, joint.b)
        ]
        at_site = there(joint.site)
        is_fused = at_site in closures and all(isinstance(end, Fibre) for end in ends)
        return Joint(at_site, ends[0], ends[1], not is_fused)

    return msgspec.structs.replace(
        design,
        sites=sites,
        cables=tuple(
            msgspec.structs.replace(cable, sites=tuple(there(id) for id in cable.sites)) for cable in design.cables
        ),
        splitters=tuple(msgspec.structs.replace(splitter, site=there(splitter.site)) for splitter in design.splitters),
        joints=tuple(joined(joint) for joint in design.joints),
    )


def one_drop(design: Design, wide: Cable) -> Design:
    """All that comes to a premises from one site comes by one drop, however many its fibres are."""
    others = [cable for cable in design.cables if cable.role is Role.DROP and cable.sites == wide.sites]
    first = dict(zip((cable.id for cable in others), itertools.accumulate(c.fibres for c in others), strict=True))
    before = {cable.id: first[cable.id] - cable.fibres for cable in others}
    whole = msgspec.structs.replace(wide, fibres=sum(cable.fibres for cable in others))

    def end(old: End) -> End:
        if isinstance(old, Fibre) and old.cable in before:
            return msgspec.structs.replace(old, cable=wide.id, fibre=old.fibre + before[old.cable])
        return old

    return msgspec.structs.replace(
        design,
        cables=(*(cable for cable in design.cables if cable.id not in before), whole),
        joints=tuple(Joint(joint.site, end(joint.a), end(joint.b), joint.is_connector) for joint in design.joints),
    )


def cheapened(ground: Ground, design: Design) -> Iterator[Design]:
    """Sites made others, or one with others at their node; cables of other sizes."""
    sizes: dict[SiteKind, Mapping[int, Each]] = {
        SiteKind.CABINET: ground.catalogue.cabinet,
        SiteKind.CLOSURE: ground.catalogue.closure,
    }
    standing = [site for site in design.sites if site.kind in sizes]
    for site in standing:
        for kind, known in sizes.items():
            least = min(known, key=lambda size: (known[size].each_cents, size))
            other = msgspec.structs.replace(site, id=f"{site.id}+", kind=kind)
            yield merged(msgspec.structs.replace(design, sites=(*design.sites, other)), site.id, f"{site.id}+", least)
        for host in design.sites:
            if host.id != site.id and host.node == site.node and host.kind is not SiteKind.PREMISES:
                yield merged(design, site.id, host.id, host.size)
    sites = {site.id: site.kind for site in design.sites}
    by_office = [site for site in standing if site.kind is SiteKind.CLOSURE and site.node in ground.offices.node]
    if SiteKind.OFFICE in sites.values():
        for site in by_office:
            row = int(np.flatnonzero(ground.offices.node == site.node)[0])
            office = msgspec.structs.replace(site, id=f"{site.id}+", kind=SiteKind.OFFICE, office=row)
            yield merged(msgspec.structs.replace(design, sites=(*design.sites, office)), site.id, f"{site.id}+", None)
    if wide := [cable for cable in design.cables if cable.role is Role.DROP and not cable.ways[0]]:
        yield one_drop(design, wide[0])


def all_designs(ground: Ground, built: Architecture, orders: list[list[int]]) -> Iterator[Design]:
    offices = range(len(ground.offices))
    for order in orders:
        for office in offices:
            try:
                design = plan_tree(ground, built, OPTICS, [office], _dug(ground, order)).design
            except InvalidInput:
                continue
            yield design
            yield from cheapened(ground, design)
            for once in itertools.islice(cheapened(ground, design), 1, 4):
                yield from cheapened(ground, once)


@given(cases())
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_no_design_costs_less_than_a_bound(case: tuple[Ground, Architecture, list[list[int]]]) -> None:
    ground, built, orders = case
    if len(ground.faults):
        return
    try:
        planned = plan_fibre(ground, built, OPTICS, list(range(len(ground.offices))), seconds=SECONDS)
    except InvalidInput:
        return
    assert prove(planned, ground, built, OPTICS) == []
    for design in all_designs(ground, built, orders):
        statement = stated(ground, built, OPTICS, design)
        if statement.cost_cents < planned.bound_cents:
            assert prove(statement, ground, built, OPTICS) != []


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))
def test_no_design_that_is_sought_for_its_cheapness_costs_less_than_a_bound(seed: int) -> None:
    """Second ways, two stages, several offices, plant with little room, lent fibres, houses of many, in towns where
    much costs nothing."""
    draw = random.Random(seed)
    ground, built = any_town(draw), any_architecture(draw)
    offices = list(range(len(ground.offices)))
    if len(ground.faults):
        return
    try:
        planned = plan_fibre(ground, built, OPTICS, offices, seconds=SECONDS, clock=time.process_time)
    except InvalidInput:
        return
    assert prove(planned, ground, built, OPTICS) == []
    adversary = Adversary(ground, built, OPTICS, seed)
    for statement in adversary.seek(planned.design.served, planned.design.second, TRIES):
        assert statement.cost_cents >= planned.bound_cents


def test_a_design_by_spare_fibres_costs_no_less_than_a_bound() -> None:
    """A feeder by fibres that lie there already, of which no plan makes use: no bound is above what it costs, and it
    serves both for what a plan costs for one."""
    lent = WayKind.FIBRE
    ground = ground_of(CATALOGUE, [(118, 8, 1), (62, -8, 1)], 1, [(1, lent)], left_out=1)
    built = default_architecture()
    fibre = int(np.flatnonzero(ground.ways.kind == lent)[0])
    (far,) = {int(ground.ways.a[fibre]), int(ground.ways.b[fibre])} - set(ground.offices.node.tolist())
    statement = plain(Drawn(ground, built, OPTICS), far, [0, 1])
    assert fibre in statement.design.opened
    assert prove(statement, ground, built, OPTICS) == []
    bills = [bill.items for bill in (bill_of(ground, statement.design), statement.bill)]
    ours, theirs = ({(one.what, one.key, one.unit): one.cents for one in items} for items in bills)
    assert ours == pytest.approx(theirs, abs=2), "spare fibres are no cable that is bought"
    planned = plan_fibre(ground, built, OPTICS, [0], seconds=SECONDS)
    assert planned.bound_cents <= statement.cost_cents < planned.cost_cents
    one = min(plan_fibre(ground, built, OPTICS, [0], seconds=SECONDS, served=[row]).cost_cents for row in (0, 1))
    assert statement.cost_cents < one
    choice = plan_fibre(ground, built, OPTICS, [0], seconds=SECONDS, budget_cents=one).choice
    assert choice is not None
    assert choice.points < choice.bound_points
