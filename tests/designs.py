"""Designs made by hand, for tests of what reads them: piece by piece, with a bill and claims that are counted here.

It shares no code with what checks or plans: a bill is counted while pieces are made, from the ground's own columns.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import prod

import msgspec

from broadstreet.network.design import (
    Cable,
    Design,
    Duct,
    End,
    Fibre,
    Joint,
    Leg,
    Path,
    Port,
    Role,
    Side,
    Site,
    SiteKind,
    Socket,
    Splitter,
    Statement,
    Term,
    What,
)
from broadstreet.network.ground import (
    Architecture,
    Ground,
    Optics,
    WayKind,
    default_architecture,
    default_optics,
)
from tests.bills import bill_of

DUCT = "1 x 40"
"""Of the default catalogue: one cable, of any size."""
PLANT = frozenset({WayKind.DUCT, WayKind.TRENCH, WayKind.FIBRE, WayKind.POLE_LINE})


@dataclass
class Drawn:
    """A design while it is drawn. `phase_of`: the phase of ways that are not built in the first."""

    ground: Ground
    architecture: Architecture = field(default_factory=default_architecture)
    optics: Optics = field(default_factory=default_optics)
    phase_of: dict[int, int] = field(default_factory=dict)
    sites: list[Site] = field(default_factory=list)
    ducts: list[Duct] = field(default_factory=list)
    cables: list[Cable] = field(default_factory=list)
    splitters: list[Splitter] = field(default_factory=list)
    joints: list[Joint] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    lit: dict[object, int] = field(default_factory=dict)
    seconds: set[int] = field(default_factory=set)
    ports: int = 0

    def site(self, kind: SiteKind, node: int, size: int | None = None, row: int | None = None) -> Site:
        rows = {"office": row} if kind is SiteKind.OFFICE else {"premises": row}
        made = Site(f"{kind[:2]}{len(self.sites)}", kind, node, size, **rows)
        self.sites.append(made)
        return made

    def office(self, row: int = 0) -> Site:
        return self.site(SiteKind.OFFICE, int(self.ground.offices.node[row]), row=row)

    def premises(self, row: int) -> Site:
        return self.site(SiteKind.PREMISES, int(self.ground.premises.node[row]), row=row)

    def cable(self, role: Role, fibres: int, sites: Sequence[Site], ways: Sequence[Sequence[int]]) -> Cable:
        """A cable, with ducts of its own wherever it is dug in: one for each run of ways between plant."""
        kinds = self.ground.ways.kind
        named = []
        last = ""
        for row in (row for rows in ways for row in rows):
            if int(kinds[row]) in PLANT:
                last = ""
            elif last:
                self.ducts[-1] = msgspec.structs.replace(self.ducts[-1], ways=(*self.ducts[-1].ways, row))
            else:
                last = f"d{len(self.ducts)}"
                self.ducts.append(Duct(last, DUCT, (row,)))
            named.append(last)
        names = iter(named)
        made = Cable(
            f"c{len(self.cables)}",
            role,
            fibres,
            tuple(site.id for site in sites),
            tuple(tuple(rows) for rows in ways),
            tuple(tuple(next(names) for _ in rows) for rows in ways),
        )
        self.cables.append(made)
        return made

    def splitter(self, site: Site, stage: int = 0) -> Splitter:
        made = Splitter(f"s{len(self.splitters)}", site.id, self.architecture.splitters[stage], stage)
        self.splitters.append(made)
        return made

    def port(self, site: Site) -> Port:
        self.ports += 1
        return Port(site.id, self.ports)

    def join(self, site: Site, a: End, b: End, *, by_connector: bool) -> Joint:
        joint = Joint(site.id, a, b, by_connector)
        self.joints.append(joint)
        return joint

    def light(self, premises: int, socket: int, runs: Sequence[tuple[Cable, int]], things: Sequence[object]) -> None:
        """Claims a path. runs: cables, and how many of their stretches it passes; things: joints, splitters, sites."""
        rows = [row for cable, stretches in runs for ways in cable.ways[:stretches] for row in ways]
        ground, optics = self.ground, self.optics
        length_m = sum(float(ground.ways.length_m[row]) for row in rows)
        length_m += float(ground.offices.lead_m[0]) + float(ground.premises.drop_m[premises])
        joints = [thing for thing in things if isinstance(thing, Joint)]
        loss_db = length_m * optics.worst_db_per_km(self.architecture.optical_class) / 1000
        loss_db += sum(optics.connector.loss_db if joint.is_connector else optics.splice.loss_db for joint in joints)
        loss_db += sum(optics.splitter[thing.ratio].loss_db for thing in things if isinstance(thing, Splitter))
        self.paths.append(Path(premises, socket, length_m, loss_db))
        phase = max(self.phase_of_cable(cable) for cable, _ in runs)
        for thing in (*things, *(cable for cable, _ in runs), *(joint.site for joint in joints)):
            key = thing.id if isinstance(thing, Splitter | Cable) else thing
            self.lit[key] = min(phase, self.lit.get(key, phase))

    def phase_of_cable(self, cable: Cable) -> int:
        return max((self.phase_of.get(row, 1) for ways in cable.ways for row in ways), default=1)

    def statement(self) -> Statement:
        ground = self.ground
        opened = {row for cable in self.cables for ways in cable.ways for row in ways}
        opened |= {row for row in range(len(ground.ways)) if ground.ways.locked[row]}
        rows = tuple(sorted(opened))
        served = tuple(sorted({path.premises for path in self.paths}))
        design = Design(
            ground.digest,
            rows,
            served,
            tuple(sorted(self.seconds)),
            tuple(self.sites),
            tuple(self.ducts),
            tuple(self.cables),
            tuple(self.splitters),
            tuple(self.joints),
            tuple(self.phase_of.get(row, 1) for row in rows) if self.phase_of else (),
        )
        bill = bill_of(self, rows)
        dug = sum(item.cents for item in bill.items if item.what in (What.TRENCH, What.PERMIT, What.CROSSING))
        terms = (
            Term("opening", dug // 2, dug, "half of it", "which half"),
            Term("all else", 0, bill.cents - dug, "nothing is proved", "all of it"),
        )
        return Statement(design, bill, terms, tuple(self.paths), self.architecture.optical_class)


def shortest(
    ground: Ground, start: int, avoid: Iterable[int] = (), only: Iterable[int] | None = None
) -> dict[int, int]:
    """For each node that can be reached the way by which a shortest way from here comes to it."""
    ways = ground.ways
    allowed = set(range(len(ways)) if only is None else only) - set(avoid)
    edges: defaultdict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for row in sorted(allowed):
        if ways.usable[row]:
            a, b, length_m = int(ways.a[row]), int(ways.b[row]), float(ways.length_m[row])
            edges[a].append((length_m, row, b))
            edges[b].append((length_m, row, a))
    came: dict[int, int] = {}
    waiting = [(0.0, start, -1)]
    while waiting:
        far, node, by = heapq.heappop(waiting)
        if node not in came:
            came[node] = by
            for length_m, row, other in edges[node]:
                if other not in came:
                    heapq.heappush(waiting, (far + length_m, other, row))
    return came


def route(ground: Ground, start: int, end: int, avoid: Iterable[int] = ()) -> list[int]:
    """A shortest way from one node to another."""
    return walk_back(ground, shortest(ground, start, avoid), end)


def walk_back(ground: Ground, came: dict[int, int], end: int) -> list[int]:
    rows = []
    node = end
    while came[node] >= 0:
        rows.append(came[node])
        a, b = int(ground.ways.a[came[node]]), int(ground.ways.b[came[node]])
        node = b if node == a else a
    return rows[::-1]


def at_least(sizes: Iterable[int], wanted: float) -> int:
    return min(size for size in sizes if size >= wanted - 1e-9)


def nodes_along(ground: Ground, start: int, rows: Iterable[int]) -> list[int]:
    nodes = [start]
    for row in rows:
        a, b = int(ground.ways.a[row]), int(ground.ways.b[row])
        nodes.append(b if nodes[-1] == a else a)
    return nodes


class Hanging:
    """One cabinet with its feeder, and premises that hang on it by cables through closures."""

    def __init__(self, drawn: Drawn, office: Site, at: int, premises: Sequence[int], feeder: Sequence[int]) -> None:
        self.drawn, self.office = drawn, office
        catalogue, architecture = drawn.ground.catalogue, drawn.architecture
        fibres = sum(self.sockets(row) for row in premises)
        used = -(-fibres // architecture.split)
        splitters = sum(used * prod(architecture.splitters[:stage]) for stage in range(len(architecture.splitters)))
        roomy = [size for size, cabinet in catalogue.cabinet.items() if cabinet.splitters >= splitters]
        self.cabinet = drawn.site(SiteKind.CABINET, at, at_least(roomy, fibres * (1 + architecture.spare_cabinet)))
        size = at_least(catalogue.cable, used * (1 + architecture.spare_feeder))
        self.feeder = drawn.cable(Role.FEEDER, size, (office, self.cabinet), (feeder,))
        self.legs: list[tuple[End, list[object]]] = []
        self.used = 0

    def sockets(self, row: int) -> int:
        return int(self.drawn.ground.premises.demand.fibres[row]) * self.drawn.architecture.fibres_per_premises

    def leg(self) -> tuple[End, list[object]]:
        """A free end in the cabinet, and what light has passed to it."""
        if not self.legs:
            self.used += 1
            self.legs = self._lit()
        return self.legs.pop(0)

    def _lit(self) -> list[tuple[End, list[object]]]:
        drawn, cabinet, feeder, number = self.drawn, self.cabinet, self.feeder, self.used
        down = Fibre(feeder.id, number, self.office.id, Side.DOWN)
        first = drawn.join(self.office, drawn.port(self.office), down, by_connector=True)
        ends: list[tuple[End, list[object]]] = [(Fibre(feeder.id, number, cabinet.id, Side.UP), [first])]
        for stage, ratio in enumerate(drawn.architecture.splitters):
            further: list[tuple[End, list[object]]] = []
            for end, passed in ends:
                splitter = drawn.splitter(cabinet, stage)
                joint = drawn.join(cabinet, end, Leg(splitter.id, 0), by_connector=stage == 0)
                further += [(Leg(splitter.id, leg), [*passed, joint, splitter]) for leg in range(1, ratio + 1)]
            ends = further
        return ends

    def hang(self, stops: Sequence[tuple[int, Sequence[int]]], rows: Sequence[int], first_socket: int = 1) -> None:
        """A cable along these ways with a closure at each stop: a node and the premises that are dropped there."""
        drawn, ground, catalogue = self.drawn, self.drawn.ground, self.drawn.ground.catalogue
        nodes = nodes_along(ground, self.cabinet.node, rows)
        needs = [sum(self.sockets(row) for row in premises) for _, premises in stops]
        closures = [
            drawn.site(SiteKind.CLOSURE, node, at_least(catalogue.closure, need))
            for (node, _), need in zip(stops, needs, strict=True)
        ]
        cuts = [0, *(nodes.index(node) for node, _ in stops)]
        stretches = [rows[begin:end] for begin, end in pairwise(cuts)]
        size = at_least(catalogue.cable, sum(needs) * (1 + drawn.architecture.spare_distribution))
        cable = drawn.cable(Role.DISTRIBUTION, size, (self.cabinet, *closures), stretches)
        fibre = 0
        for stop, ((_, premises), closure) in enumerate(zip(stops, closures, strict=True)):
            for row in premises:
                fibre = self._drop(cable, stop + 1, closure, row, fibre, first_socket)

    def _drop(self, cable: Cable, stretches: int, closure: Site, row: int, fibre: int, first_socket: int) -> int:
        drawn = self.drawn
        known = [site for site in drawn.sites if site.kind is SiteKind.PREMISES and site.premises == row]
        site = known[0] if known else drawn.premises(row)
        count = self.sockets(row)
        drop = drawn.cable(Role.DROP, at_least(drawn.ground.catalogue.cable, count), (closure, site), ((),))
        for number in range(1, count + 1):
            fibre += 1
            end, passed = self.leg()
            joints = [
                drawn.join(self.cabinet, end, Fibre(cable.id, fibre, self.cabinet.id, Side.DOWN), by_connector=True),
                drawn.join(
                    closure,
                    Fibre(cable.id, fibre, closure.id, Side.UP),
                    Fibre(drop.id, number, closure.id, Side.DOWN),
                    by_connector=False,
                ),
                drawn.join(
                    site,
                    Fibre(drop.id, number, site.id, Side.UP),
                    Socket(site.id, first_socket + number - 1),
                    by_connector=True,
                ),
            ]
            runs = ((self.feeder, 1), (cable, stretches), (drop, 1))
            drawn.light(row, first_socket + number - 1, runs, [*passed, *joints])
        return fibre


def plain(drawn: Drawn, at: int, served: Sequence[int]) -> Statement:
    """All of these premises from one cabinet at a node, by cables along shortest ways, from closure to closure."""
    ground, office = drawn.ground, drawn.office()
    feeder = route(ground, office.node, at)
    hanging = Hanging(drawn, office, at, served, feeder)
    came = shortest(ground, at)
    waiting: defaultdict[int, list[int]] = defaultdict(list)
    for row in served:
        waiting[int(ground.premises.node[row])].append(row)
    while waiting:
        routes = {node: walk_back(ground, came, node) for node in waiting}
        rows = routes[max(routes, key=lambda node: (len(routes[node]), node))]
        nodes = nodes_along(ground, at, rows)
        hanging.hang([(node, waiting.pop(node)) for node in nodes if node in waiting], rows)
    return drawn.statement()
