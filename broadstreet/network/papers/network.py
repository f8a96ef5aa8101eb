"""A plan by the Open Fibre Data Standard: its sites as nodes, its cables as spans from site to site.

What leads to one customer alone is not in it: drops and premises are nobody else's business.
"""

from __future__ import annotations

import uuid
from typing import Final

from broadstreet.network.design import Role, SiteKind
from broadstreet.network.ground import WayKind
from broadstreet.network.ofds import Network, Plan, PlannedNode, PlannedPhase, PlannedSpan, designed
from broadstreet.network.papers.dossier import Dossier
from broadstreet.network.papers.layers import Drawer

NAMESPACE: Final = uuid.UUID("7b0c5a0e-6d0e-5f5c-9a55-3b7f4a1e9c21")
"""Of ids of planned networks; what is within it goes by the ground and the title."""
_TYPES: Final = {
    SiteKind.OFFICE: (("exchange",), "exchange"),
    SiteKind.CABINET: (("cabinet",), "cabinet"),
    SiteKind.CLOSURE: (("aggregationPoint",), "cableWell"),
}


def network_of(dossier: Dossier, *, owner: str | None = None, namespace: uuid.UUID = NAMESPACE) -> Network:
    """The network. Its id is of the ground and the title, so that a plan made again keeps it."""
    has_phases = dossier.phases > 1
    nodes = tuple(
        PlannedNode(
            key=site.id,
            place=dossier.site_place(site),
            name=f"{site.id}, {dossier.site_where(site)}",
            types=_TYPES[site.kind][0],
            carrier=_TYPES[site.kind][1],
            has_power=True if site.kind is SiteKind.OFFICE else None,
            phase=str(dossier.lit.get(site.id, 1)) if has_phases else None,
        )
        for site in dossier.sites.values()
        if site.kind is not SiteKind.PREMISES
    )
    phases = range(1, dossier.phases + 1) if has_phases else ()
    return designed(
        Plan(
            key=f"{dossier.design.ground}/{dossier.imprint.title}",
            name=dossier.imprint.title,
            nodes=nodes,
            spans=_spans(dossier, has_phases=has_phases),
            phases=tuple(PlannedPhase(key=str(phase), name=f"Phase {phase}") for phase in phases),
            owner=owner,
            date=dossier.imprint.date,
        ),
        namespace,
    )


def _spans(dossier: Dossier, *, has_phases: bool) -> tuple[PlannedSpan, ...]:
    drawer, found = Drawer(dossier), []
    kinds = dossier.ground.ways.kind
    for cable in dossier.cables.values():
        if cable.role is Role.DROP:
            continue
        for number, ways in enumerate(cable.ways):
            on_poles = bool(ways) and all(kinds[way] == WayKind.POLE_LINE for way in ways)
            points = drawer.stretch(cable, number)
            found.append(
                PlannedSpan(
                    key=f"{cable.id}/{number + 1}",
                    start=cable.sites[number],
                    end=cable.sites[number + 1],
                    points=tuple((lon, lat) for lon, lat in points)
                    if points[0] != points[-1] or len(points) > 2
                    else (),
                    name=f"{cable.id}, {cable.sites[number]} to {cable.sites[number + 1]}",
                    carrier="pole" if on_poles else "duct",
                    deployment="aboveGround" if on_poles else "belowGround",
                    fibres=cable.fibres,
                    cable_m=dossier.stretch_m(cable, number),
                    phase=str(dossier.cable_phase(cable)) if has_phases else None,
                )
            )
    return tuple(found)
