"""What a plan is made from is read, and put together.

`Inputs` (its words are in `sources`) names files within one folder; `read_ground` reads them and puts the ground
together. An area cuts both: the streets that touch it and the premises in it are taken, so that a quarter is planned by
drawing it. Without files for premises they are the extract's own addresses and houses. Reading takes seconds and no
event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box, parse_geometry
from broadstreet.network.ground.assembly import put_together
from broadstreet.network.ground.catalogue import Catalogue, default_catalogue, read_catalogue
from broadstreet.network.ground.columns import (
    chamber_layer,
    demand_layer,
    office_layer,
    plant_layer,
    site_layer,
    street_layer,
)
from broadstreet.network.ground.courses import GEOD
from broadstreet.network.ground.fault import Fault, FaultKind, Misplaced
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.layer import Layer, read_layer
from broadstreet.network.ground.obstacles import NOTHING_ACROSS, Obstacles
from broadstreet.network.ground.office import spread_offices
from broadstreet.network.ground.openstreetmap import StreetMap, read_street_map
from broadstreet.network.ground.plant import Plant, Standing, nothing_standing, plant_of
from broadstreet.network.ground.premises import (
    Demand,
    Row,
    addresses,
    houses_without_address,
    sites,
    with_critical,
)
from broadstreet.network.ground.sources import (
    DemandSource,
    Inputs,
    OfficeSource,
    PlantSource,
    Source,
    StreetSource,
)
from broadstreet.network.ground.streets import Streets

__all__ = ["DemandSource", "Inputs", "OfficeSource", "PlantSource", "Source", "StreetSource", "read_ground"]

NO_EXTRACT: Final = "Name an extract of OpenStreetMap (extract), or a layer of streets (streets)."


@dataclass(frozen=True, slots=True)
class _Files:
    """Where layers are read from: the folder, where they are expected, and the area, outside which nothing is read."""

    folder: Path
    expected: Box | None
    area: BaseGeometry | None

    def path(self, name: str) -> Path:
        """A file within the folder. Raises InvalidInput for one that is not."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InvalidInput(
                f"{name!r} lies outside the folder of the inputs", where="inputs", remedy="Name a file within it."
            )
        return path

    def layer(self, source: Source) -> Layer:
        within = Box(*self.area.bounds) if self.area is not None else None
        path = self.path(source.file)
        return read_layer(path, layer=source.layer, crs=source.crs, within=within, expected=self.expected)


@dataclass(frozen=True, slots=True)
class _Base:
    """The streets, cut to the area, and what else the extract holds."""

    streets: Streets
    extract: StreetMap | None
    faults: tuple[Fault, ...]

    @property
    def obstacles(self) -> Obstacles:
        return self.extract.obstacles if self.extract else NOTHING_ACROSS


def read_ground(
    inputs: Inputs,
    folder: Path,
    *,
    catalogue: Catalogue | None = None,
    standing: Callable[[Box], Standing] = nothing_standing,
) -> Ground:
    """The ground of these inputs; files are within the folder.

    catalogue: in place of the inputs' own. standing: plant that is of no layer, asked for with where the streets are.

    Raises what reading a file raises, InvalidInput where no streets are named or a file lies elsewhere, and what
    `put_together` raises.
    """
    files = _Files(folder, None, _area(inputs))
    base = _base(inputs, files)
    files = replace(files, expected=base.streets.bounds)
    demand = Demand.of(with_critical(_rows(inputs, base, files), inputs.critical, inputs.needs))
    plant, plant_faults = _plant(inputs, files, standing(base.streets.bounds))
    offices = [
        *inputs.offices,
        *(office for source in inputs.office_layers for office in office_layer(files.layer(source), source.columns)),
        *spread_offices(demand, inputs.office_candidates),
    ]
    if catalogue is None:
        catalogue = read_catalogue(files.path(inputs.catalogue)) if inputs.catalogue else default_catalogue()
    return put_together(
        base.streets,
        demand,
        catalogue,
        offices=offices,
        plant=plant,
        obstacles=base.obstacles,
        rules=inputs.rules,
        limits=inputs.limits,
        faults=(*base.faults, *plant_faults),
    )


def _base(inputs: Inputs, files: _Files) -> _Base:
    extract = read_street_map(files.path(inputs.extract)) if inputs.extract else None
    faults: tuple[Fault, ...] = ()
    if inputs.streets is not None:
        expecting = replace(files, expected=extract.streets.bounds if extract else None)
        streets, faults = street_layer(expecting.layer(inputs.streets), inputs.streets.columns)
    elif extract is not None:
        streets = extract.streets
    else:
        raise InvalidInput("no streets are named", where="inputs", remedy=NO_EXTRACT)
    if files.area is not None:
        within = streets.take(np.flatnonzero(shapely.intersects(streets.courses.lines(), files.area)))
        if len(streets.courses) and not len(within.courses):
            raise _no_street(files.area, streets.bounds)
        streets = within
    if not len(streets.courses):
        raise InvalidInput("there is no street here", where="streets", remedy="Give the streets of the city.")
    return _Base(streets, extract, faults)


def _area(inputs: Inputs) -> BaseGeometry | None:
    if inputs.area is None:
        return None
    geometry = parse_geometry(inputs.area, "area")
    if not geometry.type.endswith("Polygon"):
        raise InvalidInput(f"an area is a polygon, not a {geometry.type}", where="area", remedy="Draw a polygon.")
    area = shapely.make_valid(shapely.geometry.shape(geometry.geojson()))
    shapely.prepare(area)
    return area


def _no_street(area: BaseGeometry, bounds: Box) -> Misplaced:
    """An area without streets, drawn beside where they are."""
    inside = area.representative_point()
    streets = shapely.box(bounds.west, bounds.south, bounds.east, bounds.north).centroid
    away_km = GEOD.inv(inside.x, inside.y, streets.x, streets.y)[2] / 1000
    remedy = "Draw the area where streets are. Longitude comes first."
    places = ((inside, "the area lies here"), (streets, "the streets lie here"))
    return Misplaced(
        f"there is no street here: the middle of the streets that are given is {away_km:,.1f} km away",
        [Fault(FaultKind.MISPLACED, place.x, place.y, what, remedy) for place, what in places],
        where=f"area, lon {inside.x:.6f}, lat {inside.y:.6f}",
        remedy=remedy,
    )


def _rows(inputs: Inputs, base: _Base, files: _Files) -> list[Row]:
    """Everyone who is to be reached, within the area."""
    needs, rows = inputs.needs, list[Row]()
    if base.extract is not None:
        entries = base.extract.entries
        if inputs.addresses:
            rows += addresses(entries, needs, merged=inputs.merged_addresses)
        if inputs.houses:
            rows += houses_without_address(base.extract.buildings, entries, needs)
    own = len(rows)
    for source in inputs.demand:
        rows += demand_layer(files.layer(source), source.columns, needs)
    given = list(inputs.sites)
    for source in inputs.site_layers:
        given += site_layer(files.layer(source), source.columns)
    rows += sites(given, needs)
    rows[own:] = _apart(rows[own:], {row.id for row in rows[:own]})
    if files.area is None:
        return rows
    lon, lat = ([getattr(row, axis) for row in rows] for axis in ("lon", "lat"))
    inside = shapely.intersects_xy(files.area, lon, lat)
    return [row for row, is_inside in zip(rows, inside, strict=True) if is_inside]


def _apart(rows: Iterable[Row], taken: set[str]) -> list[Row]:
    """Rows of several layers, whose ids are often numbers: an id that another has gets a number of its own."""
    found = []
    for row in rows:
        id, number = row.id, 2
        while id in taken:
            id, number = f"{row.id}#{number}", number + 1
        taken.add(id)
        found.append(replace(row, id=id))
    return found


def _plant(inputs: Inputs, files: _Files, standing: Standing) -> tuple[Plant, list[Fault]]:
    lines, faults = list(standing.lines), list(standing.faults)
    for source in inputs.plant:
        found, wrong = plant_layer(files.layer(source), source.columns)
        lines += found
        faults += wrong
    places = [*standing.chambers, *(chamber_layer(files.layer(source)) for source in inputs.chambers)]
    lon, lat = (np.concatenate([place[axis] for place in places] or [np.zeros(0)]) for axis in (0, 1))
    return plant_of(lines, (lon, lat)), faults
