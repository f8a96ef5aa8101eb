"""Details of the standard that have no file of their own: sealed proofs, types of values, filters of sources."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.conformance.conftest import Client

PROOF = {"type": "DataIntegrityProof", "cryptosuite": "eddsa-rdfc-2022", "proofValue": "z1"}


async def test_a_proof_keeps_what_it_seals(client: Client) -> None:
    sealed = {"entityIdSealed": "urn:x:1", "entityTypeSealed": "Lamp"}
    proof = {"type": "Property", "value": PROOF, **sealed}
    entity = await client.make(ngsildproof=proof)
    assert (await client.get(f"entities/{entity}"))["ngsildproof"] == proof
    assert (await client.get(f"entities/{entity}?options=concise"))["ngsildproof"] == {"value": PROOF, **sealed}
    assert (await client.ask("PATCH", f"entities/{entity}/attrs/ngsildproof", {"value": PROOF})).status == 204
    assert (await client.get(f"entities/{entity}"))["ngsildproof"] == proof


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("speed", {"value": 1, "entityIdSealed": "urn:x:1"}),
        ("speed", {"value": 1, "entityTypeSealed": "Lamp"}),
        ("speed", {"value": 1, "part": {"value": 2, "entityIdSealed": "urn:x:1"}}),
        ("ngsildproof", {"value": "a text"}),
        ("ngsildproof", {"value": PROOF, "entityTypeSealed": 42}),
        ("ngsildproof", {"value": PROOF, "entityIdSealed": "no URI"}),
        ("said", {"languageMap": {"en": "x"}, "valueType": "xsd:string"}),
        ("speed", {"value": 1, "valueType": 5}),
    ],
)
async def test_what_seals_nothing_is_refused(client: Client, name: str, given: dict[str, Any]) -> None:
    made = {"id": "urn:x:sealed", "type": "Sealed", name: given}
    assert await client.problem("POST", "entities", made) == (400, "BadRequestData")


async def test_a_type_of_values_is_a_name(client: Client) -> None:
    said = {"type": "LanguageProperty", "languageMap": {"en": "x"}, "valueType": "langString"}
    speed = {"type": "Property", "value": 5, "valueType": "xsd:double"}
    entity = await client.make(said=said, speed=speed)
    shown = await client.get(f"entities/{entity}")
    assert (shown["said"], shown["speed"]) == (said, speed)
    assert (await client.ask("PATCH", f"entities/{entity}", {"speed": {"valueType": "urn:ngsi-ld:null"}})).status == 204
    assert (await client.get(f"entities/{entity}"))["speed"] == {"type": "Property", "value": 5}


@pytest.mark.parametrize("route", ["entities?", "temporal/entities?timerel=after&timeAt=2020-01-01T00:00:00Z&"])
async def test_a_filter_of_sources_is_read_and_filters_nothing_here(client: Client, route: str) -> None:
    kind = client.name()
    await client.make(kind, a=1)
    chosen = quote('endpoint=="x"')
    assert len(await client.get(f"{route}type={kind}&csf={chosen}")) == 1
    assert await client.problem("GET", f"{route}type={kind}&csf=))bad((") == (400, "BadRequestData")


async def test_values_of_json_are_asked_about_as_they_are(client: Client) -> None:
    kind = client.name()
    await client.make(kind, tickets={"type": "JsonProperty", "json": {"value": "late"}})
    asked = quote('tickets[value]=="late"')
    assert len(await client.get(f"entities?type={kind}&q={asked}&jsonKeys=tickets")) == 1
    wish = {"type": "Query", "entities": [{"type": kind}], "q": 'tickets[value]=="late"', "jsonKeys": ["tickets"]}
    assert len((await client.ask("POST", "entityOperations/query", wish)).json) == 1


async def test_a_pattern_is_of_texts_alone(client: Client) -> None:
    kind = client.name()
    number, text = await client.make(kind, a=5), await client.make(kind, a="five")
    assert [one["id"] for one in await client.get(f"entities?type={kind}&q=a!~=six")] == [text]
    assert [one["id"] for one in await client.get(f'entities?type={kind}&q=a!="six"')] == [number, text]
    assert await client.get(f"entities?type={kind}&q=a!~=fi") == []


async def test_an_instance_of_no_attribute_cannot_be_modified(client: Client) -> None:
    entity = await client.make(a=1)
    instance = (await client.get(f"temporal/entities/{entity}"))["a"][0]["instanceId"]
    answer = await client.ask("PATCH", f"temporal/entities/{entity}/attrs//{instance}", {"value": 2})
    assert answer.status == 405


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ('said=="hei"', True),
        ('said=="hej","x"', True),
        ('said=="moi"', True),
        ('said=="hello"', False),
        ('said!="hei"', False),
        ('said!="hello"', True),
        ("said~=^he", True),
        ("said~=^x", False),
        ("said!~=^he", False),
        ('said[fi]=="hei"', True),
        ('said[sv]=="hei"', False),
        ('said[*]=="hej"', True),
        ('said.part=="osa"', True),
        ('said.part=="x"', False),
        ("said.part", True),
        ('said=="h".."i"', True),
        ("said==5", False),
    ],
)
async def test_a_text_is_asked_for_in_any_language(client: Client, q: str, found: bool) -> None:
    kind = client.name()
    part = {"type": "LanguageProperty", "languageMap": {"fi": "osa", "en": "part"}}
    said = {"type": "LanguageProperty", "languageMap": {"fi": ["hei", "moi"], "sv": "hej"}, "part": part}
    owner = await client.make(kind, said=said)
    plain = await client.make(kind, said={"value": {"fi": "hei"}})
    for route in ("entities?", "temporal/entities?timerel=after&timeAt=2020-01-01T00:00:00Z&"):
        shown = await client.get(f"{route}type={kind}&q={quote(q)}")
        assert (owner in [one["id"] for one in shown]) == found, route
        is_plain = q in ('said!="hei"', 'said!="hello"', 'said[fi]=="hei"')
        assert (plain in [one["id"] for one in shown]) == is_plain, "a Property's object is no map of languages"


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("!a", "b none"),
        ("!a.part", "b none plain"),
        ("!a[x]", "b none plain"),
        ("!nothing", "a b none plain"),
        ("!a;!b", "none"),
        ("!a|!b", "a b none plain"),
        ("!a;b==2", "b"),
        ("!createdAt", ""),
    ],
)
async def test_what_is_not_there_can_be_asked_for(client: Client, q: str, found: str) -> None:
    kind = client.name()
    whole = {"type": "Property", "value": {"x": 1}, "part": {"type": "Property", "value": 1}}
    entities: dict[str, dict[str, Any]] = {"a": {"a": whole}, "b": {"b": 2}, "none": {}, "plain": {"a": 5}}
    for name, members in entities.items():
        await client.make(kind, id=f"urn:{kind}:{name}", **members)
    shown = await client.get(f"entities?type={kind}&q={quote(q)}")
    assert [one["id"].split(":")[2] for one in shown] == found.split()
