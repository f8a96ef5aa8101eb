"""A plan by the Open Fibre Data Standard: its sites as nodes, its cables as spans from site to site.

What leads to one customer alone is not in it: drops and premises are nobody else's business.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from broadstreet.network.design import Duct, Role, Site, SiteKind
from broadstreet.network.ground import WayKind
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.ofds import Network, Plan, PlannedNode, PlannedPhase, PlannedSpan, designed
from broadstreet.network.papers.dossier import Dossier, listed
from broadstreet.network.papers.layers import Drawer

NAMESPACE: Final = uuid.UUID("7b0c5a0e-6d0e-5f5c-9a55-3b7f4a1e9c21")
"""Of ids of planned networks; what is within it goes by the ground and the title."""
_TYPES: Final = {
    SiteKind.OFFICE: ("exchange", "exchange"),
    SiteKind.CABINET: ("cabinet", "cabinet"),
    SiteKind.CLOSURE: ("aggregationPoint", "cableWell"),
}


def network_of(dossier: Dossier, *, owner: str | None = None, namespace: uuid.UUID = NAMESPACE) -> Network:
    """The network. Its id is of the ground and the title, so that a plan made again keeps it.

    Sites at one place are one node, as the standard has it, and a cable that only goes from one of them to the other is
    no span: every span has a route.
    """
    has_phases = dossier.phases > 1
    together = _places(dossier)
    nodes = tuple(_node(dossier, sites, has_phases=has_phases) for sites in together)
    phases = range(1, dossier.phases + 1) if has_phases else ()
    return designed(
        Plan(
            key=f"{dossier.design.ground}/{dossier.imprint.title}",
            name=dossier.imprint.title,
            nodes=nodes,
            spans=_spans(
                dossier, {site.id: sites[0].id for sites in together for site in sites}, has_phases=has_phases
            ),
            phases=tuple(PlannedPhase(key=str(phase), name=f"Phase {phase}") for phase in phases),
            owner=owner,
            date=dossier.imprint.date,
        ),
        namespace,
    )


def _places(dossier: Dossier) -> list[list[Site]]:
    """Sites but premises, those at one place together: an office or a cabinet before a closure."""
    found: dict[tuple[float, float], list[Site]] = {}
    for site in dossier.sites.values():
        if site.kind is not SiteKind.PREMISES:
            found.setdefault(dossier.site_place(site), []).append(site)
    return [sorted(sites, key=lambda site: list(_TYPES).index(site.kind)) for sites in found.values()]


def _node(dossier: Dossier, sites: Sequence[Site], *, has_phases: bool) -> PlannedNode:
    first = sites[0]
    return PlannedNode(
        key=first.id,
        place=dossier.site_place(first),
        name=f"{listed([site.id for site in sites])}, {dossier.site_where(first)}",
        types=tuple(dict.fromkeys(_TYPES[site.kind][0] for site in sites)),
        carrier=_TYPES[first.kind][1],
        has_power=True if first.kind is SiteKind.OFFICE else None,
        phase=str(min(dossier.lit.get(site.id, 1) for site in sites)) if has_phases else None,
    )


def _spans(dossier: Dossier, node: Mapping[str, str], *, has_phases: bool) -> tuple[PlannedSpan, ...]:
    """node: the key of each site's."""
    drawer, found, room = Drawer(dossier), [], _Room(dossier)
    kinds = dossier.ground.ways.kind
    for cable in dossier.cables.values():
        if cable.role is Role.DROP:
            continue
        for number, ways in enumerate(cable.ways):
            start, end = cable.sites[number : number + 2]
            points = tuple((lon, lat) for lon, lat in drawer.stretch(cable, number))
            if len(set(points)) == 1:
                continue
            on_poles = bool(ways) and all(kinds[way] == WayKind.POLE_LINE for way in ways)
            found.append(
                PlannedSpan(
                    key=f"{cable.id}/{number + 1}",
                    start=node[start],
                    end=node[end],
                    points=points,
                    name=f"{cable.id}, {start} to {end}",
                    carrier="pole" if on_poles else "duct",
                    # What is full by the catalogue is not said to be: whether a cable is drawn in over another is
                    # not the plan's to say.
                    is_spare=True if ways and all(map(room.is_left, ways)) else None,
                    deployment="aboveGround" if on_poles else "belowGround",
                    fibres=cable.fibres,
                    cable_m=dossier.stretch_m(cable, number),
                    phase=str(dossier.cable_phase(cable)) if has_phases else None,
                )
            )
    return tuple(found)


class _Room:
    """Whether one cable more finds room on a way: in a tube of one of its ducts, or in plant."""

    def __init__(self, dossier: Dossier) -> None:
        self._dossier = dossier
        self._held = Counter(
            (duct, way)
            for cable in dossier.design.cables
            for ways, ducts in zip(cable.ways, cable.ducts, strict=True)
            for way, duct in zip(ways, ducts, strict=True)
        )
        self._ducts: defaultdict[int, list[Duct]] = defaultdict(list)
        for duct in dossier.design.ducts:
            for way in duct.ways:
                self._ducts[way].append(duct)

    def is_left(self, way: int) -> bool:
        if int(self._dossier.ground.ways.kind[way]) in PLANT:
            room = int(self._dossier.ground.ways.room[way])
            return room < 0 or room > self._held["", way]
        kinds = self._dossier.ground.catalogue.duct
        return any(self._held[duct.id, way] < kinds[duct.kind].cables for duct in self._ducts[way])
