"""@contexts: what names mean under them, and what of JSON-LD is refused."""

from __future__ import annotations

from typing import Any

import pytest

from broadstreet.context import CORE, Library
from broadstreet.model.errors import ContextNotAvailable, InvalidInput
from broadstreet.model.terms import CORE_CONTEXT_URI, DEFAULT_VOCABULARY

OTHER = "https://example.org/context.jsonld"
LIBRARY = Library({OTHER: {"@context": {"speed": "https://example.org/kept#speed"}}})


def expand(context: Any, name: str) -> str:
    return LIBRARY.vocabulary(context).expand(name)


@pytest.mark.parametrize(
    ("context", "name", "iri"),
    [
        ({}, "speed", DEFAULT_VOCABULARY + "speed"),
        ({"speed": "https://example.org/speed"}, "speed", "https://example.org/speed"),
        ({"speed": {"@id": "https://example.org/speed", "@type": "@id"}}, "speed", "https://example.org/speed"),
        ({"ex": "https://example.org/", "speed": "ex:velocity"}, "speed", "https://example.org/velocity"),
        ({"ex": "https://example.org/"}, "ex:velocity", "https://example.org/velocity"),
        ({"a": "b", "b": "https://example.org/b"}, "a", "https://example.org/b"),
        ({"@vocab": "https://example.org/vocab#"}, "speed", "https://example.org/vocab#speed"),
        ({"location": "https://example.org/elsewhere"}, "location", "https://uri.etsi.org/ngsi-ld/location"),
        ({"id": "https://example.org/id", "@version": 1.1}, "speed", DEFAULT_VOCABULARY + "speed"),
        ({"speed": None}, "speed", DEFAULT_VOCABULARY + "speed"),
        ([{"a": "https://one.org/a"}, {"a": "https://two.org/a"}], "a", "https://two.org/a"),
        ([OTHER, CORE_CONTEXT_URI], "speed", "https://example.org/kept#speed"),
        ([OTHER, {"speed": "https://example.org/own"}], "speed", "https://example.org/own"),
        (OTHER, "https://example.org/x", "https://example.org/x"),
    ],
)
def test_names_mean_what_the_context_says(context: Any, name: str, iri: str) -> None:
    assert expand(context, name) == iri


def test_iris_are_said_shortly_and_read_back() -> None:
    vocabulary = LIBRARY.vocabulary(
        {"ex": "https://example.org/", "speed": "https://example.org/speed", "v": "https://example.org/speed"}
    )
    assert vocabulary.compact("https://example.org/speed") == "v"
    assert vocabulary.compact("https://example.org/other") == "ex:other"
    assert vocabulary.compact(DEFAULT_VOCABULARY + "name") == "name"
    assert vocabulary.compact(DEFAULT_VOCABULARY + "speed") == "ngsi-ld:default-context/speed"
    for iri in ("https://example.org/speed", "https://example.org/other", DEFAULT_VOCABULARY + "speed", "urn:x:y"):
        assert vocabulary.expand(vocabulary.compact(iri)) == iri


@pytest.mark.parametrize("version", ["", "-v1.3", "-v1.8", "-v1.9"])
def test_any_published_core_is_the_core(version: str) -> None:
    assert LIBRARY.vocabulary(f"https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context{version}.jsonld") is CORE


def test_an_unknown_uri_is_never_fetched() -> None:
    with pytest.raises(ContextNotAvailable, match="nothing is fetched") as caught:
        LIBRARY.vocabulary(["https://elsewhere.org/context.jsonld"])
    assert caught.value.remedy is not None


@pytest.mark.parametrize(
    ("context", "complaint"),
    [
        (7, "a URI, an object, or a list"),
        ([["nested"]], "a URI, an object, or a list"),
        ("not a uri", "not a URI"),
        ({"a": "b:x", "b": "a:y"}, "defined by itself"),
        ({"a": 7}, "does not stand for an IRI"),
        ({"a": {"@id": "https://example.org/a", "@context": {}}}, "of its own"),
        ({"@import": "https://example.org/"}, "@import is not understood"),
        ({"@vocab": "relative"}, "@vocab is not an IRI"),
    ],
)
def test_what_is_not_understood_is_refused(context: Any, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        Library().vocabulary(context)


def test_a_context_that_contains_itself_is_refused() -> None:
    library = Library({OTHER: {"@context": [OTHER]}})
    with pytest.raises(InvalidInput, match="contains itself"):
        library.vocabulary(OTHER)
