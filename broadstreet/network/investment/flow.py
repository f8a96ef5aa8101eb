"""What comes in and goes out in each year: a programme beside a business, for many settings of its levers at once.

Money is reckoned by years; who is connected by months, since a year's revenue comes from those who were there in it:
the mean of the middles of its twelve months. Whatever is built in a year has the same life after it, so each kind of
customer has one profile by the years since its street was built, and years are laid over each other.

Arrays have a row for each setting and a column for each year. All are cents, positive whether they come or go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.design import What
from broadstreet.network.ground.courses import F8
from broadstreet.network.investment.business import Business, Drops, Falls
from broadstreet.network.investment.outlay import WHATS
from broadstreet.network.investment.programme import Programme

MONTHS: Final = 12
_ACTIVE: Final = {What.PORT}
_PASSIVE: Final = {What.CABLE, What.CABINET, What.CLOSURE, What.SPLITTER, What.JOINT, What.DROP}
CLASSES: Final = ("civil", "passive", "active", "customer")
CLASS_OF: Final = {what: "active" if what in _ACTIVE else "passive" if what in _PASSIVE else "civil" for what in WHATS}


@dataclass(frozen=True, eq=False)
class Levers:
    """What is tried, a row a setting: factors on building and connecting (cost), on shares connected (take_up), on
    monthly prices and fees (price), on what running it costs (operating); what is added to the nominal discount rate
    (interest); by how many years all is ready later (delay_years)."""

    cost: F8
    take_up: F8
    price: F8
    operating: F8
    interest: F8
    delay_years: F8

    @classmethod
    def of(cls, count: int = 1, **columns: F8 | float) -> Levers:
        """Columns that are given, numbers for all settings; the others leave things as they are."""
        plain = {"cost": 1.0, "take_up": 1.0, "price": 1.0, "operating": 1.0, "interest": 0.0, "delay_years": 0.0}
        return cls(**{name: np.broadcast_to(np.float64(value), count) for name, value in (plain | columns).items()})

    def __len__(self) -> int:
        return len(self.cost)

    def take(self, which: slice) -> Levers:
        """Some of the settings."""
        return Levers(**{name: value[which] for name, value in vars(self).items()})


@dataclass(frozen=True, eq=False)
class Flow:
    """By line. building: by what, at once; drops: those that wait for their customer; connecting: by kind what a first
    connection takes beside its drop; renewing: by class of asset. residual: at the end of the last year, a number a
    setting. connected: at each year's end, by kind; passed: premises. rate: the nominal discount rate, a number a
    setting."""

    revenue: Mapping[str, F8]
    fees: Mapping[str, F8]
    operating: Mapping[str, F8]
    building: Mapping[str, F8]
    drops: F8
    connecting: Mapping[str, F8]
    renewing: Mapping[str, F8]
    grants: F8
    tax: F8
    residual: F8
    connected: Mapping[str, F8]
    passed: F8
    rate: F8

    @property
    def net(self) -> F8:
        """What is left of each year; the residual value is not in it."""
        come = sum(self.revenue.values()) + sum(self.fees.values()) + self.grants
        kept_up = sum(self.operating.values()) + sum(self.renewing.values()) + self.tax
        left: F8 = come - sum(self.building.values()) - self.drops - sum(self.connecting.values()) - kept_up
        return left

    def worth(self, falls: Falls) -> F8:
        """The net present value of each setting, in cents."""
        years = self.net.shape[1]
        when = np.arange(1, years + 1) - (0.5 if falls is Falls.MIDDLE else 0.0)
        base = 1 + self.rate[:, None]
        value: F8 = (self.net * base**-when).sum(axis=1) + self.residual * base[:, 0] ** -years
        return value


@dataclass(frozen=True, eq=False)
class _Profile:
    """One kind by years since its street was built: the mean share in a year, that at its end; of those who could be
    customers the share who sign in it, who are connected for the first time, and who come where another was."""

    mean: F8
    end: F8
    signed: F8
    first: F8
    again: F8


def flow_of(programme: Programme, business: Business, levers: Levers, *, is_part: bool = False) -> Flow:
    """The flows of a programme. is_part: of an area alone, without what is of the whole: fixed costs, grants, tax."""
    return _Reckoning(programme, business, levers).flow(is_part)


class _Reckoning:
    def __init__(self, programme: Programme, business: Business, levers: Levers) -> None:
        self.programme, self.business, self.levers = programme, business, levers
        self.years = programme.built.shape[1]
        money, years = business.money, np.arange(self.years)
        self.prices = (1 + money.price_growth) ** years * levers.price[:, None]
        self.wages = (1 + money.operating_growth) ** years * levers.operating[:, None]
        self.costs = (1 + money.building_growth) ** years * levers.cost[:, None]
        self.late = business.time.ready_after_years + levers.delay_years
        ready = np.clip(np.arange(1, self.years + 1) - np.maximum(self.late, 0.0)[:, None], 0.0, 1.0)
        self.ready: F8 = ready
        somebody = np.any(programme.customers > 0, axis=1)
        self.profiles = {
            name: self._profile(name) if somebody[number] else self._nobody()
            for number, name in enumerate(business.customer)
        }
        self.lives = {name: int(getattr(business.life, name)) for name in CLASSES}

    def _profile(self, name: str) -> _Profile:
        kind = self.business.customer[name]
        months = (np.arange(self.years * MONTHS) + 0.5) / MONTHS
        by_month = self._share(name, months)
        mean = by_month.reshape(len(self.levers), self.years, MONTHS).mean(axis=2)
        end = self._share(name, np.arange(1.0, self.years + 1))
        left = kind.churn * mean
        signed = np.maximum(0.0, np.diff(end, axis=1, prepend=0.0) + left)
        first = np.diff(np.maximum.accumulate(end, axis=1), axis=1, prepend=0.0)
        return _Profile(mean, end, signed, first, np.maximum(0.0, signed - first))

    def _nobody(self) -> _Profile:
        """Of a kind that there is nobody of."""
        none = np.zeros((len(self.levers), self.years))
        return _Profile(none, none, none, none, none)

    def _share(self, name: str, years: F8) -> F8:
        """The share connected at these times since the street's year began."""
        late = np.maximum(self.late, 0.0)[:, None]
        share = self.business.customer[name].take_up.at(years[None, :] - late)
        return np.minimum(1.0, share * self.levers.take_up[:, None])

    def _over(self, added: NDArray[np.float64], profile: F8) -> F8:
        """A profile laid over the years in which something is added to."""
        total = np.zeros((len(self.levers), self.years))
        for year in np.flatnonzero(added).tolist():
            total[:, year:] += added[year] * profile[:, : self.years - year]
        return total

    def flow(self, is_part: bool) -> Flow:
        programme, business = self.programme, self.business
        revenue, fees, connecting, connected, operating = {}, {}, {}, {}, {}
        for number, (name, kind) in enumerate(business.customer.items()):
            added, profile = programme.customers[number], self.profiles[name]
            mean, signed = self._over(added, profile.mean), self._over(added, profile.signed)
            again = self._over(added, profile.again)
            revenue[name] = mean * (MONTHS * kind.monthly_price) * self.prices
            fees[name] = signed * kind.connection_fee * self.prices
            connecting[name] = self._over(added, profile.first) * kind.connect_each * self.costs
            served = mean * kind.operating_each + signed * kind.win_each + again * kind.reconnect_each
            operating[name] = served * self.wages
            connected[name] = self._over(added, profile.end)
        building = {what.value: programme.built[n] * self.costs for n, what in enumerate(WHATS)}
        drops = self._drops() * self.costs
        if business.building.drops is Drops.AT_ONCE:
            building[What.DROP.value] = drops
            drops = np.zeros_like(drops)
        spent = {name: np.zeros_like(drops) for name in CLASSES}
        for what, cents in building.items():
            spent[CLASS_OF[What(what)]] += cents
        spent["passive"] += drops
        spent["customer"] += sum(connecting.values())
        renewing = {name: self._renewed(spent[name], self.lives[name]) for name in CLASSES}
        owned = {name: spent[name] + renewing[name] for name in CLASSES}
        operating |= self._running(sum(building.values()), is_part)
        grants = np.zeros_like(drops)
        for year, grant in () if is_part else business.grant.items():
            grants[:, year - 1] = grant.amount
        profit = np.zeros_like(drops) + sum(revenue.values()) + sum(fees.values()) - sum(operating.values())
        return Flow(
            revenue=revenue,
            fees=fees,
            operating=operating,
            building=building,
            drops=drops,
            connecting=connecting,
            renewing=renewing,
            grants=grants,
            tax=np.zeros_like(drops) if is_part else self._tax(profit, owned, grants),
            residual=self._residual(owned),
            connected=connected,
            passed=self._over(programme.premises, self.ready),
            rate=business.money.nominal_rate + self.levers.interest,
        )

    def _drops(self) -> F8:
        """What drops cost by year: each when a first customer of its premises connects, or with its street. Customers
        come independently of each other, so a premises of several has one sooner."""
        doors = self.programme.doors
        total = np.zeros((len(self.levers), self.years))
        if self.business.building.drops is Drops.AT_ONCE:
            np.add.at(total.T, doors.year, doors.cents[:, None])
            return total
        ends = np.stack([np.maximum.accumulate(one.end, axis=1) for one in self.profiles.values()])
        with np.errstate(divide="ignore"):
            none_yet = np.log1p(-ends)  # kinds by settings by years; -inf where everyone is connected
        for year, customers, cents in zip(doors.year.tolist(), doors.customers, doors.cents.tolist(), strict=True):
            there = np.flatnonzero(customers).tolist()
            empty = np.exp(sum(customers[kind] * none_yet[kind] for kind in there) + np.zeros_like(total))
            laid = np.diff(1 - empty, axis=1, prepend=0.0)
            total[:, year:] += cents * laid[:, : self.years - year]
        return total

    def _running(self, building: F8, is_part: bool) -> dict[str, F8]:
        """What running the network costs. The share of building is of what stood when the year began."""
        costs, programme = self.business.operating, self.programme
        stood = np.cumsum(building, axis=1) - building
        lines = {
            "premises passed": self._over(programme.premises, self.ready) * costs.premises_each * self.wages,
            "ways": self._over(programme.ways_m / 1000, self.ready) * costs.km_each * self.wages,
            "ports": self._over(programme.ports, self.ready) * costs.port_each * self.wages,
            "share of building": stood * costs.share_of_building * self.levers.operating[:, None],
        }
        fixed = 0 if is_part else costs.fixed
        return {**lines, "fixed": fixed * self.wages}

    def _renewed(self, spent: F8, life: int) -> F8:
        """What is renewed at the end of its life, at the prices of then."""
        renewed = np.zeros_like(spent)
        growth = (1 + self.business.money.building_growth) ** life
        for year in range(life, self.years):
            renewed[:, year] = (spent[:, year - life] + renewed[:, year - life]) * growth
        return renewed

    def _residual(self, owned: Mapping[str, F8]) -> F8:
        """What is not yet written off at the end, by straight lines from the year in which it was spent."""
        age = self.years - np.arange(self.years)
        left = sum((cents * np.maximum(0.0, 1 - age / self.lives[name])).sum(axis=1) for name, cents in owned.items())
        worth: F8 = self.business.money.residual_share * left
        return worth

    def _tax(self, profit: F8, owned: Mapping[str, F8], grants: F8) -> F8:
        """Tax on what is left after writing off, losses carried on; what grants have paid is not written off."""
        tax = np.zeros_like(profit)
        if not (rate := self.business.money.tax_rate):
            return tax
        written = np.zeros_like(profit)
        for name, cents in owned.items():
            for year in range(self.years):
                written[:, year : year + self.lives[name]] += cents[:, year, None] / self.lives[name]
        whole = sum(cents.sum(axis=1) for cents in owned.values())
        own = 1 - np.minimum(1.0, np.divide(grants.sum(axis=1), whole, out=np.zeros_like(whole), where=whole > 0))
        carried = np.zeros(len(profit))
        for year in range(self.years):
            base = profit[:, year] - written[:, year] * own + carried
            tax[:, year] = rate * np.maximum(0.0, base)
            carried = np.minimum(0.0, base)
        return tax
