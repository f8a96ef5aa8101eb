"""What lies in a cable, and what light passes on its way to a socket: a design looked at fibre by fibre.

The design has been checked: every end is there, and every socket that is joined has one path to one port. So joints are
followed from the socket back, as they are written down; the statement has each path's length and loss, and here they
are told part by part.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Literal

import msgspec

from broadstreet.model.errors import NotFound
from broadstreet.network.design import Cable, End, Fibre, Leg, Port, Role, Side, Site, Statement
from broadstreet.network.ground import Ground
from broadstreet.network.ground.ground import NO_STREET
from broadstreet.network.light import Light, Ray, Span, loss_db
from broadstreet.network.scenarios.wish import Sheets


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that light passes: where (a site, or a cable from one to another), and what it loses there."""

    kind: Literal["port", "splice", "connector", "splitter", "fibre", "socket"]
    what: str
    site: str
    until: str | None = None
    cable: str | None = None
    fibre: int | None = None
    streets: tuple[str, ...] = ()
    length_m: float = 0.0
    loss_db: float = 0.0


class PathView(msgspec.Struct, frozen=True, kw_only=True):
    """A socket's path, from the port on. loss_db: the worst, without the optics' margin; most_loss_db: what the class
    allows less that margin."""

    socket: int
    is_second: bool
    office: str
    length_m: float
    loss_db: float
    most_loss_db: float
    steps: tuple[Step, ...]


class PremisesView(msgspec.Struct, frozen=True, kw_only=True):
    """Premises, and the path of each of its sockets; none where it is not served."""

    id: str
    label: str
    lon: float
    lat: float
    fibres: int
    is_critical: bool
    served: bool
    drop_m: float
    paths: tuple[PathView, ...]


class Cut(msgspec.Struct, frozen=True, kw_only=True):
    """Where a fibre is cut: what its two ends there are joined to. up leads back towards the cable's first site."""

    site: str
    up: str | None
    down: str | None


class Strand(msgspec.Struct, frozen=True, kw_only=True):
    """One fibre of a cable. premises: whom light reaches through it; a spare fibre has neither cuts nor premises."""

    fibre: int
    cuts: tuple[Cut, ...]
    premises: tuple[str, ...]


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A cable from one of its sites to the next."""

    begins: str
    ends: str
    length_m: float
    streets: tuple[str, ...]
    ducts: tuple[str, ...]


class CableView(msgspec.Struct, frozen=True, kw_only=True):
    """A cable with all its fibres. lit: how many of them light goes through."""

    id: str
    role: Role
    fibres: int
    lit: int
    length_m: float
    stretches: tuple[Stretch, ...]
    strands: tuple[Strand, ...]


class Follower:
    """Looks at one plan. sheets: what it was planned by."""

    def __init__(self, statement: Statement, ground: Ground, sheets: Sheets) -> None:
        self.statement, self.ground, self.sheets = statement, ground, sheets
        design = statement.design
        self.cables = {cable.id: cable for cable in design.cables}
        self.sites = {site.id: site for site in design.sites}
        self.splitters = {splitter.id: splitter for splitter in design.splitters}
        self.kinds = {duct.id: duct.kind for duct in design.ducts}
        self.claimed = {(path.premises, path.socket): path for path in statement.paths}
        self._light = Light(ground, design.sites, design.cables, design.joints)
        self._rays: defaultdict[int, list[Ray]] = defaultdict(list)
        for ray in self._light.rays():
            self._rays[ray.premises].append(ray)
        self._lit: dict[tuple[str, int], list[int]] | None = None

    def premises(self, identifier: str) -> PremisesView:
        """Premises with their paths. Raises NotFound."""
        demand = self.ground.premises.demand
        try:
            row = demand.ids.index(identifier)
        except ValueError:
            raise NotFound(f"no premises of this plan has the id {identifier[:80]!r}", where="premises") from None
        rays = self._rays.get(row, [])
        needed = int(demand.fibres[row]) * self.sheets.architecture.fibres_per_premises
        return PremisesView(
            id=identifier,
            label=demand.labels[row],
            lon=float(demand.lon[row]),
            lat=float(demand.lat[row]),
            fibres=int(demand.fibres[row]),
            is_critical=bool(demand.is_critical[row]),
            served=bool(rays),
            drop_m=round(float(self.ground.premises.drop_m[row]), 2),
            paths=tuple(self._path(ray, is_second=ray.socket > needed) for ray in rays),
        )

    def cable(self, identifier: str) -> CableView:
        """A cable with its fibres. Raises NotFound."""
        cable = self.cables.get(identifier)
        if cable is None:
            raise NotFound(f"no cable of this plan has the id {identifier[:80]!r}", where="cable")
        lit, ids = self.reached, self.ground.premises.demand.ids
        strands = []
        for fibre in range(1, cable.fibres + 1):
            places = self._light.cuts.get((cable.id, fibre), [])
            cuts = [self._cut(cable, fibre, cable.sites[place]) for place in places]
            rows = sorted(set(lit.get((cable.id, fibre), ())))
            strands.append(Strand(fibre=fibre, cuts=tuple(cuts), premises=tuple(ids[row] for row in rows)))
        stretches = tuple(self._stretch(cable, n) for n in range(len(cable.ways)))
        return CableView(
            id=cable.id,
            role=cable.role,
            fibres=cable.fibres,
            lit=sum(bool(strand.premises) for strand in strands),
            length_m=round(sum(self.stretch_m(cable, n) for n in range(len(cable.ways))), 2),
            stretches=stretches,
            strands=tuple(strands),
        )

    def stretch_m(self, cable: Cable, number: int) -> float:
        """A cable's length from one of its sites to the next: its ways', with an office's lead, and a drop's own."""
        until_m = self._light.until_m[cable.id]
        return until_m[number + 1] - until_m[number]

    def _stretch(self, cable: Cable, number: int) -> Stretch:
        kinds = (self.kinds.get(duct, "") for duct in cable.ducts[number])
        return Stretch(
            begins=self.named(cable.sites[number]),
            ends=self.named(cable.sites[number + 1]),
            length_m=round(self.stretch_m(cable, number), 2),
            streets=self._streets(cable, number, number + 1),
            ducts=tuple(dict.fromkeys(kind for kind in kinds if kind)),
        )

    def _streets(self, cable: Cable, begin: int, end: int) -> tuple[str, ...]:
        """The names of the streets that stretches lie in, in their order."""
        numbers = (int(self.ground.ways.street[way]) for stretch in cable.ways[begin:end] for way in stretch)
        return tuple(dict.fromkeys(self.ground.streets[number] for number in numbers if number != NO_STREET))

    def _cut(self, cable: Cable, fibre: int, site: str) -> Cut:
        up, down = (self._other(Fibre(cable.id, fibre, site, side)) for side in (Side.UP, Side.DOWN))
        return Cut(
            site=self.named(site),
            up=None if up is None else self._told(up),
            down=None if down is None else self._told(down),
        )

    def _other(self, end: End) -> End | None:
        return self._light.beyond(end) if end in self._light.joint_of else None

    def _told(self, end: End) -> str:
        """An end in words."""
        if isinstance(end, Fibre):
            return f"fibre {end.fibre} of {end.cable}"
        if isinstance(end, Leg):
            return f"{'shared leg' if end.leg == 0 else f'leg {end.leg}'} of {end.splitter}"
        if isinstance(end, Port):
            return f"port {end.port}"
        return f"socket {end.socket} of {self.named(end.site)}"

    def named(self, identifier: str) -> str:
        """A site in words: an office and premises by their names, others by their kind and id."""
        site: Site = self.sites[identifier]
        if site.office is not None:
            return self.ground.offices.labels[site.office] or self.ground.offices.ids[site.office]
        if site.premises is not None:
            demand = self.ground.premises.demand
            return demand.labels[site.premises] or demand.ids[site.premises]
        return f"{site.kind} {site.id}"

    @property
    def reached(self) -> dict[tuple[str, int], list[int]]:
        """Whom light reaches through each fibre of each cable, by row."""
        if self._lit is None:
            lit: defaultdict[tuple[str, int], list[int]] = defaultdict(list)
            for row, rays in self._rays.items():
                for span in (span for ray in rays for span in ray.spans):
                    lit[span.cable, span.fibre].append(row)
            self._lit = dict(lit)
        return self._lit

    def _path(self, ray: Ray, *, is_second: bool) -> PathView:
        joints = [self._joint(number) for number in ray.joints]
        between = [self._splitter(passed) if isinstance(passed, str) else self._fibre(passed) for passed in ray.between]
        # From the socket back each joint but the last, at the port, is followed by what lies between.
        steps = [step for pair in zip(joints, between, strict=False) for step in pair] + joints[-1:]
        last = self._light.joints[ray.joints[-1]]
        port = last.a if isinstance(last.a, Port) else last.b
        assert isinstance(port, Port), "a path that was checked ends at a port"
        premises = self.named(self._light.joints[ray.joints[0]].site)
        claimed = self.claimed[ray.premises, ray.socket]
        limits = self.sheets.optics.classes[self.statement.optical_class]
        return PathView(
            socket=ray.socket,
            is_second=is_second,
            office=self.named(port.site),
            length_m=round(claimed.length_m, 2),
            loss_db=round(claimed.loss_db, 3),
            most_loss_db=round(limits.most_loss_db - self.sheets.optics.margin_db, 3),
            steps=(
                Step(kind="port", what=f"port {port.port}", site=self.named(port.site)),
                *reversed(steps),
                Step(kind="socket", what=f"socket {ray.socket}", site=premises),
            ),
        )

    def _joint(self, number: int) -> Step:
        joint, optics = self._light.joints[number], self.sheets.optics
        part = optics.connector if joint.is_connector else optics.splice
        ends = " to ".join(self._told(end) for end in (joint.a, joint.b))
        kind: Literal["connector", "splice"] = "connector" if joint.is_connector else "splice"
        return Step(kind=kind, what=ends, site=self.named(joint.site), loss_db=part.loss_db)

    def _splitter(self, identifier: str) -> Step:
        splitter = self.splitters[identifier]
        lost_db = self.sheets.optics.splitter[splitter.ratio].loss_db
        what = f"{splitter.id}, 1:{splitter.ratio}"
        return Step(kind="splitter", what=what, site=self.named(splitter.site), loss_db=lost_db)

    def _fibre(self, span: Span) -> Step:
        cable, stretches = self.cables[span.cable], span.stretches
        optics, wanted = self.sheets.optics, self.statement.optical_class
        return Step(
            kind="fibre",
            what=f"fibre {span.fibre} of {cable.id}",
            site=self.named(cable.sites[stretches.start]),
            until=self.named(cable.sites[stretches.stop]),
            cable=cable.id,
            fibre=span.fibre,
            streets=self._streets(cable, stretches.start, stretches.stop),
            length_m=round(span.length_m, 2),
            loss_db=round(loss_db(optics, wanted, span.length_m, joints=0, connectors=0, splitters=()), 4),
        )
