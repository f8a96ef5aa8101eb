"""What the standard asks beyond each member's type, and what a planner should know before relying on a network.

The standard's own rules hold between objects: an id names one thing of its list, whoever is referred to is there and
called so, spans end at nodes, places have a reference system. The rest is advice: what the real networks were seen to
get wrong, though nothing forbids it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from broadstreet.network.ofds.codes import ELSEWHERE
from broadstreet.network.ofds.course import Course, courses, distance_m, nodes_by_id, place_of, same_courses
from broadstreet.network.ofds.fault import Faults, Kind, shown
from broadstreet.network.ofds.network import (
    SCHEMA,
    Contract,
    Infrastructure,
    Network,
    Node,
    Organisation,
    Phase,
    Reference,
    Span,
    Wayleave,
)
from broadstreet.network.ofds.part import give, take

FAR_END_M: Final = 100.0
"""How far a route may end from its span's node before it is said."""

Place = tuple[float, float]
Identified = Node | Span | Phase | Organisation | Wayleave | Contract

_NEW_ID: Final = "Give each an id of its own, and mend what refers to it."


def check(network: Network, at: str, faults: Faults) -> None:
    """Note what is wrong between a network's objects, and give the faults found in it so far their places.

    at: the network's path, such as /networks/0.
    """
    ways = courses(network)
    _links(network, at, faults)
    _crs(network, at, faults)
    for name, things in _identified(network).items():
        _ids(name, things, f"{at}/{name}", faults)
        if name in ("nodes", "spans", "phases", "organisations"):
            _names(things, f"{at}/{name}", faults)
    _references(network, at, faults)
    if not any(link.rel in ELSEWHERE for link in network.links):
        _ends(network, at, faults)
    _courses(network, ways, at, faults)
    faults.settle(at, dict(_places(network, ways)))


def examine(network: Network, at: str = "") -> Faults:
    """What is wrong with a network as it would be written, in its objects and between them."""
    faults = Faults()
    check(take(Network, give(network), at, faults), at, faults)
    return faults


def _identified(network: Network) -> dict[str, Sequence[Identified]]:
    """What has an id of its own, by the name of its list."""
    return {
        "nodes": network.nodes,
        "spans": network.spans,
        "phases": network.phases,
        "organisations": network.organisations,
        "wayleaves": network.wayleaves,
        "contracts": network.contracts,
    }


def _links(network: Network, at: str, faults: Faults) -> None:
    for n, link in enumerate(network.links):
        path = f"{at}/links/{n}"
        if n == 0 and (link.rel != "describedby" or link.href != SCHEMA):
            what = f"the first link does not name the schema of 0.4 but {shown(link.href)} as {shown(link.rel)}"
            faults.add(Kind.WRONG_VALUE, path, what, f"Begin the links with describedby {SCHEMA}.")
        if n and (link.rel or "").startswith("describedby"):
            faults.add(Kind.NOT_ALLOWED, f"{path}/rel", "only the first link may be describedby", "Remove it.")


def _crs(network: Network, at: str, faults: Faults) -> None:
    if network.crs is None and "crs" not in network.other and has_places(network):
        what = "there are coordinates, and no coordinate reference system"
        faults.add(Kind.NO_CRS, f"{at}/crs", what, "Name CRS84 in 'crs', if they are WGS 84 degrees, longitude first.")


def has_places(network: Network) -> bool:
    """Whether any node has a place, or any span a route."""
    return any(node.location is not None for node in network.nodes) or any(span.route for span in network.spans)


def _ids(name: str, things: Iterable[Identified], at: str, faults: Faults) -> None:
    first: dict[str, int] = {}
    for n, thing in enumerate(things):
        if thing.id is not None and first.setdefault(thing.id, n) != n:
            what = f"{name} {first[thing.id]} and {n} have one id, {shown(thing.id)}"
            faults.add(Kind.REPEATED_ID, f"{at}/{n}/id", what, _NEW_ID)


def _names(things: Iterable[Identified], at: str, faults: Faults) -> None:
    first: dict[str, int] = {}
    for n, thing in enumerate(things):
        name = None if isinstance(thing, Wayleave | Contract) else thing.name
        if name and first.setdefault(name, n) != n:
            what = f"the name {shown(name)} is that of number {first[name]} too"
            faults.add(Kind.SAME_NAME, f"{at}/{n}/name", what, "Names should tell things apart.")


def _references(network: Network, at: str, faults: Faults) -> None:
    organisations = _called(network.organisations)
    phases = _called(network.phases)
    for path, reference in _organisations(network):
        _refers(reference, organisations, at + path, Kind.UNKNOWN_ORGANISATION, faults)
    for path, reference in _phases(network):
        _refers(reference, phases, at + path, Kind.UNKNOWN_PHASE, faults)
    wayleaves = {wayleave.id for wayleave in network.wayleaves}
    for n, span in enumerate(network.spans):
        for m, wayleave in enumerate(span.wayleaves):
            if wayleave not in wayleaves:
                path, what = f"{at}/spans/{n}/wayleaves/{m}", f"there is no wayleave {shown(wayleave)}"
                faults.add(Kind.UNKNOWN_WAYLEAVE, path, what, "Add it to 'wayleaves', or refer to one that is there.")
    for n, node in enumerate(network.nodes):
        for m, address in enumerate(node.international_connections):
            if not address.country and "country" not in address.other:
                path = f"{at}/nodes/{n}/internationalConnections/{m}/country"
                faults.add(Kind.NO_COUNTRY, path, "an international connection without its country", "Name it.")


def _called(things: Iterable[Organisation | Phase]) -> dict[str, str | None]:
    """Names by ids; of several with one id, the first's."""
    names: dict[str, str | None] = {}
    for thing in things:
        if thing.id is not None:
            names.setdefault(thing.id, thing.name)
    return names


def _refers(reference: Reference, names: Mapping[str, str | None], path: str, kind: Kind, faults: Faults) -> None:
    if reference.id is None:
        return
    sort = "phase" if kind is Kind.UNKNOWN_PHASE else "organisation"
    if reference.id not in names:
        what = f"there is no {sort} {shown(reference.id)}"
        faults.add(kind, f"{path}/id", what, f"Add it to '{sort}s', or refer to one that is there.")
    elif reference.name and reference.name != names[reference.id]:
        what = f"it is called {shown(names[reference.id])} there, {shown(reference.name)} here"
        faults.add(Kind.OTHER_NAME, f"{path}/name", what, "Write the name as there, or leave it out.")


def _organisations(network: Network) -> Iterator[tuple[str, Reference]]:
    """Every reference to an organisation, with its path in the network."""
    lists: tuple[tuple[str, Sequence[Node | Span]], ...] = (("nodes", network.nodes), ("spans", network.spans))
    for name, things in lists:
        for n, thing in enumerate(things):
            path = f"/{name}/{n}"
            single = {"transmissionMediumOwner": thing.transmission_medium_owner}
            if isinstance(thing, Span):
                single["supplier"] = thing.supplier
            single["supportingInfrastructure/owner"] = _owner(thing.supporting_infrastructure)
            yield from ((f"{path}/{member}", one) for member, one in single.items() if one is not None)
            yield from ((f"{path}/networkProviders/{m}", one) for m, one in enumerate(thing.network_providers))
    for n, phase in enumerate(network.phases):
        yield from ((f"/phases/{n}/funders/{m}", one) for m, one in enumerate(phase.funders))
    for n, wayleave in enumerate(network.wayleaves):
        if wayleave.grantor is not None:
            yield f"/wayleaves/{n}/grantor", wayleave.grantor


def _owner(infrastructure: Infrastructure | None) -> Reference | None:
    return infrastructure.owner if infrastructure is not None else None


def _phases(network: Network) -> Iterator[tuple[str, Reference]]:
    """Every reference to a phase, with its path in the network."""
    for n, node in enumerate(network.nodes):
        if node.phase is not None:
            yield f"/nodes/{n}/phase", node.phase
    for n, span in enumerate(network.spans):
        if span.phase is not None:
            yield f"/spans/{n}/phase", span.phase
    for n, contract in enumerate(network.contracts):
        yield from ((f"/contracts/{n}/relatedPhases/{m}", one) for m, one in enumerate(contract.related_phases))


def _ends(network: Network, at: str, faults: Faults) -> None:
    known = {node.id for node in network.nodes}
    used: set[str | None] = set()
    for n, span in enumerate(network.spans):
        for end, id_ in (("start", span.start), ("end", span.end)):
            path = f"{at}/spans/{n}/{end}"
            used.add(id_)
            if id_ is None:
                if end not in span.other:
                    faults.add(Kind.LOOSE_END, path, f"the span names no node at its {end}", "Name the node there.")
            elif id_ not in known:
                remedy = "Add the node, or refer to one that is there."
                faults.add(Kind.UNKNOWN_NODE, path, f"there is no node {shown(id_)}", remedy)
    for n, node in enumerate(network.nodes):
        if node.id is not None and node.id not in used:
            what = f"no span begins or ends at node {shown(node.id)}"
            faults.add(Kind.UNUSED_NODE, f"{at}/nodes/{n}", what, "Connect it, if a span is missing.")


def _courses(network: Network, ways: list[Course | None], at: str, faults: Faults) -> None:
    nodes = nodes_by_id(network)
    for n, (span, way) in enumerate(zip(network.spans, ways, strict=True)):
        if way is None:
            continue
        path = f"{at}/spans/{n}/route"
        if len(set(way.points)) == 1:
            faults.add(Kind.NO_LENGTH, path, "the span stays at one point", "Draw where it runs, or remove it.")
        if not way.is_straight:
            off_m, end = _off(way, place_of(nodes.get(span.start or "")), place_of(nodes.get(span.end or "")))
            if off_m > FAR_END_M:
                what = f"the route ends {_far(off_m)} from the span's node"
                faults.add(Kind.FAR_END, path, what, "See which is wrong: the route, the node's place or its id.", end)
    for n, earlier in same_courses(ways).items():
        what = f"it runs as span {earlier} does: one span twice, or two cables in one trench"
        faults.add(Kind.SAME_COURSE, f"{at}/spans/{n}", what, "Remove it, if it is a copy: lengths count it twice.")
    first: dict[tuple[float, float], int] = {}
    for n, node in enumerate(network.nodes):
        place = place_of(node)
        if place is not None and first.setdefault(place, n) != n:
            remedy = "Merge them, if they are one."
            faults.add(Kind.SAME_PLACE, f"{at}/nodes/{n}", f"it is where node {first[place]} is", remedy)


def _off(way: Course, start: Place | None, end: Place | None) -> tuple[float, Place]:
    """How far the course is from its nodes' places at the worse end, in metres, and that end; in the better sense."""

    def worst(points: tuple[Place, ...]) -> tuple[float, Place]:
        pairs = [(points[0], start), (points[-1], end)]
        return max((distance_m(point, place) if place is not None else 0.0, point) for point, place in pairs)

    return min(worst(way.points), worst(way.points[::-1]))


def _far(metres: float) -> str:
    return f"{metres:,.0f} m" if metres < 10_000 else f"{metres / 1000:,.0f} km"


def _places(network: Network, ways: list[Course | None]) -> Iterator[tuple[str, tuple[float, float]]]:
    """Where each node and span is, by its path in the network."""
    for n, node in enumerate(network.nodes):
        place = place_of(node)
        if place is not None:
            yield f"/nodes/{n}", place
    for n, way in enumerate(ways):
        if way is not None:
            yield f"/spans/{n}", way.points[0]
