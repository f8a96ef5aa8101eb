"""Whether each piece is one that there can be: an id of its own, a place, a size, sites that are there."""

from __future__ import annotations

from collections import Counter

from broadstreet.network.design import Cable, Role, Site, SiteKind
from broadstreet.network.proof.case import Case, in_range
from broadstreet.network.proof.finding import FindingKind as Kind


def check_pieces(case: Case) -> None:
    """Takes the pieces that can be looked at further."""
    design = case.design
    ids = Counter(
        piece.id for pieces in (design.sites, design.ducts, design.cables, design.splitters) for piece in pieces
    )
    for id, count in ids.items():
        if count > 1:
            case.report(Kind.ID_TWICE, f"piece {id}", f"{count} pieces of this id", "one piece has an id")
    case.sites = {site.id: site for site in design.sites if _is_placed(case, site)}
    rows = Counter(_row(site) for site in case.sites.values())
    for site in case.sites.values():
        if _row(site) != (site.kind, None) and rows[_row(site)] > 1:
            case.report(Kind.SITE_TWICE, f"site {site.id}", "another site of the same row", "one site", node=site.node)
    case.ducts = {duct.id: duct for duct in design.ducts}
    case.cables = {cable.id: cable for cable in design.cables if _has_shape(case, cable)}
    for cable in case.cables.values():
        _check_drop(case, cable)
    _check_splitters(case)


def _row(site: Site) -> tuple[SiteKind, int | None]:
    """The row of the ground that a site is of; None where its kind has none."""
    rows = {SiteKind.OFFICE: site.office, SiteKind.PREMISES: site.premises}
    return site.kind, rows.get(site.kind)


def _is_placed(case: Case, site: Site) -> bool:
    """Whether a site has a row where its kind has one; reports whatever is wrong with it."""
    where = f"site {site.id}"
    catalogue, node = case.catalogue, site.node
    if not 0 <= node < case.node_count:
        case.report(Kind.SITE_PLACE, where, f"at node {node}", f"the ground has {case.node_count} nodes")
        return False
    if site.kind in (SiteKind.CABINET, SiteKind.CLOSURE):
        sizes = list(catalogue.cabinet) if site.kind is SiteKind.CABINET else list(catalogue.closure)
        if site.size not in sizes:
            case.report(Kind.SITE_SIZE, where, f"a {site.kind} of {site.size}", f"there are {sizes}", node=node)
        return True
    row, nodes = _row(site)[1], case.office_node if site.kind is SiteKind.OFFICE else case.premises_node
    if row is None or not in_range(row, nodes):
        case.report(Kind.SITE_PLACE, where, f"{site.kind} {row}", f"the ground has {len(nodes)} of them", node=node)
        return False
    if nodes[row] != node:
        case.report(Kind.SITE_PLACE, where, f"{site.kind} {row} at node {node}", f"node {nodes[row]}", node=node)
    return True


def _has_shape(case: Case, cable: Cable) -> bool:
    """Whether a cable's sites are there and its stretches as many as they should be."""
    where = f"cable {cable.id}"
    for id in cable.sites:
        if id not in case.sites:
            case.report(Kind.UNKNOWN_PIECE, where, f"passes site {id}", "no such site")
            return False
    first = case.sites[cable.sites[0]].node if cable.sites else None
    wrong = ""
    if len(cable.sites) < 2 or len(set(cable.sites)) < len(cable.sites):
        wrong = "two sites or more, each once"
    elif len(cable.ways) != len(cable.sites) - 1:
        wrong = f"{len(cable.sites) - 1} stretches"
    elif [len(ways) for ways in cable.ways] != [len(ducts) for ducts in cable.ducts]:
        wrong = "a duct, or none, named for each way"
    elif cable.fibres < 1:
        wrong = "a cable has fibres"
    if wrong:
        claimed = f"{len(cable.sites)} sites, {len(cable.ways)} stretches, {cable.fibres} fibres"
        case.report(Kind.CABLE_SHAPE, where, claimed, wrong, node=first)
    return not wrong


def _check_drop(case: Case, cable: Cable) -> None:
    """A drop runs from a site to its premises, where no other cable comes; in a PON none begins at an office."""
    kinds = [case.sites[id].kind for id in cable.sites]
    at_premises = [kind is SiteKind.PREMISES for kind in kinds]
    wanted = [False, True] if cable.role is Role.DROP else [False] * len(cable.sites)
    if at_premises != wanted:
        claimed = f"a {cable.role} cable through {', '.join(cable.sites)}"
        true = "a drop has two sites, the second its premises; no other cable has premises"
        case.report(Kind.DROP_PLACE, f"cable {cable.id}", claimed, true, node=case.sites[cable.sites[0]].node)
    elif cable.role is Role.DROP and kinds[0] is SiteKind.OFFICE and case.architecture.splitters:
        claimed, true = f"a drop from office {cable.sites[0]}", "in a PON it begins at a cabinet or closure"
        case.report(Kind.DROP_PLACE, f"cable {cable.id}", claimed, true, node=case.sites[cable.sites[0]].node)


def _check_splitters(case: Case) -> None:
    """Splitters stand where they can, in the ratio that their stage has."""
    ratios = case.architecture.splitters
    for splitter in case.design.splitters:
        where = f"splitter {splitter.id}"
        site = case.sites.get(splitter.site)
        if site is None:
            case.report(Kind.UNKNOWN_PIECE, where, f"in site {splitter.site}", "no such site")
            continue
        if site.kind not in (SiteKind.CABINET, SiteKind.CLOSURE):
            case.report(Kind.SPLITTER_SITE, where, f"in the {site.kind} {site.id}", "in none", node=site.node)
        elif splitter.stage == 0 and site.kind is not SiteKind.CABINET:
            case.report(Kind.SPLITTER_SITE, where, f"of stage 0 in closure {site.id}", "in a cabinet", node=site.node)
        if splitter.ratio not in case.catalogue.splitter or splitter.ratio not in case.optics.splitter:
            true = f"there are {list(case.catalogue.splitter)}"
            case.report(Kind.SPLITTER_RATIO, where, f"1:{splitter.ratio}", true, node=site.node)
            continue
        if not in_range(splitter.stage, ratios) or ratios[splitter.stage] != splitter.ratio:
            claimed = f"1:{splitter.ratio} in stage {splitter.stage}"
            case.report(Kind.SPLITTER_RATIO, where, claimed, f"the stages are {ratios}", node=site.node)
        case.splitters[splitter.id] = splitter
