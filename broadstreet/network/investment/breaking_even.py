"""At which take-up, and at which prices, a venture is worth nothing."""

from __future__ import annotations

from typing import Final

import numpy as np

from broadstreet.network.investment.case import BreakEven
from broadstreet.network.investment.flow import Levers
from broadstreet.network.investment.venture import Venture

_STEPS: Final = 64
_ROUNDS: Final = 5
"""Each round tries so many steps at once, and the next one looks between two of them: to nine places."""
MAX_PRICE: Final = 20.0
"""How many times their prices customers might be asked for, at most."""


def break_even(venture: Venture) -> BreakEven:
    """Both factors: between nothing and everyone connected, between nothing and MAX_PRICE; the least where several."""
    kinds = venture.business.customer
    tops = {name: kind.take_up.top for name, kind in kinds.items() if kind.take_up.top > 0}
    take_up, with_none, _ = _root(venture, "take_up", max((1 / top for top in tops.values()), default=1.0))
    price, for_free, _ = _root(venture, "price", MAX_PRICE)
    if take_up is not None:
        of_take_up = f"worth nothing at {take_up:.0%} of the take-up"
    else:
        of_take_up = "worth something at any take-up" if with_none > 0 else "worth less than nothing at any take-up"
    if price is not None:
        of_price = f"at {price:.0%} of the prices"
    else:
        of_price = "at any prices" if for_free > 0 else f"not at {MAX_PRICE:.0f} times the prices"
    return BreakEven(
        take_up=take_up,
        ceilings={} if take_up is None else {name: min(1.0, take_up * top) for name, top in tops.items()},
        price=price,
        monthly_cents={}
        if price is None
        else {name: round(price * kind.monthly_price) for name, kind in kinds.items()},
        said=f"{of_take_up}; {of_price}",
    )


def _root(venture: Venture, lever: str, most: float) -> tuple[float | None, float, float]:
    """The least factor up to the most at which the value turns from one sign to the other, or None; and the values at
    nothing and at the most."""
    low, high = 0.0, most
    ends: tuple[float, float] | None = None
    for _ in range(_ROUNDS):
        factors = np.linspace(low, high, _STEPS + 1)
        values = venture.npv_cents(Levers.of(len(factors), **{lever: factors}))
        ends = ends or (float(values[0]), float(values[-1]))
        turns = np.flatnonzero((values[1:] > 0) != (values[:-1] > 0))
        if not len(turns):
            return None, *ends
        low, high = float(factors[turns[0]]), float(factors[turns[0] + 1])
    return high, *(ends or (0.0, 0.0))
