"""What is still uncertain of a map when some places are measured, and what each further place would change.

A `Field` holds the covariances that are left between candidates, and between candidates and the map's points, once
today's sensors are known. Variance does not hang on what is read, so sites are chosen before anything is. A site more
takes one rank away from what is left: with c the site's column and n the nugget, the column over √(c_s + n).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from broadstreet.network.ground.courses import F8, I8, Plane
from broadstreet.network.siting.case import Map, SitingCase
from broadstreet.network.siting.kernel import covariances
from broadstreet.network.siting.place import columns


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """own: among candidates; across: from candidates (rows) to the map's points; among: among the map's points;
    nugget."""

    own: F8
    across: F8
    among: F8
    nugget: float

    @property
    def variance(self) -> F8:
        """At each point of the map, with no new site."""
        return np.diag(self.among)

    def known(self, sites: I8) -> Left:
        """What is left when these candidates are measured."""
        left = Left.of(self)
        for site in sites.tolist():
            left.take(site)
        return left

    def variances(self, sites: I8) -> F8:
        """At each point of the map, when these candidates are measured."""
        if not len(sites):
            return self.variance
        lower = np.linalg.cholesky(self.own[np.ix_(sites, sites)] + self.nugget * np.eye(len(sites)))
        half = np.linalg.solve(lower, self.across[sites])
        left: F8 = self.variance - (half**2).sum(axis=0)
        return left


@dataclass(slots=True, eq=False)
class Left:
    """variance: at each point of the map; own_variance: of each candidate; across: from candidates to the map's points;
    columns: what was taken away."""

    field: Field
    variance: F8
    own_variance: F8
    across: F8
    columns: list[F8]

    @classmethod
    def of(cls, field: Field) -> Left:
        return cls(field, field.variance.copy(), np.diag(field.own).copy(), field.across.copy(), [])

    def gains(self) -> F8:
        """By how much each candidate would lower the map's mean variance."""
        lowered: F8 = (self.across**2).mean(axis=1) / (self.own_variance + self.field.nugget)
        return lowered

    def take(self, site: int) -> None:
        """Measures a candidate."""
        own = self.field.own[:, site].copy()
        for column in self.columns:
            own -= column * column[site]
        scale = np.sqrt(self.own_variance[site] + self.field.nugget)
        column = own / scale
        at_map = self.across[site] / scale
        self.across -= np.outer(column, at_map)
        self.variance -= at_map**2
        self.own_variance -= column**2
        self.columns.append(column)


def field_of(case: SitingCase, map_: Map) -> Field:
    """The field of a case, today's sensors known."""
    plane = Plane.about(case.ground.lon, case.ground.lat)
    candidates, today = (plane.points(*columns(places)) for places in (case.candidates, case.today))
    points = plane.points(map_.lon, map_.lat)
    covariance = map_.covariance
    every = np.concatenate((candidates, points))
    left = covariances(covariance, every, every)
    if len(today):
        among = covariances(covariance, today, today) + covariance.nugget * np.eye(len(today))
        half = np.linalg.solve(np.linalg.cholesky(among), covariances(covariance, today, every))
        left -= half.T @ half
    count = len(candidates)
    return Field(left[:count, :count], left[:count, count:], left[count:, count:], covariance.nugget)
