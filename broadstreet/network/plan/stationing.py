"""What closures, splices and cabinets cost at the least, wherever they stand: a bound that no tree comes into.

Every drop begins at a closure or a cabinet within its longest length along the ways. In a closure its fibre is spliced;
a cabinet costs more than a closure, takes so many fibres, and together they must take all. That is a problem of
facilities with capacities; any feasible values of the dual of its linear relaxation are a bound, and dual ascent finds
good ones (Erlenkotter 1978, `A dual-based procedure for uncapacitated facility location`), here in whole numbers, so
that nothing is lost to rounding. Places that reach no premises but those of another are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heappop, heappush
from typing import Final

import numpy as np

from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.ground import Ground
from broadstreet.network.plan.prices import Prices

MAX_PAIRS: Final = 400_000
"""Of premises and places that reach them; with more it takes too long, and less is bounded."""
_GRAIN: Final = 1_000
"""Dual values are whole thousandths of a cent."""
_STEPS: Final = 8
"""In how many steps premises come to be worth their splices, one after another in each."""
_TRIALS: Final = 12
"""How many prices of a place in a cabinet are tried. What they bound by has one peak, but for the ascent's errors."""
_GOLDEN: Final = (5**0.5 - 1) / 2
_HAIR_M: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Least:
    """A bound in whole cents, and how it was proved."""

    cents: int
    method: str


def least_stations(ground: Ground, prices: Prices, served: Sequence[int]) -> Least:
    """What no cabinets, closures and splices for these premises cost less than."""
    sockets = _sockets(ground, prices, served)
    ends = -(-int(sockets.sum()) // prices.near) if prices.architecture.splitters else 0
    of_cabinets = prices.least_cabinets_cents(ends)
    simple = Least(of_cabinets, "cabinets by a knapsack of their sizes, exact; nothing for closures and splices")
    places = _places(_reached(ground, prices, served))
    if not len(sockets) or sum(map(len, places)) > MAX_PAIRS:
        return simple
    cents = Stationing(prices, sockets.tolist(), ends, places).bound()
    return Least(cents, "dual ascent over where they stand") if cents > of_cabinets else simple


def least_each(ground: Ground, prices: Prices, served: Sequence[int]) -> I8:
    """For each of these premises what cabinets, closures and splices for it cost at the least, rounded down: of any of
    them together no less than the sum. What no place saves too much on with all of them, none does with fewer."""
    sockets = _sockets(ground, prices, served)
    share = prices.least_cabinet_share() / prices.near if prices.architecture.splitters else Fraction(0)
    simple = np.array([int(share * count) for count in sockets.tolist()], np.int64)
    places = _places(_reached(ground, prices, served))
    if not len(sockets) or sum(map(len, places)) > MAX_PAIRS:
        return simple
    ends = int(sockets.sum()) // prices.near if prices.architecture.splitters else 0
    stationing = Stationing(prices, sockets.tolist(), ends, places)
    pi, _ = stationing.best()
    worths = np.array(stationing.worths(pi), np.int64)
    each: I8 = (worths + (pi * sockets // prices.near if ends else 0)) // _GRAIN
    return each if each.sum() > simple.sum() else simple


def _sockets(ground: Ground, prices: Prices, served: Sequence[int]) -> I8:
    fibres = ground.premises.demand.fibres[list(served)].astype(np.int64)
    return fibres * prices.architecture.fibres_per_premises


def _reached(ground: Ground, prices: Prices, served: Sequence[int]) -> list[set[int]]:
    """For each premises the nodes at which its drop can begin, to whichever of its hooks it leads; none for one that an
    office's own can lead to, as point to point it may."""
    offices = set() if prices.architecture.splitters else set(ground.offices.node.tolist())
    ways, longest_m = ground.ways, prices.architecture.longest_drop_m
    beside: dict[int, list[tuple[int, float]]] = {}
    for row in np.flatnonzero(ways.usable).tolist():
        a, b, length_m = int(ways.a[row]), int(ways.b[row]), float(ways.length_m[row])
        beside.setdefault(a, []).append((b, length_m))
        beside.setdefault(b, []).append((a, length_m))
    found = []
    for hooks in ground.hanging(served):
        near = set[int]()
        waiting = sorted((drop_m, node) for node, drop_m in hooks)
        while waiting:
            far_m, node = heappop(waiting)
            if node in near:
                continue
            near.add(node)
            for other, length_m in beside.get(node, ()):
                if other not in near and far_m + length_m <= longest_m + _HAIR_M:
                    heappush(waiting, (far_m + length_m, other))
        found.append(set() if near & offices else near)
    return found


def _places(reached: Sequence[set[int]]) -> list[list[int]]:
    """For each place the premises that it reaches, by number; none that reaches only what another does."""
    of: dict[int, set[int]] = {}
    for number, nodes in enumerate(reached):
        for node in nodes:
            of.setdefault(node, set()).add(number)
    distinct = sorted({frozenset(found) for found in of.values()}, key=lambda found: (-len(found), sorted(found)))
    kept: list[list[int]] = []
    holding: dict[int, set[int]] = {}
    for found in distinct:
        members = sorted(found)
        if set.intersection(*(holding.get(number, set()) for number in members)):
            continue
        for number in members:
            holding.setdefault(number, set()).add(len(kept))
        kept.append(members)
    return kept


class Stationing:
    """The dual of where closures and cabinets stand, for premises with so many sockets.

    A premises is worth u, a place in a cabinet pi. No closure may save more than it costs: over those that any place
    reaches, what they are worth beyond their splices sums to no more than a closure costs. Nor may a cabinet: what they
    are worth sums to no more than the cheapest size costs beyond its places, or one without any. Then all that premises
    are worth, and pi for every end there must be, is a bound.
    """

    def __init__(self, prices: Prices, sockets: list[int], ends: int, places: list[list[int]]) -> None:
        catalogue = prices.catalogue
        splice = catalogue.splice.each_cents if prices.near == 1 else 0  # a splitter's leg can be a connector
        self.splices = [splice * count * _GRAIN for count in sockets]
        self.closure = min(price.each_cents for price in catalogue.closure.values()) * _GRAIN
        self.cabinets = [(takes, cents * _GRAIN) for takes, cents in prices.cabinet_sizes()]
        self.bare = [cents * _GRAIN for cents in prices.bare_cabinets()]
        self.ends, self.place_count = ends, len(places)
        self.near: list[list[int]] = [[] for _ in sockets]
        """For each premises the places that reach it."""
        for place, members in enumerate(places):
            for number in members:
                self.near[number].append(place)
        reached = [number for number, near in enumerate(self.near) if near]
        self.order = sorted(reached, key=lambda number: (len(self.near[number]), number))

    def bound(self) -> int:
        """The best that was found, in whole cents."""
        return self.best()[1] // _GRAIN

    def best(self) -> tuple[int, int]:
        """What a place in a cabinet is worth where most is bounded, and how much that is."""
        if not self.ends:
            return 0, self.ascended(0)
        low, high = 0, min(cents // takes for takes, cents in self.cabinets)
        left, right = (round(high - _GOLDEN * (high - low)), round(low + _GOLDEN * (high - low)))
        found = {pi: self.ascended(pi) for pi in (left, right)}
        for _ in range(_TRIALS - 2):
            if found[left] < found[right]:
                low, left, right = left, right, round(left + _GOLDEN * (high - left))
                found.setdefault(right, self.ascended(right))
            else:
                high, right, left = right, left, round(right - _GOLDEN * (right - low))
                found.setdefault(left, self.ascended(left))
        pi = max(found, key=lambda pi: found[pi])
        return pi, found[pi]

    def ascended(self, pi: int) -> int:
        """What is bounded where a place in a cabinet is worth pi."""
        return sum(self.worths(pi)) + pi * self.ends

    def worths(self, pi: int) -> list[int]:
        """What premises are worth then: they rise to what their splices cost, a little each in turn, and then as far as
        closures let them."""
        beyond = [*self.bare, *(cents - takes * pi for takes, cents in self.cabinets)]
        most = min(beyond, default=sum(self.splices) + self.closure)
        of_cabinets, of_closures = [most] * self.place_count, [self.closure] * self.place_count
        worth = [0] * len(self.splices)
        for step in range(1, _STEPS + 1):
            for number in self.order:
                wanted = self.splices[number] * step // _STEPS - worth[number]
                places = self.near[number]
                rise = min(wanted, *(of_cabinets[place] for place in places))
                worth[number] += rise
                for place in places:
                    of_cabinets[place] -= rise
        for number in self.order:
            if worth[number] == self.splices[number]:
                places = self.near[number]
                rise = min(*(of_cabinets[place] for place in places), *(of_closures[place] for place in places))
                worth[number] += rise
                for place in places:
                    of_cabinets[place] -= rise
                    of_closures[place] -= rise
        return worth
