"""What answers look like: representations (4.5), languages, projections, GeoJSON, negotiation, discovery, @contexts."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from broadstreet.model.terms import CORE_TERMS
from tests.conformance.conftest import CORE, KEPT, Client

KEPT_LINK = f'<{KEPT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
PLACE = {"type": "Point", "coordinates": [24.9384, 60.1699]}
MEMBERS: dict[str, Any] = {
    "speed": [
        {"type": "Property", "value": 55, "unitCode": "KMH"},
        {"type": "Property", "value": 11, "datasetId": "urn:d:gps"},
    ],
    "name": {"type": "Property", "value": "Car"},
    "shape": {"type": "Property", "value": {"w": 2}},
    "street": {"type": "LanguageProperty", "languageMap": {"fi": "Katu", "sv-FI": "Gata", "en": "Street"}},
    "category": {"type": "VocabProperty", "vocab": "commercial"},
    "raw": {"type": "JsonProperty", "json": {"a": 1}},
    "depths": {"type": "ListProperty", "valueList": [1.5, 2.5]},
    "route": {"type": "ListRelationship", "objectList": [{"object": "urn:r:1"}]},
    "parked": {"type": "Relationship", "object": "urn:p:1"},
    "location": {"type": "GeoProperty", "value": PLACE},
}


@pytest.fixture(scope="module")
async def car(client: Client) -> str:
    return await client.make("Car", scope="/Helsinki", **MEMBERS)


async def test_the_simplified_representation(client: Client, car: str) -> None:
    expected = {
        "id": car,
        "type": "Car",
        "scope": "/Helsinki",
        "speed": {"dataset": {"@none": 55, "urn:d:gps": 11}},
        "name": "Car",
        "shape": {"w": 2},
        "street": {"languageMap": MEMBERS["street"]["languageMap"]},
        "category": {"vocab": "commercial"},
        "raw": {"json": {"a": 1}},
        "depths": [1.5, 2.5],
        "route": ["urn:r:1"],
        "parked": "urn:p:1",
        "location": PLACE,
    }
    for asked in (
        "options=keyValues",
        "options=simplified",
        "format=simplified",
        "format=keyValues&options=normalized",
    ):
        assert await client.get(f"entities/{car}?{asked}") == expected


async def test_the_concise_representation(client: Client, car: str) -> None:
    assert await client.get(f"entities/{car}?options=concise&omit=id,type,scope") == {
        "speed": [{"value": 55, "unitCode": "KMH"}, {"value": 11, "datasetId": "urn:d:gps"}],
        "name": "Car",
        "shape": {"value": {"w": 2}},
        "street": {"languageMap": MEMBERS["street"]["languageMap"]},
        "category": {"vocab": "commercial"},
        "raw": {"json": {"a": 1}},
        "depths": {"valueList": [1.5, 2.5]},
        "route": {"objectList": [{"object": "urn:r:1"}]},
        "parked": {"object": "urn:p:1"},
        "location": PLACE,
    }


async def test_times_are_shown_where_asked(client: Client) -> None:
    entity_id = await client.make(a=1, b=2)
    before = await client.get(f"entities/{entity_id}?options=sysAttrs")
    assert before["createdAt"] == before["modifiedAt"] == before["a"]["createdAt"] == before["a"]["modifiedAt"]
    await client.ask("PATCH", f"entities/{entity_id}/attrs", {"a": 3})
    after = await client.get(f"entities/{entity_id}?options=sysAttrs")
    assert after["createdAt"] == before["createdAt"] == after["a"]["createdAt"]
    assert after["modifiedAt"] == after["a"]["modifiedAt"] > before["modifiedAt"] == after["b"]["modifiedAt"]
    await client.ask("DELETE", f"entities/{entity_id}/attrs/a")
    assert (await client.get(f"entities/{entity_id}?options=sysAttrs"))["modifiedAt"] > after["modifiedAt"]


@pytest.mark.parametrize(
    ("languages", "tag", "text"),
    [
        ("fi", "fi", "Katu"),
        ("FI", "fi", "Katu"),
        ("sv", "sv-FI", "Gata"),
        ("en-GB", "en", "Street"),
        ("fi;q=0.2,en;q=0.9", "en", "Street"),
        ("pt,fi", "fi", "Katu"),
        ("pt", None, None),
    ],
)
async def test_texts_come_in_the_best_language(
    client: Client, car: str, languages: str, tag: str | None, text: str | None
) -> None:
    shown = (await client.get(f"entities/{car}?lang={quote(languages)}"))["street"]
    assert shown["type"] == "Property"
    assert {shown["lang"]: shown["value"]}.items() <= MEMBERS["street"]["languageMap"].items()
    if tag is not None:
        assert (shown["lang"], shown["value"]) == (tag, text)
        simplified = await client.get(f"entities/{car}?lang={quote(languages)}&options=keyValues")
        assert simplified["street"] == text


@pytest.mark.parametrize(
    ("asked", "members"),
    [
        ("attrs=name,parked", {"id", "type", "scope", "name", "parked"}),
        ("pick=id,name", {"id", "name"}),
        ("pick=name|parked", {"name", "parked"}),
        ("omit=id,scope,speed,street,category,raw,depths,route,location,shape", {"type", "name", "parked"}),
        ("datasetId=urn:d:gps", {"id", "type", "scope", "speed"}),
    ],
)
async def test_projections(client: Client, car: str, asked: str, members: set[str]) -> None:
    assert set(await client.get(f"entities/{car}?{asked}")) == members


async def test_instances_by_their_dataset(client: Client, car: str) -> None:
    assert (await client.get(f"entities/{car}?datasetId=urn:d:gps"))["speed"]["value"] == 11
    assert (await client.get(f"entities/{car}?datasetId=@none&attrs=speed"))["speed"]["value"] == 55


@pytest.mark.parametrize("asked", ["attrs=nothing", "pick=nothing", "attrs=name&datasetId=urn:d:gps", "type=Boat"])
async def test_nothing_left_to_show_is_not_found(client: Client, car: str, asked: str) -> None:
    assert await client.problem("GET", f"entities/{car}?{asked}") == (404, "ResourceNotFound")


async def test_geojson(client: Client, car: str) -> None:
    feature = await client.get(f"entities/{car}?attrs=name,location", accept="application/geo+json")
    assert feature == {
        "id": car,
        "type": "Feature",
        "geometry": PLACE,
        "properties": {
            "type": "Car",
            "scope": "/Helsinki",
            "name": MEMBERS["name"],
            "location": MEMBERS["location"],
        },
        "@context": CORE,
    }
    answer = await client.ask(
        "GET", "entities?type=Car&options=keyValues&pick=id,name", accept="application/geo+json", prefer="body=json"
    )
    assert answer.json == {
        "type": "FeatureCollection",
        "features": [{"id": car, "type": "Feature", "geometry": PLACE, "properties": {"name": "Car"}}],
    }
    assert CORE in answer.headers["link"]
    elsewhere = await client.get(f"entities/{car}?geometryProperty=nothing", accept="application/geo+json")
    assert elsewhere["geometry"] is None


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/ld+json", "application/ld+json"),
        ("application/ld+json, application/json", "application/json"),
        ("application/geo+json, application/json", "application/json"),
        ("application/json;q=0.1, application/ld+json;q=0.9", "application/ld+json"),
        ("application/json;q=0, */*", "application/ld+json"),
        ("*/*;q=0.9, application/ld+json;q=0.8", "application/json"),
        ("application/ld+json;q=nonsense", "application/ld+json"),
        ("text/html, application/ld+json;q=0.1", "application/ld+json"),
    ],
)
async def test_the_caller_says_what_it_takes(client: Client, car: str, accept: str, media: str) -> None:
    answer = await client.ask("GET", f"entities/{car}", accept=accept)
    assert (answer.status, answer.headers["content-type"]) == (200, media)
    assert ("@context" in answer.json) == (media == "application/ld+json")
    assert ("link" in answer.headers) == (media == "application/json")


async def test_what_is_not_offered_is_not_acceptable(client: Client, car: str) -> None:
    assert await client.problem("GET", f"entities/{car}", accept="text/html") == (406, "InvalidRequest")
    assert await client.problem("GET", "types", accept="application/geo+json") == (406, "InvalidRequest")


async def test_names_are_those_of_the_answers_context(client: Client) -> None:
    entity_id = await client.make("https://example.org/Boat", id="urn:boat:1", **{"https://example.org/speed": 5})
    plain = await client.get(f"entities/{entity_id}?options=keyValues")
    assert plain == {"id": entity_id, "type": "https://example.org/Boat", "https://example.org/speed": 5}
    linked = await client.ask("GET", f"entities/{entity_id}?options=keyValues", link=KEPT_LINK)
    assert linked.json == {"id": entity_id, "type": "ex:Boat", "speed": 5}
    in_body = await client.get(f"entities/{entity_id}", link=KEPT_LINK, accept="application/ld+json")
    assert in_body["@context"] == KEPT
    found = await client.ask("GET", "entities?type=ex:Boat&q=speed==5&options=keyValues", link=KEPT_LINK)
    assert found.json == [linked.json]
    two = KEPT_LINK + ", " + KEPT_LINK.replace("kept", "other")
    assert await client.problem("GET", f"entities/{entity_id}", link=two) == (400, "BadRequestData")
    unknown = KEPT_LINK.replace("kept", "other")
    assert await client.problem("GET", f"entities/{entity_id}", link=unknown) == (504, "LdContextNotAvailable")


async def test_discovery(client: Client) -> None:
    kind, name = client.name(), "seen" + client.name()
    await client.make(kind, **{name: 1, "other" + name: {"object": "urn:x:y"}})
    await client.make(kind, **{name: {"object": "urn:x:y"}})
    iri = "https://uri.etsi.org/ngsi-ld/default-context/"
    assert kind in (await client.get("types"))["typeList"]
    (detailed,) = [one for one in await client.get("types?details=true") if one["typeName"] == kind]
    assert (detailed["id"], sorted(detailed["attributeNames"])) == (iri + kind, sorted([name, "other" + name]))
    one = await client.get(f"types/{kind}")
    assert (one["type"], one["entityCount"]) == ("EntityTypeInfo", 2)
    kinds = {each["attributeName"]: sorted(each["attributeTypes"]) for each in one["attributeDetails"]}
    assert kinds == {name: ["Property", "Relationship"], "other" + name: ["Relationship"]}
    assert name in (await client.get("attributes"))["attributeList"]
    (used,) = [one for one in await client.get("attributes?details=true") if one["attributeName"] == name]
    assert used["typeNames"] == [kind]
    attribute = await client.get(f"attributes/{quote(iri + name, safe='')}")
    assert (attribute["attributeCount"], sorted(attribute["attributeTypes"])) == (2, ["Property", "Relationship"])
    for nothing in ("types/NobodyHasThis", "attributes/nobodyHasThis"):
        assert await client.problem("GET", nothing) == (404, "ResourceNotFound")


async def test_the_core_context_is_served(client: Client) -> None:
    (place,) = await client.get("jsonldContexts")
    path = place.removeprefix("http://city.example")
    terms = (await client.get(path, authorization=""))["@context"]
    assert set(CORE_TERMS) <= set(terms)
    assert (await client.get(path + "?details=true"))["localId"] == CORE
    assert (await client.get("jsonldContexts?details=true"))[0]["URL"] == place
    assert await client.problem("GET", "jsonldContexts/urn:x:y") == (404, "ResourceNotFound")
