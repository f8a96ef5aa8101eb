"""What stands in a network as plant of a ground: ducts and poles with room, and dark fibre.

Only what is said is relied on. A span counts if it is said to have been built and has a route of its own; its duct or
its poles have room if that is said, and none if it is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shapely import LineString

from broadstreet.network.ground import PlantLine, WayKind
from broadstreet.network.ground.plant import UNBOUNDED
from broadstreet.network.ofds.network import Network
from broadstreet.network.ofds.plant import Carrier, Stretch, plant_of

_KINDS: Final = {Carrier.DUCT: WayKind.DUCT, Carrier.POLE_LINE: WayKind.POLE_LINE}
_CHAMBERS: Final = frozenset({"cableWell", "cabinet"})


class Unused(StrEnum):
    """Why a span is no plant."""

    NO_COURSE = "no route, and no two nodes with places"
    STRAIGHT = "no route"
    NOT_BUILT = "not said to have been built"
    NO_CARRIER = "neither a duct nor poles, and no dark fibre"
    SAME = "in the duct or on the poles of another span"


class Usable:
    """
    What a planner may use of a network.

    lines: for `ground.plant_of`. chambers: longitudes and latitudes where ducts can be reached. unused: spans, by why.
    """

    def __init__(self, network: Network) -> None:
        plant = plant_of(network)
        self.unused: Counter[Unused] = Counter(
            {Unused.NO_COURSE: len(plant.without_course)} if plant.without_course else {}
        )
        self.lines: list[PlantLine] = []
        for stretch in plant.stretches:
            reason = _reason(stretch)
            lines = [] if reason else list(_lines(stretch))
            if not lines:
                self.unused[reason or (Unused.NO_CARRIER if stretch.same_as is None else Unused.SAME)] += 1
            self.lines += lines
        places = [site.place for site in plant.sites if site.carrier in _CHAMBERS]
        found: NDArray[np.float64] = np.array(places, dtype=np.float64).reshape(-1, 2)
        self.chambers = found[:, 0], found[:, 1]


def _reason(stretch: Stretch) -> Unused | None:
    if not stretch.is_standing:
        return Unused.NOT_BUILT
    return Unused.STRAIGHT if stretch.is_straight else None


def _lines(stretch: Stretch) -> Iterator[PlantLine]:
    """A span's duct or poles, and its dark fibre."""
    line, label = LineString(stretch.points), stretch.name or stretch.id or ""
    kind = _KINDS.get(stretch.carrier)
    if kind is not None and stretch.same_as is None:
        yield PlantLine(f"span/{stretch.number}", kind, line, UNBOUNDED if stretch.is_spare else 0, label)
    if stretch.is_dark_fibre and ("fibre" in stretch.media or not stretch.media):
        yield PlantLine(f"span/{stretch.number}/fibre", WayKind.FIBRE, line, UNBOUNDED, label)
