"""What a plan is worth: take-up, revenue, cost, years and budgets, and how far that may be off.

In come a `Statement` with its `Ground`, and a `Business`, a sheet in TOML that people edit. A `Venture` is all three
made ready: `catchment` finds for whom each piece of the design is, by following light, `outlay` takes the bill apart by
area and phase, `custom` says who could be a customer, `phasing` which areas come first, `programme` lays it out in
years; `flow` reckons it for many settings at once. Out come a `Case` (`case_of`), a `Tornado`, a `TwoWay` table, a
`Chance`, and cases side by side (`compare`).

What must always hold: what is built, what waits for its customers and what is built never sum to the bill, to the cent;
every figure of a case follows from its lines, which are whole cents; areas' parts and what is of the whole sum to the
whole; public value is told beside money and never in it; equal inputs and seeds give equal cases.
"""

from broadstreet.network.investment.business import Business, business_sheet, default_business, read_business
from broadstreet.network.investment.case import Case, Group
from broadstreet.network.investment.comparison import Comparison, compare, spoken
from broadstreet.network.investment.making import case_of, case_of_venture
from broadstreet.network.investment.phasing import AreaValue, area_values
from broadstreet.network.investment.sensitivity import (
    Chance,
    Tornado,
    TwoWay,
    chance,
    take_up_by_cost,
    tornado,
    two_way,
)
from broadstreet.network.investment.venture import Venture

__all__ = [
    "AreaValue",
    "Business",
    "Case",
    "Chance",
    "Comparison",
    "Group",
    "Tornado",
    "TwoWay",
    "Venture",
    "area_values",
    "business_sheet",
    "case_of",
    "case_of_venture",
    "chance",
    "compare",
    "default_business",
    "read_business",
    "spoken",
    "take_up_by_cost",
    "tornado",
    "two_way",
]
