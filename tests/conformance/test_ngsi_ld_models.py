"""Smart Data Models' examples under their subject's @context, which is put here: written, read back in every
representation, and found by their own names and values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from broadstreet.model.errors import InvalidInput
from broadstreet.model.identifiers import check_uri
from tests.absence import absent
from tests.conformance.conftest import Client
from tests.conftest import SHARED_DATA

FOLDER = SHARED_DATA / "smart-data-models"
EXAMPLES = sorted(path for path in FOLDER.glob("*.jsonld") if not path.name.startswith("context-"))
HERE = "http://broadstreet.example"
JSON, LD_JSON, GEO_JSON = "application/json", "application/ld+json", "application/geo+json"
RELATION = "http://www.w3.org/ns/json-ld#context"
pytestmark = pytest.mark.skipif(not EXAMPLES, reason=absent(f"the Smart Data Models are not at {FOLDER}"))


@dataclass(frozen=True)
class Example:
    """An example as the standard lets it be written. faults: attributes that it does not."""

    document: dict[str, Any]
    faults: dict[str, Any]
    context: str
    """The address of its @context here."""

    @property
    def id(self) -> str:
        return str(self.document["id"])

    @property
    def attributes(self) -> dict[str, dict[str, Any]]:
        return {name: given for name, given in self.document.items() if isinstance(given, dict)}

    @property
    def link(self) -> str:
        return f'<{self.context}>; rel="{RELATION}"; type="{LD_JSON}"'


def is_faulty(given: Any) -> bool:
    """Whether it is a Relationship to what is no URI."""
    if not isinstance(given, dict) or given.get("type") != "Relationship":
        return False
    try:
        for target in given["object"] if isinstance(given["object"], list) else [given["object"]]:
            check_uri(target)
    except InvalidInput:
        return True
    return False


def read(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


@pytest.fixture(scope="module")
async def contexts(client: Client) -> dict[str, str]:
    """Where the subjects' @contexts are here, by subject."""
    found = {}
    for path in FOLDER.glob("context-*.jsonld"):
        answer = await client.ask("POST", "jsonldContexts", path.read_bytes(), content_type=LD_JSON)
        assert answer.status == 201, answer.body
        found[path.stem.removeprefix("context-")] = HERE + answer.headers["location"]
    return found


@pytest.fixture(scope="module", params=EXAMPLES, ids=lambda path: path.stem)
async def example(client: Client, contexts: dict[str, str], request: pytest.FixtureRequest) -> Example:
    """An example that was created; what the standard does not let be written of it was refused before."""
    document = read(request.param)
    (named,) = document.pop("@context")
    context = contexts[named.split("dataModel.")[1].split("/")[0]]
    faults = {name: given for name, given in document.items() if is_faulty(given)}
    if faults:
        whole = {**document, "@context": context}
        refused = await client.ask("POST", "entities", whole, content_type=LD_JSON)
        assert refused.status == 400 and next(iter(faults)) in refused.json["where"]
    document = {name: given for name, given in document.items() if name not in faults}
    answer = await client.ask("POST", "entities", {**document, "@context": context}, content_type=LD_JSON)
    assert answer.status == 201, answer.body
    return Example(document, faults, context)


def concise(given: Any) -> Any:
    """An attribute in the concise representation."""
    if not isinstance(given, dict):
        return given
    rest = {name: concise(part) if name not in ("value", "object") else part for name, part in given.items()}
    kind = rest.pop("type")
    if rest.keys() == {"value"} and (kind == "GeoProperty" or not isinstance(rest["value"], dict | list)):
        return rest["value"]
    return rest


def simplified(given: Any) -> Any:
    """An attribute in the simplified representation."""
    return given.get("value", given.get("object")) if isinstance(given, dict) else given


FORMS = {"normalized": lambda given: given, "concise": concise, "simplified": simplified, "keyValues": simplified}


@pytest.mark.parametrize("form", FORMS)
async def test_an_example_comes_back_in_every_representation(client: Client, example: Example, form: str) -> None:
    expected = {name: FORMS[form](given) for name, given in example.document.items()}
    target = f"entities/{quote(example.id, safe='')}?{'options' if form == 'keyValues' else 'format'}={form}"
    plain = await client.ask("GET", target, accept=JSON, link=example.link)
    assert plain.json == expected and example.context in plain.headers["link"]
    linked = await client.ask("GET", target, accept=LD_JSON, link=example.link)
    assert linked.json == {**expected, "@context": example.context}
    feature = {"type": "Feature", "id": example.id, "geometry": example.document["location"]["value"]}
    feature["properties"] = {name: given for name, given in expected.items() if name != "id"}
    geographic = await client.ask("GET", target, accept=GEO_JSON, link=example.link)
    assert geographic.json == {**feature, "@context": example.context}
    bodiless = await client.ask("GET", target, accept=GEO_JSON, link=example.link, prefer="body=json")
    assert bodiless.json == feature and example.context in bodiless.headers["link"]


@pytest.mark.parametrize("form", ["normalized", "concise"])
async def test_an_answer_can_be_written_again(client: Client, example: Example, form: str) -> None:
    target = f"entities/{quote(example.id, safe='')}?format={form}"
    answer = await client.ask("GET", target, accept=LD_JSON, link=example.link)
    upserted = await client.ask("POST", "entityOperations/upsert", [answer.json], content_type=LD_JSON)
    assert upserted.status == 204, upserted.body
    assert await client.get(f"entities/{quote(example.id, safe='')}", link=example.link) == example.document


async def test_an_example_is_found_by_its_type_and_where_it_stands(client: Client, example: Example) -> None:
    kind, at = example.document["type"], example.document["location"]["value"]
    point = quote(json.dumps(at["coordinates"]))
    near = f"georel=near;maxDistance==5&geometry={at['type']}&coordinates={point}"
    for wanted in (f"type={kind}", f"type={kind}&{near}", f"{near}&id={quote(example.id)}"):
        assert await client.get(f"entities?{wanted}", link=example.link) == [example.document], wanted
    away = f"georel=near;minDistance==5&geometry={at['type']}&coordinates={point}"
    assert await client.get(f"entities?type={kind}&{away}", link=example.link) == []
    assert await client.get(f"entities?type={kind}") == [], "the type of another @context"
    wish = {"type": "Query", "entities": [{"type": kind, "id": example.id}], "@context": example.context}
    posted = await client.ask("POST", "entityOperations/query", wish, content_type=LD_JSON, accept=LD_JSON)
    assert posted.json == [{**example.document, "@context": example.context}]


def questions(name: str, value: Any) -> list[tuple[str, bool]]:
    """What q may ask of an attribute with this value, and whether the entity that has it is found."""
    said = json.dumps(value, ensure_ascii=False)
    if isinstance(value, dict) and value.get("@type") == "DateTime":
        at = value["@value"]
        return [(f"{name}=={at}", True), (f"{name}>{at}", False), (f"{name}>=2001-01-01T00:00:00Z", True)]
    if isinstance(value, dict):
        inner = [(key, part) for key, part in value.items() if isinstance(part, str | int | float)]
        return [asked for key, part in inner for asked in questions(f"{name}[{key}]", part)]
    if isinstance(value, list):
        return [asked for part in value for asked in questions(name, part)]
    if isinstance(value, bool):
        return [(f"{name}=={said}", True), (f"{name}!={said}", False)]
    if isinstance(value, int | float):
        within = [(f"{name}=={value - 1}..{value + 1}", True), (f"{name}>{value}", False), (f"{name}<={value}", True)]
        return [(f"{name}=={said}", True), (f"{name}!={said}", False), *within]
    return [(f"{name}=={said}", True), (f"{name}!={said}", False), (f'{name}=="another",{said}', True)]


async def test_an_example_is_found_by_every_attribute(client: Client, example: Example) -> None:
    kind = example.document["type"]
    asked = [(name, True) for name in example.attributes]
    for name, given in example.attributes.items():
        if given["type"] != "GeoProperty":
            asked += questions(name, simplified(given))
            parts = {
                part: sub for part, sub in given.items() if isinstance(sub, dict) and sub.get("type") == "Property"
            }
            asked += [one for part, sub in parts.items() for one in questions(f"{name}.{part}", sub["value"])]
    assert len(asked) > len(example.attributes)
    for q, found in asked:
        shown = await client.get(f"entities?type={kind}&q={quote(q)}&pick=id", link=example.link)
        assert shown == ([{"id": example.id}] if found else []), q
    types = await client.get(f"types/{kind}", link=example.link)
    assert {one["attributeName"] for one in types["attributeDetails"]} == example.attributes.keys()
