"""The digger's tables: every run of trench from where to where, what the street is made of, what lies across, and which
ducts go in; streets in all; each duct from end to end.

A run is as long as one thing is done: one street, one surface, one phase, the same ducts.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from broadstreet.network.design import Duct
from broadstreet.network.ground import OBSTACLES, SURFACES, WayKind
from broadstreet.network.ground.ground import NO_STREET
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.papers.dossier import Dossier, listed, natural
from broadstreet.network.papers.table import Row, Table, count, metres, money, text

NO_NAME = "no name"


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done in one way, the same along a run."""

    street: str
    kind: WayKind
    surface: str
    phase: int
    ducts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Ways one after another in which the same is done."""

    deed: Deed
    ways: tuple[int, ...]
    nodes: tuple[int, ...]


def runs(dossier: Dossier) -> list[Run]:
    """All opened ways, run by run: street by street, and in each from one end to the other."""
    by_deed: defaultdict[Deed, list[int]] = defaultdict(list)
    for way, deed in _deeds(dossier).items():
        by_deed[deed].append(way)
    by_street: defaultdict[str, list[Run]] = defaultdict(list)
    for deed, ways in by_deed.items():
        by_street[deed.street] += [Run(deed, *chain) for chain in chains(dossier, ways)]
    found: list[Run] = []
    for street in sorted(by_street, key=lambda name: (not name, name)):
        found += _along(dossier, by_street[street])
    return found


def _along(dossier: Dossier, street: list[Run]) -> list[Run]:
    """A street's runs from its west to its east, or its south to its north, whichever is longer; each likewise."""
    nodes = [node for run in street for node in run.nodes]
    points = dossier.naming.plane.points(dossier.ground.lon[nodes], dossier.ground.lat[nodes])
    along = dict(zip(nodes, points[:, int(np.ptp(points, axis=0).argmax())].tolist(), strict=True))
    turned = [
        run if along[run.nodes[0]] <= along[run.nodes[-1]] else Run(run.deed, run.ways[::-1], run.nodes[::-1])
        for run in street
    ]
    return sorted(turned, key=lambda run: (run.deed.phase, along[run.nodes[0]], run.ways))


def _deeds(dossier: Dossier) -> dict[int, Deed]:
    ways = dossier.ground.ways
    ducts: defaultdict[int, list[str]] = defaultdict(list)
    for duct in dossier.design.ducts:
        for way in duct.ways:
            ducts[way].append(duct.kind)
    return {
        way: Deed(
            dossier.street(way),
            WayKind(int(ways.kind[way])),
            SURFACES[int(ways.surface[way])].value,
            dossier.phase[way],
            tuple(sorted(ducts[way], key=natural)),
        )
        for way in dossier.design.opened
    }


def chains(dossier: Dossier, ways: Iterable[int]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Ways put one after another from fork to fork, each chain with its nodes; a ring begins anywhere."""
    table = dossier.ground.ways
    ends = {way: (int(table.a[way]), int(table.b[way])) for way in ways}
    at: defaultdict[int, list[int]] = defaultdict(list)
    for way, (a, b) in ends.items():
        at[a].append(way)
        at[b].append(way)
    left = set(ends)
    begins = [(way, node) for way in ends for node in ends[way] if len(at[node]) != 2]
    rings = [(way, ends[way][0]) for way in ends]
    return [_chain(way, node, ends, at, left) for way, node in (*begins, *rings) if way in left]


def _chain(
    way: int, node: int, ends: Mapping[int, tuple[int, int]], at: Mapping[int, list[int]], left: set[int]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ways from a node on as long as no other meets them, taken out of those that are left; and their nodes."""
    chain, nodes = list[int](), [node]
    while True:
        left.remove(way)
        chain.append(way)
        a, b = ends[way]
        node = b if node == a else a
        nodes.append(node)
        further = [other for other in at[node] if other in left]
        if len(at[node]) != 2 or not further:
            return tuple(chain), tuple(nodes)
        way = further[0]


def run_table(dossier: Dossier) -> Table:
    """What is opened, run by run."""
    ways, rows = dossier.ground.ways, list[Row]()
    for number, run in enumerate(runs(dossier), start=1):
        deed = run.deed
        across = Counter[str]()
        for way in run.ways:
            across.update(
                o.value for o, is_there in zip(OBSTACLES, ways.crossings[way].tolist(), strict=True) if is_there
            )
            across["carriageway"] += deed.kind is WayKind.CROSSING
        cables = [len(dossier.lying[way]) for way in run.ways]
        rows.append(
            (
                number,
                deed.street or NO_NAME,
                dossier.naming.where(run.nodes[0], deed.street),
                dossier.naming.where(run.nodes[-1], deed.street),
                deed.kind.name.lower().replace("_", " "),
                "" if deed.kind in PLANT else deed.surface,
                float(ways.length_m[list(run.ways)].sum()),
                counted_kinds(deed.ducts),
                min(cables),
                max(cables),
                ", ".join(f"{count} × {name}" if count > 1 else name for name, count in across.items() if count),
                deed.phase,
                int(ways.open_cents[list(run.ways)].sum()),
            )
        )
    columns = (
        count("run", "Run"),
        text("street", "Street"),
        text("from", "From"),
        text("to", "To"),
        text("kind", "What"),
        text("surface", "Surface"),
        metres("length_m", "Metres", summed=True),
        text("ducts", "Ducts to lay"),
        count("cables_least", "Cables, least"),
        count("cables_most", "Cables, most"),
        text("crosses", "Crosses"),
        count("phase", "Phase"),
        money("opening", "Opening"),
    )
    note = (
        "A run is as long as the same is done: one street, one surface, the same ducts. Opening is trench, "
        "the permit by "
        "the metre and what lies across, or the use of what lies there; ducts and cables are not in it."
    )
    return Table("runs", "What is dug, run by run", note, columns, rows)


def counted_kinds(kinds: Iterable[str]) -> str:
    """Ducts of some kinds, counted: 2 of 1 x 40, 1 of 7 x 14."""
    found = Counter(kinds)
    return ", ".join(f"{found[kind]} of {kind}" for kind in sorted(found, key=natural))


def street_table(dossier: Dossier) -> Table:
    """What is dug in each street: metres by surface, its permit, what is crossed."""
    ways, rows = dossier.ground.ways, list[Row]()
    by_street: defaultdict[str, list[int]] = defaultdict(list)
    for way in dossier.design.opened:
        if WayKind(int(ways.kind[way])) not in PLANT:
            by_street[dossier.street(way)].append(way)
    dug = [SURFACES[number] for number in range(len(SURFACES))]
    for street in sorted(by_street, key=lambda name: (not name, name)):
        mine = by_street[street]
        by_surface = [
            float(sum(ways.length_m[way] for way in mine if ways.surface[way] == number))
            for number in range(len(SURFACES))
        ]
        crossings = [int(ways.crossings[mine, number].sum()) for number in range(len(OBSTACLES))]
        carriageways = sum(int(ways.kind[way]) == WayKind.CROSSING for way in mine)
        rows.append(
            (
                street or NO_NAME,
                float(ways.length_m[mine].sum()),
                *by_surface,
                carriageways,
                *crossings,
                int(any(ways.street[way] != NO_STREET for way in mine)),
                listed([str(phase) for phase in sorted({dossier.phase[way] for way in mine})]),
            )
        )
    columns = (
        text("street", "Street"),
        metres("length_m", "Metres", summed=True),
        *(metres(f"{surface.value}_m", surface.value.capitalize(), summed=True) for surface in dug),
        count("carriageways", "Carriageways crossed", summed=True),
        *(count(obstacle.value, f"Crossed: {obstacle.value}", summed=True) for obstacle in OBSTACLES),
        count("permits", "Permits to ask for", summed=True),
        text("phases", "Phases"),
    )
    note = (
        "A pavement without a name stands with the street it runs beside, a crossing with the one it crosses; a permit "
        "is asked for each street that is dug so. What is in no street stands by the nearest, and asks for none."
    )
    return Table("streets", "Streets that are dug", note, columns, rows)


def duct_table(dossier: Dossier) -> Table:
    """Each duct from end to end, and the cables in it."""
    inside: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for cable in dossier.cables.values():
        for ids in cable.ducts:
            for id in ids:
                inside[id][cable.id] = None
    rows = list[Row]()
    for duct in sorted(dossier.design.ducts, key=lambda one: natural(one.id)):
        first, last = duct_ends(dossier, duct)
        streets = dict.fromkeys(dossier.street(way) or NO_NAME for way in duct.ways)
        rows.append(
            (
                duct.id,
                duct.kind,
                dossier.naming.where(first),
                dossier.naming.where(last),
                ", ".join(streets),
                float(dossier.ground.ways.length_m[list(duct.ways)].sum()),
                dossier.ground.catalogue.duct[duct.kind].cables,
                len(inside[duct.id]),
                ", ".join(inside[duct.id]),
                max(dossier.phase[way] for way in duct.ways),
            )
        )
    columns = (
        text("duct", "Duct"),
        text("kind", "Kind"),
        text("from", "From"),
        text("to", "To"),
        text("streets", "Along"),
        metres("length_m", "Metres", summed=True),
        count("takes", "Cables it takes at once"),
        count("cables", "Cables that pass"),
        text("cable_ids", "Which"),
        count("phase", "Phase"),
    )
    return Table("ducts", "Ducts", "On each of its ways a duct takes as many cables as its kind does.", columns, rows)


def duct_ends(dossier: Dossier, duct: Duct) -> tuple[int, int]:
    """The nodes that a duct leads between."""
    ways = dossier.ground.ways
    ends = [(int(ways.a[way]), int(ways.b[way])) for way in duct.ways]
    if len(ends) == 1:
        return ends[0]
    first = next((node for node in ends[0] if node not in ends[1]), ends[0][0])
    last = next((node for node in ends[-1] if node not in ends[-2]), ends[-1][1])
    return first, last
