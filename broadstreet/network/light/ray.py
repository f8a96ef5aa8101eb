"""Follows joints from end to end, through fibres and splitters, from each socket to its port."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from broadstreet.network.design import Cable, End, Fibre, Joint, Leg, Port, Role, Side, Site, SiteKind, Socket
from broadstreet.network.ground.ground import Ground


class Span(NamedTuple):
    """A fibre from where it is joined to where it is joined next: between which of its cable's sites, by number. Light
    comes from `first` and goes to `last`; most cables are passed from their first site on, and first is the smaller."""

    cable: str
    fibre: int
    first: int
    last: int
    length_m: float

    @property
    def stretches(self) -> range:
        """The cable's stretches that it lies in, by number."""
        return range(min(self.first, self.last), max(self.first, self.last))


@dataclass(slots=True, eq=False)
class Ray:
    """The path of a socket, from there to the port. joints: those it passes, by number; between: what lies between each
    and the next, a fibre or (by id) a splitter."""

    premises: int
    socket: int
    joints: list[int] = field(default_factory=list)
    between: list[Span | str] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        return [passed for passed in self.between if isinstance(passed, Span)]

    @property
    def splitters(self) -> list[str]:
        return [passed for passed in self.between if isinstance(passed, str)]

    @property
    def length_m(self) -> float:
        """Of its fibre, in metres: ways, the office's lead and the drop."""
        return sum(span.length_m for span in self.spans)


class Light:
    """A design's joints, to be followed. joint_of: the number of the joint that an end is in; cuts: at which of its
    cable's sites a fibre is cut, by number; number: of a cable's sites; until_m: how far along a cable each of them
    is."""

    def __init__(self, ground: Ground, sites: Sequence[Site], cables: Sequence[Cable], joints: Sequence[Joint]) -> None:
        self.joints = joints
        self.joint_of: dict[End, int] = {}
        self.until_m: dict[str, list[float]] = {}
        self.number: dict[tuple[str, str], int] = {}
        self.sites = {site.id: site for site in sites}
        self.along = {cable.id: cable.sites for cable in cables}
        for cable in cables:
            self.until_m[cable.id] = _until_m(ground, self.sites, cable)
            self.number |= {(cable.id, site): number for number, site in enumerate(cable.sites)}
        cuts: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        for number, joint in enumerate(joints):
            for end in (joint.a, joint.b):
                self.joint_of[end] = number
                if isinstance(end, Fibre):
                    cuts[end.cable, end.fibre].add(self.number[end.cable, end.site])
        self.cuts = {fibre: sorted(places) for fibre, places in cuts.items()}

    def connectable(self) -> set[int]:
        """Which joints can be connectors."""
        closures = {id for id, site in self.sites.items() if site.kind is SiteKind.CLOSURE}
        return {
            number
            for number, joint in enumerate(self.joints)
            if joint.site not in closures or not (isinstance(joint.a, Fibre) and isinstance(joint.b, Fibre))
        }

    def rays(self) -> list[Ray]:
        """The path of every socket, by premises."""
        sockets = [end for joint in self.joints for end in (joint.a, joint.b) if isinstance(end, Socket)]
        return sorted((self.ray(socket) for socket in sockets), key=lambda ray: (ray.premises, ray.socket))

    def ray(self, socket: Socket) -> Ray:
        """The path of a socket that is joined."""
        row = self.sites[socket.site].premises
        assert row is not None, "a socket is in premises"
        ray = Ray(row, socket.socket)
        end: End = socket
        while True:
            number = self.joint_of[end]
            ray.joints.append(number)
            other = self.beyond(end)
            if isinstance(other, Leg):
                ray.between.append(other.splitter)
                end = Leg(other.splitter, 0)
            elif isinstance(other, Fibre):
                end = self._back(ray, other)
            else:
                assert isinstance(other, Port), "a path ends at a port"
                return ray

    def beyond(self, end: End) -> End:
        """What an end that is joined is joined to."""
        joint = self.joints[self.joint_of[end]]
        return joint.b if joint.a == end else joint.a

    def _back(self, ray: Ray, end: Fibre) -> Fibre:
        """Along a fibre to where it is cut next."""
        cuts, at = self.cuts[end.cable, end.fibre], self.number[end.cable, end.site]
        leads_up = end.side is Side.UP
        there = cuts[bisect_left(cuts, at) - 1] if leads_up else cuts[bisect_right(cuts, at)]
        until_m = self.until_m[end.cable]
        ray.between.append(Span(end.cable, end.fibre, there, at, abs(until_m[at] - until_m[there])))
        return Fibre(end.cable, end.fibre, self.along[end.cable][there], Side.DOWN if leads_up else Side.UP)


def _until_m(ground: Ground, sites: dict[str, Site], cable: Cable) -> list[float]:
    """How far along a cable each of its sites is."""
    way_m = ground.ways.length_m
    stretches = [float(sum(way_m[way] for way in stretch)) for stretch in cable.ways]
    for number, stretch in enumerate(zip(cable.sites, cable.sites[1:], strict=False)):
        offices = [office for site in stretch if (office := sites[site].office) is not None]
        stretches[number] += sum(float(ground.offices.lead_m[office]) for office in offices)
    row = sites[cable.sites[-1]].premises
    if cable.role is Role.DROP and row is not None:
        stretches[-1] += float(ground.premises.drop_m[row])
    return [0.0, *accumulate(stretches)]
