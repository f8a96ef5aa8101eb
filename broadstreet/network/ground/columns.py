"""Which column of a layer says what: from a city's own layers to streets, premises, plant and central offices.

Each kind of thing has a struct that names columns (`sources`). A value that cannot be used is refused with its feature
and its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

import numpy as np
import shapely
from shapely import LineString

from broadstreet.model.errors import InvalidInput
from broadstreet.network.ground.catalogue import Surface
from broadstreet.network.ground.courses import F8
from broadstreet.network.ground.fault import Fault, FaultKind
from broadstreet.network.ground.layer import Layer
from broadstreet.network.ground.office import Office
from broadstreet.network.ground.plant import UNBOUNDED, PlantLine
from broadstreet.network.ground.premises import Needs, PremisesKind, Row, Site, counted
from broadstreet.network.ground.sources import DemandColumns, OfficeColumns, PlantColumns, StreetColumns
from broadstreet.network.ground.streets import PLANT, Streets, Trait, WayKind

__all__ = [
    "DemandColumns",
    "OfficeColumns",
    "PlantColumns",
    "StreetColumns",
    "chamber_layer",
    "demand_layer",
    "office_layer",
    "plant_layer",
    "site_layer",
    "street_layer",
]

_YES: Final = frozenset({"1", "true", "yes", "y", "t", "1.0"})
_NO: Final = frozenset({"0", "false", "no", "n", "f", "0.0", ""})


@dataclass(frozen=True, slots=True)
class _Feature:
    """A feature of a layer, and how its columns are read."""

    layer: Layer
    at: int

    @property
    def number(self) -> int:
        return self.layer.numbers[self.at]

    def text(self, column: str | None, otherwise: str) -> str:
        value = self._value(column)
        if value is None:
            return otherwise
        whole = isinstance(value, float) and value.is_integer()
        return str(int(value) if whole else value).strip() or otherwise

    def amount(self, column: str | None, otherwise: float) -> float:
        """A number that is not negative; an empty one counts as none."""
        value = self._value(column)
        if column is None:
            return otherwise
        if value is None or value == "":
            return 0.0
        try:
            amount = float(value)
        except (TypeError, ValueError):
            self.refuse(column, f"a number is expected, not {value!r}")
        if not (math.isfinite(amount) and amount >= 0):
            self.refuse(column, f"a number of 0 or more is expected, not {value!r}")
        return amount

    def flag(self, column: str | None, otherwise: bool) -> bool:
        text = self.text(column, "" if column else str(int(otherwise))).casefold()
        if text not in _YES | _NO:
            self.refuse(column or "", f"yes or no is expected, not {text!r}")
        return text in _YES

    def place(self) -> tuple[float, float]:
        point = shapely.point_on_surface(self.layer.shapes[self.at])
        return round(float(point.x), 7), round(float(point.y), 7)

    def refuse(self, column: str, message: str) -> NoReturn:
        lon, lat = self.place()
        raise InvalidInput(
            message,
            where=f"{self.layer.where}, feature {self.number}, {column} (lon {lon:.6f}, lat {lat:.6f})",
            remedy="Mend the value, or leave the column out.",
        )

    def _value(self, column: str | None) -> Any:
        if column is None:
            return None
        if column not in self.layer.columns:
            names = ", ".join(self.layer.columns) or "none"
            raise InvalidInput(f"there is no column {column!r}", where=self.layer.where, remedy=f"It has: {names}.")
        value = self.layer.columns[column][self.at]
        value = value.item() if isinstance(value, np.generic) else value
        return None if isinstance(value, float) and math.isnan(value) else value


def street_layer(layer: Layer, columns: StreetColumns) -> tuple[Streets, tuple[Fault, ...]]:
    """Streets of a layer of lines, and a fault for each feature that is none."""
    lines, traits, levels, sources = [], [], [], []
    words = {surface.value: surface for surface in Surface}
    words |= {name.casefold(): surface for name, surface in columns.surfaces.items()}
    for feature, number, line in _lines(layer):
        known = words.get(feature.text(columns.surface, "").casefold(), columns.surface_otherwise)
        lines.append(line)
        name, category = feature.text(columns.name, ""), feature.text(columns.category, "street")
        beside = "" if name else feature.text(columns.beside, "")
        traits.append(Trait(WayKind.STREET, known, feature.flag(columns.may_dig, True), name, category, beside))
        levels.append(_level(feature, columns.level))
        sources.append(_part_id(feature, columns.id, number))
    meet = columns.meet_where_they_cross
    return Streets.of(lines, traits, levels, sources, meet_where_they_cross=meet), _not_lines(layer)


def demand_layer(layer: Layer, columns: DemandColumns, needs: Needs) -> list[Row]:
    """Premises of a layer: points, or areas that are reached at their middle."""
    rows = []
    is_area = shapely.get_dimensions(layer.shapes) == 2
    counts = any((columns.persons, columns.households, columns.jobs))
    for at in range(len(layer)):
        feature = _Feature(layer, at)
        households = feature.amount(columns.households, 0.0 if counts else 1.0)
        persons = feature.amount(columns.persons, 0.0) + households * needs.persons_per_household
        id = feature.text(columns.id, str(feature.number))
        row = counted(
            id,
            feature.text(columns.label, id),
            feature.place(),
            persons,
            feature.amount(columns.jobs, 0.0),
            needs,
            critical=feature.flag(columns.critical, columns.all_critical),
        )
        kind = PremisesKind.AREA if is_area[at] or columns.persons else PremisesKind.ADDRESS
        kind = kind if columns.kind is None else columns.kind
        fibres = math.ceil(feature.amount(columns.fibres, float(row.fibres)))
        rows.append(replace(row, kind=kind, fibres=fibres))
    return rows


def site_layer(layer: Layer, columns: DemandColumns) -> list[Site]:
    """Sites of the city's own, of a layer."""
    found = []
    for at in range(len(layer)):
        feature = _Feature(layer, at)
        id = feature.text(columns.id, str(feature.number))
        lon, lat = feature.place()
        fibres = math.ceil(feature.amount(columns.fibres, 1.0))
        is_critical = feature.flag(columns.critical, columns.all_critical)
        found.append(Site(id, feature.text(columns.label, id), lon, lat, fibres, is_critical))
    return found


def plant_layer(layer: Layer, columns: PlantColumns) -> tuple[list[PlantLine], tuple[Fault, ...]]:
    """Plant of a layer of lines, and a fault for each feature that is none."""
    names = {kind.name.lower(): kind for kind in PLANT}
    found = []
    for feature, number, line in _lines(layer):
        word = feature.text(columns.kind_column, columns.kind).casefold()
        if word not in names:
            feature.refuse(columns.kind_column or "kind", f"{word!r} is none of {', '.join(sorted(names))}")
        room = UNBOUNDED if columns.room is None else int(feature.amount(columns.room, 0.0))
        label = feature.text(columns.label, "")
        found.append(PlantLine(_part_id(feature, columns.id, number), names[word], line, room, label))
    return found, _not_lines(layer)


def chamber_layer(layer: Layer) -> tuple[F8, F8]:
    """Longitudes and latitudes of a layer of points."""
    places = np.array([_Feature(layer, at).place() for at in range(len(layer))], dtype=np.float64).reshape(-1, 2)
    return places[:, 0], places[:, 1]


def office_layer(layer: Layer, columns: OfficeColumns) -> list[Office]:
    """Central offices of a layer."""
    found = []
    for at in range(len(layer)):
        feature = _Feature(layer, at)
        id = feature.text(columns.id, str(feature.number))
        lon, lat = feature.place()
        found.append(Office(id, feature.text(columns.label, id), lon, lat, feature.flag(columns.given, False)))
    return found


def _lines(layer: Layer) -> Iterator[tuple[_Feature, int, LineString]]:
    """Each line of a layer, with the number it has in its feature."""
    parts, of = shapely.get_parts(layer.shapes, return_index=True)
    number, before = 0, -1
    for part, at in zip(parts.tolist(), of.tolist(), strict=True):
        number = number + 1 if at == before else 0
        before = at
        if isinstance(part, LineString):
            yield _Feature(layer, at), number, part


def _not_lines(layer: Layer) -> tuple[Fault, ...]:
    faults = list(layer.faults)
    for at in np.flatnonzero(shapely.get_dimensions(layer.shapes) != 1).tolist():
        feature = _Feature(layer, at)
        lon, lat = feature.place()
        kind = layer.shapes[at].geom_type
        what = f"feature {feature.number} of {layer.where} is a {kind}, not a line"
        faults.append(Fault(FaultKind.BAD_GEOMETRY, lon, lat, what, "Draw it as a line, or take it out."))
    return tuple(faults)


def _part_id(feature: _Feature, column: str | None, number: int) -> str:
    id = feature.text(column, str(feature.number))
    return f"{id}.{number}" if number else id


def _level(feature: _Feature, column: str | None) -> int:
    text = feature.text(column, "0")
    try:
        return int(text)
    except ValueError:
        feature.refuse(column or "level", f"a whole number is expected, not {text!r}")
