"""Who there is to cover, and how far each is from places: from the definitions, target by target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from broadstreet.network.ground import Ground, WayKind
from broadstreet.network.ground.courses import GEOD, I8, Plane
from broadstreet.network.siting.case import Audience, SitingCase
from broadstreet.network.siting.place import ON_FOOT, Place
from broadstreet.network.siting.proof.streets import SAME_M, Seen, feet, walked

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """surely, maybe: for each target (row) whether each place (column) covers it, with a grain less and a grain
    more."""

    surely: Flags
    maybe: Flags


def seen_by(case: SitingCase) -> Seen:
    """Everyone of the case's audience who counts."""
    rows = list(_pieces(case)) if case.audience is Audience.STREETS else list(_premises(case))
    rows = [row for row in rows if row[2] > 0]
    lon, lat, weight, a, to_a_m, b, to_b_m, way = zip(*rows, strict=True) if rows else ((),) * 8
    whole = [np.array(column, dtype=np.int64) for column in (weight, a, b, way)]
    metres = [np.array(column, dtype=np.float64) for column in (lon, lat, to_a_m, to_b_m)]
    return Seen(metres[0], metres[1], whole[0], whole[1], metres[2], whole[2], metres[3], whole[3])


Row = tuple[float, float, int, int, float, int, float, int]


def _premises(case: SitingCase) -> list[Row]:
    premises = case.ground.premises
    demand = premises.demand
    found = []
    for row in range(len(premises)):
        people = round(float(demand.households[row]) * case.persons_per_household)
        weight = people if case.audience is Audience.PEOPLE else int(demand.fibres[row])
        node, drop_m = int(premises.node[row]), float(premises.drop_m[row])
        found.append((float(demand.lon[row]), float(demand.lat[row]), weight, node, drop_m, node, drop_m, -1))
    return found


def _pieces(case: SitingCase) -> list[Row]:
    ways, courses = case.ground.ways, case.ground.ways.courses
    plane = Plane.about(case.ground.lon, case.ground.lat)
    found = []
    for way in np.flatnonzero(walkable(case.ground) & (ways.kind == WayKind.STREET)).tolist():
        length_m = float(ways.length_m[way])
        count = max(1, math.ceil(length_m / case.piece_m))
        part = slice(int(courses.starts[way]), int(courses.starts[way + 1]))
        lon, lat = courses.lon[part], courses.lat[part]
        until = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(plane.points(lon, lat), axis=0).T))))
        for number in range(count):
            share = (number + 0.5) / count
            at = share * float(until[-1])
            place = float(np.interp(at, until, lon)), float(np.interp(at, until, lat))
            ends = int(ways.a[way]), share * length_m, int(ways.b[way]), (1 - share) * length_m
            found.append(
                (*place, round(length_m * (number + 1) / count) - round(length_m * number / count), *ends, way)
            )
    return found


def walkable(ground: Ground) -> Flags:
    """Streets, paths and crossings both of whose ends are ends of ways that may be dug, too."""
    ways = ground.ways
    ends = set(ways.a[ways.usable].tolist()) | set(ways.b[ways.usable].tolist())
    both = [a in ends and b in ends for a, b in zip(ways.a.tolist(), ways.b.tolist(), strict=True)]
    return np.asarray(np.isin(ways.kind, ON_FOOT) & np.array(both, dtype=np.bool_))


def coverage_of(case: SitingCase, seen: Seen, places: Sequence[Place]) -> Coverage:
    """Whom each of the places covers."""
    nobody = np.zeros((len(seen.weight), len(places)), dtype=np.bool_)
    surely, maybe = nobody, nobody.copy()
    if not case.is_on_foot:
        for column, place in enumerate(places):
            lon, lat = np.full_like(seen.lon, place.lon), np.full_like(seen.lat, place.lat)
            metres = np.asarray(GEOD.inv(seen.lon, seen.lat, lon, lat)[2])
            surely[:, column], maybe[:, column] = metres <= case.radius_m - SAME_M, metres <= case.radius_m + SAME_M
        return Coverage(surely, maybe)
    on_foot = walkable(case.ground)
    standing = [(column, foot) for column, all_ in enumerate(feet(case.ground, places, on_foot)) for foot in all_]
    surely[:, sorted({column for column, _ in standing})] = True
    at = 0
    for metres in walked(case.ground, on_foot, [foot for _, foot in standing], seen, case.radius_m):
        for number in range(metres.shape[1]):
            column = standing[at + number][0]
            surely[:, column] &= metres[:, number] <= case.radius_m - SAME_M
            maybe[:, column] |= metres[:, number] <= case.radius_m + SAME_M
        at += metres.shape[1]
    return Coverage(surely, maybe)


def weigh(weight: I8, covered: Flags) -> int:
    return int(weight[covered].sum())
