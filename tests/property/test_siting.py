"""What holds of every choice of sites: no budget is passed, no bound either, and the exact is the best there is."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadstreet.network.ground.ground import Ground
from broadstreet.network.siting import Audience, Covariance, Map, Objective, choose_sites, prove
from broadstreet.network.siting.covering import Cover, greedily, guarantee
from broadstreet.network.siting.exact import most_covering
from broadstreet.network.siting.field import Field, Left, field_of
from broadstreet.network.siting.limits import Limits
from broadstreet.network.siting.loss import airtime_s, loss_db
from broadstreet.network.siting.lowering import exchanged, lowered, mean_variance, picked
from broadstreet.network.siting.prices import default_sensor_prices
from broadstreet.network.siting.proof.kriging import variances
from broadstreet.network.siting.radio import PathLoss
from broadstreet.network.siting.relaxation import directions_bound, shares_bound
from broadstreet.network.siting.statement import BoundKind
from tests.siting import HOMES, gateway, map_of, place, town_case, town_ground

to = msgspec.structs.replace
SOME = settings(max_examples=60, deadline=None)
FEW = settings(max_examples=60, deadline=None)

SPOTS = tuple((20.0 * i, 100.0 * (i % 4)) for i in range(21))


@pytest.fixture(scope="module")
def ground() -> Ground:
    return town_ground(HOMES[:30])


@st.composite
def limits(draw: st.DrawFn, count: int) -> Limits:
    cents = np.array([draw(st.integers(0, 9)) * 1000 for _ in range(count)], dtype=np.int64)
    usable = np.array([draw(st.integers(0, 4)) > 0 for _ in range(count)], dtype=np.bool_)
    bounded = draw(st.sampled_from(["count", "budget", "both"]))
    most = draw(st.integers(1, 4)) if bounded != "budget" else None
    return Limits(cents, usable, most, draw(st.integers(0, 20)) * 1000 if bounded != "count" else None)


@st.composite
def covers(draw: st.DrawFn) -> tuple[Cover, Limits]:
    sites, targets = draw(st.integers(1, 7)), draw(st.integers(0, 8))
    rows = st.sets(st.integers(0, targets - 1)) if targets else st.just(set[int]())
    by = tuple(np.array(sorted(draw(rows)), dtype=np.int64) for _ in range(sites))
    weight = np.array([draw(st.integers(1, 9)) for _ in range(targets)], dtype=np.int64)
    already = np.array([draw(st.integers(0, 5)) == 0 for _ in range(targets)], dtype=np.bool_)
    return Cover(by, weight, already), draw(limits(sites))


def choices(allowed: Limits) -> Iterator[list[int]]:
    """Every choice there is."""
    may = np.flatnonzero(allowed.usable).tolist()
    for size in range(len(may) + 1):
        yield from (list(chosen) for chosen in itertools.combinations(may, size) if allowed.holds(list(chosen)))


@SOME
@given(covers())
def test_greed_is_no_better_than_the_exact_which_is_brute_force_and_no_bound_is_under_it(
    drawn: tuple[Cover, Limits],
) -> None:
    cover, allowed = drawn
    best = max(map(cover.total, choices(allowed)))
    greedy = greedily(cover, allowed)
    found = most_covering(cover, allowed, greedy, 10.0, 0, lambda: False)
    for chosen in (greedy, found.chosen):
        assert allowed.holds(chosen)
        assert allowed.usable[chosen].all()
        assert len(set(chosen)) == len(chosen)
    assert cover.total(greedy) <= cover.total(found.chosen) == best
    assert found.is_optimal
    assert all(bound.value >= best for bound in found.bounds)
    assert next(bound.value for bound in found.bounds if bound.kind is BoundKind.SOLVER) == best
    if (share := guarantee(allowed)) is not None:
        nothing = cover.total([])
        assert cover.total(greedy) - nothing >= share * (best - nothing) - 1e-9


@st.composite
def fields(draw: st.DrawFn) -> tuple[Field, Limits]:
    count = draw(st.integers(1, 7))
    points = np.array([[draw(st.integers(0, 300)), draw(st.integers(0, 300))] for _ in range(count)], dtype=np.float64)
    case = town_case(
        town_ground(),
        candidates=tuple(place(f"c{i}", (x, y)) for i, (x, y) in enumerate(points.tolist())),
        today=(place("old", (50, 50)),) if draw(st.booleans()) else (),
        map=map_of(draw(st.sampled_from([40.0, 120.0, 500.0])), draw(st.sampled_from([0.01, 0.2, 3.0]))),
    )
    assert case.map is not None
    return field_of(case, case.map), draw(limits(count))


@FEW
@given(fields())
def test_the_least_variance_is_no_less_than_either_bound_and_exchange_is_no_worse_than_greed(
    drawn: tuple[Field, Limits],
) -> None:
    field, allowed = drawn
    least = min(mean_variance(field, chosen) for chosen in choices(allowed))
    for by_price in (False, True):
        greedy = picked(field, allowed, by_price=by_price)
        better = exchanged(field, allowed, greedy)
        for chosen in (greedy, better):
            assert allowed.holds(chosen)
            assert allowed.usable[chosen].all()
            assert len(set(chosen)) == len(chosen)
        assert mean_variance(field, better) <= mean_variance(field, greedy) + 1e-12
    best, greedy = lowered(field, allowed, 1, lambda: True, kicks=3)
    assert allowed.holds(best)
    assert least - 1e-12 <= mean_variance(field, best) <= mean_variance(field, greedy) + 1e-12
    for bound in (shares_bound(field, allowed, lambda: True), directions_bound(field, allowed)):
        assert bound.value <= least


@FEW
@given(st.lists(st.sampled_from(SPOTS), min_size=1, max_size=8, unique=True), st.booleans(), st.floats(0.01, 2.0))
def test_taking_ranks_away_one_by_one_is_kriging_with_all_at_once(
    chosen: list[tuple[float, float]], is_known: bool, nugget: float
) -> None:
    places = tuple(place(f"c{i}", spot) for i, spot in enumerate(chosen))
    today = (place("old", (33, 44)),) if is_known else ()
    case = town_case(town_ground(), candidates=places, today=today, map=map_of(150.0, nugget))
    assert case.map is not None
    field = field_of(case, case.map)
    left = Left.of(field)
    for number in range(len(places)):
        expected = variances(case, case.map, [*today, *places[:number]])
        assert left.variance == pytest.approx(expected, abs=1e-9)
        gains = left.gains()
        left.take(number)
        assert gains[number] == pytest.approx(expected.mean() - left.variance.mean(), abs=1e-9)
        assert field.variances(np.arange(number + 1)) == pytest.approx(left.variance, abs=1e-9)


@SOME
@given(st.floats(0, 5000), st.floats(0, 5000), st.sampled_from([15.0, 25.0, 50.0]))
def test_what_is_farther_is_heard_no_better(one: float, other: float, height_m: float) -> None:
    radio = default_sensor_prices().radio
    near, far = sorted((one, other))
    assert loss_db(radio, near, height_m) <= loss_db(radio, far, height_m)


@SOME
@given(st.integers(7, 11), st.integers(1, 200))
def test_a_slower_factor_and_a_longer_message_are_on_the_air_longer(factor: int, length: int) -> None:
    assert airtime_s(factor, length) <= airtime_s(factor, length + 1)
    assert airtime_s(factor, length) < airtime_s(factor + 1, length)


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_every_choice_is_proved_and_keeps_its_budget(ground: Ground, data: st.DataObject) -> None:
    draw = data.draw
    spots = draw(st.lists(st.tuples(st.integers(-20, 420), st.integers(-20, 320)), min_size=1, max_size=9, unique=True))
    kinds = st.sampled_from(["lamp_post", "wall", "mast"])
    asked: dict[str, Any] = {
        "candidates": tuple(place(f"c{i}", spot, draw(kinds)) for i, spot in enumerate(spots)),
        "objective": draw(st.sampled_from(Objective)),
        "audience": draw(st.sampled_from(Audience)),
        "radius_m": draw(st.sampled_from([15.0, 60.0, 150.0])),
        "is_on_foot": draw(st.booleans()),
        "count": draw(st.sampled_from([None, 1, 3])),
        "has_mobile": draw(st.booleans()),
        "map": Map(*_points(), Covariance(range_m=draw(st.sampled_from([60.0, 300.0])), sill=3.0, nugget=0.4)),
    }
    if asked["count"] is None or draw(st.booleans()):
        asked["budget_cents"] = draw(st.integers(0, 20)) * 40_000
    model = draw(st.sampled_from(PathLoss))
    prices = default_sensor_prices()
    asked["prices"] = to(prices, radio=to(prices.radio, model=model, power_dbm=draw(st.sampled_from([-10.0, 14.0]))))
    height_m = draw(st.sampled_from([8.0, 25.0, 40.0]))
    roofs = ((350, 250), (2500, 0)) if draw(st.booleans()) else ()
    asked["gateways"] = tuple(gateway(f"g{i}", spot, height_m) for i, spot in enumerate(roofs))
    case = town_case(ground, **asked)
    statement = choose_sites(case, seconds=3, seed=1, tries=2)
    assert [str(finding) for finding in prove(statement, case)] == []
    assert case.budget_cents is None or statement.cost_cents <= case.budget_cents
    assert case.count is None or len(statement.sites) <= case.count
    again = dataclasses.replace(case)
    same = choose_sites(again, seconds=3, seed=1, tries=2)
    assert [site.place for site in same.sites] == [site.place for site in statement.sites]


def _points() -> tuple[np.ndarray[Any, np.dtype[np.float64]], np.ndarray[Any, np.dtype[np.float64]]]:
    map_ = map_of()
    return map_.lon, map_.lat
