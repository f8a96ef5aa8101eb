"""The table of ways: streets taken apart, plant, and the links between them, one after another, with their prices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from broadstreet.network.ground.beside import NO_STREET, Belonging, StreetBy
from broadstreet.network.ground.catalogue import SURFACES, Catalogue
from broadstreet.network.ground.courses import F8, I8, Courses, keys_of, starts_of
from broadstreet.network.ground.ground import WayTable
from broadstreet.network.ground.hanging import Pieces
from broadstreet.network.ground.obstacles import OBSTACLES, Obstacles
from broadstreet.network.ground.plant import UNBOUNDED, Plant
from broadstreet.network.ground.rules import Ruled
from broadstreet.network.ground.streets import PLANT, WayKind
from broadstreet.network.ground.ways import Ways

_NUMBERS: Final = {surface: number for number, surface in enumerate(SURFACES)}
_BRIDGE: Final = _NUMBERS[SURFACES[-1]]


@dataclass(frozen=True, slots=True, eq=False)
class Tabled:
    """Nodes, ways, and what their columns' numbers mean. `plant_nodes`: which node each of the plant's is."""

    lon: F8
    lat: F8
    ways: WayTable
    way_ids: tuple[str, ...]
    streets: tuple[str, ...]
    plant_nodes: I8


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Rows of one kind: what is not the same for all."""

    a: I8
    b: I8
    courses: Courses
    kind: I8
    surface: I8
    street: I8
    street_by: I8
    way: I8
    usable: I8
    locked: I8
    room: I8


def tabled(
    ways: Ways,
    of_streets: Belonging,
    said: Ruled,
    pieces: Pieces,
    plant: Plant,
    joins: I8,
    on: I8,
    obstacles: Obstacles,
    catalogue: Catalogue,
) -> Tabled:
    """The table. joins: for each node of the plant the node of the streets that it is joined to, -1 for none; on: the
    way of the streets that this one is on."""
    sources = tuple(sorted({source for of in plant.ways.sources for source in of}))
    street_count = len(pieces.lon)
    at = plant.pieces
    # A node of plant that lies where the street's is, is the street's.
    same = joins >= 0
    same[same] = keys_of(at.lon, at.lat)[same] == keys_of(pieces.lon, pieces.lat)[joins[same]]
    nodes = np.where(same, joins, street_count + np.cumsum(~same) - 1)
    lon, lat = np.concatenate((pieces.lon, at.lon[~same])), np.concatenate((pieces.lat, at.lat[~same]))
    linked = np.flatnonzero((joins >= 0) & ~same)
    parts = (
        _street_part(ways, of_streets, said, pieces),
        _plant_part(plant, nodes, sources, len(ways)),
        _link_part(ways, nodes[linked], joins[linked], on[linked], (lon, lat), of_streets),
    )
    table = _table(parts, obstacles, catalogue)
    return Tabled(lon, lat, table, (*ways.ids(), *sources), of_streets.streets, nodes)


def _street_part(ways: Ways, of_streets: Belonging, said: Ruled, pieces: Pieces) -> _Part:
    of = pieces.of
    kind, surface = _traits(ways, of)
    return _Part(
        pieces.a,
        pieces.b,
        pieces.courses,
        kind,
        surface,
        of_streets.street[of],
        of_streets.by[of].astype(np.int64),
        of,
        said.may_dig[of].astype(np.int64),
        said.locked[of].astype(np.int64),
        np.full(len(of), UNBOUNDED),
    )


def _plant_part(plant: Plant, nodes: I8, sources: tuple[str, ...], first: int) -> _Part:
    of = plant.pieces.of
    number = {source: first + i for i, source in enumerate(sources)}
    way = np.array([number[of_way[0]] for of_way in plant.ways.sources], dtype=np.int64)
    kind, surface = _traits(plant.ways, of)
    room = plant.room[of].astype(np.int64)
    none = np.zeros(len(of), dtype=np.int64)
    return _Part(
        nodes[plant.pieces.a],
        nodes[plant.pieces.b],
        plant.pieces.courses,
        kind,
        surface,
        none + NO_STREET,
        none + StreetBy.NONE,
        way[of] if len(of) else none,
        (room != 0).astype(np.int64),
        none,
        room,
    )


def _link_part(ways: Ways, a: I8, b: I8, on: I8, places: tuple[F8, F8], of_streets: Belonging) -> _Part:
    """Straight short trenches from plant to the street it lies beside, in that street's surface."""
    _, surface = _traits(ways, on)
    ends = np.column_stack((a, b)).reshape(-1)
    courses = Courses(places[0][ends], places[1][ends], starts_of(np.full(len(a), 2)))
    ones = np.ones(len(a), dtype=np.int64)
    street, by = of_streets.street[on], of_streets.by[on].astype(np.int64)
    return _Part(a, b, courses, ones * WayKind.LINK, surface, street, by, on, ones, 0 * ones, ones * UNBOUNDED)


def _traits(ways: Ways, of: I8) -> tuple[I8, I8]:
    """Kind and surface of each way, as numbers."""
    traits = [(trait.kind, _NUMBERS[trait.surface]) for trait in ways.traits]
    columns = np.array(traits, dtype=np.int64).reshape(-1, 2)[ways.trait[of]]
    return columns[:, 0], columns[:, 1]


def _table(parts: tuple[_Part, ...], obstacles: Obstacles, catalogue: Catalogue) -> WayTable:
    def column(name: str) -> I8:
        return np.concatenate([getattr(part, name) for part in parts]).astype(np.int64)

    courses = Courses.joined([part.courses for part in parts])
    kind, surface = column("kind"), column("surface")
    is_plant = np.isin(kind, list(PLANT))
    crossings = obstacles.across(courses.lines()) & ~is_plant[:, None] & (surface != _BRIDGE)[:, None]
    per_m = np.array([catalogue.dig_cents_per_m(of) for of in SURFACES], dtype=np.int64)[surface]
    existing = catalogue.existing
    for plant, price in (
        (WayKind.DUCT, existing.duct),
        (WayKind.TRENCH, existing.trench),
        (WayKind.FIBRE, existing.fibre),
        (WayKind.POLE_LINE, catalogue.pole_line),
    ):
        per_m[kind == plant] = price.per_m_cents
    once = [getattr(catalogue.crossing, of.value).each_cents for of in OBSTACLES]
    fixed = crossings.astype(np.int64) @ np.array(once, dtype=np.int64)
    fixed += np.where(kind == WayKind.CROSSING, catalogue.crossing.street.each_cents, 0)
    return WayTable(
        a=column("a").astype(np.int32),
        b=column("b").astype(np.int32),
        length_m=courses.lengths_m(),
        courses=courses,
        kind=kind.astype(np.int8),
        surface=surface.astype(np.int8),
        street=column("street").astype(np.int32),
        street_by=column("street_by").astype(np.int8),
        way=column("way").astype(np.int32),
        usable=column("usable").astype(np.bool_),
        locked=column("locked").astype(np.bool_),
        cents_per_m=per_m,
        fixed_cents=fixed,
        room=column("room").astype(np.int32),
        crossings=crossings,
    )
