"""What is claimed of a design: its cost, what no design can cost less than, and what each socket receives."""

from __future__ import annotations

import msgspec

from broadstreet.network.design.bill import Bill
from broadstreet.network.design.choice import Choice
from broadstreet.network.design.design import Design
from broadstreet.network.design.programme import Programme


class Term(msgspec.Struct, frozen=True):
    """One part of the bound: what it bounds, how it was proved, what was relaxed in it, and what the design spends on
    the same. Terms bound parts of the cost that are nowhere counted twice, so that their sum is a bound. What they
    spend sums to the whole cost: a part that is relaxed to nothing is a term whose bound is 0."""

    name: str
    bound_cents: int
    spent_cents: int
    method: str
    relaxed: str


class Path(msgspec.Struct, frozen=True):
    """From an office's port to a socket: its fibre's length, and its worst loss, without the optics' margin. There is
    one for each socket of what is served. Its loss with the margin is at most what its class allows, and without at
    least what its class asks for."""

    premises: int
    socket: int
    length_m: float
    loss_db: float


class Statement(msgspec.Struct, frozen=True):
    """A design with what is claimed of it. optical_class: what each path's loss lies within; the architecture's.
    choice: whom it serves and why, where a budget decided that. programme: when it is built, where each phase has a
    budget."""

    design: Design
    bill: Bill
    terms: tuple[Term, ...]
    paths: tuple[Path, ...]
    optical_class: str
    choice: Choice | None = None
    programme: Programme | None = None

    @property
    def cost_cents(self) -> int:
        return self.bill.cents

    @property
    def bound_cents(self) -> int:
        return sum(term.bound_cents for term in self.terms)

    @property
    def gap(self) -> float:
        """How far the cost may be from the least there is, as a share of the cost; 0 is proved to be the least."""
        return 0.0 if self.cost_cents == 0 else (self.cost_cents - self.bound_cents) / self.cost_cents
