"""Answers in earlier versions of NGSI-LD (4.3.6.8, 6.3.6): Prefer: ngsi-ld=1.5."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.apis.ngsi_ld.conformance import NEWEST, amend, preferred
from tests.conformance.conftest import Client

END = "2100-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ("ngsi-ld=1.0", (1, 0)),
        ("NGSI-LD=1.5", (1, 5)),
        ('ngsi-ld="1.8"', (1, 8)),
        ("ngsi-ld=1.5;q=0.1", (1, 5)),
        ("respond-async, ngsi-ld=1.3.1", (1, 3)),
        ("ngsi-ld=1.4, ngsi-ld=1.6", (1, 4)),
        ("ngsi-ld=9.9", NEWEST),
        ("respond-async", None),
        ("body=json", None),
        ("ngsi-ld=one", None),
        ("ngsi-ld=1", None),
        ("xngsi-ld=1.5", None),
        ("", None),
        (None, None),
    ],
)
def test_a_version_is_found_among_preferences(header: str | None, version: tuple[int, int] | None) -> None:
    assert preferred(header) == version


def entity() -> dict[str, Any]:
    """One with something of every version."""
    prop = {"type": "Property", "value": 5, "unitCode": "CEL", "observedAt": END, "expiresAt": END, "valueType": "x"}
    return {
        "id": "urn:x:1",
        "type": ["T", "U"],
        "scope": "/a",
        "expiresAt": END,
        "plain": {**prop, "part": {"type": "VocabProperty", "vocab": "word"}},
        "several": [
            {"type": "Property", "value": 1, "datasetId": "urn:d:1"},
            {"type": "Property", "value": 2},
        ],
        "vocabulary": {"type": "VocabProperty", "vocab": ["word", "other"]},
        "data": {"type": "JsonProperty", "json": {"type": "VocabProperty", "vocab": 1, "expiresAt": 2}},
        "listed": {"type": "ListProperty", "valueList": [1, 2]},
        "said": {"type": "LanguageProperty", "languageMap": {"en": "x"}},
        "to": {"type": "Relationship", "object": "urn:x:2", "objectType": "T"},
        "toAll": {"type": "ListRelationship", "objectList": [{"object": "urn:x:2"}, {"object": "urn:x:3"}]},
    }


def test_each_version_is_said_in_its_own_words() -> None:
    shown = entity()
    assert not amend([shown], (1, 9)) and shown == entity()
    assert amend([shown], (1, 8))
    assert "expiresAt" not in shown and shown["scope"] == "/a" and shown["to"]["objectType"] == "T"
    assert shown["plain"].keys() == {"type", "value", "unitCode", "observedAt", "part"}
    assert shown["data"]["json"] == {"type": "VocabProperty", "vocab": 1, "expiresAt": 2}
    assert amend([shown], (1, 5))
    assert shown["plain"]["part"] == {"type": "Property", "value": "word"}
    assert shown["vocabulary"] == {"type": "Property", "value": ["word", "other"]}
    assert shown["data"]["type"] == "Property" and shown["data"]["value"]["type"] == "VocabProperty"
    assert shown["listed"] == {"type": "Property", "value": [1, 2]}
    assert shown["toAll"] == {"type": "Relationship", "object": ["urn:x:2", "urn:x:3"]}
    assert shown["to"] == {"type": "Relationship", "object": "urn:x:2"}
    assert shown["said"]["type"] == "LanguageProperty" and len(shown["several"]) == 2
    assert amend([shown], (1, 0))
    assert shown["said"] == {"type": "Property", "value": {"en": "x"}}
    assert shown["several"] == {"type": "Property", "value": 2}
    assert shown["plain"] == {"type": "Property", "value": 5, "part": {"type": "Property", "value": "word"}}
    assert shown["type"] == "T" and "scope" not in shown
    assert not amend([shown], (1, 0))


def test_features_and_linked_entities_and_concise_ones_are_amended_too() -> None:
    feature: dict[str, Any] = {"id": "urn:x:1", "type": "Feature", "geometry": None, "properties": entity()}
    assert amend([feature], (1, 0)) and feature["properties"]["vocabulary"]["value"] == ["word", "other"]
    concise: dict[str, Any] = {"id": "urn:x:1", "type": "T", "word": {"vocab": "a"}, "plain": 5}
    concise["to"] = {"object": "urn:x:2", "entity": {"id": "urn:x:2", "type": "T", "word": {"vocab": "b"}}}
    assert amend([concise], (1, 5))
    assert concise["word"] == {"value": "a"} and concise["to"]["entity"]["word"] == {"value": "b"}
    simplified = {"id": "urn:x:1", "type": "T", "word": {"vocab": "a"}, "expiresAt": END}
    assert amend([simplified], (1, 5), is_simplified=True)
    assert simplified == {"id": "urn:x:1", "type": "T", "word": {"vocab": "a"}}


async def test_an_answer_says_which_version_it_is_of(client: Client) -> None:
    kind = client.name()
    word = {"type": "VocabProperty", "vocab": "word"}
    owner = await client.make(kind, word=word, location={"type": "Point", "coordinates": [1, 2]})
    for target in (f"entities/{owner}", f"entities?type={kind}"):
        for accept in ("application/json", "application/ld+json", "application/geo+json"):
            plain = await client.ask("GET", target, accept=accept)
            assert plain.status == 200 and "preference-applied" not in plain.headers
            newest = await client.ask("GET", target, accept=accept, prefer="ngsi-ld=1.9")
            assert (newest.status, newest.headers["preference-applied"]) == (200, "ngsi-ld=1.9")
            assert newest.json == plain.json
            older = await client.ask("GET", target, accept=accept, prefer="body=json, ngsi-ld=1.5")
            assert (older.status, older.headers["preference-applied"]) == (203, "ngsi-ld=1.5")
            assert b"VocabProperty" in plain.body and b"VocabProperty" not in older.body
            assert ("@context" in str(older.json)) == (accept == "application/ld+json")
    types = await client.ask("GET", f"types/{kind}", prefer="ngsi-ld=1.0")
    assert (types.status, types.headers["preference-applied"]) == (200, "ngsi-ld=1.0")
