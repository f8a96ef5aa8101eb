"""A business case reckoned again by plain loops, from the bill and the sheet alone: for tests of what reckons cases.

Money is fractions, shares are Python's own floats made fractions; years and months are walked one by one. It knows when
a premises' street is built and which drop is whose; nothing of areas.
"""

from __future__ import annotations

import math
from collections import defaultdict
from fractions import Fraction

from broadstreet.network.investment import Business
from broadstreet.network.investment.business import Customer, Drops, Falls
from broadstreet.network.investment.take_up import Form, TakeUp

Lines = dict[tuple[str, str], list[Fraction]]
PASSIVE = ("cable", "cabinet", "closure", "splitter", "joint", "drop", "drops")
CLASS_OF = {"port": "active"} | dict.fromkeys(PASSIVE, "passive")


def share(take_up: TakeUp, years: float) -> float:
    """The share connected, straight from the formulas."""
    if years < 0:
        return 0.0
    m, s, p, q = take_up.ceiling, take_up.start, take_up.speed, take_up.following
    if take_up.form is Form.TABLE:
        ends = [s, *take_up.table]
        whole = min(int(years), len(ends) - 1)
        after = ends[min(whole + 1, len(ends) - 1)]
        return ends[whole] + (after - ends[whole]) * (years - int(years))
    if take_up.form is Form.LOGISTIC:
        return m * s / (s + (m - s) * math.exp(-p * years))
    if take_up.form is Form.GOMPERTZ:
        return m * math.exp(-math.log(m / s) * math.exp(-p * years))
    # Bass's own form, for a start of nothing; another start is as if so much time had passed.
    since = years
    if s:
        since += math.log((p + q * s / m) / (p * (1 - s / m))) / (p + q)
    return m * (1 - math.exp(-(p + q) * since)) / (1 + q / p * math.exp(-(p + q) * since))


class Reckoned:
    """Every line by years. built: (what, year, cents); premises: (year, customers by kind, drop's cents); ways_m and
    ports by year; years from 1."""

    def __init__(
        self,
        business: Business,
        built: list[tuple[str, int, int]],
        premises: list[tuple[int, dict[str, float], int]],
        ways_m: dict[int, float],
        ports: dict[int, float],
    ) -> None:
        self.business, self.years = business, business.time.years
        self.built, self.premises, self.ways_m, self.ports = built, premises, ways_m, ports
        self.lines: Lines = defaultdict(lambda: [Fraction(0)] * self.years)
        self.connected: dict[str, list[float]] = defaultdict(lambda: [0.0] * self.years)
        self.first: dict[str, list[Fraction]] = defaultdict(lambda: [Fraction(0)] * self.years)
        self._building()
        for name, kind in business.customer.items():
            for year, count, _ in premises:
                self._customer(name, kind, year, Fraction(count.get(name, 0.0)))
        self._running()
        self._renewing()

    def _grown(self, rate: float, year: int) -> Fraction:
        return (1 + Fraction(rate)) ** (year - 1)

    def _add(self, group: str, name: str, year: int, cents: Fraction) -> None:
        self.lines[group, name][year - 1] += cents

    def _building(self) -> None:
        growth = self.business.money.building_growth
        for what, year, cents in self.built:
            self._add("building", what, year, cents * self._grown(growth, year))
        for begun, customers, cents in self.premises:
            if self.business.building.drops is Drops.AT_ONCE:
                self._add("building", "drop", begun, cents * self._grown(growth, begun))
                continue
            laid = 0.0
            for year in range(begun, self.years + 1):
                empty = 1.0
                for name, count in customers.items():
                    empty *= (1 - self._most(name, year - begun + 1)) ** count
                now = 1 - empty
                self._add("connecting", "drops", year, Fraction(now - laid) * cents * self._grown(growth, year))
                laid = now

    def _share(self, name: str, years: float) -> float:
        return share(self.business.customer[name].take_up, years - self.business.time.ready_after_years)

    def _most(self, name: str, years: int) -> float:
        return max(self._share(name, float(year)) for year in range(years + 1))

    def _customer(self, name: str, kind: Customer, begun: int, count: Fraction) -> None:
        money = self.business.money
        before, most = 0.0, 0.0
        for year in range(begun, self.years + 1):
            lag = year - begun
            mean = sum(self._share(name, lag + (month + 0.5) / 12) for month in range(12)) / 12
            end = self._share(name, lag + 1.0)
            signed = max(0.0, end - before + kind.churn * mean)
            first = max(0.0, end - most)
            again = max(0.0, signed - first)
            before, most = end, max(most, end)
            price, wage = self._grown(money.price_growth, year), self._grown(money.operating_growth, year)
            self._add("revenue", name, year, count * Fraction(mean) * 12 * kind.monthly_price * price)
            self._add("fees", name, year, count * Fraction(signed) * kind.connection_fee * price)
            served = Fraction(mean) * kind.operating_each + Fraction(signed) * kind.win_each
            self._add("operating", name, year, count * (served + Fraction(again) * kind.reconnect_each) * wage)
            new = count * Fraction(first) * kind.connect_each * self._grown(money.building_growth, year)
            self._add("connecting", f"{name} equipment", year, new)
            self.first[name][year - 1] += new
            self.connected[name][year - 1] += float(count) * end

    def _ready(self, begun: int, year: int) -> Fraction:
        """What part of a year something that was begun in one can be sold."""
        since = Fraction(year - begun + 1) - Fraction(self.business.time.ready_after_years)
        return min(Fraction(1), max(Fraction(0), since))

    def _running(self) -> None:
        costs = self.business.operating
        for year in range(1, self.years + 1):
            wage = self._grown(self.business.money.operating_growth, year)
            self._add("operating", "fixed", year, costs.fixed * wage)
            for begun, _, _ in self.premises:
                self._add("operating", "premises passed", year, self._ready(begun, year) * costs.premises_each * wage)
            for name, amounts, price in (
                ("ways", {begun: metres / 1000 for begun, metres in self.ways_m.items()}, costs.km_each),
                ("ports", self.ports, costs.port_each),
            ):
                for begun, amount in amounts.items():
                    self._add("operating", name, year, self._ready(begun, year) * Fraction(amount) * price * wage)
            stood = sum(
                (
                    cents
                    for (group, _), by_year in self.lines.items()
                    if group == "building"
                    for cents in by_year[: year - 1]
                ),
                Fraction(0),
            )
            self._add("operating", "share of building", year, stood * Fraction(costs.share_of_building))
        for year, grant in self.business.grant.items():
            self._add("grants", "grants", year, Fraction(grant.amount))

    def _renewing(self) -> None:
        """Each payment is renewed at the end of its life, and so is what it was renewed by; what is left is counted."""
        life, growth = self.business.life, self.business.money.building_growth
        self.owned: list[tuple[str, int, Fraction]] = []
        for (group, name), by_year in list(self.lines.items()):
            if group not in ("building", "connecting"):
                continue
            kind = "customer" if name.endswith(" equipment") else CLASS_OF.get(name, "civil")
            for year, cents in enumerate(by_year, 1):
                self.owned.append((kind, year, cents))
        for kind, year, cents in list(self.owned):
            years = int(getattr(life, kind))
            for late in range(year + years, self.years + 1, years):
                dearer = cents * self._grown(growth, late - year + 1)
                self._add("renewing", kind, late, dearer)
                self.owned.append((kind, late, dearer))
        self.residual = Fraction(self.business.money.residual_share) * sum(
            cents * max(Fraction(0), 1 - Fraction(self.years - year + 1, int(getattr(life, kind))))
            for kind, year, cents in self.owned
        )
        if rate := self.business.money.tax_rate:
            self._tax(Fraction(rate))

    def _tax(self, rate: Fraction) -> None:
        whole = sum((cents for _, _, cents in self.owned), Fraction(0))
        granted = sum((Fraction(grant.amount) for grant in self.business.grant.values()), Fraction(0))
        own = 1 - min(Fraction(1), granted / whole if whole else Fraction(0))
        losses = Fraction(0)
        for year in range(1, self.years + 1):
            profit = sum(
                (
                    self.lines[key][year - 1] * (1 if key[0] in ("revenue", "fees") else -1)
                    for key in list(self.lines)
                    if key[0] in ("revenue", "fees", "operating")
                ),
                Fraction(0),
            )
            for kind, begun, cents in self.owned:
                years = int(getattr(self.business.life, kind))
                if begun <= year < begun + years:
                    profit -= own * cents / years
            taxed = profit - losses
            self._add("tax", "tax", year, rate * max(Fraction(0), taxed))
            losses = max(Fraction(0), -taxed)

    @property
    def net(self) -> list[Fraction]:
        return [
            sum(
                (
                    by_year[year] if group in ("revenue", "fees", "grants") else -by_year[year]
                    for (group, _), by_year in self.lines.items()
                ),
                Fraction(0),
            )
            for year in range(self.years)
        ]

    def npv(self, rate: float) -> float:
        first = 0.5 if self.business.time.falls is Falls.MIDDLE else 1.0
        value = float(self.residual) / math.pow(1 + rate, self.years)
        return value + sum(float(cents) / math.pow(1 + rate, year + first) for year, cents in enumerate(self.net))
