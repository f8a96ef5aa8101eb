"""Entities that were written out before are not read again, and are never shown as they no longer are."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from broadstreet.context.reading import Reader
from broadstreet.context.shelf import Shelf
from tests.conformance.conftest import Client

FIELDS: dict[str, Any] = {
    "name": "Rain",
    "level": {"type": "Property", "value": 7, "unitCode": "MTR", "observedAt": "2026-02-01T00:00:00Z"},
    "location": {"type": "Point", "coordinates": [24.9, 60.1]},
}


@pytest.fixture
def asked(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many entities each reading of some had, with a shelf that is always asked first."""
    counts: list[int] = []
    shown = Reader.shown

    async def counting(reader: Reader, rows: Sequence[Any]) -> Any:
        counts.append(len(rows))
        return await shown(reader, rows)

    monkeypatch.setattr(Reader, "shown", counting)
    monkeypatch.setattr(Shelf, "is_worth_asking", True)
    return counts


async def as_they_are(client: Client, ids: Sequence[str], options: str = "") -> list[Any]:
    """Entities, each asked for by itself."""
    answers = [await client.ask("GET", f"entities/{one}{options}") for one in ids]
    return [answer.json for answer in answers if answer.status == 200]


@pytest.mark.parametrize("where", ["", "&georel=near;maxDistance==9&geometry=Point&coordinates=[24.9,60.1]"])
async def test_what_is_known_is_not_read_again(client: Client, asked: list[int], where: str) -> None:
    kind = client.name()
    ids = [await client.make(kind, **FIELDS) for _ in range(3)]
    question = f"entities?type={kind}{where}"
    first = await client.get(question)
    assert [one["id"] for one in first] == ids and sum(asked) == 3
    assert await client.get(question) == first and sum(asked) == 3
    assert await client.get(f"{question}&limit=2&count=true") == first[:2] and sum(asked) == 3
    await client.ask("PATCH", f"entities/{ids[1]}/attrs/name", {"value": "Snow"})
    changed = await client.get(question)
    assert sum(asked) == 4 and changed[1]["name"]["value"] == "Snow"
    simple = await client.get(f"{question}&options=keyValues")
    assert sum(asked) == 7 and simple[1]["name"] == "Snow"
    assert await client.get(question) == changed


@pytest.mark.parametrize("is_asked_first", [True, False])
async def test_every_change_is_seen_at_once(
    client: Client, asked: list[int], is_asked_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shelf, "is_worth_asking", is_asked_first)
    kind, other = client.name(), client.name()
    ids = [await client.make(kind, **FIELDS) for _ in range(2)]
    question = f"entities?type={kind}"
    one = ids[0]
    await client.get(question)
    level = {"type": "Property", "value": 7, "observedAt": "2026-02-02T00:00:00Z"}
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", f"entities/{one}/attrs/level", {"type": "Property", "value": 8}),
        ("PATCH", f"entities/{one}/attrs/level", {"unitCode": "CMT"}),
        ("PATCH", f"entities/{one}", {"level": {"observedAt": "2026-02-03T00:00:00Z"}}),
        ("POST", f"entities/{one}/attrs", {"other": 1, "level": [level, {**level, "datasetId": "urn:ngsi-ld:d:1"}]}),
        ("DELETE", f"entities/{one}/attrs/other", b""),
        ("POST", f"entities/{one}/attrs", {"another": 1}),
        ("DELETE", f"entities/{one}/attrs/another", b""),
        ("PATCH", f"entities/{one}", {"scope": "/Hall"}),
        ("POST", f"entities/{one}/attrs", {"type": [kind, other]}),
        ("PUT", f"entities/{one}", {"id": one, "type": kind, **FIELDS}),
        ("POST", "entityOperations/update", [{"id": one, "type": kind, "name": "Fog"}]),
        ("DELETE", f"entities/{one}", b""),
        ("POST", "entities", {"id": one, "type": kind, **FIELDS}),
        ("DELETE", f"entities/{one}/attrs/name", b""),
        ("POST", f"entities/{one}/attrs", {"name": "Rain"}),
    ]
    seen = [await client.get(question)]
    for method, target, body in changes:
        answer = await client.ask(method, target, body)
        assert answer.status in (201, 204), (method, target, answer.body)
        found = await client.get(question)
        there = sorted(await as_they_are(client, ids), key=lambda entity: ids.index(entity["id"]))
        assert found == there, (method, target)
        assert await client.get(question) == found
        seen.append(found)
    assert sum(before != behind for before, behind in pairwise(seen)) == len(changes)


async def test_an_answer_is_of_one_moment(client: Client, asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes between the asking for stamps and the reading no longer satisfies the question."""
    kind = client.name()
    one, other = [await client.make(kind, **FIELDS) for _ in range(2)]
    question = f"entities?type={kind}&q=level==7"
    rows = Reader.rows

    async def slow(reader: Reader, keys: Sequence[int], *, with_times: bool = False) -> Any:
        monkeypatch.setattr(Reader, "rows", rows)
        await client.ask("PATCH", f"entities/{one}/attrs/level", {"value": 9})
        return await rows(reader, keys, with_times=with_times)

    monkeypatch.setattr(Reader, "rows", slow)
    assert [entity["id"] for entity in await client.get(question)] == [other]
