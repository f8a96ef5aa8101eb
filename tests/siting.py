"""A small town with places for sensors, and cases of it: for tests of where sensors go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import default_catalogue
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.premises import Demand, PremisesKind, Row
from broadstreet.network.siting import Covariance, Gateway, Map, Place, SitingCase, default_sensor_prices, spread
from tests.ground import Metres, at, line, metres, streets

NORTH_M = 300.0
EAST_M = 400.0


def town_ground(homes: Sequence[tuple[Metres, float]] = ()) -> Ground:
    """Streets every 100 m, 400 by 300 m, an office in the middle; homes: where, and how many households."""
    lines = [line((0, y), (EAST_M, y)) for y in range(0, int(NORTH_M) + 1, 100)]
    lines += [line((x, 0), (x, NORTH_M)) for x in range(0, int(EAST_M) + 1, 100)]
    demand = Demand.of(
        Row(f"p{i:03}", f"House {i}", PremisesKind.ADDRESS, *at(*place), households, 0.0, 1 + i % 3, 1.0, False)
        for i, (place, households) in enumerate(homes)
    )
    office = Office("co", "Office", *at(200, 150))
    return put_together(streets(lines, meet=True), demand, default_catalogue(), offices=[office])


HOMES: tuple[tuple[Metres, float], ...] = tuple(
    ((20.0 + 53 * (i % 8), 10.0 + 37 * (i // 8)), 1.0 + i % 4) for i in range(48)
)


def map_of(range_m: float = 120.0, nugget: float = 0.2) -> Map:
    """A point every 50 m."""
    points = [at(x, y) for x in range(0, 401, 50) for y in range(0, 301, 50)]
    lon, lat = (np.array(axis, dtype=np.float64) for axis in zip(*points, strict=True))
    return Map(lon, lat, Covariance(range_m=range_m, sill=2.0, nugget=nugget))


def place(id: str, spot: Metres, kind: str = "lamp_post") -> Place:
    lon, lat = at(*spot)
    return Place(id=id, lon=lon, lat=lat, kind=kind)


def gateway(id: str, spot: Metres, height_m: float = 25.0) -> Gateway:
    lon, lat = at(*spot)
    return Gateway(id=id, lon=lon, lat=lat, height_m=height_m)


def town_case(ground: Ground | None = None, places: int = 30, **more: Any) -> SitingCase:
    """Three sites of 30 candidates, one sensor that stands, fibre at the office, a gateway."""
    ground = ground if ground is not None else town_ground(HOMES)
    asked: dict[str, Any] = {
        "candidates": spread(ground, places),
        "prices": default_sensor_prices(),
        "count": 3,
        "radius_m": 120.0,
        "map": map_of(),
        "today": (place("old", (30, 20)),),
        "gateways": (gateway("roof", (350, 250)), gateway("hill", (2000, 0))),
        "fibre_nodes": tuple(ground.offices.node.tolist()),
    }
    return SitingCase(ground=ground, **(asked | more))


def spots(places: Sequence[Place]) -> list[Metres]:
    return [metres(one.lon, one.lat) for one in places]
