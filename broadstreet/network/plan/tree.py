"""A plan on a tree that is given: places, pieces, light, price and bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Design, Role, SiteKind, Statement
from broadstreet.network.ground.architecture import Architecture, check_architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.optics import Optics
from broadstreet.network.plan.bound import terms_of
from broadstreet.network.plan.building import build
from broadstreet.network.plan.ducts import in_ducts
from broadstreet.network.plan.light import Light, connectors, paths, refuse
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.pricing import bill_of
from broadstreet.network.plan.rooted import Rooted


def plan_tree(
    ground: Ground,
    architecture: Architecture,
    optics: Optics,
    office: int,
    opened: Iterable[int],
    *,
    served: Sequence[int] | None = None,
    opening_cents: int = 0,
    method: str = "none",
) -> Statement:
    """The network on these ways, which must be a tree from the office to the premises.

    office: its row. served: rows of premises; None: all. Ways that lead to nobody are not opened; those that
    are locked are, always. opening_cents, method: a bound of the ways (`way_cents`), where one is known.

    Raises InvalidInput where the ways are no tree, premises are not on it or their drops too long, a path is not what
    its class allows, or plant has no room for the cables.
    """
    check_architecture(architecture, ground.catalogue, optics)
    rows = sorted(set(range(len(ground.premises)) if served is None else served))
    prices = Prices(ground.catalogue, architecture)
    tree = Rooted.of(ground, int(ground.offices.node[office]), opened)
    _check_premises(ground, architecture, tree, rows)
    draft = build(ground, prices, tree, office, rows)
    ending = sum(cable.fibres for cable in draft.cables if draft.sites[cable.sites[0]].kind is SiteKind.OFFICE)
    if ending > (most := ground.catalogue.central_office.fibres):
        raise InvalidInput(
            f"cables of {ending} fibres would end in the office, which takes {most}",
            where=f"office {ground.offices.ids[office]}",
            remedy="Plan from several offices, serve fewer premises, or choose a greater splitter.",
        )
    ducted = in_ducts(ground, prices, tree, draft.cables)
    if ducted.crowded:
        raise Crowded(ducted.crowded)
    sites = draft.standing_sites()
    rays = Light(ground, sites, ducted.cables, draft.joints).rays()
    joined = connectors(rays, architecture)
    ratios = {splitter.id: splitter.ratio for splitter in draft.splitters}
    found = paths(ground, architecture, optics, rays, joined, ratios)
    used = {way for cable in ducted.cables for stretch in cable.ways for way in stretch}
    kept = used.union(np.flatnonzero(ground.ways.locked).tolist())
    joints = [
        msgspec.structs.replace(joint, is_connector=True) if number in joined else joint
        for number, joint in enumerate(draft.joints)
    ]
    design = Design(
        ground.digest,
        tuple(sorted(kept)),
        tuple(rows),
        (),
        sites,
        ducted.ducts,
        tuple(sorted(ducted.cables, key=lambda cable: tuple(Role).index(cable.role))),
        tuple(draft.splitters),
        tuple(joints),
    )
    bill = bill_of(ground, design)
    terms = terms_of(ground, prices, design, bill, opening_cents, method)
    return Statement(design, bill, terms, found, architecture.optical_class)


class Crowded(InvalidInput):
    """Ways of plant have no room for the cables that would lie in them."""

    def __init__(self, ways: Sequence[int]) -> None:
        self.ways = tuple(ways)
        super().__init__(
            f"more cables would lie in {len(self.ways)} ways of plant than find room there",
            where=f"way {self.ways[0]}",
            remedy="Leave these ways out, or correct their room.",
        )


def _check_premises(ground: Ground, architecture: Architecture, tree: Rooted, rows: Sequence[int]) -> None:
    premises = ground.premises
    if not rows:
        raise InvalidInput("there is nobody to serve", where="served", remedy="Name premises, or give the ground some.")
    if astray := [row for row in rows if int(premises.node[row]) not in tree.at]:
        refuse(ground, astray, "the opened ways do not lead to these premises", "Open ways that do.")
    if far := [row for row in rows if float(premises.drop_m[row]) > architecture.longest_drop_m]:
        what = f"the drop is longer than {architecture.longest_drop_m:g} m"
        refuse(ground, far, what, "Allow longer drops (longest_drop_m), or leave these premises out.")
