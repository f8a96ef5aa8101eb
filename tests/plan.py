"""Trees to plan on, and a reader of designs that shares nothing with the planner: light is followed from the ports."""

from __future__ import annotations

from collections import defaultdict, deque
from heapq import heappop, heappush

import numpy as np

from broadstreet.network.design import Design, End, Fibre, Joint, Leg, Port, Side, Socket
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.plan import way_cents


def shortest_ways(ground: Ground, office: int = 0) -> list[int]:
    """A tree that holds the office and everyone on its part: the union of shortest ways to each."""
    weights = way_cents(ground).tolist()
    beside: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for way in np.flatnonzero(ground.ways.usable & (ground.ways.kind != WayKind.FIBRE)).tolist():
        a, b = int(ground.ways.a[way]), int(ground.ways.b[way])
        beside[a].append((b, way))
        beside[b].append((a, way))
    root = int(ground.offices.node[office])
    up: dict[int, tuple[int, int]] = {}
    waiting = [(0, root, root, -1)]
    while waiting:
        cents, node, above, by = heappop(waiting)
        if node not in up:
            up[node] = above, by
            for other, way in beside[node]:
                heappush(waiting, (cents + weights[way], other, node, way))
    opened = set[int]()
    for node in {int(node) for node in ground.premises.node}:
        here = node
        while here != root:
            here, way = up[here]
            opened.add(way)
    return sorted(opened)


def lit(design: Design) -> dict[Socket, list[list[Joint]]]:
    """For each socket every path of joints that leads to it from a port, found from the ports on."""
    joints: dict[End, Joint] = {}
    for joint in design.joints:
        for end in (joint.a, joint.b):
            assert end not in joints, "an end is in two joints"
            joints[end] = joint
    sites = {cable.id: cable.sites for cable in design.cables}
    ratio = {splitter.id: splitter.ratio for splitter in design.splitters}
    found: dict[Socket, list[list[Joint]]] = defaultdict(list)
    waiting: deque[tuple[End, list[Joint]]] = deque((end, []) for end in joints if isinstance(end, Port))
    while waiting:
        end, before = waiting.popleft()
        if end not in joints:
            continue
        joint = joints[end]
        path = [*before, joint]
        other = joint.b if joint.a == end else joint.a
        if isinstance(other, Socket):
            found[other].append(path)
        elif isinstance(other, Leg):
            assert other.leg == 0, "light comes into a splitter from behind"
            waiting.extend((Leg(other.splitter, leg), path) for leg in range(1, ratio[other.splitter] + 1))
        else:
            assert isinstance(other, Fibre) and other.side is Side.DOWN, "light leads back"
            begin = sites[other.cable].index(other.site)
            for site in sites[other.cable][begin + 1 :]:
                arrival = Fibre(other.cable, other.fibre, site, Side.UP)
                if arrival in joints:
                    waiting.append((arrival, path))
                    break
    return found


def nearest_m(ground: Ground, offices: list[int]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """How far each premises is from the nearest of these offices, its drop and the office's lead in it."""
    far: dict[int, float] = {}
    beside: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for way in np.flatnonzero(ground.ways.usable).tolist():
        a, b, length_m = int(ground.ways.a[way]), int(ground.ways.b[way]), float(ground.ways.length_m[way])
        beside[a].append((b, length_m))
        beside[b].append((a, length_m))
    waiting = sorted((float(ground.offices.lead_m[row]), int(ground.offices.node[row])) for row in offices)
    while waiting:
        metres, node = heappop(waiting)
        if node not in far:
            far[node] = metres
            for other, length_m in beside[node]:
                heappush(waiting, (metres + length_m, other))
    nodes, drops = ground.premises.node.tolist(), ground.premises.drop_m.tolist()
    return np.array([far.get(node, np.inf) + drop_m for node, drop_m in zip(nodes, drops, strict=True)])
