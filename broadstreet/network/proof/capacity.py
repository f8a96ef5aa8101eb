"""Whether what stands takes what comes to it, and what spare is asked for is kept."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from broadstreet.network.design import Fibre, Role, Site, SiteKind
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.finding import FindingKind as Kind
from broadstreet.network.proof.light import Path

_ROUNDING: Final = 1e-9


def check_capacity(case: Case, paths: list[Path]) -> None:
    _check_sites(case, paths)
    _check_cables(case, paths)


def _check_sites(case: Case, paths: list[Path]) -> None:
    arrivals: defaultdict[str, set[Fibre]] = defaultdict(set)
    for path in paths:
        for end in path.arrivals:
            arrivals[end.site].add(end)
    splitters = Counter(splitter.site for splitter in case.splitters.values())
    joints = Counter(joint.site for joint in case.joints)
    for site in case.sites.values():
        if site.kind is SiteKind.CABINET:
            _check_cabinet(case, site, len(arrivals[site.id]), splitters[site.id])
        elif site.kind is SiteKind.CLOSURE and site.size is not None and joints[site.id] > site.size:
            claimed = f"a closure for {site.size} joints"
            case.report(Kind.CLOSURE_OVERFULL, f"site {site.id}", claimed, joints[site.id], node=site.node)
        elif site.kind is SiteKind.OFFICE:
            ending = [cable for cable in case.cables.values() if site.id in (cable.sites[0], cable.sites[-1])]
            fibres = sum(cable.fibres for cable in ending)
            most = case.catalogue.central_office.fibres
            if fibres > most:
                claimed = f"an office for {most} fibres"
                case.report(Kind.OFFICE_OVERFULL, f"site {site.id}", claimed, fibres, node=site.node)


def _check_cabinet(case: Case, site: Site, fibres: int, splitters: int) -> None:
    cabinet = case.catalogue.cabinet.get(site.size or 0)
    if cabinet is None or site.size is None:
        return
    where, share = f"site {site.id}", case.architecture.spare_cabinet
    if fibres > site.size:
        case.report(Kind.CABINET_OVERFULL, where, f"a cabinet for {site.size} fibres", fibres, node=site.node)
    elif fibres * (1 + share) > site.size + _ROUNDING:
        claimed = f"{site.size} fibres, of which a spare of {share:.0%} beyond those in use"
        case.report(Kind.SPARE_CABINET, where, claimed, f"{fibres} in use", node=site.node)
    if splitters > cabinet.splitters:
        claimed = f"a cabinet for {cabinet.splitters} splitters"
        case.report(Kind.CABINET_SPLITTERS, where, claimed, splitters, node=site.node)


def _check_cables(case: Case, paths: list[Path]) -> None:
    """Beside the fibres that light goes through on its fullest stretch, a cable keeps its role's spare."""
    shares = {
        Role.FEEDER: case.architecture.spare_feeder,
        Role.DISTRIBUTION: case.architecture.spare_distribution,
        Role.DROP: 0.0,
    }
    lit: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for path in paths:
        for cable, fibre, stretch in path.stretches:
            lit[cable.id, stretch].add(fibre)
    for cable in case.cables.values():
        used = max(len(lit[cable.id, stretch]) for stretch in range(len(cable.ways)))
        if used * (1 + shares[cable.role]) > cable.fibres + _ROUNDING:
            claimed = f"{cable.fibres} fibres, of which a spare of {shares[cable.role]:.0%} beyond those in use"
            node = case.sites[cable.sites[0]].node
            case.report(Kind.SPARE_CABLE, f"cable {cable.id}", claimed, f"{used} in use", node=node)
