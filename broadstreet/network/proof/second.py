"""Whether a second way is one: it shares no way and no trench with the first, and no critical premises goes without.

Two ways are one trench where they lie half a metre or less from each other over more than half of the shorter. Between
streets that cannot be: what is drawn twice is one way of the ground. A duct that lies there can run in a street's own
trench, and two ducts in one.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.design import SiteKind
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind
from broadstreet.network.proof.light import Path, needed_sockets

TRENCH_M: Final = 0.5
"""How far from each other two ways lie in one trench."""
_METRES_PER_DEGREE: Final = 111_320.0

_Edges = dict[int, list[tuple[int, int]]]


def check_second(case: Case, paths: list[Path]) -> None:
    of: defaultdict[int, list[Path]] = defaultdict(list)
    for path in paths:
        of[path.premises].append(path)
    for premises in sorted(case.second):
        needed = needed_sockets(case, premises) if premises in of else 0
        firsts = [path for path in of[premises] if path.socket <= needed]
        for second in (path for path in of[premises] if path.socket > needed):
            for first in firsts:
                _check_apart(case, first, second)
    _check_critical(case)


def _check_apart(case: Case, first: Path, second: Path) -> None:
    where = f"{case.name(first.premises)}, sockets {first.socket} and {second.socket}"
    for row in sorted(first.ways() & second.ways()):
        in_duct = _ducts(first, row) & _ducts(second, row) - {""}
        true = f"way {row} is shared" + (f", and duct {min(in_duct)} in it" if in_duct else "")
        case.report(Kind.WAYS_SHARED, where, "no way in common", true, way=row)
    for row, other in _in_one_trench(case, first.ways(), second.ways()):
        case.report(Kind.TRENCH_SHARED, where, "no trench in common", f"ways {row} and {other} lie in one", way=row)


def _ducts(path: Path, row: int) -> set[str]:
    return {
        duct
        for cable, _, stretch in path.stretches
        for way, duct in zip(cable.ways[stretch], cable.ducts[stretch], strict=True)
        if way == row
    }


def _in_one_trench(case: Case, rows: set[int], others: set[int]) -> list[tuple[int, int]]:
    """Pairs of different ways, one of each set and one of them plant, that lie in one trench."""
    found = []
    ways, against = (sorted(case.known_ways(part), key=lambda way: way.row) for part in (rows, others))
    if not any(way.is_plant for way in (*ways, *against)):
        return []
    lines = {way.row: _line_m(case, way.row) for way in (*ways, *against)}
    for way in ways:
        for other in against:
            if way.row == other.row or not (way.is_plant or other.is_plant):
                continue
            shorter, longer = sorted((lines[way.row], lines[other.row]), key=lambda line: float(line.length))
            if shapely.dwithin(shorter, longer, TRENCH_M):
                beside = shapely.intersection(shorter, shapely.buffer(longer, TRENCH_M, cap_style="flat"))
                if beside.length > shorter.length / 2:
                    found.append((way.row, other.row))
    return found


def _line_m(case: Case, row: int) -> Any:
    """A way's course in metres, near enough for half a metre: a degree of longitude is shorter by the latitude."""
    courses = case.ground.ways.courses
    begin, end = courses.starts[row], courses.starts[row + 1]
    lat = courses.lat[begin:end]
    east = courses.lon[begin:end] * _METRES_PER_DEGREE * math.cos(math.radians(float(case.ground.lat.mean())))
    points: NDArray[np.float64] = np.column_stack((east, lat * _METRES_PER_DEGREE))
    return shapely.linestrings(points)


def _check_critical(case: Case) -> None:
    """Every critical premises that is served has a second way, unless its streets have none."""
    critical = case.ground.premises.demand.is_critical
    rows = {row for row in case.design.served if 0 <= row < len(critical) and critical[row]} - case.second
    if not rows:
        return
    table = case.ground.ways
    edges: _Edges = defaultdict(list)
    dug = table.usable & ~np.isin(table.kind, [int(kind) for kind in PLANT])
    for row in np.flatnonzero(dug).tolist():
        a, b = int(table.a[row]), int(table.b[row])
        edges[a].append((row, b))
        edges[b].append((row, a))
    offices = {site.node for site in case.sites_of(SiteKind.OFFICE)}
    for premises in sorted(rows):
        node = case.premises_node[premises]
        if _has_two_ways(edges, node, offices):
            claimed, true = "one way is all there is", "the streets have two that share no way"
            case.report(Kind.SECOND_MISSING, case.name(premises), claimed, true, node=node)


def _has_two_ways(edges: _Edges, start: int, ends: set[int]) -> bool:
    """Whether two walks from a node to these share no edge: a second is sought that may undo steps of the first."""
    first = _walk(edges, start, ends, {})
    return first is not None and _walk(edges, start, ends, first) is not None


def _walk(edges: _Edges, start: int, ends: set[int], taken: dict[int, int]) -> dict[int, int] | None:
    """A walk from a node to one of these, as the node that each of its edges was entered from. taken: edges of another
    walk, which may only be walked against its direction."""
    came: dict[int, tuple[int, int] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        if node in ends:
            walk = {}
            while (step := came[node]) is not None:
                edge, node = step
                walk[edge] = node
            return walk
        for edge, other in edges[node]:
            if other not in came and taken.get(edge) != node:
                came[other] = edge, node
                waiting.append(other)
    return None
