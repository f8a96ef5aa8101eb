"""Designs that no planner makes: a `Sketch` says where splitters and drops are, and by which ways one comes there, and
`drawn` makes a design of it, piece by piece, with whatever is cheapest in the catalogue for it.

Only tests of the bound draw so: nothing here asks whether a design makes sense, and most do not.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import msgspec

from broadstreet.network.design import (
    Cable,
    Design,
    Duct,
    End,
    Fibre,
    Joint,
    Leg,
    Port,
    Role,
    Side,
    Site,
    SiteKind,
    Socket,
    Splitter,
)
from broadstreet.network.ground import WayKind
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.streets import PLANT_KINDS
from broadstreet.network.plan.prices import Prices


class CannotBe(Exception):
    """No pieces of the catalogue make a design of a sketch."""


@dataclass(frozen=True)
class Begin:
    """Where the drops of a premises begin: at a site of this kind at a node, fed from one of the hubs. No kind: in the
    hub itself. In a PON none begins at an office: the checker is to say so."""

    kind: SiteKind | None
    node: int
    hub: int


@dataclass(frozen=True)
class Part:
    """Premises (rows), each with where its drops begin. order: ways, in the order in which a tree takes them. hubs:
    where splitters of the first stage are, by node and office; point to point, of which office alone. with_begin: the
    second stage is where drops begin, not in the hub. is_chain: one cable passes all that hangs on a hub."""

    begins: tuple[tuple[int, Begin], ...]
    order: tuple[int, ...]
    hubs: tuple[tuple[int, int], ...]
    with_begin: bool = True
    is_chain: bool = True
    is_second: bool = False


Sketch = tuple[Part, ...]


@dataclass
class _Drawing:
    """Pieces while they are made."""

    ground: Ground
    built: Architecture
    sites: dict[str, Site] = field(default_factory=dict)
    cables: list[Cable] = field(default_factory=list)
    splitters: list[Splitter] = field(default_factory=list)
    joints: list[Joint] = field(default_factory=list)
    arrived: Counter[str] = field(default_factory=Counter)
    numbers: Counter[str] = field(default_factory=Counter)

    def name(self, what: str) -> str:
        self.numbers[what] += 1
        return f"{what}{self.numbers[what]}"

    def site(self, kind: SiteKind, node: int, row: int | None = None, *, anew: bool = False) -> str:
        id = f"{kind} {row}" if row is not None else f"{kind} at {node}"
        id = self.name(id) if anew else id
        rows = {} if row is None else {"office" if kind is SiteKind.OFFICE else "premises": row}
        self.sites.setdefault(id, Site(id, kind, node, **rows))
        return id

    def join(self, site: str, a: End, b: End) -> None:
        """By connector wherever that can be."""
        is_fused = self.sites[site].kind is SiteKind.CLOSURE and isinstance(a, Fibre) and isinstance(b, Fibre)
        self.joints.append(Joint(site, a, b, not is_fused))

    def cable(self, role: Role, lit: int, sites: Sequence[str], ways: Sequence[Sequence[int]]) -> str:
        """The cheapest that keeps what it must to spare; where it lies in spare fibres, just as many as that."""
        built = self.built
        share = {Role.FEEDER: built.spare_feeder, Role.DISTRIBUTION: built.spare_distribution, Role.DROP: 0.0}[role]
        need = math.ceil(lit * (1 + share) - 1e-9)
        kinds = {int(self.ground.ways.kind[way]) for rows in ways for way in rows}
        known = self.ground.catalogue.cable
        sizes = [need] if kinds == {int(WayKind.FIBRE)} else [size for size in known if size >= need]
        if not sizes:
            raise CannotBe
        size = min(sizes, key=lambda size: (known[size].per_m_cents if size in known else 0, size))
        made = self.name("cable ")
        ducts = tuple(("",) * len(rows) for rows in ways)
        self.cables.append(Cable(made, role, size, tuple(sites), tuple(map(tuple, ways)), ducts))
        return made


def drawn(sketch: Sketch, ground: Ground, built: Architecture) -> Design:
    """The design of a sketch. Raises CannotBe."""
    drawing = _Drawing(ground, built)
    for part in sketch:
        _PartDrawing(drawing, part).draw()
    cables, ducts = _in_ducts(drawing)
    used = {way for cable in cables for rows in cable.ways for way in rows}
    used |= {way for way in range(len(ground.ways)) if ground.ways.locked[way]}
    seconds = sorted({row for part in sketch if part.is_second for row, _ in part.begins})
    return Design(
        ground.digest,
        tuple(sorted(used)),
        tuple(sorted({row for part in sketch for row, _ in part.begins})),
        tuple(seconds),
        tuple(_sized(drawing)),
        tuple(ducts),
        tuple(cables),
        tuple(drawing.splitters),
        tuple(drawing.joints),
    )


class _PartDrawing:
    def __init__(self, drawing: _Drawing, part: Part) -> None:
        self.drawing, self.part = drawing, part
        self.ground, self.built = drawing.ground, drawing.built
        self.beside: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        ways = self.ground.ways
        for way in tree(self.ground, part.order):
            a, b = int(ways.a[way]), int(ways.b[way])
            self.beside[a].append((way, b))
            self.beside[b].append((way, a))
        self.stages = self.built.splitters
        self.last = self.stages[-1] if self.stages else 1
        self.apart = len(self.stages) == 2 and part.with_begin

    def route(self, start: int, end: int) -> list[int]:
        """The ways from one node to another in the tree."""
        came: dict[int, tuple[int, int]] = {start: (-1, -1)}
        waiting = deque([start])
        while waiting:
            node = waiting.popleft()
            for way, other in self.beside[node]:
                if other not in came:
                    came[other] = way, node
                    waiting.append(other)
        if end not in came:
            raise CannotBe
        rows = []
        while end != start:
            way, end = came[end]
            rows.append(way)
        return rows[::-1]

    def draw(self) -> None:
        drawing, part = self.drawing, self.part
        feeding: defaultdict[int, list[tuple[str, list[End]]]] = defaultdict(list)
        for number, (node, office) in enumerate(part.hubs):
            here = [(row, begin) for row, begin in part.begins if begin.hub == number]
            if not here:
                continue
            if not self.stages:
                self._point_to_point(office, here)
                continue
            hub = drawing.site(SiteKind.CABINET, node)
            feeding[office].append((hub, self._split(hub, 0, self._behind(hub, here))))
        for office, hubs in feeding.items():
            at = drawing.site(SiteKind.OFFICE, int(self.ground.offices.node[office]), office)
            self._light(at, self._laid(Role.FEEDER, at, hubs))

    def _point_to_point(self, office: int, here: Sequence[tuple[int, Begin]]) -> None:
        at = self.drawing.site(SiteKind.OFFICE, int(self.ground.offices.node[office]), office)
        self._light(at, self._behind(at, here))

    def _light(self, at: str, ends: Sequence[End]) -> None:
        for end in ends:
            self.drawing.numbers[f"port {at}"] += 1
            self.drawing.join(at, Port(at, self.drawing.numbers[f"port {at}"]), end)

    def _split(self, site: str, stage: int, outgoing: Sequence[End]) -> list[End]:
        """Splitters for all that leaves a site, and their shared legs."""
        ratio, legs = self.stages[stage], list[End]()
        for first in range(0, len(outgoing), ratio):
            made = Splitter(self.drawing.name("splitter "), site, ratio, stage)
            self.drawing.splitters.append(made)
            legs.append(Leg(made.id, 0))
            for leg, end in enumerate(outgoing[first : first + ratio], start=1):
                self.drawing.join(site, Leg(made.id, leg), end)
        return legs

    def _behind(self, hub: str, here: Sequence[tuple[int, Begin]]) -> list[End]:
        """All that leaves a hub towards premises: ends of fibres, or shared legs of the second stage."""
        direct, hanging = list[End](), defaultdict[str, list[End]](list)
        for row, begin in here:
            there = self.drawing.sites[hub]
            if begin.kind is None or (begin.kind, begin.node) == (there.kind, there.node):
                direct += self._drops(hub, row)
                self.drawing.arrived[hub] += self._sockets(row)
                continue
            office = next((o for o, node in enumerate(self.ground.offices.node.tolist()) if node == begin.node), None)
            if begin.kind is SiteKind.OFFICE and office is None:
                raise CannotBe
            site = self.drawing.site(begin.kind, begin.node, office if begin.kind is SiteKind.OFFICE else None)
            hanging[site] += self._drops(site, row)
            self.drawing.arrived[site] += self._sockets(row)
        role = Role.DISTRIBUTION if self.stages else Role.FEEDER
        up = [(site, self._split(site, 1, ends) if self.apart else ends) for site, ends in hanging.items()]
        outgoing = self._laid(role, hub, up)
        if self.stages:
            self.drawing.arrived[hub] += len(outgoing)
        if len(self.stages) < 2:
            return [*direct, *outgoing]
        if self.apart:
            return [*self._split(hub, 1, direct), *outgoing]
        return self._split(hub, 1, [*direct, *outgoing])

    def _sockets(self, row: int) -> int:
        return 1 if self.part.is_second else self._needed(row)

    def _needed(self, row: int) -> int:
        return int(self.ground.premises.demand.fibres[row]) * self.built.fibres_per_premises

    def _drops(self, site: str, row: int) -> list[End]:
        """Drops of the cheapest sizes, and the ends of their fibres at the site."""
        drawing, node = self.drawing, int(self.ground.premises.node[row])
        premises = drawing.site(SiteKind.PREMISES, node, row)
        ends, largest = list[End](), max(self.ground.catalogue.cable)
        first = self._needed(row) if self.part.is_second else 0
        for begin in range(0, self._sockets(row), largest):
            count = min(largest, self._sockets(row) - begin)
            ways = self.route(drawing.sites[site].node, node)
            cable = drawing.cable(Role.DROP, count, (site, premises), (ways,))
            for fibre in range(1, count + 1):
                ends.append(Fibre(cable, fibre, site, Side.DOWN))
                drawing.join(premises, Fibre(cable, fibre, premises, Side.UP), Socket(premises, first + begin + fibre))
        return ends

    def _laid(self, role: Role, start: str, stops: Sequence[tuple[str, Sequence[End]]]) -> list[End]:
        """Cables to sites, where their fibres are joined to these ends; and their ends at the start."""
        drawing, sites = self.drawing, self.drawing.sites
        if not stops:
            return []
        nodes = [sites[start].node, *(sites[site].node for site, _ in stops)]
        routes = [self.route(a, b) for a, b in pairwise(nodes)]
        lent = any(self.ground.ways.kind[way] == WayKind.FIBRE for route in routes for way in route)
        if not self.part.is_chain or lent or start in {site for site, _ in stops}:
            return [end for site, ends in stops for end in self._line(role, start, site, ends)]
        lit = sum(len(ends) for _, ends in stops)
        cable = drawing.cable(role, lit, (start, *(site for site, _ in stops)), routes)
        begins, fibre = list[End](), 0
        for site, ends in stops:
            for end in ends:
                fibre += 1
                drawing.join(site, Fibre(cable, fibre, site, Side.UP), end)
                begins.append(Fibre(cable, fibre, start, Side.DOWN))
        return begins

    def _line(self, role: Role, start: str, stop: str, ends: Sequence[End]) -> list[End]:
        """A cable of its own, parted in closures where it goes over into spare fibres of what lies there."""
        drawing, route = self.drawing, self.route(self.drawing.sites[start].node, self.drawing.sites[stop].node)
        runs = list[tuple[bool, list[int]]]()
        for way in route:
            is_lent = bool(self.ground.ways.kind[way] == WayKind.FIBRE)
            if not runs or runs[-1][0] != is_lent:
                runs.append((is_lent, []))
            runs[-1][1].append(way)
        runs = runs or [(False, [])]
        at, node, before = start, drawing.sites[start].node, list[End]()
        begins = list[End]()
        for number, (_, ways) in enumerate(runs):
            for way in ways:
                a, b = int(self.ground.ways.a[way]), int(self.ground.ways.b[way])
                node = b if node == a else a
            until = stop if number == len(runs) - 1 else drawing.site(SiteKind.CLOSURE, node, anew=True)
            cable = drawing.cable(role, len(ends), (at, until), (ways,))
            down = [Fibre(cable, fibre, at, Side.DOWN) for fibre in range(1, len(ends) + 1)]
            if number == 0:
                begins += down
            for one, other in zip(before, down, strict=False):
                drawing.join(at, one, other)
            before = [Fibre(cable, fibre, until, Side.UP) for fibre in range(1, len(ends) + 1)]
            at = until
        for arrived, end in zip(before, ends, strict=True):
            drawing.join(stop, arrived, end)
        return begins


def tree(ground: Ground, order: Sequence[int]) -> list[int]:
    """A spanning tree of what may be used, by the first ways of an order."""
    group = list(range(len(ground.lon)))
    taken = []
    for way in order:
        a, b = group[ground.ways.a[way]], group[ground.ways.b[way]]
        if a != b and ground.ways.usable[way]:
            group = [b if of == a else of for of in group]
            taken.append(way)
    return taken


def _sized(drawing: _Drawing) -> Iterator[Site]:
    """Sites of the cheapest sizes that take what comes to them."""
    catalogue, share = drawing.ground.catalogue, drawing.built.spare_cabinet
    splitters = Counter(splitter.site for splitter in drawing.splitters)
    joints = Counter(joint.site for joint in drawing.joints)
    for site in drawing.sites.values():
        sizes = dict[int, int]()
        if site.kind is SiteKind.CABINET:
            need = drawing.arrived[site.id] * (1 + share) - 1e-9
            known = catalogue.cabinet.items()
            sizes = {n: c.each_cents for n, c in known if n >= need and c.splitters >= splitters[site.id]}
        elif site.kind is SiteKind.CLOSURE:
            sizes = {n: c.each_cents for n, c in catalogue.closure.items() if n >= joints[site.id]}
        else:
            yield site
            continue
        if not sizes:
            raise CannotBe
        yield msgspec.structs.replace(site, size=min(sizes, key=lambda size: (sizes[size], size)))


def _in_ducts(drawing: _Drawing) -> tuple[list[Cable], list[Duct]]:
    """The cheapest ducts on each way by itself."""
    ways, ducts = drawing.ground.ways, list[Duct]()
    prices = Prices(drawing.ground.catalogue, drawing.built)
    lying = defaultdict[int, list[tuple[int, str, int, int]]](list)
    names = {cable.id: [list(rows) for rows in cable.ducts] for cable in drawing.cables}
    for cable in drawing.cables:
        for stretch, rows in enumerate(cable.ways):
            for at, way in enumerate(rows):
                if int(ways.kind[way]) not in PLANT_KINDS:
                    lying[way].append((cable.fibres, cable.id, stretch, at))
    for way, held in lying.items():
        held.sort(reverse=True)
        try:
            packed = prices.pack([fibres for fibres, *_ in held])
        except ValueError as none:
            raise CannotBe from none
        begin = 0
        for kind, count in packed:
            duct = Duct(drawing.name("duct "), kind, (way,))
            ducts.append(duct)
            for _, cable_id, stretch, at in held[begin : begin + count]:
                names[cable_id][stretch][at] = duct.id
            begin += count
    cables = [msgspec.structs.replace(c, ducts=tuple(map(tuple, names[c.id]))) for c in drawing.cables]
    return cables, ducts
