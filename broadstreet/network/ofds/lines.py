"""What stands in a network as plant of a ground: ducts and poles with room, and dark fibre.

What is said is relied on, by the network or by whoever gives it (`Taking`). A span counts if it is said to have been
built, by what carries it, and has a route of its own. Room in its duct or on its poles is seldom spoken of: where it is
not said to be lacking it is assumed, unless whoever gives the network forbids it. What lies elsewhere than the streets
is no plant of theirs; of what reaches beyond them, the part by them is. What is not used is kept with its reason, and
so is what is used on an assumption, so that both can be told.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
import shapely
from msgspec import Meta
from numpy.typing import NDArray
from shapely import LineString, MultiPoint

from broadstreet.model.geometry import Box
from broadstreet.network.ground import PlantLine, WayKind
from broadstreet.network.ground.plant import CHAMBER_M, LINK_M, UNBOUNDED
from broadstreet.network.ofds.network import Network
from broadstreet.network.ofds.plant import STANDING, Carrier, Stretch, plant_of

BESIDE_M: Final = 2000.0
"""So far beyond the streets a line is kept: far enough that where it is cut off nobody takes for an end of it."""
METRES_A_DEGREE: Final = 111_000.0
_KINDS: Final = {Carrier.DUCT: WayKind.DUCT, Carrier.POLE_LINE: WayKind.POLE_LINE}
_CHAMBERS: Final = frozenset({"cableWell", "cabinet"})
NOT_GIVEN: Final = "not given"

Status = Literal["proposed", "planned", "underConstruction", "decommissioned", "not given"]


class Taking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """
    What whoever gives a network knows beside it.

    built:   statuses of spans that stand all the same, beside `operational` and `inactive`.
    carrier: what carries those spans of which the network does not say it.
    room:    whether there is room for more cables in ducts and on poles of which the network does not say it.
    """

    built: Annotated[tuple[Status, ...], Meta(max_length=5)] = ()
    carrier: Literal["duct", "pole_line"] | None = None
    room: bool = True


AS_SAID: Final = Taking()


class Unused(StrEnum):
    """Why a span is no plant, or none with room."""

    OUTSIDE = "outside the streets"
    THROUGH = "begins and ends outside the streets"
    NO_COURSE = "no route, and no two nodes with places"
    STRAIGHT = "no route"
    NOT_BUILT = "not said to have been built"
    NO_CARRIER = "neither a duct nor poles, and no dark fibre"
    NO_ROOM = "in a duct or on poles without room, or of which none is said"
    SAME = "in the duct or on the poles of another span"


class Usable:
    """
    What a planner may use of a network.

    lines: for `ground.plant_of`. chambers: longitudes and latitudes where ducts can be reached. unused: spans, by why;
    left: the spans themselves, but for those that have no course. assumed: those that are used and of whose room
    nothing is said. streets: where the streets are, beyond which nothing is used; None where that is not asked.
    """

    def __init__(self, network: Network, taking: Taking = AS_SAID, streets: Box | None = None) -> None:
        plant = plant_of(network)
        self.spans = len(network.spans)
        self.left: defaultdict[Unused, list[Stretch]] = defaultdict(list)
        self.assumed: list[Stretch] = []
        self.lines: list[PlantLine] = []
        places = [site.place for site in plant.sites if site.carrier in _CHAMBERS]
        found: NDArray[np.float64] = np.array(places, dtype=np.float64).reshape(-1, 2)
        self.chambers = found[:, 0], found[:, 1]
        reach = _Reach(streets, found) if streets is not None else None
        for stretch in plant.stretches:
            line = LineString(stretch.points)
            parts = [line] if reach is None or reach.is_within(line) else reach.parts(line)
            reason = _reason(stretch, taking)
            if not parts:
                is_there = reach is not None and reach.meets(line)
                self.left[Unused.THROUGH if is_there else Unused.OUTSIDE].append(stretch)
            elif reason is not None:
                self.left[reason].append(stretch)
            else:
                self._use(stretch, parts, taking)
        self.unused = Counter({reason: len(spans) for reason, spans in self.left.items()})
        if plant.without_course:
            self.unused[Unused.NO_COURSE] = len(plant.without_course)

    def _use(self, stretch: Stretch, parts: list[LineString], taking: Taking) -> None:
        lines = [line for number, part in enumerate(parts) for line in _lines(stretch, part, number, taking)]
        if not lines:
            self.left[Unused.NO_CARRIER if stretch.same_as is None else Unused.SAME].append(stretch)
        elif all(line.room == 0 for line in lines):
            self.left[Unused.NO_ROOM].append(stretch)
        elif stretch.is_spare is None and any(line.kind is not WayKind.FIBRE for line in lines):
            self.assumed.append(stretch)
        self.lines += lines


class _Reach:
    """What of a line lies by the streets, and can be got at there."""

    def __init__(self, streets: Box, chambers: NDArray[np.float64]) -> None:
        self.streets = grown(streets, LINK_M)
        self.kept = grown(streets, BESIDE_M)
        self.chambers = MultiPoint(chambers[shapely.intersects_xy(self.streets, chambers[:, 0], chambers[:, 1])])

    def is_within(self, line: LineString) -> bool:
        return bool(self.streets.covers(line))

    def meets(self, line: LineString) -> bool:
        return bool(self.streets.intersects(line))

    def parts(self, line: LineString) -> list[LineString]:
        """The parts of it that have an end or a chamber by the streets."""
        if not self.meets(line):
            return []
        near_deg = CHAMBER_M / METRES_A_DEGREE
        ends = [end for end in (line.boundary.geoms if not line.is_closed else []) if self.streets.covers(end)]
        ways_in = [*ends, *(dot for dot in self.chambers.geoms if line.distance(dot) <= near_deg)]
        cut = shapely.get_parts(shapely.intersection(line, self.kept)).tolist()
        lines = [part for part in cut if isinstance(part, LineString)]
        return [part for part in lines if any(part.distance(way_in) <= near_deg for way_in in ways_in)]


def grown(box: Box, by_m: float) -> shapely.Polygon:
    """A box, with so many metres more on each side, and at most some more."""
    north = by_m / METRES_A_DEGREE
    east = north / max(np.cos(np.radians(max(abs(box.south), abs(box.north)))), 0.01)
    return shapely.box(box.west - east, box.south - north, box.east + east, box.north + north)


def _reason(stretch: Stretch, taking: Taking) -> Unused | None:
    status = stretch.status or NOT_GIVEN
    if status not in STANDING and status not in taking.built:
        return Unused.NOT_BUILT
    return Unused.STRAIGHT if stretch.is_straight else None


def _lines(stretch: Stretch, part: LineString, number: int, taking: Taking) -> Iterator[PlantLine]:
    """A span's duct or poles, and its dark fibre."""
    label = stretch.name or stretch.id or ""
    id = f"span/{stretch.number}" if not number else f"span/{stretch.number}+{number}"
    kind = _KINDS.get(stretch.carrier)
    if kind is None and taking.carrier is not None and stretch.carrier in _UNSAID[taking.carrier]:
        kind = WayKind[taking.carrier.upper()]
    if kind is not None and stretch.same_as is None:
        has_room = taking.room if stretch.is_spare is None else stretch.is_spare
        yield PlantLine(id, kind, part, UNBOUNDED if has_room else 0, label)
    if stretch.is_dark_fibre and ("fibre" in stretch.media or not stretch.media):
        yield PlantLine(f"{id}/fibre", WayKind.FIBRE, part, UNBOUNDED, label)


_UNSAID: Final = {"duct": {Carrier.BELOW, Carrier.UNKNOWN}, "pole_line": {Carrier.ABOVE, Carrier.UNKNOWN}}
"""What may be taken for ducts, and what for poles, where somebody says so."""
