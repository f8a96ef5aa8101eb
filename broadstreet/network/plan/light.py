"""The way of light, from each socket back to its port: how long it is, what it loses, and which joints are connectors.

Joints are followed from end to end, as they are written down. A path's connectors are made of its joints in this order:
at the port and at the socket, before and behind the first splitter, before and behind the second, and then the others,
from the socket on; as many as the architecture says, or all of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Cable, End, Fibre, Joint, Leg, Path, Port, Role, Side, Site, Socket
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics

MAX_NAMED: Final = 5
"""How many premises a refusal names; of the others the number is."""
_HAIR: Final = 1e-9
_TOO_LOSSY: Final = (
    "more light is lost on the way than the optical class and the margin allow",
    "Choose a class that allows more, a smaller splitter, or an office nearer to them.",
)
_TOO_STRONG: Final = (
    "so little light is lost on the way that the class's receivers would be blinded",
    "Choose a class for shorter ways, or a greater splitter.",
)
_TOO_LONG: Final = (
    "the fibre is longer than the optical class or the architecture's longest_way_m allows",
    "Choose a class for longer ways, or plan from an office nearer to them.",
)


@dataclass(slots=True, eq=False)
class Ray:
    """One path: the joints it goes through, from the socket to the port; its splitters, and for each which of the
    joints is behind it (the next one is before it)."""

    premises: int
    socket: int
    length_m: float = 0.0
    joints: list[int] = field(default_factory=list)
    splitters: list[str] = field(default_factory=list)
    behind: list[int] = field(default_factory=list)

    def in_order(self) -> list[int]:
        """The joints, in the order in which they become connectors."""
        at_splitters = [self.joints[n] for behind in reversed(self.behind) for n in (behind + 1, behind)]
        return list(dict.fromkeys([self.joints[-1], self.joints[0], *at_splitters, *self.joints]))


class Light:
    """Follows joints through cables and splitters."""

    def __init__(self, ground: Ground, sites: Sequence[Site], cables: Sequence[Cable], joints: Sequence[Joint]) -> None:
        self.joints = joints
        self.joint_of: dict[End, int] = {}
        self.cut: dict[tuple[str, int], list[int]] = {}
        """Where a fibre begins: the sites of its cable, by number, at which its end that leads on is joined."""
        self.until_m: dict[str, list[float]] = {}
        self.number: dict[tuple[str, str], int] = {}
        of = {site.id: site for site in sites}
        for cable in cables:
            self.until_m[cable.id] = _until_m(ground, of, cable)
            self.number |= {(cable.id, site): number for number, site in enumerate(cable.sites)}
        for number, joint in enumerate(joints):
            for end in (joint.a, joint.b):
                self.joint_of[end] = number
                if isinstance(end, Fibre) and end.side is Side.DOWN:
                    self.cut.setdefault((end.cable, end.fibre), []).append(self.number[end.cable, end.site])
        for numbers in self.cut.values():
            numbers.sort()
        self.sites = {cable.id: cable.sites for cable in cables}
        self.rows = {site.id: site.premises for site in sites if site.premises is not None}

    def rays(self) -> list[Ray]:
        """The path of every socket, by premises."""
        sockets = [end for joint in self.joints for end in (joint.a, joint.b) if isinstance(end, Socket)]
        found = [self._ray(socket) for socket in sockets]
        return sorted(found, key=lambda ray: (ray.premises, ray.socket))

    def _ray(self, socket: Socket) -> Ray:
        ray = Ray(self.rows[socket.site], socket.socket)
        end: End = socket
        while True:
            number = self.joint_of[end]
            ray.joints.append(number)
            joint = self.joints[number]
            other = joint.b if joint.a == end else joint.a
            if isinstance(other, Port):
                return ray
            if isinstance(other, Leg):
                ray.splitters.append(other.splitter)
                ray.behind.append(len(ray.joints) - 1)
                end = Leg(other.splitter, 0)
            elif isinstance(other, Fibre):
                at = self.number[other.cable, other.site]
                cuts = self.cut[other.cable, other.fibre]
                begin = cuts[bisect_left(cuts, at) - 1]
                until_m = self.until_m[other.cable]
                ray.length_m += until_m[at] - until_m[begin]
                end = Fibre(other.cable, other.fibre, self.sites[other.cable][begin], Side.DOWN)


def connectors(rays: Sequence[Ray], architecture: Architecture) -> set[int]:
    """Which joints are connectors. Raises InvalidInput where paths that share a joint want different things of it."""
    wanted = architecture.connectors
    chosen = {joint for ray in rays for joint in ray.in_order()[:wanted]}
    for ray in rays:
        if len(chosen.intersection(ray.joints)) != min(wanted, len(ray.joints)):
            raise InvalidInput(
                f"not every path can have just {wanted} connectors, since paths share joints",
                where="connectors of the architecture",
                remedy=f"Ask for {2 + 2 * len(architecture.splitters)} or fewer.",
            )
    return chosen


def paths(
    ground: Ground,
    architecture: Architecture,
    optics: Optics,
    rays: Sequence[Ray],
    is_connector: set[int],
    ratios: dict[str, int],
) -> tuple[Path, ...]:
    """Each path's length and worst loss, the margin not in it. Raises InvalidInput where one is not what its class
    allows, or longer than the architecture does."""
    wanted = optics.classes[architecture.optical_class]
    per_m = optics.worst_db_per_km(architecture.optical_class) / 1000
    found, faults = [], dict[tuple[str, str], list[int]]()
    for ray in rays:
        joined = len(is_connector.intersection(ray.joints))
        loss_db = (
            ray.length_m * per_m
            + joined * optics.connector.loss_db
            + (len(ray.joints) - joined) * optics.splice.loss_db
            + sum(optics.splitter[ratios[splitter]].loss_db for splitter in ray.splitters)
        )
        found.append(Path(ray.premises, ray.socket, ray.length_m, loss_db))
        for fault, is_wrong in (
            (_TOO_LOSSY, loss_db + optics.margin_db > wanted.most_loss_db + _HAIR),
            (_TOO_STRONG, loss_db < wanted.least_loss_db - _HAIR),
            (_TOO_LONG, ray.length_m > min(wanted.longest_m, architecture.longest_way_m) + _HAIR),
        ):
            if is_wrong:
                faults.setdefault(fault, []).append(ray.premises)
    for fault, rows in faults.items():
        refuse(ground, rows, *fault)
    return tuple(found)


def refuse(ground: Ground, rows: Sequence[int], what: str, remedy: str) -> None:
    """Raises InvalidInput that names premises, the first of them."""
    rows = sorted(set(rows))
    demand = ground.premises.demand
    names = ", ".join(demand.labels[row] or demand.ids[row] for row in rows[:MAX_NAMED])
    more = f" and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else ""
    place = f"premises, lon {demand.lon[rows[0]]:.6f}, lat {demand.lat[rows[0]]:.6f}"
    raise InvalidInput(f"{what}: {names}{more}", where=place, remedy=remedy)


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
