"""Who is reached, and how: each premises with its cabinet, splitter, way and light; each socket's path."""

from __future__ import annotations

from collections.abc import Iterable

from broadstreet.network.design import Leg
from broadstreet.network.ground.premises import PremisesKind
from broadstreet.network.papers.dossier import Dossier, natural
from broadstreet.network.papers.splicing import port_of
from broadstreet.network.papers.table import Column, Row, Sort, Table, count, metres, text
from broadstreet.network.proof import Path


def premises_table(dossier: Dossier) -> Table:
    """Each premises that is served."""
    demand, rows = dossier.ground.premises.demand, list[Row]()
    second = set(dossier.design.second)
    mine: dict[int, list[int]] = {}
    for number, path in enumerate(dossier.paths):
        mine.setdefault(path.premises, []).append(number)
    for row in sorted(mine, key=lambda row: natural(dossier.label(row))):
        numbers = mine[row]
        paths = [dossier.paths[number] for number in numbers]
        claims = [dossier.claims[path.premises, path.socket] for path in paths]
        loss_db = max(claim.loss_db for claim in claims)
        rows.append(
            (
                demand.ids[row],
                dossier.label(row),
                PremisesKind(int(demand.kind[row])).name.lower(),
                round(float(demand.lon[row]), 7),
                round(float(demand.lat[row]), 7),
                len(paths),
                bool(demand.is_critical[row]),
                row in second,
                _joined(dossier.areas[number] for number in numbers),
                _joined(drop_site(path) for path in paths),
                _joined(leg for path in paths for leg in legs(path)),
                ", ".join(str(port) for port in sorted({port_of(path).port for path in paths})),
                float(dossier.ground.premises.drop_m[row]),
                max(claim.length_m for claim in claims),
                loss_db,
                dossier.most_loss_db - loss_db,
                min(phase_of(dossier, path) for path in paths),
            )
        )
    columns = (
        text("id", "Id"),
        text("premises", "Premises"),
        text("kind", "Kind"),
        Column("lon", "Longitude", Sort.DEGREES),
        Column("lat", "Latitude", Sort.DEGREES),
        count("sockets", "Sockets", summed=True),
        Column("critical", "Critical", Sort.FLAG),
        Column("second_way", "Second way", Sort.FLAG),
        text("area", "Area"),
        text("drops_from", "Drops from"),
        text("splitter_legs", "Splitter and leg"),
        text("ports", "Office ports"),
        metres("drop_m", "Drop"),
        metres("length_m_max", "Longest path"),
        Column("loss_db_max", "Worst loss", Sort.DECIBELS),
        Column("left_db_min", "Left", Sort.DECIBELS),
        count("phase", "Phase"),
    )
    return Table("premises", "Premises", light_note(dossier), columns, rows)


def socket_table(dossier: Dossier) -> Table:
    """Each socket's path of light."""
    demand, rows = dossier.ground.premises.demand, list[Row]()
    for number, path in enumerate(dossier.paths):
        claim = dossier.claims[path.premises, path.socket]
        connectors = sum(joint.is_connector for joint in path.joints)
        rows.append(
            (
                demand.ids[path.premises],
                dossier.label(path.premises),
                path.socket,
                path.joints[0].site,
                port_of(path).port,
                dossier.areas[number],
                ", ".join(legs(path)),
                drop_site(path),
                len(path.joints) - connectors,
                connectors,
                claim.length_m,
                claim.loss_db,
                dossier.most_loss_db - claim.loss_db,
                phase_of(dossier, path),
            )
        )
    columns = (
        text("id", "Id"),
        text("premises", "Premises"),
        count("socket", "Socket"),
        text("office", "Office"),
        count("port", "Port"),
        text("area", "Area"),
        text("splitter_legs", "Splitter and leg"),
        text("drops_from", "Drops from"),
        count("splices", "Splices"),
        count("connectors", "Connectors"),
        metres("length_m", "Length"),
        Column("loss_db", "Worst loss", Sort.DECIBELS),
        Column("left_db", "Left", Sort.DECIBELS),
        count("phase", "Phase"),
    )
    return Table("sockets", "Paths of light", light_note(dossier), columns, rows)


def light_note(dossier: Dossier) -> str:
    """What losses are held against."""
    name = dossier.architecture.optical_class
    bounds, margin_db = dossier.optics.classes[name], dossier.optics.margin_db
    return (
        f"Class {name} allows a loss of {bounds.most_loss_db:g} dB; with {margin_db:g} dB kept for repairs and age a "
        f"path may lose {dossier.most_loss_db:g} dB. What is left of that stands beside each."
    )


def legs(path: Path) -> list[str]:
    """The splitters of a path, each with the leg that it leaves by: splitter-3:12."""
    left_by = [end for joint in path.joints for end in (joint.a, joint.b) if isinstance(end, Leg) and end.leg]
    return [f"{end.splitter}:{end.leg}" for end in left_by]


def drop_site(path: Path) -> str:
    """The site that a path's drop leaves from."""
    return path.cables[-1].sites[0] if path.cables else path.joints[-1].site


def phase_of(dossier: Dossier, path: Path) -> int:
    """The latest phase of a path's cables."""
    return max((dossier.cable_phase(cable) for cable in path.cables), default=1)


def _joined(values: Iterable[str]) -> str:
    return ", ".join(sorted(dict.fromkeys(values), key=natural))
