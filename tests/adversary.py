"""Looks for the cheapest design that the checker takes, to find one that costs less than a bound says: sketches are
changed, one thing at a time, and what is priced is counted by the checker, as cheap as it lets it be told."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Iterator, Sequence

import msgspec

from broadstreet.network.design import Bill, Design, Item, Path, SiteKind, Statement, Term
from broadstreet.network.ground import Optics
from broadstreet.network.ground.architecture import Architecture
from broadstreet.network.ground.ground import Ground
from broadstreet.network.proof import prove
from broadstreet.network.proof.case import Case
from broadstreet.network.proof.ends import check_ends
from broadstreet.network.proof.light import check_light
from broadstreet.network.proof.optical import path_loss_db
from broadstreet.network.proof.pieces import check_pieces
from broadstreet.network.proof.quantities import Quantities
from tests.sketches import Begin, CannotBe, Part, Sketch, drawn


def stated(ground: Ground, built: Architecture, optics: Optics, design: Design) -> Statement:
    """A design with what is true of it, as cheap as the checker lets it be told: metres a cent less."""
    bare = Statement(design, Bill(ground.catalogue.currency, ()), (), (), built.optical_class)
    case = Case(bare, ground, built, optics)
    check_pieces(case)
    check_ends(case)
    paths = check_light(case)
    items = []
    for key, amount in Quantities(case, paths).amounts.items():
        labour, material = (_told(amount.quantity * each, key.unit) for each in (amount.labour, amount.material))
        labour, material = (labour, material) if amount.is_parted else (0, labour)
        items.append(Item(key.what, key.key, amount.quantity, key.unit, labour, material, key.phase))
    bill = Bill(ground.catalogue.currency, tuple(items))
    claims = []
    for path in paths:
        length_m = path.length_m(case)
        claims.append(Path(path.premises, path.socket, length_m, path_loss_db(case, path, length_m)))
    terms = (Term("all", 0, bill.cents, "none", "all"),)
    return msgspec.structs.replace(bare, bill=bill, terms=terms, paths=tuple(claims))


def _told(cents: float, unit: str) -> int:
    """As little as the checker lets a price be told."""
    if unit != "m":
        return round(cents)
    least = math.ceil(cents - 1)
    return max(0, least if abs(least - cents) <= 1 else least + 1)


class Adversary:
    """Looks for the cheapest design that the checker takes, by changes to a sketch."""

    def __init__(self, ground: Ground, built: Architecture, optics: Optics, seed: int) -> None:
        self.ground, self.built, self.optics = ground, built, optics
        self.random = random.Random(seed)
        self.nodes = [node for node, part in enumerate(ground.part.tolist()) if part >= 0]

    def any_part(self, rows: Sequence[int], *, is_second: bool = False) -> Part:
        order = list(range(len(self.ground.ways)))
        self.random.shuffle(order)
        hubs = tuple(self._hub() for _ in range(self.random.choice((1, 1, 2))))
        begins = tuple((row, self._begin(row, len(hubs))) for row in rows)
        flags = self.random.random() < 0.5, self.random.random() < 0.7
        return Part(begins, tuple(order), hubs, *flags, is_second)

    def _hub(self) -> tuple[int, int]:
        office = self.random.randrange(len(self.ground.offices))
        near = [int(self.ground.offices.node[office]), *self.ground.premises.node.tolist()]
        return self.random.choice([*near, self.random.choice(self.nodes)]), office

    def _begin(self, row: int, hubs: int) -> Begin:
        near = [*self.ground.premises.node.tolist(), *self.ground.offices.node.tolist(), self.random.choice(self.nodes)]
        kind = self.random.choice((None, SiteKind.CABINET, SiteKind.CLOSURE, SiteKind.CLOSURE, SiteKind.OFFICE))
        node = self.random.choice([int(self.ground.premises.node[row]), self.random.choice(near)])
        return Begin(kind, int(node), self.random.randrange(hubs))

    def changed(self, part: Part) -> Part:
        """One thing otherwise."""
        what = self.random.randrange(7)
        order = list(part.order)
        if what <= 1:
            way = order.pop(self.random.randrange(len(order)))
            order.insert(0 if what == 0 else len(order), way)
            return dataclasses.replace(part, order=tuple(order))
        if what == 2:
            at = self.random.randrange(len(part.hubs))
            return dataclasses.replace(part, hubs=(*part.hubs[:at], self._hub(), *part.hubs[at + 1 :]))
        if what == 3:
            return dataclasses.replace(part, is_chain=not part.is_chain)
        if what == 4:
            return dataclasses.replace(part, with_begin=not part.with_begin)
        begins = list(part.begins)
        if what == 5:  # one joins another
            at, other = (self.random.randrange(len(begins)) for _ in range(2))
            begins[at] = begins[at][0], begins[other][1]
        else:
            at = self.random.randrange(len(begins))
            begins[at] = begins[at][0], self._begin(begins[at][0], len(part.hubs))
        self.random.shuffle(begins)
        return dataclasses.replace(part, begins=tuple(begins))

    def tried(self, sketch: Sketch) -> Statement | None:
        """The statement of a sketch, where the checker takes it."""
        try:
            design = drawn(sketch, self.ground, self.built)
        except CannotBe:
            return None
        statement = stated(self.ground, self.built, self.optics, design)
        return None if prove(statement, self.ground, self.built, self.optics) else statement

    def seek(self, rows: Sequence[int], second: Sequence[int], tries: int) -> Iterator[Statement]:
        """Designs for these premises, each cheaper than the one before."""
        best: Statement | None = None
        sketch: Sketch = ()
        for _ in range(tries):
            if best is None:
                sketch = tried = (self.any_part(rows), *([self.any_part(second, is_second=True)] if second else []))
            else:
                at = self.random.randrange(len(sketch))
                part = sketch[at]
                for _ in range(self.random.choice((1, 1, 2, 3))):
                    part = self.changed(part)
                tried = (*sketch[:at], part, *sketch[at + 1 :])
            found = self.tried(tried)
            if found is not None and (best is None or found.cost_cents <= best.cost_cents):
                if best is None or found.cost_cents < best.cost_cents:
                    yield found
                best, sketch = found, tried
