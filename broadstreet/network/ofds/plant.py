"""A network as a planner uses it: what lies there already, and whether more may go along it.

The standard says how a span is carried in two places: `supportingInfrastructure.type`, of an open list, and
`deployment`, above or below ground. The first is believed where it is given; below ground without it is not taken for
a duct.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

from broadstreet.network.ofds.course import courses, place_of, same_courses
from broadstreet.network.ofds.network import Network, Span

STANDING: Final = frozenset({"operational", "inactive"})
"""What has been built and not taken away."""


class Carrier(StrEnum):
    """What carries a span. `below` and `above` where only the ground's side is known."""

    DUCT = "duct"
    POLE_LINE = "pole_line"
    PIPE = "pipe"
    BURIED = "buried"
    BELOW = "below"
    ABOVE = "above"
    UNKNOWN = "unknown"


_CARRIERS: Final = {
    "duct": Carrier.DUCT,
    "pole": Carrier.POLE_LINE,
    "pylon": Carrier.POLE_LINE,
    "pipe": Carrier.PIPE,
    "none": Carrier.BURIED,
}


class Stretch(msgspec.Struct, frozen=True):
    """
    A span with a course, as plant.

    number:       the span's in its network. points: longitude and latitude, in degrees.
    is_straight:  no route was given; the points are its nodes' places.
    length_m:     of the course on the ellipsoid. cable_m: of the cable in it, where it is said.
    fibres:       in all, where it is said. is_dark_fibre, is_spare: whether dark fibre is to be had, and whether more
                  cables fit, where it is said.
    is_standing:  whether it has been built; None where its status is not given.
    same_as:      the number of an earlier span along the same course.
    """

    number: int
    id: str | None
    name: str | None
    points: tuple[tuple[float, float], ...]
    is_straight: bool
    length_m: float
    cable_m: float | None
    carrier: Carrier
    media: tuple[str, ...]
    fibres: int | None
    is_dark_fibre: bool | None
    is_spare: bool | None
    status: str | None
    is_standing: bool | None
    owner: str | None
    same_as: int | None


class Site(msgspec.Struct, frozen=True):
    """
    A node with a place, as plant.

    place: longitude and latitude, in degrees. carrier: building, cabinet, cableWell, pole, … where it is said.
    """

    number: int
    id: str | None
    name: str | None
    place: tuple[float, float]
    types: tuple[str, ...]
    carrier: str | None
    status: str | None
    is_access_point: bool | None
    has_power: bool | None
    owner: str | None


class Plant(msgspec.Struct, frozen=True):
    """
    What a planner finds.

    without_course: numbers of spans that have neither a route nor two nodes with places. without_place: of nodes.
    """

    stretches: tuple[Stretch, ...]
    sites: tuple[Site, ...]
    without_course: tuple[int, ...]
    without_place: tuple[int, ...]


def plant_of(network: Network) -> Plant:
    """What a network holds that has a place, and what has none."""
    ways = courses(network)
    repeats = same_courses(ways)
    names = {one.id: one.name or one.id for one in network.organisations if one.id is not None}
    stretches = []
    for n, (span, way) in enumerate(zip(network.spans, ways, strict=True)):
        if way is not None:
            carrier = span.supporting_infrastructure
            owner = span.transmission_medium_owner
            stretches.append(
                Stretch(
                    number=n,
                    id=span.id,
                    name=span.name,
                    points=way.points,
                    is_straight=way.is_straight,
                    length_m=way.length_m,
                    cable_m=span.fibre_length * 1000.0 if span.fibre_length is not None else None,
                    carrier=carrier_of(span),
                    media=span.transmission_medium,
                    fibres=span.fibre_count,
                    is_dark_fibre=span.dark_fibre,
                    is_spare=carrier.spare_capacity if carrier is not None else None,
                    status=span.status,
                    is_standing=span.status in STANDING if span.status is not None else None,
                    owner=names.get(owner.id or "", owner.name) if owner is not None else None,
                    same_as=repeats.get(n),
                )
            )
    places = [place_of(node) for node in network.nodes]
    return Plant(
        stretches=tuple(stretches),
        sites=tuple(_sites(network, places, names)),
        without_course=tuple(n for n, way in enumerate(ways) if way is None),
        without_place=tuple(n for n, place in enumerate(places) if place is None),
    )


def _sites(network: Network, places: list[tuple[float, float] | None], names: dict[str, str]) -> list[Site]:
    sites = []
    for n, (node, place) in enumerate(zip(network.nodes, places, strict=True)):
        if place is not None:
            carrier, owner = node.supporting_infrastructure, node.transmission_medium_owner
            sites.append(
                Site(
                    number=n,
                    id=node.id,
                    name=node.name,
                    place=place,
                    types=node.type,
                    carrier=carrier.type if carrier is not None else None,
                    status=node.status,
                    is_access_point=node.access_point,
                    has_power=node.power,
                    owner=names.get(owner.id or "", owner.name) if owner is not None else None,
                )
            )
    return sites


def carrier_of(span: Span) -> Carrier:
    """What carries a span, as far as it says."""
    said = span.supporting_infrastructure.type if span.supporting_infrastructure is not None else None
    if said in _CARRIERS:
        return _CARRIERS[said]
    sides = {"belowGround": Carrier.BELOW, "aboveGround": Carrier.ABOVE}
    return sides.get(span.deployment[0], Carrier.UNKNOWN) if len(span.deployment) == 1 else Carrier.UNKNOWN


class Survey(msgspec.Struct, frozen=True):
    """
    A network in figures.

    length_m: of its spans by status, `not given` among them. ways_m: of all, what runs along one course counted once.
    """

    name: str
    nodes: int
    spans: int
    phases: int
    organisations: int
    contracts: int
    straight: int
    without_course: int
    without_place: int
    length_m: dict[str, float]
    ways_m: float


def survey(network: Network) -> Survey:
    """Count and measure a network."""
    plant = plant_of(network)
    lengths: dict[str, float] = {}
    for stretch in plant.stretches:
        status = stretch.status or "not given"
        lengths[status] = lengths.get(status, 0.0) + stretch.length_m
    return Survey(
        name=network.name or network.identifier or network.id or "without a name",
        nodes=len(network.nodes),
        spans=len(network.spans),
        phases=len(network.phases),
        organisations=len(network.organisations),
        contracts=len(network.contracts),
        straight=sum(stretch.is_straight for stretch in plant.stretches),
        without_course=len(plant.without_course),
        without_place=len(plant.without_place),
        length_m=lengths,
        ways_m=sum(stretch.length_m for stretch in plant.stretches if stretch.same_as is None),
    )
