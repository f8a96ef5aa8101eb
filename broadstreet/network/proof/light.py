"""Where light goes: from each socket back to a port, joint by joint, fibre by fibre, splitter by splitter."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from broadstreet.network.design import Cable, End, Fibre, Joint, Leg, Port, Side, Site, Socket, Splitter
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.ends import named
from broadstreet.network.proof.finding import FindingKind as Kind

Step = Cable | Splitter | Site


@dataclass(slots=True)
class Path:
    """What light passes from a port to a socket, in its order from the port.

    steps: cables, splitters and the sites of joints. stretches: of which cable, which fibre, which of its stretches.
    arrivals: the fibres by which one comes to sites from the socket's side.
    """

    premises: int
    socket: int
    joints: list[Joint] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    stretches: list[tuple[Cable, int, int]] = field(default_factory=list)
    arrivals: list[Fibre] = field(default_factory=list)

    @property
    def cables(self) -> list[Cable]:
        return [step for step in self.steps if isinstance(step, Cable)]

    @property
    def splitters(self) -> list[Splitter]:
        return [step for step in self.steps if isinstance(step, Splitter)]

    def named(self, case: Case) -> str:
        return f"{case.name(self.premises)}, socket {self.socket}"

    def ways(self) -> set[int]:
        """The rows of all ways that its fibre lies in."""
        return {row for cable, _, stretch in self.stretches for row in cable.ways[stretch]}

    def length_m(self, case: Case) -> float:
        return sum(case.stretch_m(cable, stretch) for cable, _, stretch in self.stretches)


class Light:
    """Finds paths by what is joined to what."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.joined: dict[End, Joint] = {}
        cuts: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self.at = {cable.id: {id: n for n, id in enumerate(cable.sites)} for cable in case.cables.values()}
        for joint in case.joints:
            for end in (joint.a, joint.b):
                self.joined[end] = joint
                if isinstance(end, Fibre):
                    cuts[end.cable, end.fibre].add(self.at[end.cable][end.site])
        self.cuts = {key: sorted({*places, 0, len(case.cables[key[0]].sites) - 1}) for key, places in cuts.items()}

    def path(self, premises: int, socket: Socket) -> Path | None:
        """The path of a socket, which is joined; None where none leads to a port, which is reported."""
        path = Path(premises, socket.socket)
        wrong = self._trace(path, socket)
        if wrong:
            node = self.case.premises_node[premises]
            self.case.report(wrong[0], path.named(self.case), "a path to a port", wrong[1], node=node)
            return None
        for part in (path.joints, path.steps, path.stretches):
            part.reverse()
        return path

    def _trace(self, path: Path, socket: Socket) -> tuple[Kind, str] | None:
        """Notes what light passes from the socket to a port; what is wrong where it does not come to one."""
        end: End = socket
        passed: set[End] = set()
        while True:
            joint = self.joined.get(end)
            if joint is None:
                return Kind.PATH_BROKEN, f"dark at {named(end)}"
            if end in passed:
                return Kind.LOOP, f"it comes to {named(end)} again"
            passed.add(end)
            path.joints.append(joint)
            path.steps.append(self.case.sites[joint.site])
            other = joint.b if joint.a == end else joint.a
            if isinstance(other, Port):
                return None
            if isinstance(other, Socket):
                return Kind.PATH_BROKEN, f"it leads to {named(other)}"
            if isinstance(other, Leg):
                if other.leg == 0:
                    return Kind.LEG_BACKWARDS, f"it comes to {named(other)}, which is for the office's side"
                path.steps.append(self.case.splitters[other.splitter])
                end = Leg(other.splitter, 0)
            else:
                end = self._along(path, other)

    def _along(self, path: Path, end: Fibre) -> Fibre:
        """The other end of a fibre, where it is cut next."""
        cable = self.case.cables[end.cable]
        here, cuts = self.at[cable.id][end.site], self.cuts[end.cable, end.fibre]
        step = 1 if end.side is Side.DOWN else -1
        there = cuts[bisect_left(cuts, here) + step]
        path.steps.append(cable)
        stretches = range(here, there) if step == 1 else range(here - 1, there - 1, -1)
        path.stretches.extend((cable, end.fibre, stretch) for stretch in stretches)
        other = Fibre(cable.id, end.fibre, cable.sites[there], Side.UP if step == 1 else Side.DOWN)
        path.arrivals.append(other)
        return other


def check_light(case: Case) -> list[Path]:
    """The paths there are; reports where one should be and is not, and where one is and should not be."""
    light = Light(case)
    sockets: defaultdict[int, list[Socket]] = defaultdict(list)
    for end in light.joined:
        row = case.sites[end.site].premises if isinstance(end, Socket) else None
        if isinstance(end, Socket) and row is not None:
            sockets[row].append(end)
    served = _check_served(case)
    paths: list[Path] = []
    for premises in sorted(sockets.keys() | served):
        node, where = case.premises_node[premises], case.name(premises)
        found = sorted(sockets[premises], key=lambda socket: socket.socket)
        if premises not in served:
            case.report(Kind.NOT_SERVED, where, "not served", f"{len(found)} sockets are joined", node=node)
            continue
        _check_sockets(case, premises, [socket.socket for socket in found])
        paths.extend(path for socket in found if (path := light.path(premises, socket)))
    return paths


def needed_sockets(case: Case, premises: int) -> int:
    return case.need[premises] * case.architecture.fibres_per_premises


def _check_served(case: Case) -> set[int]:
    """Those who are served and are there."""
    design = case.design
    everyone = set(range(len(case.premises_node)))
    served = everyone & set(design.served)
    for claimed, listed, known in (("served", design.served, everyone), ("with a second way", design.second, served)):
        for row, count in sorted(Counter(listed).items()):
            if row not in known:
                true = "not served" if row in everyone else "no such premises"
                case.report(Kind.SERVED_UNKNOWN, f"premises {row}", claimed, true)
            elif count > 1:
                case.report(Kind.SERVED_UNKNOWN, case.name(row), f"{claimed} {count} times", "once")
    for row in sorted(served):
        node = case.premises_node[row]
        if case.need[row] < 1:
            case.report(Kind.SERVED_WITHOUT_NEED, case.name(row), "served", "it needs no fibre", node=node)
        if not 0 <= node < case.node_count or case.ground.part[node] < 0:
            case.report(
                Kind.SERVED_UNREACHED, case.name(row), "served", "no way that may be used reaches it", node=node
            )
    return served


def _check_sockets(case: Case, premises: int, numbers: list[int]) -> None:
    """As many sockets as are needed, from 1, and for a second way more behind them."""
    needed, node, where = needed_sockets(case, premises), case.premises_node[premises], case.name(premises)
    has_second = premises in case.second
    if not numbers:
        case.report(Kind.UNLIT, where, "served", "no socket of it is joined", node=node)
        return
    missing = sorted(set(range(1, needed + 1)) - set(numbers))
    if missing:
        case.report(Kind.UNLIT, where, f"{needed} fibres are needed", f"sockets {missing} are not joined", node=node)
    beyond = [number for number in numbers if number > needed]
    if beyond and not has_second:
        case.report(Kind.SOCKET_BEYOND, where, f"sockets {beyond} are joined", f"it needs {needed}", node=node)
    if has_second and not beyond:
        case.report(Kind.SECOND_MISSING, where, "a second way", f"no socket after {needed} is joined", node=node)
