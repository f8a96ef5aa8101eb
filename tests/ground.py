"""Streets drawn by hand in metres, for tests of the ground: about a place in Helsinki, where a degree is measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from shapely import LineString

from broadstreet.network.ground.catalogue import Surface
from broadstreet.network.ground.courses import Plane
from broadstreet.network.ground.premises import Demand, PremisesKind, Row
from broadstreet.network.ground.streets import Streets, Trait, WayKind

HERE = Plane.at(24.94, 60.17)

Metres = tuple[float, float]


def at(east_m: float, north_m: float) -> tuple[float, float]:
    """Longitude and latitude of a place, so many metres from the middle of the drawing."""
    return round(HERE.lon + east_m / HERE.east_m, 7), round(HERE.lat + north_m / HERE.north_m, 7)


def line(*points: Metres) -> LineString:
    return LineString([at(*point) for point in points])


def trait(name: str = "", *, may_dig: bool = True, surface: Surface = Surface.ASPHALT, category: str = "") -> Trait:
    return Trait(WayKind.STREET, surface, may_dig, name, category or "residential")


def streets(
    lines: Sequence[LineString],
    *,
    traits: Sequence[Trait] | None = None,
    levels: Sequence[int] | None = None,
    meet: bool = False,
) -> Streets:
    """Streets with the ids way/0, way/1, …; without traits all are one street without a name."""
    return Streets.of(
        lines,
        traits or [trait()] * len(lines),
        levels or [0] * len(lines),
        [f"way/{i}" for i in range(len(lines))],
        meet_where_they_cross=meet,
    )


def premises(places: Iterable[Metres], *, kind: PremisesKind = PremisesKind.ADDRESS, fibres: int = 1) -> Demand:
    """Premises with the ids p0, p1, … at these places."""
    return Demand.of(
        Row(f"p{i:03}", f"House {i}", kind, *at(*place), 1.0, 0.0, fibres, 1.0, False) for i, place in enumerate(places)
    )


def metres(lon: float, lat: float) -> Metres:
    """Where a place lies in the drawing, to the decimetre."""
    east, north = HERE.points(np.array([lon]), np.array([lat]))[0]
    return round(float(east), 1) + 0.0, round(float(north), 1) + 0.0
