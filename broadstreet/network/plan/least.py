"""What each premises costs by itself in any plan, at the least: its drop, and its share of what stands on its path.

A splitter, a port serves so many sockets at the most, so no socket has less of it than that share of the cheapest; of
cabinets, closures and splices `stationing` says how much, premises by premises. Summed over premises, and added to a
bound of the ways, this is a bound of the whole cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from broadstreet.network.design import Statement, What
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.laid import least_cents_per_m
from broadstreet.network.plan.bound import way_cents
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.stationing import least_each


def socket_cents(prices: Prices) -> Fraction:
    """What splitters and ports cost a socket at the least: where all are full."""
    catalogue, architecture = prices.catalogue, prices.architecture
    share, cents = Fraction(1), Fraction(0)
    for ratio in reversed(architecture.splitters):
        share /= ratio
        cents += share * catalogue.splitter[ratio].each_cents
    return cents + share * catalogue.central_office.port_each


def premises_cents(ground: Ground, prices: Prices, rows: Sequence[int]) -> I8:
    """For each premises of the ground the whole cents that serving it costs beside the ways that lead there, rounded
    down, where nobody is served but of these rows; 0 for others."""
    premises, drop = ground.premises, prices.catalogue.drop
    sockets = premises.demand.fibres[list(rows)].astype(np.int64) * prices.architecture.fibres_per_premises
    drops = -(-sockets // prices.largest_drop)
    metres = drops * premises.drop_m[list(rows)] * (drop.labour_per_m + drop.material_per_m)
    each = socket_cents(prices)
    bought = np.array([int(each * count) for count in sockets.tolist()], np.int64)
    cents = np.zeros(len(premises), np.int64)
    cents[list(rows)] = drops * drop.each_cents + np.floor(metres).astype(np.int64) + bought
    cents[list(rows)] += least_each(ground, prices, rows)
    return cents


@dataclass(frozen=True, slots=True)
class Extra:
    """What a plan costs beside what it must at the least: a share of the ways' weight, and so many cents a socket."""

    ways: float = 0.0
    socket_cents: float = 0.0


def extra_of(ground: Ground, least: I8, sockets: I8, statement: Statement) -> Extra:
    """As a plan has it: cables and ducts beyond the cheapest and permits of streets go with the ways, all else with the
    sockets. least, sockets: by premises."""
    opened = np.array([way for way in statement.design.opened if not ground.ways.locked[way]], np.int64)
    rows = list(statement.design.served)
    weight = int(way_cents(ground)[opened].sum())
    lying = sum(item.cents for item in statement.bill.items if item.what in (What.DUCT, What.CABLE))
    streets = sum(item.cents for item in statement.bill.items if item.unit == "street")
    with_ways = max(0.0, lying + streets - float((ground.ways.length_m * least_cents_per_m(ground))[opened].sum()))
    locked = int(ground.ways.open_cents[ground.ways.locked].sum())
    offices = sum(item.cents for item in statement.bill.items if item.what is What.OFFICE)
    rest = statement.cost_cents - weight - locked - offices - with_ways - int(least[rows].sum())
    return Extra(with_ways / max(1, weight), max(0.0, rest) / max(1, int(sockets[rows].sum())))
