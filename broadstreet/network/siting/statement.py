"""What is claimed of a choice of sites: which, in which order, what each gains and costs, and how far from the best.

Places are told by their ids. Variances are means over the map's points, in the readings' unit squared; coverage is in
whole people, customers or metres. Nothing here computes anything but sums.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Means(StrEnum):
    """How a sensor is connected."""

    FIBRE = "fibre"
    LORAWAN = "lorawan"
    MOBILE = "mobile"


class Offer(msgspec.Struct, frozen=True):
    """One means at one place. cents: its present value; None: it does not work there. why: in words. Of LoRaWAN, where
    there are gateways: which hears it best, how far away, the median loss, the spreading factor, and what is left over
    beyond the margin."""

    means: Means
    cents: int | None
    why: str
    gateway: str | None = None
    away_m: float | None = None
    loss_db: float | None = None
    spreading_factor: int | None = None
    spare_db: float | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What some sites come to. covered: how much is covered; variances are None without a map."""

    covered: int
    mean_variance: float | None
    worst_variance: float | None


class SitedSensor(msgspec.Struct, frozen=True):
    """One site chosen. cents: sensor, power and connection; gain: of what was asked for, beyond those before it; then
    what is covered and left uncertain with it and all before it."""

    place: str
    lon: float
    lat: float
    label: str
    kind: str
    cents: int
    connection: Offer
    others: tuple[Offer, ...]
    gain: float
    after: Outcome


class BoundKind(StrEnum):
    """How a bound was proved. By the solver's branching, which is taken at its word; the others have a certificate:
    prices of targets, shares of sites, the price of a direction."""

    SOLVER = "solver"
    PRICES = "prices"
    SHARES = "shares"
    DIRECTIONS = "directions"


class Bound(msgspec.Struct, frozen=True):
    """No choice covers more, or leaves less, than the value. certificate: by which anyone can reckon it again; cent: of
    prices, what a cent of the budget is worth."""

    kind: BoundKind
    value: float
    certificate: tuple[float, ...] = ()
    cent: int = 0


class Rival(msgspec.Struct, frozen=True):
    """What another way of choosing comes to: the mean of several tries, the best, the worst. sites: of a single try, by
    id. `greedy` and `random` are under the same limits; `elsewhere` is as many sensors as stand today, where they are
    free to choose among the candidates, without those that stand, whatever they cost."""

    name: str
    tries: int
    covered: tuple[float, int, int]
    mean_variance: tuple[float, float, float] | None
    sites: tuple[str, ...] = ()


class SitingStatement(msgspec.Struct, frozen=True):
    """today: what the sensors that stand come to; nothing: without any sensor; all: if every candidate that can be
    connected were one. reachable: how many of the candidates can be. audience_total: everyone there is to cover.
    greedy_share: which share of the best greed is sure to cover; None where nothing is promised."""

    ground: str
    objective: str
    audience: str
    radius_m: float
    is_on_foot: bool
    count: int | None
    budget_cents: int | None
    currency: str
    candidates: int
    reachable: int
    audience_total: int
    nothing: Outcome
    today: Outcome
    all: Outcome
    sites: tuple[SitedSensor, ...]
    bounds: tuple[Bound, ...]
    is_optimal: bool
    greedy_share: float | None
    rivals: tuple[Rival, ...]
    source: str = ""
    seconds: float = 0.0

    @property
    def cost_cents(self) -> int:
        return sum(site.cents for site in self.sites)

    @property
    def outcome(self) -> Outcome:
        """What today's sensors and the chosen ones come to together."""
        return self.sites[-1].after if self.sites else self.today

    @property
    def value(self) -> float:
        """What was asked for: how much is covered, or the mean variance that is left."""
        if self.objective == "coverage":
            return float(self.outcome.covered)
        return self.outcome.mean_variance or 0.0

    @property
    def bound(self) -> float:
        """The best of the bounds."""
        values = [bound.value for bound in self.bounds]
        return min(values) if self.objective == "coverage" else max(values)

    @property
    def gap(self) -> float:
        """How far the choice may be from the best there is, as a share of what was reached: 0 is proved the best."""
        if self.value == 0:
            return 0.0 if self.bound == 0 else float("inf")
        return abs(self.bound - self.value) / self.value
