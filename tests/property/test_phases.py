"""What must hold of phases, on small random streets: each within its budget to the cent, none missed that is much
better, and none better than the bound, by trying all."""

from __future__ import annotations

import itertools
from collections import Counter

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Programme, Statement
from broadstreet.network.ground import (
    Demand,
    Ground,
    Office,
    PremisesKind,
    default_architecture,
    default_catalogue,
    default_optics,
    default_worth,
    put_together,
)
from broadstreet.network.ground.points import premises_points
from broadstreet.network.ground.premises import Row
from broadstreet.network.plan import phase_plan, plan_fibre, plan_tree
from broadstreet.network.plan.pricing import bill_of
from broadstreet.network.plan.works import Works
from broadstreet.network.proof import FindingKind, prove
from tests.ground import at, line, streets
from tests.plan import shortest_ways

PON, OPTICS, WORTH = default_architecture(), default_optics(), default_worth()


def ground_of(places: list[tuple[int, int]], weights: list[float]) -> Ground:
    """A street to the east, with a lane to the north at each 300 m; too far apart for one closure."""
    lines = [line((0, 0), (900, 0)), *(line((east, 0), (east, 300)) for east in (300, 600, 900))]
    demand = Demand.of(
        Row(f"p{i}", f"House {i}", PremisesKind.ADDRESS, *at(*place), 1.0, 0.0, 1, weight, False)
        for i, (place, weight) in enumerate(zip(places, weights, strict=True))
    )
    return put_together(streets(lines), demand, default_catalogue(), offices=[Office("co", "Office", *at(0, 5))])


@st.composite
def plans(draw: st.DrawFn) -> tuple[Ground, Statement]:
    places = draw(
        st.lists(
            st.tuples(st.sampled_from([290, 310, 590, 910]), st.integers(10, 290)), min_size=1, max_size=3, unique=True
        )
    )
    ground = ground_of(places, [draw(st.sampled_from([1.0, 2.5, 9.0])) for _ in places])
    return ground, plan_tree(ground, PON, OPTICS, [0], shortest_ways(ground))


def programme(statement: Statement) -> Programme:
    assert statement.programme is not None
    return statement.programme


def best_of_all(ground: Ground, statement: Statement, budgets: tuple[int, ...]) -> int | None:
    """The most point-years, by trying every phase of every way, each billed and looked at by the checker."""
    points = premises_points(ground, WORTH)
    best = None
    works = Works(ground, statement.design, points)
    last = len(budgets)
    for phases in itertools.product(range(1, last + 1), repeat=len(statement.design.opened)):
        numbers = np.array(phases)
        worth = int((works.points * (last + 1 - works.reached(numbers))).sum())
        if (best is not None and worth <= best) or (works.cents(numbers, last)[1:] > np.array(budgets) + 200).any():
            continue
        design = msgspec.structs.replace(statement.design, phases=phases)
        spent = Counter[int]()
        for item in bill_of(ground, design).items:
            spent[item.phase] += item.cents
        if all(spent[phase] <= budget for phase, budget in enumerate(budgets, start=1)):
            found = prove(msgspec.structs.replace(statement, design=design), ground, PON, OPTICS)
            if not any(finding.kind is FindingKind.PHASE_UNCONNECTED for finding in found):
                best = worth
    return best


@given(plans(), st.lists(st.integers(10, 110), min_size=2, max_size=3))
@settings(max_examples=30, deadline=None)
def test_no_phases_are_better_than_the_bound(plan: tuple[Ground, Statement], shares: list[int]) -> None:
    ground, statement = plan
    assume(len(shares) ** len(statement.design.opened) < 3000 and sum(shares) >= 100)
    budgets = tuple(statement.cost_cents * share // 100 for share in shares)
    best = best_of_all(ground, statement, budgets)
    try:
        phased = phase_plan(statement, ground, budgets, seconds=60)
    except InvalidInput as refused:
        assert best is None or "does not prove" in str(refused)
        return
    assert best is not None
    assert prove(phased, ground, PON, OPTICS) == []
    claimed = programme(phased)
    assert claimed.point_years <= best <= claimed.bound_point_years


@given(plans(), st.data())
@settings(max_examples=20, deadline=None)
def test_works_come_to_what_the_bill_says_of_each_phase(plan: tuple[Ground, Statement], data: st.DataObject) -> None:
    ground, statement = plan
    design = statement.design
    phases = tuple(data.draw(st.integers(1, 3)) for _ in design.opened)
    works = Works(ground, design, premises_points(ground, WORTH))
    bill = bill_of(ground, msgspec.structs.replace(design, phases=phases))
    spent = [sum(item.cents for item in bill.items if item.phase == phase) for phase in range(4)]
    assert works.cents(np.array(phases), 3) == pytest.approx(spent, abs=100)
    assert works.needs().cost.sum() == pytest.approx(statement.cost_cents, abs=200)
    assert sum(works.points) == premises_points(ground, WORTH).sum()


def test_what_is_worth_most_comes_first_and_the_way_there_is_dug_ahead() -> None:
    """The house far out is worth most; no single year pays for the way there."""
    ground = ground_of([(310, 100), (910, 250)], [1.0, 50.0])
    statement = plan_fibre(ground, PON, OPTICS, [0], seconds=60)
    half = statement.cost_cents * 52 // 100
    told: list[Statement] = []
    phased = phase_plan(statement, ground, [half, half, half], seconds=60, on_progress=told.append)
    works = Works(ground, phased.design, premises_points(ground, WORTH))
    assert (
        dict(zip([rows[0] for rows in works.rows], works.reached(np.array(phased.design.phases)), strict=True))[1] == 2
    )
    assert phased.design.phases.count(1) > 0
    assert told[-1].design == phased.design
    assert prove(phased, ground, PON, OPTICS) == []
    assert phased.bound_cents <= phased.cost_cents
    assert msgspec.json.decode(msgspec.json.encode(phased), type=Statement) == phased
    (alone,) = {phase_plan(statement, ground, [statement.cost_cents], seconds=60).design.phases}
    assert set(alone) == {1}


def test_budgets_that_do_not_hold_the_design_are_refused() -> None:
    ground = ground_of([(310, 100), (910, 250)], [1.0, 50.0])
    statement = plan_fibre(ground, PON, OPTICS, [0], seconds=60)
    third = statement.cost_cents // 3
    with pytest.raises(InvalidInput, match=r"no order of building keeps these budgets: .* they lack"):
        phase_plan(statement, ground, [third, third, third - 10_000], seconds=60)
    with pytest.raises(InvalidInput, match="no order of building was found"):
        phase_plan(statement, ground, [statement.cost_cents - 1], seconds=60)
    for budgets in ([], [-1], [1] * 41):
        with pytest.raises(InvalidInput, match="budgets are 1 to 40 numbers of whole cents"):
            phase_plan(statement, ground, budgets, seconds=60)
