"""When each piece of a design stands, and which fibres, legs and joints of it are taken, in whichever phase."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from broadstreet.network.design import Cable, Fibre, Leg, Port, Role, Side, Site, SiteKind, Splitter, Statement
from broadstreet.network.ground import Ground, WayKind
from broadstreet.network.ground.streets import PLANT_KINDS
from broadstreet.network.light import Light, Ray
from broadstreet.network.serviceability.answer import Hop


@dataclass(frozen=True, slots=True)
class Passage:
    """The path of a socket, from the office outwards. phase: when all of it stands. joints: how many it has."""

    premises: int
    socket: int
    length_m: float
    joints: int
    phase: int
    hops: tuple[Hop, ...]
    splitters: tuple[str, ...]
    before: tuple[tuple[float, int, tuple[Hop, ...]], ...]
    """For each splitter on it the metres, the joints and the hops that lie before it."""


class Stages:
    """A design read once: what stands in which phase, and what is taken by its end.

    What the plan keeps for those it serves is taken from the beginning, so that nobody is promised what is another's.
    """

    def __init__(self, ground: Ground, statement: Statement) -> None:
        design = statement.design
        self.ground, self.design = ground, design
        self.sites: dict[str, Site] = {site.id: site for site in design.sites}
        self.cables: dict[str, Cable] = {cable.id: cable for cable in design.cables}
        self.splitters: dict[str, Splitter] = {splitter.id: splitter for splitter in design.splitters}
        self.way_phase = dict(zip(design.opened, design.phases, strict=True)) if design.phases else {}
        self.cable_phase = {
            cable.id: max((self.way_phase.get(way, 1) for rows in cable.ways for way in rows), default=1)
            for cable in design.cables
        }
        self.light = Light(ground, design.sites, design.cables, design.joints)
        self.passages = [self._passage(ray) for ray in self.light.rays()]
        self.of_premises: dict[int, Passage] = {}
        for passage in self.passages:
            self.of_premises.setdefault(passage.premises, passage)
        self.last = max((*design.phases, *(passage.phase for passage in self.passages)), default=1)
        self._when()
        self._taken()

    def _passage(self, ray: Ray) -> Passage:
        """A path turned round, with what lies before each splitter."""
        length_m, hops, splitters, before = 0.0, list[Hop](), list[str](), list[tuple[float, int, tuple[Hop, ...]]]()
        for count, passed in enumerate(reversed(ray.between), start=1):
            if isinstance(passed, str):
                splitters.append(passed)
                before.append((length_m, count, tuple(hops)))
                continue
            sites = self.cables[passed.cable].sites
            hops.append(Hop(passed.cable, sites[passed.first], sites[passed.last], passed.length_m))
            length_m += passed.length_m
        phase = max((self.cable_phase[hop.cable] for hop in hops), default=1)
        return Passage(
            ray.premises, ray.socket, length_m, len(ray.joints), phase, tuple(hops), tuple(splitters), tuple(before)
        )

    def _when(self) -> None:
        """From which phase on sites and splitters stand: that of the earliest light through them."""
        self.site_phase: dict[str, int] = {}
        self.splitter_phase: dict[str, int] = {}
        self.leads: dict[str, tuple[float, int, tuple[Hop, ...]]] = {}
        """For each splitter with light the metres, the joints and the hops from the office to it."""
        for passage in self.passages:
            for hop in passage.hops:
                for site in (hop.first, hop.last):
                    self.site_phase[site] = min(passage.phase, self.site_phase.get(site, passage.phase))
            for name, lead in zip(passage.splitters, passage.before, strict=True):
                self.splitter_phase[name] = min(passage.phase, self.splitter_phase.get(name, passage.phase))
                self.leads.setdefault(name, lead)

    def _taken(self) -> None:
        """Which fibres of each stretch are taken, how many legs of each splitter, joints and ports of each site,
        fibres that come to each cabinet from the side of the premises, and how many cables lie in each way."""
        legs, self.joints, self.ports = Counter[str](), Counter[str](), Counter[str]()
        for joint in self.design.joints:
            self.joints[joint.site] += 1
            legs.update(end.splitter for end in (joint.a, joint.b) if isinstance(end, Leg) and end.leg)
            self.ports.update(end.site for end in (joint.a, joint.b) if isinstance(end, Port))
        self.free_legs = {name: splitter.ratio - legs[name] for name, splitter in self.splitters.items()}
        self.set_up = Counter(splitter.site for splitter in self.design.splitters)
        self.taken = {cable.id: [set[int]() for _ in cable.ways] for cable in self.design.cables}
        arrived: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
        for (name, fibre), cuts in self.light.cuts.items():
            cable = self.cables[name]
            ups, begins = (
                [at for at in cuts if Fibre(name, fibre, cable.sites[at], side) in self.light.joint_of]
                for side in (Side.UP, Side.DOWN)
            )
            for begin in begins:
                end = next((at for at in ups if at > begin), None)
                for stretch in range(begin, end if end is not None else begin):
                    self.taken[name][stretch].add(fibre)
                if self.sites[cable.sites[begin]].kind is SiteKind.CABINET and cable.role is not Role.FEEDER:
                    arrived[cable.sites[begin]].add((name, fibre))
        self.arrived = {site: len(fibres) for site, fibres in arrived.items()}
        self.lying = Counter(way for cable in self.design.cables for rows in cable.ways for way in rows)

    def free_fibres(self, cable: Cable, begin: int, end: int) -> int:
        """How many fibres of a cable are free all along from one of its sites to another, by number."""
        taken = set[int]().union(*self.taken[cable.id][begin:end])
        return cable.fibres - len(taken)

    @cached_property
    def with_room(self) -> frozenset[int]:
        """The opened ways in which one more cable of the smallest size finds room."""
        ways, catalogue = self.ground.ways, self.ground.catalogue
        holds = Counter[int]()
        for duct in self.design.ducts:
            for way in duct.ways:
                holds[way] += catalogue.duct[duct.kind].cables
        is_plant = np.isin(ways.kind, PLANT_KINDS)
        found = set[int]()
        for way in self.design.opened:
            room = int(ways.room[way]) if is_plant[way] else holds[way]
            if ways.kind[way] != WayKind.FIBRE and (room < 0 or room > self.lying[way]):
                found.add(way)
        return frozenset(found)
