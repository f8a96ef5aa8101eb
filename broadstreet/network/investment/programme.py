"""What is built in which year, and who can be a customer from then on: a plan's outlay laid out in time.

By years, not by phases: how phases or areas become years is decided before (`phasing`). Everything that follows is
linear in what stands here, so that an area's part of it is reckoned as the whole is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.investment.custom import Custom
from broadstreet.network.investment.outlay import WHATS, Outlay


@dataclass(frozen=True, eq=False)
class Doors:
    """Premises that are alike, a row for each likeness: the year their street is built, how many customers of each kind
    could be in one, what the drops of all of them cost."""

    year: I8
    customers: F8
    cents: F8


@dataclass(frozen=True, eq=False)
class Programme:
    """Columns by year, of which the first is 0. built: cents by what and year, at the bill's prices. ways_m, ports,
    premises: what is added. customers: by kind and year who can be served from then on."""

    built: F8
    ways_m: F8
    ports: F8
    premises: F8
    customers: F8
    doors: Doors

    @cached_property
    def bill_cents(self) -> int:
        """What of the bill is in it, drops and all."""
        return round(float(self.built.sum() + self.doors.cents.sum()))


@dataclass(frozen=True, eq=False)
class Years:
    """The year, from 1, in which each row of an outlay and each premises' street is built; 0: never."""

    outlay: I8
    premises: I8


def parts_of(outlay: Outlay, years: Years, horizon: int) -> F8:
    """What part of each row of an outlay is each area's: by its sockets, among the areas that are built; of what is
    never built, among all."""
    is_built = (years.premises > 0) & (years.premises <= horizon)
    built = np.bincount(outlay.area_of, weights=is_built, minlength=len(outlay.areas)) > 0
    users = np.where(built, outlay.users, 0.0)
    users = np.where(users.any(axis=1, keepdims=True), users, outlay.users)
    parts: F8 = users / users.sum(axis=1, keepdims=True)
    return parts


def programme_of(outlay: Outlay, custom: Custom, years: Years, horizon: int, area: int | None = None) -> Programme:
    """What of an outlay comes in which year, up to the last that is reckoned. area: its part of it alone."""
    part = np.ones(len(outlay.what)) if area is None else parts_of(outlay, years, horizon)[:, area]
    here = (years.premises > 0) & (years.premises <= horizon)
    if area is not None:
        here = here & (outlay.area_of == area)
    is_built = (years.outlay > 0) & (years.outlay <= horizon)
    rows, at = np.flatnonzero(is_built), years.outlay[is_built] - 1
    built = np.zeros((len(WHATS), horizon))
    np.add.at(built, (outlay.what[rows], at), outlay.cents[rows] * part[rows])
    doors_at = np.flatnonzero(here)
    year = years.premises[doors_at] - 1
    count = custom.count[doors_at]
    customers = np.zeros((count.shape[1], horizon))
    np.add.at(customers.T, year, count)
    return Programme(
        built=built,
        ways_m=_summed(at, outlay.ways_m[rows] * part[rows], horizon),
        ports=_summed(at, outlay.ports[rows] * part[rows], horizon),
        premises=_summed(year, np.ones(len(year)), horizon),
        customers=customers,
        doors=_alike(year, count, outlay.drop_cents[doors_at].astype(np.float64)),
    )


def _summed(number: I8, amount: F8, count: int) -> F8:
    return np.bincount(number, weights=amount, minlength=count).astype(np.float64)


def _alike(year: I8, customers: F8, cents: F8) -> Doors:
    """Premises of one year and the same customers, together."""
    if not len(year):
        return Doors(year, customers, cents)
    rows, which = np.unique(np.column_stack([year, customers]), axis=0, return_inverse=True)
    return Doors(rows[:, 0].astype(np.int64), rows[:, 1:], _summed(which.ravel(), cents, len(rows)))
