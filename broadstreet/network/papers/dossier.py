"""A proved plan, looked up: what every paper is made from.

A `Dossier` is only made of a statement in which the checker finds nothing wrong, and what it says of light is the way
that the checker walked: who builds by these papers builds what was proved.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import msgspec

from broadstreet.model.errors import InvalidInput
from broadstreet.network.design import Cable, Design, Joint, Site, SiteKind, Splitter, Statement
from broadstreet.network.design import Path as Claim
from broadstreet.network.ground import Architecture, Ground, Optics
from broadstreet.network.papers.colours import ColourCode
from broadstreet.network.papers.naming import Naming
from broadstreet.network.papers.plot import Plot
from broadstreet.network.proof import Path, examine

MAX_NAMED: Final = 3
"""How many findings a refusal tells."""
_DIGITS: Final = re.compile(r"(\d+)")


class Imprint(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on every paper. date: as 2026-12-31. source: who is to be named for the map, such as © OpenStreetMap
    contributors. seed, seconds: how the plan was sought, where that is known."""

    title: str
    date: str
    source: str = ""
    seed: int | None = None
    seconds: float | None = None
    colours: ColourCode = ColourCode.TIA


@dataclass(frozen=True, eq=False)
class Dossier:
    """A statement with its ground, architecture and optics, and what the papers look up in them."""

    statement: Statement
    ground: Ground
    architecture: Architecture
    optics: Optics
    imprint: Imprint
    paths: tuple[Path, ...]
    lit: Mapping[object, int]

    @classmethod
    def of(
        cls, statement: Statement, ground: Ground, architecture: Architecture, optics: Optics, imprint: Imprint
    ) -> Dossier:
        """Raises InvalidInput where the checker finds the statement wrong: such a plan is not handed out."""
        examined = examine(statement, ground, architecture, optics)
        if found := examined.findings:
            told = "; ".join(str(finding) for finding in found[:MAX_NAMED])
            more = f"; and {len(found) - MAX_NAMED} more" if len(found) > MAX_NAMED else ""
            raise InvalidInput(
                f"the checker finds this plan wrong: {told}{more}",
                where=f"the plan {imprint.title}",
                remedy="Plan again on this ground: what is not proved is not handed to those who build.",
            )
        paths = sorted(examined.paths, key=lambda path: (path.premises, path.socket))
        return cls(statement, ground, architecture, optics, imprint, tuple(paths), examined.lit)

    @property
    def design(self) -> Design:
        return self.statement.design

    @property
    def currency(self) -> str:
        return self.statement.bill.currency

    @cached_property
    def sites(self) -> dict[str, Site]:
        """By id, in the order of their ids."""
        return {site.id: site for site in sorted(self.design.sites, key=lambda site: natural(site.id))}

    @cached_property
    def cables(self) -> dict[str, Cable]:
        return {cable.id: cable for cable in sorted(self.design.cables, key=lambda cable: natural(cable.id))}

    @cached_property
    def splitters(self) -> dict[str, Splitter]:
        return {one.id: one for one in sorted(self.design.splitters, key=lambda one: natural(one.id))}

    @cached_property
    def claims(self) -> dict[tuple[int, int], Claim]:
        """What is said of each path, by premises and socket."""
        return {(claim.premises, claim.socket): claim for claim in self.statement.paths}

    @cached_property
    def phase(self) -> dict[int, int]:
        """The phase of each opened way."""
        phases = self.design.phases or (1,) * len(self.design.opened)
        return dict(zip(self.design.opened, phases, strict=True))

    @cached_property
    def phases(self) -> int:
        return max(self.phase.values(), default=1)

    def cable_phase(self, cable: Cable) -> int:
        """The latest of its ways'; of a cable without ways the earliest light's through it."""
        ways = [self.phase[way] for stretch in cable.ways for way in stretch]
        return max(ways) if ways else self.lit.get(cable.id, 1)

    @cached_property
    def joints(self) -> dict[str, list[Joint]]:
        """By site."""
        found: dict[str, list[Joint]] = {id: [] for id in self.sites}
        for joint in self.design.joints:
            found[joint.site].append(joint)
        return found

    @cached_property
    def through(self) -> dict[object, list[int]]:
        """Which paths, by number, lead through each site, splitter and cable (by id), and each joint."""
        found: defaultdict[object, list[int]] = defaultdict(list)
        for number, path in enumerate(self.paths):
            for thing in dict.fromkeys((*(step.id for step in path.steps), *path.joints)):
                found[thing].append(number)
        return dict(found)

    @cached_property
    def used(self) -> dict[str, list[int]]:
        """How many fibres light goes through, for each cable and stretch."""
        fibres: dict[str, list[set[int]]] = {id: [set() for _ in cable.ways] for id, cable in self.cables.items()}
        for path in self.paths:
            for cable, fibre, stretch in path.stretches:
                fibres[cable.id][stretch].add(fibre)
        return {id: [len(one) for one in stretches] for id, stretches in fibres.items()}

    @cached_property
    def lying(self) -> dict[int, list[tuple[Cable, int]]]:
        """The cables on each opened way, each with its stretch there."""
        found: dict[int, list[tuple[Cable, int]]] = {way: [] for way in self.design.opened}
        for cable in self.cables.values():
            for number, stretch in enumerate(cable.ways):
                for way in stretch:
                    found[way].append((cable, number))
        return found

    @cached_property
    def cables_at(self) -> dict[str, list[Cable]]:
        """The cables that begin, end or pass at each site."""
        found: dict[str, list[Cable]] = {id: [] for id in self.sites}
        for cable in self.cables.values():
            for site in cable.sites:
                found[site].append(cable)
        return found

    @cached_property
    def duct_kind(self) -> dict[str, str]:
        """By the duct's id."""
        return {duct.id: duct.kind for duct in self.design.ducts}

    @cached_property
    def areas(self) -> list[str]:
        """For each path its area: the site of its first splitter, where it passes none its first cabinet, or else the
        office."""
        found = []
        for path in self.paths:
            splitters = path.splitters
            cabinets = [s.id for s in path.steps if isinstance(s, Site) and s.kind is SiteKind.CABINET]
            found.append(splitters[0].site if splitters else cabinets[0] if cabinets else path.joints[0].site)
        return found

    @cached_property
    def area_ids(self) -> list[str]:
        return sorted(set(self.areas), key=natural)

    @cached_property
    def _areas_through(self) -> dict[object, frozenset[str]]:
        return {thing: frozenset(self.areas[number] for number in paths) for thing, paths in self.through.items()}

    def areas_of(self, things: Iterable[object]) -> set[str]:
        """The areas whose light goes through any of these sites, splitters, cables (by id) or joints."""
        found: set[str] = set()
        for thing in things:
            found |= self._areas_through.get(thing, frozenset())
        return found

    @cached_property
    def splitters_at(self) -> Counter[str]:
        """How many splitters stand at each site."""
        return Counter(splitter.site for splitter in self.design.splitters)

    @cached_property
    def naming(self) -> Naming:
        return Naming(self.ground)

    @cached_property
    def plot(self) -> Plot:
        return Plot(self.ground, self.naming.plane)

    def street(self, way: int) -> str:
        """The street that a way belongs to, or is by; empty where there is none."""
        return self.naming.along(way)

    def label(self, premises: int) -> str:
        return self.naming.premises(premises)

    def place(self, node: int) -> tuple[float, float]:
        """Longitude and latitude of a node."""
        return round(float(self.ground.lon[node]), 7), round(float(self.ground.lat[node]), 7)

    def site_place(self, site: Site) -> tuple[float, float]:
        """Where a site is: premises and offices stand beside their node."""
        if site.premises is not None:
            demand = self.ground.premises.demand
            return round(float(demand.lon[site.premises]), 7), round(float(demand.lat[site.premises]), 7)
        if site.office is not None:
            offices = self.ground.offices
            return round(float(offices.lon[site.office]), 7), round(float(offices.lat[site.office]), 7)
        return self.place(site.node)

    def site_where(self, site: Site) -> str:
        """A site in words."""
        if site.premises is not None:
            return self.label(site.premises)
        if site.office is not None:
            return self.ground.offices.labels[site.office] or self.ground.offices.ids[site.office]
        return self.naming.where(site.node)

    def stretch_m(self, cable: Cable, stretch: int) -> float:
        """How much cable a stretch takes: its ways, and an office's lead at its ends."""
        metres = float(sum(self.ground.ways.length_m[way] for way in cable.ways[stretch]))
        for id in cable.sites[stretch : stretch + 2]:
            if (office := self.sites[id].office) is not None:
                metres += float(self.ground.offices.lead_m[office])
        return metres

    def drop_m(self, cable: Cable) -> float:
        """The length of the premises' drop that a cable ends with; 0 where it is none's."""
        row = self.sites[cable.sites[-1]].premises
        return 0.0 if row is None else float(self.ground.premises.drop_m[row])

    @cached_property
    def most_loss_db(self) -> float:
        """What a path may lose, the margin for repairs and age taken off."""
        return self.optics.classes[self.architecture.optical_class].most_loss_db - self.optics.margin_db


def natural(id: str) -> tuple[str | int, ...]:
    """Sorts cabinet-2 before cabinet-10."""
    return tuple(int(part) if part.isdigit() else part for part in _DIGITS.split(id))


def counted(count: int, noun: str, plural: str = "") -> str:
    """How many of what."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def listed(names: Sequence[str]) -> str:
    """Names in a row: a, b and c."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
