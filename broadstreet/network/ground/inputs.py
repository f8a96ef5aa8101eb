"""What a plan is made from is read, and put together.

`Inputs` (its words are in `sources`) names files within one folder; `read_ground` reads them and puts the ground
together. An area cuts both: the streets that touch it and the premises in it are taken, so that a quarter is planned by
drawing it. Without files for premises they are the extract's own addresses and houses. Reading takes seconds and no
event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
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
from broadstreet.network.ground.courses import GEOD, Lines
from broadstreet.network.ground.fault import MAX_NAMED, Fault, FaultKind, Misplaced, Placed
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
from broadstreet.network.ground.projection import STREETS
from broadstreet.network.ground.sheet import BadSheet
from broadstreet.network.ground.sources import (
    DemandSource,
    Inputs,
    OfficeSource,
    PlantSource,
    Source,
    StreetSource,
    check_places,
)
from broadstreet.network.ground.streets import Streets
from broadstreet.network.ground.unpriced import unpriced

__all__ = ["DemandSource", "Inputs", "OfficeSource", "PlantSource", "Source", "StreetSource", "read_ground"]

GLANCED: Final = 1_000
"""Features of a layer that are looked at to see where it lies, when nothing of it lies in the area."""
NO_EXTRACT: Final = "Name an extract of OpenStreetMap (extract), or a layer of streets (streets)."


@dataclass(frozen=True, slots=True)
class _Files:
    """Where layers are read from: the folder, where they are expected and by what, and the area, outside which nothing
    is read. Faults of what is read are added to `faults`."""

    folder: Path
    expected: Box | None
    by: str
    area: BaseGeometry | None
    faults: list[Fault]

    def path(self, name: str) -> Path:
        """A file within the folder. Raises InvalidInput for one that is not."""
        path = (self.folder / name).resolve()
        if not path.is_relative_to(self.folder.resolve()):
            raise InvalidInput(
                f"{name!r} lies outside the folder of the inputs", where="inputs", remedy="Name a file within it."
            )
        return path

    def named(self, faults: Iterable[Fault]) -> list[Fault]:
        """Faults, each once, that name files as the inputs do."""
        folder = f"{self.folder.resolve()}/"
        return list(dict.fromkeys(replace(fault, what=fault.what.replace(folder, "")) for fault in faults))

    def layer(self, source: Source) -> Layer:
        """A layer, within the area. One of which nothing is left is a fault."""
        within = Box(*self.area.bounds) if self.area is not None else None
        path = self.path(source.file)
        found = self._read(path, source, within=within)
        self.faults.extend(found.faults)
        if not len(found):
            self.faults.append(self._nothing(path, source))
        return found

    def glance(self, source: Source) -> Layer:
        """The first features of a layer, wherever they lie; where that is far from where it is expected, it is
        refused."""
        return self._read(self.path(source.file), source, most=GLANCED)

    def _read(self, path: Path, source: Source, **how: Any) -> Layer:
        expected, by = self.expected, self.by
        if self.area is not None and (expected is None or by != STREETS):
            expected, by = Box(*self.area.bounds), "the streets of the area"
        return read_layer(path, layer=source.layer, crs=source.crs, expected=expected, by=by, **how)

    def _nothing(self, path: Path, source: Source) -> Fault:
        """A layer that has nothing, or nothing in the area. Raises Misplaced where it is in another projection than it
        says."""
        seen = self.glance(source) if self.area is not None else None
        if seen is not None and len(seen):
            box = Box(*(float(edge) for edge in shapely.total_bounds(seen.shapes)))
            lon, lat = _middle(box)
            what = f"nothing of {path} lies in the area: the first {len(seen)} of its features lie here"
            return Fault(FaultKind.OUTSIDE, lon, lat, what, "Draw the area wider, or give the layer of this place.")
        around = Box(*self.area.bounds) if self.area is not None else self.expected
        lon, lat = _middle(around) if around is not None else (0.0, 0.0)
        what = f"{path} has no feature at all"
        return Fault(FaultKind.EMPTY, lon, lat, what, "Write it again from the program it is from, or leave it out.")


@dataclass(frozen=True, slots=True)
class _Base:
    """The streets, cut to the area, and what else the extract holds."""

    streets: Streets
    extract: StreetMap | None
    faults: tuple[Fault, ...]

    @property
    def obstacles(self) -> Obstacles:
        return self.extract.obstacles if self.extract else NOTHING_ACROSS

    @property
    def houses(self) -> Lines | None:
        """The outlines of the houses that the extract holds."""
        if self.extract is None or not self.extract.buildings:
            return None
        shapes = np.empty(len(self.extract.buildings), dtype=object)
        shapes[:] = [building.shape for building in self.extract.buildings]
        return shapes


def read_ground(
    inputs: Inputs,
    folder: Path,
    *,
    prices: Callable[[], Catalogue] | None = None,
    standing: Callable[[Box], Standing] = nothing_standing,
) -> Ground:
    """The ground of these inputs; files are within the folder.

    prices: in place of the inputs' own. standing: plant that is of no layer, asked for with where the streets are.

    Raises what reading a file raises, InvalidInput where no streets are named or a file lies elsewhere, BadGround for
    prices that cannot be used, with the places of what they are for, and what `put_together` raises.
    """
    check_places(inputs)
    area = _area(inputs)
    files = _Files(folder, _given(inputs), "the central offices and sites", area, [])
    base = _base(inputs, files)
    files = replace(files, expected=base.streets.bounds, by=STREETS)
    demand = Demand.of(with_critical(_rows(inputs, base, files), inputs.critical, inputs.needs))
    plant, plant_faults = _plant(inputs, files, standing(base.streets.bounds))
    offices = [
        *inputs.offices,
        *(office for source in inputs.office_layers for office in office_layer(files.layer(source), source.columns)),
        *spread_offices(demand, inputs.office_candidates),
    ]

    faults = files.named((*base.faults, *files.faults, *plant_faults))

    def together(catalogue: Catalogue) -> Ground:
        return put_together(
            base.streets,
            demand,
            catalogue,
            offices=offices,
            plant=plant,
            obstacles=base.obstacles,
            rules=inputs.rules,
            limits=inputs.limits,
            faults=faults,
            houses=base.houses,
        )

    try:
        catalogue = prices() if prices is not None else _catalogue(inputs, files)
    except BadSheet as bad:
        # What is priced wrongly lies somewhere all the same.
        raise unpriced(bad, together(default_catalogue())) from bad
    return together(catalogue)


def _catalogue(inputs: Inputs, files: _Files) -> Catalogue:
    return read_catalogue(files.path(inputs.catalogue)) if inputs.catalogue else default_catalogue()


def _given(inputs: Inputs) -> Box | None:
    """Where what is given by its degrees lies."""
    given = [*inputs.offices, *inputs.sites]
    if not given:
        return None
    lon, lat = ([getattr(one, axis) for one in given] for axis in ("lon", "lat"))
    return Box(min(lon), min(lat), max(lon), max(lat))


def _middle(box: Box) -> tuple[float, float]:
    return (box.west + box.east) / 2, (box.south + box.north) / 2


def _base(inputs: Inputs, files: _Files) -> _Base:
    extract = read_street_map(files.path(inputs.extract)) if inputs.extract else None
    faults: tuple[Fault, ...] = ()
    if inputs.streets is not None:
        if extract is not None:
            files = replace(files, expected=extract.streets.bounds, by=STREETS)
        streets, faults = street_layer(files.layer(inputs.streets), inputs.streets.columns)
        if not len(streets.courses) and files.area is not None and len(seen := files.glance(inputs.streets)):
            raise _no_street(files.area, Box(*(float(edge) for edge in shapely.total_bounds(seen.shapes))))
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
        where = inputs.streets.file if inputs.streets is not None else "streets"
        if lost := files.named((*files.faults, *faults)):
            raise Placed("there is no street in this layer", lost, where=where, remedy=lost[0].remedy)
        raise InvalidInput("there is no street here", where=where, remedy="Give the streets of the city, as lines.")
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
    needs, own = inputs.needs, list[Row]()
    if base.extract is not None:
        entries = base.extract.entries
        if inputs.addresses:
            own += addresses(entries, needs, merged=inputs.merged_addresses)
        if inputs.houses:
            own += houses_without_address(base.extract.buildings, entries, needs)
    groups = []
    for source in inputs.demand:
        found = demand_layer(files.layer(source), source.columns, needs)
        groups.append(_Rows(found, source.file, is_named=source.columns.id is not None))
    groups.append(_Rows(sites(inputs.sites, needs), "sites", is_named=True, is_written=True))
    for source in inputs.site_layers:
        found = sites(site_layer(files.layer(source), source.columns), needs)
        groups.append(_Rows(found, source.file, is_named=source.columns.id is not None))
    rows = [*own, *_apart(groups, {row.id for row in own}, files)]
    if files.area is None:
        return rows
    return [rows[i] for i in np.flatnonzero(_inside(rows, files.area)).tolist()]


def _inside(rows: Sequence[Row], area: BaseGeometry) -> NDArray[np.bool_]:
    lon, lat = (np.array([getattr(row, axis) for row in rows], dtype=np.float64) for axis in ("lon", "lat"))
    inside: NDArray[np.bool_] = shapely.intersects_xy(area, lon, lat)
    return inside


@dataclass(frozen=True, slots=True)
class _Rows:
    """Premises of one source. is_named: their ids are a column's, not numbers; is_written: each was written down by
    itself, so that none goes in silence."""

    rows: list[Row]
    where: str
    is_named: bool
    is_written: bool = False


def _apart(groups: Iterable[_Rows], taken: set[str], files: _Files) -> Iterator[Row]:
    """Rows of several layers, whose ids are often numbers: an id that another has gets a number of its own. What has
    another's name within one layer, or another's name and place, is a fault: it may be there twice."""
    named = dict[str, tuple[str, float, float]]()
    for group in groups:
        if group.is_written and files.area is not None and group.rows:
            inside = _inside(group.rows, files.area)
            files.faults.extend(_left_out([row for row, is_in in zip(group.rows, inside, strict=True) if not is_in]))
        for row in group.rows:
            id, number = row.id, 2
            while id in taken:
                id, number = f"{row.id}#{number}", number + 1
            taken.add(id)
            if group.is_named and id != row.id and row.id in named:
                where, *place = named[row.id]
                if where == group.where or place == [row.lon, row.lat]:
                    files.faults.append(_twice(row, id, group.where, where))
            elif group.is_named:
                named[row.id] = (group.where, row.lon, row.lat)
            yield replace(row, id=id)


def _left_out(rows: Sequence[Row]) -> Iterator[Fault]:
    """Sites outside the area, told once, at the first."""
    if rows:
        critical = sum(row.is_critical for row in rows)
        names = ", ".join(row.label for row in rows[:MAX_NAMED])
        told = f"{names} and {len(rows) - MAX_NAMED} more" if len(rows) > MAX_NAMED else names
        what = f"outside the area, and left out: {told}"
        what += f"; {critical} of these critical" if critical else ""
        yield Fault(FaultKind.OUTSIDE, rows[0].lon, rows[0].lat, what, "Draw the area wider, if they belong to it.")


def _twice(row: Row, id: str, where: str, first: str) -> Fault:
    what = f"{row.id} of {where} has the id of another of {first}: it counts as premises of its own, {id}"
    return Fault(FaultKind.DUPLICATE, row.lon, row.lat, what, "Give it an id of its own, or take it out.")


def _plant(inputs: Inputs, files: _Files, standing: Standing) -> tuple[Plant, list[Fault]]:
    lines, faults = list(standing.lines), list(standing.faults)
    for source in inputs.plant:
        found, wrong = plant_layer(files.layer(source), source.columns)
        lines += found
        faults += wrong
    places = [*standing.chambers, *(chamber_layer(files.layer(source)) for source in inputs.chambers)]
    lon, lat = (np.concatenate([place[axis] for place in places] or [np.zeros(0)]) for axis in (0, 1))
    return plant_of(lines, (lon, lat)), faults
