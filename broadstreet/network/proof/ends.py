"""Whether the ends that joints name are there, at the joint's site, and each in one joint alone."""

from __future__ import annotations

from collections import defaultdict

from broadstreet.network.design import End, Fibre, Joint, Leg, Port, Side, SiteKind, Socket
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind


def check_ends(case: Case) -> None:
    """Takes the joints of ends that are there, each end once."""
    uses: defaultdict[End, list[Joint]] = defaultdict(list)
    taken: set[End] = set()
    for joint in case.design.joints:
        if joint.site not in case.sites:
            case.report(Kind.UNKNOWN_PIECE, str(joint.a), f"joined at site {joint.site}", "no such site")
            continue
        uses[joint.a].append(joint)
        uses[joint.b].append(joint)
        are_there = [_is_there(case, end, joint.site) for end in (joint.a, joint.b)]
        if all(are_there) and joint.a != joint.b and not taken & {joint.a, joint.b}:
            taken |= {joint.a, joint.b}
            case.joints.append(joint)
    for end, joints in uses.items():
        if len(joints) > 1:
            kind = Kind.PORT_TWICE if isinstance(end, Port) else Kind.END_TWICE
            node = case.sites[joints[0].site].node
            case.report(kind, named(end), f"in {len(joints)} joints", "an end is in one", node=node)


def named(end: End) -> str:
    if isinstance(end, Fibre):
        return f"fibre {end.fibre} of cable {end.cable} at site {end.site}, {end.side}"
    if isinstance(end, Leg):
        return f"leg {end.leg} of splitter {end.splitter}"
    if isinstance(end, Port):
        return f"port {end.port} of site {end.site}"
    return f"socket {end.socket} of site {end.site}"


def _is_there(case: Case, end: End, at: str) -> bool:
    """Whether the end is at the site; reports where it is not."""
    if isinstance(end, Fibre):
        wrong = _wrong_fibre(case, end)
        site = end.site
    elif isinstance(end, Leg):
        wrong = _wrong_leg(case, end)
        site = case.splitters[end.splitter].site if end.splitter in case.splitters else at
    else:
        wrong = _wrong_terminal(case, end)
        site = end.site
    if not wrong and site != at:
        wrong = Kind.END_NOT_THERE, f"it is at site {site}"
    if wrong:
        case.report(wrong[0], named(end), f"joined at site {at}", wrong[1], node=case.sites[at].node)
    return not wrong


def _wrong_fibre(case: Case, end: Fibre) -> tuple[Kind, str] | None:
    cable = case.cables.get(end.cable)
    if cable is None:
        return Kind.UNKNOWN_PIECE, "no such cable, or none that can be"
    if end.site not in cable.sites:
        return Kind.END_NOT_THERE, f"the cable passes {', '.join(cable.sites)}"
    if not 1 <= end.fibre <= cable.fibres:
        return Kind.FIBRE_BEYOND, f"the cable has {cable.fibres} fibres"
    if end.site == (cable.sites[0] if end.side is Side.UP else cable.sites[-1]):
        return Kind.NO_SIDE, "the cable ends there, and has no fibre on that side"
    return None


def _wrong_leg(case: Case, end: Leg) -> tuple[Kind, str] | None:
    splitter = case.splitters.get(end.splitter)
    if splitter is None:
        return Kind.UNKNOWN_PIECE, "no such splitter, or none that can be"
    if not 0 <= end.leg <= splitter.ratio:
        return Kind.SPLITTER_OVERFULL, f"it has the legs 0 to {splitter.ratio}"
    return None


def _wrong_terminal(case: Case, end: Port | Socket) -> tuple[Kind, str] | None:
    site = case.sites.get(end.site)
    if site is None:
        return Kind.UNKNOWN_PIECE, "no such site"
    if site.kind is not (SiteKind.OFFICE if isinstance(end, Port) else SiteKind.PREMISES):
        return Kind.END_NOT_THERE, f"site {site.id} is a {site.kind}"
    if isinstance(end, Port) and not 1 <= end.port <= case.catalogue.central_office.fibres:
        return Kind.PORT_BEYOND, f"an office has the ports 1 to {case.catalogue.central_office.fibres}"
    if isinstance(end, Socket) and end.socket < 1:
        return Kind.SOCKET_BEYOND, "sockets count from 1"
    return None
