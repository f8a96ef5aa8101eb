"""A statement beside its ground, to be proved, and to be changed first: what plants wrongs begins with it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import msgspec

from broadstreet.network.design import Cable, Item, Joint, Role, Site, SiteKind, Statement, What
from broadstreet.network.ground import Architecture, Catalogue, Ground, Optics, default_architecture, default_optics
from broadstreet.network.proof import Finding, prove
from broadstreet.network.proof import FindingKind as Kind
from tests.town import planned

to = msgspec.structs.replace


@dataclass(frozen=True)
class Trial:
    """What is proved, all of it."""

    ground: Ground
    statement: Statement
    architecture: Architecture = dataclasses.field(default_factory=default_architecture)
    optics: Optics = dataclasses.field(default_factory=default_optics)

    def proved(self) -> list[Finding]:
        return prove(self.statement, self.ground, self.architecture, self.optics)

    def kinds(self) -> set[Kind]:
        return {finding.kind for finding in self.proved()}

    def claims(self, **changes: Any) -> Trial:
        return dataclasses.replace(self, statement=to(self.statement, **changes))

    def designed(self, **changes: Any) -> Trial:
        return self.claims(design=to(self.statement.design, **changes))

    def on(self, ground: Ground) -> Trial:
        """The same statement of another ground, which it says it is of."""
        return dataclasses.replace(self, ground=ground).designed(ground=ground.digest)

    def priced(self, **changes: Any) -> Trial:
        catalogue: Catalogue = to(self.ground.catalogue, **changes)
        return self.on(dataclasses.replace(self.ground, catalogue=catalogue))

    def built(self, **changes: Any) -> Trial:
        return dataclasses.replace(self, architecture=to(self.architecture, **changes))

    def swap(self, field: str, old: Any, *new: Any) -> Trial:
        """The design with other pieces for one of a field's."""
        pieces = getattr(self.statement.design, field)
        return self.designed(**{field: tuple(made for piece in pieces for made in (new if piece == old else (piece,)))})

    def cable(self, role: Role, number: int = 0) -> Cable:
        return [cable for cable in self.statement.design.cables if cable.role is role][number]

    def site(self, kind: SiteKind, number: int = 0) -> Site:
        return [site for site in self.statement.design.sites if site.kind is kind][number]

    def joint(self, kind: type, number: int = 0) -> Joint:
        """A joint of which one end is of this kind."""
        found = [joint for joint in self.statement.design.joints if kind in (type(joint.a), type(joint.b))]
        return found[number]

    def item(self, what: What) -> Item:
        return next(item for item in self.statement.bill.items if item.what is what)

    def bills(self, old: Item, *new: Item) -> Trial:
        bill = self.statement.bill
        items = tuple(made for item in bill.items for made in (new if item == old else (item,)))
        return self.claims(bill=to(bill, items=items))


def correct() -> Trial:
    return Trial(*planned())
