"""The bill taken apart: which piece costs what, in which area and street, so that every such table sums to the bill.

Each piece is a `Part`: so much of an item, for one area or for several together (`SHARED`), in a street or in none.
What is dug or laid for one area alone is that area's; what serves several is told apart rather than split by some rule.
An item's cents are dealt out by quantity, the last cent where it falls, so that nothing is lost in rounding.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from broadstreet.network.design import Cable, Item, Port, Role, Site, SiteKind, What
from broadstreet.network.ground import OBSTACLES, SURFACES, WayKind
from broadstreet.network.ground.ground import NO_STREET
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.papers.dossier import Dossier

SHARED: Final = "shared"
"""The area of what serves several."""

Key = tuple[What, str, str, int]
"""What, its key, its unit, its phase: an item of the bill."""


@dataclass(frozen=True, slots=True)
class Part:
    """So much of an item. street: empty where it lies in none that has a name."""

    key: Key
    quantity: float
    area: str
    street: str


@dataclass(slots=True)
class Share:
    """What of an item falls on one group."""

    item: Item
    quantity: float = 0.0
    labour_cents: int = 0
    material_cents: int = 0

    @property
    def cents(self) -> int:
        return self.labour_cents + self.material_cents


def parts_of(dossier: Dossier) -> list[Part]:
    """Every piece that is paid for."""
    taking = _Parting(dossier)
    return [part for parts in (taking.opened(), taking.laid(), taking.stood()) for part in parts if part.quantity]


def dealt(dossier: Dossier, parts: list[Part], group: Callable[[Part], str]) -> dict[str, list[Share]]:
    """The bill's items by group, each with its quantity there and its cents; all groups together are the bill."""
    quantities: defaultdict[Key, dict[str, float]] = defaultdict(dict)
    for part in parts:
        of_item = quantities[part.key]
        of_item[group(part)] = of_item.get(group(part), 0.0) + part.quantity
    found: defaultdict[str, list[Share]] = defaultdict(list)
    for item in dossier.statement.bill.items:
        key: Key = item.what, item.key, item.unit, item.phase
        shares = quantities[key] or {group(Part(key, 0.0, SHARED, "")): item.quantity or 1.0}
        total = sum(shares.values())
        before = 0.0
        for name, quantity in shares.items():
            share = Share(item, quantity)
            for field in ("labour_cents", "material_cents"):
                cents = getattr(item, field)
                setattr(share, field, round(cents * (before + quantity) / total) - round(cents * before / total))
            before += quantity
            found[name].append(share)
    return dict(found)


class _Parting:
    def __init__(self, dossier: Dossier) -> None:
        self.dossier, self.ground = dossier, dossier.ground
        ways = dossier.ground.ways
        self.length_m: list[float] = ways.length_m.tolist()
        self.kind = [WayKind(kind) for kind in ways.kind.tolist()]
        self.dug = [way for way in dossier.design.opened if self.kind[way] not in PLANT]

    def area(self, *things: object) -> str:
        areas = self.dossier.areas_of(things)
        return areas.pop() if len(areas) == 1 else SHARED

    def way_area(self, way: int) -> str:
        return self.area(*(cable.id for cable, _ in self.dossier.lying[way]))

    def on(self, way: int, what: What, key: str, quantity: float, unit: str, area: str = "") -> Part:
        """A part that is of a way: its phase, its street, and unless said its area."""
        phase = self.dossier.phase[way]
        return Part((what, key, unit, phase), quantity, area or self.way_area(way), self.dossier.street(way))

    def opened(self) -> Iterator[Part]:
        """Trenches, permits, crossings, and the use of what lies there."""
        surface, crossings = self.ground.ways.surface.tolist(), self.ground.ways.crossings
        for way in self.dug:
            yield self.on(way, What.TRENCH, SURFACES[surface[way]].value, self.length_m[way], "m")
            yield self.on(way, What.PERMIT, "", self.length_m[way], "m")
            for obstacle, lies_across in zip(OBSTACLES, crossings[way].tolist(), strict=True):
                if lies_across:
                    yield self.on(way, What.CROSSING, obstacle.value, 1, "each")
            if self.kind[way] is WayKind.CROSSING:
                yield self.on(way, What.CROSSING, "street", 1, "each")
        by_street: defaultdict[int, list[int]] = defaultdict(list)
        for way in self.dug:
            by_street[int(self.ground.ways.street[way])].append(way)
        for street, ways in by_street.items():
            if street != NO_STREET:
                first = min(ways, key=lambda way: self.dossier.phase[way])
                area = self.area(*(cable.id for way in ways for cable, _ in self.dossier.lying[way]))
                yield self.on(first, What.PERMIT, "", 1, "street", area)
        for way in self.dossier.design.opened:
            if self.kind[way] is WayKind.POLE_LINE:
                yield self.on(way, What.POLE_LINE, "", self.length_m[way], "m")
            elif self.kind[way] in PLANT:
                yield self.on(way, What.PLANT, self.kind[way].name.lower(), self.length_m[way], "m")

    def laid(self) -> Iterator[Part]:
        """Ducts, cables and drops."""
        inside: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        for cable in self.dossier.cables.values():
            for ways, ids in zip(cable.ways, cable.ducts, strict=True):
                for way, id in zip(ways, ids, strict=True):
                    inside[id, way].append(cable.id)
        for duct in self.dossier.design.ducts:
            for way in duct.ways:
                area = self.area(*inside[duct.id, way])
                yield self.on(way, What.DUCT, duct.kind, self.length_m[way], "m", area)
        for cable in self.dossier.cables.values():
            yield from self._cable(cable)

    def _cable(self, cable: Cable) -> Iterator[Part]:
        dossier, area = self.dossier, self.area(cable.id)
        ways = [way for stretch in cable.ways for way in stretch]
        if not any(self.kind[way] is WayKind.FIBRE for way in ways):
            key: Key = What.CABLE, str(cable.fibres), "m", dossier.cable_phase(cable)
            for way in ways:
                yield Part(key, self.length_m[way], area, dossier.street(way))
            for stretch in pairwise(cable.sites):
                for id in stretch:
                    if (office := dossier.sites[id].office) is not None:
                        lead_m = float(self.ground.offices.lead_m[office])
                        yield Part(key, lead_m, area, dossier.naming.street_at(dossier.sites[id].node))
        if cable.role is Role.DROP:
            phase, street = dossier.lit.get(cable.id, 1), dossier.naming.street_at(dossier.sites[cable.sites[-1]].node)
            yield Part((What.DROP, "", "each", phase), 1, area, street)
            yield Part((What.DROP, "", "m", phase), dossier.drop_m(cable), area, street)

    def stood(self) -> Iterator[Part]:
        """Offices and their ports, cabinets, closures, splitters, splices."""
        for site in self.dossier.sites.values():
            what = {SiteKind.CABINET: What.CABINET, SiteKind.CLOSURE: What.CLOSURE}.get(site.kind)
            if what:
                yield self._at(site, site.id, what, str(site.size))
            elif site.office is not None:
                yield self._at(site, site.id, What.OFFICE, self.ground.offices.ids[site.office])
        for splitter in self.dossier.splitters.values():
            yield self._at(self.dossier.sites[splitter.site], splitter.id, What.SPLITTER, str(splitter.ratio))
        for id, joints in self.dossier.joints.items():
            for joint in joints:
                if not joint.is_connector:
                    yield self._at(self.dossier.sites[id], joint, What.JOINT, "")
                for end in (joint.a, joint.b):
                    if isinstance(end, Port):
                        yield self._at(self.dossier.sites[id], joint, What.PORT, "")

    def _at(self, site: Site, thing: object, what: What, key: str) -> Part:
        phase = self.dossier.lit.get(thing, 1)
        return Part((what, key, "each", phase), 1, self.area(thing), self.dossier.naming.street_at(site.node))
