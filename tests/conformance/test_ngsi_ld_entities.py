"""Creating, changing and deleting entities and attributes (5.6.1 to 5.6.6, 5.6.17 to 5.6.19)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conformance.conftest import KEPT, Client

JSON, LD_JSON, MERGE = "application/json", "application/ld+json", "application/merge-patch+json"
EVERY_KIND: dict[str, Any] = {
    "number": {"type": "Property", "value": 21.5, "unitCode": "CEL", "observedAt": "2026-03-01T11:00:00Z"},
    "whole": {"type": "Property", "value": 7},
    "huge": {"type": "Property", "value": 12345678901234567890},
    "text": {"type": "Property", "value": 'žltý <kôň> "100 €" \' = ; ( )'},
    "flag": {"type": "Property", "value": False},
    "object": {"type": "Property", "value": {"city": "Helsinki", "n": [1, {"deep": [True, 0.1]}]}},
    "list": {"type": "Property", "value": [1, "a", [2]]},
    "when": {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-03-01T11:00:00Z"}},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [24.9384, 60.1699]}},
    "area": {"type": "GeoProperty", "value": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}},
    "owner": {"type": "Relationship", "object": "urn:ngsi-ld:Person:1", "objectType": "Person"},
    "parts": {"type": "Relationship", "object": ["urn:a:1", "urn:a:2"]},
    "street": {"type": "LanguageProperty", "languageMap": {"fi": "Kirjolohenkatu", "@none": ["x", "y"]}},
    "category": {"type": "VocabProperty", "vocab": "commercial"},
    "raw": {"type": "JsonProperty", "json": {"a": None, "b": [1]}},
    "series": {"type": "ListProperty", "valueList": [3, "b", {"c": 1}]},
    "route": {"type": "ListRelationship", "objectList": [{"object": "urn:r:1"}, {"object": "urn:r:2"}]},
    "several": [
        {"type": "Property", "value": 1},
        {"type": "Property", "value": 2, "datasetId": "urn:ngsi-ld:Dataset:gps"},
    ],
    "told": {
        "type": "Property",
        "value": 5,
        "accuracy": {"type": "Property", "value": 0.1, "unitCode": "P1"},
        "by": {"type": "Relationship", "object": "urn:p:1", "since": {"type": "Property", "value": "2020"}},
    },
}


async def test_every_kind_of_attribute_comes_back_as_it_was(client: Client) -> None:
    attributes = {name + "Of": value for name, value in EVERY_KIND.items() if name != "location"}
    members = {**attributes, "location": EVERY_KIND["location"], "scope": ["/Helsinki/Kallio", "/Lamps"]}
    entity_id = await client.make("Lamp", **members)
    assert await client.get(f"entities/{entity_id}") == {"id": entity_id, "type": "Lamp", **members}


async def test_creating_answers_where_the_entity_stands(client: Client) -> None:
    answer = await client.ask("POST", "entities", {"id": "urn:ngsi-ld:Lamp:a/b?c", "type": "Lamp"})
    assert (answer.status, answer.body) == (201, b"")
    assert answer.headers["location"] == "/ngsi-ld/v1/entities/urn:ngsi-ld:Lamp:a%2Fb%3Fc"
    assert (await client.get(answer.headers["location"]))["id"] == "urn:ngsi-ld:Lamp:a/b?c"


async def test_an_entity_is_created_once(client: Client) -> None:
    entity_id = await client.make("Lamp")
    again = {"id": entity_id, "type": "Lamp"}
    assert await client.problem("POST", "entities", again) == (409, "AlreadyExists")


@pytest.mark.parametrize(
    ("body", "media", "problem"),
    [
        (b"{nonsense", JSON, (400, "InvalidRequest")),
        (b"", JSON, (400, "InvalidRequest")),
        (b"[]", JSON, (400, "InvalidRequest")),
        (b"\xff\xfe", JSON, (400, "InvalidRequest")),
        (b"[" * 100_000, JSON, (400, "InvalidRequest")),
        (b"{}", JSON, (400, "BadRequestData")),
        (b"{}", "text/plain", (415, "InvalidRequest")),
        (b"{}", MERGE, (415, "InvalidRequest")),
        (b'{"id":"urn:a:b","type":"T"}', LD_JSON, (400, "BadRequestData")),
        (b'{"id":"urn:a:b","type":"T","@context":{}}', JSON, (400, "BadRequestData")),
        (b'{"id":"urn:a:b","type":"T","@context":"https://elsewhere.org/c"}', LD_JSON, (504, "LdContextNotAvailable")),
        (b'{"id":"urn:a:b","type":"T","@context":[7]}', LD_JSON, (400, "BadRequestData")),
    ],
)
async def test_what_is_no_entity_is_refused(client: Client, body: bytes, media: str, problem: tuple[int, str]) -> None:
    assert await client.problem("POST", "entities", body, content_type=media) == problem


async def test_a_context_comes_in_the_body_or_in_the_link(client: Client) -> None:
    link = f'<{KEPT}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
    linked, inline = "urn:c:linked", "urn:c:inline"
    await client.ask("POST", "entities", {"id": linked, "type": "T", "speed": 5}, link=link)
    document = {"id": inline, "type": "T", "v": 5, "@context": {"v": "https://example.org/speed"}}
    assert (await client.ask("POST", "entities", document, content_type=LD_JSON)).status == 201
    for entity_id in (linked, inline):
        assert (await client.get(f"entities/{entity_id}"))["https://example.org/speed"]["value"] == 5
        answer = await client.ask("GET", f"entities/{entity_id}", link=link)
        assert answer.json["speed"]["value"] == 5
        assert answer.headers["link"] == link
    in_both = {"id": "urn:c:both", "type": "T", "@context": KEPT}
    assert await client.problem("POST", "entities", in_both, content_type=LD_JSON, link=link) == (400, "BadRequestData")


async def test_attributes_are_appended(client: Client) -> None:
    entity_id = await client.make(a=1)
    assert (await client.ask("POST", f"entities/{entity_id}/attrs", {"a": 2, "b": 3})).status == 204
    kept = await client.ask("POST", f"entities/{entity_id}/attrs?options=noOverwrite", {"a": 9, "c": 4})
    assert kept.status == 207
    (left,) = kept.json["notUpdated"]
    assert left["attributeName"].endswith("/a")
    assert [name.rsplit("/", 1)[-1] for name in kept.json["updated"]] == ["c"]
    shown = await client.get(f"entities/{entity_id}?options=keyValues&omit=id,type")
    assert shown == {"a": 2, "b": 3, "c": 4}


async def test_updating_replaces_whole_attributes(client: Client) -> None:
    entity_id = await client.make(a={"value": 1, "unitCode": "CEL"}, b=2)
    assert (await client.ask("PATCH", f"entities/{entity_id}/attrs", {"a": {"value": 5}})).status == 204
    assert (await client.get(f"entities/{entity_id}"))["a"] == {"type": "Property", "value": 5}
    gone = {"a": {"value": "urn:ngsi-ld:null"}}
    assert (await client.ask("PATCH", f"entities/{entity_id}/attrs", gone)).status == 204
    assert "a" not in await client.get(f"entities/{entity_id}")


async def test_a_part_of_an_attribute_is_updated(client: Client) -> None:
    entity_id = await client.make(a={"value": 1, "unitCode": "CEL", "note": {"value": "x"}})
    body = {"value": 2, "note": "urn:ngsi-ld:null", "observedAt": "2026-03-01T11:00:00Z"}
    assert (await client.ask("PATCH", f"entities/{entity_id}/attrs/a", body)).status == 204
    shown = (await client.get(f"entities/{entity_id}"))["a"]
    assert shown == {"type": "Property", "value": 2, "unitCode": "CEL", "observedAt": "2026-03-01T11:00:00Z"}
    assert await client.problem("PATCH", f"entities/{entity_id}/attrs/b", {"value": 1}) == (404, "ResourceNotFound")
    assert await client.problem("PATCH", f"entities/{entity_id}/attrs/a", {"object": "urn:x:y"}) == (
        400,
        "BadRequestData",
    )


async def test_an_attribute_goes_by_its_iri_too(client: Client) -> None:
    entity_id = await client.make(a=1)
    iri = "https%3A%2F%2Furi.etsi.org%2Fngsi-ld%2Fdefault-context%2Fa"
    assert (await client.ask("PATCH", f"entities/{entity_id}/attrs/{iri}", {"value": 2})).status == 204
    assert (await client.get(f"entities/{entity_id}"))["a"]["value"] == 2


async def test_instances_of_one_attribute_are_objects_in_the_concise_form_too(client: Client) -> None:
    point = {"type": "Point", "coordinates": [24.9, 60.2]}
    gps = {"datasetId": "urn:d:gps"}
    several: dict[str, Any] = {
        "a": [{"value": 1}, {"value": 2, **gps}],
        "p": [{"value": point}, {"value": point, **gps}],
    }
    entity_id = await client.make(**several)
    concise = await client.get(f"entities/{entity_id}?options=concise&omit=id,type")
    assert concise == several
    again = await client.make(**concise)
    shown = [await client.get(f"entities/{one}?omit=id,type") for one in (entity_id, again)]
    assert shown[0] == shown[1]


async def test_a_value_in_q_does_not_begin_as_a_comparison_does(client: Client) -> None:
    for query in ("a>>1", "a===1", "a==~1"):
        assert await client.problem("GET", f"entities?type=T&q={query}") == (400, "BadRequestData")


async def test_an_attribute_is_replaced_or_deleted(client: Client) -> None:
    gps = {"value": 2, "datasetId": "urn:d:gps"}
    entity_id = await client.make(a=[{"value": 1, "unitCode": "CEL"}, gps], b=3)
    path = f"entities/{entity_id}/attrs/a"
    assert (await client.ask("PUT", path, {"object": "urn:x:y"})).status == 204
    assert (await client.get(f"entities/{entity_id}"))["a"] == [
        {"type": "Relationship", "object": "urn:x:y"},
        {"type": "Property", **gps},
    ]
    assert (await client.ask("DELETE", path)).status == 204
    assert (await client.get(f"entities/{entity_id}"))["a"] == {"type": "Property", **gps}
    assert await client.problem("DELETE", path) == (404, "ResourceNotFound")
    assert (await client.ask("DELETE", path + "?datasetId=urn:d:gps")).status == 204
    assert await client.get(f"entities/{entity_id}?options=keyValues&omit=id,type") == {"b": 3}
    await client.ask("POST", f"entities/{entity_id}/attrs", {"a": [1, gps]})
    await client.ask("POST", f"entities/{entity_id}/attrs", {"a": [{"value": 1}, gps]})
    assert (await client.ask("DELETE", path + "?deleteAll=true")).status == 204
    assert await client.get(f"entities/{entity_id}?options=keyValues&omit=id,type") == {"b": 3}


async def test_merging_lays_a_fragment_over_an_entity(client: Client) -> None:
    address = {"street": "Kirjolohenkatu", "city": "Helsinki", "country": "FI"}
    entity_id = await client.make(address={"value": address, "note": {"value": 1}}, b=2, c=3)
    patch = {"address": {"value": {"city": "Espoo", "country": "urn:ngsi-ld:null"}}, "b": "urn:ngsi-ld:null", "d": 4}
    assert (await client.ask("PATCH", f"entities/{entity_id}", patch, content_type=MERGE)).status == 204
    shown = await client.get(f"entities/{entity_id}?options=concise&omit=id,type")
    assert shown == {"address": {"value": {"street": "Kirjolohenkatu", "city": "Espoo"}, "note": 1}, "c": 3, "d": 4}
    simplified = {"address": {"city": "Vantaa"}}
    assert (await client.ask("PATCH", f"entities/{entity_id}?format=simplified", simplified)).status == 204
    assert (await client.get(f"entities/{entity_id}?options=keyValues"))["address"]["city"] == "Vantaa"


async def test_replacing_leaves_nothing_else(client: Client) -> None:
    entity_id = await client.make(a=1, b=2)
    assert (await client.ask("PUT", f"entities/{entity_id}", {"id": entity_id, "type": "Pole", "c": 3})).status == 204
    assert await client.get(f"entities/{entity_id}?options=keyValues") == {"id": entity_id, "type": "Pole", "c": 3}
    other = {"id": "urn:other:1", "type": "Pole"}
    assert await client.problem("PUT", f"entities/{entity_id}", other) == (400, "BadRequestData")


async def test_a_deleted_entity_is_gone_and_can_be_made_anew(client: Client) -> None:
    entity_id = await client.make("Lamp", a=1, b=2)
    assert (await client.ask("DELETE", f"entities/{entity_id}")).status == 204
    for method, body in (("GET", b""), ("DELETE", b""), ("PATCH", {"a": 1})):
        assert await client.problem(method, f"entities/{entity_id}", body) == (404, "ResourceNotFound")
    await client.make("Pole", id=entity_id, b=3)
    assert await client.get(f"entities/{entity_id}?options=keyValues") == {"id": entity_id, "type": "Pole", "b": 3}


async def test_types_and_scopes_join_and_go(client: Client) -> None:
    entity_id = await client.make("Lamp", scope="/a")
    await client.ask("POST", f"entities/{entity_id}/attrs", {"type": "Pole", "scope": "/b"})
    await client.ask("POST", f"entities/{entity_id}/attrs?options=noOverwrite", {"scope": "/c"})
    found = await client.get(f"entities/{entity_id}")
    assert sorted(found.pop("type")) == ["Lamp", "Pole"], "types have no order"
    assert found == {"id": entity_id, "scope": ["/b", "/c"]}
    assert (await client.ask("DELETE", f"entities/{entity_id}/attrs/scope")).status == 204
    assert "scope" not in await client.get(f"entities/{entity_id}")


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE"])
async def test_a_write_may_say_the_type_of_its_target(client: Client, method: str) -> None:
    entity_id = await client.make("Lamp", a=1)
    body: object = b"" if method == "DELETE" else {"a": 2}
    assert await client.problem(method, f"entities/{entity_id}?type=Pole", body) == (404, "ResourceNotFound")
    assert (await client.ask(method, f"entities/{entity_id}?type=Lamp", body)).status == 204


@pytest.mark.parametrize(
    ("method", "target", "body", "problem"),
    [
        ("GET", "entities/no-uri", b"", (400, "BadRequestData")),
        ("GET", "entities/urn:nobody:1", b"", (404, "ResourceNotFound")),
        ("GET", "entities/urn:nobody:1?what=1", b"", (400, "InvalidRequest")),
        ("GET", "entities/urn:nobody:1?options=nonsense", b"", (400, "InvalidRequest")),
        ("POST", "entities/urn:nobody:1/attrs", {"a": 1}, (404, "ResourceNotFound")),
        ("PATCH", "entities/urn:nobody:1/attrs", {"a": 1}, (404, "ResourceNotFound")),
        ("PATCH", "entities/urn:nobody:1/attrs/a b", {"value": 1}, (400, "BadRequestData")),
        ("PATCH", "entities/urn:nobody:1/attrs/scope", {"value": "/a"}, (400, "BadRequestData")),
        ("DELETE", "entities/urn:nobody:1/attrs/a?deleteAll=perhaps", b"", (400, "BadRequestData")),
        ("DELETE", "entities/urn:nobody:1/attrs/a?datasetId=nonsense", b"", (400, "BadRequestData")),
        ("PUT", "entities/urn:nobody:1", {"a": 1}, (404, "ResourceNotFound")),
    ],
)
async def test_problems_have_the_standards_types(
    client: Client, method: str, target: str, body: bytes | object, problem: tuple[int, str]
) -> None:
    assert await client.problem(method, target, body) == problem


async def test_who_may_only_read_cannot_write(client: Client) -> None:
    access = client.services.access
    await access.accounts.create("reader", "Reader", tenant="city", roles=["viewer"], by="test")
    token = (await access.tokens.issue("reader", "api", "test", 3600, by="test")).secret
    entity_id = await client.make(a=1)
    bearer = {"authorization": f"Bearer {token}"}
    assert (await client.ask("GET", f"entities/{entity_id}", **bearer)).status == 200
    for method, target, body in (
        ("POST", "entities", {"id": "urn:x:9", "type": "T"}),
        ("DELETE", f"entities/{entity_id}", b""),
        ("POST", "entityOperations/upsert", [{"id": "urn:x:9", "type": "T"}]),
    ):
        assert await client.problem(method, target, body, **bearer) == (403, "AccessDenied")
    assert await client.problem("GET", f"entities/{entity_id}", NGSILD_Tenant="atlantis") == (404, "NonexistentTenant")
