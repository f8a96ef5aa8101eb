"""How much of everything a design takes, counted from its pieces, and what one of each costs.

An item is known by what it is, its key, its unit and its phase. What is opened is counted by the way, once, however
many cables lie in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from broadstreet.network.design import Port, Role, SiteKind, What
from broadstreet.network.ground import WayKind
from broadstreet.network.ground.catalogue import Each, PerMetre
from broadstreet.network.proof.case import Case, Way
from broadstreet.network.proof.light import Path


@dataclass(frozen=True, slots=True, order=True)
class Key:
    what: What
    key: str
    unit: str
    phase: int

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.key, f"by {self.unit}, phase {self.phase}") if part)


@dataclass(slots=True)
class Amount:
    """So much at so many cents. is_parted: whether labour and material have a price each."""

    quantity: float
    labour: int
    material: int
    is_parted: bool = True


class Quantities:
    """Counts what a design takes."""

    def __init__(self, case: Case, paths: list[Path]) -> None:
        self.case = case
        self.catalogue = case.catalogue
        self.amounts: dict[Key, Amount] = {}
        self.lit = first_lit(case, paths)
        dug = [way for way in case.known_ways(sorted(case.opened)) if not way.is_plant]
        self._count_trenches(dug)
        self._count_plant()
        self._count_lines()
        self._count_sites()
        self._count_joints()

    def _add(self, what: What, key: str, quantity: float, price: Each | PerMetre | int, phase: int, unit: str) -> None:
        if isinstance(price, int):
            amount = Amount(0.0, price, 0, is_parted=False)
        elif isinstance(price, PerMetre):
            amount = Amount(0.0, price.labour_per_m, price.material_per_m)
        else:
            amount = Amount(0.0, price.labour_each, price.material_each)
        self.amounts.setdefault(Key(what, key, unit, phase), amount).quantity += quantity

    def _phase(self, thing: object) -> int:
        """The phase of the earliest light through a thing; the first where none goes through it."""
        return self.lit.get(thing, 1)

    def _count_trenches(self, dug: Iterable[Way]) -> None:
        catalogue = self.catalogue
        first_dug: dict[int, int] = {}
        for way in dug:
            phase = self.case.phase.get(way.row, 1)
            self._add(What.TRENCH, way.surface, way.length_m, catalogue.trench.of(way.surface), phase, "m")
            self._add(What.PERMIT, "", way.length_m, catalogue.permit.permit_per_m, phase, "m")
            across = [str(kind) for kind in way.crossings] + ["street"] * (way.kind is WayKind.CROSSING)
            for name in across:
                price: Each = getattr(catalogue.crossing, name)
                self._add(What.CROSSING, name, 1, price, phase, "each")
            if way.street >= 0:
                first_dug[way.street] = min(phase, first_dug.get(way.street, phase))
        for phase in first_dug.values():
            self._add(What.PERMIT, "", 1, catalogue.permit.each_street, phase, "street")

    def _count_plant(self) -> None:
        existing = self.catalogue.existing
        prices = {WayKind.DUCT: existing.duct, WayKind.TRENCH: existing.trench, WayKind.FIBRE: existing.fibre}
        for way in self.case.known_ways(sorted(self.case.opened)):
            phase = self.case.phase.get(way.row, 1)
            if way.kind in prices:
                self._add(What.PLANT, way.kind.name.lower(), way.length_m, prices[way.kind], phase, "m")
            elif way.kind is WayKind.POLE_LINE:
                self._add(What.POLE_LINE, "", way.length_m, self.catalogue.pole_line, phase, "m")

    def _count_lines(self) -> None:
        case, catalogue = self.case, self.catalogue
        for duct in case.ducts.values():
            for way in case.known_ways(duct.ways) if duct.kind in catalogue.duct else ():
                phase = case.phase.get(way.row, 1)
                self._add(What.DUCT, duct.kind, way.length_m, catalogue.duct[duct.kind], phase, "m")
        drop = catalogue.drop
        for cable in case.cables.values():
            rows = [row for rows in cable.ways for row in rows]
            is_there = any(way.kind is WayKind.FIBRE for way in case.known_ways(rows))
            laid_m = sum(case.laid_m(cable, stretch) for stretch in range(len(cable.ways)))
            if laid_m and not is_there and cable.fibres in catalogue.cable:
                price, phase = catalogue.cable[cable.fibres], case.phase_of(rows)
                self._add(What.CABLE, str(cable.fibres), laid_m, price, phase, "m")
            if cable.role is Role.DROP:
                phase = self._phase(cable.id)
                drop_m = sum(case.drop_of(id) for id in cable.sites)
                per_m = PerMetre(labour_per_m=drop.labour_per_m, material_per_m=drop.material_per_m)
                self._add(What.DROP, "", 1, drop, phase, "each")
                self._add(What.DROP, "", drop_m, per_m, phase, "m")

    def _count_sites(self) -> None:
        case, catalogue = self.case, self.catalogue
        for site in case.sites.values():
            phase = self._phase(site.id)
            if site.kind is SiteKind.OFFICE and site.office is not None:
                offices = case.ground.offices
                self._add(What.OFFICE, offices.ids[site.office], 1, int(offices.cents[site.office]), phase, "each")
            elif site.kind is SiteKind.CABINET and site.size in catalogue.cabinet:
                self._add(What.CABINET, str(site.size), 1, catalogue.cabinet[site.size], phase, "each")
            elif site.kind is SiteKind.CLOSURE and site.size in catalogue.closure:
                self._add(What.CLOSURE, str(site.size), 1, catalogue.closure[site.size], phase, "each")
        for splitter in case.splitters.values():
            price, phase = catalogue.splitter[splitter.ratio], self._phase(splitter.id)
            self._add(What.SPLITTER, str(splitter.ratio), 1, price, phase, "each")

    def _count_joints(self) -> None:
        for joint in self.case.joints:
            if not joint.is_connector:
                self._add(What.JOINT, "", 1, self.catalogue.splice, self._phase(joint), "each")
            for end in (joint.a, joint.b):
                if isinstance(end, Port):
                    price = self.catalogue.central_office.port_each
                    self._add(What.PORT, "", 1, price, self._phase(joint), "each")


def first_lit(case: Case, paths: list[Path]) -> dict[object, int]:
    """For every site, splitter and cable (by id) and every joint the phase of the earliest light through it.

    Light is of the latest phase of the cables it goes through, and a cable of the latest of its ways.
    """
    of_cable = {cable.id: case.phase_of(row for rows in cable.ways for row in rows) for cable in case.cables.values()}
    lit: dict[object, int] = {}
    for path in paths:
        phase = max((of_cable[cable.id] for cable in path.cables), default=1)
        for thing in (*(step.id for step in path.steps), *path.joints):
            lit[thing] = min(phase, lit.get(thing, phase))
    return lit
