"""Kriging's variance by its definition: at each point, with all sensors at once, nothing kept from one to the next."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from broadstreet.network.ground.courses import F8, Plane
from broadstreet.network.siting.case import Map, SitingCase
from broadstreet.network.siting.place import Place


def matern(map_: Map, one: F8, other: F8) -> F8:
    """Covariances between points in metres."""
    x = one[:, 0][:, None] - other[:, 0][None, :]
    y = one[:, 1][:, None] - other[:, 1][None, :]
    scaled = math.sqrt(3) * np.hypot(x, y) / map_.covariance.range_m
    return np.asarray(map_.covariance.sill * (1 + scaled) * np.exp(-scaled))


def laid(case: SitingCase, places: Sequence[Place]) -> F8:
    """Places in metres of the ground's plane."""
    plane = Plane.about(case.ground.lon, case.ground.lat)
    return plane.points(np.array([place.lon for place in places]), np.array([place.lat for place in places]))


def map_points(case: SitingCase, map_: Map) -> F8:
    return Plane.about(case.ground.lon, case.ground.lat).points(map_.lon, map_.lat)


def variances(case: SitingCase, map_: Map, places: Sequence[Place]) -> F8:
    """At each point of the map, when these places are measured."""
    points = map_points(case, map_)
    if not places:
        return np.full(len(points), map_.covariance.sill)
    at = laid(case, places)
    known = matern(map_, at, at) + map_.covariance.nugget * np.eye(len(places))
    towards = matern(map_, at, points)
    weights = np.linalg.solve(known, towards)
    return np.asarray(map_.covariance.sill - (towards * weights).sum(axis=0))


def left_between(map_: Map, one: F8, other: F8, known: F8, noise: F8) -> F8:
    """Covariances that are left between points when others are measured, each with its own noise."""
    prior = matern(map_, one, other)
    if not len(known):
        return prior
    system = matern(map_, known, known) + np.diag(noise)
    return np.asarray(prior - matern(map_, one, known) @ np.linalg.solve(system, matern(map_, known, other)))
