"""What no plan for the same premises can cost less than: a sum of terms that no cost is counted in twice.

Each term bounds what every plan must spend on it; what is not bounded is a term of its own whose bound is nothing, so
that what a plan spends sums to its cost. Cents are lost to rounding in a bill, up to half for each of its lines, or one
where they are told to a cent; the term of the ways gives way by as much as any plan's bill may lose.

No plan means: none of the same ground, with drops as they hang there (or, where they were chosen with the ways, at any
of their hooks: `with_joint`), from the offices that were to choose from, to the same premises and with two
ways for the same of them, by the same architecture, optics and catalogue, built in one phase.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from broadstreet.network.design import Bill, Design, Statement, Term, What
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.laid import least_cents_per_m
from broadstreet.network.plan.joint import Joint
from broadstreet.network.plan.permits import least_street_permits
from broadstreet.network.plan.prices import Prices, rounded_cents
from broadstreet.network.plan.stationing import Least

OPENING: Final = "ways and offices"
"""The term of the tree."""
DROPS: Final = "drops"
"""The term of drops, where each leads to the way it hangs on."""
JOINT: Final = "ways, offices and drops"
"""The term of both, where each drop may lead to any of its hooks."""
_WAYS = (What.TRENCH, What.CROSSING, What.PLANT, What.POLE_LINE)
_LYING = (What.DUCT, What.CABLE)
_STATIONS = ("cabinets", "closures and splices")
_STATIONS_RELAXED = "shares of a cabinet or closure; drops along ways cost nothing; closures are all as the cheapest"


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
    """The bound of a design, term by term. opening_cents: what no ways that join premises to offices cost less than, by
    `way_cents`, with what it costs to make these offices ready; method: how that was proved."""
    spent = Counter[What]()
    for item in bill.items:
        spent[item.what] += item.cents
    streets = sum(item.cents for item in bill.items if item.unit == "street")
    opening = sum(spent[what] for what in _WAYS) + spent[What.PERMIT] - streets
    lying = sum(spent[what] for what in _LYING)
    opened = np.array(design.opened, dtype=np.int64)
    least = int(np.floor(ground.ways.length_m[opened] * least_cents_per_m(ground)[opened]).sum())
    least = min(least, lying)
    sockets = _sockets(ground, prices, design.served) + len(design.second)
    return (
        Term(
            OPENING,
            _sure_cents(ground, opening_cents),
            opening + least + spent[What.OFFICE],
            method,
            "every way holds one duct and one cable, the cheapest there are; light may go as far as it likes",
        ),
        Term("ducts and cables beyond these", 0, lying - least, "none", "relaxed to nothing"),
        _street_permits(ground, design.served, streets),
        *_stations(prices, spent, sockets),
        _drops(ground, prices, design, spent),
        _ports(prices, spent, sockets),
        Term("closures and splices", 0, spent[What.CLOSURE] + spent[What.JOINT], "none", "relaxed to nothing"),
    )


def rebound(ground: Ground, statement: Statement, opening_cents: int, method: str) -> Statement:
    """The same design with another bound of its ways and offices."""
    terms = tuple(
        msgspec.structs.replace(term, bound_cents=_sure_cents(ground, opening_cents), method=method)
        if term.name == OPENING
        else term
        for term in statement.terms
    )
    return msgspec.structs.replace(statement, terms=terms)


def with_joint(ground: Ground, statement: Statement, joint: Joint) -> Statement:
    """The statement with one bound of its ways, offices and drops, that holds for every choice of hooks."""
    apart = [term for term in statement.terms if term.name in (OPENING, DROPS)]
    spent = sum(term.spent_cents for term in apart)
    # Beside the lines of the ways, labour and material of drops are told to a cent each.
    sure = max(0, _sure_cents(ground, joint.cents) - 2)
    relaxed = f"{apart[0].relaxed}; a drop leads to any way that it was offered, and to one alone"
    term = Term(JOINT, sure, spent, joint.method, relaxed)
    others = (each for each in statement.terms if each.name not in (OPENING, DROPS))
    return msgspec.structs.replace(statement, terms=(term, *others))


def _sure_cents(ground: Ground, opening_cents: int) -> int:
    """What is left of the term of the ways when all lines of another plan's bill are rounded to its harm."""
    return max(0, opening_cents - rounded_cents(ground.catalogue))


def with_stations(statement: Statement, least: Least) -> Statement:
    """The statement with this bound of cabinets, closures and splices, where it is better than that of its own."""
    apart = [term for term in statement.terms if term.name in _STATIONS]
    if least.cents <= sum(term.bound_cents for term in apart):
        return statement
    spent = sum(term.spent_cents for term in apart)
    term = Term(" and ".join(_STATIONS), least.cents, spent, least.method, _STATIONS_RELAXED)
    terms = (*(term for term in statement.terms if term.name not in _STATIONS), term)
    return msgspec.structs.replace(statement, terms=terms)


def _street_permits(ground: Ground, served: Sequence[int], spent: int) -> Term:
    bound = least_street_permits(ground, served) * ground.catalogue.permit.each_street
    method = "streets of which one must be dug, no street in two of these sets"
    return Term("permits of streets", bound, spent, method, "which ways are short")


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


def _drops(ground: Ground, prices: Prices, design: Design, spent: Counter[What]) -> Term:
    """A drop for each premises, or as many as its sockets need of the largest cable; its metres are given."""
    each = prices.architecture.fibres_per_premises
    count, metres = 0, 0.0
    twice = set(design.second)
    for row in design.served:
        sockets = int(ground.premises.demand.fibres[row]) * each + (row in twice)
        drops = -(-sockets // prices.largest_drop)
        count += drops
        metres += drops * float(ground.premises.drop_m[row])
    drop = prices.catalogue.drop
    # Labour and material are told to a cent each.
    told = max(0, int(metres * (drop.labour_per_m + drop.material_per_m)) - 2)
    bound = count * drop.each_cents + told
    relaxed = "a second way may come by the first one's drop" if twice else "nothing but cents of rounding"
    return Term(DROPS, bound, spent[What.DROP], "each leads to the way it hangs on: the same in every plan", relaxed)


def _ports(prices: Prices, spent: Counter[What], sockets: int) -> Term:
    ports = -(-sockets // prices.architecture.split)
    cents = ports * prices.catalogue.central_office.port_each
    return Term("ports", cents, spent[What.PORT], "no fewer than sockets ask for", "ports that are not full")
