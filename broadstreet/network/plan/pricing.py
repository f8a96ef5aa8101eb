"""What a design costs: its pieces counted, each at the catalogue's price."""

from __future__ import annotations

from collections import Counter, defaultdict

import msgspec
import numpy as np

from broadstreet.network.design import Bill, Design, Item, Port, Role, SiteKind, What
from broadstreet.network.ground.catalogue import SURFACES, Each, PerMetre
from broadstreet.network.ground.courses import I8
from broadstreet.network.ground.ground import NO_STREET, Ground
from broadstreet.network.ground.obstacles import OBSTACLES
from broadstreet.network.ground.streets import PAID_PLANT, PLANT_KINDS, WayKind
from broadstreet.network.light import Phasing


def bill_of(ground: Ground, design: Design) -> Bill:
    """All of it, phase by phase, as `Bill` says what counts."""
    phasing = Phasing.of(ground, design)
    dug_before = {NO_STREET}
    items = list[Item]()
    for phase in range(1, phasing.last + 1):
        opened = [way for way in design.opened if phasing.way.get(way, 1) == phase]
        here = [
            *_opening(ground, np.array(opened, dtype=np.int64), dug_before),
            *_laying(ground, design, phasing, phase),
            *_setting_up(ground, design, phasing, phase),
        ]
        items += [msgspec.structs.replace(item, phase=phase) for item in here if item.quantity]
    return Bill(ground.catalogue.currency, tuple(items))


def _per_m(what: What, key: str, metres: float, price: PerMetre) -> Item:
    return Item(what, key, metres, "m", round(metres * price.labour_per_m), round(metres * price.material_per_m))


def each(what: What, key: str, count: int, price: Each) -> Item:
    """So many pieces of one kind."""
    return Item(what, key, count, "each", count * price.labour_each, count * price.material_each)


def _opening(ground: Ground, opened: I8, dug_before: set[int]) -> list[Item]:
    """Trenches, crossings, permits, and the use of what lies there. dug_before: streets that were dug in already, to
    which those that are dug in now are added."""
    catalogue, ways = ground.catalogue, ground.ways
    is_plant = np.isin(ways.kind[opened], PLANT_KINDS)
    dug, used = opened[~is_plant], opened[is_plant]
    metres = ways.length_m
    items = []
    for number, surface in enumerate(SURFACES):
        length_m = float(metres[dug[ways.surface[dug] == number]].sum())
        items.append(_per_m(What.TRENCH, surface.value, length_m, catalogue.trench.of(surface)))
    dug_m = float(metres[dug].sum())
    items.append(Item(What.PERMIT, "", dug_m, "m", 0, round(dug_m * catalogue.permit.permit_per_m)))
    new = set(ways.street[dug].tolist()) - dug_before
    dug_before |= new
    items.append(Item(What.PERMIT, "", len(new), "street", 0, len(new) * catalogue.permit.each_street))
    across = ways.crossings[dug].sum(axis=0)
    items += [
        each(What.CROSSING, kind.value, int(across[number]), getattr(catalogue.crossing, kind.value))
        for number, kind in enumerate(OBSTACLES)
    ]
    at_crossings = int((ways.kind[dug] == WayKind.CROSSING).sum())
    items.append(each(What.CROSSING, "street", at_crossings, catalogue.crossing.street))
    for kind, name in PAID_PLANT.items():
        length_m = float(metres[used[ways.kind[used] == kind]].sum())
        items.append(_per_m(What.PLANT, name, length_m, getattr(catalogue.existing, name)))
    poles_m = float(metres[used[ways.kind[used] == WayKind.POLE_LINE]].sum())
    items.append(_per_m(What.POLE_LINE, "", poles_m, catalogue.pole_line))
    return items


def _laying(ground: Ground, design: Design, phasing: Phasing, phase: int) -> list[Item]:
    """Ducts, cables and drops of a phase; spare fibres of what lies there are no cable that is bought."""
    catalogue, way_m = ground.catalogue, ground.ways.length_m
    site_of = {site.id: site for site in design.sites}
    ducts, cables = defaultdict[str, float](float), defaultdict[int, float](float)
    drops, drop_m = 0, 0.0
    for duct in design.ducts:
        ducts[duct.kind] += float(way_m[[way for way in duct.ways if phasing.way.get(way, 1) == phase]].sum())
    for cable in design.cables:
        length_m = float(sum(way_m[way] for stretch in cable.ways for way in stretch))
        for stretch in zip(cable.sites, cable.sites[1:], strict=False):
            for site in stretch:
                if (office := site_of[site].office) is not None:
                    length_m += float(ground.offices.lead_m[office])
        is_lent = any(ground.ways.kind[way] == WayKind.FIBRE for stretch in cable.ways for way in stretch)
        if phasing.cable.get(cable.id, 1) == phase and not is_lent:
            cables[cable.fibres] += length_m
        row = site_of[cable.sites[-1]].premises
        if cable.role is Role.DROP and row is not None and phasing.lit.get(cable.id, 1) == phase:
            drops += 1
            drop_m += float(ground.premises.drop_m[row])
    price = catalogue.drop
    return [
        *(_per_m(What.DUCT, kind, metres, catalogue.duct[kind]) for kind, metres in sorted(ducts.items())),
        *(_per_m(What.CABLE, str(size), metres, catalogue.cable[size]) for size, metres in sorted(cables.items())),
        each(What.DROP, "", drops, price),
        Item(What.DROP, "", drop_m, "m", round(drop_m * price.labour_per_m), round(drop_m * price.material_per_m)),
    ]


def _setting_up(ground: Ground, design: Design, phasing: Phasing, phase: int) -> list[Item]:
    """Offices and their ports, cabinets, closures, splitters, splices of a phase."""
    catalogue, offices = ground.catalogue, ground.offices
    sites = [site for site in design.sites if phasing.lit.get(site.id, 1) == phase]
    joints = [joint for number, joint in enumerate(design.joints) if phasing.lit.get(number, 1) == phase]
    sizes = Counter((site.kind, site.size) for site in sites if site.size is not None)
    ports = sum(isinstance(end, Port) for joint in joints for end in (joint.a, joint.b))
    spliced = sum(not joint.is_connector for joint in joints)
    used = sorted(site.office for site in sites if site.office is not None)
    items = [Item(What.OFFICE, offices.ids[row], 1, "each", 0, int(offices.cents[row])) for row in used]
    items.append(Item(What.PORT, "", ports, "each", 0, ports * catalogue.central_office.port_each))
    for kind, what, price in (
        (SiteKind.CABINET, What.CABINET, catalogue.cabinet),
        (SiteKind.CLOSURE, What.CLOSURE, catalogue.closure),
    ):
        items += [each(what, str(size), sizes[kind, size], price[size]) for size in sorted(price)]
    ratios = Counter(splitter.ratio for splitter in design.splitters if phasing.lit.get(splitter.id, 1) == phase)
    items += [
        each(What.SPLITTER, str(ratio), count, catalogue.splitter[ratio]) for ratio, count in sorted(ratios.items())
    ]
    items.append(each(What.JOINT, "", spliced, catalogue.splice))
    return items
