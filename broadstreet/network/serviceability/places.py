"""Where a place lies: on which way, how far along it, near which premises; and where an address is."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np
import shapely

from broadstreet.model.errors import InvalidInput, NotFound
from broadstreet.network.ground import Ground, WayKind
from broadstreet.network.ground.courses import GEOD, Plane
from broadstreet.network.ground.splitting import Ruler

SAME_M: Final = 25.0
"""A place so near to a premises is that premises."""
AT_END_M: Final = 0.5
"""A point of a way so near to its end is that end, as where premises hang."""
MAX_SUGGESTED: Final = 3


@dataclass(frozen=True, slots=True)
class Spot:
    """A place beside a way: row, metres from the way's first end, metres away, and where on the way that is."""

    way: int
    along_m: float
    away_m: float
    lon: float
    lat: float


class Places:
    """Looks places up on one ground."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.plane = Plane.about(ground.lon, ground.lat)
        ways = ground.ways
        self._rows = np.flatnonzero(ways.usable & (ways.kind != WayKind.FIBRE) & (ground.part[ways.a] >= 0))
        self._ruler = Ruler(ways.courses.take(self._rows), self.plane)
        self._tree = shapely.STRtree(self._ruler.lines)
        demand = ground.premises.demand
        self._points = self.plane.points(demand.lon, demand.lat)
        self._ids = {id: row for row, id in enumerate(demand.ids)}
        self._names: dict[str, int] = {}
        for row, label in enumerate(demand.labels):
            if label:
                self._names.setdefault(plain(label), row)

    def spot(self, lon: float, lat: float) -> Spot:
        """The nearest point of a way that may be used. Raises InvalidInput for a place that is none, and NotFound where
        the ground has no such way."""
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):  # so that not-a-number is refused too
            raise InvalidInput(
                f"{lon}, {lat} is no place",
                where="place",
                remedy="Give longitude and latitude in degrees, in this order.",
            )
        if not len(self._rows):
            raise NotFound("this ground has no way that may be used", remedy="Plan on one that has streets.")
        point = self.plane.dots(np.array([lon]), np.array([lat]))
        line = self._tree.query_nearest(point)[1][:1]
        found = self._ruler.locate(line, point)
        row = int(self._rows[line[0]])
        at_lon, at_lat = float(found.lon[0]), float(found.lat[0])
        # Along a way the plane's metres and the ellipsoid's differ by a few in a thousand.
        flat_m, length_m = float(self._ruler.length_m[line[0]]), float(self.ground.ways.length_m[row])
        along_m = float(found.along_m[0]) * (length_m / flat_m if flat_m else 0.0)
        if along_m < AT_END_M or length_m - along_m < AT_END_M:
            along_m = 0.0 if along_m < length_m / 2 else length_m
        away_m = float(GEOD.inv(lon, lat, at_lon, at_lat)[2])
        return Spot(row, along_m, away_m, at_lon, at_lat)

    def near(self, lon: float, lat: float) -> int | None:
        """The row of the premises that a place is, or is beside."""
        if not len(self._points):
            return None
        away = self._points - self.plane.points(np.array([lon]), np.array([lat]))
        squared = np.einsum("ij,ij->i", away, away)
        row = int(squared.argmin())
        return row if squared[row] <= SAME_M**2 else None

    def named(self, text: str) -> int:
        """The row of the premises with this id or address. Case, accents and what follows a comma do not count; the
        beginning is enough where only one begins so. Raises NotFound, with the nearest names there are."""
        if text in self._ids:
            return self._ids[text]
        wanted = plain(text)
        if wanted in self._names:
            return self._names[wanted]
        begun = [name for name in self._names if name.startswith(wanted)] if wanted else []
        inner = begun or ([name for name in self._names if f" {wanted}" in f" {name}"] if wanted else [])
        if len(inner) == 1:
            return self._names[inner[0]]
        labels = self.ground.premises.demand.labels
        near = inner[:MAX_SUGGESTED] or get_close_matches(wanted, self._names, MAX_SUGGESTED)
        known = ", ".join(labels[self._names[name]] for name in near)
        what = f"{len(inner)} addresses are like {text[:80]!r}" if inner else f"no address is {text[:80]!r}"
        otherwise = "Write street and number as the plan does, or give a place by its coordinates."
        raise NotFound(what, remedy=f"Say it in full, as {known}." if known else otherwise)


def plain(text: str) -> str:
    """A name without case, accents and doubled spaces."""
    bare = (sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return " ".join("".join(bare).replace(",", " ").split())
