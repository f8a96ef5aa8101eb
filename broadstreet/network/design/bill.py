"""What a design costs, item by item."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class What(StrEnum):
    """What is paid for, with its key and its unit. What is opened is paid once, however many cables lie in it.

    office: an office that is a site; key: its id; what the ground says it costs. port: each that is joined.
    trench: metres of opened ways that are no plant, by surface. permit: the same metres (`m`), and each street to
    which the ground says that one of them belongs once, in the first phase that digs there (`street`).
    crossing: each obstacle across an opened way that is no plant (`tram`, `railway`, `water`), and each opened way that
    is a crossing itself (`street`).
    plant: metres of opened ways of plant (`duct`, `trench`, `fibre`); pole line: of such ways.
    duct: metres, by kind. cable: metres, by fibres: of ways and of offices' leads, not of premises' drops; none for a
    cable of spare fibres that lies there. cabinet, closure: by size. splitter: by ratio. joint: each fusion; connectors
    are part of what they sit on. drop: each cable that is one (`each`), and the metres of their premises' drops (`m`).
    Where nothing is said of a key it is empty; of a unit, it is `m` for metres and otherwise `each`.
    """

    OFFICE = "office"
    PORT = "port"
    TRENCH = "trench"
    CROSSING = "crossing"
    PERMIT = "permit"
    PLANT = "plant"
    POLE_LINE = "pole line"
    DUCT = "duct"
    CABLE = "cable"
    CABINET = "cabinet"
    CLOSURE = "closure"
    SPLITTER = "splitter"
    JOINT = "joint"
    DROP = "drop"


class Item(msgspec.Struct, frozen=True):
    """So much of one thing in one phase. key: which of its kind in the catalogue (`asphalt`, `144`). unit: `m`, `each`
    or `street`. What is there of a kind is one item for each key, unit and phase.

    Cents are the whole quantity's at the catalogue's price, rounded once. Where labour and material have one price
    together (an office, a port, a permit) only their sum is told.
    """

    what: What
    key: str
    quantity: float
    unit: str
    labour_cents: int
    material_cents: int
    phase: int = 1

    @property
    def cents(self) -> int:
        return self.labour_cents + self.material_cents


class Bill(msgspec.Struct, frozen=True):
    """All of it, in the currency's whole cents."""

    currency: str
    items: tuple[Item, ...]

    @property
    def cents(self) -> int:
        return sum(item.cents for item in self.items)
