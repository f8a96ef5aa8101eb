"""A small town with a design, for tests of what reads designs: a ring, a duct in a street, a tram, a critical site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from broadstreet.network.design import Statement
from broadstreet.network.ground import (
    Architecture,
    Demand,
    Ground,
    Obstacle,
    Obstacles,
    Office,
    PlantLine,
    PremisesKind,
    Rules,
    Streets,
    Surface,
    WayKind,
    default_catalogue,
    plant_of,
    put_together,
)
from broadstreet.network.ground.premises import Row
from broadstreet.network.ground.streets import Trait
from tests.designs import Drawn, Hanging, nodes_along, route, shortest, walk_back
from tests.ground import HERE, at, line

CRITICAL: Final = 3


def _premises() -> Demand:
    places = ((300, 20, 2, False), (300, -15, 1, False), (350, 10, 1, False), (220, 150, 1, True))
    return Demand.of(
        Row(f"p{i:03}", f"House {i}", PremisesKind.ADDRESS, *at(east, north), 1.0, 0.0, fibres, 1.0, critical)
        for i, (east, north, fibres, critical) in enumerate(places)
    )


def town(closed: tuple[str, ...] = ("Closed Lane",)) -> Ground:
    """From its office in the west one comes to the east by High Street, and round by Back Street, where a duct lies."""

    def street(name: str, surface: Surface = Surface.ASPHALT, kind: WayKind = WayKind.STREET) -> Trait:
        return Trait(kind, surface, True, name, "residential")

    drawn = [
        (line((0, 0), (400, 0)), street("High Street")),
        (line((200, 0), (200, 300)), street("Cross Lane", Surface.SETT)),
        (line((0, 0), (0, 300), (200, 300)), street("Back Street", Surface.UNPAVED)),
        (line((400, 0), (400, 20)), street("", kind=WayKind.CROSSING)),
        (line((400, 20), (500, 20)), street("The Yard", Surface.PAVING)),
        (line((100, 0), (100, -200)), street("Closed Lane")),
    ]
    lon, lat = at(0, -10)
    return put_together(
        Streets.of(
            [shape for shape, _ in drawn],
            [trait for _, trait in drawn],
            [0] * len(drawn),
            [f"way/{i}" for i in range(len(drawn))],
            meet_where_they_cross=False,
        ),
        _premises(),
        default_catalogue(),
        offices=[Office("exchange", "The exchange", lon, lat, given=False)],
        plant=plant_of([PlantLine("old", WayKind.DUCT, line((0, 0), (0, 300)), room=1)]),
        obstacles=Obstacles.of([(Obstacle.TRAM, line((60, -50), (60, 50)))]),
        rules=Rules(closed=closed, locked=("The Yard", "way/3")),
    )


def node_at(ground: Ground, east: float, north: float) -> int:
    lon, lat = at(east, north)
    points = HERE.points(ground.lon, ground.lat) - HERE.points(np.array([lon]), np.array([lat]))
    return int(np.hypot(points[:, 0], points[:, 1]).argmin())


def rows_of(ground: Ground, name: str) -> list[int]:
    """The ways of a street."""
    number = ground.streets.index(name)
    return [row for row in range(len(ground.ways)) if ground.ways.street[row] == number]


def plant_rows(ground: Ground) -> list[int]:
    return [row for row in range(len(ground.ways)) if ground.ways.kind[row] == WayKind.DUCT]


def lined(drawn: Drawn, second_feeder: Sequence[int]) -> Statement:
    """Everyone by High Street, and the critical site a second time from a cabinet that this feeder leads to."""
    ground = drawn.ground
    office, corner = drawn.office(), node_at(ground, 200, 0)
    nodes = [int(node) for node in ground.premises.node]
    high = rows_of(ground, "High Street")
    hanging = Hanging(
        drawn, office, corner, range(4), walk_back(ground, shortest(ground, office.node, only=high), corner)
    )
    east = route(ground, corner, nodes[2])
    hanging.hang([(nodes[0], (0, 1)), (nodes[2], (2,))], east)
    hanging.hang([(nodes[CRITICAL], (CRITICAL,))], route(ground, corner, nodes[CRITICAL]))
    end = nodes_along(ground, office.node, second_feeder)[-1]
    other = Hanging(drawn, office, end, (CRITICAL,), second_feeder)
    other.hang([(nodes[CRITICAL], (CRITICAL,))], route(ground, end, nodes[CRITICAL]), first_socket=2)
    drawn.seconds.add(CRITICAL)
    return drawn.statement()


def by_the_duct(ground: Ground) -> list[int]:
    """Round by the duct that lies in Back Street, and on by the street to the far corner."""
    old = plant_rows(ground)
    back = rows_of(ground, "Back Street")
    corner = node_at(ground, 0, 300)
    start = int(ground.offices.node[0])
    first = walk_back(ground, shortest(ground, start, only=old), corner)
    return first + walk_back(ground, shortest(ground, corner, only=back), node_at(ground, 200, 300))


def planned(architecture: Architecture | None = None) -> tuple[Ground, Statement]:
    """The town and its design, correct in everything."""
    ground = town()
    drawn = Drawn(ground, architecture) if architecture else Drawn(ground)
    return ground, lined(drawn, by_the_duct(ground))
