"""The core @context as a table: what names mean, and how IRIs are said shortly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from broadstreet.model.terms import CORE_TERMS, DEFAULT_VOCABULARY, PREFIXES, compact, core_context, expand
from tests.absence import absent

PUBLISHED = Path(__file__).parents[3] / "shared/data/ngsi-ld/core-context-v1.8.jsonld"


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("location", "https://uri.etsi.org/ngsi-ld/location"),
        ("value", "https://uri.etsi.org/ngsi-ld/hasValue"),
        ("title", "http://purl.org/dc/terms/title"),
        ("Point", "https://purl.org/geojson/vocab#Point"),
        ("NO2", "https://uri.etsi.org/ngsi-ld/default-context/NO2"),
        ("ngsi-ld:location", "https://uri.etsi.org/ngsi-ld/location"),
        ("https://example.org/speed", "https://example.org/speed"),
        ("urn:x:y", "urn:x:y"),
    ],
)
def test_names_expand(name: str, iri: str) -> None:
    assert expand(name) == iri


def test_every_term_compacts_to_itself() -> None:
    assert [compact(expand(term)) for term in CORE_TERMS] == list(CORE_TERMS)


@pytest.mark.parametrize(
    ("hidden", "said"),
    [
        (DEFAULT_VOCABULARY + "location", "ngsi-ld:default-context/location"),
        (DEFAULT_VOCABULARY + "a:b", "ngsi-ld:default-context/a:b"),
        (DEFAULT_VOCABULARY, "ngsi-ld:default-context/"),
        ("https://uri.etsi.org/ngsi-ld/", "https://uri.etsi.org/ngsi-ld/"),
        ("https://example.org/speed", "https://example.org/speed"),
    ],
)
def test_an_iri_that_a_short_name_would_misread_is_said_longer(hidden: str, said: str) -> None:
    assert compact(hidden) == said
    assert expand(said) == hidden


def _definition(value: Any) -> dict[str, Any]:
    definition = {"@id": value} if isinstance(value, str) else dict(value)
    prefix, _, rest = definition["@id"].partition(":")
    if prefix in PREFIXES:
        definition["@id"] = PREFIXES[prefix] + rest
    return definition


@pytest.mark.skipif(not PUBLISHED.exists(), reason=absent("the published core @context is kept outside the repository"))
def test_the_core_context_means_what_the_published_one_does() -> None:
    published = json.loads(PUBLISHED.read_text())["@context"]
    ours: Any = core_context()["@context"]
    # Two terms of the published context are defined as themselves, which means the default vocabulary anyway.
    missing = {"attributeCount", "attributeDetails"}
    assert set(published) - set(ours) == missing
    for term in set(ours) - {"@version", "@protected"}:
        assert _definition(ours[term]) == _definition(published[term]), term
