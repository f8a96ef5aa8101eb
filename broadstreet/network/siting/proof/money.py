"""What connecting each candidate costs, offer by offer, from the prices' and the models' definitions alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from broadstreet.network.ground import WayKind
from broadstreet.network.ground.courses import GEOD
from broadstreet.network.siting.case import SitingCase
from broadstreet.network.siting.place import Place
from broadstreet.network.siting.prices import Service
from broadstreet.network.siting.proof.streets import SAME_M, feet, swept
from broadstreet.network.siting.radio import VALID, PathLoss
from broadstreet.network.siting.statement import Means

SAME_CENTS: Final = 3
_LYING: Final = (WayKind.DUCT, WayKind.TRENCH, WayKind.POLE_LINE, WayKind.FIBRE)


@dataclass(frozen=True, slots=True)
class Signal:
    """What is heard of a place by the gateway that hears it best. factor: None where it cannot be used."""

    gateway: str
    away_m: float
    loss_db: float
    factor: int | None
    spare_db: float


@dataclass(frozen=True, slots=True)
class Cost:
    """What a place costs: by each means that works there; sensor and power; by how many cents fibre may differ."""

    means: dict[Means, int]
    base: int
    fibre_grain: int
    signal: Signal | None

    @property
    def least(self) -> int | None:
        return self.base + min(self.means.values()) if self.means else None

    @property
    def cheapest(self) -> Means:
        return min(self.means, key=lambda means: self.means[means])

    def grain(self, means: Means) -> int:
        """By how many cents the price with this means may differ: each of its parts is rounded once."""
        return SAME_CENTS + (self.fibre_grain if means is Means.FIBRE else 0)


def paid(case: SitingCase, service: Service) -> int:
    """A service's price, each of its months discounted by itself."""
    prices = case.prices
    months = round(prices.years * 12)
    monthly = float((1 + prices.interest) ** (-1 / 12))
    worth = sum(service.per_month * monthly**month for month in range(1, months + 1))
    return service.labour_each + service.material_each + round(worth)


def costs_of(case: SitingCase, places: Sequence[Place]) -> list[Cost]:
    """What each place costs."""
    prices = case.prices
    fibre = _fibre_cents(case, places)
    found = []
    for place, (trench, grain) in zip(places, fibre, strict=True):
        means: dict[Means, int] = {}
        signal = signal_at(case, place)
        if trench is not None:
            means[Means.FIBRE] = trench + paid(case, prices.fibre)
        if signal is not None and signal.factor is not None:
            means[Means.LORAWAN] = paid(case, prices.lorawan)
        if case.has_mobile:
            means[Means.MOBILE] = paid(case, prices.mobile)
        found.append(Cost(means, paid(case, prices.sensor) + paid(case, prices.power[place.kind]), grain, signal))
    return found


def _fibre_cents(case: SitingCase, places: Sequence[Place]) -> list[tuple[int | None, int]]:
    """Trench, duct, cable and drop to each place; and by how much that hangs on its last centimetres, and on which of
    several ways that are as near it is on."""
    ground, catalogue = case.ground, case.ground.catalogue
    if not case.fibre_nodes:
        return [(None, 0)] * len(places)
    ways = ground.ways
    cable = min(one.labour_per_m + one.material_per_m for one in catalogue.cable.values())
    duct = min(one.labour_per_m + one.material_per_m for one in catalogue.duct.values())
    per_m, fixed = np.zeros(len(ways)), np.zeros(len(ways))
    opened = set(case.opened)
    for way in range(len(ways)):
        per_m[way] = cable
        if way not in opened:
            lies = WayKind(int(ways.kind[way])) in _LYING
            per_m[way] += int(ways.cents_per_m[way]) + (0 if lies else duct)
            fixed[way] = int(ways.fixed_cents[way])
    whole = np.rint(ways.length_m * per_m) + fixed
    start = np.full((len(ground.lon), 1), np.inf)
    start[list(case.fibre_nodes), 0] = 0.0
    least = swept(ground, ways.usable, whole, start, np.inf)[:, 0]
    drop = catalogue.drop
    grain = math.ceil(2 * SAME_M * float(per_m.max(initial=0.0)))
    found: list[tuple[int | None, int]] = []
    for standing in feet(ground, places, ways.usable):
        totals = []
        for foot in standing:
            a, b = (float(least[int(end[foot.way])]) for end in (ways.a, ways.b))
            trench = min(a + round(foot.to_a_m * per_m[foot.way]), b + round(foot.to_b_m * per_m[foot.way]))
            lead = round(foot.lead_m * (drop.labour_per_m + drop.material_per_m))
            total = trench + fixed[foot.way] + drop.labour_each + drop.material_each + lead
            totals += [] if math.isinf(total) else [int(total)]
        found.append((min(totals), grain + max(totals) - min(totals)) if totals else (None, 0))
    return found


def signal_at(case: SitingCase, place: Place) -> Signal | None:
    """The gateway whose signal is lost least on the way, and what can be made of it."""
    radio, valid = case.prices.radio, VALID[case.prices.radio.model]
    best: tuple[float, float, str] | None = None
    nearest: tuple[float, str] | None = None
    for gateway in case.gateways:
        away_m = float(GEOD.inv(place.lon, place.lat, gateway.lon, gateway.lat)[2])
        nearest = min(filter(None, (nearest, (away_m, gateway.id))))
        if away_m <= valid.farthest_m and valid.gateway_m[0] <= gateway.height_m <= valid.gateway_m[1]:
            lost = _lost_db(case, max(away_m, valid.nearest_m), gateway.height_m)
            best = min(filter(None, (best, (lost, away_m, gateway.id))))
    if nearest is None:
        return None
    if best is None:
        return Signal(nearest[1], nearest[0], 0.0, None, 0.0)
    lost, away_m, id = best
    shadows = NormalDist(0.0, valid.shadow_db).inv_cdf(radio.certainty) if valid.shadow_db else 0.0
    level = radio.power_dbm + radio.antenna_dbi - lost + radio.gateway_antenna_dbi - radio.gateway_cable_db
    level -= shadows + radio.reserve_db
    heard = [factor for factor, one in radio.spreading.items() if level >= one.sensitivity_dbm]
    if not heard:
        return Signal(id, away_m, lost, None, level)
    factor = min(heard)
    spare_db = level - radio.spreading[factor].sensitivity_dbm
    message = case.measurement
    an_hour_s = _on_air_s(factor, message.message_bytes) * message.messages_per_hour
    fits = message.message_bytes <= radio.spreading[factor].longest_bytes and an_hour_s <= 3600 * radio.duty
    return Signal(id, away_m, lost, factor if fits else None, spare_db)


def _lost_db(case: SitingCase, ground_m: float, gateway_m: float) -> float:
    """The models' formulas, as they are published: distances in metres or kilometres, frequencies in GHz or MHz."""
    radio = case.prices.radio
    ghz, sensor_m = radio.frequency_ghz, radio.sensor_height_m
    log = math.log10
    straight_m = math.sqrt(ground_m**2 + (gateway_m - sensor_m) ** 2)
    match radio.model:
        case PathLoss.UMA:
            return 13.54 + 39.08 * log(straight_m) + 20 * log(ghz) - 0.6 * (sensor_m - 1.5)
        case PathLoss.UMI:
            return 35.3 * log(straight_m) + 22.4 + 21.3 * log(ghz) - 0.3 * (sensor_m - 1.5)
        case PathLoss.OULU:
            return 128.95 + 10 * 2.32 * log(ground_m / 1000)
        case PathLoss.HATA:
            correction = 3.2 * log(11.75 * sensor_m) ** 2 - 4.97
            urban = 69.55 + 26.16 * log(1000 * ghz) - 13.82 * log(gateway_m) - correction
            return urban + (44.9 - 6.55 * log(gateway_m)) * log(ground_m / 1000)


def _on_air_s(factor: int, message_bytes: int) -> float:
    """A LoRa packet at 125 kHz and 4/5: a preamble of 8 symbols and 4.25, then header and payload, block by block."""
    symbol_s = float(2**factor) / 125_000
    payload = message_bytes + 13
    bits_a_block = 4 * (factor - 2 if factor > 10 else factor)
    blocks = max(0, math.ceil((8 * payload + 44 - 4 * factor) / bits_a_block))
    return symbol_s * (12.25 + 8 + 5 * blocks)
