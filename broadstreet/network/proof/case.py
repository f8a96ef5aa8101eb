"""A statement beside its ground while it is checked: rows of the ground as plain values, and what was found so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from broadstreet.network.design import Cable, Duct, Joint, Site, SiteKind, Splitter, Statement
from broadstreet.network.ground import (
    OBSTACLES,
    SURFACES,
    Architecture,
    Ground,
    Obstacle,
    Optics,
    Surface,
    WayKind,
)
from broadstreet.network.ground.streets import PLANT
from broadstreet.network.proof.finding import Finding, FindingKind


@dataclass(frozen=True, slots=True)
class Way:
    """A row of the ground's ways."""

    row: int
    a: int
    b: int
    length_m: float
    kind: WayKind
    surface: Surface
    street: int
    usable: bool
    room: int
    crossings: tuple[Obstacle, ...]

    @property
    def is_plant(self) -> bool:
        return self.kind in PLANT


def end_of(ways: Iterable[Way], start: int) -> int | None:
    """Where one comes to from a node along these ways one after another; None where one does not meet the next."""
    node = start
    for way in ways:
        if node not in (way.a, way.b):
            return None
        node = way.b if node == way.a else way.a
    return node


class Case:
    """What is checked, and what was found.

    The pieces (`sites`, `ducts`, `cables`, `splitters`, `joints`) are those that hang together well enough to be looked
    at further; `pieces` and `joints` put them here and report the others.
    """

    def __init__(self, statement: Statement, ground: Ground, architecture: Architecture, optics: Optics) -> None:
        self.statement = statement
        self.design = statement.design
        self.ground = ground
        self.architecture = architecture
        self.optics = optics
        self.catalogue = ground.catalogue
        self.found: list[Finding] = []

        self.node_count = len(ground.lon)
        self.premises_ids = ground.premises.demand.ids
        self.premises_node: list[int] = ground.premises.node.tolist()
        self.drop_m: list[float] = ground.premises.drop_m.tolist()
        self.need: list[int] = ground.premises.demand.fibres.tolist()
        self.office_node: list[int] = ground.offices.node.tolist()
        self.lead_m: list[float] = ground.offices.lead_m.tolist()
        self.ways: dict[int, Way] = {}

        self.sites: dict[str, Site] = {}
        self.ducts: dict[str, Duct] = {}
        self.cables: dict[str, Cable] = {}
        self.splitters: dict[str, Splitter] = {}
        self.joints: list[Joint] = []
        self.opened: set[int] = {row for row in self.design.opened if self.way(row)}
        self.second: set[int] = set(self.design.second)
        self._stretch_m: dict[tuple[str, int], float] = {}
        self.phase: dict[int, int] = dict(zip(self.design.opened, self.design.phases, strict=False))

    def way(self, row: int) -> Way | None:
        """A way of the ground; None where it has no such row."""
        if row not in self.ways:
            table = self.ground.ways
            if not 0 <= row < len(table):
                return None
            self.ways[row] = Way(
                row,
                int(table.a[row]),
                int(table.b[row]),
                float(table.length_m[row]),
                WayKind(int(table.kind[row])),
                SURFACES[int(table.surface[row])],
                int(table.street[row]),
                bool(table.usable[row]),
                int(table.room[row]),
                tuple(
                    kind for kind, is_there in zip(OBSTACLES, table.crossings[row].tolist(), strict=True) if is_there
                ),
            )
        return self.ways[row]

    def known_ways(self, rows: Iterable[int]) -> list[Way]:
        """Those of the rows that the ground has."""
        return [way for way in map(self.way, rows) if way]

    def phase_of(self, rows: Iterable[int]) -> int:
        """The latest phase of these ways."""
        return max((self.phase.get(row, 1) for row in rows), default=1)

    def laid_m(self, cable: Cable, stretch: int) -> float:
        """How much of a cable a stretch takes: its ways, and the lead of an office at its ends."""
        length_m = sum(way.length_m for way in self.known_ways(cable.ways[stretch]))
        for id in cable.sites[stretch : stretch + 2]:
            office = self.sites[id].office
            if self.sites[id].kind is SiteKind.OFFICE and office is not None:
                length_m += self.lead_m[office]
        return length_m

    def drop_of(self, id: str) -> float:
        """How long the drop at a site is; 0 where it is no premises."""
        premises = self.sites[id].premises
        return self.drop_m[premises] if self.sites[id].kind is SiteKind.PREMISES and premises is not None else 0.0

    def stretch_m(self, cable: Cable, stretch: int) -> float:
        """How long light goes through a stretch of a cable: what is laid, and the drop of premises at its ends."""
        key = cable.id, stretch
        if key not in self._stretch_m:
            drops_m = sum(self.drop_of(id) for id in cable.sites[stretch : stretch + 2])
            self._stretch_m[key] = self.laid_m(cable, stretch) + drops_m
        return self._stretch_m[key]

    def sites_of(self, kind: SiteKind) -> list[Site]:
        return [site for site in self.sites.values() if site.kind is kind]

    def report(
        self,
        kind: FindingKind,
        where: str,
        claimed: object,
        true: object,
        *,
        node: int | None = None,
        way: int | None = None,
    ) -> None:
        """Notes a finding, at a node or at the first point of a way."""
        known = self.way(way) if way is not None else None
        at = known.a if known else node
        if at is None or not 0 <= at < self.node_count:
            self.found.append(Finding(kind, where, str(claimed), str(true)))
        else:
            place = float(self.ground.lon[at]), float(self.ground.lat[at])
            self.found.append(Finding(kind, where, str(claimed), str(true), *place))

    def name(self, premises: int) -> str:
        return f"premises {self.premises_ids[premises]}"


def in_range(row: int | None, rows: Sequence[object]) -> bool:
    return row is not None and 0 <= row < len(rows)
