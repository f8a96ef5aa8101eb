"""Whether ducts and cables lie where something was opened for them, chain from site to site, and find room."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from broadstreet.network.design import Cable, Duct, Role
from broadstreet.network.ground import WayKind
from broadstreet.network.proof.case import Case, Way, end_of
from broadstreet.network.proof.finding import FindingKind as Kind


def check_lines(case: Case) -> None:
    for duct in case.design.ducts:
        _check_duct(case, duct)
    for cable in case.cables.values():
        _check_chain(case, cable)
        _check_size(case, cable)
    _check_ducts_of_cables(case)
    _check_room(case)


def _check_duct(case: Case, duct: Duct) -> None:
    where = f"duct {duct.id}"
    if duct.kind not in case.catalogue.duct:
        case.report(Kind.DUCT_KIND, where, f"a {duct.kind}", f"there are {list(case.catalogue.duct)}")
    ways = case.known_ways(duct.ways)
    first = duct.ways[0] if duct.ways else None
    is_whole = bool(ways) and len(set(duct.ways)) == len(duct.ways) == len(ways)
    if not is_whole or (end_of(ways, ways[0].a) is None and end_of(ways, ways[0].b) is None):
        true = "each of its ways begins where the one before ends, and comes once"
        case.report(Kind.DUCT_BROKEN, where, f"along ways {_rows(duct.ways)}", true, way=first)
    for way in ways:
        if way.row not in case.opened:
            case.report(Kind.DUCT_UNOPENED, where, f"in way {way.row}", "that is not opened", way=way.row)
        elif way.is_plant:
            true = f"a {way.kind.name.lower()} that lies there takes cables, not ducts"
            case.report(Kind.DUCT_UNOPENED, where, f"in way {way.row}", true, way=way.row)


def _check_chain(case: Case, cable: Cable) -> None:
    """Its ways lead from each site to the next, and are opened."""
    where = f"cable {cable.id}"
    for stretch, rows in enumerate(cable.ways):
        start, end = (case.sites[id] for id in cable.sites[stretch : stretch + 2])
        ways = case.known_ways(rows)
        if len(ways) < len(rows) or end_of(ways, start.node) != end.node:
            claimed = f"from site {start.id} to {end.id} along ways {_rows(rows)}"
            case.report(Kind.CABLE_BROKEN, where, claimed, "they do not lead there", node=start.node)
        for row in sorted(set(rows) - case.opened):
            case.report(Kind.CABLE_UNOPENED, where, f"in way {row}", "that is not opened", way=row)


def _check_size(case: Case, cable: Cable) -> None:
    """A new cable has a size of the catalogue's; one of spare fibres lies in nothing else, and is no drop."""
    ways = case.known_ways(row for rows in cable.ways for row in rows)
    in_fibre = sum(way.kind is WayKind.FIBRE for way in ways)
    where, at = f"cable {cable.id}", ways[0].row if ways else None
    if in_fibre and cable.role is Role.DROP:
        case.report(Kind.CABLE_MIXED, where, "a drop in fibres that lie there", "a drop is laid anew", way=at)
    if 0 < in_fibre < len(ways):
        claimed = f"{in_fibre} of {len(ways)} ways are fibres that lie there"
        case.report(Kind.CABLE_MIXED, where, claimed, "all or none", way=at)
    if not 0 < in_fibre == len(ways) and cable.fibres not in case.catalogue.cable:
        true = f"there are {list(case.catalogue.cable)}"
        case.report(Kind.CABLE_SIZE, where, f"{cable.fibres} fibres", true, way=at)


def _each_way(case: Case) -> Iterator[tuple[Cable, Way, str]]:
    """Each cable on each of its ways, with the duct that is named for it."""
    for cable in case.cables.values():
        for rows, names in zip(cable.ways, cable.ducts, strict=True):
            for row, name in zip(rows, names, strict=True):
                way = case.way(row)
                if way:
                    yield cable, way, name


def _check_ducts_of_cables(case: Case) -> None:
    """Each cable has a duct on each way that is dug, large enough for it, with room for all of them."""
    inside: Counter[tuple[str, int]] = Counter()
    covers = {duct.id: set(duct.ways) for duct in case.ducts.values()}
    for cable, way, name in _each_way(case):
        where = f"cable {cable.id}"
        if way.is_plant:
            if name:
                true = f"a {way.kind.name.lower()} that lies there, without a duct of the design's"
                case.report(Kind.DUCT_MISSING, where, f"in duct {name} on way {way.row}", true, way=way.row)
            continue
        duct = case.ducts.get(name)
        if duct is None or way.row not in covers[name]:
            true = "the duct does not lie there" if duct else "there is no such duct"
            case.report(Kind.DUCT_MISSING, where, f"in duct {name!r} on way {way.row}", true, way=way.row)
            continue
        inside[name, way.row] += 1
        kind = case.catalogue.duct.get(duct.kind)
        if kind and cable.fibres > kind.largest_cable_fibres:
            claimed = f"{cable.fibres} fibres in duct {name}"
            true = f"a {duct.kind} takes cables of {kind.largest_cable_fibres} at most"
            case.report(Kind.DUCT_TOO_SMALL, where, claimed, true, way=way.row)
    for (name, row), count in inside.items():
        kind = case.catalogue.duct.get(case.ducts[name].kind)
        if kind and count > kind.cables:
            true = f"it takes {kind.cables}"
            case.report(Kind.DUCT_OVERFULL, f"duct {name}", f"{count} cables on way {row}", true, way=row)


def _check_room(case: Case) -> None:
    """Plant takes no more cables, or lends no more fibres, than it has room for."""
    taken: Counter[int] = Counter()
    for cable, way, _ in _each_way(case):
        taken[way.row] += cable.fibres if way.kind is WayKind.FIBRE else 1
    for way in case.known_ways(taken):
        if 0 <= way.room < taken[way.row]:
            what = "fibres" if way.kind is WayKind.FIBRE else "cables"
            claimed = f"{taken[way.row]} {what}"
            case.report(Kind.ROOM_EXCEEDED, f"way {way.row}", claimed, f"room for {way.room}", way=way.row)


def _rows(rows: tuple[int, ...]) -> str:
    return ", ".join(str(row) for row in rows) or "none"
