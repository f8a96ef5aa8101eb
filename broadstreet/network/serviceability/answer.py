"""The words of an answer: what can be had at a place, when, over which way, with what to spare, and for how much."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from broadstreet.network.design import Item


class How(StrEnum):
    """How a place comes to be connected: by what the plan builds for it; by a fibre that is free in the drop that the
    plan builds; by a drop of its own from what stands; by a cable laid on to a closure of its own."""

    PLANNED = "planned"
    SPARE = "spare"
    DROP = "drop"
    EXTENSION = "extension"


class Product(StrEnum):
    """What is delivered: a fibre that splitters share among customers, or one from the office to the place alone."""

    SHARED = "shared"
    OWN = "own"


class Hop(msgspec.Struct, frozen=True):
    """So many metres in a cable that stands or is planned, from one site to another; an empty cable: laid anew, from
    the site to the place."""

    cable: str
    first: str
    last: str
    length_m: float


class Line(msgspec.Struct, frozen=True):
    """How fast the light is by its optical class's standard: bits on the line, before coding and framing. None: the
    optics do not say."""

    optical_class: str
    down_mbit_per_s: float | None
    up_mbit_per_s: float | None


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be had from a phase on. phase: after which; is_today: that one stands already.

    items: what connecting takes, at the catalogue's prices; of what is planned, its drop, which the plan pays for.
    hops: from the office outwards. dug_m: metres that must be opened for it. shared_by: how many customers share the
    fibre at most. spare: how many more fibres like it there are beside all that is planned; of what is planned, behind
    its closure. loss_db: at the worst, without the margin; margin_db: what is left of the class, the margin taken off.
    line: of the plan's class; of a fibre of its own, of the fastest class for one customer that its loss and length
    keep.
    """

    product: Product
    how: How
    phase: int
    is_today: bool
    cents: int
    items: tuple[Item, ...]
    hops: tuple[Hop, ...]
    length_m: float
    dug_m: float
    loss_db: float
    margin_db: float
    shared_by: int
    line: Line
    spare: int
    why: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What can be had at a place. label: the address nearest to it, or none. street: of the way it hangs on. away_m: to
    that way. offers: for each product what is cheaper than whatever comes before it, from today on; none: `refusal`
    says why, and what would help."""

    lon: float
    lat: float
    premises: str
    label: str
    street: str
    away_m: float
    currency: str
    offers: tuple[Offer, ...]
    refusal: str = ""

    @property
    def today(self) -> Offer | None:
        """The cheapest of what can be had now."""
        return min((offer for offer in self.offers if offer.is_today), key=lambda offer: offer.cents, default=None)
