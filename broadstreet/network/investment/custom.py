"""Who could be a customer: the served premises by the business's kinds.

A household is one as the ground has it. A business is one for each ten jobs where jobs are counted, and otherwise each
fibre of an address that no household there needs. A site of the city's own is one site. A kind with labels or ids takes
the premises that it names first, each as one customer of its own, beside the households that live there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from broadstreet.network.ground import Demand, Ground, PremisesKind
from broadstreet.network.ground.courses import F8, I8
from broadstreet.network.investment.business import Business, Counts, Customer


@dataclass(frozen=True, eq=False)
class Custom:
    """kinds: by name, in the sheet's order. count: premises by kinds. unfound: kinds that name premises and found
    none."""

    kinds: tuple[str, ...]
    count: F8
    unfound: tuple[str, ...]


def custom_of(ground: Ground, rows: I8, business: Business) -> Custom:
    """The customers that could be at these premises (rows)."""
    kinds = tuple(business.customer)
    demand = ground.premises.demand
    count = np.zeros((len(rows), len(kinds)))
    named = np.full(len(rows), -1)
    for number, name in enumerate(kinds):
        if business.customer[name].is_named:
            free = np.flatnonzero(named < 0).tolist()
            found = [at for at in free if _is_named(business.customer[name], demand, int(rows[at]))]
            named[found] = number
            count[found, number] = 1.0
    households, jobs = demand.households[rows], demand.jobs[rows]
    is_site = demand.kind[rows] == PremisesKind.SITE
    spare = np.maximum(0.0, demand.fibres[rows] - np.ceil(households))
    businesses = np.where(jobs > 0, jobs / business.operating.jobs_per_business, spare)
    of: dict[Counts, F8] = {
        Counts.HOUSEHOLDS: households,
        Counts.BUSINESSES: np.where(is_site | (named >= 0), 0.0, businesses),
        Counts.SITES: np.where(is_site & (named < 0), 1.0, 0.0),
    }
    for number, name in enumerate(kinds):
        if not business.customer[name].is_named:
            count[:, number] = of[business.customer[name].counts]
    unfound = tuple(
        name for number, name in enumerate(kinds) if business.customer[name].is_named and not count[:, number].any()
    )
    return Custom(kinds, count, unfound)


def _is_named(kind: Customer, demand: Demand, row: int) -> bool:
    """Sites are looked for among sites, and among addresses that have a name beside their street: a school is often one
    of the map's own. A street's name says nothing of who lives there."""
    is_site = int(demand.kind[row]) == PremisesKind.SITE
    if is_site and kind.counts is not Counts.SITES:
        return False
    name = (demand.labels[row] if is_site else demand.labels[row].rpartition(", ")[0]).casefold()
    return demand.ids[row] in kind.ids or any(word.casefold() in name for word in kind.labels)
