"""Central offices: where fibres begin. Given, or candidates of which a plan chooses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.network.ground.courses import F8, Plane
from broadstreet.network.ground.premises import Demand

OFFICE_LEAD_M: Final = 300.0
"""How far a central office may stand from the way that its cables leave by."""
MAX_CANDIDATES: Final = 200
"""The most candidates that are spread at once."""
_ROUNDS: Final = 20


@dataclass(frozen=True, slots=True)
class Office:
    """given: it stands already. cents: what making it ready costs; None: what the catalogue says, or nothing where it
    is given."""

    id: str
    label: str
    lon: float
    lat: float
    given: bool = True
    cents: int | None = None


def spread_offices(demand: Demand, count: int) -> list[Office]:
    """Candidates spread by where fibres are needed, each at the premises in the midst of those that it is nearest to.

    Lloyd's rounds, from the middlemost and then always the farthest premises: equal demand gives equal candidates.
    """
    needed = np.flatnonzero(demand.fibres > 0)
    if count <= 0 or not len(needed):
        return []
    lon, lat = demand.lon[needed], demand.lat[needed]
    points = Plane.about(lon, lat).points(lon, lat)
    places, first = np.unique(points, axis=0, return_index=True)
    count = min(count, len(places), MAX_CANDIDATES)
    weight = demand.fibres[needed].astype(np.float64)
    middles = _farthest(places, count)
    for _ in range(_ROUNDS):
        nearest = _nearest(points, middles)
        total = np.bincount(nearest, weights=weight, minlength=count)
        sums = [np.bincount(nearest, weights=weight * points[:, axis], minlength=count) for axis in (0, 1)]
        # A middle that has become nearest to nobody stays where it is.
        middles = np.where(total[:, None] > 0, np.column_stack(sums) / np.maximum(total, 1.0)[:, None], middles)
    chosen = sorted({int(needed[first[i]]) for i in _nearest(middles, places).tolist()})
    width = len(str(len(chosen)))
    return [
        Office(f"candidate-{n:0{width}}", demand.labels[i], float(demand.lon[i]), float(demand.lat[i]), given=False)
        for n, i in enumerate(chosen, 1)
    ]


def _farthest(places: F8, count: int) -> F8:
    """The place nearest to the middle of all, and then always the one that is farthest from those chosen."""
    chosen = [int(np.hypot(*(places - places.mean(axis=0)).T).argmin())]
    away = np.full(len(places), np.inf)
    while len(chosen) < count:
        away = np.minimum(away, np.hypot(*(places - places[chosen[-1]]).T))
        chosen.append(int(away.argmax()))
    return places[chosen]


def _nearest(points: F8, middles: F8) -> NDArray[np.intp]:
    """For each point the middle that is nearest to it."""
    return shapely.STRtree(np.asarray(shapely.points(middles))).nearest(np.asarray(shapely.points(points)))
