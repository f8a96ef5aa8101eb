"""The splicer's tables: every joint of every site with its tray and colours; splitters leg by leg; the office's ports.

A joint is written from the office's side to the customer's. Splices have a place in a tray, of `JOINTS_PER_TRAY` each,
connectors one in the patch field. Fibres of a cable that passes a site and are joined there in no row are left as they
are: they must not be cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from broadstreet.network.design import Cable, End, Fibre, Joint, Leg, Port, Side, Site, SiteKind, Socket
from broadstreet.network.papers.colours import FIBRES_PER_TUBE, Marking, marking
from broadstreet.network.papers.dossier import Dossier, counted, natural
from broadstreet.network.papers.table import Column, Row, Sort, Table, count, text
from broadstreet.network.proof import Path

JOINTS_PER_TRAY: Final = 12
"""A tray takes a tube's fibres."""
_SIDES: Final = {SiteKind.OFFICE: 0, SiteKind.CABINET: 1, SiteKind.CLOSURE: 2, SiteKind.PREMISES: 3}


@dataclass(frozen=True, slots=True)
class Place:
    """A joint at its place. near, far: its end on the office's side, and on the customer's. paths: by number."""

    number: int
    joint: Joint
    near: End
    far: End
    paths: tuple[int, ...]

    @property
    def place(self) -> str:
        """In words: tray 2, 5."""
        if self.joint.is_connector:
            return f"connector {self.number}"
        tray, at = divmod(self.number - 1, JOINTS_PER_TRAY)
        return f"tray {tray + 1}, {at + 1}"


def places(dossier: Dossier, site: str) -> list[Place]:
    """The joints of a site in the order in which they are made: by cable and fibre of the office's side."""
    turned = [(*turn(joint), joint) for joint in dossier.joints[site]]
    turned.sort(key=lambda one: (one[2].is_connector, _order(one[0]), _order(one[1])))
    found, numbers = [], {False: 0, True: 0}
    for near, far, joint in turned:
        numbers[joint.is_connector] += 1
        paths = tuple(dossier.through.get(joint, ()))
        found.append(Place(numbers[joint.is_connector], joint, near, far, paths))
    return found


def turn(joint: Joint) -> tuple[End, End]:
    """A joint's end on the office's side, and its other."""
    return (joint.b, joint.a) if _is_far(joint.a) and not _is_far(joint.b) else (joint.a, joint.b)


def _is_far(end: End) -> bool:
    return (
        isinstance(end, Socket)
        or (isinstance(end, Leg) and end.leg == 0)
        or (isinstance(end, Fibre) and end.side is Side.DOWN)
    )


def _order(end: End) -> tuple[int, tuple[str | int, ...], int]:
    match end:
        case Port():
            return 0, (), end.port
        case Fibre():
            return 1, natural(end.cable), end.fibre
        case Leg():
            return 2, natural(end.splitter), end.leg
        case Socket():
            return 3, (), end.socket


def end_name(end: End) -> tuple[str, int]:
    """What an end is of, and its number there."""
    match end:
        case Port():
            return "port", end.port
        case Fibre():
            return end.cable, end.fibre
        case Leg():
            return end.splitter, end.leg
        case Socket():
            return "socket", end.socket


def end_marking(dossier: Dossier, end: End) -> Marking | None:
    """How an end looks; None where it is no cable's fibre."""
    return marking(dossier.imprint.colours, end.fibre) if isinstance(end, Fibre) else None


def leads_to(dossier: Dossier, paths: tuple[int, ...]) -> str:
    """Who hangs on a joint: a customer by name, or how many there are."""
    if not paths:
        return "dark"
    rows = {dossier.paths[number].premises for number in paths}
    if len(rows) > 1:
        return f"{counted(len(paths), 'customer')} in {len(rows)} premises"
    label = dossier.label(next(iter(rows)))
    if len(paths) > 1:
        return f"{label}, {len(paths)} sockets"
    return f"{label}, socket {dossier.paths[paths[0]].socket}"


def port_of(path: Path) -> Port:
    """The port that a path begins at."""
    first = path.joints[0]
    found = first.a if isinstance(first.a, Port) else first.b
    assert isinstance(found, Port), "a path begins at a port"
    return found


def splice_table(dossier: Dossier) -> Table:
    """Every joint, site by site, from the office outwards."""
    columns = (
        text("site", "Site"),
        text("where", "Where"),
        text("kind", "Kind"),
        text("place", "Place"),
        *_end_columns("from", "From"),
        *_end_columns("to", "To"),
        text("leads_to", "Leads to"),
        count("paths", "Paths"),
        count("phase", "Phase"),
    )
    note = (
        f"Colours by {dossier.imprint.colours.value}, tubes of {FIBRES_PER_TUBE}: look at the cable's data "
        "sheet before "
        "you join by colour. A fibre that passes a site and stands in no row there is not cut."
    )
    return Table("splices", "Splice plan", note, columns, list(_splices(dossier)))


def _end_columns(name: str, title: str) -> tuple[Column, ...]:
    return (
        text(name, title),
        count(f"{name}_fibre", "Fibre"),
        count(f"{name}_tube", "Tube"),
        text(f"{name}_tube_colour", "Tube's colour"),
        text(f"{name}_colour", "Fibre's colour"),
    )


def _splices(dossier: Dossier) -> Iterator[Row]:
    for site in spliced_sites(dossier, with_premises=True):
        where = dossier.site_where(site)
        for place in places(dossier, site.id):
            kind = "connector" if place.joint.is_connector else "splice"
            ends = (*_end_values(dossier, place.near), *_end_values(dossier, place.far))
            phase = dossier.lit.get(place.joint, 1)
            behind = leads_to(dossier, place.paths)
            yield site.id, where, kind, place.place, *ends, behind, len(place.paths), phase


def _end_values(dossier: Dossier, end: End) -> Row:
    name, number = end_name(end)
    mark = end_marking(dossier, end)
    if mark is None:
        return name, number, None, "", ""
    return name, number, mark.tube, mark.tube_colour, mark.colour


def spliced_sites(dossier: Dossier, *, with_premises: bool) -> list[Site]:
    """Sites with joints, the office's first; premises only if asked for."""
    found = [site for site in dossier.sites.values() if dossier.joints[site.id]]
    if not with_premises:
        found = [site for site in found if site.kind is not SiteKind.PREMISES]
    return sorted(found, key=lambda site: (_SIDES[site.kind], natural(site.id)))


@dataclass(frozen=True, slots=True)
class Passing:
    """A cable at a site. joined: how many of its fibres are joined there; it goes on to the next site, or ends."""

    cable: Cable
    before: str | None
    behind: str | None
    joined: int
    uncut: int


def cables_at(dossier: Dossier, site: str) -> list[Passing]:
    """The cables of a site: where each comes from and goes to, and how many of its fibres are joined or left whole."""
    joined: dict[str, set[int]] = {}
    for joint in dossier.joints[site]:
        for end in (joint.a, joint.b):
            if isinstance(end, Fibre):
                joined.setdefault(end.cable, set()).add(end.fibre)
    found = []
    for cable in dossier.cables_at[site]:
        at = cable.sites.index(site)
        before = cable.sites[at - 1] if at else None
        behind = cable.sites[at + 1] if at + 1 < len(cable.sites) else None
        count = len(joined.get(cable.id, ()))
        passes = before is not None and behind is not None
        found.append(Passing(cable, before, behind, count, cable.fibres - count if passes else 0))
    return found


def splitter_table(dossier: Dossier) -> Table:
    """Each splitter, leg by leg: which fibre it is on and who hangs there."""
    joined: dict[End, Joint] = {end: joint for joint in dossier.design.joints for end in (joint.a, joint.b)}
    rows = list[Row]()
    for splitter in dossier.splitters.values():
        ports = {port_of(dossier.paths[number]).port for number in dossier.through.get(splitter.id, ())}
        port = ports.pop() if len(ports) == 1 else None
        for leg in range(splitter.ratio + 1):
            end = Leg(splitter.id, leg)
            joint = joined.get(end)
            name, number, behind = "", None, "free"
            if joint is not None:
                name, number = end_name(joint.b if joint.a == end else joint.a)
                behind = leads_to(dossier, tuple(dossier.through.get(joint, ())))
            side = "in" if leg == 0 else "out"
            rows.append(
                (splitter.id, splitter.site, splitter.ratio, splitter.stage + 1, port, side, leg, name, number, behind)
            )
    columns = (
        text("splitter", "Splitter"),
        text("site", "Site"),
        count("ratio", "Ratio, 1 to"),
        count("stage", "Stage"),
        count("port", "Office port"),
        text("side", "Side"),
        count("leg", "Leg"),
        text("on", "On"),
        count("fibre", "Fibre"),
        text("leads_to", "Leads to"),
    )
    note = "Leg 0 is the shared one, on the office's side. A free leg is joined to nothing."
    return Table("splitters", "Splitters", note, columns, rows)


def port_table(dossier: Dossier) -> Table:
    """The office's ports: where each leads, who hangs on it, and the worst of their losses."""
    found: dict[tuple[str, int], list[int]] = {}
    for at, path in enumerate(dossier.paths):
        begins = port_of(path)
        found.setdefault((begins.site, begins.port), []).append(at)
    rows = list[Row]()
    for (site, port), numbers in sorted(found.items(), key=lambda one: (natural(one[0][0]), one[0][1])):
        paths = [dossier.paths[number] for number in numbers]
        near, far = turn(paths[0].joints[0])
        cable, fibre = end_name(far if isinstance(near, Port) else near)
        splitters = sorted({s.id for path in paths for s in path.splitters}, key=natural)
        losses = [dossier.claims[path.premises, path.socket].loss_db for path in paths]
        premises = dict.fromkeys(dossier.label(path.premises) for path in paths)
        rows.append(
            (
                site,
                port,
                cable,
                fibre,
                ", ".join(sorted({dossier.areas[n] for n in numbers}, key=natural)),
                ", ".join(splitters),
                len(paths),
                dossier.architecture.split - len(paths),
                max(losses),
                dossier.most_loss_db - max(losses),
                "; ".join(premises),
            )
        )
    columns = (
        text("office", "Office"),
        count("port", "Port"),
        text("cable", "Cable"),
        count("fibre", "Fibre"),
        text("area", "Area"),
        text("splitters", "Splitters"),
        count("customers", "Customers", summed=True),
        count("free", "Free", summed=True),
        Column("loss_db_max", "Worst loss", Sort.DECIBELS),
        Column("left_db_min", "Least left", Sort.DECIBELS),
        text("premises", "Premises"),
    )
    note = (
        "Loss is without the margin for repairs and age; what is left is what the class allows, less that margin "
        "and the loss."
    )
    return Table("ports", "Ports of the office", note, columns, rows)
