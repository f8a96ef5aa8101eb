"""What a query brings with it beside q (places, scopes, types, orders): read, or refused with a reason; no crash, no
hang, and no input that costs more than its length."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadstreet.context import (
    CORE,
    parse_coordinates,
    parse_entity,
    parse_georel,
    parse_members,
    parse_order,
    parse_query,
    parse_scope_query,
    parse_types,
)
from broadstreet.context.bounds import MAX_QUERY_LENGTH, MAX_QUERY_TERMS
from broadstreet.context.expression import AllOf, Expression, One
from broadstreet.model.errors import BroadstreetError
from broadstreet.model.geometry import parse_geometry

POINT = parse_geometry({"type": "Point", "coordinates": [24.9, 60.2]}, "coordinates")
RELATIONS = ("near", "within", "contains", "intersects", "equals", "disjoint", "overlaps")
SHAPES = ("Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection", "x")
TARGETS: dict[str, Callable[[str], object]] = {
    "q": lambda text: parse_query(text, 4),
    "scopeQ": parse_scope_query,
    "type": lambda text: parse_types(text, CORE),
    "pick": lambda text: parse_members(text, "pick"),
    "orderBy": lambda text: parse_order([text], POINT),
    "georel": lambda text: parse_georel(text, POINT, "location"),
    "coordinates": lambda text: parse_coordinates("Polygon", text),
    "location": lambda text: parse_entity({"id": "urn:x:1", "type": "T", "location": at(text)}, CORE),
}
POSITIONS = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list)
NESTED = st.recursive(
    POSITIONS | st.integers() | st.text(max_size=3) | st.none(), lambda own: st.lists(own, max_size=5)
)
LEVELS = st.from_regex(r"[A-Za-z][A-Za-z0-9_]{0,6}", fullmatch=True)
SCOPES = st.lists(LEVELS, min_size=1, max_size=4)


def at(text: str) -> dict[str, Any]:
    return {"type": "GeoProperty", "value": text}


@pytest.mark.parametrize("target", TARGETS)
@given(text=st.text(max_size=200) | st.text('aT/+#,;|(){}[]:.=!~<>"\\\\0129-eZ', max_size=80))
def test_nonsense_is_refused_with_a_reason(target: str, text: str) -> None:
    try:
        TARGETS[target](text)
    except BroadstreetError as error:
        assert error.message


@given(NESTED, st.sampled_from(SHAPES))
def test_a_geometry_is_one_or_is_refused(coordinates: object, shape: str) -> None:
    try:
        geometry = parse_coordinates(shape, coordinates)
    except BroadstreetError as error:
        assert error.message
    else:
        assert parse_coordinates(shape, msgspec.json.encode(coordinates).decode()) == geometry
        box = geometry.bounds
        assert all(map(math.isfinite, (box.west, box.south, box.east, box.north)))


@given(POSITIONS, st.sampled_from(RELATIONS), st.floats(1e-3, 3e7), st.lists(POSITIONS, max_size=5))
def test_a_place_stands_to_others_as_its_boxes_promise(
    place: list[float], relation: str, distance_m: float, others: list[list[float]]
) -> None:
    """Whatever matches lies within the boxes by which the database looks for it."""
    geometry = parse_coordinates("Point", place)
    text = f"near;maxDistance=={distance_m:.3f}" if relation == "near" else relation
    query = parse_georel(text, geometry, "location")
    candidates = [msgspec.json.encode({"type": "Point", "coordinates": other}).decode() for other in [place, *others]]
    holds = query.matches(candidates)
    for (lon, lat), matched in zip([place, *others], holds, strict=True):
        boxes = query.boxes
        found = boxes is None or any(box.west <= lon <= box.east and box.south <= lat <= box.north for box in boxes)
        assert found or not matched
    assert bool(holds[0]) == (relation not in ("disjoint", "overlaps"))


def holds(expression: Expression[str], scope: str) -> bool:
    if isinstance(expression, One):
        return re.search(expression.leaf, scope) is not None
    every = (holds(part, scope) for part in expression.parts)
    return all(every) if isinstance(expression, AllOf) else any(every)


@given(SCOPES, SCOPES, st.integers(0, 3))
def test_a_scope_is_found_by_itself_its_parents_and_any_name_of_a_level(
    own: list[str], other: list[str], place: int
) -> None:
    scope, elsewhere = "/" + "/".join(own), "/" + "/".join(other)
    place %= len(own)
    anywhere = "/" + "/".join("+" if n == place else level for n, level in enumerate(own))
    for query in (scope, scope.lstrip("/"), anywhere, "/" + "/".join([*own[:place], "#"]), "/#", f"{scope}/#"):
        assert holds(parse_scope_query(query), scope), query
    assert holds(parse_scope_query(scope), elsewhere) == (own == other)
    assert not holds(parse_scope_query(f"{scope}/{own[0]}"), scope)
    assert holds(parse_scope_query(f"{elsewhere}|({scope};{anywhere})"), scope)


LONG = 4 * MAX_QUERY_LENGTH


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "text",
    [
        *("[" * LONG, "[" * LONG + "]" * LONG, "(" * MAX_QUERY_LENGTH, "a{" * (MAX_QUERY_LENGTH // 2)),
        *("/a" * (MAX_QUERY_LENGTH // 2), "a;" * MAX_QUERY_TERMS * 2, "a." * (MAX_QUERY_LENGTH // 2 - 1) + "a"),
        *("a[" + "b." * (MAX_QUERY_LENGTH // 2 - 4) + "b]", 'a=="' + "\\\\" * (MAX_QUERY_LENGTH // 2 - 4)),
        *("a==" + "1" * (MAX_QUERY_LENGTH - 4), "a==1" + "e1" * (MAX_QUERY_LENGTH // 2 - 4), "a~=" + "(" * 8_000),
        *("a{" + "T," * (MAX_QUERY_LENGTH // 2 - 4) + "T:b}", "near;maxDistance==" + "9" * LONG, "a" * LONG),
        *("[" + "[1,2]," * LONG + "[1,2]]", "2026-03-01T12:00:00" * 400, "a==" + "2026-03-01.." * 600),
    ],
    ids=lambda text: text[:8],
)
def test_what_is_long_is_bounded(target: str, text: str) -> None:
    try:
        TARGETS[target](text)
    except BroadstreetError as error:
        assert error.message
