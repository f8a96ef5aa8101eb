"""NGSI-LD documents: what is read from each representation, and what is refused, with its place."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.context import CORE, Nulls, parse_attribute, parse_entity, parse_fragment
from broadstreet.context.bounds import MAX_ATTRIBUTES, MAX_VALUE_DEPTH
from broadstreet.context.fragment import NULL
from broadstreet.model.clock import parse_rfc3339
from broadstreet.model.entity import Kind
from broadstreet.model.errors import InvalidInput, TooLarge, TooMany
from broadstreet.model.terms import expand

ID = "urn:ngsi-ld:Lamp:1"
POINT = {"type": "Point", "coordinates": [24.9, 60.2]}


def entity(**attributes: Any) -> dict[str, Any]:
    return {"id": ID, "type": "Lamp", **attributes}


def only(**attributes: Any) -> Any:
    (fragment,) = parse_entity(entity(**attributes), CORE).attributes
    return fragment


@pytest.mark.parametrize(
    ("given", "kind", "value"),
    [
        ({"type": "Property", "value": 5}, Kind.PROPERTY, 5),
        ({"value": 5}, Kind.PROPERTY, 5),
        (5, Kind.PROPERTY, 5),
        ([1, 2], Kind.PROPERTY, [1, 2]),
        ({"type": "GeoProperty", "value": POINT}, Kind.GEO_PROPERTY, POINT),
        ({"type": "GeoProperty", "value": '{"type":"Point","coordinates":[24.9,60.2]}'}, Kind.GEO_PROPERTY, POINT),
        ({"value": POINT}, Kind.GEO_PROPERTY, POINT),
        (POINT, Kind.GEO_PROPERTY, POINT),
        ({"type": "Relationship", "object": "urn:a:b"}, Kind.RELATIONSHIP, "urn:a:b"),
        ({"object": ["urn:a:b", "urn:a:ç"]}, Kind.RELATIONSHIP, ["urn:a:b", "urn:a:ç"]),
        ({"languageMap": {"fi": "Katu", "@none": ["x"]}}, Kind.LANGUAGE_PROPERTY, {"fi": "Katu", "@none": ["x"]}),
        ({"vocab": "title"}, Kind.VOCAB_PROPERTY, "http://purl.org/dc/terms/title"),
        ({"vocab": ["a", "urn:x:y"]}, Kind.VOCAB_PROPERTY, [expand("a"), "urn:x:y"]),
        ({"json": {"a": None}}, Kind.JSON_PROPERTY, {"a": None}),
        ({"valueList": [1, "a"]}, Kind.LIST_PROPERTY, [1, "a"]),
        ({"objectList": [{"object": "urn:a:b"}, "urn:a:c"]}, Kind.LIST_RELATIONSHIP, ["urn:a:b", "urn:a:c"]),
        ([{"type": ["Point"]}], Kind.PROPERTY, [{"type": ["Point"]}]),
        ({"value": {"type": ["Point"]}}, Kind.PROPERTY, {"type": ["Point"]}),
    ],
)
def test_each_representation_is_read(given: Any, kind: Kind, value: Any) -> None:
    fragment = only(x=given)
    assert (fragment.name, fragment.kind, fragment.value) == (expand("x"), kind, value)


def test_members_of_an_attribute_are_told_apart() -> None:
    fragment = only(
        speed={
            "type": "Property",
            "value": 5,
            "unitCode": "KMH",
            "observedAt": "2026-03-01T12:00:00.5Z",
            "datasetId": "urn:d:1",
            "createdAt": "2020-01-01T00:00:00Z",
            "accuracy": {"value": 0.1, "unitCode": "P1", "by": {"object": "urn:p:1"}},
            "ways": [{"type": "Property", "value": 1}, {"type": "Property", "value": 2, "datasetId": "urn:d:2"}],
        }
    )
    assert fragment.dataset_id == "urn:d:1"
    assert fragment.observed_at_us == parse_rfc3339("2026-03-01T12:00:00.5Z")
    assert fragment.meta == {
        "unitCode": "KMH",
        expand("accuracy"): {
            "type": "Property",
            "value": 0.1,
            "unitCode": "P1",
            expand("by"): {"type": "Relationship", "object": "urn:p:1"},
        },
        expand("ways"): [
            {"type": "Property", "value": 1},
            {"type": "Property", "value": 2, "datasetId": "urn:d:2"},
        ],
    }


def test_instances_are_told_apart_by_their_dataset() -> None:
    given = [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}]
    fragments = parse_entity(entity(speed=given), CORE).attributes
    assert [(one.dataset_id, one.value) for one in fragments] == [("", 1), ("urn:d:1", 2)]


def test_types_and_scopes_are_one_or_several() -> None:
    fragment = parse_entity({"id": ID, "type": ["Lamp", "Lamp", "urn:t:x"], "scope": ["/a/b", "c"]}, CORE)
    assert (fragment.types, fragment.scopes) == ([expand("Lamp"), "urn:t:x"], ["/a/b", "/c"])


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ([], None),
        ({"type": "Lamp"}, "id"),
        ({"id": ID}, "type"),
        ({"id": "no uri", "type": "Lamp"}, "id"),
        ({"id": "urn:a:ü", "type": "Lamp"}, "id"),
        ({"id": NULL, "type": "Lamp"}, "id"),
        ({"id": 7, "type": "Lamp"}, "id"),
        ({"id": ID, "type": 7}, "type"),
        ({"id": ID, "type": "a b"}, "type"),
        ({"id": ID, "type": "type"}, "type"),
        ({"id": ID, "type": "Lamp", "scope": "/a b"}, "scope"),
        ({"id": ID, "type": "Lamp", "scope": NULL}, "scope"),
        (entity(**{"a b": 1}), "a b"),
        (entity(value=1), "value"),
        (entity(x={"type": "Property"}), "x"),
        (entity(x={"type": "Property", "value": None}), "x.value"),
        (entity(x=None), "x"),
        (entity(x={"type": "Nonsense", "value": 1}), "x"),
        (entity(x={"type": "Property", "value": 1, "object": "urn:a:b"}), "x"),
        (entity(x={"type": "Property", "value": 1, "previousValue": 0}), "x"),
        (entity(x={"type": "Relationship", "object": "nothing"}), "x.object"),
        (entity(x={"type": "Relationship", "object": []}), "x.object"),
        (entity(x={"type": "Relationship", "object": "urn:a:b", "unitCode": "CEL"}), "x"),
        (entity(x={"type": "LanguageProperty", "languageMap": {"en": 5}}), "x.languageMap"),
        (entity(x={"type": "LanguageProperty", "languageMap": {"not a tag": "x"}}), "x.languageMap"),
        (entity(x={"type": "VocabProperty", "vocab": 5}), "x.vocab"),
        (entity(x={"type": "JsonProperty", "json": 5}), "x.json"),
        (entity(x={"type": "ListProperty", "valueList": 5}), "x.valueList"),
        (entity(x={"type": "ListRelationship", "objectList": [5]}), "x.objectList"),
        (entity(x={"type": "GeoProperty", "value": "nonsense"}), "x.value"),
        (entity(location={"type": "Property", "value": 5}), "location"),
        (entity(x={"value": 1, "observedAt": "2026-03-01T12:00:00+02:00"}), "x.observedAt"),
        (entity(x={"value": 1, "observedAt": "yesterday"}), "x.observedAt"),
        (entity(x={"value": 1, "datasetId": "nonsense"}), "x.datasetId"),
        (entity(x={"value": 1, "unitCode": 5}), "x.unitCode"),
        (entity(x={"value": 1, "sub": {"type": "Property"}}), "x.sub"),
        (entity(x=[{"value": 1}, {"value": 2}]), "x"),
        (entity(x={"value": NULL}), "x.value"),
        (entity(x={"value": {"deep": [NULL]}}), "x.value"),
        (entity(x={"value": 1, "sub": NULL}), "x"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(document: Any, where: str | None) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_entity(document, CORE)
    assert caught.value.where == where


def test_a_part_of_an_entity_may_remove_things() -> None:
    document = {"x": {"value": NULL}, "y": {"value": 1, "sub": NULL, "observedAt": NULL}, "z": NULL}
    gone, partly, bare = parse_fragment(document, CORE).attributes
    assert (gone.is_null, partly.is_null, bare.is_null) == (True, False, True)
    assert (partly.meta, partly.observed_at_us) == ({expand("sub"): NULL}, None)
    with pytest.raises(InvalidInput, match="nothing to remove"):
        parse_fragment({"x": {"value": {"a": NULL}}}, CORE)
    assert parse_fragment({"x": {"value": {"a": NULL}}}, CORE, Nulls.WITHIN).attributes[0].value == {"a": NULL}


def test_a_part_of_an_attribute_needs_no_value() -> None:
    fragment = parse_attribute({"unitCode": "CEL"}, "t", CORE)
    assert (fragment.kind, fragment.meta) == (None, {"unitCode": "CEL"})


def test_simplified_names_stand_for_values() -> None:
    fragment = parse_fragment({"x": {"value": 1}, "y": POINT}, CORE, is_simplified=True)
    assert [(one.kind, one.value) for one in fragment.attributes] == [
        (Kind.PROPERTY, {"value": 1}),
        (Kind.GEO_PROPERTY, POINT),
    ]


def test_documents_have_bounds() -> None:
    with pytest.raises(TooMany):
        parse_entity(entity(**{f"a{n}": n for n in range(MAX_ATTRIBUTES + 1)}), CORE)
    deep: Any = 1
    for _ in range(MAX_VALUE_DEPTH + 1):
        deep = [deep]
    with pytest.raises(TooLarge, match="nests"):
        parse_entity(entity(x={"value": deep}), CORE)
    with pytest.raises(TooLarge, match="bytes"):
        parse_entity(entity(x="a" * 2_000_000), CORE)
    sub: Any = {"value": 1}
    for _ in range(10):
        sub = {"value": 1, "sub": sub}
    with pytest.raises(TooMany, match="deep"):
        parse_entity(entity(x=sub), CORE)
