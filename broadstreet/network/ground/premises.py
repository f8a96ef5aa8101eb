"""Who is to be reached: addresses, houses, hexagons with people and jobs, businesses, sites of the city.

What a source gives becomes one `Demand`: a row for each premises, with where it is and what it needs. The same address
given several times (a shop, the one above it, the door) is one premises that needs as many fibres as customers are
there; whoever would rather count each says so.
"""

from __future__ import annotations

import difflib
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from enum import IntEnum
from itertools import pairwise
from typing import Annotated, Final

import msgspec
import numpy as np
import shapely
from msgspec import Meta
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.courses import F8, I8, Plane, distances_m
from broadstreet.network.ground.fault import Fault, FaultKind, Placed

SAME_ADDRESS_M: Final = 250.0
"""Within how far of each other places with the same street and number are the same address: a shopping centre's width.
Farther apart, they are of two places with a street of that name."""
MIN_HOUSE_M2: Final = 25.0
"""The smallest building without an address that is taken for a house."""

Weight = Annotated[float, Meta(ge=0, le=1e6)]


class PremisesKind(IntEnum):
    """What is to be reached. An area is a hexagon or district, reached where its middle is."""

    ADDRESS = 0
    BUSINESS = 1
    BUILDING = 2
    AREA = 3
    SITE = 4


@dataclass(frozen=True, slots=True)
class Entry:
    """An address as a source has it; a business's name sets it apart from others of the same address."""

    id: str
    street: str
    number: str
    unit: str
    name: str
    is_business: bool
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Building:
    """A house's outline in WGS 84 degrees, and its street where it says one."""

    id: str
    street: str
    shape: BaseGeometry


@dataclass(frozen=True, slots=True)
class Site:
    """A place of the city's own: a sensor, a school, a cabinet of traffic lights."""

    id: str
    label: str
    lon: float
    lat: float
    fibres: int = 1
    is_critical: bool = False


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What each counts for. Weights are what serving it is worth beside others; fibres are how many it takes."""

    household_weight: Weight = 1.0
    business_weight: Weight = 3.0
    job_weight: Weight = 0.2
    site_weight: Weight = 2.0
    critical_factor: Annotated[float, Meta(ge=1, le=1000)] = 5.0
    persons_per_household: Annotated[float, Meta(gt=0, le=20)] = 2.2
    households_per_fibre: Annotated[float, Meta(gt=0, le=1e5)] = 1.0
    jobs_per_fibre: Annotated[float, Meta(gt=0, le=1e5)] = 10.0


@dataclass(frozen=True, slots=True, eq=False)
class Demand:
    """Premises, a row each, by id. `entries`: how many addresses of the source each stands for."""

    ids: tuple[str, ...]
    labels: tuple[str, ...]
    kind: NDArray[np.int8]
    lon: F8
    lat: F8
    households: F8
    jobs: F8
    fibres: NDArray[np.int32]
    weight: F8
    is_critical: NDArray[np.bool_]
    entries: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Demand:
        """Premises from rows, by id. Raises InvalidInput where two have the same id."""
        ordered = sorted(rows, key=lambda row: row.id)
        for one, other in pairwise(ordered):
            if one.id == other.id:
                raise InvalidInput(
                    f"two premises have the id {one.id}",
                    where=f"lon {one.lon:.6f}, lat {one.lat:.6f} and lon {other.lon:.6f}, lat {other.lat:.6f}",
                    remedy="Give each its own id.",
                )
        return cls(
            tuple(row.id for row in ordered),
            tuple(row.label for row in ordered),
            np.array([row.kind for row in ordered], dtype=np.int8),
            np.array([row.lon for row in ordered], dtype=np.float64),
            np.array([row.lat for row in ordered], dtype=np.float64),
            np.array([row.households for row in ordered], dtype=np.float64),
            np.array([row.jobs for row in ordered], dtype=np.float64),
            np.array([row.fibres for row in ordered], dtype=np.int32),
            np.array([row.weight for row in ordered], dtype=np.float64),
            np.array([row.is_critical for row in ordered], dtype=np.bool_),
            np.array([row.entries for row in ordered], dtype=np.int32),
        )

    def take(self, which: I8) -> Demand:
        """Some of the premises, in this order."""
        rows = which.tolist()
        return Demand(
            tuple(self.ids[i] for i in rows),
            tuple(self.labels[i] for i in rows),
            *(getattr(self, field.name)[which] for field in fields(self)[2:]),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One premises."""

    id: str
    label: str
    kind: PremisesKind
    lon: float
    lat: float
    households: float
    jobs: float
    fibres: int
    weight: float
    is_critical: bool
    entries: int = 1


def addresses(entries: Sequence[Entry], needs: Needs, *, merged: bool = True) -> list[Row]:
    """Premises of addresses. merged: the same address is one, with a fibre for each customer there."""
    if not merged:
        return [_address([entry], needs) for entry in entries]
    same: defaultdict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda entry: entry.id):
        key = (entry.street.casefold(), entry.number.casefold().replace(" ", ""), entry.unit.casefold())
        same[key].append(entry)
    return [_address(group, needs) for found in same.values() for group in _near(found)]


def _near(entries: list[Entry]) -> list[list[Entry]]:
    """Entries of one address, apart where they lie too far from the first of a group."""
    groups: list[list[Entry]] = []
    rest = entries
    while rest:
        lon, lat = (np.array([getattr(entry, axis) for entry in rest]) for axis in ("lon", "lat"))
        away = distances_m(lon, lat, np.full(len(rest), lon[0]), np.full(len(rest), lat[0]))
        groups.append([entry for entry, far in zip(rest, away, strict=True) if far <= SAME_ADDRESS_M])
        rest = [entry for entry, far in zip(rest, away, strict=True) if far > SAME_ADDRESS_M]
    return groups


def _address(group: list[Entry], needs: Needs) -> Row:
    """One premises: at the entry nearest to the middle of all, under the id of the first."""
    customers = {(entry.is_business, entry.name if entry.is_business else "") for entry in group}
    businesses = sum(is_business for is_business, _ in customers)
    households = len(customers) - businesses
    middle = (sum(entry.lon for entry in group) / len(group), sum(entry.lat for entry in group) / len(group))
    at = min(group, key=lambda entry: (math.dist((entry.lon, entry.lat), middle), entry.id))
    label = " ".join(part for part in (group[0].street, group[0].number, group[0].unit) if part)
    if len(group) == 1 and at.is_business and at.name:
        label = f"{at.name}, {label}"
    return Row(
        id=group[0].id,
        label=label,
        kind=PremisesKind.BUSINESS if businesses and not households else PremisesKind.ADDRESS,
        lon=at.lon,
        lat=at.lat,
        households=float(households),
        jobs=0.0,
        fibres=math.ceil(households / needs.households_per_fibre) + businesses,
        weight=households * needs.household_weight + businesses * needs.business_weight,
        is_critical=False,
        entries=len(group),
    )


def houses_without_address(buildings: Sequence[Building], entries: Sequence[Entry], needs: Needs) -> list[Row]:
    """Premises of houses in which no address lies: one household each, unless they are too small for one."""
    if not buildings:
        return []
    shapes = shapely.make_valid(np.array([building.shape for building in buildings], dtype=object))
    taken = {building.id for building in buildings} & {entry.id for entry in entries}
    has_address = np.zeros(len(buildings), dtype=np.bool_)
    if entries:
        points = np.asarray(shapely.points([(entry.lon, entry.lat) for entry in entries]))
        has_address[shapely.STRtree(shapes).query(points, predicate="intersects")[1]] = True
    places = shapely.get_coordinates(shapely.point_on_surface(shapes))
    plane = Plane.about(places[:, 0], places[:, 1])
    is_large = shapely.area(plane.shapes(shapes)) >= MIN_HOUSE_M2
    return [
        Row(
            id=building.id,
            label=building.street or "house",
            kind=PremisesKind.BUILDING,
            lon=round(float(lon), 7),
            lat=round(float(lat), 7),
            households=1.0,
            jobs=0.0,
            fibres=math.ceil(1 / needs.households_per_fibre),
            weight=needs.household_weight,
            is_critical=False,
        )
        for building, has, large, (lon, lat) in zip(buildings, has_address, is_large, places, strict=True)
        if large and not has and building.id not in taken
    ]


def sites(given: Iterable[Site], needs: Needs) -> list[Row]:
    """Premises of sites of the city's own."""
    return [
        Row(
            id=site.id,
            label=site.label,
            kind=PremisesKind.SITE,
            lon=site.lon,
            lat=site.lat,
            households=0.0,
            jobs=0.0,
            fibres=site.fibres,
            weight=needs.site_weight * (needs.critical_factor if site.is_critical else 1.0),
            is_critical=site.is_critical,
        )
        for site in given
    ]


def counted(
    id: str, label: str, place: tuple[float, float], persons: float, jobs: float, needs: Needs, *, critical: bool
) -> Row:
    """Premises of an area whose people and jobs are counted. Nobody there: no fibre, no weight."""
    households = persons / needs.persons_per_household
    weight = households * needs.household_weight + jobs * needs.job_weight
    return Row(
        id=id,
        label=label,
        kind=PremisesKind.AREA,
        lon=place[0],
        lat=place[1],
        households=households,
        jobs=jobs,
        fibres=math.ceil(households / needs.households_per_fibre) + math.ceil(jobs / needs.jobs_per_fibre),
        weight=weight * (needs.critical_factor if critical else 1.0),
        is_critical=critical,
    )


def with_critical(rows: Iterable[Row], ids: Iterable[str], needs: Needs) -> list[Row]:
    """The rows, those of these ids critical: two ways lead to them, and serving them is worth so much more. Raises
    InvalidInput for an id that none has."""
    wanted = set(ids)
    found = [
        replace(row, is_critical=True, weight=row.weight * needs.critical_factor)
        if row.id in wanted and not row.is_critical
        else row
        for row in rows
    ]
    places = {row.id: row for row in found}
    if unknown := sorted(wanted - set(places)):
        close = difflib.get_close_matches(unknown[0], places, n=3)
        remedy = f"Did you mean {' or '.join(close)}?" if close else "Look for it among the premises."
        message = f"no premises has the id {unknown[0][:80]!r}"
        faults = [
            Fault(FaultKind.NOT_FOUND, places[id].lon, places[id].lat, f"{message}; {id} is here", remedy)
            for id in close
        ]
        raise Placed(message, faults, where="critical sites", remedy=remedy)
    return found


NOBODY: Final = Demand.of(())
"""No premises at all."""
