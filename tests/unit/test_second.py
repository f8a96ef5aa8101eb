"""Second ways of critical premises: who gets one, along which ways, and who cannot have one and why."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement
from broadstreet.network.ground.architecture import Architecture, Kind, default_architecture
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.fault import BadGround, FaultKind
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.optics import default_optics
from broadstreet.network.ground.plant import PlantLine, plant_of
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.plan import Second, lone_premises, phase_plan, plan_fibre, plan_tree
from broadstreet.network.proof import FindingKind, prove
from tests.ground import at, line, premises, streets, trait

PON = default_architecture()
OPTICS = default_optics()
ARCHITECTURES = {
    "pon": PON,
    "two stages": msgspec.structs.replace(PON, splitters=[4, 8]),
    "point to point": msgspec.structs.replace(
        PON, kind=Kind.POINT_TO_POINT, splitters=[], connectors=2, optical_class="10GBASE-LR"
    ),
}
SECONDS = 5.0
CORNERS = [(100.0 * x, 100.0 * y) for x in range(4) for y in range(4)]
GRID = [line((x, y), (x + dx, y + dy)) for x, y in CORNERS for dx, dy in ((100, 0), (0, 100)) if x + dx < 301 > y + dy]
SPUR = line((300, 300), (420, 300))
HOUSES = [(150.0, 10.0), (250.0, 210.0), (110.0, 250.0), (290.0, 150.0), (400.0, 310.0)]


def town(
    critical: Sequence[int], *, offices: Sequence[Office] | None = None, plant: Sequence[PlantLine] = ()
) -> Ground:
    """A grid of streets with a spur, and houses beside them: the last one on the spur."""
    traits = [trait(f"Street {number}") for number in range(len(GRID))] + [trait("Spur")]
    ground = put_together(
        streets([*GRID, SPUR], traits=traits),
        premises(HOUSES),
        default_catalogue(),
        offices=list(offices or [Office("co", "Office", *at(0, 5))]),
        plant=plant_of(list(plant)),
    )
    flags = np.isin(np.arange(len(ground.premises)), critical)
    demand = dataclasses.replace(ground.premises.demand, is_critical=flags)
    return dataclasses.replace(ground, premises=dataclasses.replace(ground.premises, demand=demand))


def planned(
    ground: Ground,
    architecture: Architecture = PON,
    *,
    served: Sequence[int] | None = None,
    second: Sequence[int] | None = None,
) -> Statement:
    offices = list(range(len(ground.offices)))
    statement = plan_fibre(ground, architecture, OPTICS, offices, seconds=SECONDS, served=served, second=second)
    assert prove(statement, ground, architecture, OPTICS) == []
    assert all(term.bound_cents <= term.spent_cents for term in statement.terms)
    return statement


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_critical_premises_are_reached_twice(name: str) -> None:
    ground = town([1, 2, 4])
    statement = planned(ground, ARCHITECTURES[name])
    assert statement.design.second == (1, 2)
    sockets = [(path.premises, path.socket) for path in statement.paths]
    assert sockets == [(0, 1), (1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (4, 1)]
    once = planned(ground, ARCHITECTURES[name], served=[0, 3, 4])
    assert once.design.second == () and once.cost_cents < statement.cost_cents


def test_who_has_one_way_alone_is_told_where() -> None:
    ground = town([1, 4])
    lone = lone_premises(ground, [0], [0, 1, 4])
    assert list(lone) == [4]
    assert lone[4].kind is FaultKind.ONE_WAY
    assert "House 4 has one way alone" in lone[4].what and "along Spur at lon 24.9" in lone[4].what
    with pytest.raises(BadGround, match="along Spur") as refused:
        planned(ground, second=[1, 4])
    assert len(refused.value.faults) == 1


def test_second_ways_are_for_whom_they_are_asked() -> None:
    assert planned(town([]), second=[0, 3]).design.second == (0, 3)
    assert planned(town([])).design.second == ()
    with pytest.raises(BadGround, match="House 0 is to have a second way and is not served"):
        planned(town([]), served=[1, 2], second=[0])


def test_two_ways_may_come_from_two_offices() -> None:
    """From the end of a street with an office at either end, each way leads to another."""
    offices = [Office("west", "West", *at(0, 5)), Office("east", "East", *at(600, 5))]
    ground = put_together(
        streets([line((0, 0), (600, 0))]), premises([(290, 10), (100, 10)]), default_catalogue(), offices=offices
    )
    statement = planned(ground, second=[0])
    assert {site.office for site in statement.design.sites} == {None, 0, 1}
    with pytest.raises(BadGround, match="one way alone"):
        plan_fibre(ground, PON, OPTICS, [0], seconds=SECONDS, second=[0])


def test_a_duct_in_a_street_is_no_second_way_beside_it() -> None:
    """A duct half a metre from the street is cheap, and lies in its trench: the second way leads round the block."""
    duct = PlantLine("d", WayKind.DUCT, line((10, 0.3), (90, 0.3)), room=9)
    ground = put_together(
        streets([line((0, 0), (100, 0)), line((100, 0), (100, 400), (0, 400), (0, 0))]),
        premises([(102, 5)]),
        default_catalogue(),
        offices=[Office("co", "Office", *at(0, -5))],
        plant=plant_of([duct]),
    )
    statement = planned(ground, second=[0])
    assert statement.design.second == (0,)
    both = sum(path.length_m for path in statement.paths)
    assert both > 900


def test_ways_that_light_does_not_last_for_are_refused() -> None:
    """The way round is longer than the architecture lets a fibre be."""
    short = msgspec.structs.replace(PON, longest_way_m=400.0)
    with pytest.raises(InvalidInput, match="longer than"):
        planned(town([1]), short)


def test_a_second_way_needs_its_trees() -> None:
    ground = town([])
    statement = planned(ground)
    opened = list(statement.design.opened)
    with pytest.raises(InvalidInput, match="do not lead to these premises: House 1"):
        plan_tree(ground, PON, OPTICS, [0], opened, second=Second([1], []))


def test_a_budget_pays_for_second_ways_and_a_year_at_a_time_for_both() -> None:
    ground = town([1])
    whole = planned(ground)
    budget = whole.cost_cents * 9 // 10
    for second in (None, [1], [2]):
        statement = plan_fibre(ground, PON, OPTICS, [0], seconds=SECONDS, second=second, budget_cents=budget)
        found = {finding.kind for finding in prove(statement, ground, PON, OPTICS)}
        assert found == ({FindingKind.SECOND_MISSING} if second == [2] else set())  # the critical one has none then
        assert statement.choice is not None
        assert set(second or [1]) <= set(statement.design.second) <= set(statement.design.served)
        assert set(statement.design.second) <= set(statement.choice.needed)
        assert statement.cost_cents <= budget
        assert 0 < statement.choice.points < 500
    year = whole.cost_cents * 6 // 10
    phased = phase_plan(whole, ground, [year, year], seconds=SECONDS)
    assert prove(phased, ground, PON, OPTICS) == []
    assert phased.programme is not None and 500 < phased.programme.point_years <= phased.programme.bound_point_years
