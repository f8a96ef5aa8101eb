"""Geographic relations, measured: against known distances, at the poles, across the antimeridian, around holes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from broadstreet.context import parse_coordinates, parse_georel
from broadstreet.model.errors import InvalidInput

HELSINKI = [24.9384, 60.1699]
SQUARE = [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]]
TRIANGLE = [[[1, 1], [2, 1], [2, 2], [1, 1]]]
OVER_ITS_EDGE = [[[1, 1], [3, 1], [3, 1.5], [1, 1]]]
WITH_A_HOLE = [*SQUARE, [[4, 4], [6, 4], [6, 6], [4, 6], [4, 4]]]


def holds(georel: str, kind: str, coordinates: Any, *places: tuple[str, Any]) -> list[bool]:
    query = parse_georel(georel, parse_coordinates(kind, coordinates), "urn:p")
    matched: list[bool] = query.matches([json.dumps({"type": t, "coordinates": c}) for t, c in places]).tolist()
    return matched


def test_near_measures_on_the_ellipsoid() -> None:
    # One degree from (0, 0) on WGS 84: 111,319.491 m along the equator, 110,574.389 m along the meridian.
    east, north = ("Point", [1, 0]), ("Point", [0, 1])
    assert holds("near;maxDistance==111319.5", "Point", [0, 0], east, north) == [True, True]
    assert holds("near;maxDistance==111319.4", "Point", [0, 0], east, north) == [False, True]
    assert holds("near;maxDistance==110574.4", "Point", [0, 0], east, north) == [False, True]
    assert holds("near;minDistance==110574.4", "Point", [0, 0], east, north) == [True, False]


def test_near_looks_at_the_nearest_points() -> None:
    line = ("LineString", [[1, 85], [0, 85.6]])
    # One degree of longitude at 85 degrees north is 9.7 km, a degree of latitude 111 km.
    assert holds("near;maxDistance==20000", "Point", [0, 85], line) == [True]
    assert holds("near;maxDistance==5000", "Point", [0, 85], line) == [False]
    assert holds("near;maxDistance==2000", "LineString", [[0, 60], [10, 60]], ("Point", [10, 60.009])) == [True]
    assert holds("near;maxDistance==1", "Polygon", SQUARE, ("Point", [5, 5])) == [True]


def test_near_crosses_the_antimeridian() -> None:
    line = ("LineString", [[-179.99, 0], [-179.98, 0]])
    assert holds("near;maxDistance==3000", "Point", [179.99, 0], ("Point", [-179.99, 0]), line) == [True, True]
    query = parse_georel("near;maxDistance==3000", parse_coordinates("Point", [179.99, 0]), "urn:p")
    assert query.boxes is not None
    east, west = query.boxes
    assert east.east == 180
    assert west.west == -180
    assert west.east == pytest.approx(-179.98, abs=0.01)


@pytest.mark.parametrize(
    ("georel", "reference", "inside", "outside"),
    [
        ("within", WITH_A_HOLE, ("Point", [2, 2]), ("Point", [5, 5])),
        ("intersects", SQUARE, ("LineString", [[5, 5], [20, 5]]), ("LineString", [[11, 5], [20, 5]])),
        ("disjoint", SQUARE, ("Point", [11, 5]), ("Point", [5, 5])),
        ("equals", SQUARE, ("Polygon", [[[10, 0], [10, 10], [0, 10], [0, 0], [10, 0]]]), ("Polygon", WITH_A_HOLE)),
        ("contains", TRIANGLE, ("Polygon", SQUARE), ("Polygon", OVER_ITS_EDGE)),
        ("overlaps", SQUARE, ("Polygon", [[[5, 5], [15, 5], [15, 15], [5, 5]]]), ("Polygon", SQUARE)),
    ],
)
def test_relations(georel: str, reference: Any, inside: tuple[str, Any], outside: tuple[str, Any]) -> None:
    assert holds(georel, "Polygon", reference, inside, outside) == [True, False]


def test_boxes_hold_what_is_near() -> None:
    query = parse_georel("near;maxDistance==1000", parse_coordinates("Point", HELSINKI), "urn:p")
    (box,) = query.boxes or []
    assert box.north - box.south == pytest.approx(0.018, rel=0.02)
    assert box.east - box.west == pytest.approx(0.036, rel=0.05)
    near_pole = parse_georel("near;maxDistance==50000", parse_coordinates("Point", [0, 89.9]), "urn:p")
    (cap,) = near_pole.boxes or []
    assert (cap.west, cap.east, cap.north) == (-180, 180, 90)
    assert cap.south == pytest.approx(89.4, abs=0.1)
    for everywhere in ("near;minDistance==1", "disjoint", "near;maxDistance==30000000"):
        assert parse_georel(everywhere, parse_coordinates("Point", HELSINKI), "urn:p").boxes is None


@pytest.mark.parametrize(
    "georel",
    [
        *("near", "near;maxDistance==0", "near;maxDistance==-5", "near;maxDistance=5", "near;maxDistance==inf"),
        *("near;maxDistance==1e400", "near;maxDistance==5;minDistance==1", "touches", ""),
    ],
)
def test_what_is_no_relation_is_refused(georel: str) -> None:
    with pytest.raises(InvalidInput):
        parse_georel(georel, parse_coordinates("Point", HELSINKI), "urn:p")


def test_coordinates_are_json() -> None:
    assert parse_coordinates("Point", "[24.9,60.2]").coordinates == [24.9, 60.2]
    with pytest.raises(InvalidInput, match="are JSON"):
        parse_coordinates("Point", "24.9,60.2")
