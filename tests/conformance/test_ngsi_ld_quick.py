"""An entity that is answered without the framework is answered as with it; and what is more than that is left to it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

import pytest

from broadstreet.apis.paths import Application
from tests.asgi import Answer
from tests.conformance.conftest import CORE, Client

LINK = f'<{CORE}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'
VOLATILE = {"x-request-id"}
ASKED: list[tuple[str, dict[str, str]]] = [
    ("", {}),
    ("", {"accept": "*/*"}),
    ("", {"accept": "application/json"}),
    ("", {"accept": "application/ld+json"}),
    ("", {"accept": "application/geo+json"}),
    ("", {"accept": "text/html"}),
    ("", {"link": LINK}),
    ("", {"prefer": "ngsi-ld=1.3"}),
    ("", {"ngsild-tenant": "city"}),
    ("", {"ngsild-tenant": "nowhere"}),
    ("", {"authorization": "Bearer bst_nobody"}),
    ("", {"authorization": "Digest x"}),
    ("?options=keyValues", {}),
    ("?options=sysAttrs", {}),
    ("?nonsense=1", {}),
    ("x", {}),
    ("/", {}),
    ("/attrs", {}),
]


@pytest.fixture
def slow(client: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Asks with and without the quick way; answers how often the quick one answered."""
    assert isinstance(client.app, Application)
    quick = client.app.quick
    assert quick is not None
    taken: list[bool] = []

    async def counted(*args: Any) -> bool:
        taken.append(await quick(*args))
        return taken[-1]

    async def both(target: str, headers: dict[str, str]) -> tuple[Answer, Answer, list[bool]]:
        taken.clear()
        monkeypatch.setattr(client.app, "quick", counted, raising=False)
        one = await client.ask("GET", target, **headers)
        monkeypatch.setattr(client.app, "quick", None, raising=False)
        return one, await client.ask("GET", target, **headers), taken.copy()

    return both


def told(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    return answer.status, {name: value for name, value in answer.headers.items() if name not in VOLATILE}, answer.body


ENTITY: Final[dict[str, Any]] = {
    "id": "urn:ngsi-ld:Quick:1",
    "type": ["Quick", "Other"],
    "scope": ["/A/B", "/C"],
    "number": {"type": "Property", "value": 20.5, "unitCode": "CEL", "observedAt": "2026-03-01T11:00:00.5Z"},
    "whole": {"type": "Property", "value": 3},
    "large": {"type": "Property", "value": 1e15},
    "larger": {"type": "Property", "value": 1e21},
    "small": {"type": "Property", "value": -1.5e-7},
    "exact": {"type": "Property", "value": 2**53 + 1},
    "zero": {"type": "Property", "value": -0.0},
    "text": {"type": "Property", "value": 'ä "e+1"\n\\', "quality": {"type": "Property", "value": "\uf8ff"}},
    "flag": {"type": "Property", "value": False},
    "list": {"type": "ListProperty", "valueList": [1, "a", None]},
    "json": {"type": "JsonProperty", "json": {"a": [1, {"b": None}]}},
    "owner": {"type": "Relationship", "object": ["urn:a:1", "urn:a:2"], "objectType": "Organization"},
    "owners": {"type": "ListRelationship", "objectList": [{"object": "urn:a:1"}, {"object": "urn:a:2"}]},
    "kind": {"type": "VocabProperty", "vocab": ["Quick", "https://example.org/x"]},
    "title": {"type": "LanguageProperty", "languageMap": {"en": "One", "fi": ["Yksi", "1"]}},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [24.94, 60.17]}},
    "https://example.org/far": {"type": "Property", "value": 1},
}


async def write(client: Client) -> None:
    """The entity, whoever comes first."""
    await client.ask("POST", "entityOperations/upsert", [ENTITY], content_type="application/json")


async def test_the_quick_answer_is_the_other_one(client: Client, slow: Any) -> None:
    await write(client)
    several = {"id": "urn:ngsi-ld:Quick:2", "type": "Quick", "a": [{"value": 1}, {"value": 2, "datasetId": "urn:d:1"}]}
    await client.ask("POST", "entities", several, content_type="application/json")
    bare = {"id": "urn:ngsi-ld:Quick:3", "type": "Quick"}
    await client.ask("POST", "entities", bare, content_type="application/json")
    for named in (ENTITY["id"], several["id"], bare["id"], quote(str(ENTITY["id"]), safe="")):
        quick, other, taken = await slow(f"entities/{named}", {})
        assert told(quick) == told(other)
        assert (quick.status, taken) == (200, [True]), named
    for form in ("keyValues", "simplified", "concise"):
        quick, _, _ = await slow(f"entities/{ENTITY['id']}?options={form}", {})
        assert quick.status == 200
    for more, headers in ASKED:
        quick, other, _ = await slow(f"entities/{ENTITY['id']}{more}", headers)
        assert told(quick) == told(other), (more, headers)


async def test_what_is_written_from_columns_is_what_is_shown_one_by_one(client: Client, slow: Any) -> None:
    await write(client)
    shown = await client.get("entities/urn:ngsi-ld:Quick:1")
    with_times = await client.get("entities/urn:ngsi-ld:Quick:1?options=sysAttrs")
    for name, member in with_times.items():
        if isinstance(member, dict):
            assert shown[name] == {key: part for key, part in member.items() if key not in ("createdAt", "modifiedAt")}
    simple = await client.get("entities/urn:ngsi-ld:Quick:1?options=keyValues")
    picked = await client.get("entities/urn:ngsi-ld:Quick:1?options=keyValues&omit=nothing")
    assert simple == picked
    (listed,) = await client.get("entities?id=urn:ngsi-ld:Quick:1&type=Quick")
    assert listed == shown
