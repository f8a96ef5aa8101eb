"""Making a city out of an extract: read it, draw it, describe it. Needs the packages of the `city` extra."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import shapely
from pyproj import Geod
from shapely import LineString

from broadstreet.city.basemap import ATTRIBUTION, write_basemap
from broadstreet.city.description import City, NamedStreet, check_zone, city_name, save_city
from broadstreet.city.extract import Extract, Street
from broadstreet.city.zones import nearest_zone
from broadstreet.model.errors import InvalidInput

_GEOD: Final = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A city whose map is drawn: its description, and how many tiles of how many bytes the map has."""

    city: City
    tiles: int
    size_bytes: int


def draw_city(extract: Extract, maps: Path, *, tenant: str, title: str | None, time_zone: str | None) -> Drawn:
    """
    Writes the map and the description of a city into the folder `maps`, and makes it the city of its tenant.

    title:     what the city is called; left out, as the extract calls it.
    time_zone: what its clocks show; left out, the zone of the nearest town that has one.
    Raises InvalidInput for a title or zone that does not do, or an extract too large to draw.
    """
    called = title or extract.title
    if called is None:
        raise InvalidInput(
            "the extract does not say what its city is called", where="title", remedy="Name it: --title."
        )
    bounds = extract.bounds
    center = (round((bounds.west + bounds.east) / 2, 6), round((bounds.south + bounds.north) / 2, 6))
    name = city_name(called)
    city = City(
        name=name,
        tenant=tenant,
        title=called,
        bounds=bounds,
        center=center,
        time_zone=nearest_zone(*center) if time_zone is None else check_zone(time_zone),
        basemap=f"{name}.pmtiles",
        attribution=ATTRIBUTION,
        streets=named_streets(extract.streets),
    )
    maps.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = maps / city.basemap
    tiles = write_basemap(extract, called, path)
    save_city(maps, city)
    return Drawn(city, tiles, path.stat().st_size)


def named_streets(streets: tuple[Street, ...]) -> list[NamedStreet]:
    """Each street name once, in the order of names."""
    lines: dict[str, list[LineString]] = {}
    for street in streets:
        if street.name:
            lines.setdefault(street.name, []).append(street.line)
    return [_named(name, lines[name]) for name in sorted(lines)]


def _named(name: str, lines: list[LineString]) -> NamedStreet:
    """A street with the point on it nearest to its centroid, and its direction there."""
    centroid = shapely.MultiLineString(lines).centroid
    line = min(lines, key=lambda line: line.distance(centroid))
    along = line.project(centroid)
    at = line.interpolate(along)
    return NamedStreet(
        name=name,
        lon=round(at.x, 7),
        lat=round(at.y, 7),
        bearing_deg=_bearing_deg(line, along),
        length_m=round(sum(_GEOD.geometry_length(line) for line in lines), 1),
    )


def _bearing_deg(line: LineString, along: float) -> float:
    """The direction of the stretch of a line on which the point `along` it (in its own units) lies."""
    positions: Any = shapely.get_coordinates(line)
    steps = positions[1:] - positions[:-1]
    reached = (steps**2).sum(axis=1) ** 0.5
    stretch = min(int(reached.cumsum().searchsorted(along)), len(steps) - 1)
    azimuth_deg, _, _ = _GEOD.inv(*positions[stretch], *positions[stretch + 1])
    return round(float(azimuth_deg) % 180, 1) % 180
