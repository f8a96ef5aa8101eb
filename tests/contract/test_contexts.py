"""@contexts that are kept: put here, or fetched once from where the settings let the house ask."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from broadstreet.apis import Services
from broadstreet.context import contexts
from broadstreet.context.bounds import MAX_CONTEXT_BYTES
from broadstreet.delivery import LOOPBACK, NOBODY, fetch_json
from broadstreet.model.errors import ContextNotAvailable
from broadstreet.model.terms import CORE_CONTEXT_URI
from tests.asgi import Answer
from tests.contract.conftest import Clock
from tests.contract.test_api import Api, open_api

PLACE = "/ngsi-ld/v1/jsonldContexts"
ENTITIES = "/ngsi-ld/v1/entities"
JSON, LD_JSON = "application/json", "application/ld+json"
SPEED = "https://example.org/speed"
UNAVAILABLE = "https://uri.etsi.org/ngsi-ld/errors/LdContextNotAvailable"


class Elsewhere:
    """A server of documents."""

    def __init__(self) -> None:
        self.documents: dict[str, tuple[int, bytes, dict[str, str]]] = {}
        self.asked: list[str] = []
        self.base = ""

    def put(self, path: str, document: object, status: int = 200, **headers: str) -> str:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.documents[path] = status, body, headers
        return self.base + path

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split()[1].decode()
        self.asked.append(path)
        status, body, headers = self.documents.get(path, (404, b"", {}))
        lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await writer.drain()
        writer.close()


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    served = Elsewhere()
    async with await asyncio.start_server(served.answer, "127.0.0.1", 0) as server:
        served.base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield served


@pytest.fixture
async def api(services: Services, data_dir: Path) -> AsyncIterator[Api]:
    async with open_api(replace(services, fetch=partial(fetch_json, hosts=LOOPBACK)), data_dir) as opened:
        yield opened


async def create(api: Api, context: Any, name: str = "1", **headers: str) -> Answer:
    entity = {"id": f"urn:ngsi-ld:Car:{name}", "type": "Car", "speed": {"type": "Property", "value": 3}}
    return await api.ask("POST", ENTITIES, {**entity, "@context": context}, **{"content-type": LD_JSON, **headers})


async def plain(api: Api, name: str = "1") -> dict[str, Any]:
    """An entity under the core @context."""
    found: dict[str, Any] = await api.get(f"{ENTITIES}/urn:ngsi-ld:Car:{name}")
    return found


async def keep(api: Api, context: Any, **headers: str) -> str:
    answer = await api.ask("POST", PLACE, {"@context": context}, **{"content-type": JSON, **headers})
    assert (answer.status, answer.body) == (201, b"")
    return answer.headers["location"]


async def details(api: Api, name: str) -> dict[str, Any]:
    told: dict[str, Any] = await api.get(f"{PLACE}/{quote(name, safe='')}?details=true")
    return told


async def test_a_context_that_is_put_here_is_served_and_understood(api: Api, clock: Clock) -> None:
    place = await keep(api, {"speed": SPEED})
    local = place.rpartition("/")[2]
    assert (await api.get(place)) == {"@context": {"speed": SPEED}}
    for number, name in enumerate((place, f"http://city.example{place}", f"https://elsewhere.example{place}")):
        assert (await create(api, name, str(number))).status == 201
        assert SPEED in await plain(api, str(number))
    link = f'<http://city.example{place}>; rel="http://www.w3.org/ns/json-ld#context"; type="{LD_JSON}"'
    seen = await api.ask("GET", f"{ENTITIES}/urn:ngsi-ld:Car:1", link=link)
    assert "speed" in seen.json
    assert place in seen.headers["link"]
    clock.forward(2)
    told = await details(api, local)
    assert told == {
        "URL": f"http://city.example{place}",
        "localId": local,
        "kind": "Hosted",
        "createdAt": "2026-03-01T12:00:00Z",
        "numberOfHits": 4,
        "lastUsage": "2026-03-01T12:00:02Z",
    }
    assert f"http://city.example{place}" in await api.get(PLACE)
    assert await api.get(f"{PLACE}?kind=Hosted&details=true") == [told]
    assert await api.get(f"{PLACE}?kind=ImplicitlyCreated") == []
    assert (await api.ask("GET", f"{PLACE}?kind=Other")).status == 400


async def test_what_is_kept_is_kept_no_longer(api: Api, services: Services) -> None:
    place = await keep(api, {"speed": SPEED})
    assert (await create(api, place, "1")).status == 201
    assert (await api.ask("DELETE", f"{place}?reload=true")).status == 400, "there is nowhere to fetch it from"
    assert (await api.ask("DELETE", place)).status == 204
    assert (await api.ask("DELETE", place)).status == 404
    assert (await api.ask("GET", place)).status == 404
    assert (await create(api, place, "2")).json["type"] == UNAVAILABLE
    assert {line["action"] for line in await api.get("/v1/audit")} >= {"context.create", "context.delete"}


async def test_another_process_sees_in_a_second_that_one_is_gone(api: Api, services: Services, clock: Clock) -> None:
    other = contexts.Contexts(services.store, clock)
    place = await keep(api, {"speed": SPEED})
    assert (await other.vocabulary("city", place)).expand("speed") == SPEED
    await api.ask("DELETE", place)
    clock.forward(1)
    with pytest.raises(ContextNotAvailable):
        await other.vocabulary("city", place)


async def test_a_copy_is_fetched_once_and_anew_when_asked(api: Api, elsewhere: Elsewhere, clock: Clock) -> None:
    terms = elsewhere.put("/terms.jsonld", {"@context": {"speed": SPEED}})
    whole = elsewhere.put("/all.jsonld", {"@context": [terms, {"ex": "https://example.org/"}]})
    for name in ("1", "2"):
        assert (await create(api, [whole, {"more": "ex:more"}], name)).status == 201
        assert SPEED in await plain(api, name)
    assert elsewhere.asked == ["/all.jsonld", "/terms.jsonld"]
    clock.forward(2)
    told = await details(api, whole)
    assert (told["URL"], told["kind"], told["numberOfHits"]) == (whole, "Cached", 2)
    assert (await api.ask("GET", f"{PLACE}/{quote(whole, safe='')}")).status == 422, "its source serves it"
    elsewhere.put("/terms.jsonld", {"@context": {"speed": f"{SPEED}2"}})
    assert (await create(api, whole, "3")).status == 201
    assert SPEED in await plain(api, "3"), "a copy stays what it was"
    assert (await api.ask("DELETE", f"{PLACE}/{quote(terms, safe='')}?reload=true")).status == 204
    assert (await create(api, whole, "4")).status == 201
    assert f"{SPEED}2" in await plain(api, "4")
    elsewhere.put("/terms.jsonld", b"", 500)
    failed = await api.ask("DELETE", f"{PLACE}/{quote(terms, safe='')}?reload=true")
    assert (failed.status, failed.json["type"]) == (504, UNAVAILABLE)
    assert (await create(api, whole, "5")).status == 201, "the old copy is still there"


@pytest.mark.parametrize(
    ("document", "status", "words", "answered"),
    [
        (b"", 404, "status 404", 504),
        (b"no json", 200, "no JSON", 400),
        ({"terms": {}}, 200, "no @context", 400),
        ({"@context": 7}, 200, "is a URI, an object", 400),
        (b'{"@context": "' + b"x" * 2_000_000 + b'"}', 200, "more than", 413),
        ({"@context": {"x": "y" * MAX_CONTEXT_BYTES}}, 200, "more than", 413),
    ],
)
async def test_what_is_no_context_is_not_kept(
    api: Api, elsewhere: Elsewhere, document: object, status: int, words: str, answered: int
) -> None:
    url = elsewhere.put("/broken.jsonld", document, status)
    answer = await create(api, url)
    assert (answer.status, answer.json["type"] == UNAVAILABLE) == (answered, answered == 504), answer.body
    assert words in answer.json["detail"]
    (core,) = await api.get(f"{PLACE}?kind=Cached&details=false")
    assert core == f"http://city.example{PLACE}/{quote(CORE_CONTEXT_URI, safe='')}"


async def test_nobody_is_asked_whom_the_settings_do_not_name(
    services: Services, data_dir: Path, elsewhere: Elsewhere
) -> None:
    url = elsewhere.put("/terms.jsonld", {"@context": {"speed": SPEED}})
    async with open_api(replace(services, fetch=partial(fetch_json, hosts=NOBODY)), data_dir) as api:
        answer = await create(api, url)
    assert (answer.status, answer.json["type"]) == (504, UNAVAILABLE)
    assert "the settings do not let the house ask" in answer.json["detail"]
    assert elsewhere.asked == []


async def test_who_is_asked_sends_nobody_on_to_others(api: Api, elsewhere: Elsewhere) -> None:
    elsewhere.put("/terms.jsonld", {"@context": {"speed": SPEED}})
    near = elsewhere.put("/near", b"", 302, location="/terms.jsonld")
    far = elsewhere.put("/far", b"", 302, location="http://192.0.2.1/terms.jsonld")
    ring = elsewhere.put("/ring", b"", 302, location="/ring")
    assert (await create(api, near, "1")).status == 201
    assert "do not let the house ask http://192.0.2.1" in (await create(api, far, "2")).json["detail"]
    assert "on and on" in (await create(api, ring, "3")).json["detail"]


async def test_a_ring_of_contexts_and_too_many_are_refused(
    api: Api, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = f"{elsewhere.base}/1", f"{elsewhere.base}/2"
    elsewhere.put("/1", {"@context": second})
    elsewhere.put("/2", {"@context": [first]})
    answer = await create(api, first)
    assert (answer.status, "contains itself" in answer.json["detail"]) == (400, True), answer.body
    many = await create(api, [f"{elsewhere.base}/many/{n}" for n in range(65)])
    assert (many.status, len(elsewhere.asked)) == (413, 2), "nobody is asked for any of them"
    monkeypatch.setattr(contexts, "MAX_CONTEXTS", 1)
    await keep(api, {})
    assert (await api.ask("POST", PLACE, {"@context": {}}, **{"content-type": JSON})).status == 429
    third = elsewhere.put("/3", {"@context": {"speed": SPEED}})
    assert (await create(api, third, "3")).status == 201
    assert len(await api.get(f"{PLACE}?kind=Cached")) == 3, "copies over the bound go, the oldest first"


async def test_each_tenant_has_its_own(api: Api) -> None:
    place = await keep(api, {"speed": SPEED}, **{"ngsild-tenant": "suburb"})
    assert (await api.ask("GET", place)).status == 404
    assert (await api.ask("GET", place, **{"ngsild-tenant": "suburb"})).status == 200
    assert place not in str(await api.get(PLACE))
    assert (await create(api, place)).status == 504
    assert (await create(api, place, **{"ngsild-tenant": "suburb"})).status == 201
    assert (await api.ask("DELETE", place)).status == 404


@pytest.mark.parametrize(
    "body", [b"no json", {"A1": "urn:x"}, [], {"@context": 7}, {"@context": [None]}, {"@context": ["urn:a"] * 65}]
)
async def test_what_cannot_be_a_context_is_not_put_here(api: Api, body: object) -> None:
    answer = await api.ask("POST", PLACE, body, **{"content-type": JSON})
    assert answer.status in (400, 413), answer.body
