"""A design while it is being made: pieces get their ids, closures fill with joints, and sizes are known at the end.

Each office's network is a draft of its own; those of one design count their pieces together, so that no two have the
same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from broadstreet.network.design import Cable, End, Fibre, Joint, Leg, Role, Side, Site, SiteKind, Splitter
from broadstreet.network.plan.prices import Prices
from broadstreet.network.plan.rooted import Rooted


@dataclass(slots=True, eq=False)
class Standing:
    """A site of the draft. taken: joints in a closure, fibres of the premises' side in a cabinet; what was promised to
    come counts from the beginning."""

    id: str
    kind: SiteKind
    position: int
    row: int | None = None
    taken: int = 0


@dataclass(slots=True, eq=False)
class Draft:
    """What is decided so far, on a tree. numbers: how many pieces of each kind there are, those of other drafts among
    them."""

    tree: Rooted
    prices: Prices
    numbers: Counter[str] = field(default_factory=Counter)
    sites: dict[str, Standing] = field(default_factory=dict)
    cables: list[Cable] = field(default_factory=list)
    splitters: list[Splitter] = field(default_factory=list)
    joints: list[Joint] = field(default_factory=list)
    _closures: dict[int, list[Standing]] = field(default_factory=dict)

    def site(self, kind: SiteKind, position: int, *, row: int | None = None, taken: int = 0) -> Standing:
        """A new site."""
        number = row if row is not None else self.next(kind.value)
        made = Standing(f"{kind.value}-{number}", kind, position, row, taken)
        self.sites[made.id] = made
        if kind is SiteKind.CLOSURE:
            self._closures.setdefault(position, []).append(made)
        return made

    def closure(self, position: int, joints: int) -> Standing:
        """A closure there with room for so many more joints, or for as many as one takes: one that stands there
        already, or another."""
        for standing in self._closures.get(position, ()):
            if standing.taken + joints <= self.prices.most_joints:
                standing.taken += joints
                return standing
        return self.site(SiteKind.CLOSURE, position, taken=joints)

    def cable(self, role: Role, fibres: int, sites: Sequence[str], ways: Sequence[tuple[int, ...]]) -> str:
        """A new cable; its ducts are chosen when all cables are known."""
        id = f"{role.value}-{self.next(role.value)}"
        self.cables.append(Cable(id, role, fibres, tuple(sites), tuple(ways), ()))
        return id

    def splitter(self, site: str, stage: int) -> str:
        id = f"splitter-{self.next('splitter')}"
        self.splitters.append(Splitter(id, site, self.prices.architecture.splitters[stage], stage))
        return id

    def join(self, site: str, a: End, b: End) -> None:
        self.joints.append(Joint(site, a, b))

    def split(self, site: str, stage: int, incoming: Sequence[End], outgoing: Sequence[End]) -> None:
        """Splitters of a stage between the fibres that come in and those that go out, in their order."""
        ratio = self.prices.architecture.splitters[stage]
        for number, fibre in enumerate(incoming):
            id = self.splitter(site, stage)
            self.join(site, fibre, Leg(id, 0))
            for leg, out in enumerate(outgoing[number * ratio : (number + 1) * ratio], start=1):
                self.join(site, Leg(id, leg), out)

    def standing_sites(self) -> tuple[Site, ...]:
        """The sites as the design has them, each of the smallest size that does."""
        joints = Counter(joint.site for joint in self.joints)
        found = []
        for site in self.sites.values():
            size = None
            if site.kind is SiteKind.CLOSURE:
                size = self.prices.closure_for(joints[site.id])
            elif site.kind is SiteKind.CABINET:
                size = self.prices.cabinet_for(site.taken)
            office = site.row if site.kind is SiteKind.OFFICE else None
            premises = site.row if site.kind is SiteKind.PREMISES else None
            found.append(Site(site.id, site.kind, self.tree.node[site.position], size, office, premises))
        return tuple(found)

    def next(self, what: str) -> int:
        """The number of another piece of a kind."""
        self.numbers[what] += 1
        return self.numbers[what]


def ends(cable: str, count: int, site: str, side: Side) -> list[End]:
    """The first so many fibres of a cable, at one of its sites."""
    return [Fibre(cable, number, site, side) for number in range(1, count + 1)]
