"""The way of light, from each socket back to its port: how long it is, what it loses, and which joints are connectors.

Joints are followed from end to end, as they are written down. A path's connectors are made of its joints in this order:
at the port and at the socket, before and behind the first splitter, before and behind the second, and then the others,
from the socket on; as many as the architecture says, or all that can be: fibres are fused to each other in closures.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Cable, End, Fibre, Joint, Leg, Path, Port, Role, Side, Site, SiteKind, Socket
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
        self.site_of = of = {site.id: site for site in sites}
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

    def connectable(self) -> set[int]:
        """Which joints can be connectors."""
        closures = {id for id, site in self.site_of.items() if site.kind is SiteKind.CLOSURE}
        return {
            number
            for number, joint in enumerate(self.joints)
            if joint.site not in closures or not (isinstance(joint.a, Fibre) and isinstance(joint.b, Fibre))
        }

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


def connectors(rays: Sequence[Ray], architecture: Architecture, connectable: set[int]) -> set[int]:
    """Which joints are connectors, of those that can be. Raises InvalidInput where paths that share a joint want
    different things of it."""
    wanted = architecture.connectors
    chosen = set[int]()
    for ray in rays:
        chosen.update([joint for joint in ray.in_order() if joint in connectable][:wanted])
    for ray in rays:
        if len(chosen.intersection(ray.joints)) != min(wanted, len(connectable.intersection(ray.joints))):
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
    longest_m = min(wanted.longest_m, architecture.longest_way_m)
    found, strong = list[Path](), list[int]()
    lossy, long = dict[int, float](), dict[int, float]()
    length_m = dict[int, float]()
    for ray in rays:
        joined = len(is_connector.intersection(ray.joints))
        loss_db = (
            ray.length_m * per_m
            + joined * optics.connector.loss_db
            + (len(ray.joints) - joined) * optics.splice.loss_db
            + sum(optics.splitter[ratios[splitter]].loss_db for splitter in ray.splitters)
        )
        found.append(Path(ray.premises, ray.socket, ray.length_m, loss_db))
        if loss_db < wanted.least_loss_db - _HAIR:
            strong.append(ray.premises)
        over_db = loss_db + optics.margin_db - wanted.most_loss_db
        for over, over_m in ((lossy, over_db / per_m), (long, ray.length_m - longest_m)):
            if over_m > _HAIR:
                over[ray.premises] = max(over_m, over.get(ray.premises, 0.0))
                length_m[ray.premises] = ray.length_m
    if strong:
        refuse(ground, strong, *_TOO_STRONG)
    if length_m:
        over = {row: max(lossy.get(row, 0.0), long.get(row, 0.0)) for row in length_m}
        raise OutOfReach(ground, {row: (length_m[row], over[row]) for row in length_m}, is_lossy=bool(lossy))
    return tuple(found)


class OutOfReach(InvalidInput):
    """Light does not reach premises: their fibres are too long, or too much is lost on them."""

    def __init__(self, ground: Ground, over_m: dict[int, tuple[float, float]], *, is_lossy: bool) -> None:
        """over_m: by row how long the fibre is, and by how much it would have to be shorter."""
        self.over_m = over_m
        what, remedy = _TOO_LOSSY if is_lossy else _TOO_LONG
        super().__init__(f"{what}: {_named(ground, over_m)}", where=_place(ground, over_m), remedy=remedy)


def refuse(ground: Ground, rows: Iterable[int], what: str, remedy: str) -> None:
    """Raises InvalidInput that names premises, the first of them."""
    raise InvalidInput(f"{what}: {_named(ground, rows)}", where=_place(ground, rows), remedy=remedy)


def _named(ground: Ground, rows: Iterable[int]) -> str:
    demand, which = ground.premises.demand, sorted(set(rows))
    names = ", ".join(demand.labels[row] or demand.ids[row] for row in which[:MAX_NAMED])
    return names + (f" and {len(which) - MAX_NAMED} more" if len(which) > MAX_NAMED else "")


def _place(ground: Ground, rows: Iterable[int]) -> str:
    demand, first = ground.premises.demand, min(rows)
    return f"premises, lon {demand.lon[first]:.6f}, lat {demand.lat[first]:.6f}"


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
