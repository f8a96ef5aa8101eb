"""A business case: a plan's money year by year, and what follows from it. The words; `making` reckons them."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from broadstreet.network.investment.business import Business, Falls
from broadstreet.network.investment.returns import Rates


class Group(StrEnum):
    """What a line of a case is part of. building: at once; connecting: as customers come."""

    REVENUE = "revenue"
    FEES = "fees"
    GRANTS = "grants"
    OPERATING = "operating"
    BUILDING = "building"
    CONNECTING = "connecting"
    RENEWING = "renewing"
    TAX = "tax"


COMES = frozenset({Group.REVENUE, Group.FEES, Group.GRANTS})
"""What comes in; the others go out."""
INVESTED = frozenset({Group.BUILDING, Group.CONNECTING, Group.RENEWING})
"""What is capital expenditure."""


class Line(msgspec.Struct, frozen=True):
    """One line by years, in whole cents at the prices of each year, positive whether they come or go. Lines that are
    nothing in every year are left out."""

    group: Group
    name: str
    cents: tuple[int, ...]


class Connected(msgspec.Struct, frozen=True):
    """A kind of customer: how many can be served at last, and how many are connected at each year's end."""

    kind: str
    possible: float
    at_end: tuple[float, ...]


class Stage(msgspec.Struct, frozen=True):
    """What is built in one year. cents: at once, at that year's prices; premises: that can be served from then on."""

    year: int
    areas: tuple[str, ...]
    premises: int
    cents: int


class AreaCase(msgspec.Struct, frozen=True):
    """An area's part of the case, before fixed costs, grants and tax: what areas share by the sockets of those that are
    built.
    year: when it is built, the first of its premises' where they differ; 0: it is not."""

    site: str
    label: str
    turn: int
    year: int
    premises: int
    customers: float
    building_cents: int
    npv_cents: int
    points: float


class PublicWorth(msgspec.Struct, frozen=True):
    """Beside money: point_years: by all who can be served, in all years; points: a year, when all is built;
    points_by_million: point-years for each million that is invested. by_kind: point-years. npv_cents: what point-years
    are worth at the sheet's price, discounted; None: points have no price."""

    points: float
    point_years: float
    points_by_million: float
    by_kind: dict[str, float]
    npv_cents: int | None


class BreakEven(msgspec.Struct, frozen=True):
    """At what the case is worth nothing, all else as it is: a factor on every share connected, or on every price and
    fee; None: at no factor that can be. ceilings, monthly_cents: what that means by kind."""

    take_up: float | None
    ceilings: dict[str, float]
    price: float | None
    monthly_cents: dict[str, int]
    said: str


class Case(msgspec.Struct, frozen=True):
    """All of it, and the business that it was reckoned with. Years count from 1. nominal_rate: what is discounted with.
    residual_cents: at the end of the last year. bill_cents is the plan's; unbuilt_cents: what of it falls in no year
    that is reckoned; waiting_cents: drops whose customers have not come by the end, at the bill's prices.
    invested_cents: building and connecting, without renewals, at the prices of their years."""

    name: str
    business: Business
    nominal_rate: float
    lines: tuple[Line, ...]
    net_cents: tuple[int, ...]
    cumulative_cents: tuple[int, ...]
    residual_cents: int
    customers: tuple[Connected, ...]
    premises_passed: tuple[float, ...]
    stages: tuple[Stage, ...]
    areas: tuple[AreaCase, ...]
    bill_cents: int
    unbuilt_cents: int
    waiting_cents: int
    invested_cents: int
    npv_cents: int
    rates: Rates
    modified_rate: float | None
    payback_years: float | None
    discounted_payback_years: float | None
    peak_funding_cents: int
    peak_year: int
    cents_by_premises_passed: int | None
    cents_by_connected: int | None
    break_even: BreakEven
    public_value: PublicWorth
    notes: tuple[str, ...]

    def total_cents(self, *groups: Group) -> int:
        """What lines of these groups sum to."""
        return sum(sum(line.cents) for line in self.lines if line.group in groups)

    @property
    def years(self) -> int:
        return self.business.time.years

    @property
    def stream(self) -> tuple[int, ...]:
        """The payments by half-years, the residual value as the last of them."""
        return stream_of(self.net_cents, self.residual_cents, self.business.time.falls)


def stream_of(net_cents: Sequence[int], residual_cents: int, falls: Falls) -> tuple[int, ...]:
    """Yearly payments by half-years from the beginning, with what is left at the end of the last."""
    halves = [0] * (2 * len(net_cents) + 1)
    for year, cents in enumerate(net_cents, 1):
        halves[2 * year - (falls is Falls.MIDDLE)] += cents
    halves[-1] += residual_cents
    return tuple(halves)
