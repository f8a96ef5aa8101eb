"""What a design costs, item by item."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class What(StrEnum):
    """What is paid for. A crossing, a permit of a street: once, however many ways."""

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
    or `street`."""

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
