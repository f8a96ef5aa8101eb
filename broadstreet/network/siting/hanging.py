"""Where places hang on ways; and candidates spread along the streets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, I8, Plane, distances_m
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.splitting import Ruler
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.siting.place import LEAD_M, ON_FOOT, Place, columns


@dataclass(frozen=True, slots=True, eq=False)
class Hung:
    """For each place the nearest way (-1: none within LEAD_M), which share of it lies before the place, how far away
    the place is from it, on the ellipsoid."""

    way: I8
    share: F8
    lead_m: F8


def walkable(ground: Ground) -> NDArray[np.bool_]:
    """Which ways one walks along: streets, paths and crossings between places where something may be dug, whether they
    may be themselves or not. So a street that a rule closes is one, and a road tunnel is none."""
    ways = ground.ways
    is_ground = (ground.part[ways.a] >= 0) & (ground.part[ways.b] >= 0)
    return np.isin(ways.kind, ON_FOOT) & is_ground


def hang(ground: Ground, places: Sequence[Place], usable: NDArray[np.bool_]) -> Hung:
    """On which of the usable ways each place hangs: the nearest."""
    count = len(places)
    hung = Hung(np.full(count, -1, dtype=np.int64), np.zeros(count), np.full(count, np.inf))
    chosen = np.flatnonzero(usable)
    if not count or not len(chosen):
        return hung
    lon, lat = columns(places)
    plane = Plane.about(ground.lon, ground.lat)
    ruler = Ruler(ground.ways.courses.take(chosen), plane)
    points = plane.dots(lon, lat)
    at = shapely.STRtree(ruler.lines).nearest(points)
    spots = ruler.locate(at, points)
    lead_m = distances_m(lon, lat, spots.lon, spots.lat)
    near = lead_m <= LEAD_M
    length = ruler.length_m[at]
    share = np.divide(spots.along_m, length, out=np.zeros(count), where=length > 0)
    hung.way[near], hung.share[near], hung.lead_m[near] = chosen[at][near], share[near], lead_m[near]
    return hung


def spread(ground: Ground, count: int, kind: str = "lamp_post") -> tuple[Place, ...]:
    """Candidates at equal steps along all streets, as lamp posts stand: so many in all."""
    rows = np.flatnonzero(walkable(ground) & (ground.ways.kind == WayKind.STREET))
    if not len(rows) or count < 1:
        return ()
    ruler = Ruler(ground.ways.courses.take(rows), Plane.about(ground.lon, ground.lat))
    until = np.cumsum(ruler.length_m)
    at = (np.arange(count) + 0.5) * until[-1] / count
    line = np.minimum(np.searchsorted(until, at, side="right"), len(rows) - 1)
    spots = ruler.spots(line, np.clip(at - (until[line] - ruler.length_m[line]), 0.0, ruler.length_m[line]))
    width = len(str(count))
    streets = (*ground.streets, "")
    return tuple(
        Place(id=f"place-{i + 1:0{width}}", lon=lon, lat=lat, label=streets[street], kind=kind)
        for i, (lon, lat, street) in enumerate(
            zip(spots.lon.tolist(), spots.lat.tolist(), ground.ways.street[rows[line]].tolist(), strict=True)
        )
    )
