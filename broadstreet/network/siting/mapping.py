"""The points of a map: a grid over the streets, as far as the city goes."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import shapely

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ground.courses import F8, Plane
from broadstreet.network.ground.ground import Ground
from broadstreet.network.siting.case import MAX_MAP_POINTS
from broadstreet.network.siting.hanging import walkable

_MAX_GRID: Final = 1_000_000


def grid(ground: Ground, step_m: float) -> tuple[F8, F8]:
    """Longitudes and latitudes of a square grid's points, those that have a street, path or crossing within a step.

    Raises InvalidInput for a step of nothing, and TooLarge where there are more than MAX_MAP_POINTS.
    """
    if not (math.isfinite(step_m) and step_m > 0):
        raise InvalidInput("a map's step is longer than nothing", where="step_m", remedy="Give metres.")
    plane = Plane.about(ground.lon, ground.lat)
    rows = np.flatnonzero(walkable(ground))
    lines = ground.ways.courses.take(rows).laid(plane)
    west, south, east, north = shapely.total_bounds(lines)
    if (east - west + step_m) * (north - south + step_m) / step_m**2 > _MAX_GRID:
        _too_many(step_m)
    x, y = np.meshgrid(np.arange(west, east + step_m, step_m), np.arange(south, north + step_m, step_m))
    points = np.column_stack((x.ravel(), y.ravel()))
    near = np.unique(
        shapely.STRtree(lines).query(np.asarray(shapely.points(points)), predicate="dwithin", distance=step_m)[0]
    )
    if len(near) > MAX_MAP_POINTS:
        _too_many(step_m)
    lon, lat = plane.lon + points[near, 0] / plane.east_m, plane.lat + points[near, 1] / plane.north_m
    return np.round(lon, 7), np.round(lat, 7)


def _too_many(step_m: float) -> None:
    raise TooLarge(
        f"a map with a point every {step_m:g} m has more than {MAX_MAP_POINTS}",
        where="step_m",
        remedy="Take a wider step, or a smaller area.",
    )
