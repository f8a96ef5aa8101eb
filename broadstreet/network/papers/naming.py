"""What people call a place: the street a way is in, the corner or house a node is at, a premises.

The ground says to which street a pavement belongs, and permits go by that. What belongs to none, a yard or a park, is
told as by the street that is nearest to its middle, within `BESIDE_M`: that is for people alone.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import Final

import numpy as np
import shapely

from broadstreet.network.ground import Ground
from broadstreet.network.ground.courses import I8, Lines, Plane
from broadstreet.network.ground.ground import NO_STREET

BESIDE_M: Final = 30.0
"""How far a way of no street may be from the one that it is by: half a boulevard."""
BY: Final = "by "
"""What stands before the street's name then."""
NEAR_M: Final = 80.0
"""How far a house may be that says where something is."""
HOUSE: Final = "house"
"""What premises are called of which nothing is known."""


class Naming:
    """Names of a ground's ways, nodes and premises."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.plane = Plane.about(ground.lon, ground.lat)

    def street(self, way: int) -> str:
        """The street that a way belongs to; empty where it is none's."""
        number = int(self.ground.ways.street[way])
        return "" if number == NO_STREET else self.ground.streets[number]

    def along(self, way: int) -> str:
        """The street that a way belongs to, or is by; empty where there is none."""
        number = int(self._near[way])
        return self.street(way) or ("" if number == NO_STREET else f"{BY}{self.ground.streets[number]}")

    def street_at(self, node: int) -> str:
        """The street that a node is in, the first by name of several, or beside; empty where there is none."""
        if names := self._crossing.get(node):
            return names[0]
        number = int(self._street_of_node[node])
        return "" if number == NO_STREET else self.ground.streets[number]

    def where(self, node: int, but: str = "") -> str:
        """A node in words: where streets meet, by or near which house, or its coordinates. but: a street that is said
        already."""
        names = [name for name in self._crossing.get(node, ()) if name != but]
        if names and (but or len(names) > 1):
            return " and ".join(names)
        house = int(self._house[node])
        if house >= 0:
            lead = "by" if int(self.ground.premises.node[house]) == node else "near"
            return f"{lead} {self.ground.premises.demand.labels[house]}"
        return f"{self.ground.lat[node]:.6f} N {self.ground.lon[node]:.6f} E"

    def premises(self, row: int) -> str:
        """A premises; where its label is only a number, with its street or what it is near."""
        demand = self.ground.premises.demand
        label = demand.labels[row] or demand.ids[row]
        if is_telling(demand.labels[row]):
            return label
        node = int(self.ground.premises.node[row])
        return f"{label} ({self.street_at(node) or self.where(node)})"

    @cached_property
    def _crossing(self) -> dict[int, list[str]]:
        """The names of the streets that meet at each node, sorted."""
        found: defaultdict[int, set[str]] = defaultdict(set)
        ways = self.ground.ways
        named = np.flatnonzero(ways.street != NO_STREET)
        for ends in (ways.a, ways.b):
            for node, street in zip(ends[named].tolist(), ways.street[named].tolist(), strict=True):
                found[node].add(self.ground.streets[street])
        return {node: sorted(names) for node, names in found.items()}

    @cached_property
    def _near(self) -> I8:
        """For each way of no street the nearest."""
        street = np.full(len(self.ground.ways), NO_STREET, dtype=np.int64)
        nameless = np.flatnonzero(self.ground.ways.street == NO_STREET)
        lines = self.ground.ways.courses.laid(self.plane)[nameless]
        street[nameless] = self._beside(shapely.line_interpolate_point(lines, 0.5, normalized=True))
        return street

    @cached_property
    def _street_of_node(self) -> I8:
        return self._beside(self._dots)

    @cached_property
    def _dots(self) -> Lines:
        return self.plane.dots(self.ground.lon, self.ground.lat)

    def _beside(self, dots: Lines) -> I8:
        """The street nearest to each point, as a number."""
        ways = self.ground.ways
        named = np.flatnonzero(ways.street != NO_STREET)
        lines = ways.courses.take(named.astype(np.int64)).laid(self.plane)
        return _nearest(dots, lines, ways.street[named].astype(np.int64), BESIDE_M)

    @cached_property
    def _house(self) -> I8:
        """The premises nearest to each node whose label says where it is; one whose drop leaves there before others."""
        premises = self.ground.premises
        telling = np.flatnonzero([is_telling(label) for label in premises.demand.labels]).astype(np.int64)
        dots = self.plane.dots(premises.demand.lon[telling], premises.demand.lat[telling])
        found = _nearest(self._dots, dots, telling, NEAR_M)
        found[premises.node[telling[::-1]]] = telling[::-1]
        return found


def is_telling(label: str) -> bool:
    """Whether a label says where a premises is, and not only its number."""
    return any(map(str.isalpha, label)) and label != HOUSE


def _nearest(dots: Lines, shapes: Lines, values: I8, limit_m: float) -> I8:
    """For each point the value of the shape nearest to it; -1 where none is within the limit."""
    found = np.full(len(dots), -1, dtype=np.int64)
    if len(dots) and len(shapes):
        which, nearest = shapely.STRtree(shapes).query_nearest(dots, max_distance=limit_m, all_matches=False)
        found[which] = values[nearest]
    return found
