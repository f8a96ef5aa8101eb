"""What must hold for any row of payments, any bill, any spread: rates of return, paybacks, cents that sum."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from broadstreet.network.investment.business import Spread
from broadstreet.network.investment.choosing import best_together
from broadstreet.network.investment.outlay import spread
from broadstreet.network.investment.returns import (
    LEAST_RATE,
    internal_rates,
    modified_rate,
    payback_years,
    present_value,
)
from broadstreet.network.investment.sensitivity import _ranks, _triangle
from broadstreet.network.investment.take_up import Form, TakeUp

CENTS = st.integers(-(10**11), 10**11)
STREAMS = st.lists(CENTS | st.just(0), min_size=1, max_size=25)


def yearly(*cents: int) -> list[int]:
    """A stream of payments now and at each year's end."""
    return [amount for cent in cents for amount in (cent, 0)][:-1]


@given(STREAMS)
def test_a_stream_is_worth_nothing_at_each_of_its_rates(stream: list[int]) -> None:
    rates = internal_rates(stream)
    for rate in rates.found:
        # The rate is known to a float's last bits; how much that moves the worth, its slope says.
        x = (1 + rate) ** -0.5
        terms = [abs(cents) * x**place for place, cents in enumerate(stream)]
        slack = (
            1e-11 * (1 + 1e-4 / (1 + rate)) * (sum(place * term for place, term in enumerate(terms)) + sum(terms) + 1)
        )
        assert abs(present_value(stream, rate)) <= slack
    assert list(rates.found) == sorted(rates.found)
    signs = [cents > 0 for cents in stream if cents]
    changes = sum(one != other for one, other in pairwise(signs))
    assert len(rates.found) <= changes == rates.sign_changes
    # Worth less at the least rate than at the highest, or the other way: it is nothing between them.
    ends = [present_value(stream, rate) for rate in (LEAST_RATE, 1e12)]
    assert rates.found or ends[0] * ends[1] >= 0 or min(map(abs, ends)) < 1


@given(st.lists(st.fractions(Fraction(-9, 10), 5, max_denominator=20), min_size=1, max_size=4, unique=True))
def test_planted_rates_are_all_found_and_no_others(planted: list[Fraction]) -> None:
    """A product of (1 + planted rate) x - 1 is nothing at just these."""
    poly = [Fraction(1)]
    for rate in planted:
        poly = [
            (poly[place - 1] if place else 0) * (1 + rate) - (poly[place] if place < len(poly) else 0)
            for place in range(len(poly) + 1)
        ]
    scale = np.lcm.reduce([int(one.denominator) for one in poly])
    found = internal_rates(yearly(*(int(one * int(scale)) for one in poly)))
    assert found.found == pytest.approx(sorted(float(rate) for rate in planted), abs=1e-12)


def test_known_examples() -> None:
    # Brealey, Myers, Allen, chapter 5: projects of one, two and no rates of return.
    assert internal_rates(yearly(-4000, 2000, 4000)).rate == pytest.approx(0.2808, abs=5e-5)
    assert internal_rates(yearly(1000, -3000, 2500)).found == ()
    assert "go by the net present value" in internal_rates(yearly(1000, -3000, 2500)).said
    # Lorie and Savage's oil pump, 1955: 25 and 400 per cent.
    pump = internal_rates(yearly(-1600, 10_000, -10_000))
    assert pump.found == pytest.approx((0.25, 4.0))
    assert pump.rate is None
    assert "there are 2 rates" in pump.said
    assert internal_rates(yearly(-5, -5)).said.endswith("money only goes")
    assert internal_rates([0, 0]).found == internal_rates([]).found == ()
    # A double root is one rate.
    assert internal_rates(yearly(-100, 220, -121)).found == pytest.approx((0.1,))
    # The examples that spreadsheets' own pages have for IRR and MIRR.
    assert internal_rates(yearly(-70_000, 12_000, 15_000, 18_000, 21_000, 26_000)).rate == pytest.approx(
        0.0866, abs=5e-5
    )
    flows = yearly(-120_000, 39_000, 30_000, 21_000, 37_000, 46_000)
    assert modified_rate(flows, 0.10, 0.12) == pytest.approx(0.1261, abs=5e-5)
    assert modified_rate(flows, 0.10, 0.14) == pytest.approx(0.1348, abs=5e-5)
    assert modified_rate(yearly(1, 2), 0.1, 0.1) is None
    assert present_value(yearly(0, 110, 121), 0.1) == pytest.approx(200)
    assert present_value([0, 110], 0.21) == pytest.approx(100)


@given(st.lists(st.integers(-1000, 1000), max_size=12))
def test_payback_is_when_nothing_is_owed_for_good(net: list[int]) -> None:
    found = payback_years(net)
    running = [0, *accumulate(net)]
    if running[-1] < 0:
        assert found is None
        return
    assert found is not None
    assert np.interp(found, range(len(running)), running) >= -1e-9
    late = [year for year, total in enumerate(running) if year > found]
    assert all(running[year] >= 0 for year in late)
    owed = [year for year, total in enumerate(running) if total < 0]
    assert found == 0 if not owed else owed[-1] < found <= owed[-1] + 1


@given(st.integers(0, 10**12), st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_cents_that_are_spread_sum_to_the_whole(cents: int, weights: list[float]) -> None:
    parts = spread(cents, weights)
    assert int(parts.sum()) == cents
    assert (parts >= 0).all()
    total = sum(map(Fraction, weights))
    assume(total > Fraction(1, 1000))
    for part, weight in zip(parts.tolist(), weights, strict=True):
        assert abs(part - Fraction(weight) / total * cents) <= 1 + cents * Fraction(1, 10**12)


@given(
    st.lists(st.floats(-0.9, 9), min_size=3, max_size=3).map(sorted),
    st.floats(0, 1),
)
def test_draws_are_of_their_triangle(corners: list[float], uniform: float) -> None:
    """The triangle's distribution, at what was drawn, is the chance that it was drawn by."""
    low, likely, high = corners
    assume(high - low > 1e-6 or high == low)
    drawn = float(_triangle(Spread(low=low, likely=likely, high=high), np.array([uniform]))[0])
    assert low - 1e-9 <= drawn <= high + 1e-9
    if high > low:
        if drawn <= likely and likely > low:
            below = (drawn - low) ** 2 / (high - low) / (likely - low)
        else:
            below = 1 - (high - drawn) ** 2 / (high - low) / max(high - likely, 1e-300)
        assert below == pytest.approx(uniform, abs=1e-5) or likely in (low, high) or abs(drawn - likely) < 1e-9


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20))
def test_equal_values_share_their_rank(values: list[int]) -> None:
    ranks = _ranks(np.array(values, dtype=np.float64))
    for value, rank in zip(values, ranks.tolist(), strict=True):
        below, same = sum(one < value for one in values), values.count(value)
        assert rank == below + (same + 1) / 2


@given(
    st.sampled_from([Form.LOGISTIC, Form.GOMPERTZ, Form.BASS]),
    st.floats(0.001, 1),
    st.floats(0.001, 1),
    st.floats(0, 5),
    st.floats(0, 5),
)
def test_a_curve_rises_from_its_start_to_no_more_than_its_ceiling(
    form: Form, one: float, other: float, speed: float, following: float
) -> None:
    start, ceiling = sorted((one, other))
    curve = TakeUp(form=form, start=start, ceiling=ceiling, speed=speed, following=following)
    shares = curve.at(np.linspace(0, 60, 200))
    assert shares[0] == pytest.approx(start)
    assert (np.diff(shares) >= -1e-12).all()
    assert shares.max() <= ceiling + 1e-12


@given(st.data())
def test_no_areas_together_are_worth_more_than_those_chosen(data: st.DataObject) -> None:
    """Every choice tried."""
    areas, things = data.draw(st.integers(1, 7)), data.draw(st.integers(1, 7))
    brings = data.draw(st.lists(st.integers(-5, 20), min_size=areas, max_size=areas))
    costs = data.draw(st.lists(st.integers(0, 15), min_size=things, max_size=things))
    needs = data.draw(st.lists(st.lists(st.integers(0, things - 1), unique=True), min_size=areas, max_size=areas))

    def worth(chosen: Iterable[int]) -> int:
        chosen = list(chosen)
        needed = {thing for area in chosen for thing in needs[area]}
        return sum(brings[area] for area in chosen) - sum(costs[thing] for thing in needed)

    choices = [[area for area in range(areas) if number >> area & 1] for number in range(2**areas)]
    assert worth(best_together(brings, needs, costs)) == max(map(worth, choices))
