"""Items of a bill, gathered piece by piece: what is of a kind is one item, rounded once."""

from __future__ import annotations

from collections.abc import Iterable

from broadstreet.network.design import Item, What
from broadstreet.network.ground.catalogue import Each, PerMetre


def piece(what: What, key: str, price: Each) -> Item:
    """One of a kind."""
    return Item(what, key, 1, "each", price.labour_each, price.material_each)


class Tally:
    """Gathers quantities with their prices of labour and material."""

    def __init__(self) -> None:
        self._amounts: dict[tuple[What, str, str], tuple[float, int, int]] = {}

    def add(self, what: What, key: str, quantity: float, unit: str, labour: int, material: int) -> None:
        before = self._amounts.get((what, key, unit), (0.0, 0, 0))[0]
        self._amounts[what, key, unit] = before + quantity, labour, material

    def metres(self, what: What, key: str, length_m: float, price: PerMetre) -> None:
        self.add(what, key, length_m, "m", price.labour_per_m, price.material_per_m)

    def each(self, what: What, key: str, price: Each, count: int = 1) -> None:
        self.add(what, key, count, "each", price.labour_each, price.material_each)

    def take(self, items: Iterable[Item]) -> None:
        """Items of single pieces, as a fibre's way brings them."""
        for item in items:
            self.add(item.what, item.key, item.quantity, item.unit, item.labour_cents, item.material_cents)

    def items(self) -> tuple[Item, ...]:
        return tuple(
            Item(what, key, quantity, unit, round(quantity * labour), round(quantity * material))
            for (what, key, unit), (quantity, labour, material) in sorted(self._amounts.items())
            if quantity
        )
