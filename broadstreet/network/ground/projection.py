"""Where a layer's coordinates lie on Earth: its projection is honoured, and one that is missing or wrong is refused.

A refusal says what the coordinates look like, and which projections would put them where the plan is. Only `EPSG`
codes are suggested; the check is that a coordinate of the layer comes to lie in the expected box.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

import numpy as np
import shapely
from pyproj import CRS, Transformer
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError, ProjError

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box
from broadstreet.network.ground.courses import F8, GEOD, Lines
from broadstreet.network.ground.fault import Fault, FaultKind, Misplaced

WGS84: Final = CRS.from_epsg(4326)
NEAR_DEG: Final = 0.5
"""How far beyond the box where it is expected a layer may begin: a neighbouring town, not another country."""
MAX_SUGGESTED: Final = 3
MAX_DRAWN: Final = 50
"""The most of a layer's points that a refusal draws."""
_WORLD: Final = ("3857",)
"""Projections that are used everywhere, whatever the place."""
STREETS: Final = "the streets"
"""By what a layer is mostly expected to lie."""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where a layer is expected, and what lies there, in the plural."""

    box: Box
    by: str

    @property
    def middle(self) -> tuple[float, float]:
        return (self.box.west + self.box.east) / 2, (self.box.south + self.box.north) / 2


def to_degrees(shapes: Lines, stated: str | None, expected: Box | None, where: str, by: str = STREETS) -> Lines:
    """Shapes in WGS 84 degrees, longitude first, from those in a stated projection (`EPSG:3879`, or its definition).

    by: what lies where the layer is expected, in the plural. Degrees are believed, unless the streets' say otherwise.
    Raises InvalidInput where no projection is stated, where coordinates cannot be in the one that is, or where the
    layer then lies far from where it is expected.
    """
    points = shapely.get_coordinates(shapes)
    aim = None if expected is None else Aim(expected, by)
    if stated is None:
        _refuse("this layer states no projection", where, points, aim)
    crs = crs_of(stated, where)
    if not np.isfinite(points).all():
        _refuse_place("a coordinate is no number", where, shapes, ~np.isfinite(points).all(axis=1), points, None)
    if crs.is_geographic:
        beyond = (np.abs(points[:, 0]) > 180) | (np.abs(points[:, 1]) > 90)
        if beyond.any():
            _refuse_place(
                f"this layer says that it is in degrees ({_name(crs)}), and is not",
                where,
                shapes,
                beyond,
                points,
                aim,
            )
    if not crs.equals(WGS84, ignore_axis_order=True):
        transformer = Transformer.from_crs(crs, WGS84, always_xy=True)
        shapes = np.asarray(
            shapely.transform(shapes, lambda at: np.column_stack(transformer.transform(at[:, 0], at[:, 1])))
        )
        turned = shapely.get_coordinates(shapes)
        lost = ~np.isfinite(turned).all(axis=1)
        if lost.any():
            _refuse_place(f"this coordinate cannot be in {_name(crs)}, as is stated", where, shapes, lost, points, aim)
    if aim is not None and (by == STREETS or not crs.is_geographic):
        _check_near(shapes, points, aim, _name(crs), where)
    return shapes


def likely(x: float, y: float, expected: Box) -> list[str]:
    """The projections that would put a coordinate in the expected box: those made for the smallest areas first."""
    found = [
        (area, name) for code, area, name in _candidates(expected) if _is_in(_degrees(f"EPSG:{code}", x, y), expected)
    ]
    return [name for _, name in sorted(found)[:MAX_SUGGESTED]]


def _candidates(expected: Box) -> Iterator[tuple[str, float, str]]:
    """Projections in use in the middle of the expected box: code, the size of the area it is made for, name."""
    lon, lat = (expected.west + expected.east) / 2, (expected.south + expected.north) / 2
    middle = AreaOfInterest(lon, lat, lon, lat)
    for info in query_crs_info("EPSG", [PJType.PROJECTED_CRS], middle, contains=True):
        use = info.area_of_use
        if use is not None and not info.deprecated:
            yield info.code, (use.east - use.west) * (use.north - use.south), f"EPSG:{info.code} ({info.name})"
    for code in _WORLD:
        yield code, 360.0 * 180, f"EPSG:{code} ({CRS.from_epsg(int(code)).name})"


def _degrees(crs: str, x: float, y: float) -> tuple[float, float]:
    try:
        lon, lat = _from(crs).transform(x, y)
    except ProjError:
        return float("inf"), float("inf")
    return float(lon), float(lat)


@lru_cache(maxsize=128)
def _from(crs: str) -> Transformer:
    """The way from a projection to degrees; finding it takes some milliseconds."""
    return Transformer.from_crs(crs, WGS84, always_xy=True)


def _is_in(place: tuple[float, float], box: Box) -> bool:
    west, south, east, north = _wide(box)
    return west <= place[0] <= east and south <= place[1] <= north


def _wide(box: Box) -> tuple[float, float, float, float]:
    return box.west - NEAR_DEG, box.south - NEAR_DEG, box.east + NEAR_DEG, box.north + NEAR_DEG


def crs_of(stated: str, where: str) -> CRS:
    """The projection of a code or a definition. Raises InvalidInput for one that is not known here."""
    try:
        return CRS.from_user_input(stated)
    except CRSError as error:
        raise InvalidInput(
            f"{stated[:60]!r} is no projection that is known here",
            where=where,
            remedy="State it by its EPSG code, such as EPSG:3879.",
        ) from error


def _name(crs: CRS) -> str:
    authority = crs.to_authority()
    return ":".join(authority) if authority else str(crs.name)


def _check_near(shapes: Lines, points: F8, aim: Aim, name: str, where: str) -> None:
    west, south, east, north = shapely.total_bounds(shapes)
    at = _wide(aim.box)
    if west <= at[2] and east >= at[0] and south <= at[3] and north >= at[1]:
        return
    middle = (float((west + east) / 2), float((south + north) / 2))
    away_km = GEOD.inv(*middle, *aim.middle)[2] / 1000
    if _is_in((middle[1], middle[0]), aim.box):
        turned = shapely.get_coordinates(shapes)[:MAX_DRAWN, ::-1].tolist()
        remedy = "Put longitude first."
        raise Misplaced(
            f"this layer has latitude before longitude: as it stands it lies {away_km:.0f} km from {aim.by}",
            _drawn(aim, remedy, [middle], "as it stands the layer lies here", turned, "longitude first"),
            where=f"{where}, lon {middle[0]:.6f}, lat {middle[1]:.6f}",
            remedy=remedy,
        )
    x, y = (float(axis) for axis in points.mean(axis=0))
    names = likely(x, y, aim.box)
    remedy = f"State the one it is in; {_or(names)} would put it here." if names else "Give the layer of this place."
    raise Misplaced(
        f"in {name} this layer lies {away_km:.0f} km from {aim.by}",
        _drawn(aim, remedy, [middle], f"in {name} the layer lies here", *_in_first(names, points)),
        where=f"{where}, lon {middle[0]:.6f}, lat {middle[1]:.6f}",
        remedy=remedy,
    )


def _refuse_place(message: str, where: str, shapes: Lines, wrong: Any, points: F8, aim: Aim | None) -> NoReturn:
    """Refuses with the first coordinate that is wrong, and the feature it is of."""
    first = int(np.argmax(wrong))
    of = shapely.get_coordinates(shapes, return_index=True)[1]
    feature = int(of[first])
    if not np.isfinite(points[first]).all():
        # What is no number lies nowhere: the rest of its feature does, or of the layer.
        finite = np.isfinite(points).all(axis=1)
        beside = finite & (of == feature)
        first = int(np.argmax(beside if beside.any() else finite))
        lon, lat = points[first]
        if finite.any() and abs(lon) <= 180 and abs(lat) <= 90:
            where = f"{where}, beside lon {lon:.6f}, lat {lat:.6f}"
        raise InvalidInput(
            message, where=f"{where}, feature {feature + 1}", remedy="Write the layer again, with numbers."
        )
    _refuse(message, f"{where}, feature {feature + 1}", points[first : first + 1], aim)


def _refuse(message: str, where: str, points: F8, aim: Aim | None) -> NoReturn:
    finite = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        raise InvalidInput(message, where=where, remedy="Write the layer again, with numbers.")
    x, y = (float(axis) for axis in finite.mean(axis=0))
    place = f"{where}, at x {x:.6g}, y {y:.6g}" if abs(x) <= 180 else f"{where}, at x {x:.1f}, y {y:.1f}"
    if abs(x) <= 180 and abs(y) <= 90:
        raise InvalidInput(message, where=place, remedy="Its coordinates look like degrees: state EPSG:4326.")
    names = likely(x, y, aim.box) if aim is not None else []
    hint = f"{_or(names)} would put it here" if names else "state the projection it is in, such as EPSG:3879"
    remedy = f"Its coordinates look like metres: {hint}."
    if aim is None:
        raise InvalidInput(message, where=place, remedy=remedy)
    raise Misplaced(message, _drawn(aim, remedy, [], "", *_in_first(names, finite)), where=place, remedy=remedy)


def _in_first(names: list[str], points: F8) -> tuple[list[tuple[float, float]], str]:
    """Where points would lie by the first of the suggested projections, and what that is called."""
    if not names:
        return [], ""
    code = names[0].partition(" ")[0]
    return [_degrees(code, float(x), float(y)) for x, y in points[:MAX_DRAWN]], f"in {names[0]}"


def _drawn(
    aim: Aim,
    remedy: str,
    found: list[tuple[float, float]],
    found_what: str,
    meant: list[tuple[float, float]],
    meant_how: str,
) -> list[Fault]:
    """Where a layer lies, where it would lie, and where the streets are, for the map of its refusal."""
    places = [(place, found_what) for place in found]
    places += [(place, f"{meant_how} the layer's points would lie here") for place in meant if _is_in(place, aim.box)]
    places.append((aim.middle, f"{aim.by} lie here"))
    return [Fault(FaultKind.MISPLACED, lon, lat, what, remedy) for (lon, lat), what in places]


def _or(names: list[str]) -> str:
    return " or ".join(names)
