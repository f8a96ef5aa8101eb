"""Where closures and cabinets stand: two dynamic programmes on the tree, one after the other.

Drops are gathered in closures first, since those hang on the premises alone: a drop may go along ways to a closure that
others share, as far as the architecture lets a drop be. Then the closures' fibres are gathered in cabinets, if there
are splitters to stand in them. Each is exact for the tree and for what carrying is taken to cost; between closures and
cabinets it is the cables as they are before they branch, and ducts as if all cables there were small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.courses import F8
from broadstreet.network.plan.gathering import Branching, Gathering, gather, owners
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.rooted import Rooted


@dataclass(frozen=True, slots=True)
class Drop:
    """A drop: of which premises, where it leaves the ways, its length there, and which of the sockets it leads to, from
    the first up to before the last."""

    premises: int
    position: int
    drop_m: float
    first: int
    last: int

    @property
    def sockets(self) -> int:
        return self.last - self.first


@dataclass(slots=True)
class Closure:
    """Drops that leave from one place, in one closure. up: how many fibres lead to it. farthest_m: from it to a
    premises."""

    position: int
    drops: list[Drop]
    up: int
    farthest_m: float


@dataclass(slots=True)
class Cabinet:
    """Closures that hang on one place, in one cabinet, with so many fibres between them."""

    position: int
    closures: list[Closure] = field(default_factory=list)
    fibres: int = 0


class Stations:
    """Finds places for one tree."""

    def __init__(self, tree: Rooted, prices: Prices) -> None:
        self.tree, self.prices, self.architecture = tree, prices, prices.architecture
        ratios = self.architecture.splitters
        self.near = prices.near
        """How many sockets share a fibre that comes to a closure."""
        limits = [prices.largest_cable, self._most_sockets(), self.near * prices.most_on_cable(self.spare)]
        if ratios:
            limits.append(self.near * prices.most_in_cabinet())
        self.most_sockets = min(limits)
        """In a closure, and so on a drop."""
        if self.most_sockets == 0:
            raise InvalidInput(
                "no closure or no cabinet takes a single customer beside what is to spare",
                where="closure and cabinet of the catalogue",
                remedy="Add larger ones, with room for splitters, or ask for less to spare.",
            )

    @property
    def spare(self) -> float:
        """The share of fibres to spare in what leads to closures: feeders where there are no cabinets."""
        architecture = self.architecture
        return architecture.spare_distribution if architecture.splitters else architecture.spare_feeder

    def fibres_up(self, sockets: int) -> int:
        """How many fibres lead to a closure with so many sockets."""
        return math.ceil(sockets / self.near)

    def joints(self, sockets: int) -> int:
        """How many joints a closure has for them: each drop's fibre to what comes, or to splitters, and those in."""
        return sockets if self.near == 1 else sockets + self.fibres_up(sockets)

    def _most_sockets(self) -> int:
        most = self.prices.most_joints
        while self.joints(most) > self.prices.most_joints:
            most -= 1
        return most

    def closures(self, drops: list[Drop]) -> list[Closure]:
        """Closures for all drops, from the office outwards."""
        units, tail_m, forced = self._units(drops)
        limit_m = self.architecture.longest_drop_m
        carry_price, _ = self.prices.cable_table(self.prices.most_on_cable(self.spare), self.spare)
        ducts = self.prices.duct_table(self.most_sockets + 1)
        smallest = self.prices.cables[min(self.prices.cables)]
        takes = self._closure_table(max([self.most_sockets, *(self.most_sockets + u for u in units)]))

        def carry_cents(position: int, most: int, below: int) -> F8:
            count = np.arange(most + 1)
            passing = np.minimum(np.ceil((below - count) / self.near), len(carry_price) - 1).astype(np.int64)
            cables = np.minimum(count + (count < below), len(ducts) - 1)
            return self.tree.length_m[position] * (count * smallest + carry_price[passing] + ducts[cables])

        found = gather(
            Gathering(
                self.tree,
                units,
                tail_m,
                forced,
                limit_m,
                self.most_sockets,
                carry_cents,
                lambda _, most: takes[: most + 1].copy(),
                self._branching(),
            )
        )
        owner = owners(self.tree, found.taken)
        closures: list[Closure] = []
        last: dict[int, Closure] = {}
        for drop in sorted(drops, key=lambda drop: (owner[drop.position], drop.position, drop.premises, drop.first)):
            at = owner[drop.position]
            here = last.get(at)
            if here is None or self._sockets(here) + drop.sockets > self.most_sockets:
                here = last[at] = Closure(at, [], 0, 0.0)
                closures.append(here)
            here.drops.append(drop)
            here.up = self.fibres_up(self._sockets(here))
            to_drop_m = self.tree.depth_m[drop.position] - self.tree.depth_m[at]
            here.farthest_m = max(here.farthest_m, to_drop_m + drop.drop_m)
        return closures

    def _branching(self) -> Branching:
        prices = self.prices
        closure = prices.catalogue.closure[prices.closure_for(1)].each_cents
        return Branching(prices.splice_cents / self.near, closure)

    def _sockets(self, closure: Closure) -> int:
        return sum(drop.sockets for drop in closure.drops)

    def _units(self, drops: list[Drop]) -> tuple[list[int], list[float], list[bool]]:
        """Sockets by position, the longest drop there, and whether they need a closure right there: where there are
        more than one takes, or a drop is so large that it costs more on its way than the smallest cable."""
        units, tail_m = [0] * len(self.tree), [0.0] * len(self.tree)
        forced = [False] * len(self.tree)
        for drop in drops:
            units[drop.position] += drop.sockets
            tail_m[drop.position] = max(tail_m[drop.position], drop.drop_m)
            forced[drop.position] |= drop.sockets > min(self.prices.cables)
        return (
            units,
            tail_m,
            [is_large or count > self.most_sockets for is_large, count in zip(forced, units, strict=True)],
        )

    def _closure_table(self, most: int) -> F8:
        """What closures for 0 to `most` sockets cost, with their splitters and what those ask for farther up."""
        prices, catalogue = self.prices, self.prices.catalogue
        price = np.zeros(most + 1)
        for sockets in range(1, most + 1):
            here = min(sockets, self.most_sockets)
            price[sockets] = price[sockets - here] + catalogue.closure[prices.closure_for(self.joints(here))].each_cents
            if self.near > 1:
                first = self.architecture.splitters[0]
                above = catalogue.splitter[first].each_cents + catalogue.central_office.port_each
                each = catalogue.splitter[self.near].each_cents + prices.splice_cents + above / first
                price[sockets] += self.fibres_up(here) * each
        return price

    def cabinets(self, closures: list[Closure]) -> list[Cabinet]:
        """Cabinets for all closures, from the office outwards."""
        units, tail_m = [0] * len(self.tree), [0.0] * len(self.tree)
        for closure in closures:
            units[closure.position] += closure.up
            tail_m[closure.position] = max(tail_m[closure.position], closure.farthest_m)
        most = self.prices.most_in_cabinet()
        found = gather(self._cabinet_problem(units, tail_m, most))
        owner = owners(self.tree, found.taken)
        cabinets: list[Cabinet] = []
        last: dict[int, Cabinet] = {}
        for closure in sorted(closures, key=lambda closure: (owner[closure.position], closure.position)):
            at = owner[closure.position]
            here = last.get(at)
            if here is None or here.fibres + closure.up > most:
                here = last[at] = Cabinet(at)
                cabinets.append(here)
            here.closures.append(closure)
            here.fibres += closure.up
        return cabinets

    def _cabinet_problem(self, units: list[int], tail_m: list[float], most: int) -> Gathering:
        prices, catalogue, tree = self.prices, self.prices.catalogue, self.tree
        ratio = self.architecture.splitters[0]
        top = most + max(units, default=0)
        cabinets = prices.cabinet_table(top)
        splitters = np.ceil(np.arange(top + 1) / ratio)
        each = catalogue.splitter[ratio].each_cents + catalogue.central_office.port_each
        feeder = min(prices.cables.values())
        per_fibre_m = self._feeder_fibre_cents_per_m(math.ceil(sum(units) / ratio))
        cable, count = prices.cable_table(top, self.spare)
        ducts = prices.duct_table(int(count.max(initial=0)) + 1)
        ducts_alone, ducts_shared = ducts[count.astype(np.int64)], ducts[count.astype(np.int64) + 1]
        both = cable + feeder + ducts_shared
        alone = cable + ducts_alone

        def carry_cents(position: int, carried: int, below: int) -> F8:
            cents = both[: carried + 1].copy()
            if below < len(cents):
                cents[below] = alone[below]
            return tree.length_m[position] * cents

        def take_cents(position: int, open_count: int) -> F8:
            fed = each + per_fibre_m * tree.depth_m[position]
            return cabinets[: open_count + 1] + splitters[: open_count + 1] * fed

        forced = [count > most for count in units]
        limit_m = self.architecture.longest_distribution_m
        return Gathering(tree, units, tail_m, forced, limit_m, most, carry_cents, take_cents)

    def _feeder_fibre_cents_per_m(self, fibres: int) -> float:
        """What a fibre more costs in a feeder that has room for all there are, or is as large as there is."""
        spare = self.architecture.spare_feeder
        lit = min(fibres, self.prices.most_on_cable(spare))
        size = self.prices.cable_for(max(1, lit), spare)
        return self.prices.cables[size] / max(1, lit)
