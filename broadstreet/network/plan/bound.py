"""What no plan for the same premises can cost less than: a sum of terms that no cost is counted in twice.

Each term bounds what every plan must spend on it; what is not bounded is a term of its own whose bound is nothing, so
that what a plan spends sums to its cost. Cents are lost to rounding in a bill, up to half for each of its lines; the
term of the ways gives way by that much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from broadstreet.network.design import Bill, Design, Term, What
from broadstreet.network.ground.ground import Ground
from broadstreet.network.plan.prices import Prices, least_cents_per_m

_WAYS = (What.TRENCH, What.CROSSING, What.PLANT, What.POLE_LINE)
_LYING = (What.DUCT, What.CABLE)


def way_cents(ground: Ground) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """For each way the whole cents that opening it and the least in it cost, rounded down: the weights of the tree."""
    ways = ground.ways
    floor = np.floor(ways.length_m * ways.cents_per_m) + np.floor(ways.length_m * least_cents_per_m(ground))
    return floor.astype(np.int64) + ways.fixed_cents


def terms_of(
    ground: Ground,
    prices: Prices,
    design: Design,
    bill: Bill,
    opening_cents: int,
    method: str,
) -> tuple[Term, ...]:
    """The bound of a design, term by term. opening_cents: what no tree that joins the office and its premises costs
    less than, by `way_cents`; method: how that was proved."""
    spent = Counter[What]()
    for item in bill.items:
        spent[item.what] += item.cents
    streets = sum(item.cents for item in bill.items if item.unit == "street")
    opening = sum(spent[what] for what in _WAYS) + spent[What.PERMIT] - streets
    lying = sum(spent[what] for what in _LYING)
    opened = np.array(design.opened, dtype=np.int64)
    least = int(np.floor(ground.ways.length_m[opened] * least_cents_per_m(ground)[opened]).sum())
    least = min(least, lying)
    sockets = _sockets(ground, prices, design.served)
    return (
        Term(
            "ways",
            max(0, opening_cents - 2 * len(bill.items)),
            opening + least,
            method,
            "every way holds one duct and one cable, the cheapest there are",
        ),
        Term("ducts and cables beyond these", 0, lying - least, "none", "relaxed to nothing"),
        Term("permits of streets", 0, streets, "none", "relaxed to nothing"),
        *_stations(prices, spent, sockets),
        _drops(ground, prices, design.served, spent),
        _ports(prices, spent, sockets),
        Term("offices", spent[What.OFFICE], spent[What.OFFICE], "the office is given", "nothing"),
        Term("closures and splices", 0, spent[What.CLOSURE] + spent[What.JOINT], "none", "relaxed to nothing"),
    )


def _sockets(ground: Ground, prices: Prices, served: Sequence[int]) -> int:
    fibres = ground.premises.demand.fibres[list(served)]
    return int(fibres.sum()) * prices.architecture.fibres_per_premises


def _stations(prices: Prices, spent: Counter[What], sockets: int) -> tuple[Term, Term]:
    """Splitters of every stage by the port; cabinets by what they take, a knapsack."""
    price = prices.catalogue.splitter
    splitters, below = 0, sockets
    for ratio in reversed(prices.architecture.splitters):
        below = -(-below // ratio)
        splitters += below * price[ratio].each_cents
    cabinets = 0
    if ratios := prices.architecture.splitters:
        ends = sockets if len(ratios) == 1 else -(-sockets // ratios[1])
        cabinets = prices.least_cabinets_cents(ends)
    return (
        Term("splitters", splitters, spent[What.SPLITTER], "no fewer than ports ask for", "where they stand"),
        Term("cabinets", cabinets, spent[What.CABINET], "a knapsack of their sizes, exact", "where they stand"),
    )


def _drops(ground: Ground, prices: Prices, served: Sequence[int], spent: Counter[What]) -> Term:
    """A drop for each premises, or as many as its sockets need of the largest cable; its metres are given."""
    each = prices.architecture.fibres_per_premises
    count, metres = 0, 0.0
    for row in served:
        sockets = int(ground.premises.demand.fibres[row]) * each
        drops = -(-sockets // prices.largest_cable)
        count += drops
        metres += drops * float(ground.premises.drop_m[row])
    drop = prices.catalogue.drop
    bound = count * drop.each_cents + int(metres * (drop.labour_per_m + drop.material_per_m)) - 1
    return Term("drops", max(0, bound), spent[What.DROP], "the same in every plan", "nothing but a cent of rounding")


def _ports(prices: Prices, spent: Counter[What], sockets: int) -> Term:
    ports = -(-sockets // prices.architecture.split)
    cents = ports * prices.catalogue.central_office.port_each
    return Term("ports", cents, spent[What.PORT], "no fewer than sockets ask for", "ports that are not full")
