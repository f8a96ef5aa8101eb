"""What may be dug and what must be: streets closed, opened or locked, by id, by name, by category or by area.

Rules speak of whole ways, from one junction to the next: a way that touches a closed area is closed. What a rule names
must be there, and two rules must not say the opposite of each other; otherwise the ground is refused, with the place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import shapely
from numpy.typing import NDArray

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Geometry, parse_geometry
from broadstreet.network.ground.beside import NO_STREET, Belonging, StreetBy
from broadstreet.network.ground.fault import BadGround, Fault, FaultKind, Placed
from broadstreet.network.ground.obstacles import OBSTACLES, Obstacle, Obstacles
from broadstreet.network.ground.ways import Ways

MOTORWAYS: Final = ("motorway", "motorway_link", "trunk", "trunk_link")
"""What is not dug along unless a rule opens it."""


class Rules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An id is a way's own or its source's; a name is a street's, whatever its capitals. To close a street by its name
    closes what runs beside it as well, but for crossings: it can still be crossed. To open or lock one by name speaks
    of the ways alone of which the source says that name, since nobody's ground is opened, nor three trenches asked for,
    by what is only likely.

    closed: not dug. opened: dug, though its source or its category says otherwise. locked: part of every plan.
    closed_areas: GeoJSON polygons. closed_crossings: what no trench may cross.
    """

    closed: tuple[str, ...] = ()
    opened: tuple[str, ...] = ()
    locked: tuple[str, ...] = ()
    closed_categories: tuple[str, ...] = MOTORWAYS
    closed_areas: tuple[dict[str, Any], ...] = ()
    closed_crossings: tuple[Obstacle, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Ruled:
    """For each way whether it may be dug, and whether every plan holds it."""

    may_dig: NDArray[np.bool_]
    locked: NDArray[np.bool_]


def ruled(ways: Ways, of_streets: Belonging, rules: Rules, obstacles: Obstacles) -> Ruled:
    """What the rules say of each way. Raises BadGround where they contradict each other, InvalidInput where they name
    what is not there."""
    named = _Names(ways, of_streets) if rules.closed or rules.opened or rules.locked else None
    closed, opened, locked = (
        named.find(getattr(rules, rule), rule) if named else np.zeros(len(ways), dtype=np.bool_)
        for rule in ("closed", "opened", "locked")
    )
    areas = _areas(ways, rules)
    across = np.zeros(len(ways), dtype=np.bool_)
    if rules.closed_crossings:
        over = ways.of_trait("surface") == "bridge"
        kinds = [OBSTACLES.index(kind) for kind in rules.closed_crossings]
        across = obstacles.across(ways.courses.lines())[:, kinds].any(axis=1) & ~over
    _check(ways, locked & (closed | areas), "is locked, and closed as well", "Take it out of one of the two rules.")
    _check(ways, opened & (closed | areas), "is opened, and closed as well", "Take it out of one of the two rules.")
    _check(
        ways,
        locked & across,
        f"is locked, and crosses what may not be crossed ({', '.join(rules.closed_crossings)})",
        "Unlock it, or allow that crossing.",
    )
    by_itself = ways.of_trait("may_dig").astype(np.bool_)
    by_itself &= ~np.isin(ways.of_trait("category").astype(str), rules.closed_categories)
    return Ruled((by_itself | opened | locked) & ~closed & ~areas & ~across, locked)


def _areas(ways: Ways, rules: Rules) -> NDArray[np.bool_]:
    """Which ways touch a closed area."""
    touched = np.zeros(len(ways), dtype=np.bool_)
    if not rules.closed_areas:
        return touched
    tree = shapely.STRtree(ways.courses.lines())
    for number, area in enumerate(rules.closed_areas):
        where = f"closed_areas[{number}]"
        geometry: Geometry = parse_geometry(area, where)
        if not geometry.type.endswith("Polygon"):
            raise InvalidInput(f"an area is a polygon, not a {geometry.type}", where=where, remedy="Draw a polygon.")
        shape = shapely.make_valid(shapely.geometry.shape(geometry.geojson()))
        found = tree.query(shape, predicate="intersects")
        if not len(found):
            middle = shape.representative_point()
            raise InvalidInput(
                "this closed area touches no way",
                where=f"{where}, lon {middle.x:.6f}, lat {middle.y:.6f}",
                remedy="Move it to where the streets are, or leave it out. Longitude comes first.",
            )
        touched[found] = True
    return touched


def _check(ways: Ways, wrong: NDArray[np.bool_], what: str, remedy: str) -> None:
    """Raises BadGround with the place of each way for which rules contradict each other."""
    if not wrong.any():
        return
    which = np.flatnonzero(wrong)
    lon, lat = ways.courses.middles()
    names = ways.of_trait("name")
    ids = ways.ids()
    faults = [
        Fault(
            FaultKind.CONTRADICTION,
            float(lon[i]),
            float(lat[i]),
            f"{names[i] or 'a way without a name'} (way {ids[i]}) {what}",
            remedy,
        )
        for i in which.tolist()
    ]
    raise BadGround(faults, where="rules")


class _Names:
    """Finds ways by what people call them."""

    def __init__(self, ways: Ways, of_streets: Belonging) -> None:
        self.count = len(ways)
        self.lon, self.lat = ways.courses.middles()
        self.by_id: dict[str, list[int]] = {}
        self.stated: dict[str, list[int]] = {}
        self.beside: dict[str, list[int]] = {}
        for way, (id, sources) in enumerate(zip(ways.ids(), ways.sources, strict=True)):
            for key in {id, *sources}:
                self.by_id.setdefault(key, []).append(way)
        self.streets = {name.casefold(): name for name in of_streets.streets}
        keys = [name.casefold() for name in of_streets.streets]
        for way, (street, by) in enumerate(zip(of_streets.street.tolist(), of_streets.by.tolist(), strict=True)):
            if street != NO_STREET and by != StreetBy.CROSSES:
                stated = by in (StreetBy.NAME, StreetBy.SOURCE)
                (self.stated if stated else self.beside).setdefault(keys[street], []).append(way)

    def find(self, wanted: Iterable[str], rule: str) -> NDArray[np.bool_]:
        """Which ways a rule names. Raises InvalidInput for a name that none has."""
        which = np.zeros(self.count, dtype=np.bool_)
        for name in wanted:
            key = name.casefold()
            ways = self.by_id.get(name) or self.stated.get(key)
            if ways is not None and rule == "closed" and name not in self.by_id:
                ways = ways + self.beside.get(key, [])
            if ways is None:
                close = [self.streets[key] for key in difflib.get_close_matches(name.casefold(), self.streets, n=3)]
                message = f"no way has the id or the street's name {name[:80]!r}"
                remedy = f"Did you mean {' or '.join(close)}?" if close else "Look for it on the map of the ways."
                raise Placed(message, self._here(close, message, remedy), where=f"rules, {rule}", remedy=remedy)
            which[ways] = True
        return which

    def _here(self, streets: Iterable[str], message: str, remedy: str) -> list[Fault]:
        """Where streets are that may have been meant: each at its first way."""
        faults = []
        for street in streets:
            key = street.casefold()
            for way in (self.stated.get(key) or self.beside.get(key) or [])[:1]:
                lon, lat = float(self.lon[way]), float(self.lat[way])
                faults.append(Fault(FaultKind.NOT_FOUND, lon, lat, f"{message}; {street} is here", remedy))
        return faults
