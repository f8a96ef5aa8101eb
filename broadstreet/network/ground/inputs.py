"""What a plan is made from, as one value that can be kept with it: which files, which columns, which rules.

`Inputs` names files within one folder; `read_ground` reads them and puts the ground together. An area cuts both: the
streets that touch it and the premises in it are taken, so that a quarter is planned by drawing it. Without files for
premises they are the extract's own addresses and houses. Reading takes seconds and no event loop.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import numpy as np
import shapely
from msgspec import Meta
from shapely.geometry.base import BaseGeometry

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box, parse_geometry
from broadstreet.network.ground.assembly import Limits, put_together
from broadstreet.network.ground.catalogue import default_catalogue, read_catalogue
from broadstreet.network.ground.columns import (
    DemandColumns,
    OfficeColumns,
    PlantColumns,
    StreetColumns,
    chamber_layer,
    demand_layer,
    office_layer,
    plant_layer,
    site_layer,
    street_layer,
)
from broadstreet.network.ground.fault import Fault
from broadstreet.network.ground.ground import Ground
from broadstreet.network.ground.layer import Layer, read_layer
from broadstreet.network.ground.obstacles import NOTHING_ACROSS, Obstacles
from broadstreet.network.ground.office import MAX_CANDIDATES, Office, spread_offices
from broadstreet.network.ground.openstreetmap import StreetMap, read_street_map
from broadstreet.network.ground.plant import Plant, PlantLine, plant_of
from broadstreet.network.ground.premises import (
    Demand,
    Needs,
    Row,
    Site,
    addresses,
    houses_without_address,
    sites,
    with_critical,
)
from broadstreet.network.ground.rules import Rules
from broadstreet.network.ground.streets import Streets

NO_EXTRACT: Final = "Name an extract of OpenStreetMap (extract), or a layer of streets (streets)."


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A layer: a file within the folder; the layer's name where it has several; its projection where it says none."""

    file: str
    layer: str | None = None
    crs: str | None = None


class StreetSource(Source, frozen=True, kw_only=True):
    """A layer of streets."""

    columns: StreetColumns = StreetColumns()


class DemandSource(Source, frozen=True, kw_only=True):
    """A layer of premises, or of sites of the city's own."""

    columns: DemandColumns = DemandColumns()


class PlantSource(Source, frozen=True, kw_only=True):
    """A layer of plant."""

    columns: PlantColumns = PlantColumns()


class OfficeSource(Source, frozen=True, kw_only=True):
    """A layer of central offices."""

    columns: OfficeColumns = OfficeColumns()


class Inputs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Streets are of a layer where one is named, and otherwise of the extract; what lies across them is the extract's.

    addresses: the extract's addresses are premises. merged_addresses: the same address is one. houses: so are its
    houses without one. critical: ids of premises that two ways must lead to. office_candidates: how many further
    candidates are spread by where fibres are needed. area: a GeoJSON polygon.
    """

    extract: str | None = None
    streets: StreetSource | None = None
    addresses: bool = True
    merged_addresses: bool = True
    houses: bool = True
    demand: tuple[DemandSource, ...] = ()
    sites: tuple[Site, ...] = ()
    site_layers: tuple[DemandSource, ...] = ()
    critical: tuple[str, ...] = ()
    plant: tuple[PlantSource, ...] = ()
    chambers: tuple[Source, ...] = ()
    offices: tuple[Office, ...] = ()
    office_layers: tuple[OfficeSource, ...] = ()
    office_candidates: Annotated[int, Meta(ge=0, le=MAX_CANDIDATES)] = 0
    catalogue: str | None = None
    rules: Rules = Rules()
    limits: Limits = Limits()
    needs: Needs = Needs()
    area: dict[str, Any] | None = None


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


def read_ground(inputs: Inputs, folder: Path) -> Ground:
    """The ground of these inputs; files are within the folder.

    Raises what reading a file raises, InvalidInput where no streets are named or a file lies elsewhere, and what
    `put_together` raises.
    """
    files = _Files(folder, None, _area(inputs))
    base = _base(inputs, files)
    files = replace(files, expected=base.streets.bounds)
    demand = Demand.of(with_critical(_rows(inputs, base, files), inputs.critical, inputs.needs))
    plant, plant_faults = _plant(inputs, files)
    offices = [
        *inputs.offices,
        *(office for source in inputs.office_layers for office in office_layer(files.layer(source), source.columns)),
        *spread_offices(demand, inputs.office_candidates),
    ]
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
        streets = streets.take(np.flatnonzero(shapely.intersects(streets.courses.lines(), files.area)))
    if not len(streets.courses):
        where = "area" if files.area is not None else "streets"
        raise InvalidInput(
            "there is no street here", where=where, remedy="Draw the area where streets are. Longitude comes first."
        )
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


def _plant(inputs: Inputs, files: _Files) -> tuple[Plant, list[Fault]]:
    lines, faults = list[PlantLine](), list[Fault]()
    for source in inputs.plant:
        found, wrong = plant_layer(files.layer(source), source.columns)
        lines += found
        faults += wrong
    places = [chamber_layer(files.layer(source)) for source in inputs.chambers]
    lon, lat = (np.concatenate([place[axis] for place in places] or [np.zeros(0)]) for axis in (0, 1))
    return plant_of(lines, (lon, lat)), faults
