"""Who is to be covered, and by which place: people or customers at premises, or metres of street, in whole numbers.

A premises is where it is; on foot it is reached over its drop. A street is cut into pieces of equal length, none longer
than `piece_m`; a piece is where its middle is, and counts in whole metres: those that are full at its end and were not
at its beginning, so that a way's pieces sum to its length.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from broadstreet.network.ground.courses import F8, I8, Plane, distances_m
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.splitting import Ruler
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.siting.case import Audience, SitingCase
from broadstreet.network.siting.hanging import hang, walkable
from broadstreet.network.siting.place import Place, columns
from broadstreet.network.siting.walking import Doors, Walks


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Who is to be covered: where, reached how, and for how much each counts."""

    lon: F8
    lat: F8
    weight: I8
    doors: Doors


def targets_of(case: SitingCase) -> Targets:
    """Everyone of the case's audience who counts."""
    if case.audience is Audience.STREETS:
        return _pieces(case.ground, case.piece_m)
    premises = case.ground.premises
    demand = premises.demand
    if case.audience is Audience.PEOPLE:
        weight = np.rint(demand.households * case.persons_per_household).astype(np.int64)
    else:
        weight = demand.fibres.astype(np.int64)
    kept = np.flatnonzero(weight > 0)
    node, drop_m = premises.node[kept].astype(np.int64), premises.drop_m[kept]
    nowhere = np.full(len(kept), -1, dtype=np.int64)
    doors = Doors(node, drop_m, node, drop_m, nowhere, np.zeros(len(kept)))
    return Targets(demand.lon[kept], demand.lat[kept], weight[kept], doors)


def _pieces(ground: Ground, piece_m: float) -> Targets:
    ways = ground.ways
    rows = np.flatnonzero(walkable(ground) & (ways.kind == WayKind.STREET))
    pieces = np.maximum(1, np.ceil(ways.length_m[rows] / piece_m)).astype(np.int64)
    line = np.repeat(np.arange(len(rows)), pieces)
    number = np.arange(len(line)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = (number + 0.5) / pieces[line]
    way = rows[line]
    length = ways.length_m[way]
    until, since = (np.rint(length * (number + at) / pieces[line]) for at in (1, 0))
    weight = (until - since).astype(np.int64)
    ruler = Ruler(ways.courses.take(rows), Plane.about(ground.lon, ground.lat))
    spots = ruler.spots(line, share * ruler.length_m[line])
    kept = np.flatnonzero(weight > 0)
    way, share, length = way[kept], share[kept], length[kept]
    a, b = ways.a[way].astype(np.int64), ways.b[way].astype(np.int64)
    doors = Doors(a, share * length, b, (1 - share) * length, way.astype(np.int64), share * length)
    return Targets(spots.lon[kept], spots.lat[kept], weight[kept], doors)


def covered_by(case: SitingCase, targets: Targets, places: tuple[Place, ...]) -> list[I8]:
    """For each place the rows of the targets that it covers."""
    if not places:
        return []
    if case.is_on_foot:
        hung = hang(case.ground, places, walkable(case.ground))
        return Walks(case.ground).within(hung, targets.doors, case.radius_m)
    plane = Plane.about(case.ground.lon, case.ground.lat)
    tree = shapely.STRtree(plane.dots(targets.lon, targets.lat))
    lon, lat = columns(places)
    # The plane is right to a few in a thousand; who is near enough is decided on the ellipsoid.
    place, target = tree.query(plane.dots(lon, lat), predicate="dwithin", distance=case.radius_m * 1.01 + 1.0)
    near = distances_m(lon[place], lat[place], targets.lon[target], targets.lat[target]) <= case.radius_m
    order = np.lexsort((target[near], place[near]))
    place, target = place[near][order], target[near][order].astype(np.int64)
    return np.split(target, np.cumsum(np.bincount(place, minlength=len(places)))[:-1])
