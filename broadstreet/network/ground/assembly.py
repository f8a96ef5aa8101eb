"""Puts the ground together: streets become a graph, rules are applied, and everything hangs where it belongs.

In this order: the graph of ways; to which street each belongs; what the rules say of each; islands, on which nothing is
hung; then premises, offices and the ends of plant, each on the nearest way that may be dug, which are all taken apart
at once; then prices. What cannot be joined is a fault with its place, never gone in silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta

from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.network.ground.beside import belonging, unsure_streets
from broadstreet.network.ground.catalogue import Catalogue
from broadstreet.network.ground.courses import F8, I8, Lines, Plane, distances_m
from broadstreet.network.ground.elsewhere import MOST_WAYS, Around, Elsewhere, hooks_of
from broadstreet.network.ground.fault import Fault, FaultKind
from broadstreet.network.ground.findings import (
    check_usable,
    islands,
    unconnected_plant,
    unreached,
    unreached_offices,
    without_office,
)
from broadstreet.network.ground.graph import parts
from broadstreet.network.ground.ground import Counts, Ground, Offices, Premises
from broadstreet.network.ground.hanging import Hung, hang, hung_up
from broadstreet.network.ground.obstacles import NOTHING_ACROSS, Obstacles
from broadstreet.network.ground.office import OFFICE_LEAD_M, Office
from broadstreet.network.ground.plant import LINK_M, NO_PLANT, Plant
from broadstreet.network.ground.premises import Demand, PremisesKind
from broadstreet.network.ground.rules import Rules, ruled
from broadstreet.network.ground.streets import Streets
from broadstreet.network.ground.table import tabled
from broadstreet.network.ground.ways import SNAP_M, ways_of

MAX_LINES: Final = 2_000_000
"""The most lines of streets that are put together at once."""
MAX_PREMISES: Final = 2_000_000
"""The most premises that are hung on them."""

Metres = Annotated[float, Meta(gt=0, le=10_000)]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How far things may be from what they are joined to, and how small a part of the graph counts as cut off.

    island_m: ways that hang together, but with nothing else, and are shorter than this in all, are an island; the
    longest part is never one. drop_ways: how many ways each drop may choose from, the nearest among them; drop_more_m:
    by how much a drop may be longer than to the nearest. With one way everyone hangs on the nearest.
    """

    snap_m: Metres = SNAP_M
    drop_m: Metres = 100.0
    area_drop_m: Metres = 500.0
    drop_ways: Annotated[int, Meta(ge=1, le=MOST_WAYS)] = 3
    drop_more_m: Metres = 20.0
    link_m: Metres = LINK_M
    island_m: Metres = 500.0


def put_together(
    streets: Streets,
    demand: Demand,
    catalogue: Catalogue,
    *,
    offices: Iterable[Office] = (),
    plant: Plant = NO_PLANT,
    obstacles: Obstacles = NOTHING_ACROSS,
    rules: Rules | None = None,
    limits: Limits | None = None,
    faults: Iterable[Fault] = (),
    houses: Lines | None = None,
) -> Ground:
    """The ground of these inputs. faults: what was found wrong while they were read; houses: outlines in WGS 84
    degrees, through which no drop is led that has another way.

    Raises BadGround where rules contradict each other or no street may be dug, InvalidInput where a rule names what is
    not there, and TooLarge over MAX_LINES, MAX_PREMISES, or courses.MAX_SPAN_DEG.
    """
    limits = limits or Limits()
    given = _offices_given(offices)
    _check_count("lines of streets", len(streets.courses), MAX_LINES)
    _check_count("premises", len(demand), MAX_PREMISES)
    needed = demand.take(np.flatnonzero(demand.fibres > 0))
    ways = ways_of(streets, limits.snap_m)
    of_streets = belonging(ways, streets)
    said = ruled(ways, of_streets, rules or Rules(), obstacles)
    check_usable(ways, said.may_dig)
    plane = Plane.about(ways.lon, ways.lat)

    ends = plant.pieces.lon, plant.pieces.lat
    plant_hung = hang(ways, said.may_dig, *ends, np.full(len(ends[0]), limits.link_m), plane)
    led_to = ways.a[plant_hung.way[plant_hung.way >= 0]]
    cut_off, found = islands(ways, said.may_dig, led_to, limits.island_m)
    usable = said.may_dig & ~cut_off
    premises_hung, others = _hung(needed, limits, Around(ways, usable, plane, obstacles, houses))
    lon, lat = (np.array([getattr(office, axis) for office in given], dtype=np.float64) for axis in ("lon", "lat"))
    office_hung = hang(ways, usable, lon, lat, np.full(len(given), OFFICE_LEAD_M), plane)

    pieces = hung_up(ways, _together((premises_hung, office_hung, plant_hung, others.hung)), plane)
    ends_at = np.cumsum((len(needed), len(given), len(ends[0])))
    premises_at, office_node, joins, others_at = np.split(pieces.node, ends_at)
    made = tabled(ways, of_streets, said, pieces, plant, joins, plant_hung.way, obstacles, catalogue)
    part = parts(len(made.lon), made.ways.a[made.ways.usable], made.ways.b[made.ways.usable])
    alone = without_office(part, premises_at, office_node)
    found += (*unreached(needed, premises_hung, alone), *unreached_offices(given, office_hung))
    found += (*unconnected_plant(plant, joins), *unsure_streets(of_streets, ways))
    kept = np.flatnonzero((premises_at >= 0) & ~alone)
    premises = _premises(needed.take(kept), premises_at[kept], premises_hung, kept, (made.lon, made.lat))
    return Ground(
        made.lon,
        made.lat,
        part,
        made.ways,
        made.way_ids,
        made.streets,
        premises,
        _offices(given, office_node, (made.lon, made.lat), catalogue),
        catalogue,
        Counts(
            ways.cleaned,
            len(demand),
            len(demand) - len(needed),
            len(needed) - len(kept),
            sum(fault.kind is FaultKind.ISLAND for fault in found),
            float(ways.courses.lengths_m()[cut_off].sum()),
        ),
        tuple(sorted((*faults, *found), key=lambda fault: (fault.kind, fault.lat, fault.lon, fault.what))),
        hooks_of(premises, kept, others, others_at, (made.lon, made.lat), part),
    )


def _hung(needed: Demand, limits: Limits, around: Around) -> tuple[Hung, Elsewhere]:
    """Where premises hang, and elsewhere."""
    is_area = needed.kind == PremisesKind.AREA
    drop_m = np.where(is_area, limits.area_drop_m, limits.drop_m)
    nearest = hang(around.ways, around.usable, needed.lon, needed.lat, drop_m, around.plane)
    more_m = np.minimum(drop_m, nearest.away_m + limits.drop_more_m)
    return nearest, around.hang((needed.lon, needed.lat), nearest, more_m, limits.drop_ways)


def _check_count(what: str, count: int, bound: int) -> None:
    if count > bound:
        raise TooLarge(
            f"{count} {what} are over the bound of {bound}",
            where=what,
            remedy="Cut the city out of it first, or plan it in parts.",
        )


def _offices_given(offices: Iterable[Office]) -> list[Office]:
    """The offices by id. Raises InvalidInput where two have the same."""
    given = sorted(offices, key=lambda office: office.id)
    ids = [office.id for office in given]
    for id in ids:
        if ids.count(id) > 1:
            raise InvalidInput(f"two central offices have the id {id}", where="offices", remedy="Give each its own id.")
    return given


def _together(parts: Sequence[Hung]) -> Hung:
    return Hung(*(np.concatenate([getattr(part, name) for part in parts]) for name in Hung.__slots__))


def _premises(demand: Demand, node: I8, hung: Hung, kept: I8, places: tuple[F8, F8]) -> Premises:
    lon, lat = places
    return Premises(
        demand,
        node.astype(np.int32),
        distances_m(demand.lon, demand.lat, lon[node], lat[node]),
        hung.way[kept].astype(np.int32),
        hung.side[kept],
    )


def _offices(given: Sequence[Office], node: I8, places: tuple[F8, F8], catalogue: Catalogue) -> Offices:
    """The offices that a way reaches."""
    kept = [i for i in range(len(given)) if node[i] >= 0]
    found, at = [given[i] for i in kept], node[kept]
    lon, lat = (np.array([getattr(office, axis) for office in found], dtype=np.float64) for axis in ("lon", "lat"))
    new = catalogue.central_office.each_cents
    cents = [office.cents if office.cents is not None else 0 if office.given else new for office in found]
    return Offices(
        tuple(office.id for office in found),
        tuple(office.label for office in found),
        lon,
        lat,
        at.astype(np.int32),
        distances_m(lon, lat, places[0][at], places[1][at]),
        np.array([office.given for office in found], dtype=np.bool_),
        np.array(cents, dtype=np.int64),
    )
