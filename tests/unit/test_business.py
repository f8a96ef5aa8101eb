"""The business that comes along, and what is told of bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.sheet import MAX_AMOUNT_CENTS, parse_sheet
from broadstreet.network.investment import Business, business_sheet, default_business, read_business
from broadstreet.network.investment.business import Drops, Order, Spreads
from broadstreet.network.investment.take_up import Form

SHEET = business_sheet().decode()


def test_the_business_that_comes_along(tmp_path: Path) -> None:
    business = default_business()
    path = tmp_path / "own.toml"
    path.write_text(SHEET)
    assert read_business(path) == business
    assert business.money.nominal_rate == pytest.approx(1.04 * 1.02 - 1)
    assert list(business.customer) == ["household", "school", "clinic", "sensor", "business", "site"]
    assert business.customer["household"].take_up.form is Form.GOMPERTZ
    assert business.customer["household"].monthly_price == 2900
    assert business.operating.fixed == 24_000_00
    assert business.building.drops is Drops.ON_CONNECTION
    assert business.spread == Spreads()  # what the sheet says, and what holds where it says nothing, are the same
    assert business.time.called(business.time.years) == "2046"


def test_every_line_of_it_says_what_it_means() -> None:
    """Each entry of the sheet that comes along has a comment, or stands in a customer's table that has one like it."""
    bare = [line for line in SHEET.splitlines() if "=" in line and "#" not in line and line[0] not in "#["]
    explained = {
        "connect_each",
        "operating_each",
        "public_value",
        "connection_fee",
        "churn",
        "reconnect_each",
        "counts",
    }
    explained |= {"monthly_price", "labels", "take_up", "low", "high", "order", "drops"}
    assert {line.split(" =")[0] for line in bare} <= explained


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("years = 20 ", "years = 60 ", "time.years: "),
        ('falls = "middle"', 'falls = "start"', "time.falls: "),
        ("discount_rate = 0.04", "discount_rate = 4.0", "money.discount_rate: "),
        ("discount_rate = 0.04", "discount_rat = 0.04", "did you mean discount_rate?"),
        ("ceiling = 0.50", "ceiling = 0.02", "customer.household.take_up: start: 0.05 is over the ceiling of 0.02"),
        ("start = 0.05, ceiling = 0.50", "ceiling = 0.50", "give those who sign before"),
        (
            'form = "gompertz", start = 0.05, ceiling = 0.50, speed = 0.45',
            'form = "table"',
            "give the share at the end",
        ),
        (
            'form = "gompertz", start = 0.05, ceiling = 0.50, speed = 0.45',
            'form = "bass", following = 0.4',
            "nobody comes whom others could follow",
        ),
        ("speed = 0.45", "speed = 0.45, table = [0.1]", "a gompertz curve has none"),
        (
            "monthly_price = 29.00",
            "monthly_price = -29.00",
            "customer.household.monthly_price: a price is not negative",
        ),
        ("monthly_price = 29.00", "monthly_price = 29.001", "a price has whole cents"),
        (
            'labels = ["sensor"',
            'label = ["sensor"',
            "customer.sensor.label: there is no such entry; did you mean labels?",
        ),
        ('labels = ["sensor", "camera", "lights", "air quality"]', "", "two kinds count sites"),
        ("fixed = 24_000.00", "fixed = 24_000_000_000_000.00", f"is over the bound of {MAX_AMOUNT_CENTS // 100}"),
        ("civil = 40", "civil = 0", "life.civil: "),
        ("phase_years = []", "phase_years = [1, 25]", "time.phase_years: year 25 lies beyond the 20 years"),
        ("only_worth = false", "only_worth = true", "phases.only_worth: not with the plan's own phases"),
        ("high = 0.30", "high = -0.30", "spread.cost: low (-0.1), likely (0.0) and high (-0.3) are not in this order"),
        ('currency = "EUR"', 'currency = "euro"', "currency: "),
    ],
)
def test_a_bad_business_is_refused_with_the_place(old: str, new: str, words: str) -> None:
    assert old in SHEET
    with pytest.raises(InvalidInput) as caught:
        parse_sheet(SHEET.replace(old, new).encode(), Business, "business.toml")
    assert words in caught.value.message


def test_budgets_and_grants_are_amounts_by_year() -> None:
    text = SHEET.replace('order = "as_planned"', 'order = "by_worth"')
    text += "\n[phases.budget.1]\namount = 25_000_000.00\n[phases.budget.3]\namount = 0\n[grant.2]\namount = 500_000\n"
    business = parse_sheet(text.encode(), Business, "own")
    assert business.phases.order is Order.BY_WORTH
    assert {year: sum.amount for year, sum in business.phases.budget.items()} == {1: 25_000_000_00, 3: 0}
    assert business.grant[2].amount == 500_000_00
    for wrong in ("\n[grant.21]\namount = 1\n", "\n[grant.0]\namount = 1\n", "\n[grant.first]\namount = 1\n"):
        with pytest.raises(InvalidInput, match="grant"):
            parse_sheet((SHEET + wrong).encode(), Business, "own")
    entries = 'counts = "sites"\nids = ["a"]\nmonthly_price = 1\ntake_up = { form = "table", table = [1] }\n'
    kinds = "".join(f"[customer.k{n}]\n{entries}" for n in range(20))
    with pytest.raises(InvalidInput, match="26 kinds are over the bound of 20"):
        parse_sheet((SHEET + kinds).encode(), Business, "own")
