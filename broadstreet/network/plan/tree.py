"""A plan on trees that are given, one for each office: places, pieces, light, price and bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Design, Role, SiteKind, Statement
from broadstreet.network.ground.architecture import Architecture, check_architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.light import Light
from broadstreet.network.plan.bound import terms_of
from broadstreet.network.plan.building import build
from broadstreet.network.plan.draft import Draft
from broadstreet.network.plan.ducts import in_ducts
from broadstreet.network.plan.paths import connectors, paths, refuse
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.pricing import bill_of
from broadstreet.network.plan.rooted import Rooted, rooted
from broadstreet.network.plan.second import NO_SECOND, Second


def plan_tree(
    ground: Ground,
    architecture: Architecture,
    optics: Optics,
    offices: Sequence[int],
    opened: Iterable[int],
    *,
    served: Sequence[int] | None = None,
    second: Second = NO_SECOND,
    opening_cents: int = 0,
    method: str = "none",
) -> Statement:
    """The network on these ways, which must be trees to the premises, each from one of the offices.

    offices: their rows; one that nobody hangs on is left out. served: rows of premises; None: all. Ways that lead to
    nobody are not opened; those that are locked are, always. second: whose second ways are led along which trees; some
    of the ways may be in both. opening_cents, method: a bound of the ways (`way_cents`) with the offices, where one is
    known.

    Raises InvalidInput where the ways are no trees, premises are not on them or their drops too long, a path is not
    what its class allows, or plant has no room for the cables.
    """
    check_architecture(architecture, ground.catalogue, optics)
    rows = sorted(set(range(len(ground.premises)) if served is None else served))
    prices = Prices(ground.catalogue, architecture)
    check_drops(ground, architecture, rows)
    drafts = _drafts(ground, prices, offices, opened, rows, second)
    cables = [cable for draft in drafts for cable in draft.cables]
    splitters = [splitter for draft in drafts for splitter in draft.splitters]
    joints = [joint for draft in drafts for joint in draft.joints]
    ducted = in_ducts(ground, prices, [draft.tree for draft in drafts], cables)
    if ducted.crowded:
        raise Crowded(ducted.crowded)
    # An office, and premises with a second way, are in more than one draft.
    sites = tuple({site.id: site for draft in drafts for site in draft.standing_sites()}.values())
    light = Light(ground, sites, ducted.cables, joints)
    rays = light.rays()
    joined = connectors(rays, architecture, light.connectable())
    ratios = {splitter.id: splitter.ratio for splitter in splitters}
    found = paths(ground, architecture, optics, rays, joined, ratios)
    used = {way for cable in ducted.cables for stretch in cable.ways for way in stretch}
    kept = used.union(np.flatnonzero(ground.ways.locked).tolist())
    joined_as = [
        msgspec.structs.replace(joint, is_connector=True) if number in joined else joint
        for number, joint in enumerate(joints)
    ]
    design = Design(
        ground.digest,
        tuple(sorted(kept)),
        tuple(rows),
        tuple(sorted(second.rows)),
        sites,
        ducted.ducts,
        tuple(sorted(ducted.cables, key=lambda cable: tuple(Role).index(cable.role))),
        tuple(splitters),
        tuple(joined_as),
    )
    bill = bill_of(ground, design)
    terms = terms_of(ground, prices, design, bill, opening_cents, method)
    return Statement(design, bill, terms, found, architecture.optical_class)


def _drafts(
    ground: Ground, prices: Prices, offices: Sequence[int], opened: Iterable[int], rows: Sequence[int], second: Second
) -> list[Draft]:
    """A draft for each office with somebody on it, of first ways and then of second ones."""
    nodes = ground.offices.node[list(offices)].tolist()
    drafts = list[Draft]()
    numbers = Counter[str]()
    for leading, whom, is_second in ((opened, rows, False), (second.ways, second.rows, True)):
        if is_second and not whom:
            continue
        trees = rooted(ground, nodes, leading)
        hanging = _hanging(ground, trees, whom)
        for office, tree, here in zip(offices, trees, hanging, strict=True):
            if here:
                drafts.append(build(ground, prices, tree, office, here, numbers, is_second=is_second))
    _check_offices(ground, drafts)
    return drafts


class Overfull(InvalidInput):
    """More fibres would end in an office than it takes."""

    def __init__(self, fibres: int, most: int, office: str) -> None:
        super().__init__(
            f"cables of {fibres} fibres would end in the office, which takes {most}",
            where=f"office {office}",
            remedy="Plan from more offices, serve fewer premises, or choose a greater splitter.",
        )


class Crowded(InvalidInput):
    """Ways of plant have no room for the cables that would lie in them."""

    def __init__(self, ways: Sequence[int]) -> None:
        self.ways = tuple(ways)
        super().__init__(
            f"more cables would lie in {len(self.ways)} ways of plant than find room there",
            where=f"way {self.ways[0]}",
            remedy="Leave these ways out, or correct their room.",
        )


def check_drops(ground: Ground, architecture: Architecture, rows: Sequence[int]) -> None:
    """Raises InvalidInput where there is nobody to serve, or a drop is too long."""
    if not rows:
        raise InvalidInput("there is nobody to serve", where="served", remedy="Name premises, or give the ground some.")
    if far := [row for row in rows if float(ground.premises.drop_m[row]) > architecture.longest_drop_m]:
        what = f"the drop is longer than {architecture.longest_drop_m:g} m"
        refuse(ground, far, what, "Allow longer drops (longest_drop_m), or leave these premises out.")


def _hanging(ground: Ground, trees: Sequence[Rooted], rows: Sequence[int]) -> list[list[int]]:
    """The premises of each tree. Raises InvalidInput where some are on none."""
    of = {node: number for number, tree in enumerate(trees) for node in tree.at}
    nodes = ground.premises.node.tolist()
    if astray := [row for row in rows if nodes[row] not in of]:
        refuse(ground, astray, "the opened ways do not lead to these premises", "Open ways that do.")
    hanging: list[list[int]] = [[] for _ in trees]
    for row in rows:
        hanging[of[nodes[row]]].append(row)
    return hanging


def _check_offices(ground: Ground, drafts: Sequence[Draft]) -> None:
    ending = Counter[int]()
    for draft in drafts:
        for cable in draft.cables:
            site = draft.sites[cable.sites[0]]
            if site.kind is SiteKind.OFFICE and site.row is not None:
                ending[site.row] += cable.fibres
    most = ground.catalogue.central_office.fibres
    for office, fibres in sorted(ending.items()):
        if fibres <= most:
            continue
        raise Overfull(fibres, most, ground.offices.ids[office])
