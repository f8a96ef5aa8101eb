"""What a plan's pieces cost, as the search asks for it: which size for so many fibres, which ducts for these cables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.catalogue import SURFACES, Catalogue
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.obstacles import OBSTACLES

_OTHER_LINES: Final = 16
"""Of a bill, beside those by surface, obstacle, duct and cable: permits, plant, poles, drops, what is set up."""
_GRAIN: Final = 1e-9
"""Shares are decimal, and 20 × 1.2 is 24: what is over by less than this is not over."""


def with_spare(lit: int, share: float) -> int:
    """How many fibres or places there must be for so many that are used."""
    return math.ceil(lit * (1 + share) - _GRAIN)


def most_within(size: int, share: float) -> int:
    """How many may be used of so many that are there."""
    return math.floor(size / (1 + share) + _GRAIN)


def rounded_cents(catalogue: Catalogue) -> int:
    """How many cents less than its parts a bill of one phase may say, since each of its lines of metres is rounded,
    labour and material by themselves."""
    lines = len(SURFACES) + len(OBSTACLES) + len(catalogue.duct) + len(catalogue.cable) + _OTHER_LINES
    return 2 * lines


@dataclass(slots=True)
class Prices:
    """A catalogue and an architecture, asked again and again."""

    catalogue: Catalogue
    architecture: Architecture
    cables: dict[int, int] = field(init=False)
    """Cents a metre by size, of the sizes that some duct takes; none costs more than a larger one."""
    _packed: dict[tuple[int, ...], tuple[tuple[str, int], ...]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        widest = max(duct.largest_cable_fibres for duct in self.catalogue.duct.values())
        self.cables = {}
        least = math.inf
        for size in sorted(self.catalogue.cable, reverse=True):
            price = self.catalogue.cable[size].per_m_cents
            if size <= widest and price < least:
                self.cables[size] = price
                least = price
        self.cables = dict(sorted(self.cables.items()))

    @property
    def largest_cable(self) -> int:
        return max(self.cables)

    @property
    def largest_drop(self) -> int:
        """Of all sizes, since a drop need not lie in a duct."""
        return max(self.catalogue.cable)

    def most_lit(self, share: float) -> int:
        """How many fibres of the largest cable may be used."""
        most = most_within(self.largest_cable, share)
        if most == 0:
            raise InvalidInput(
                f"no cable has a fibre left beside a spare share of {share:g}",
                where="cable of the catalogue",
                remedy="Add a larger cable, or ask for less to spare.",
            )
        return most

    def most_on_cable(self, share: float) -> int:
        """How many fibres are lit in one cable at the most: its branches, which have half of them or fewer, must find
        room in a closure each."""
        return min(self.most_lit(share), 2 * self.most_joints)

    @property
    def feeder_fibre_cents_per_m(self) -> float:
        """What a metre of a fibre more costs in feeders, beyond the smallest cable that lies there in any case, with
        what it keeps to spare."""
        least, most = min(self.cables), self.largest_cable
        beyond = self.cables[most] - self.cables[least]
        return max(0.01, beyond / most * (1 + self.architecture.spare_feeder))

    def cable_for(self, lit: int, share: float) -> int:
        """The cheapest size with so many fibres, and the spare share of them."""
        need = with_spare(lit, share)
        return next(size for size in self.cables if size >= need)

    def cable_table(self, most: int, share: float) -> tuple[F8, F8]:
        """For 0 to `most` fibres what a metre of their cables costs, as few as hold them, and how many cables they
        are."""
        limit = self.most_on_cable(share)
        price, count = np.zeros(most + 1), np.zeros(most + 1)
        for lit in range(1, most + 1):
            whole, rest = divmod(lit, limit)
            count[lit] = whole + (rest > 0)
            price[lit] = whole * self.cables[self.cable_for(limit, share)]
            if rest:
                price[lit] += self.cables[self.cable_for(rest, share)]
        return price, count

    def pack(self, sizes: Sequence[int]) -> tuple[tuple[str, int], ...]:
        """The cheapest ducts for cables of these sizes, the largest first: each duct's kind, and how many it takes of
        those that are left. Exact: sorted by what they take, ducts hold runs of the sorted cables."""
        key = tuple(sizes)
        if key not in self._packed:
            least: list[tuple[int, tuple[tuple[str, int], ...]]] = [(0, ())]
            for end in range(1, len(key) + 1):
                found = [
                    (cents + duct.per_m_cents, (*chosen, (kind, end - begin)))
                    for begin, (cents, chosen) in enumerate(least)
                    for kind, duct in self.catalogue.duct.items()
                    if end - begin <= duct.cables and key[begin] <= duct.largest_cable_fibres
                ]
                least.append(min(found))
            self._packed[key] = least[-1][1]
        return self._packed[key]

    def duct_table(self, most: int) -> F8:
        """What a metre of ducts costs for 0 to `most` of the smallest cables."""
        smallest = min(self.cables)
        kinds = [
            (duct.per_m_cents, duct.cables)
            for duct in self.catalogue.duct.values()
            if duct.largest_cable_fibres >= smallest
        ]
        price = np.zeros(most + 1)
        for count in range(1, most + 1):
            price[count] = min(cents + price[max(0, count - takes)] for cents, takes in kinds)
        return price

    @property
    def splice_cents(self) -> int:
        return self.catalogue.splice.each_cents

    @property
    def most_joints(self) -> int:
        """How many joints the largest closure takes."""
        return max(self.catalogue.closure)

    def closure_for(self, joints: int) -> int:
        """The cheapest closure with so many joints; `joints` is at most `most_joints`."""
        fitting = [size for size in self.catalogue.closure if size >= joints]
        return min(fitting, key=lambda size: (self.catalogue.closure[size].each_cents, size))

    def most_in_cabinet(self) -> int:
        """How many fibres on the premises' side the largest cabinet takes."""
        return max(self._cabinet_takes(size) for size in self.catalogue.cabinet)

    def cabinet_for(self, fibres: int) -> int:
        """The cheapest cabinet for so many fibres on the premises' side; they are at most `most_in_cabinet`."""
        fitting = [size for size in self.catalogue.cabinet if self._cabinet_takes(size) >= fibres]
        return min(fitting, key=lambda size: (self.catalogue.cabinet[size].each_cents, size))

    @property
    def near(self) -> int:
        """How many sockets share a fibre that comes to a closure: as many as the splitters of a second stage have."""
        ratios = self.architecture.splitters
        return ratios[1] if len(ratios) > 1 else 1

    def cabinet_sizes(self) -> list[tuple[int, int]]:
        """For each size of cabinet that takes any: how many fibres on the premises' side, and what it costs. Point to
        point that is its size alone."""
        sizes = [(self._cabinet_takes(size), price.each_cents) for size, price in self.catalogue.cabinet.items()]
        return [(takes, cents) for takes, cents in sizes if takes > 0]

    def bare_cabinets(self) -> list[int]:
        """What cabinets cost that take fibres and have no room for the splitters that there must be: they can only
        stand where drops begin."""
        share = self.architecture.spare_cabinet
        sizes = self.catalogue.cabinet.items()
        return [price.each_cents for size, price in sizes if most_within(size, share) and not self._cabinet_takes(size)]

    def _cabinet_takes(self, size: int) -> int:
        most, ratios = most_within(size, self.architecture.spare_cabinet), self.architecture.splitters
        return min(most, self.catalogue.cabinet[size].splitters * ratios[0]) if ratios else most

    def cabinet_table(self, most: int) -> F8:
        """What cabinets for 0 to `most` fibres cost: one, or full ones and one."""
        limit = self.most_in_cabinet()
        price = np.zeros(most + 1)
        for fibres in range(1, most + 1):
            here = min(fibres, limit)
            price[fibres] = self.catalogue.cabinet[self.cabinet_for(here)].each_cents + price[fibres - here]
        return price

    def least_cabinet_share(self) -> Fraction:
        """What a fibre's place in a cabinet costs at the least: where the best one is full."""
        return min(Fraction(cents, takes) for takes, cents in self.cabinet_sizes())

    def least_cabinets_cents(self, fibres: int) -> int:
        """No cabinets for so many fibres cost less, whatever stands where: a knapsack of sizes, exact."""
        usable = self.cabinet_sizes()
        least = [0]
        for count in range(1, fibres + 1):
            least.append(min(cents + least[max(0, count - takes)] for takes, cents in usable))
        return least[fibres]
