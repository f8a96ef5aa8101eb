"""Designs that once cost less than what was proved that none does, each drawn by hand: what mended the bound, or the
checker, is what each of these tests fails without."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
import pytest

from broadstreet.network.design import (
    Cable,
    Design,
    Duct,
    Fibre,
    Joint,
    Port,
    Role,
    Side,
    Site,
    SiteKind,
    Socket,
    Statement,
)
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import Catalogue, default_catalogue
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import Optics
from broadstreet.network.plan import plan_fibre
from broadstreet.network.plan.reach import reach_m
from broadstreet.network.proof import FindingKind, prove
from tests.adversary import stated
from tests.ground import Metres, at, line, premises, streets, trait
from tests.odd_towns import TABLES, any_loss, architecture, priced
from tests.sketches import Begin, Part, drawn

SECONDS = 10.0
ANY_LOSS = any_loss()
SPLIT = architecture([32])
TWICE_SPLIT = architecture([4, 8])
DIRECT = architecture([])
LONG_M = 12.9
"""Of a way, in a street whose ways change: so much that a line of a bill for one alone loses nearly a cent."""


def standing() -> float:
    """A clock that stands: each of these plans ends when it is proved, however busy the machine is."""
    return 0.0


def free() -> Catalogue:
    """A catalogue in which nothing costs anything, to put single prices into: the bound of what has one is bare."""
    full = default_catalogue()
    office = msgspec.structs.replace(full.central_office, port_each=0)
    permit = msgspec.structs.replace(full.permit, each_street=0, permit_per_m=0)
    changes = {name: priced(getattr(full, name), 0) for name in TABLES}
    return msgspec.structs.replace(full, **changes, central_office=office, permit=permit)


def street(catalogue: Catalogue, places: Sequence[Metres], *, fibres: int = 1, length_m: float = LONG_M) -> Ground:
    """An office at the beginning of a street of nine ways, premises beside it."""
    lines = [line((n * length_m, 0), ((n + 1) * length_m, 0)) for n in range(9)]
    return put_together(
        streets(lines, traits=[trait(f"Street {n % 2}") for n in range(9)]),
        premises(places, fibres=fibres),
        catalogue,
        offices=[Office("co", "Office", *at(0, 0))],
    )


def in_hub(ground: Ground, begins: Sequence[Begin], *, with_begin: bool = False) -> Part:
    """All premises by one cabinet at the office."""
    order = tuple(range(len(ground.ways)))
    return Part(tuple(enumerate(begins)), order, ((int(ground.offices.node[0]), 0),), with_begin)


def stand(ground: Ground, built: Architecture, part: Part, optics: Optics = ANY_LOSS) -> Statement:
    return stated(ground, built, optics, drawn((part,), ground, built))


def bound_of(ground: Ground, built: Architecture, optics: Optics = ANY_LOSS) -> int:
    planned = plan_fibre(ground, built, optics, [0], seconds=SECONDS, clock=standing)
    assert prove(planned, ground, built, optics) == []
    return planned.bound_cents


def kinds(statement: Statement, ground: Ground, built: Architecture) -> set[FindingKind]:
    return {finding.kind for finding in prove(statement, ground, built, ANY_LOSS)}


def test_a_cabinet_without_room_for_splitters_may_be_where_a_drop_begins() -> None:
    catalogue = free()
    box = msgspec.structs.replace(catalogue.cabinet[48], labour_each=100, splitters=0)
    catalogue = msgspec.structs.replace(
        catalogue,
        cabinet={48: msgspec.structs.replace(catalogue.cabinet[48], labour_each=9_000), 24: box},
        closure=priced(catalogue.closure, 5_000),
        splice=priced(catalogue.splice, 2_000),
    )
    ground = street(catalogue, [(60, 8), (300, 8)], length_m=60)
    begins = [Begin(SiteKind.CABINET, node, 0) for node in ground.premises.node.tolist()]
    boxed = stand(ground, SPLIT, in_hub(ground, begins))
    assert kinds(boxed, ground, SPLIT) == set()
    assert bound_of(ground, SPLIT) <= boxed.cost_cents == 9_000 + 100 + 100


def test_no_drop_of_a_pon_begins_at_an_office() -> None:
    """Back in the office fibres meet in connectors, so that there would be neither closure nor splice."""
    catalogue = free()
    catalogue = msgspec.structs.replace(
        catalogue,
        closure=priced(catalogue.closure, 5_000),
        splice=priced(catalogue.splice, 2_000),
        cabinet={48: msgspec.structs.replace(catalogue.cabinet[48], labour_each=90_000, splitters=1)},
    )
    pairs = msgspec.structs.replace(SPLIT, splitters=[2], longest_drop_m=20.0)
    ground = street(catalogue, [(5, 8), (60, 8)])
    far, office = int(ground.premises.node[1]), int(ground.offices.node[0])
    begins = (0, Begin(SiteKind.OFFICE, office, 0)), (1, Begin(None, far, 0))
    back = stand(ground, pairs, Part(begins, tuple(range(len(ground.ways))), ((far, 0),)))
    assert back.cost_cents < bound_of(ground, pairs)
    assert kinds(back, ground, pairs) == {FindingKind.DROP_PLACE}


def test_a_drop_is_of_a_size_that_is_sold() -> None:
    """Where it has no ways it costs nothing by the metre: one for all of a house would be cheaper than two."""
    catalogue = free()
    catalogue = msgspec.structs.replace(catalogue, drop=msgspec.structs.replace(catalogue.drop, labour_each=1_000))
    ground = street(catalogue, [(60, 8)], fibres=500)
    house = int(ground.premises.node[0])
    part = in_hub(ground, [Begin(None, house, 0)])
    whole = one_drop(drawn((dataclasses.replace(part, hubs=((house, 0),)),), ground, SPLIT))
    one = stated(ground, SPLIT, ANY_LOSS, whole)
    assert one.cost_cents == 1_000 < bound_of(ground, SPLIT)
    assert kinds(one, ground, SPLIT) == {FindingKind.CABLE_SIZE}


def one_drop(design: Design) -> Design:
    """All fibres of a house's two drops in one."""
    first, second = (cable for cable in design.cables if cable.role is Role.DROP)

    def end(old: Any) -> Any:
        if isinstance(old, Fibre) and old.cable == second.id:
            return msgspec.structs.replace(old, cable=first.id, fibre=old.fibre + first.fibres)
        return old

    wide = msgspec.structs.replace(first, fibres=first.fibres + second.fibres)
    kept = tuple(cable for cable in design.cables if cable not in (first, second))
    joints = tuple(Joint(joint.site, end(joint.a), end(joint.b), joint.is_connector) for joint in design.joints)
    return msgspec.structs.replace(design, cables=(*kept, wide), joints=joints)


def test_a_drop_may_be_larger_than_any_duct_takes() -> None:
    """Where it has no ways it lies in none."""
    catalogue = free()
    catalogue = msgspec.structs.replace(
        catalogue,
        drop=msgspec.structs.replace(catalogue.drop, labour_each=1_000),
        cable={**catalogue.cable, 864: catalogue.cable[4]},
    )
    ground = street(catalogue, [(60, 8)], fibres=500)
    house = int(ground.premises.node[0])
    wide = stand(ground, SPLIT, dataclasses.replace(in_hub(ground, [Begin(None, house, 0)]), hubs=((house, 0),)))
    assert kinds(wide, ground, SPLIT) == set()
    assert bound_of(ground, SPLIT) <= wide.cost_cents == 1_000


def many_lines(ground: Ground) -> Statement:
    """A fibre from the office to the last premises by a cable of another size, in another duct, on each way: each is a
    line of the bill, and loses nearly a cent."""
    row = len(ground.premises) - 1
    ends = [int(ground.offices.node[0]), int(ground.premises.node[row])]
    order = np.argsort(ground.lon[ground.ways.a]).tolist()
    passed = [way for way in order if ground.lon[ground.ways.b[way]] <= ground.lon[ends[1]] + 1e-9]
    nodes = [ends[0], *(int(ground.ways.b[way]) for way in passed)]
    assert nodes[-1] == ends[1]
    others = {int(node): n for n, node in enumerate(ground.premises.node[:row])}
    sites = [Site("o", SiteKind.OFFICE, ends[0], office=0)]
    sites += [Site(f"c{n}", SiteKind.CLOSURE, node, 24) for n, node in enumerate(nodes[1:])]
    sizes, ducts = list(ground.catalogue.cable), list(ground.catalogue.duct)
    small = [kind for kind in ducts if ground.catalogue.duct[kind].largest_cable_fibres >= sizes[-1]]
    cables, lying, joints = list[Cable](), list[Duct](), list[Joint]()
    sockets: list[tuple[int, int]] = [(row, len(passed)), *((n, nodes.index(node)) for node, n in others.items())]
    for n, way in enumerate(passed):
        size = sizes[n % len(sizes)]
        fits = [kind for kind in ducts if ground.catalogue.duct[kind].largest_cable_fibres >= size] or small
        lying.append(Duct(f"d{n}", fits[n % len(fits)], (way,)))
        stretch = (sites[n].id, sites[n + 1].id)
        cables.append(Cable(f"f{n}", Role.FEEDER, size, stretch, ((way,),), ((f"d{n}",),)))
    for fibre, (premises_row, last) in enumerate(sockets, start=1):
        house = Site(f"p{premises_row}", SiteKind.PREMISES, nodes[last], premises=premises_row)
        sites.append(house)
        cables.append(Cable(f"e{fibre}", Role.DROP, sizes[0], (sites[last].id, house.id), ((),), ((),)))
        joints.append(Joint("o", Port("o", fibre), Fibre("f0", fibre, "o", Side.DOWN), True))
        for n in range(last):
            on = Fibre(f"f{n + 1}", fibre, sites[n + 1].id, Side.DOWN)
            end = on if n + 1 < last else Fibre(f"e{fibre}", 1, sites[n + 1].id, Side.DOWN)
            joints.append(Joint(sites[n + 1].id, Fibre(f"f{n}", fibre, sites[n + 1].id, Side.UP), end))
        up = Fibre(f"e{fibre}", 1, house.id, Side.UP)
        joints.append(Joint(house.id, up, Socket(house.id, 1), True))
    rows = tuple(sorted(row for row, _ in sockets))
    design = Design(
        ground.digest, tuple(sorted(passed)), rows, (), tuple(sites), tuple(lying), tuple(cables), (), tuple(joints)
    )
    return stated(ground, DIRECT, ANY_LOSS, design)


def cents_a_metre() -> Catalogue:
    catalogue = free()
    changes = {name: priced(getattr(catalogue, name), 1) for name in ("cable", "duct")}
    return msgspec.structs.replace(catalogue, **changes)


def test_a_bill_of_many_lines_loses_more_cents_than_the_plans_own() -> None:
    ground = street(cents_a_metre(), [(9 * LONG_M, 0)])
    lines = many_lines(ground)
    assert kinds(lines, ground, DIRECT) == set()
    planned = plan_fibre(ground, DIRECT, ANY_LOSS, [0], seconds=SECONDS, clock=standing)
    assert lines.cost_cents < planned.cost_cents - len(planned.bill.items)
    assert planned.bound_cents <= lines.cost_cents


def test_whom_a_budget_can_serve_is_asked_to_the_cents_that_a_bill_may_lose() -> None:
    ground = street(cents_a_metre(), [(3 * LONG_M, 0), (9 * LONG_M, 0)])
    lines = many_lines(ground)
    assert kinds(lines, ground, DIRECT) == set()
    choice = plan_fibre(
        ground, DIRECT, ANY_LOSS, [0], seconds=SECONDS, clock=standing, budget_cents=lines.cost_cents
    ).choice
    assert choice is not None
    assert choice.points < choice.bound_points == 2 * choice.points, "the plan for both costs a few cents more"


def test_labour_and_material_of_a_drop_are_told_to_a_cent_each() -> None:
    """At the office's own node, where no ways give way to rounding; the drop has ten metres to the last digit."""
    catalogue = free()
    drop = msgspec.structs.replace(catalogue.drop, labour_per_m=1_900, material_per_m=340)
    ground = street(msgspec.structs.replace(catalogue, drop=drop), [(0, 10)])
    ground = dataclasses.replace(ground, premises=dataclasses.replace(ground.premises, drop_m=np.array([10.0])))
    told = stand(ground, SPLIT, in_hub(ground, [Begin(None, int(ground.offices.node[0]), 0)]))
    assert kinds(told, ground, SPLIT) == set()
    assert bound_of(ground, SPLIT) <= told.cost_cents == 10 * (1_900 + 340) - 2


def test_nothing_on_a_bill_gives_money_back() -> None:
    ground = street(free(), [(60, 8)])
    free_of_charge = stand(ground, SPLIT, in_hub(ground, [Begin(None, int(ground.offices.node[0]), 0)]))
    assert free_of_charge.cost_cents == 0
    first, *others = (item for item in free_of_charge.bill.items if item.unit == "m")
    for changes in ({"labour_cents": -1}, {"material_cents": -1}):
        less = (msgspec.structs.replace(first, **changes), *others)
        bill = msgspec.structs.replace(free_of_charge.bill, items=less)
        term = msgspec.structs.replace(free_of_charge.terms[0], spent_cents=bill.cents, bound_cents=bill.cents)
        told = msgspec.structs.replace(free_of_charge, bill=bill, terms=(term,))
        assert FindingKind.BILL_CENTS in kinds(told, ground, SPLIT)


@pytest.mark.parametrize("built", [SPLIT, TWICE_SPLIT, DIRECT])
def test_light_goes_as_far_as_the_fewest_joints_let_it(built: Architecture) -> None:
    """Two splitters can stand together with one joint between, and point to point a drop can begin at the office."""
    ground = street(free(), [(60, 8)])
    node, far = int(ground.offices.node[0]), msgspec.structs.replace(built, longest_drop_m=500.0)
    begin = Begin(None if built.splitters else SiteKind.OFFICE, node, 0)
    path = stand(ground, far, in_hub(ground, [begin])).paths[0]
    most_db = path.loss_db + ANY_LOSS.margin_db
    limited = {"B+": msgspec.structs.replace(ANY_LOSS.classes["B+"], most_loss_db=most_db)}
    optics = msgspec.structs.replace(ANY_LOSS, classes=limited)
    statement = stand(ground, far, in_hub(ground, [begin]), optics)
    assert prove(statement, ground, far, optics) == []
    assert reach_m(far, optics) >= path.length_m - 1e-6


def test_ways_are_no_longer_than_they_are_where_light_just_reaches() -> None:
    """Nine ways, each of them some part of a millimetre more than whole ones."""
    ground = street(free(), [(9 * LONG_M, 8)])
    length_m = plan_fibre(ground, SPLIT, ANY_LOSS, [0], seconds=SECONDS, clock=standing).paths[0].length_m
    just = msgspec.structs.replace(SPLIT, longest_way_m=length_m)
    planned = plan_fibre(ground, just, ANY_LOSS, [0], seconds=SECONDS, clock=standing)
    assert prove(planned, ground, just, ANY_LOSS) == []
