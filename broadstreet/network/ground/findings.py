"""What is found wrong while the ground is put together: each with its place, what it means and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.graph import components
from broadstreet.network.ground.hanging import Hung
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.plant import Plant
from broadstreet.network.ground.premises import Demand
from broadstreet.network.ground.ways import Ways

Flags = NDArray[np.bool_]
OUTSIDE_M: Final = 2000.0
"""From how far away of the nearest street premises are said to lie outside the map."""


def check_usable(ways: Ways, usable: Flags) -> None:
    """Raises BadGround where there is no way that may be dug."""
    if usable.any():
        return
    lon, lat = (float(axis.mean()) if len(axis) else 0.0 for axis in (ways.lon, ways.lat))
    what = "none of the streets may be dug" if len(ways) else "there is no street at all"
    fault = Fault(FaultKind.UNREACHED, lon, lat, what, "Open some, or give the streets of this place.")
    raise BadGround([fault], where="streets")


def islands(ways: Ways, usable: Flags, kept: I8, island_m: float) -> tuple[Flags, list[Fault]]:
    """Which of the usable ways hang together with too little else, and a fault for each such part.

    kept: nodes whose part is none, however short: plant leads on from there.
    """
    label = components(len(ways.lon), ways.a[usable], ways.b[usable])
    part = label[ways.a]
    length_m = np.where(usable, ways.courses.lengths_m(), 0.0)
    total_m = np.bincount(part, weights=length_m, minlength=len(ways.lon))
    is_short = total_m < island_m
    is_short[[int(total_m.argmax()), *label[kept].tolist()]] = False
    cut_off = is_short[part] & usable
    lon, lat = ways.courses.middles()
    # One fault a part, at the middle of its longest way.
    which = np.flatnonzero(cut_off)
    which = which[np.lexsort((-length_m[which], part[which]))]
    which = which[np.unique(part[which], return_index=True)[1]]
    return cut_off, [
        Fault(
            FaultKind.ISLAND,
            float(lon[i]),
            float(lat[i]),
            f"{total_m[part[i]]:.0f} m of ways hang together here, and with no other",
            "If they ought to meet others, mend the map or open a way between; nothing is joined to them.",
        )
        for i in which.tolist()
    ]


def unreached(demand: Demand, hung: Hung, cut_off: Flags) -> list[Fault]:
    """Premises that no way reaches. cut_off: those that hang on ways from which no office can be reached."""
    faults = []
    for i in np.flatnonzero((hung.way < 0) | cut_off).tolist():
        name = f"{demand.labels[i]} ({demand.ids[i]})"
        away_m = float(hung.away_m[i])
        kind = FaultKind.UNREACHED
        if hung.way[i] >= 0:
            what = f"{name} lies on streets from which no central office can be reached"
            remedy = "Open a way between, or give a central office there."
        elif away_m > OUTSIDE_M:
            kind = FaultKind.OUTSIDE
            what = f"{name} lies outside the map: the nearest street is {away_m / 1000:.0f} km away"
            remedy = "Check its coordinates (longitude first), or give the streets there."
        else:
            what = f"{name} is reached by no street: the nearest that may be dug is {away_m:.0f} m away"
            remedy = "Allow a longer drop, open a street, or draw the one that leads there."
        if demand.is_critical[i]:
            kind, what = FaultKind.CRITICAL, f"{what}, and it is critical: two ways must lead there"
        faults.append(Fault(kind, float(demand.lon[i]), float(demand.lat[i]), what, remedy))
    return faults


def unreached_offices(offices: Sequence[Office], hung: Hung) -> list[Fault]:
    """Central offices that no way reaches."""
    return [
        Fault(
            FaultKind.UNREACHED_OFFICE,
            offices[i].lon,
            offices[i].lat,
            f"the central office {offices[i].label} ({offices[i].id}) is reached by no street: "
            f"the nearest that may be dug is {_away(float(hung.away_m[i]))} away",
            "Check its place (longitude first), or open a street there.",
        )
        for i in np.flatnonzero(hung.way < 0).tolist()
    ]


def _away(away_m: float) -> str:
    return f"{away_m:.0f} m" if away_m <= OUTSIDE_M else f"{away_m / 1000:,.0f} km"


def unconnected_plant(plant: Plant, joins: I8) -> list[Fault]:
    """Plant that hangs together, but at none of its ends with a street. joins: each node's street node, or -1."""
    pieces = plant.pieces
    label = components(len(pieces.lon), pieces.a, pieces.b)
    joined = np.zeros(len(pieces.lon), dtype=np.bool_)
    joined[label[joins >= 0]] = True
    lost = np.flatnonzero(~joined[label[pieces.a]])
    lost = lost[np.unique(label[pieces.a[lost]], return_index=True)[1]]
    lon, lat = pieces.courses.middles()
    return [
        Fault(
            FaultKind.UNCONNECTED_PLANT,
            float(lon[i]),
            float(lat[i]),
            f"the plant {plant.ways.sources[int(pieces.of[i])][0]} ends nowhere near a street that may be dug",
            "Move it to where it lies, or allow a longer link.",
        )
        for i in lost.tolist()
    ]


def without_office(part: NDArray[np.int32], premises: I8, offices: I8) -> Flags:
    """For each premises' node (-1: none) whether no office is in its part of the graph; never where there is none."""
    offices = offices[offices >= 0]
    if not len(offices):
        return np.zeros(len(premises), dtype=np.bool_)
    cut_off: Flags = (premises >= 0) & ~np.isin(part[premises], part[offices])
    return cut_off
