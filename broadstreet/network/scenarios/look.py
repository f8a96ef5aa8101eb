"""A look at a ground before anything is planned: what is there, who is to be reached, and what is wrong with it."""

from __future__ import annotations

from collections import Counter

import msgspec
import numpy as np

from broadstreet.network.ground import Ground, PremisesKind, WayKind
from broadstreet.network.ground.beside import StreetBy


class OfficeSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A central office, or a candidate for one."""

    id: str
    label: str
    lon: float
    lat: float
    given: bool


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a ground has.

    bounds:   west, south, east, north. usable_m: of ways that may be dug or used; length_m: of all, by kind.
    street_m: of streets, paths and crossings, by how it is known to which street they belong.
    parts:    of the streets that nothing joins; each that has premises needs a central office.
    premises: how many, by kind; fibres, critical: of them. without_need: given, and needing nothing.
    drops_m:  of all drops together, and the longest.
    faults:   how many, by kind; the layer `faults` has their places.
    """

    digest: str
    bounds: tuple[float, float, float, float]
    nodes: int
    ways: int
    length_m: dict[str, float]
    usable_m: float
    street_m: dict[str, float] = {}
    parts: int
    premises: int
    premises_by_kind: dict[str, int]
    fibres: int
    critical: int
    without_need: int
    drops_m: tuple[float, float]
    offices: tuple[OfficeSeen, ...]
    faults: dict[str, int]
    currency: str


def look_at(ground: Ground) -> Look:
    """What a ground has."""
    ways, premises, offices = ground.ways, ground.premises, ground.offices
    demand = premises.demand
    kinds = Counter(PremisesKind(kind).name.lower() for kind in demand.kind.tolist())
    drops = premises.drop_m
    known = ways.kind <= WayKind.CROSSING
    bounds = (ground.lon.min(), ground.lat.min(), ground.lon.max(), ground.lat.max())
    return Look(
        digest=ground.digest,
        bounds=(float(bounds[0]), float(bounds[1]), float(bounds[2]), float(bounds[3])),
        nodes=len(ground.lon),
        ways=len(ways),
        length_m={
            kind.name.lower(): round(float(ways.length_m[ways.kind == kind].sum()), 1)
            for kind in WayKind
            if (ways.kind == kind).any()
        },
        usable_m=round(float(ways.length_m[ways.usable].sum()), 1),
        street_m={
            by.name.lower(): round(float(ways.length_m[known & (ways.street_by == by)].sum()), 1)
            for by in StreetBy
            if (known & (ways.street_by == by)).any()
        },
        parts=int(ground.part.max(initial=-1)) + 1,
        premises=len(premises),
        premises_by_kind=dict(sorted(kinds.items())),
        fibres=int(demand.fibres.sum()),
        critical=int(np.count_nonzero(demand.is_critical)),
        without_need=ground.counts.without_need,
        drops_m=(round(float(drops.sum()), 1), round(float(drops.max(initial=0.0)), 1)),
        offices=tuple(
            OfficeSeen(
                id=offices.ids[row],
                label=offices.labels[row],
                lon=float(offices.lon[row]),
                lat=float(offices.lat[row]),
                given=bool(offices.given[row]),
            )
            for row in range(len(offices))
        ),
        faults=dict(sorted(Counter(str(fault.kind) for fault in ground.faults).items())),
        currency=ground.catalogue.currency,
    )
