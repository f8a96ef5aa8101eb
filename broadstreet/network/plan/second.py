"""Second ways: who can have one by the streets, and which ways lie in one trench, so that no two ways should use both.

A second way shares no way with the first. Where the streets have none, each way to a premises comes through one that
nothing leads round: that place is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from shapely import LineString

from broadstreet.network.ground.courses import Plane
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind
from broadstreet.network.ground.ground import NO_STREET, Ground
from broadstreet.network.ground.streets import PLANT_KINDS
from broadstreet.optimiser import Graph, sole_edges

TRENCH_M: Final = 0.5
"""How near to each other ways lie in one trench, along more than half of the shorter."""


@dataclass(frozen=True, slots=True)
class Second:
    """Rows of premises that have a second way, and the ways it is led along: trees from the offices."""

    rows: Sequence[int]
    ways: Sequence[int]


NO_SECOND: Final = Second((), ())


def second_rows(ground: Ground, offices: Sequence[int], rows: Sequence[int], asked: Sequence[int] | None) -> list[int]:
    """Who gets a second way of those who are served: those asked for, or (None) each that is critical and can have one.

    Raises BadGround where one that is asked for is not served, or the streets have no second way to it.
    """
    served = set(rows)
    wanted = sorted(set(np.flatnonzero(ground.premises.demand.is_critical).tolist()) & served)
    if asked is not None:
        wanted = sorted(set(asked))
    lone = lone_premises(ground, offices, wanted)
    if asked is None:
        return [row for row in wanted if row not in lone]
    faults = [lone[row] for row in wanted if row in lone]
    not_served = "is to have a second way and is not served"
    faults += [_fault(ground, row, not_served, "Serve it.") for row in wanted if row not in served]
    if faults:
        raise BadGround(faults, where="second")
    return wanted


def lone_premises(ground: Ground, offices: Sequence[int], rows: Sequence[int]) -> dict[int, Fault]:
    """Those of these premises that streets lead to by no two ways without a common one, each with what is in the way:
    the last place on the way there that nothing leads round."""
    if not rows:
        return {}
    table = ground.ways
    dug = np.flatnonzero(table.usable & ~np.isin(table.kind, PLANT_KINDS))
    front, roots = len(ground.lon), ground.offices.node[list(offices)].astype(np.int64)
    # Two edges lead to each office: an office itself is in nobody's way.
    left = np.concatenate((table.a[dug], roots, roots)).astype(np.int64)
    right = np.concatenate((table.b[dug], np.full(2 * len(roots), front))).astype(np.int64)
    sole = sole_edges(Graph.of(front + 1, left, right, np.zeros(len(left), np.int64)), front)
    found = {}
    for row in rows:
        edge = int(sole[ground.premises.node[row]])
        if edge == -1:
            found[row] = _fault(ground, row, "is reached by no street", "Give it a way that may be dug.")
        elif edge >= 0:
            way = int(dug[edge])
            name = ground.streets[table.street[way]] if table.street[way] != NO_STREET else "a way without a name"
            begin = int(table.courses.starts[way])
            place = f"lon {table.courses.lon[begin]:.6f}, lat {table.courses.lat[begin]:.6f}"
            what = f"has one way alone: every way there leads along {name} at {place} (way {way})"
            found[row] = _fault(ground, row, what, "Open a way round that place, or leave it at one way.")
    return found


def _fault(ground: Ground, row: int, what: str, remedy: str) -> Fault:
    demand = ground.premises.demand
    label = demand.labels[row] or demand.ids[row]
    return Fault(FaultKind.ONE_WAY, float(demand.lon[row]), float(demand.lat[row]), f"{label} {what}", remedy)


def common_trenches(ground: Ground, ways: Iterable[tuple[Iterable[int], Iterable[int]]]) -> list[int]:
    """Ways of plant in which a first way lies in the trench of a way of its second, or the other way about. ways: of
    each who has both, those of the first and of the second."""
    is_plant = np.isin(ground.ways.kind, PLANT_KINDS)
    plane = Plane.about(ground.lon, ground.lat)
    courses = ground.ways.courses
    lines: dict[int, LineString] = {}
    same: dict[tuple[int, int], bool] = {}

    def line(way: int) -> LineString:
        if way not in lines:
            begin, end = int(courses.starts[way]), int(courses.starts[way + 1])
            lines[way] = LineString(plane.points(courses.lon[begin:end], courses.lat[begin:end]))
        return lines[way]

    def is_one(pair: tuple[int, int]) -> bool:
        if pair not in same:
            shorter, longer = sorted((line(pair[0]), line(pair[1])), key=lambda course: course.length)
            beside = shorter.intersection(longer.buffer(TRENCH_M, cap_style="flat"))
            same[pair] = bool(beside.length > shorter.length / 2)
        return same[pair]

    crossed = set[int]()
    for first, second in ways:
        for one in first:
            for other in second:
                if is_plant[one] or is_plant[other]:
                    pair = (min(one, other), max(one, other))
                    if is_one(pair):
                        crossed.update(way for way in pair if is_plant[way])
    return sorted(crossed)
