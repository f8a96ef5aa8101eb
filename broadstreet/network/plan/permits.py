"""How many streets every plan digs in: a bound on what permits cost, wherever ways lead.

Whoever is served is joined to an office, so of any ways that part them from all offices one is opened: where each of
these is in a street, one of these streets is dug. Sets of streets that have none in common need one permit each, and no
plan has fewer than there are such sets. They are found as in a dual ascent: what is joined by ways that ask for no
permit is one place; the place with somebody in it and no office that the fewest streets lead out of gives a set, whose
streets are then taken to be free, so that places grow and no street is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

import numpy as np

from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.graph import components
from broadstreet.network.ground.ground import NO_STREET, Ground
from broadstreet.network.ground.streets import PLANT_KINDS


def least_street_permits(ground: Ground, served: Iterable[int]) -> int:
    """How many streets are dug by every plan that joins these premises to offices of the ground, to whichever of its
    hooks each drop leads: places of one premises' hooks are one."""
    ways = ground.ways
    rows = np.flatnonzero(ways.usable)
    asks = ~np.isin(ways.kind[rows], list(PLANT_KINDS)) & (ways.street[rows] != NO_STREET)
    hanging = ground.hanging(list(served))
    first = np.array([at[0][0] for at in hanging for _ in at[1:]], np.int64)
    other = np.array([node for at in hanging for node, _ in at[1:]], np.int64)
    free = [np.concatenate(ends) for ends in ((ways.a[rows][~asks], first), (ways.b[rows][~asks], other))]
    place = components(len(ground.lon), *free)
    a, b, street = place[ways.a[rows][asks]], place[ways.b[rows][asks]], ways.street[rows][asks].astype(np.int64)
    places = _Places(a, b, street)
    return places.counted(place[np.array([at[0][0] for at in hanging], np.int64)], place[ground.offices.node])


class _Places:
    """Places joined by ways of streets, some of them taken to be free. leading: the streets that may lead out of each;
    ends: between which places each street leads."""

    def __init__(self, a: I8, b: I8, street: I8) -> None:
        self.leading: dict[int, set[int]] = {}
        self.ends: dict[int, list[tuple[int, int]]] = {}
        self.into: dict[int, int] = {}
        self.wanted: set[int] = set()
        self.reached: set[int] = set()
        for of, one, other in sorted(set(zip(street.tolist(), a.tolist(), b.tolist(), strict=True))):
            self.ends.setdefault(of, []).append((one, other))
            self.leading.setdefault(one, set()).add(of)
            self.leading.setdefault(other, set()).add(of)

    def counted(self, wanted: I8, offices: I8) -> int:
        """How many sets of streets part somebody wanted from all offices, no two with a street in common."""
        self.wanted, self.reached = set(wanted.tolist()), set(offices.tolist())
        waiting = [(len(self.leading.get(place, ())), place) for place in sorted(self.wanted)]
        heapify(waiting)
        count = 0
        while waiting:
            fewest, place = heappop(waiting)
            if self.find(place) != place or place in self.reached:
                continue
            streets = self.out_of(place)
            if len(streets) > fewest:
                heappush(waiting, (len(streets), place))
            elif streets:
                count += 1
                ends = [end for street in sorted(streets) for end in self.free(street)]
                for end in sorted({self.find(end) for end in ends} & self.wanted):
                    heappush(waiting, (len(self.leading[end]), end))
        return count

    def find(self, place: int) -> int:
        """The place that this one is part of by now."""
        while (into := self.into.get(place, place)) != place:
            self.into[place] = self.into.get(into, into)
            place = into
        return place

    def out_of(self, place: int) -> set[int]:
        """The streets that lead out of a place, and not only about in it."""
        found = {
            street
            for street in self.leading.get(place, ())
            if any((self.find(one) == place) != (self.find(other) == place) for one, other in self.ends.get(street, ()))
        }
        self.leading[place] = found
        return found

    def free(self, street: int) -> set[int]:
        """A street needs no permit any more: what it joins is one. What came of its ends."""
        grown: set[int] = set()
        for ends in self.ends.pop(street, ()):
            small, large = sorted(map(self.find, ends), key=lambda place: len(self.leading[place]))
            if small != large:
                self.into[small] = large
                self.leading[large] |= self.leading.pop(small)
                for marked in (self.wanted, self.reached):
                    if small in marked:
                        marked.add(large)
            grown.add(large)
        return grown
