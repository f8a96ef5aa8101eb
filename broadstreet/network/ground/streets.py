"""Streets as a source gives them: lines with what they are, not yet a graph.

Every source (an extract of OpenStreetMap, a layer of a city's own) becomes `Streets`; from there on it does not matter
where they are from. What several lines have in common is a `Trait`; lines that meet end to end are made one only where
their traits are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shapely import LineString

from broadstreet.model.geometry import Box
from broadstreet.network.ground.catalogue import Surface
from broadstreet.network.ground.courses import I8, Courses


class WayKind(IntEnum):
    """What a way is. From DUCT on it is plant that stands already, but for LINK, the trench that leads to plant."""

    STREET = 0
    PATH = 1
    CROSSING = 2
    DUCT = 3
    TRENCH = 4
    POLE_LINE = 5
    FIBRE = 6
    LINK = 7


PLANT: Final = frozenset({WayKind.DUCT, WayKind.TRENCH, WayKind.POLE_LINE, WayKind.FIBRE})
"""What stands already and is used, not dug."""
PLANT_KINDS: Final = tuple(sorted(int(kind) for kind in PLANT))
"""The same, to be looked for in a column."""
PAID_PLANT: Final = {WayKind.DUCT: "duct", WayKind.TRENCH: "trench", WayKind.FIBRE: "fibre"}
"""What the catalogue has a price for by the metre that is used (`existing`), by its name there."""


@dataclass(frozen=True, slots=True, order=True)
class Trait:
    """What lines have in common. `category`: the source's own word for what it is, such as OSM's highway class.

    beside: the street to which a line without a name belongs, where its source says it. apart: its source says that it
    runs beside none.
    """

    kind: WayKind
    surface: Surface
    may_dig: bool
    name: str
    category: str
    beside: str = ""
    apart: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Streets:
    """Lines in WGS 84, each with its trait, its level (bridges over 0, tunnels under) and its source's id.

    meet_where_they_cross: whether two lines of one level that cross without a common point are joined there. In
    OpenStreetMap they are not; in many cities' own layers, which are drawn and not routed on, they are.
    """

    courses: Courses
    traits: tuple[Trait, ...]
    trait: NDArray[np.int32]
    level: NDArray[np.int8]
    sources: tuple[str, ...]
    meet_where_they_cross: bool

    @classmethod
    def of(
        cls,
        lines: Sequence[LineString],
        traits: Sequence[Trait],
        levels: Sequence[int],
        sources: Sequence[str],
        *,
        meet_where_they_cross: bool,
    ) -> Streets:
        """Streets from lines and what each is, in the order of their sources' ids."""
        order = sorted(range(len(sources)), key=lambda i: (sources[i], i))
        distinct = sorted(set(traits))
        numbers = {trait: number for number, trait in enumerate(distinct)}
        return cls(
            Courses.of([lines[i] for i in order]),
            tuple(distinct),
            np.array([numbers[traits[i]] for i in order], dtype=np.int32),
            np.clip([levels[i] for i in order], -9, 9).astype(np.int8),
            tuple(sources[i] for i in order),
            meet_where_they_cross,
        )

    @property
    def bounds(self) -> Box:
        """The box they lie in: where further layers are expected."""
        lon, lat = self.courses.lon, self.courses.lat
        return Box(float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max()))

    def take(self, which: I8) -> Streets:
        """Some of the lines, in this order."""
        sources = tuple(self.sources[i] for i in which.tolist())
        lines = self.courses.take(which), self.traits, self.trait[which], self.level[which], sources
        return Streets(*lines, self.meet_where_they_cross)
