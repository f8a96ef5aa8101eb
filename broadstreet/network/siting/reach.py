"""What reaches each candidate, at which cost, and why: the cheapest means of connection that works.

* **Fibre**: the cheapest trench along ways that may be dug, from where a cable may be opened; in a way that stands open
  already a cable alone is paid; then the lead from the way as a drop. Each candidate pays its own trench: where several
  go the same way, a fibre plan shares it.
* **LoRaWAN**: the gateway that is heard best, the smallest spreading factor that leaves the margin, a message short
  enough for it and time on the air within the duty cycle.
* **Mobile**: everywhere, where it is offered at all.

A candidate costs its sensor, power by what it stands on, and its connection, all by present value.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import I8, distances_m
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.siting.case import SitingCase
from broadstreet.network.siting.hanging import hang
from broadstreet.network.siting.loss import Hearing, airtime_s, loss_db, margin_db
from broadstreet.network.siting.place import LEAD_M, Gateway, Place, columns
from broadstreet.network.siting.prices import SensorPrices
from broadstreet.network.siting.radio import VALID, Radio
from broadstreet.network.siting.statement import Means, Offer
from broadstreet.network.siting.worth import worth_cents

NO_WAY: Final = np.iinfo(np.int64).max // 4


@dataclass(frozen=True, slots=True)
class Reach:
    """What is offered to a candidate; best: which of the offers is taken, None where none works."""

    offers: tuple[Offer, ...]
    best: Offer | None
    cents: int


def reaches(case: SitingCase) -> list[Reach]:
    """What reaches each candidate."""
    prices = case.prices
    trench = trench_cents(case)
    heard = hearings(case)
    base = worth_cents(prices, prices.sensor)
    found = []
    for place, (cents, why), hearing in zip(case.candidates, trench, heard, strict=True):
        offers = (
            Offer(Means.FIBRE, None if cents is None else cents + worth_cents(prices, prices.fibre), why),
            _lorawan(prices, hearing),
            _mobile(case),
        )
        works = [offer for offer in offers if offer.cents is not None]
        best = min(works, key=lambda offer: (offer.cents or 0, list(Means).index(offer.means)), default=None)
        power = worth_cents(prices, prices.power[place.kind])
        found.append(Reach(offers, best, base + power + (0 if best is None or best.cents is None else best.cents)))
    return found


def _lorawan(prices: SensorPrices, hearing: Hearing | None) -> Offer:
    if hearing is None:
        return Offer(Means.LORAWAN, None, "there is no gateway")
    cents = None if hearing.factor is None else worth_cents(prices, prices.lorawan)
    metres, loss = round(hearing.metres, 1), round(hearing.loss_db, 2)
    spare = round(hearing.spare_db, 2)
    return Offer(Means.LORAWAN, cents, hearing.why, hearing.gateway, metres, loss, hearing.factor, spare)


def _mobile(case: SitingCase) -> Offer:
    if not case.has_mobile:
        return Offer(Means.MOBILE, None, "no subscription is offered")
    return Offer(Means.MOBILE, worth_cents(case.prices, case.prices.mobile), "by subscription")


def trench_cents(case: SitingCase) -> list[tuple[int | None, str]]:
    """For each candidate what fibre costs on the way to it, in whole cents, and why, or why there is none."""
    ground = case.ground
    if not case.fibre_nodes:
        return [(None, "no plan and no office is given that fibre could come from")] * len(case.candidates)
    cents, per_m, fixed, is_dug = _digging(case)
    dearest = _cheapest(ground, is_dug, cents, case.fibre_nodes)
    hung = hang(ground, case.candidates, is_dug)
    drop = ground.catalogue.drop
    found: list[tuple[int | None, str]] = []
    for way, share, lead_m in zip(hung.way.tolist(), hung.share.tolist(), hung.lead_m.tolist(), strict=True):
        if way < 0:
            found.append((None, f"no way that may be dug lies within {LEAD_M:.0f} m"))
            continue
        length_m = float(ground.ways.length_m[way])
        ends = ((int(ground.ways.a[way]), share), (int(ground.ways.b[way]), 1 - share))
        trench = min(int(dearest[node]) + round(part * length_m * per_m[way]) + int(fixed[way]) for node, part in ends)
        if trench >= NO_WAY:
            found.append((None, "no way that may be dug leads here from where fibre is"))
            continue
        total = trench + drop.cents(lead_m)
        found.append((total, f"trench and cable {trench / 100:.2f}, drop {drop.cents(lead_m) / 100:.2f}"))
    return found


def _digging(case: SitingCase) -> tuple[I8, I8, I8, np.ndarray[tuple[int], np.dtype[np.bool_]]]:
    """For each way what all of it costs, a metre of it, what lies across; and whether it may be used. In a way that is
    opened already nothing but a cable is paid; otherwise trench, the cheapest duct and the cheapest cable."""
    ground, catalogue = case.ground, case.ground.catalogue
    ways = ground.ways
    cable = min(price.per_m_cents for price in catalogue.cable.values())
    duct = min(price.per_m_cents for price in catalogue.duct.values())
    is_open = np.isin(np.arange(len(ways)), case.opened)
    is_plant = np.isin(ways.kind, sorted(PLANT))
    per_m = np.where(is_open, cable, np.where(is_plant, ways.cents_per_m + cable, ways.cents_per_m + cable + duct))
    fixed = np.where(is_open, 0, ways.fixed_cents)
    return np.rint(ways.length_m * per_m).astype(np.int64) + fixed, per_m, fixed, ways.usable


def _cheapest(
    ground: Ground, is_dug: np.ndarray[tuple[int], np.dtype[np.bool_]], cents: I8, sources: tuple[int, ...]
) -> I8:
    """For each node the cheapest way to it from any source, by Dijkstra's rule; NO_WAY where there is none."""
    beside: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in np.flatnonzero(is_dug).tolist():
        a, b = int(ground.ways.a[row]), int(ground.ways.b[row])
        beside[a].append((b, int(cents[row])))
        beside[b].append((a, int(cents[row])))
    found = np.full(len(ground.lon), NO_WAY, dtype=np.int64)
    waiting = [(0, node) for node in sorted(set(sources))]
    while waiting:
        spent, node = heappop(waiting)
        if spent >= found[node]:
            continue
        found[node] = spent
        for other, step in beside[node]:
            if spent + step < found[other]:
                heappush(waiting, (spent + step, other))
    return found


def hearings(case: SitingCase) -> list[Hearing | None]:
    """For each candidate how it is heard by the gateway that hears it best."""
    radio = case.prices.radio
    if not case.gateways:
        return [None] * len(case.candidates)
    lon, lat = columns(case.gateways)
    found: list[Hearing | None] = []
    for place in case.candidates:
        metres = distances_m(np.full(len(lon), place.lon), np.full(len(lon), place.lat), lon, lat).tolist()
        found.append(_best(case, radio, place, metres))
    return found


def _best(case: SitingCase, radio: Radio, place: Place, metres: list[float]) -> Hearing:
    def loss(gateway: Gateway, away_m: float) -> float:
        valid = VALID[radio.model]
        low, high = valid.gateway_m
        is_valid = low <= gateway.height_m <= high and away_m <= valid.farthest_m
        return loss_db(radio, away_m, gateway.height_m) if is_valid else float("inf")

    by_loss = [
        (loss(gateway, away_m), away_m, gateway.id) for gateway, away_m in zip(case.gateways, metres, strict=True)
    ]
    lost_db, away_m, id = min(by_loss)
    if lost_db == float("inf"):
        away_m, id = min((away_m, id) for _, away_m, id in by_loss)
        return Hearing(id, away_m, 0.0, None, 0.0, f"no gateway is within what {radio.model} was made for")
    received = radio.power_dbm + radio.antenna_dbi + radio.gateway_antenna_dbi - radio.gateway_cable_db - lost_db
    reason = f"the signal is too weak at {id} for any spreading factor"
    for factor, spreading in sorted(radio.spreading.items()):
        spare_db = received - margin_db(radio) - spreading.sensitivity_dbm
        if spare_db < 0:
            continue
        airtime = airtime_s(factor, case.measurement.message_bytes)
        if case.measurement.message_bytes > spreading.longest_bytes:
            reason = f"a message of {case.measurement.message_bytes} bytes is too long for spreading factor {factor}"
        elif airtime * case.measurement.messages_per_hour > radio.duty * 3600:
            reason = f"messages are on the air too long at spreading factor {factor}"
        else:
            why = f"heard by {id} with spreading factor {factor}, {spare_db:.1f} dB beyond the margin"
            return Hearing(id, away_m, lost_db, factor, spare_db, why)
        return Hearing(id, away_m, lost_db, None, spare_db, reason)  # a slower one takes longer still
    return Hearing(id, away_m, lost_db, None, received - margin_db(radio), reason)
