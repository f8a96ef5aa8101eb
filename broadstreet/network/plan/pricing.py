"""What a design costs: its pieces counted, each at the catalogue's price."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

import numpy as np

from broadstreet.network.design import Bill, Design, Item, Port, Role, SiteKind, What
from broadstreet.network.ground.catalogue import SURFACES, Each, PerMetre
from broadstreet.network.ground.ground import NO_STREET, Ground
from broadstreet.network.ground.obstacles import OBSTACLES
from broadstreet.network.ground.streets import WayKind
from broadstreet.network.plan.prices import PLANT_KINDS

_EXISTING: Final = {WayKind.DUCT: "duct", WayKind.TRENCH: "trench", WayKind.FIBRE: "fibre"}


def bill_of(ground: Ground, design: Design) -> Bill:
    """All of it in one phase, as `Bill` says what counts."""
    items = [*_opening(ground, design), *_laying(ground, design), *_setting_up(ground, design)]
    return Bill(ground.catalogue.currency, tuple(item for item in items if item.quantity))


def _per_m(what: What, key: str, metres: float, price: PerMetre) -> Item:
    return Item(what, key, metres, "m", round(metres * price.labour_per_m), round(metres * price.material_per_m))


def _each(what: What, key: str, count: int, price: Each) -> Item:
    return Item(what, key, count, "each", count * price.labour_each, count * price.material_each)


def _opening(ground: Ground, design: Design) -> list[Item]:
    """Trenches, crossings, permits, and the use of what lies there."""
    catalogue, ways = ground.catalogue, ground.ways
    opened = np.array(design.opened, dtype=np.int64)
    is_plant = np.isin(ways.kind[opened], PLANT_KINDS)
    dug, used = opened[~is_plant], opened[is_plant]
    metres = ways.length_m
    items = []
    for number, surface in enumerate(SURFACES):
        length_m = float(metres[dug[ways.surface[dug] == number]].sum())
        items.append(_per_m(What.TRENCH, surface.value, length_m, catalogue.trench.of(surface)))
    dug_m = float(metres[dug].sum())
    items.append(Item(What.PERMIT, "", dug_m, "m", 0, round(dug_m * catalogue.permit.permit_per_m)))
    streets = len(set(ways.street[dug].tolist()) - {NO_STREET})
    items.append(Item(What.PERMIT, "", streets, "street", 0, streets * catalogue.permit.each_street))
    across = ways.crossings[dug].sum(axis=0)
    items += [
        _each(What.CROSSING, kind.value, int(across[number]), getattr(catalogue.crossing, kind.value))
        for number, kind in enumerate(OBSTACLES)
    ]
    at_crossings = int((ways.kind[dug] == WayKind.CROSSING).sum())
    items.append(_each(What.CROSSING, "street", at_crossings, catalogue.crossing.street))
    for kind, name in _EXISTING.items():
        length_m = float(metres[used[ways.kind[used] == kind]].sum())
        items.append(_per_m(What.PLANT, name, length_m, getattr(catalogue.existing, name)))
    poles_m = float(metres[used[ways.kind[used] == WayKind.POLE_LINE]].sum())
    items.append(_per_m(What.POLE_LINE, "", poles_m, catalogue.pole_line))
    return items


def _laying(ground: Ground, design: Design) -> list[Item]:
    """Ducts, cables and drops."""
    catalogue, way_m = ground.catalogue, ground.ways.length_m
    site_of = {site.id: site for site in design.sites}
    ducts, cables = defaultdict[str, float](float), defaultdict[int, float](float)
    drops, drop_m = 0, 0.0
    for duct in design.ducts:
        ducts[duct.kind] += float(way_m[list(duct.ways)].sum())
    for cable in design.cables:
        length_m = float(sum(way_m[way] for stretch in cable.ways for way in stretch))
        for stretch in zip(cable.sites, cable.sites[1:], strict=False):
            for site in stretch:
                if (office := site_of[site].office) is not None:
                    length_m += float(ground.offices.lead_m[office])
        cables[cable.fibres] += length_m
        row = site_of[cable.sites[-1]].premises
        if cable.role is Role.DROP and row is not None:
            drops += 1
            drop_m += float(ground.premises.drop_m[row])
    price = catalogue.drop
    return [
        *(_per_m(What.DUCT, kind, metres, catalogue.duct[kind]) for kind, metres in sorted(ducts.items())),
        *(_per_m(What.CABLE, str(size), metres, catalogue.cable[size]) for size, metres in sorted(cables.items())),
        _each(What.DROP, "", drops, price),
        Item(What.DROP, "", drop_m, "m", round(drop_m * price.labour_per_m), round(drop_m * price.material_per_m)),
    ]


def _setting_up(ground: Ground, design: Design) -> list[Item]:
    """Offices and their ports, cabinets, closures, splitters, splices."""
    catalogue, offices = ground.catalogue, ground.offices
    sizes = Counter((site.kind, site.size) for site in design.sites if site.size is not None)
    ports = sum(isinstance(end, Port) for joint in design.joints for end in (joint.a, joint.b))
    spliced = sum(not joint.is_connector for joint in design.joints)
    used = sorted(site.office for site in design.sites if site.office is not None)
    items = [Item(What.OFFICE, offices.ids[row], 1, "each", 0, int(offices.cents[row])) for row in used]
    items.append(Item(What.PORT, "", ports, "each", 0, ports * catalogue.central_office.port_each))
    for kind, what, price in (
        (SiteKind.CABINET, What.CABINET, catalogue.cabinet),
        (SiteKind.CLOSURE, What.CLOSURE, catalogue.closure),
    ):
        items += [_each(what, str(size), sizes[kind, size], price[size]) for size in sorted(price)]
    ratios = Counter(splitter.ratio for splitter in design.splitters)
    items += [
        _each(What.SPLITTER, str(ratio), count, catalogue.splitter[ratio]) for ratio, count in sorted(ratios.items())
    ]
    items.append(_each(What.JOINT, "", spliced, catalogue.splice))
    return items
