"""A plan as layers of a map: what is opened, what lies there, what stands, who is reached. WGS 84 degrees, by RFC 7946.

Each layer is features of one shape with the same columns, so that a table or a style fits all of them. Money is whole
cents there, lengths metres; ids are those of the design and of the ground, so that a layer joins every table.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from broadstreet.network.design import Cable, Role, SiteKind
from broadstreet.network.ground import SURFACES, WayKind
from broadstreet.network.ground.premises import PremisesKind
from broadstreet.network.papers.cabling import duct_kinds
from broadstreet.network.papers.digging import counted_kinds, duct_ends
from broadstreet.network.papers.dossier import Dossier, natural
from broadstreet.network.papers.parts import SHARED
from broadstreet.network.papers.reached import drop_site, legs, phase_of
from broadstreet.network.papers.splicing import port_of
from broadstreet.network.papers.table import Value

Points = list[list[float]]
_DECIMALS: Final = 7


@dataclass(frozen=True, slots=True)
class Layer:
    """shape: of GeoJSON. columns: names, each with the type of its values. shapes: coordinates, one for each row."""

    name: str
    title: str
    shape: str
    columns: tuple[tuple[str, type], ...]
    shapes: Sequence[object]
    rows: Sequence[tuple[Value, ...]]


class Drawer:
    """Courses of ways, as they are and one after another."""

    def __init__(self, dossier: Dossier) -> None:
        ways = dossier.ground.ways
        points = np.round(np.column_stack((ways.courses.lon, ways.courses.lat)), _DECIMALS)
        starts = ways.courses.starts
        self.dossier = dossier
        self.courses: dict[int, Points] = {
            way: points[starts[way] : starts[way + 1]].tolist() for way in dossier.design.opened
        }
        self.ends = {way: (int(ways.a[way]), int(ways.b[way])) for way in dossier.design.opened}

    def along(self, start: int, ways: Sequence[int]) -> Points:
        """The points of ways one after another, from a node on."""
        found: Points = [list(self.dossier.place(start))]
        node = start
        for way in ways:
            a, b = self.ends[way]
            course = self.courses[way] if node == a else self.courses[way][::-1]
            node = b if node == a else a
            found += course[1:]
        return found

    def stretch(self, cable: Cable, number: int) -> Points:
        """A stretch of a cable, from site to site; premises and offices stand beside the way."""
        first, last = (self.dossier.sites[id] for id in cable.sites[number : number + 2])
        points = self.along(first.node, cable.ways[number])
        for site, at in ((first, 0), (last, len(points))):
            place = list(self.dossier.site_place(site))
            if (site.office is not None or site.premises is not None) and place != points[0 if at == 0 else -1]:
                points.insert(at if at == 0 else len(points), place)
        return points if len(points) > 1 else points * 2


def way_layer(dossier: Dossier, drawer: Drawer) -> Layer:
    """Opened ways, with what lies in each."""
    ways, catalogue_cents = dossier.ground.ways, dossier.ground.ways.open_cents
    ducts: defaultdict[int, list[str]] = defaultdict(list)
    for duct in dossier.design.ducts:
        for way in duct.ways:
            ducts[way].append(duct.kind)
    rows, shapes = [], []
    for way in dossier.design.opened:
        lying = dossier.lying[way]
        areas = dossier.areas_of(cable.id for cable, _ in lying)
        rows.append(
            (
                way,
                dossier.ground.way_ids[int(ways.way[way])],
                dossier.street(way),
                WayKind(int(ways.kind[way])).name.lower(),
                SURFACES[int(ways.surface[way])].value,
                float(ways.length_m[way]),
                int(catalogue_cents[way]),
                counted_kinds(ducts[way]),
                carried(dossier, way),
                len(lying),
                ", ".join(cable.id for cable, _ in lying),
                sum(cable.fibres for cable, _ in lying),
                sum(dossier.used[cable.id][number] for cable, number in lying),
                areas.pop() if len(areas) == 1 else SHARED,
                dossier.phase[way],
            )
        )
        shapes.append(drawer.courses[way])
    columns = (
        ("row", int),
        ("way", str),
        ("street", str),
        ("kind", str),
        ("surface", str),
        ("length_m", float),
        ("opening_cents", int),
        ("ducts", str),
        ("carries", str),
        ("cables", int),
        ("cable_ids", str),
        ("fibres", int),
        ("fibres_lit", int),
        ("area", str),
        ("phase", int),
    )
    return Layer("ways", "Ways that are opened", "LineString", columns, shapes, rows)


def carried(dossier: Dossier, way: int) -> str:
    """The role nearest the office among the cables in a way; empty where none lies there."""
    roles = {cable.role for cable, _ in dossier.lying[way]}
    return next((role.value for role in Role if role in roles), "")


def duct_layer(dossier: Dossier, drawer: Drawer) -> Layer:
    """Ducts."""
    rows, shapes = [], []
    for duct in sorted(dossier.design.ducts, key=lambda one: natural(one.id)):
        length_m = float(dossier.ground.ways.length_m[list(duct.ways)].sum())
        rows.append((duct.id, duct.kind, length_m, max(dossier.phase[way] for way in duct.ways)))
        shapes.append(drawer.along(duct_ends(dossier, duct)[0], duct.ways))
    columns = (("duct", str), ("kind", str), ("length_m", float), ("phase", int))
    return Layer("ducts", "Ducts", "LineString", columns, shapes, rows)


def cable_layer(dossier: Dossier, drawer: Drawer) -> Layer:
    """Cables but drops, each stretch from site to site."""
    rows, shapes = [], []
    for cable in dossier.cables.values():
        if cable.role is Role.DROP:
            continue
        kinds, phase = duct_kinds(dossier, cable), dossier.cable_phase(cable)
        for number in range(len(cable.ways)):
            used = dossier.used[cable.id][number]
            rows.append(
                (
                    cable.id,
                    cable.role.value,
                    number + 1,
                    cable.sites[number],
                    cable.sites[number + 1],
                    cable.fibres,
                    used,
                    cable.fibres - used,
                    dossier.stretch_m(cable, number),
                    kinds,
                    phase,
                )
            )
            shapes.append(drawer.stretch(cable, number))
    columns = (
        ("cable", str),
        ("role", str),
        ("stretch", int),
        ("from_site", str),
        ("to_site", str),
        ("fibres", int),
        ("fibres_lit", int),
        ("fibres_spare", int),
        ("length_m", float),
        ("ducts", str),
        ("phase", int),
    )
    return Layer("cables", "Cables", "LineString", columns, shapes, rows)


def drop_layer(dossier: Dossier, drawer: Drawer) -> Layer:
    """Drops, from where they begin to the premises."""
    rows, shapes = [], []
    for cable in dossier.cables.values():
        if cable.role is not Role.DROP:
            continue
        row = dossier.sites[cable.sites[-1]].premises
        label = dossier.label(row) if row is not None else ""
        used, length_m = dossier.used[cable.id][0], dossier.stretch_m(cable, 0) + dossier.drop_m(cable)
        phase = dossier.lit.get(cable.id, 1)
        rows.append((cable.id, cable.sites[0], label, cable.fibres, used, dossier.drop_m(cable), length_m, phase))
        shapes.append(drawer.stretch(cable, 0))
    columns = (
        ("cable", str),
        ("from_site", str),
        ("premises", str),
        ("fibres", int),
        ("fibres_lit", int),
        ("drop_m", float),
        ("length_m", float),
        ("phase", int),
    )
    return Layer("drops", "Drops", "LineString", columns, shapes, rows)


def site_layer(dossier: Dossier, drawer: Drawer) -> Layer:
    """Offices, cabinets and closures."""
    rows, shapes = [], []
    for site in dossier.sites.values():
        if site.kind is SiteKind.PREMISES:
            continue
        joints = dossier.joints[site.id]
        connectors = sum(joint.is_connector for joint in joints)
        splitters = dossier.splitters_at[site.id]
        areas = dossier.areas_of([site.id])
        rows.append(
            (
                site.id,
                site.kind.value,
                site.size,
                dossier.site_where(site),
                len(dossier.cables_at[site.id]),
                len(joints) - connectors,
                connectors,
                splitters,
                len(dossier.through.get(site.id, ())),
                areas.pop() if len(areas) == 1 else SHARED,
                dossier.lit.get(site.id, 1),
            )
        )
        shapes.append(list(dossier.site_place(site)))
    columns = (
        ("site", str),
        ("kind", str),
        ("size", int),
        ("place", str),
        ("cables", int),
        ("splices", int),
        ("connectors", int),
        ("splitters", int),
        ("customers", int),
        ("area", str),
        ("phase", int),
    )
    return Layer("sites", "Sites", "Point", columns, shapes, rows)


def premises_layer(dossier: Dossier, drawer: Drawer) -> Layer:
    """Everyone on the ground, those who are served with their light."""
    demand, premises = dossier.ground.premises.demand, dossier.ground.premises
    mine: defaultdict[int, list[int]] = defaultdict(list)
    for number, path in enumerate(dossier.paths):
        mine[path.premises].append(number)
    second = set(dossier.design.second)
    rows, shapes = [], []
    for row in range(len(premises)):
        paths = [dossier.paths[number] for number in mine[row]]
        claims = [dossier.claims[path.premises, path.socket] for path in paths]
        loss_db = max((claim.loss_db for claim in claims), default=None)
        rows.append(
            (
                demand.ids[row],
                dossier.label(row),
                PremisesKind(int(demand.kind[row])).name.lower(),
                bool(paths),
                bool(demand.is_critical[row]),
                row in second,
                int(demand.fibres[row]),
                float(premises.drop_m[row]),
                dossier.areas[mine[row][0]] if paths else None,
                drop_site(paths[0]) if paths else None,
                ", ".join(leg for path in paths for leg in legs(path)) if paths else None,
                port_of(paths[0]).port if paths else None,
                max((claim.length_m for claim in claims), default=None),
                loss_db,
                None if loss_db is None else dossier.most_loss_db - loss_db,
                min((phase_of(dossier, path) for path in paths), default=None),
            )
        )
        shapes.append([round(float(demand.lon[row]), _DECIMALS), round(float(demand.lat[row]), _DECIMALS)])
    columns = (
        ("id", str),
        ("label", str),
        ("kind", str),
        ("served", bool),
        ("critical", bool),
        ("second_way", bool),
        ("fibres", int),
        ("drop_m", float),
        ("area", str),
        ("drops_from", str),
        ("splitter_legs", str),
        ("port", int),
        ("length_m", float),
        ("loss_db", float),
        ("left_db", float),
        ("phase", int),
    )
    return Layer("premises", "Premises", "Point", columns, shapes, rows)


def phase_layer(dossier: Dossier, drawer: Drawer) -> Layer:
    """What is opened in each phase, as one."""
    ways: defaultdict[int, list[int]] = defaultdict(list)
    for way, phase in dossier.phase.items():
        ways[phase].append(way)
    cents: defaultdict[int, int] = defaultdict(int)
    for item in dossier.statement.bill.items:
        cents[item.phase] += item.cents
    lit = {path.premises: phase_of(dossier, path) for path in reversed(dossier.paths)}
    rows, shapes = [], []
    for phase in sorted(ways):
        length_m = float(dossier.ground.ways.length_m[ways[phase]].sum())
        rows.append((phase, length_m, cents[phase], list(lit.values()).count(phase)))
        shapes.append([drawer.courses[way] for way in ways[phase]])
    columns = (("phase", int), ("length_m", float), ("cost_cents", int), ("premises", int))
    return Layer("phases", "Phases", "MultiLineString", columns, shapes, rows)


LAYERS: Final[dict[str, Callable[[Dossier, Drawer], Layer]]] = {
    "phases": phase_layer,
    "ways": way_layer,
    "ducts": duct_layer,
    "cables": cable_layer,
    "drops": drop_layer,
    "premises": premises_layer,
    "sites": site_layer,
}
"""By name, what lies below first."""


def layers(dossier: Dossier) -> Iterator[Layer]:
    """One after another."""
    drawer = Drawer(dossier)
    for make in LAYERS.values():
        yield make(dossier, drawer)
