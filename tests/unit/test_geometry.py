"""GeoJSON geometry: what is taken, what is refused and why, and the box around it."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.model import geometry
from broadstreet.model.errors import InvalidInput, TooLarge
from broadstreet.model.geometry import Box, parse_geometry

RING = [[0, 0], [2, 0], [2, 1], [0, 0]]


@pytest.mark.parametrize(
    ("kind", "coordinates", "box"),
    [
        ("Point", [24.94, 60.17], Box(24.94, 60.17, 24.94, 60.17)),
        ("Point", [24.94, 60.17, 12.5], Box(24.94, 60.17, 24.94, 60.17)),
        ("MultiPoint", [[1, 2], [3, -4]], Box(1, -4, 3, 2)),
        ("LineString", [[0, 0], [1, 1]], Box(0, 0, 1, 1)),
        ("MultiLineString", [[[0, 0], [1, 1]], [[5, 5], [6, 7]]], Box(0, 0, 6, 7)),
        ("Polygon", [RING], Box(0, 0, 2, 1)),
        ("MultiPolygon", [[RING]], Box(0, 0, 2, 1)),
    ],
)
def test_each_type_is_taken_and_boxed(kind: str, coordinates: Any, box: Box) -> None:
    parsed = parse_geometry({"type": kind, "coordinates": coordinates})
    assert parsed.bounds == box
    assert parsed.geojson() == {"type": kind, "coordinates": coordinates}


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("POINT(1 2)", "an object"),
        ({"type": "Circle", "coordinates": [1, 2]}, "no geometry type"),
        ({"type": ["Point"], "coordinates": [1, 2]}, "no geometry type"),
        ({"type": "GeometryCollection", "geometries": []}, "no geometry type"),
        ({"type": "Point"}, "a position is"),
        ({"type": "Point", "coordinates": [1]}, "a position is"),
        ({"type": "Point", "coordinates": [1, "2"]}, "made of numbers"),
        ({"type": "Point", "coordinates": [True, 2]}, "made of numbers"),
        ({"type": "Point", "coordinates": [float("nan"), 2]}, "made of numbers"),
        ({"type": "Point", "coordinates": [60.17, 124.9]}, "not on Earth"),
        ({"type": "LineString", "coordinates": [[1, 2]]}, "two positions"),
        ({"type": "Polygon", "coordinates": []}, "not empty"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}, "four positions"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]}, "ends where it began"),
        ({"type": "MultiPolygon", "coordinates": [RING]}, "four positions"),
    ],
)
def test_what_is_wrong_is_said(value: Any, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint) as caught:
        parse_geometry(value, "location")
    assert caught.value.where == "location"


def test_a_geometry_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geometry, "MAX_POSITIONS", 3)
    with pytest.raises(TooLarge, match="bound of 3"):
        parse_geometry({"type": "Polygon", "coordinates": [RING]})
