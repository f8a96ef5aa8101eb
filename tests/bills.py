"""What a drawn design costs, counted from its pieces and the ground's own columns: beside the checker, not by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from broadstreet.network.design import Bill, Item, Port, Role, SiteKind, What
from broadstreet.network.ground import SURFACES, WayKind

if TYPE_CHECKING:
    from tests.designs import Drawn

PLANT = {WayKind.DUCT: "duct", WayKind.TRENCH: "trench", WayKind.FIBRE: "fibre"}


class Counted:
    """Amounts by what they are and what one of each costs."""

    def __init__(self, drawn: Drawn, opened: Iterable[int]) -> None:
        self.drawn, self.ground, self.catalogue = drawn, drawn.ground, drawn.ground.catalogue
        self.amounts: defaultdict[tuple[What, str, str, int, int, int], float] = defaultdict(float)
        self.permits: dict[int, int] = {}
        for row in opened:
            self._way(row)
        for phase in self.permits.values():
            self._add(What.PERMIT, "", 1, "street", self.catalogue.permit.each_street, 0, phase)
        self._lines()
        self._sites()

    def _add(self, what: What, key: str, amount: float, unit: str, labour: int, material: int, phase: int) -> None:
        self.amounts[what, key, unit, phase, labour, material] += amount

    def _metres(self, what: What, key: str, amount: float, price: Any, phase: int) -> None:
        self._add(what, key, amount, "m", price.labour_per_m, price.material_per_m, phase)

    def _pieces(self, what: What, key: str, price: Any, phase: int) -> None:
        self._add(what, key, 1, "each", price.labour_each, price.material_each, phase)

    def _way(self, row: int) -> None:
        ways, catalogue = self.ground.ways, self.catalogue
        phase, length_m = self.drawn.phase_of.get(row, 1), float(ways.length_m[row])
        kind = WayKind(int(ways.kind[row]))
        if kind is WayKind.POLE_LINE:
            self._metres(What.POLE_LINE, "", length_m, catalogue.pole_line, phase)
            return
        if kind in PLANT:
            self._metres(What.PLANT, PLANT[kind], length_m, getattr(catalogue.existing, PLANT[kind]), phase)
            return
        surface = SURFACES[int(ways.surface[row])]
        self._metres(What.TRENCH, surface.value, length_m, catalogue.trench.of(surface), phase)
        self._add(What.PERMIT, "", length_m, "m", catalogue.permit.permit_per_m, 0, phase)
        across = [name for name, is_it in zip(("tram", "railway", "water"), ways.crossings[row], strict=True) if is_it]
        for name in across + ["street"] * (kind is WayKind.CROSSING):
            self._pieces(What.CROSSING, name, getattr(catalogue.crossing, name), phase)
        if (street := int(ways.street[row])) >= 0:
            self.permits[street] = min(phase, self.permits.get(street, phase))

    def _lines(self) -> None:
        drawn, ways, catalogue = self.drawn, self.ground.ways, self.catalogue
        for duct in drawn.ducts:
            for row in duct.ways:
                phase = drawn.phase_of.get(row, 1)
                self._metres(What.DUCT, duct.kind, float(ways.length_m[row]), catalogue.duct[duct.kind], phase)
        by_id = {site.id: site for site in drawn.sites}
        for cable in drawn.cables:
            laid = [row for rows in cable.ways for row in rows]
            length_m = sum(float(ways.length_m[row]) for row in laid)
            offices = sum(by_id[id].kind is SiteKind.OFFICE for id in cable.sites)
            length_m += offices * float(self.ground.offices.lead_m[0])
            if length_m and not any(ways.kind[row] == WayKind.FIBRE for row in laid):
                phase = drawn.phase_of_cable(cable)
                self._metres(What.CABLE, str(cable.fibres), length_m, catalogue.cable[cable.fibres], phase)
            if cable.role is Role.DROP:
                row, phase = by_id[cable.sites[1]].premises or 0, drawn.lit[cable.id]
                self._pieces(What.DROP, "", catalogue.drop, phase)
                self._metres(What.DROP, "", float(self.ground.premises.drop_m[row]), catalogue.drop, phase)

    def _sites(self) -> None:
        drawn, ground, catalogue = self.drawn, self.ground, self.catalogue
        for site in drawn.sites:
            phase = drawn.lit.get(site.id, 1)
            if site.kind is SiteKind.OFFICE:
                self._add(What.OFFICE, ground.offices.ids[0], 1, "each", int(ground.offices.cents[0]), 0, phase)
            elif site.kind is SiteKind.CABINET and site.size:
                self._pieces(What.CABINET, str(site.size), catalogue.cabinet[site.size], phase)
            elif site.kind is SiteKind.CLOSURE and site.size:
                self._pieces(What.CLOSURE, str(site.size), catalogue.closure[site.size], phase)
        for splitter in drawn.splitters:
            phase = drawn.lit.get(splitter.id, 1)
            self._pieces(What.SPLITTER, str(splitter.ratio), catalogue.splitter[splitter.ratio], phase)
        for joint in drawn.joints:
            phase = drawn.lit.get(joint, 1)
            if not joint.is_connector:
                self._pieces(What.JOINT, "", catalogue.splice, phase)
            if isinstance(joint.a, Port):
                self._add(What.PORT, "", 1, "each", 0, catalogue.central_office.port_each, phase)


def bill_of(drawn: Drawn, opened: Iterable[int]) -> Bill:
    items = [
        Item(what, key, amount, unit, round(amount * labour), round(amount * material), phase)
        for (what, key, unit, phase, labour, material), amount in sorted(Counted(drawn, opened).amounts.items())
    ]
    return Bill(drawn.ground.catalogue.currency, tuple(items))
