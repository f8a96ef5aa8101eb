"""Notifications as they are written: the frame around entities, what goes with it, and how entities stand in it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from broadstreet.context import CORE
from broadstreet.context.representation import AttributeRow, EntityRow
from broadstreet.model.entity import Kind
from broadstreet.notifier.event import WENT, Change, Event
from broadstreet.notifier.frame import Frame
from broadstreet.notifier.look import Look
from broadstreet.notifier.state import Moment

CONTEXT = "https://c.example/c.jsonld"
NULL = "urn:ngsi-ld:null"
BEGIN_US = 1_772_366_400_000_000
JSON, LD_JSON, GEO_JSON = "application/json", "application/ld+json", "application/geo+json"


def row(name: str, kind: Kind, value: Any, dataset_id: str = "", **meta: Any) -> AttributeRow:
    number = float(value) if isinstance(value, (int, float)) else None
    text = None if number is not None else msgspec.json.encode(value).decode()
    return AttributeRow(CORE.expand(name), dataset_id, kind, number, text, meta, None, BEGIN_US, BEGIN_US)


def shown(moment: Moment, *, told: bool = True, accept: str = JSON, lang: str | None = None, **members: Any) -> Any:
    """A moment's entity as a notification holds it."""
    document: dict[str, Any] = {"notification": {"endpoint": {"uri": "http://h/", "accept": accept}, **members}}
    if lang is not None:
        document["lang"] = lang
    look = Look.of(document, CORE, CONTEXT)
    return msgspec.json.decode(look.body(moment, frozenset(moment.gone) if told else frozenset()))


def moment(*rows: AttributeRow, gone: tuple[AttributeRow, ...] = (), operation: str = "", old: Any = None) -> Moment:
    """An entity after its first attribute was updated, or after others were deleted."""
    changes = [] if gone else [Change(0, 2, BEGIN_US, None, old, 1)]
    entity = EntityRow("urn:x:1", [CORE.expand("Lamp")], ["/a"], BEGIN_US, BEGIN_US, list(rows))
    event = Event(1, BEGIN_US, operation, changes=changes)
    return Moment(event, entity, {} if gone else {0: rows[0]}, dict(enumerate(gone)))


@pytest.mark.parametrize(
    ("kind", "value", "old", "member", "null", "previous"),
    [
        (Kind.PROPERTY, 2, 1.0, "value", NULL, ("previousValue", 1)),
        (Kind.PROPERTY, "b", "a", "value", NULL, ("previousValue", "a")),
        (Kind.RELATIONSHIP, "urn:x:b", "urn:x:a", "object", NULL, ("previousObject", "urn:x:a")),
        (
            *(Kind.LANGUAGE_PROPERTY, {"en": "b"}, {"en": "a", "fi": "c"}, "languageMap", {"@none": NULL}),
            ("previousLanguageMap", {"en": "a", "fi": "c"}),
        ),
        (Kind.VOCAB_PROPERTY, CORE.expand("b"), CORE.expand("a"), "vocab", NULL, ("previousVocab", "a")),
        (Kind.JSON_PROPERTY, {"b": 1}, {"a": 1}, "json", NULL, ("previousJson", {"a": 1})),
        (Kind.LIST_PROPERTY, [2], [1], "valueList", [NULL], ("previousValueList", [1])),
    ],
)
def test_each_kind_has_its_null_and_what_it_was(
    kind: Kind, value: Any, old: Any, member: str, null: Any, previous: tuple[str, Any]
) -> None:
    now = row("a", kind, value)
    assert shown(moment(now, old=old), showChanges=True)["a"] == {
        **shown(moment(now, old=old))["a"],
        previous[0]: previous[1],
    }
    gone = shown(moment(gone=(row("a", kind, old),)))["a"]
    assert gone == {"type": kind.type_name, member: null}
    with_what_was = shown(moment(gone=(row("a", kind, old),)), showChanges=True)["a"]
    assert with_what_was == {**gone, previous[0]: previous[1]}


def test_formats_are_those_of_a_query() -> None:
    one = moment(row("a", Kind.PROPERTY, 2, unitCode="CEL"), row("b", Kind.PROPERTY, "x"))
    assert shown(one)["a"] == {"type": "Property", "value": 2, "unitCode": "CEL"}
    assert shown(one, format="concise")["a"] == {"value": 2, "unitCode": "CEL"}
    assert shown(one, format="concise")["b"] == "x"
    for form in ("keyValues", "simplified"):
        assert shown(one, format=form) == {"id": "urn:x:1", "type": "Lamp", "scope": "/a", "a": 2, "b": "x"}
    assert {"createdAt", "modifiedAt"} <= shown(one, sysAttrs=True)["a"].keys() & shown(one, sysAttrs=True).keys()


def test_who_picks_or_omits_is_shown_no_more() -> None:
    one = moment(row("a", Kind.PROPERTY, 2), row("b", Kind.PROPERTY, "x"))
    assert shown(one, attributes=[CORE.expand("b")], format="keyValues").keys() == {"id", "type", "scope", "b"}
    assert shown(one, pick=["id", CORE.expand("a")], format="keyValues") == {"id": "urn:x:1", "a": 2}
    assert shown(one, omit=["scope", CORE.expand("a")], format="keyValues").keys() == {"id", "type", "b"}


def test_a_language_is_chosen() -> None:
    one = moment(row("a", Kind.LANGUAGE_PROPERTY, {"fi": "katu", "en": "street"}))
    assert shown(one, lang="fi")["a"] == {"type": "Property", "value": "katu", "lang": "fi"}


def test_one_null_stands_for_all_instances_where_none_is_left() -> None:
    both = (row("a", Kind.PROPERTY, 1), row("a", Kind.PROPERTY, 2, "urn:x:d"))
    null = {"type": "Property", "value": NULL}
    assert shown(moment(gone=both))["a"] == null
    assert shown(moment(both[0], gone=both[1:]))["a"] == [
        {"type": "Property", "value": 1},
        {**null, "datasetId": "urn:x:d"},
    ]


def test_an_entity_that_went_is_shown_with_when_and_with_what_was_subscribed_to() -> None:
    went = moment(gone=(row("a", Kind.PROPERTY, 1),), operation=WENT)
    assert shown(went, told=False) == {
        "id": "urn:x:1",
        "type": "Lamp",
        "scope": "/a",
        "deletedAt": "2026-03-01T12:00:00Z",
    }
    assert shown(went)["a"] == {"type": "Property", "value": NULL}


def test_json_ld_carries_its_context_within_each_entity_and_geojson_is_a_feature() -> None:
    place = {"type": "Point", "coordinates": [24, 60]}
    one = moment(row("location", Kind.GEO_PROPERTY, place))
    assert shown(one, accept=LD_JSON)["@context"] == CONTEXT
    assert "@context" not in shown(one)
    feature = shown(one, accept=GEO_JSON)
    assert (feature["type"], feature["id"], feature["geometry"]) == ("Feature", "urn:x:1", place)


@pytest.mark.parametrize(
    ("media_type", "headers", "in_link", "in_body"),
    [
        (JSON, {}, True, False),
        (LD_JSON, {}, False, True),
        (GEO_JSON, {}, False, True),
        (GEO_JSON, {"prefer": 'body="json"'}, True, False),
        (LD_JSON, {"Prefer": "body=json"}, False, True),
    ],
)
def test_the_context_stands_in_the_link_or_in_the_body(
    media_type: str, headers: dict[str, str], in_link: bool, in_body: bool
) -> None:
    frame = Frame("urn:x:s", media_type, CONTEXT, headers)
    body = msgspec.json.decode(frame.message("urn:x:n", BEGIN_US, ['{"a":1}', '{"b":2}']))
    assert ("@context" in body) is in_body
    assert ("Link" in frame.all_headers(None)) is in_link
    assert frame.all_headers(None)["Content-Type"] == media_type
    entities = body["data"]["features"] if media_type == GEO_JSON else body["data"]
    assert entities == [{"a": 1}, {"b": 2}]
    assert {name: body[name] for name in ("id", "type", "subscriptionId", "notifiedAt")} == {
        "id": "urn:x:n",
        "type": "Notification",
        "subscriptionId": "urn:x:s",
        "notifiedAt": "2026-03-01T12:00:00Z",
    }


def test_what_the_house_says_itself_nobody_else_says() -> None:
    wishes = {"content-type": "x/y", "LINK": "<evil>", "ngsild-tenant": "other", "X-Own": "z", "host": "evil"}
    wishes |= dict.fromkeys(("Content-Length", "transfer-encoding", "Connection", "Expect", "upgrade", "TE"), "1")
    assert Frame("urn:x:s", JSON, CONTEXT, wishes).all_headers("harbour") == {
        "X-Own": "z",
        "Content-Type": JSON,
        "Link": f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD_JSON}"',
        "NGSILD-Tenant": "harbour",
    }
