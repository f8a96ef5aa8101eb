"""How many of those who could be customers are, so many years after they could first be: a curve, or a table.

A curve is stated by numbers that can be argued about. `logistic` and `gompertz` go from `start` at the opening towards
`ceiling`, at a `speed`; `bass` adds those who come by themselves (`speed`, Bass's p) and those who follow others
(`following`, his q); `table` is the share at the end of each year, and the last one ever after.

Bass, F. M. (1969): A new product growth for model consumer durables. Management Science 15(5), 215-227.
Gompertz's and the logistic curve as in Meade, N., Islam, T. (2006): Modelling and forecasting the diffusion of
innovation: a 25-year review. International Journal of Forecasting 22(3), 519-545.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from broadstreet.network.ground.courses import F8

Part = Annotated[float, Meta(ge=0, le=1)]
Speed = Annotated[float, Meta(ge=0, le=20)]


class Form(StrEnum):
    """The kinds of curves."""

    LOGISTIC = "logistic"
    GOMPERTZ = "gompertz"
    BASS = "bass"
    TABLE = "table"


class TakeUp(msgspec.Struct, frozen=True, kw_only=True):
    """A share of those who could be customers, by years since they could first be."""

    form: Form
    start: Part = 0.0
    ceiling: Part = 1.0
    speed: Speed = 0.0
    following: Speed = 0.0
    table: list[Part] = []

    def __post_init__(self) -> None:
        if self.form is Form.TABLE:
            if not self.table:
                raise ValueError("table: give the share at the end of each year, such as [0.1, 0.18, 0.25]")
            return
        if self.table:
            raise ValueError(f"table: a {self.form} curve has none")
        if self.start > self.ceiling:
            raise ValueError(f"start: {self.start} is over the ceiling of {self.ceiling}")
        if self.form is Form.BASS and self.speed == 0 and self.following > 0 and self.start == 0:
            raise ValueError("speed: nobody comes whom others could follow; give a speed or a start")
        if self.form in (Form.LOGISTIC, Form.GOMPERTZ) and self.start == 0 < self.ceiling:
            raise ValueError(f"start: a {self.form} curve that starts at 0 stays there; give those who sign before")

    @property
    def top(self) -> float:
        """The share that it ever comes near to."""
        return max(self.start, *self.table) if self.form is Form.TABLE else self.ceiling

    def at(self, years: F8) -> F8:
        """The share so many years after the opening; before it, none."""
        late = np.maximum(years, 0.0)
        if self.form is Form.TABLE:
            ends = np.arange(len(self.table) + 1, dtype=np.float64)
            share = np.interp(late, ends, [self.start, *self.table])
        elif self.ceiling == 0:
            share = np.zeros_like(late)
        elif self.form is Form.BASS:
            share = self._bass(late)
        elif self.form is Form.LOGISTIC:
            share = self.ceiling / (1 + (self.ceiling / self.start - 1) * np.exp(-self.speed * late))
        else:
            share = self.ceiling * np.exp(np.log(self.start / self.ceiling) * np.exp(-self.speed * late))
        return np.where(years < 0, 0.0, share)

    def _bass(self, years: F8) -> F8:
        """Bass's curve from a start: of the ceiling, the share z solves z' = (p + q z)(1 - z)."""
        p, q, begun = self.speed, self.following, self.start / self.ceiling
        if begun >= 1 or p + q == 0:
            return np.full_like(years, self.start)
        left = (1 - begun) / (p + q * begun) * np.exp(-(p + q) * years)
        return self.ceiling * (1 - p * left) / (1 + q * left)
