"""What a plan is worth, on a small town and on streets drawn by hand: reckoned again by plain loops, to the cent."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Statement, What
from broadstreet.network.ground import Ground
from broadstreet.network.ground.premises import PremisesKind
from broadstreet.network.investment import (
    Business,
    Case,
    Group,
    Venture,
    area_values,
    case_of,
    case_of_venture,
    chance,
    compare,
    tornado,
    two_way,
)
from broadstreet.network.investment.business import (
    Drops,
    Meant,
    Order,
    Phases,
    Spread,
    Spreads,
)
from broadstreet.network.investment.flow import Levers
from broadstreet.network.investment.outlay import outlay_of
from broadstreet.network.investment.sensitivity import LEVERS
from broadstreet.network.plan import phase_plan
from tests.lanes import PLAIN, TAXED, amount, drawn_lanes, two_lanes
from tests.reckoning import Reckoned
from tests.town import planned, town

replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def lanes() -> Ground:
    return two_lanes()


def again(statement: Statement, ground: Ground, business: Business) -> Reckoned:
    """The same case by plain loops, with each phase in its year."""
    design, ways = statement.design, ground.ways
    phase_of = dict(zip(design.opened, design.phases, strict=True)) if design.phases else {}
    metres: dict[int, float] = {}
    for way in design.opened:
        metres[phase_of.get(way, 1)] = metres.get(phase_of.get(way, 1), 0.0) + float(ways.length_m[way])
    built = [(item.what.value, item.phase, item.cents) for item in statement.bill.items if item.what is not What.DROP]
    ports: dict[int, float] = {}
    for item in statement.bill.items:
        if item.what is What.PORT:
            ports[item.phase] = ports.get(item.phase, 0.0) + item.quantity
    outlay = outlay_of(statement, ground)
    demand = ground.premises.demand
    premises = []
    for row, phase, cents in zip(outlay.rows, outlay.phase_of, outlay.drop_cents, strict=True):
        if demand.kind[row] == PremisesKind.SITE:
            customers = {"sensor": 1.0}
        else:
            customers = {"household": 1.0, "business": float(demand.fibres[row] - 1)}
        premises.append((int(phase), customers, int(cents)))
    return Reckoned(business, built, premises, metres, ports)


def assert_the_same(case: Case, other: Reckoned) -> None:
    told = {(str(line.group), line.name): line.cents for line in case.lines}
    wanted = {key: by_year for key, by_year in other.lines.items() if any(round(cents) for cents in by_year)}
    assert told.keys() == wanted.keys()
    for key, by_year in wanted.items():
        assert told[key] == pytest.approx([float(cents) for cents in by_year], abs=0.51), key
    assert case.residual_cents == pytest.approx(float(other.residual), abs=0.51)
    assert case.npv_cents == pytest.approx(other.npv(case.nominal_rate), abs=len(wanted) * case.years / 2)
    for kind in case.customers:
        assert kind.at_end == pytest.approx(other.connected[kind.kind] if kind.possible else [0] * case.years, abs=0.06)


@pytest.mark.parametrize("business", [PLAIN, TAXED], ids=["plain", "taxed"])
@pytest.mark.parametrize("phases", [False, True], ids=["at once", "in phases"])
def test_a_case_is_what_plain_loops_make_of_it(lanes: Ground, business: Business, phases: bool) -> None:
    statement = drawn_lanes(lanes, phases=phases)
    assert {item.phase for item in statement.bill.items} == ({1, 2} if phases else {1})
    assert_the_same(case_of(statement, lanes, business, "lanes"), again(statement, lanes, business))


def test_a_town_with_a_ring_an_old_duct_and_a_critical_site_is_reckoned_too() -> None:
    ground, statement = planned()
    case = case_of(statement, ground, TAXED, "town")
    assert_the_same(case, again(statement, ground, TAXED))
    assert len(case.areas) == 1  # the second cabinet is there for a second way alone


def test_phases_that_a_planner_made_are_reckoned_as_they_are(lanes: Ground) -> None:
    first, second = area_values(drawn_lanes(lanes), lanes, PLAIN)
    budgets = [first.cost_cents + 300_000, 2 * second.cost_cents]
    statement = phase_plan(drawn_lanes(lanes), lanes, budgets, seconds=0.2)
    assert set(statement.design.phases) == {1, 2}
    case = case_of(statement, lanes, PLAIN, "in phases")
    assert_the_same(case, again(statement, lanes, PLAIN))
    assert [(stage.year, stage.premises) for stage in case.stages] == [(1, 4), (2, 3)]


def test_what_is_built_waits_or_is_left_out_sums_to_the_bill(lanes: Ground) -> None:
    still = replace(PLAIN, money=replace(PLAIN.money, building_growth=0.0))
    for drops in Drops:
        for order in (Phases(), Phases(order=Order.BY_WORTH, budget={1: amount(1_600_000), 2: amount(0)})):
            business = replace(still, building=replace(PLAIN.building, drops=drops), phases=order)
            case = case_of(drawn_lanes(lanes), lanes, business, "lanes")
            laid = sum(sum(one.cents) for one in case.lines if (one.group, one.name) == (Group.CONNECTING, "drops"))
            spent = case.total_cents(Group.BUILDING) + laid
            assert spent + case.waiting_cents + case.unbuilt_cents == pytest.approx(case.bill_cents, abs=30)
            if drops is Drops.AT_ONCE:
                assert spent + case.unbuilt_cents == case.bill_cents
            assert bool(case.unbuilt_cents) == bool(order.budget)
    assert outlay_of(drawn_lanes(lanes), lanes).bill_cents == drawn_lanes(lanes).bill.cents


def test_areas_and_what_is_of_the_whole_sum_to_the_whole(lanes: Ground) -> None:
    case = case_of(drawn_lanes(lanes), lanes, PLAIN, "lanes")
    fixed = next(one.cents for one in case.lines if one.name == "fixed")
    whole = sum(cents / (1 + case.nominal_rate) ** (year + 0.5) for year, cents in enumerate(fixed))
    assert sum(area.npv_cents for area in case.areas) - whole == pytest.approx(case.npv_cents, abs=400)
    assert sum(area.premises for area in case.areas) == 7
    dropped = sum(item.cents for item in drawn_lanes(lanes).bill.items if item.what is What.DROP)
    assert sum(area.building_cents for area in case.areas) == case.bill_cents - dropped


def test_an_area_costs_what_a_plan_of_it_alone_does(lanes: Ground) -> None:
    """The first turn's cost is the bill of a network for that area alone; the second's is what is then left."""
    first, second = area_values(drawn_lanes(lanes), lanes, PLAIN)
    assert (first.premises, second.premises, first.turn, second.turn) == (4, 3, 1, 2)
    alone = sum(item.cents for item in drawn_lanes(lanes, far=False).bill.items if item.what is not What.DROP)
    both = sum(item.cents for item in drawn_lanes(lanes).bill.items if item.what is not What.DROP)
    assert first.cost_cents == pytest.approx(alone, abs=10)
    assert first.cost_cents + second.cost_cents == both
    assert first.npv_by_cost > second.npv_by_cost
    # Points: four households and a business by the sheet's 1 and 2; two households and a sensor by 1 and 5.
    assert (first.points, second.points) == (6.0, 7.0)
    kind = replace(PLAIN.customer["sensor"], public_value=1000.0)
    valued = replace(PLAIN, customer={**PLAIN.customer, "sensor": kind}, phases=Phases(order=Order.BY_PUBLIC_VALUE))
    assert [value.premises for value in area_values(drawn_lanes(lanes), lanes, valued)] == [3, 4]


def test_a_turns_worth_is_that_of_the_case_where_it_is_built_first(lanes: Ground) -> None:
    first = area_values(drawn_lanes(lanes), lanes, PLAIN)[0]
    alone = case_of(
        drawn_lanes(lanes, far=False), lanes, replace(PLAIN, operating=replace(PLAIN.operating, fixed=0)), "x"
    )
    assert first.npv_cents == pytest.approx(alone.npv_cents, abs=300)


def test_a_budget_moves_areas_to_the_years_in_which_there_is_money(lanes: Ground) -> None:
    statement = drawn_lanes(lanes)
    first, second = area_values(statement, lanes, PLAIN)
    yearly = first.cost_cents + 1000

    def stages(budget: int, *, only_worth: bool = False) -> list[tuple[int, int]]:
        phases = Phases(order=Order.BY_WORTH, budget={1: amount(budget)}, only_worth=only_worth)
        case = case_of(statement, lanes, replace(PLAIN, phases=phases), "lanes")
        spent = 0
        for stage in case.stages:
            spent += stage.cents
            assert spent <= budget * stage.year
        return [(stage.year, stage.premises) for stage in case.stages]

    growth = 1 + PLAIN.money.building_growth
    year = next(n for n in range(1, 21) if yearly * n - first.cost_cents >= second.cost_cents * growth ** (n - 1))
    assert stages(yearly) == [(1, 4), (year, 3)]
    assert stages(2 * (first.cost_cents + second.cost_cents)) == [(1, 7)]
    assert stages(1000) == []
    assert stages(10**9, only_worth=True) == [(1, value.premises) for value in (first, second) if value.npv_cents > 0]


def test_a_cheap_area_is_built_while_a_dear_one_is_waited_for(lanes: Ground) -> None:
    """The far lane's turn is first, by its sensor; the near one is built before it where that makes it no later."""
    kind = replace(PLAIN.customer["sensor"], public_value=1000.0)
    business = replace(PLAIN, customer={**PLAIN.customer, "sensor": kind})
    statement = drawn_lanes(lanes)
    far = area_values(statement, lanes, replace(business, phases=Phases(order=Order.BY_PUBLIC_VALUE)))[0]
    assert (far.premises, far.turn) == (3, 1)
    cheap = sum(item.cents for item in drawn_lanes(lanes, far=False).bill.items if item.what is not What.DROP)

    def years(*budgets: int) -> dict[int, int]:
        budget = {year: amount(cents) for year, cents in enumerate(budgets, 1)}
        phases = Phases(order=Order.BY_PUBLIC_VALUE, budget=budget)
        return {
            area.premises: area.year for area in case_of(statement, lanes, replace(business, phases=phases), "x").areas
        }

    dear = far.cost_cents * 2
    assert years(cheap + 10, dear, 0) == {3: 2, 4: 1}
    assert years(cheap + 10, round(far.cost_cents * 1.02) - cheap + 10, 0) == {3: 2, 4: 0}


def test_what_a_sheet_names_is_counted_as_that(lanes: Ground) -> None:
    school = replace(PLAIN.customer["school"], ids=["h2"])
    case = case_of(drawn_lanes(lanes), lanes, replace(PLAIN, customer={**PLAIN.customer, "school": school}), "x")
    possible = {kind.kind: kind.possible for kind in case.customers}
    assert possible == {"household": 6.0, "school": 1.0, "clinic": 0.0, "sensor": 1.0, "business": 1.0, "site": 0.0}
    assert any("No premises is a clinic" in note for note in case.notes)


def test_public_value_stands_beside_money_unless_it_has_a_price(lanes: Ground) -> None:
    statement = drawn_lanes(lanes)
    plain = case_of(statement, lanes, PLAIN, "plain")
    priced = case_of(
        statement, lanes, replace(PLAIN, public_value=replace(PLAIN.public_value, price_per_point=1000)), "priced"
    )
    assert plain.public_value.npv_cents is None
    assert priced.npv_cents == plain.npv_cents
    yearly = [0.0] + [13.0] * 19
    assert priced.public_value.points == 13.0
    assert priced.public_value.point_years == pytest.approx(sum(yearly))
    worth = sum(1000 * points / (1 + plain.nominal_rate) ** (year + 0.5) for year, points in enumerate(yearly))
    assert priced.public_value.npv_cents == pytest.approx(worth, abs=1)


def test_break_even_is_where_the_worth_is_nothing(lanes: Ground) -> None:
    for business in (PLAIN, TAXED):
        venture = Venture.of(drawn_lanes(lanes), lanes, replace(business, operating=replace(PLAIN.operating, fixed=0)))
        found = case_of_venture(venture, "x").break_even
        assert found.price is not None
        for lever, factor in (("price", found.price), ("take_up", found.take_up)):
            if factor is not None:
                assert abs(float(venture.npv_cents(Levers.of(1, **{lever: factor}))[0])) < 1_00
    dear = replace(PLAIN, operating=replace(PLAIN.operating, fixed=10**12))
    assert case_of(drawn_lanes(lanes), lanes, dear, "dear").break_even.price is None
    free = replace(PLAIN, grant={1: amount(10**9)})
    assert "at any take-up" in case_of(drawn_lanes(lanes), lanes, free, "free").break_even.said


def test_a_tornado_and_a_table_are_cases_with_another_sheet(lanes: Ground) -> None:
    paying = replace(
        PLAIN,
        customer={name: replace(kind, monthly_price=6 * kind.monthly_price) for name, kind in PLAIN.customer.items()},
        operating=replace(PLAIN.operating, fixed=0),
    )
    venture = Venture.of(drawn_lanes(lanes), lanes, paying)
    bars = {bar.lever: bar for bar in tornado(venture).bars}
    higher = PLAIN.money.nominal_rate + 0.02
    dearer = replace(PLAIN.money, discount_rate=higher, discount_rate_is=Meant.NOMINAL)
    later = replace(PLAIN.time, ready_after_years=2.0)
    for lever, sheet in (
        ("interest", replace(paying, money=dearer)),
        ("delay_years", replace(paying, time=later)),
    ):
        other, bar = case_of(drawn_lanes(lanes), lanes, sheet, "x"), bars[lever]
        assert bar.high_npv_cents == pytest.approx(other.npv_cents, abs=300)
        assert other.payback_years is not None and other.rates.rate is not None
        assert bar.high_payback_years == pytest.approx(other.payback_years, abs=1e-4)
        assert bar.high_rate == pytest.approx(other.rates.rate, abs=1e-6)
    swings = [bar.swing_cents for bar in tornado(venture).bars]
    assert swings == sorted(swings, reverse=True)
    assert set(bars) == set(LEVERS)
    table = two_way(venture, "take_up", [-0.3, 0.0, 0.2], "cost", [-0.1, 0.0])
    assert table.npv_cents[0][1] == bars["take_up"].low_npv_cents
    assert table.npv_cents[1][0] == bars["cost"].low_npv_cents
    assert table.npv_cents[1][1] == tornado(venture).npv_cents
    for rows, columns, values in (("cost", "cost", [0.0]), ("coast", "cost", [0.0]), ("cost", "price", [0.0] * 10_001)):
        with pytest.raises(InvalidInput):
            two_way(venture, rows, values, columns, [0.0])


def test_chance_is_drawn_from_the_triangles_of_the_sheet(lanes: Ground) -> None:
    venture = Venture.of(drawn_lanes(lanes), lanes, PLAIN)
    found = chance(venture, 600, seed=7)
    assert found == chance(venture, 600, seed=7)
    assert found.percentiles != chance(venture, 600, seed=8).percentiles
    assert list(found.percentiles.values()) == sorted(found.percentiles.values())
    assert found.weight["operating"] < -0.5
    sure = Spreads(**{name: Spread() for name in LEVERS})
    one = chance(Venture.of(drawn_lanes(lanes), lanes, replace(PLAIN, spread=sure)), 10, seed=1)
    assert set(one.percentiles.values()) == {tornado(venture).npv_cents}
    # Prices alone, with no tax: the worth is linear in them, so that its mean is known from the triangle's.
    only = replace(PLAIN, spread=replace(sure, price=Spread(low=-0.3, likely=0.1, high=0.5)))
    drawn = chance(Venture.of(drawn_lanes(lanes), lanes, only), 6000, seed=3)
    mean = float(venture.npv_cents(Levers.of(price=1.1))[0])
    spread = np.diff(venture.npv_cents(Levers.of(2, price=np.array([1.1, 1.1 + np.sqrt(0.16 / 6)]))))[0]
    assert drawn.mean_cents == pytest.approx(mean, abs=4 * float(spread) / np.sqrt(6000))
    for draws in (1, 100_001):
        with pytest.raises(InvalidInput):
            chance(venture, draws, seed=1)


def test_cases_are_compared_in_words(lanes: Ground) -> None:
    statement = drawn_lanes(lanes)
    cheap = replace(PLAIN, operating=replace(PLAIN.operating, fixed=0))
    dear = {**PLAIN.customer, "household": replace(PLAIN.customer["household"], monthly_price=20_000)}
    first = case_of(statement, lanes, cheap, "A")
    other = case_of(statement, lanes, replace(cheap, customer=dear), "B")
    third = case_of(drawn_lanes(lanes, far=False), lanes, replace(cheap, customer=dear), "C")
    found = compare([first, other, third])
    assert [(one.place, one.unit, one.values) for one in found.inputs] == [
        ("customer.household.monthly_price", "cents", (2900, 20_000, 20_000))
    ]
    assert found.said[0].startswith("B costs the same and earns ")
    assert "by 2046; it pays back after" in found.said[0]
    assert "which A does not" in found.said[0]
    assert "fewer" not in found.said[1]
    assert "7 points a year less" in found.said[1]
    worth = next(one for one in found.outcomes if one.name == "net present value")
    assert worth.values == (first.npv_cents, other.npv_cents, third.npv_cents)
    for wrong in ([first], [first, first], [first, replace(other, business=replace(PLAIN, currency="SEK"))]):
        with pytest.raises(InvalidInput):
            compare(wrong)


def test_a_case_can_be_kept(lanes: Ground) -> None:
    case = case_of(drawn_lanes(lanes), lanes, TAXED, "kept")
    assert msgspec.json.decode(msgspec.json.encode(case), type=Case) == case


def test_what_does_not_fit_is_refused(lanes: Ground) -> None:
    statement = drawn_lanes(lanes)
    with pytest.raises(InvalidInput, match="reckons in SEK, the plan's bill in EUR"):
        case_of(statement, lanes, replace(PLAIN, currency="SEK"), "x")
    with pytest.raises(InvalidInput, match="another ground"):
        case_of(statement, town(), PLAIN, "x")
    nobody = replace(statement, design=replace(statement.design, served=()))
    with pytest.raises(InvalidInput, match="serves nobody"):
        case_of(nobody, lanes, PLAIN, "x")


def test_what_is_shared_with_an_area_that_is_left_out_is_for_those_that_are_built(lanes: Ground) -> None:
    """The far lane's trench passes the near one. If the near one alone is built, all that is built is for it."""
    statement = drawn_lanes(lanes)
    first = area_values(statement, lanes, PLAIN)[0]
    phases = Phases(order=Order.BY_WORTH, budget={1: amount(first.cost_cents), 2: amount(0)})
    case = case_of(statement, lanes, replace(PLAIN, phases=phases), "near alone")
    near, far = case.areas
    assert (near.year, far.year, far.building_cents, far.npv_cents) == (1, 0, 0, 0)
    assert near.building_cents == first.cost_cents
    assert near.npv_cents == first.npv_cents
    assert far.label in " ".join(case.notes)
