"""What of a network is not used as plant, or on an assumption, as faults of the ground: how many spans, why, where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import shapely
from shapely import LineString, Point

from broadstreet.model.geometry import Box
from broadstreet.network.ground import Fault, FaultKind
from broadstreet.network.ofds.course import distance_m
from broadstreet.network.ofds.lines import NOT_GIVEN, Unused, Usable
from broadstreet.network.ofds.plant import Stretch

_REMEDIES: Final = {
    Unused.STRAIGHT: "Draw their routes in the file: nobody digs by a straight line between two nodes.",
    Unused.NO_CARRIER: "Say in the file what carries them (supportingInfrastructure.type) or that dark fibre is to be "
    "had, or name the network with carrier = 'duct'.",
    Unused.NO_ROOM: "If more cables fit, say so in the file (supportingInfrastructure.spareCapacity).",
}
_WORDS: Final = {
    Unused.STRAIGHT: "no route",
    Unused.NO_CARRIER: "neither a duct nor poles that are named, and no dark fibre",
    Unused.NO_ROOM: "ducts or poles that are full, or of which no room is said",
}


def unused_faults(usable: Usable, file: str, streets: Box) -> list[Fault]:
    """A fault for each reason for which spans are not used, at one of them, and one for what is used on an assumption.
    file: whose the network is."""
    left = usable.left
    faults = list(_elsewhere(left[Unused.OUTSIDE], usable.spans, file, streets))
    for stretches in _by_status(left[Unused.NOT_BUILT]):
        status = stretches[0].status or NOT_GIVEN
        known = f"are {status}, and so not built" if status != NOT_GIVEN else "have no status that says they are built"
        remedy = f"If they stand, say so in the file, or name the network with built = ['{status}']."
        faults.append(_fault(stretches, f"{_counted(stretches, usable.spans, file)} {known}: not used", remedy))
    if left[Unused.THROUGH]:
        what = f"{_counted(left[Unused.THROUGH], usable.spans, file)} pass here and begin and end elsewhere: not used"
        remedy = "Give the place where one gets at them as a node that is a cableWell or cabinet."
        faults.append(_fault(left[Unused.THROUGH], what, remedy))
    for reason, remedy in _REMEDIES.items():
        if left[reason]:
            what = f"{_counted(left[reason], usable.spans, file)} have {_WORDS[reason]}: not used"
            faults.append(_fault(left[reason], what, remedy))
    if usable.assumed:
        what = f"{_counted(usable.assumed, usable.spans, file)} say nothing of room in their ducts or on their poles"
        remedy = "If they are full, say so in the file (spareCapacity), or name the network with room = false."
        faults.append(_fault(usable.assumed, f"{what}: used as if there were", remedy, FaultKind.ASSUMED_PLANT))
    return faults


def _elsewhere(stretches: Sequence[Stretch], spans: int, file: str, streets: Box) -> Iterator[Fault]:
    """Where the nearest of the spans that lie elsewhere is, and how far away."""
    if not stretches:
        return
    box = shapely.box(streets.west, streets.south, streets.east, streets.north)
    lines = [LineString(stretch.points) for stretch in stretches]
    nearest = min(lines, key=box.distance)
    here, there = (Point(at) for at in shapely.get_coordinates(shapely.shortest_line(box, nearest)))
    away_m = distance_m((here.x, here.y), (there.x, there.y))
    away = f"{away_m:,.0f} m" if away_m < 10_000 else f"{away_m / 1000:,.0f} km"
    which = "it is" if len(stretches) == 1 else "the nearest is"
    yield Fault(
        FaultKind.OUTSIDE,
        float(there.x),
        float(there.y),
        f"{_counted(stretches, spans, file)} lie outside the streets, {which} {away} away: not used",
        "Give the network of this city, or draw the area where it lies. Longitude comes first.",
    )


def _by_status(stretches: Iterable[Stretch]) -> list[list[Stretch]]:
    found: defaultdict[str, list[Stretch]] = defaultdict(list)
    for stretch in stretches:
        found[stretch.status or NOT_GIVEN].append(stretch)
    return [found[status] for status in sorted(found)]


def _counted(stretches: Sequence[Stretch], spans: int, file: str) -> str:
    length_km = sum(stretch.length_m for stretch in stretches) / 1000
    return f"{len(stretches):,} of {spans:,} spans of {file} ({length_km:,.1f} km)"


def _fault(stretches: Sequence[Stretch], what: str, remedy: str, kind: FaultKind = FaultKind.UNUSED_PLANT) -> Fault:
    points = stretches[0].points
    lon, lat = points[len(points) // 2]
    return Fault(kind, lon, lat, what, remedy)
