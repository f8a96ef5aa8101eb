"""Prices that cannot be used, on the map: of each line of the catalogue, where what it prices lies.

A line that prices one surface, one kind of crossing or one kind of plant is drawn at the longest of these; one that
prices what is bought wherever a network is built, such as a splice, is drawn at the central offices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from broadstreet.network.ground.catalogue import SURFACES
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.fault import Fault, FaultKind, Placed
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.obstacles import OBSTACLES
from broadstreet.network.ground.sheet import BadSheet
from broadstreet.network.ground.streets import PLANT, WayKind

_REMEDY: Final = "Write the price into the catalogue, in its currency: the sheet that comes along shows every line."
_PLANT: Final = {"duct": WayKind.DUCT, "trench": WayKind.TRENCH, "fibre": WayKind.FIBRE}


def unpriced(bad: BadSheet, ground: Ground) -> Placed:
    """The refusal of a catalogue, with the places of what its lines price. ground: by any other prices."""
    faults = []
    for line, wrong in bad.lines:
        what = f"{line}: {wrong}" if line else wrong
        faults += [Fault(FaultKind.NO_PRICE, *place, f"{what}; {of}", _REMEDY) for place, of in _priced(line, ground)]
    return Placed(bad.message, faults, where=bad.where or "catalogue", remedy=bad.remedy or _REMEDY)


def _priced(line: str, ground: Ground) -> list[tuple[tuple[float, float], str]]:
    """Places of what a line of the catalogue prices, and what that is."""
    table, (head, *rest) = ground.ways, line.split(".")
    which: list[tuple[I8, str]] = []
    if head == "trench":
        of = [surface for surface in SURFACES if not rest or surface == rest[0]]
        is_dug = table.usable & ~np.isin(table.kind, list(PLANT))
        which = [(np.flatnonzero(is_dug & (table.surface == SURFACES.index(one))), f"of {one}") for one in of]
    elif head == "crossing":
        which = [
            (np.flatnonzero(table.crossings[:, i]), f"across {one}")
            for i, one in enumerate(OBSTACLES)
            if not rest or one == rest[0]
        ]
        if not rest or rest[0] == "street":
            which.append((np.flatnonzero(table.kind == WayKind.CROSSING), "across streets"))
    elif head == "pole_line":
        which = [(np.flatnonzero(table.kind == WayKind.POLE_LINE), "of pole line")]
    elif head == "existing":
        which = [
            (np.flatnonzero(table.kind == kind), f"of standing {name}")
            for name, kind in _PLANT.items()
            if not rest or name == rest[0]
        ]
    found = [_longest(ground, rows, of) for rows, of in which if len(rows)]
    return found or _anywhere(ground)


def _longest(ground: Ground, rows: I8, of: str) -> tuple[tuple[float, float], str]:
    length_m = ground.ways.length_m[rows]
    lon, lat = ground.ways.courses.take(rows).middles()
    i = int(length_m.argmax())
    return (float(lon[i]), float(lat[i])), f"{len(rows):,} ways {of} wait for it, {length_m.sum():,.0f} m in all"


def _anywhere(ground: Ground) -> list[tuple[tuple[float, float], str]]:
    offices = ground.offices
    places: Sequence[tuple[float, float]] = list(zip(offices.lon.tolist(), offices.lat.tolist(), strict=True))
    middle = (float(ground.lon.mean()), float(ground.lat.mean()))
    return [(place, "whatever is built from here waits for it") for place in places[:1] or [middle]]
