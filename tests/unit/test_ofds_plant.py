"""Networks of the Open Fibre Data Standard as plant, as layers, and of a plan."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.model.geometry import Box
from broadstreet.network.ground import FaultKind, WayKind
from broadstreet.network.ground import plant_of as ground_plant_of
from broadstreet.network.ground.plant import UNBOUNDED
from broadstreet.network.ofds import (
    Carrier,
    Plan,
    PlannedNode,
    PlannedSpan,
    Taking,
    Unused,
    Usable,
    designed,
    layers_of,
    plant_of,
    survey,
    unused_faults,
)
from tests.harbour import GOOD, network, with_

CARRIED = [
    ({"supportingInfrastructure": {"type": "duct"}, "deployment": ["belowGround"]}, Carrier.DUCT),
    ({"supportingInfrastructure": {"type": "pylon"}}, Carrier.POLE_LINE),
    ({"supportingInfrastructure": {"type": "none"}}, Carrier.BURIED),
    ({"supportingInfrastructure": {"type": "bridge"}, "deployment": ["aboveGround"]}, Carrier.ABOVE),
    ({"deployment": ["belowGround"]}, Carrier.BELOW),
    ({"deployment": ["belowGround", "aboveGround"]}, Carrier.UNKNOWN),
    ({}, Carrier.UNKNOWN),
]


@pytest.mark.parametrize(("members", "carrier"), CARRIED)
def test_what_carries_a_span(members: dict[str, Any], carrier: Carrier) -> None:
    raw = with_("/spans/0", {**GOOD["spans"][0], **members})
    assert plant_of(network(raw)[0]).stretches[0].carrier is carrier


def test_plant_says_what_a_planner_needs() -> None:
    extra = {
        "fibreCount": 96,
        "fibreLength": 0.7,
        "darkFibre": True,
        "supportingInfrastructure": {"type": "duct", "spareCapacity": False},
    }
    raw = with_("/spans/0", {**GOOD["spans"][0], **extra})
    raw["spans"] += [
        {"id": "t", "start": "a", "end": "b", "status": "planned"},
        {"id": "u", "start": "a", "end": "c"},
        {"id": "v", "start": "b", "end": "a"},
    ]
    raw["nodes"].append({"id": "c"})
    taken = network(raw)[0]
    plant = plant_of(taken)
    first, second, third = plant.stretches
    assert (first.fibres, first.cable_m, first.is_dark_fibre, first.is_spare) == (96, 700.0, True, False)
    assert (first.is_standing, second.is_standing, third.is_standing) == (True, False, None)
    assert (first.is_straight, second.is_straight) == (False, True)
    assert first.owner == "City"
    assert 555 < second.length_m < 557 < first.length_m < 600
    assert third.same_as == 1
    assert plant.without_course == (2,)
    assert plant.without_place == (2,)
    found = survey(taken)
    assert found.straight == 2
    assert found.ways_m == pytest.approx(first.length_m + second.length_m)
    layers = layers_of(taken)
    assert (layers.undrawn_nodes, layers.undrawn_spans) == (1, 1)
    shown = layers.spans["features"][0]["properties"]
    assert shown | {"lengthM": 0} == {
        "id": "s",
        "name": "Quay",
        "status": "operational",
        "owner": "City",
        "carrier": "duct",
        "fibreCount": 96,
        "darkFibre": True,
        "lengthM": 0,
    }
    assert layers.spans["features"][1]["properties"]["straight"] is True
    assert layers.spans["features"][2]["properties"]["sameAs"] == "t"


def test_a_plan_that_would_break_the_standard_is_refused() -> None:
    nodes = (PlannedNode(key="a", place=(24.9, 60.1)), PlannedNode(key="b", place=(24.9, 60.2)))
    plan = Plan(key="k", name="Plan", nodes=nodes, spans=(PlannedSpan(key="s", start="a", end="c"),))
    with pytest.raises(InvalidInput, match="no node") as refused:
        designed(plan, uuid.NAMESPACE_URL)
    assert refused.value.where == "/spans/0/end"
    lost = msgspec.structs.replace(plan, spans=(PlannedSpan(key="s", start="a", end="b", phase="p"),))
    with pytest.raises(InvalidInput, match="no phase"):
        designed(lost, uuid.NAMESPACE_URL)


def north(latitude: float) -> dict[str, Any]:
    """A route to the north of the exchange."""
    return {"type": "LineString", "coordinates": [[24.94, 60.175], [24.94, latitude]]}


def test_only_what_is_said_is_plant_of_a_ground() -> None:
    duct = {"supportingInfrastructure": {"type": "duct", "spareCapacity": True}}
    span = GOOD["spans"][0]
    raw = with_("/nodes/0/supportingInfrastructure", {"type": "cableWell"})
    raw["spans"] = [
        {**span, **duct, "darkFibre": True},
        {**span, **duct, "id": "same"},
        {
            **span,
            "id": "poles",
            "supportingInfrastructure": {"type": "pole"},
            "route": north(60.18),
        },
        {**span, "id": "planned", **duct, "status": "planned"},
        {**span, "id": "unsaid", **duct, "status": None},
        {
            **span,
            "id": "below",
            "deployment": ["belowGround"],
            "route": north(60.19),
        },
        {"id": "straight", **duct, "start": "a", "end": "b", "status": "operational"},
        {"id": "nowhere", **duct, "status": "operational"},
    ]
    usable = Usable(network(raw)[0])
    assert [(line.id, line.kind, line.room) for line in usable.lines] == [
        ("span/0", WayKind.DUCT, UNBOUNDED),
        ("span/0/fibre", WayKind.FIBRE, UNBOUNDED),
        ("span/2", WayKind.POLE_LINE, UNBOUNDED),
    ]
    assert [stretch.id for stretch in usable.assumed] == ["poles"]
    assert usable.unused == {
        Unused.SAME: 1,
        Unused.NOT_BUILT: 2,
        Unused.NO_CARRIER: 1,
        Unused.STRAIGHT: 1,
        Unused.NO_COURSE: 1,
    }
    assert [list(column) for column in usable.chambers] == [[24.94], [60.17]]
    ground = ground_plant_of(usable.lines, usable.chambers)
    assert {source for sources in ground.ways.sources for source in sources} == {line.id for line in usable.lines}
    strict = Usable(network(raw)[0], Taking(room=False))
    assert [(line.id, line.room) for line in strict.lines if line.kind is WayKind.POLE_LINE] == [("span/2", 0)]
    assert strict.unused == usable.unused | {Unused.NO_ROOM: 1} and not strict.assumed
    known = Usable(network(raw)[0], Taking(built=("planned", "not given"), carrier="duct"))
    assert known.unused == {Unused.SAME: 3, Unused.STRAIGHT: 1, Unused.NO_COURSE: 1}
    assert [line.id for line in known.lines if line.kind is WayKind.DUCT] == ["span/0", "span/5"]


def test_a_span_is_used_by_the_streets_that_it_reaches_and_told_where_it_is_not() -> None:
    duct = {**GOOD["spans"][0], "supportingInfrastructure": {"type": "duct", "spareCapacity": True}}
    ends = {"away": (25.5, 26.0), "through": (24.0, 26.0), "reaching": (24.945, 29.5)}
    raw = with_("/nodes/0/supportingInfrastructure", {"type": "cableWell"})
    raw["spans"] = [
        {**duct, "id": id, "route": {"type": "LineString", "coordinates": [[lon, 60.17] for lon in lons]}}
        for id, lons in ends.items()
    ]
    streets = Box(24.942, 60.165, 24.948, 60.175)
    usable = Usable(network(raw)[0], streets=streets)
    assert {reason: [one.id for one in left] for reason, left in usable.left.items() if left} == {
        Unused.OUTSIDE: ["away"],
        Unused.THROUGH: ["through"],
    }
    [line] = usable.lines
    assert (line.id, line.line.coords[0]) == ("span/2", (24.945, 60.17))
    assert 24.96 < line.line.coords[-1][0] < 25.0  # what leads on to another city is no ground of this one
    outside, through = unused_faults(usable, "a.json", streets)
    assert outside.kind is FaultKind.OUTSIDE and (outside.lon, outside.lat) == (25.5, 60.17)
    assert outside.what.startswith("1 of 3 spans of a.json (27.8 km) lie outside the streets, it is 31 km away")
    assert through.kind is FaultKind.UNUSED_PLANT and "begin and end elsewhere" in through.what
    # A place where one gets at it makes the way through usable.
    raw["nodes"][0]["location"]["coordinates"] = [24.944, 60.17]
    assert [line.id for line in Usable(network(raw)[0], streets=streets).lines] == ["span/1", "span/2"]
