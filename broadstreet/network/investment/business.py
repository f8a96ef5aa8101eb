"""The business that a network is to be: who buys what, at which price, what running it costs, how it is reckoned.

A business is a sheet (TOML), as the catalogue is. Rates and shares are decimals (0.06 is six per cent); prices are in
the currency's own unit, with no value-added tax in them. `default_business()` is the one that comes with Broadstreet:
plausible for a city's own wholesale and retail network in Europe, each line with its meaning and where it is from.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from broadstreet.network.ground.catalogue import Word
from broadstreet.network.ground.sheet import Amount, Cents, parse_sheet, read_sheet
from broadstreet.network.investment.take_up import TakeUp

MAX_YEARS: Final = 50
"""The longest time that is reckoned."""
MAX_KINDS: Final = 20
"""The most kinds of customers."""

Rate = Annotated[float, Meta(ge=-0.5, le=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Years = Annotated[int, Meta(ge=1, le=100)]
Year = Annotated[int, Meta(ge=1, le=MAX_YEARS)]


class Falls(StrEnum):
    """Where in its year money is taken to come and go."""

    MIDDLE = "middle"
    END = "end"


class Meant(StrEnum):
    """Whether a rate has inflation in it."""

    NOMINAL = "nominal"
    REAL = "real"


class Counts(StrEnum):
    """Whom of those who are served a kind of customer counts."""

    HOUSEHOLDS = "households"
    BUSINESSES = "businesses"
    SITES = "sites"


class Order(StrEnum):
    """Which areas are built first: as the plan has them, or by what an area brings for what it costs."""

    AS_PLANNED = "as_planned"
    BY_WORTH = "by_worth"
    BY_PUBLIC_VALUE = "by_public_value"


class Drops(StrEnum):
    """When a premises' drop is built."""

    AT_ONCE = "at_once"
    ON_CONNECTION = "on_connection"


class Time(msgspec.Struct, frozen=True, kw_only=True):
    """years: how many are reckoned, building and all. first_year: what the first is called; 0: they are numbered.
    ready_after_years: from the beginning of the year in which something is built until it can be sold. phase_years: the
    year in which each of the plan's phases is built; those that are not listed follow, a year each."""

    years: Year
    first_year: Annotated[int, Meta(ge=0, le=2200)] = 0
    falls: Falls = Falls.MIDDLE
    ready_after_years: Annotated[float, Meta(ge=0, le=5)] = 1.0
    phase_years: list[Year] = []

    def called(self, year: float) -> str:
        """What a year is called."""
        number = f"{self.first_year + year - 1:.0f}" if self.first_year else f"{year:.0f}"
        return number if self.first_year else f"year {number}"


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """discount_rate: what money of this risk must earn. Growths are of prices, a year, inflation in them. tax_rate: on
    profits, losses carried on. residual_share: of what assets are worth in the books at the end, what is counted."""

    discount_rate: Rate
    discount_rate_is: Meant
    inflation: Rate
    price_growth: Rate
    operating_growth: Rate
    building_growth: Rate
    residual_share: Share = 0.0
    tax_rate: Share = 0.0

    @property
    def nominal_rate(self) -> float:
        """The discount rate with inflation in it: Fisher's equation."""
        if self.discount_rate_is is Meant.NOMINAL:
            return self.discount_rate
        return (1 + self.discount_rate) * (1 + self.inflation) - 1


class Customer(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of customer. counts: who they are; labels, ids: only the premises whose label has one of these words in
    it, or whose id is named, each of which is one customer.

    churn: the share of the connected who leave in a year; others come in their place, as the take-up says. connect:
    what a new connection costs beside its drop; reconnect: the same where a drop and its equipment lie already. win:
    what finding one more customer costs. operating: what one costs to serve, a year. public_value: points, by each who
    can be served, whatever is paid.
    """

    counts: Counts
    take_up: TakeUp
    monthly_price: Cents
    connection_fee: Cents = Cents(0)
    churn: Share = 0.0
    connect_each: Cents = Cents(0)
    reconnect_each: Cents = Cents(0)
    win_each: Cents = Cents(0)
    operating_each: Cents = Cents(0)
    public_value: Annotated[float, Meta(ge=0, le=1e6)] = 0.0
    labels: list[Word] = []
    ids: list[Word] = []

    @property
    def is_named(self) -> bool:
        return bool(self.labels or self.ids)


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """drops: whether the bill's drops are built with their street, or each when its premises' first customer connects,
    so that some never are."""

    drops: Drops = Drops.ON_CONNECTION


class Operating(msgspec.Struct, frozen=True, kw_only=True):
    """What running the network costs a year, whoever is connected: in whole, for each premises passed, kilometre of
    ways, and port, and as a share of what building it cost. jobs_per_business: where jobs are counted, how many are one
    business."""

    fixed: Amount = Amount(0)
    premises_each: Cents = Cents(0)
    km_each: Cents = Cents(0)
    port_each: Cents = Cents(0)
    share_of_building: Share = 0.0
    jobs_per_business: Annotated[float, Meta(gt=0, le=1e5)] = 10.0


class Lives(msgspec.Struct, frozen=True, kw_only=True):
    """After how many years each is renewed, and in how many it is written off. civil: trenches, crossings, permits,
    ducts, poles, the office's room; passive: cables, cabinets, closures, splitters, splices, drops; active: ports;
    customer: what a connection has beside its drop."""

    civil: Years
    passive: Years
    active: Years
    customer: Years


class Sum(msgspec.Struct, frozen=True, kw_only=True):
    """An amount of money."""

    amount: Amount


class Phases(msgspec.Struct, frozen=True, kw_only=True):
    """Which areas come first, where the order is not the plan's; budget: by year, for what is built at once, each until
    another is given; what is left over is kept for the next year. None: no bound. only_worth: just the areas
    are built that are worth most together, before fixed costs."""

    order: Order = Order.AS_PLANNED
    only_worth: bool = False
    budget: dict[Year, Sum] = {}


class PublicValue(msgspec.Struct, frozen=True, kw_only=True):
    """price_per_point: what the city would pay for a point for a year; 0: it has no price."""

    price_per_point: Cents = Cents(0)


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """How far something may lie from what the sheet says: at the least, most likely, at the most."""

    low: Annotated[float, Meta(ge=-0.95, le=10)] = 0.0
    likely: Annotated[float, Meta(ge=-0.95, le=10)] = 0.0
    high: Annotated[float, Meta(ge=-0.95, le=10)] = 0.0

    def __post_init__(self) -> None:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low ({self.low}), likely ({self.likely}) and high ({self.high}) are not in this order")


class Spreads(msgspec.Struct, frozen=True, kw_only=True):
    """Shares more or less of cost (building, connecting, renewing), take-up, prices, and of what running costs; points
    on the discount rate; years that all is ready later. Each is independent of the others."""

    cost: Spread = Spread(low=-0.1, high=0.3)
    take_up: Spread = Spread(low=-0.3, high=0.2)
    price: Spread = Spread(low=-0.15, high=0.1)
    operating: Spread = Spread(low=-0.1, high=0.25)
    interest: Spread = Spread(low=-0.01, high=0.02)
    delay_years: Spread = Spread(low=-0.25, high=1.0)


class Business(msgspec.Struct, frozen=True, kw_only=True):
    """All that a plan's money is reckoned with, beside its bill. grant: by the year in which it is paid."""

    title: Word
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")]
    time: Time
    money: Money
    customer: dict[Word, Customer]
    operating: Operating
    life: Lives
    building: Building = Building()
    phases: Phases = msgspec.field(default_factory=Phases)
    public_value: PublicValue = PublicValue()
    spread: Spreads = Spreads()
    grant: dict[Year, Sum] = {}

    def __post_init__(self) -> None:
        if len(self.customer) > MAX_KINDS:
            raise ValueError(f"customer: {len(self.customer)} kinds are over the bound of {MAX_KINDS}")
        unnamed = [kind.counts for kind in self.customer.values() if not kind.is_named]
        for counts in Counts:
            if unnamed.count(counts) > 1:
                raise ValueError(f"customer: two kinds count {counts}; give all but one of them labels or ids")
        for name, years in (
            ("time.phase_years", self.time.phase_years),
            ("phases.budget", self.phases.budget),
            ("grant", self.grant),
        ):
            if late := [year for year in years if year > self.time.years]:
                raise ValueError(f"{name}: year {late[0]} lies beyond the {self.time.years} years that are reckoned")
        if self.phases.order is Order.AS_PLANNED and (self.phases.budget or self.phases.only_worth):
            name = "budget" if self.phases.budget else "only_worth"
            raise ValueError(f"phases.{name}: not with the plan's own phases; choose by_worth or by_public_value")


def read_business(path: Path) -> Business:
    """The business that a TOML file holds. Raises InvalidInput with every fault and its place."""
    return read_sheet(path, Business)


def business_sheet() -> bytes:
    """The sheet that comes with Broadstreet, as it stands: to begin one's own from."""
    return (resources.files("broadstreet.network.investment") / "defaults" / "business.toml").read_bytes()


@cache
def default_business() -> Business:
    """The business that comes with Broadstreet."""
    return parse_sheet(business_sheet(), Business, "the business that comes with Broadstreet")
