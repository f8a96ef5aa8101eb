"""What lies there already and can be used: ducts with room, open trenches, pole lines, spare fibres.

Plant is a graph of its own, joined to the streets at its ends, its junctions and its chambers by short trenches, the
links: nobody reaches a duct from halfway between two chambers. Where it lies on the street's own course, its node is
the street's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from shapely import LineString

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box
from broadstreet.network.ground.catalogue import Surface
from broadstreet.network.ground.courses import F8, Plane
from broadstreet.network.ground.fault import Fault
from broadstreet.network.ground.hanging import Pieces, hang, hung_up
from broadstreet.network.ground.streets import PLANT, Streets, Trait, WayKind
from broadstreet.network.ground.ways import Ways, ways_of

LINK_M: Final = 15.0
"""How far from a street's course plant may lie and still be joined to it."""
CHAMBER_M: Final = 3.0
"""How far a chamber may stand from its duct."""
PLANT_SNAP_M: Final = 1.0
"""By how much the ends of two ducts may miss each other."""
UNBOUNDED: Final = -1
"""Room that has no bound that is known."""


@dataclass(frozen=True, slots=True)
class PlantLine:
    """One piece of plant. room: how many further cables find room in a duct or trench or on poles, or how many fibres
    of a cable are spare; UNBOUNDED where that is not known to end."""

    id: str
    kind: WayKind
    line: LineString
    room: int = UNBOUNDED
    label: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Plant that is of no layer, such as a network's. chambers: longitudes and latitudes. faults: what of it is not
    used, and why."""

    lines: tuple[PlantLine, ...] = ()
    chambers: tuple[tuple[F8, F8], ...] = ()
    faults: tuple[Fault, ...] = ()


def nothing_standing(_: Box) -> Standing:
    """No plant beside the layers'."""
    return Standing()


@dataclass(frozen=True, slots=True, eq=False)
class Plant:
    """Plant as a graph: its ways as they were given, taken apart at chambers, and each way's room."""

    ways: Ways
    pieces: Pieces
    room: NDArray[np.int32]
    labels: tuple[str, ...]


def plant_of(lines: Iterable[PlantLine], chambers: tuple[F8, F8] | None = None) -> Plant:
    """The graph of plant. chambers: longitudes and latitudes where ducts can be reached between their ends."""
    given = sorted(lines, key=lambda line: line.id)
    by_id = {line.id: line for line in given}
    if len(by_id) < len(given):
        twice = next(one.id for one, other in pairwise(given) if one.id == other.id)
        raise InvalidInput(f"two pieces of plant have the id {twice}", where="plant", remedy="Give each its own id.")
    for line in given:
        if line.kind not in PLANT:
            raise InvalidInput(
                f"{line.kind.name.lower()} is no kind of plant",
                where=f"plant {line.id}",
                remedy=f"Use one of {', '.join(sorted(kind.name.lower() for kind in PLANT))}.",
            )
    streets = Streets.of(
        [line.line for line in given],
        # The id as name: no two pieces are made one.
        [Trait(line.kind, Surface.ASPHALT, False, line.id, "plant") for line in given],
        [0] * len(given),
        [line.id for line in given],
        meet_where_they_cross=False,
    )
    ways = ways_of(streets, PLANT_SNAP_M, keep_parallels=True)
    lon, lat = chambers if chambers is not None else (np.zeros(0), np.zeros(0))
    plane = Plane.about(ways.lon, ways.lat)
    hung = hang(ways, np.ones(len(ways), dtype=np.bool_), lon, lat, np.full(len(lon), CHAMBER_M), plane)
    room = np.array([by_id[sources[0]].room for sources in ways.sources], dtype=np.int32)
    labels = tuple(by_id[sources[0]].label for sources in ways.sources)
    return Plant(ways, hung_up(ways, hung, plane), room, labels)


NO_PLANT: Final = plant_of(())
"""Nothing lies there."""
