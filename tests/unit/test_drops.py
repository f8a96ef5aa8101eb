"""To which ways drops may lead: what is offered, what is chosen, and what a plan says of it."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import msgspec
import numpy as np
import pytest
from shapely import LineString, Polygon

from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture, Kind, default_architecture
from broadstreet.network.ground.assembly import Limits, put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.ground import NO_HOOKS, Ground
from broadstreet.network.ground.obstacles import Obstacle, Obstacles
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import default_optics
from broadstreet.network.ground.rules import Rules
from broadstreet.network.plan import plan_fibre, plan_with_drops
from broadstreet.network.plan.permits import least_street_permits
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.stationing import least_stations
from broadstreet.network.proof import prove
from broadstreet.network.scenarios.packed import pack_ground, unpack_ground
from tests.ground import Metres, at, line, metres, premises, streets, trait

PON, OPTICS, CATALOGUE = default_architecture(), default_optics(), default_catalogue()
OFFICE = Office("co", "Office", *at(0, 5), cents=0)
HIGH, LANE = line((0, 0), (200, 0), (400, 0)), line((200, 0), (200, 120))
CORNER: Metres = (212, 30)
"""A house 12 m from the lane and 30 m from the High Street."""
BOTH = {(200.0, 30.0), (212.0, 0.0)}


def town(places: list[Metres], *more_lines: LineString, **more: Any) -> Ground:
    lines = [HIGH, LANE, *more_lines]
    names = ["High Street", "Lane", *(f"Other {n}" for n in range(len(more_lines)))]
    given: dict[str, Any] = {"offices": [OFFICE], "limits": Limits(drop_ways=3), **more}
    return put_together(streets(lines, traits=[trait(name) for name in names]), premises(places), CATALOGUE, **given)


def offered(ground: Ground, row: int = 0) -> set[Metres]:
    """Where the drop of a premises may leave."""
    return {metres(ground.lon[node], ground.lat[node]) for ((node, _),) in [[at] for at in ground.hanging([row])[0]]}


def test_a_house_at_a_corner_may_choose_of_two_streets_and_hangs_on_the_nearest() -> None:
    ground = town([CORNER])
    assert offered(ground) == BOTH
    assert metres(ground.lon[ground.premises.node[0]], ground.lat[ground.premises.node[0]]) == (200, 30)
    assert ground.hooks.drop_m.tolist() == pytest.approx([12, 30], abs=0.01)
    assert ground.hooks.side.tolist() == [-1, 1]
    moved = ground.hung(np.array([1]))
    assert moved.premises.drop_m.tolist() == pytest.approx([30], abs=0.01)
    assert moved.streets[moved.ways.street[0]] == ground.streets[ground.ways.street[0]]
    assert moved.digest != ground.digest
    for one in (ground, moved):
        assert unpack_ground(pack_ground(one)).digest == one.digest
    with pytest.raises(ValueError, match="a hook of its own"):
        town([CORNER, (188, 30)]).hung(np.array([0, 1]))


def test_a_ground_without_a_choice_is_what_it_was() -> None:
    plain = town([CORNER], limits=Limits(drop_ways=1))
    assert len(plain.hooks) == 0
    assert offered(plain) == {(200, 30)}
    far = town([CORNER], limits=Limits(drop_ways=3, drop_more_m=17))
    assert far.digest == plain.digest
    assert town([CORNER], limits=Limits(drop_ways=3, drop_m=29)).digest == plain.digest
    assert town([CORNER], limits=Limits(drop_ways=3, drop_m=31)).digest != plain.digest


@pytest.mark.parametrize("lies_there", ["way", "private way", "water", "another house"])
def test_what_lies_in_the_way_is_not_passed(lies_there: str) -> None:
    across, pond = line((200, 15), (230, 15)), Polygon([at(208, 10), at(230, 10), at(230, 20), at(208, 20)])
    own = Polygon([at(205, 25), at(225, 25), at(225, 40), at(205, 40)])
    houses = np.array([own], dtype=object)
    assert offered(town([CORNER], houses=houses)) == BOTH
    match lies_there:
        case "way":
            ground = town([CORNER], across, limits=Limits(drop_ways=3, island_m=1))
            assert offered(ground) == {(200, 30), (212, 15)}
        case "private way":
            lines = streets([HIGH, LANE, across], traits=[trait("High"), trait("Lane"), trait(may_dig=False)])
            assert offered(put_together(lines, premises([CORNER]), CATALOGUE, offices=[OFFICE])) == {(200, 30)}
        case "water":
            ground = town([CORNER], obstacles=Obstacles.of([(Obstacle.WATER, pond)]))
            assert offered(ground) == {(200, 30)}
        case _:
            assert offered(town([CORNER], houses=np.array([own, pond], dtype=object))) == {(200, 30)}


def test_a_street_that_is_closed_is_not_offered() -> None:
    assert offered(town([CORNER], rules=Rules(closed=("High Street",)))) == {(200, 30)}
    assert offered(town([CORNER], rules=Rules(closed=("Lane",)))) == {(212, 0)}


def planned(ground: Ground, architecture: Architecture = PON, **more: Any) -> tuple[Ground, Statement]:
    made, statement = plan_with_drops(ground, architecture, OPTICS, [0], seconds=60, clock=time.process_time, **more)
    assert prove(statement, made, architecture, OPTICS) == []
    return made, statement


def test_a_drop_is_led_where_it_saves_a_trench() -> None:
    ground = town([(100, 10), CORNER])
    nearest = plan_fibre(ground, PON, OPTICS, [0], seconds=60)
    made, chosen = planned(ground)
    assert made.premises.drop_m.tolist() == pytest.approx([10, 30], abs=0.01)
    assert nearest.cost_cents - chosen.cost_cents > 100_000
    names = [term.name for term in chosen.terms]
    assert names[0] == "ways, offices and drops"
    assert not {"drops", "ways and offices"} & set(names)
    assert chosen.terms[0].method == "a Steiner tree of ways and drops, proved the cheapest"
    assert chosen.bound_cents <= chosen.cost_cents
    assert "each leads to the way it hangs on" in {term.name: term.method for term in nearest.terms}["drops"]
    # Where the lane is opened anyway, the shorter drop is the cheaper.
    assert planned(town([(195, 100), CORNER]))[0].premises.drop_m.tolist() == pytest.approx([5, 12], abs=0.01)


def test_other_terms_hold_for_every_choice() -> None:
    """By the lane two permits are paid, and two closures: nothing that is so near leads to both houses."""
    ground = town([CORNER, (212, -28)])
    given = dataclasses.replace(ground, hooks=NO_HOOKS)
    moved = dataclasses.replace(ground.hung(np.array([1, 2])), hooks=NO_HOOKS)
    assert [least_street_permits(one, [0, 1]) for one in (given, moved, ground)] == [2, 1, 1]
    near = Prices(CATALOGUE, msgspec.structs.replace(PON, kind=Kind.POINT_TO_POINT, splitters=(), longest_drop_m=31.0))
    apart, shared, either = (least_stations(one, near, [0, 1]).cents for one in (given, moved, ground))
    assert apart > shared == either


def test_who_is_not_served_asks_for_nothing_and_a_budget_is_kept() -> None:
    ground = town([CORNER, (195, 100)])
    made, statement = planned(ground, served=[0])
    assert made.premises.drop_m.tolist() == pytest.approx([30, 5], abs=0.01)
    assert statement.design.served == (0,)
    made, within = planned(ground, budget_cents=statement.cost_cents * 3)
    assert within.choice is not None
    assert within.cost_cents <= statement.cost_cents * 3


def test_who_is_to_have_two_ways_stays_where_it_hangs() -> None:
    ground = town([CORNER, (100, 10)], line((0, 0), (0, 120), (200, 120)), line((400, 0), (400, 120), (200, 120)))
    demand = dataclasses.replace(ground.premises.demand, is_critical=np.array([True, False]))
    ground = dataclasses.replace(ground, premises=dataclasses.replace(ground.premises, demand=demand))
    made, statement = planned(ground)
    assert statement.design.second == (0,)
    assert made.premises.drop_m[0] == pytest.approx(12, abs=0.01)
    assert "drops" in {term.name for term in statement.terms}


def test_where_light_does_not_go_so_far_drops_stay_with_the_nearest_way() -> None:
    """From the office a street leads straight to a house, and another the long way round, which a neighbour needs."""
    round_about = line((0, 0), (0, 200), (300, 200), (300, 0), (106, 0))
    lines = streets([line((0, 0), (100, 0)), round_about], traits=[trait("Straight"), trait("Round")])
    ground = put_together(lines, premises([(102, 12), (140, 10)]), CATALOGUE, offices=[OFFICE])
    near = plan_fibre(ground, PON, OPTICS, [0], seconds=60)
    made, chosen = planned(ground)
    assert made.digest != ground.digest
    lengths = [max(path.length_m for path in statement.paths) for statement in (near, chosen)]
    assert lengths == pytest.approx([865, 902], abs=1)
    made, statement = planned(ground, msgspec.structs.replace(PON, longest_way_m=885.0))
    assert made.digest == ground.digest
    assert statement.cost_cents == near.cost_cents
    assert statement.bound_cents <= chosen.cost_cents
    assert statement.terms[0].name == "ways, offices and drops"
